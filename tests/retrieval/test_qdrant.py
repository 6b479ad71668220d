"""Qdrant as an index's engine: embedded, and over HTTP with the same client.

No server can be started here. The requests of the real client go over HTTP to a stand-in that reads
them with the client's own models and hands them to its own embedded mode.
"""

import json
import shutil
import threading

import numpy as np
import pytest

pytest.importorskip("qdrant_client")
pytest.importorskip("uvicorn")
pytest.importorskip("sentence_transformers", minversion="6")

from doctobert_hf.cli import main
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.retrieval import qdrant
from doctobert_hf.retrieval.engines import recall_of
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.models import open_model
from doctobert_hf.retrieval.search import add_documents, build_index, delete_documents
from doctobert_hf.retrieval.vectors import Vectors

KEY = "key-of-a-" + "test"


def make_app(store, seen):
    from fastapi import FastAPI, HTTPException, Request
    from qdrant_client import models

    app = FastAPI()

    @app.middleware("http")
    async def key_is_asked(request, call_next):
        from fastapi.responses import JSONResponse

        if request.headers.get("api-key") != KEY:
            return JSONResponse({"status": {"error": "no key"}}, 401)
        seen.append((request.method, request.url.path))
        return await call_next(request)

    def answer(result):
        return {"result": result, "status": "ok", "time": 0.0}

    done = {"operation_id": 1, "status": "completed"}

    @app.get("/collections/{name}/exists")
    def exists(name: str):
        return answer({"exists": store.collection_exists(name)})

    @app.put("/collections/{name}")
    async def create(name: str, request: Request):
        wanted = models.CreateCollection(**await request.json())
        return answer(store.create_collection(name, vectors_config=wanted.vectors))

    @app.put("/collections/{name}/index")
    def index(name: str):
        return answer(done)

    @app.put("/collections/{name}/points")
    async def upsert(name: str, request: Request):
        body = await request.body()
        assert len(body) < 32 * 2**20, "a server's limit"
        if not getattr(store, "has_room", True):
            raise HTTPException(507)
        seen.append(("body", body.decode()))
        store.upsert(name, models.PointsList(**json.loads(body)).points)
        return answer(done)

    @app.post("/collections/{name}/points/count")
    async def count(name: str, request: Request):
        wanted = models.CountRequest(**await request.json())
        return answer({"count": store.count(name, count_filter=wanted.filter).count})

    @app.post("/collections/{name}/points/delete")
    async def delete(name: str, request: Request):
        if not getattr(store, "deletes", True):
            raise HTTPException(503)
        store.delete(name, models.FilterSelector(**await request.json()))
        return answer(done)

    @app.post("/collections/{name}/points/query")
    async def query(name: str, request: Request):
        wanted = models.QueryRequest(**await request.json())
        if not store.collection_exists(name):
            raise HTTPException(404)
        found = store.query_points(
            name, query=wanted.query, query_filter=wanted.filter, limit=wanted.limit
        )
        return answer(found.model_dump(mode="json"))

    return app


@pytest.fixture
def server(monkeypatch):
    """Address of a server, what it holds, and what it was asked."""
    import socket

    import uvicorn
    from qdrant_client import QdrantClient

    store, seen = QdrantClient(":memory:"), []
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    config = uvicorn.Config(make_app(store, seen), log_level="error")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", store, seen
    running.should_exit = True
    thread.join()


@pytest.fixture
def rows(sample_texts):
    return [
        {"id": f"d{n}", "text": text, "year": 2000 + n} for n, text in enumerate(sample_texts[:9])
    ]


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


@pytest.fixture
def corpus(rows, tmp_path):
    return write(tmp_path / "corpus.jsonl", rows)


