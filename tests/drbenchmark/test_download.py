"""Downloads of open corpora, from a local server with byte ranges."""

import dataclasses
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from doctobert_hf.drbenchmark import get_task
from doctobert_hf.drbenchmark.conversion import convert
from doctobert_hf.drbenchmark.download import download_corpus
from doctobert_hf.drbenchmark.source import find_corpus
from doctobert_hf.errors import DataError, UsageError

MADE_UP = Path(__file__).parent / "data" / "made_up.zip"


class Ranges(SimpleHTTPRequestHandler):
    """Serves files whole or in ranges, and counts the bytes sent."""

    sent = 0

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        wanted = self.headers.get("Range")
        if wanted:
            start, end = wanted.removeprefix("bytes=").split("-")
            start, end = int(start), min(int(end or len(data)), len(data) - 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
            data = data[start : end + 1]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self.wfile.write(data)
        Ranges.sent += len(data)

    def do_HEAD(self):
        path = Path(self.translate_path(self.path))
        self.send_response(200 if path.is_file() else 404)
        self.send_header("Content-Length", str(path.stat().st_size if path.is_file() else 0))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    folder = tmp_path / "served"
    folder.mkdir()
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=str(folder)))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{http.server_port}"
    http.shutdown()


def at(task, urls):
    return dataclasses.replace(task, corpus=dataclasses.replace(task.corpus, urls=urls))


def config(tmp_path):
    from datasets import DownloadConfig

    return DownloadConfig(cache_dir=str(tmp_path / "downloads"), max_retries=0)


@pytest.mark.long
def test_an_archive_is_downloaded(server, tmp_path):
    folder, url = server
    (folder / "quaero.zip").write_bytes(MADE_UP.read_bytes())
    task = at(get_task("quaero_emea"), {"quaero.zip": f"{url}/quaero.zip"})
    found = download_corpus(task, config(tmp_path))
    assert convert(task, found).splits == convert(task, find_corpus(task, MADE_UP)).splits


def test_single_files_are_downloaded_under_their_names(server, tmp_path):
    import zipfile

    folder, url = server
    with zipfile.ZipFile(MADE_UP) as archive:
        for part in ("train", "dev", "test"):
            (folder / f"x-{part}").write_bytes(archive.read(f"morfitt/{part}.tsv"))
    urls = {f"{part}.tsv": f"{url}/x-{part}" for part in ("train", "dev", "test")}
    task = at(get_task("morfitt"), urls)
    found = download_corpus(task, config(tmp_path))
    assert convert(task, found).splits == convert(task, find_corpus(task, MADE_UP)).splits


@pytest.mark.long
def test_diamed_comes_without_its_pictures(server, tmp_path):
    import os
    import zipfile

    folder, url = server
    with zipfile.ZipFile(MADE_UP) as source, zipfile.ZipFile(folder / "data.zip", "w") as target:
        for name in (n for n in source.namelist() if n.startswith("diamed/splits")):
            target.writestr(name.removeprefix("diamed/"), source.read(name))
        for number in range(8):
            target.writestr(f"images/{number}.png", os.urandom(4 << 20))
    Ranges.sent = 0
    task = at(get_task("diamed"), {"data.zip": f"{url}/data.zip"})
    converted = convert(task, download_corpus(task, config(tmp_path)))
    assert converted.splits == convert(task, find_corpus(task, MADE_UP)).splits
    assert Ranges.sent < (folder / "data.zip").stat().st_size / 4


def test_what_does_not_answer_says_how_to_go_on(server, tmp_path):
    _, url = server
    task = at(get_task("quaero_emea"), {"quaero.zip": f"{url}/gone.zip"})
    with pytest.raises(DataError, match=r"could not be downloaded.*pass\s+data_dir=FOLDER"):
        download_corpus(task, config(tmp_path))
    task = at(get_task("diamed"), {"data.zip": f"{url}/gone.zip"})
    with pytest.raises(DataError, match="could not be downloaded"):
        download_corpus(task, config(tmp_path))
    with pytest.raises(UsageError, match="agreement"):
        download_corpus(get_task("clister"), config(tmp_path))


def test_no_agreement_link_is_in_the_declarations():
    from doctobert_hf.drbenchmark import list_tasks

    for task in list_tasks():
        assert bool(task.corpus.gate) != bool(task.corpus.urls), task.name
        assert task.corpus.redistributable != bool(task.corpus.gate), task.name
