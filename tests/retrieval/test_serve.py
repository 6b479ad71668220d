"""The HTTP service: what it answers, what it refuses, and its page in a real browser."""

import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.search import build_index

pytest.importorskip("fastapi")
pytest.importorskip("fastapi_offline")
pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    rows = [
        {"id": "b", "text": "Une hépatite B. Le foie est gros.", "year": 2001},
        {"id": "c", "text": "Une hépatite C 🩺. Le <b>foie</b> est petit.", "year": 2002},
    ]
    path = folder / "notes.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    build_index(path, folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def address(index):
    server = subprocess.Popen(
        [sys.executable, "-m", "doctobert_hf", "retrieval", "serve", str(index), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def get(address, **words):
    with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode(words)}") as answer:
        return json.loads(answer.read())


@pytest.mark.long
def test_answers_are_those_of_the_command(address, index, capsys):
    from doctobert_hf.cli import main

    found = get(f"{address}/search", q="hepatite c", top=1)
    assert main(["retrieval", "search", str(index), "hepatite c", "--top", "1", "--json"]) == 0
    assert found["hits"] == json.loads(capsys.readouterr().out)
    assert (
        get(f"{address}/search", q="hépatite", filter="year < 2002")["hits"][0]["document"] == "b"
    )
    assert get(f"{address}/search", q="xylophone") == {"hits": [], "unknown_words": ["xylophone"]}
    assert get(f"{address}/health")["documents"] == 2
    assert "/search" in get(f"{address}/openapi.json")["paths"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"q": "foie", "method": "dense"}, "one of lexical"),
        ({"q": "foie", "filter": "yaer > 3"}, "no column"),
        ({"q": " "}, "An empty question"),
        ({"q": "foie", "top": 0}, "greater than or equal"),
        ({}, "missing"),
    ],
)
def test_wrong_questions(address, words, message):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{address}/search", **words)
    assert caught.value.code == 422 and message in caught.value.read().decode()


def test_what_fails_behind_a_right_question_is_no_wrong_question(index, tmp_path):
    """The table of words is damaged: so it is with a server of vectors that is down."""
    from fastapi.testclient import TestClient

    from doctobert_hf.retrieval.index import Index
    from doctobert_hf.retrieval.serve import make_app

    copy = shutil.copytree(index, tmp_path / "index")
    client = TestClient(make_app(Index.load(copy), "mine"))
    for path in copy.glob("words/*/*"):
        path.write_bytes(b"")
    failed = client.get("/search", params={"q": "foie"})
    assert failed.status_code == 503 and "is not the file" in failed.json()["detail"]
    for words in ({"q": "foie", "filter": "yaer > 3"}, {"q": "foie", "method": "dense"}):
        assert client.get("/search", params=words).status_code == 422


def test_a_taken_port_and_no_index(address, index, tmp_path):
    from doctobert_hf.retrieval.serve import serve

    port = int(address.rsplit(":", 1)[1])
    with pytest.raises(UsageError, match="Cannot listen"):
        serve(index, "127.0.0.1", port)
    with pytest.raises(UsageError, match="Cannot listen"):
        serve(index, "127.0.0.1", 99999)
    with pytest.raises(UsageError, match="is no index"):
        serve(tmp_path, "127.0.0.1", 0)


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_pages_name_no_other_host_and_their_files_are_there(address, page):
    text = urllib.request.urlopen(address + page).read().decode()
    assert not re.findall(r"(?:https?:)?//[\w-]+\.\w", text)
    files = re.findall(r"(?:src|href)=[\"']([^\"']+)", text)
    assert len(files) == (3 if page == "/docs" else 0)
    for name in [*files, "/openapi.json"]:
        with urllib.request.urlopen(urllib.parse.urljoin(address, name)) as answer:
            assert answer.status == 200 and answer.read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{address}/redoc")  # another page, that has its logo from outside


def dom(address, folder):
    """Return what headless Chromium makes of a page."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
               "--disable-background-networking", "--disable-component-update",
               f"--user-data-dir={folder}", "--virtual-time-budget=5000", "--dump-dom"]  # fmt: skip
    told = subprocess.run(
        ["chromium", *options, address], capture_output=True, text=True, timeout=120
    )
    return told.stdout


@pytest.mark.long
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium on this machine")
def test_the_description_in_a_browser_without_other_hosts(address, tmp_path):
    shown = dom(f"{address}/docs", tmp_path)
    assert 'data-path="/search"' in shown and 'data-path="/health"' in shown
    assert "validator.swagger.io" not in shown


@pytest.mark.long
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium on this machine")
def test_the_page_in_a_browser(address, tmp_path):
    """A question typed into the page shows its hit, with the text as text and a sentence marked."""
    page = urllib.request.urlopen(address).read().decode()
    ask = (
        "<script>addEventListener('load', () => { byId('q').value = 'hepatite c';"
        "byId('ask').requestSubmit(); });</script></body>"
    )
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/search"):
                body, kind = urllib.request.urlopen(address + self.path).read(), "application/json"
            else:
                body, kind = page.replace("</body>", ask).encode(), "text/html"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        shown = dom(f"http://127.0.0.1:{server.server_port}/", tmp_path)
    finally:
        server.shutdown()
    assert "<mark>Une hépatite C 🩺.</mark>" in shown
    assert "&lt;b&gt;foie&lt;/b&gt;" in shown


def test_what_is_added_and_deleted_is_served_at_once(index, tmp_path):
    """A deleted note must not be shown by a service that was there before."""
    from fastapi.testclient import TestClient

    from doctobert_hf.retrieval.index import Index
    from doctobert_hf.retrieval.search import delete_documents
    from doctobert_hf.retrieval.serve import Current, make_app

    folder = tmp_path / "index"
    shutil.copytree(index, folder)
    client = TestClient(make_app(Current(folder), "notes"))

    def found():
        return [hit["document"] for hit in client.get("/search?q=foie").json()["hits"]]

    assert sorted(found()) == ["b", "c"]
    delete_documents(folder, ["c"])
    assert found() == ["b"]
    assert client.get("/health").json()["documents"] == 1 == len(Index.load(folder))
    (folder / "index.json").unlink()
    assert client.get("/search?q=foie").status_code == 503


def test_an_index_that_is_gone_is_told_on_every_page(index, tmp_path):
    from fastapi.testclient import TestClient

    from doctobert_hf.retrieval.serve import Current, make_app

    folder = tmp_path / "moved"
    shutil.copytree(index, folder)
    client = TestClient(make_app(Current(folder), "notes"))
    assert client.get("/health").status_code == client.get("/").status_code == 200
    shutil.rmtree(folder)
    for page in ("/health", "/", "/search?q=toux"):
        found = client.get(page)
        assert found.status_code == 503 and "moved" in found.text


def test_another_name_that_leads_here_is_not_answered(address):
    asked = urllib.request.Request(f"{address}/health", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(asked, timeout=30)
    port = address.rpartition(":")[2]
    for name in (f"localhost:{port}", f"[::1]:{port}", f"127.0.0.1:{port}"):
        asked = urllib.request.Request(f"{address}/health", headers={"Host": name})
        assert urllib.request.urlopen(asked, timeout=30).status == 200