@pytest.fixture(scope="module")
def models(encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    open_model(encoder, pooling="mean").save_pretrained(str(folder / "dense"))
    open_model(encoder, "late-interaction").save_pretrained(str(folder / "late"))
    return folder


def names(index, rows, method=None):
    found = index.rank([row["text"][:80] for row in rows], 3, method)
    return [[name for name, _ in each] for each in found]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dense", "late"])
def test_embedded_finds_what_exact_search_finds(kind, corpus, rows, models, tmp_path):
    exact = build_index(corpus, tmp_path / "exact", str(models / kind))
    folder = tmp_path / "embedded"
    build_index(corpus, folder, str(models / kind), engine="qdrant")
    about = json.loads((folder / "index.json").read_text())
    assert about["engine"] == "qdrant" and "engine_place" not in about
    index = Index.load(folder)
    for method in (None, "hybrid"):
        assert recall_of(names(index, rows, method), names(exact, rows, method)) > 0.95
    assert index.search("patient", 9, condition="year >= 2007") == exact.search(
        "patient", 9, condition="year >= 2007"
    )
    add_documents(folder, write(tmp_path / "n.jsonl", [{"id": "n", "text": "tout nouveau"}]))
    delete_documents(folder, ["d0"])
    changed = Index.load(folder)
    assert changed.search("tout nouveau")[0].document == "n"
    assert "d0" not in {hit.document for hit in changed.search(rows[0]["text"][:80], 10)}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dense", "late"])
def test_a_server_follows_the_index(kind, corpus, rows, models, server, tmp_path):
    url, store, seen = server
    exact = build_index(corpus, tmp_path / "exact", str(models / kind))
    folder = tmp_path / "served"
    build_index(corpus, folder, str(models / kind), engine="qdrant", engine_place=url)
    about = json.loads((folder / "index.json").read_text())
    assert (about["engine"], about["engine_place"]) == ("qdrant", url)
    collection = about["engine_collection"]
    index = Index.load(folder)
    assert store.count(collection).count == len(index.passages)
    assert recall_of(names(index, rows), names(exact, rows)) > 0.95
    asked = [path for method, path in seen if path.endswith("/query")]
    assert len(asked) == len(rows), "it is the server that is asked"
    sent = len([1 for method, _ in seen if method == "body"])
    change = write(tmp_path / "n.jsonl", [rows[1], {"id": "n", "text": "tout nouveau"}])
    add_documents(folder, change)
    bodies = [body for method, body in seen if method == "body"][sent:]
    assert len(bodies) == 1 and len(json.loads(bodies[0])["points"]) == 1, "only what is new"
    delete_documents(folder, ["d0"])
    changed = Index.load(folder)
    assert store.count(collection).count == len(changed.passages)
    assert changed.search("tout nouveau")[0].document == "n"
    whole = build_index(
        write(tmp_path / "w.jsonl", [*rows[1:], {"id": "n", "text": "tout nouveau"}]),
        *(tmp_path / "whole", str(models / kind)),
    )
    assert recall_of(names(changed, rows), names(whole, rows)) > 0.95
    with pytest.raises(DataError, match="open it again"):
        index.search("patient")
    changed.save(tmp_path / "again", models / kind)  # a collection of its own on that server
    saved = json.loads((tmp_path / "again" / "index.json").read_text())
    assert (saved["engine"], saved["engine_place"]) == ("qdrant", url)
    assert saved["engine_collection"] != collection
    assert store.count(saved["engine_collection"]).count == len(changed.passages)
    texts = " ".join(row["text"][:40] for row in rows)
    assert not any(
        word in body for _, body in seen for word in (texts[:40], '"d1"', "tout nouveau")
    )
    assert KEY not in "".join(p.read_text(errors="replace") for p in folder.glob("*.json"))


@pytest.mark.long
def test_a_server_that_lost_the_vectors_is_told_and_filled_again(
    corpus, models, server, tmp_path, capsys
):
    url, store, _ = server
    folder = tmp_path / "index"
    command = ["retrieval", "index", "build", str(corpus), "--model", str(models / "dense")]
    assert main([*command, "--output", str(folder), "--engine", "qdrant", "--engine-url", url]) == 0
    collection = json.loads((folder / "index.json").read_text())["engine_collection"]
    store.delete_collection(collection)
    search = ["retrieval", "search", str(folder), "patient", "--json"]
    assert main(search) == 1
    assert "has 0 of the index's" in capsys.readouterr().err
    assert main([*search, "--method", "lexical"]) == 0
    assert main(["retrieval", "index", "update", str(folder), str(corpus)]) == 0
    capsys.readouterr()
    assert main(search) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.long
def test_vectors_that_could_not_be_deleted_are_told_of_and_deleted_later(
    corpus, rows, models, server, tmp_path
):
    url, store, _ = server
    folder = tmp_path / "index"
    build_index(corpus, folder, str(models / "dense"), engine="qdrant", engine_place=url)
    collection = json.loads((folder / "index.json").read_text())["engine_collection"]
    store.deletes = False
    with pytest.raises(DataError, match="index is changed, but the server may still.*update"):
        delete_documents(folder, ["d0"])
    changed = Index.load(folder)
    assert "d0" not in {hit.document for hit in changed.search(rows[0]["text"][:80], 10)}
    assert store.count(collection).count > len(changed.passages)
    store.deletes = True
    add_documents(folder, write(tmp_path / "left.jsonl", rows[1:]), replace=True)
    assert store.count(collection).count == len(changed.passages)


@pytest.mark.long
def test_a_server_that_is_elsewhere_or_refuses(corpus, models, server, tmp_path, monkeypatch):
    url, *_ = server
    folder = tmp_path / "index"
    model = str(models / "dense")
    with pytest.raises(DataError, match="server 'http://127.0.0.1:9' failed"):
        build_index(corpus, folder, model, engine="qdrant", engine_place="http://127.0.0.1:9")
    assert not folder.exists(), "before anything is encoded"
    served = tmp_path / "served"
    build_index(corpus, served, model, engine="qdrant", engine_place=url)
    with pytest.raises(DataError, match="--engine-url"):
        Index.load(served, engine_place="http://127.0.0.1:9").search("patient")
    monkeypatch.setenv("QDRANT_API_KEY", "another")
    with pytest.raises(DataError, match="QDRANT_API_KEY"):
        Index.load(served).search("patient")


def test_addresses_that_cannot_be(corpus, models, tmp_path):
    secret = "word-" + "of-pass"
    with pytest.raises(UsageError, match="QDRANT_API_KEY") as raised:
        qdrant.check_url(f"http://me:{secret}@localhost:6333")
    assert secret not in str(raised.value)
    for wrong in ("localhost:6333", "http://localhost:a", "http://localhost:99999", "http://[::1"):
        with pytest.raises(UsageError, match="no address"):
            qdrant.check_url(wrong)
    with pytest.raises(UsageError, match="--engine-url with the engine 'faiss'"):
        build_index(
            *(corpus, tmp_path / "i", str(models / "dense")),
            engine="faiss",
            engine_place="http://localhost:6333",
        )


def test_embedded_beyond_its_size_is_told(monkeypatch, caplog):
    monkeypatch.setattr(qdrant, "EMBEDDED", 3)
    engine = qdrant.Qdrant(None, "c")
    engine.attach({"00001-a": Vectors([np.eye(4, dtype=np.float32)])})
    engine.store()
    assert "exact search is faster" in caplog.text
    assert engine.nearest(np.eye(4)[2], 1).tolist() == [2]


def test_requests_are_bounded(monkeypatch):
    monkeypatch.setattr(qdrant, "_REQUEST", 25)
    dense = Vectors([np.zeros((7, 10), np.float32)])
    assert list(qdrant._requests(dense)) == [(0, 2), (2, 4), (4, 6), (6, 7)]
    late = Vectors([np.zeros((6, 10), np.float32)], [np.array([0, 3, 4])])
    assert list(qdrant._requests(late)) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize(("status", "message"), [(200, "no JSON"), (429, "Resource Exhausted")])
def test_another_program_and_a_busy_server_are_told(status, message):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(b"<p>hello</p>" if status == 200 else b"")

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.handle_request, daemon=True).start()
        with pytest.raises(DataError, match=message):
            qdrant.Qdrant(f"http://127.0.0.1:{page.server_port}", "c").reach()


def test_embedded_is_filled_once_by_threads_that_ask_at_once():
    from concurrent.futures import ThreadPoolExecutor

    every = np.eye(64, dtype=np.float32)
    engine = qdrant.Qdrant(None, "c")
    engine.attach({"00001-a": Vectors([every.repeat(20, 0)])})
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: engine.nearest(every[n], 20).tolist(), range(6)))
    assert found == [list(range(20 * n, 20 * n + 20)) for n in range(6)]


@pytest.mark.long
def test_a_change_of_a_copy_leaves_the_original_searchable(
    corpus, models, server, tmp_path, caplog
):
    url, store, _ = server
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    build_index(corpus, first, str(models / "dense"), engine="qdrant", engine_place=url)
    shutil.copytree(first, second)
    delete_documents(second, ["d0"])
    assert "is a copy of" in caplog.text
    changed = Index.load(second)
    assert "d0" not in {hit.document for hit in changed.search("patient", 20)}
    assert "d0" in {hit.document for hit in Index.load(first).search("patient", 20)}
    assert len(store.get_collections().collections) == 2
    caplog.clear()
    first.rename(third)  # moved: the collection is still its own
    delete_documents(third, ["d1"])
    assert "is a copy of" not in caplog.text
    assert len(store.get_collections().collections) == 2
    assert "d1" in {hit.document for hit in Index.load(second).search("patient", 20)}


@pytest.mark.long
def test_a_build_that_was_stopped_goes_on_with_its_collection(corpus, models, server, tmp_path):
    url, store, _ = server
    store.has_room = False
    build = (corpus, tmp_path / "index", str(models / "dense"))
    with pytest.raises(DataError, match="507"):
        build_index(*build, engine="qdrant", engine_place=url)
    store.has_room = True
    index = build_index(*build, engine="qdrant", engine_place=url)
    [collection] = store.get_collections().collections
    assert store.count(collection.name).count == len(index.passages)


@pytest.mark.long
def test_an_index_that_moves_to_a_server_is_called_one_name(
    corpus, models, server, tmp_path, caplog
):
    url, store, _ = server
    folder = tmp_path / "index"
    build_index(corpus, folder, str(models / "dense"), engine="qdrant")
    store.has_room = False
    with pytest.raises(DataError, match="507"):
        add_documents(folder, corpus, engine_place=url)
    assert Index.load(folder).search("patient"), "as it was, embedded"
    store.has_room = True
    change = delete_documents(folder, condition="year < 1900", engine_place=url)
    assert change.deleted == 0 and Index.load(folder).search("patient")
    [collection] = store.get_collections().collections
    other = url.replace("127.0.0.1", "localhost")
    add_documents(folder, corpus, engine_place=other)
    assert f"if '{url}' was another server" in caplog.text and collection.name in caplog.text
    assert json.loads((folder / "index.json").read_text())["engine_place"] == other


def test_a_server_for_an_index_of_words(corpus, tmp_path):
    build_index(corpus, tmp_path / "words")
    with pytest.raises(UsageError, match="--engine-url with the engine 'exact'"):
        Index.load(tmp_path / "words", engine_place="http://localhost:6333")


@pytest.mark.long
def test_a_document_whose_passages_are_all_near_hides_no_other(models, tmp_path):
    text = " ".join(f"Le patient a de la fièvre depuis {n} jours et tousse." for n in range(4500))
    rows = [{"id": "long", "text": text}]
    rows += [{"id": f"d{n}", "text": f"Entorse de la cheville {n}."} for n in range(5)]
    corpus = write(tmp_path / "long.jsonl", rows)
    index = build_index(corpus, tmp_path / "i", str(models / "dense"), engine="qdrant")
    assert index.starts[1] > 100, "more passages than an engine is asked for"
    hits = index.search("Le patient a de la fièvre depuis 3 jours et tousse.", 6)
    assert len(hits) == 6


@pytest.mark.long
def test_a_service_whose_server_is_down_says_so(corpus, models, tmp_path):
    """503; with a filter the index's own vectors are asked, and a wrong filter stays 422."""
    pytest.importorskip("fastapi_offline")
    from fastapi.testclient import TestClient

    from doctobert_hf.retrieval.serve import make_app

    build_index(corpus, tmp_path / "i", str(models / "dense"), engine="qdrant")
    index = Index.load(tmp_path / "i", engine_place="http://127.0.0.1:9")
    client = TestClient(make_app(index, "mine"))
    codes = [
        client.get("/search", params={"q": "patient", **more}).status_code
        for more in ({}, {"filter": "yaer > 3"}, {"filter": "year >="}, {"filter": "year > 2003"})
    ]
    assert codes == [503, 422, 422, 200]
    assert "QDRANT_API_KEY" in client.get("/search", params={"q": "patient"}).json()["detail"]
