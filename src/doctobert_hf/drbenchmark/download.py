"""Open corpora from their official sources, into the Datasets cache."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.conversion import missing
from doctobert_hf.drbenchmark.source import RawFolder, find_corpus, open_zip
from doctobert_hf.drbenchmark.spec import TaskSpec
from doctobert_hf.errors import DataError

BY_RANGES = {"diamed"}
"""Corpora whose archive is mostly pictures: only the files a task reads are fetched."""


def download_corpus(task: TaskSpec, download_config: Any = None) -> RawFolder:
    """Download a corpus, or take it from the cache.

    Args:
        task: The task whose files are wanted.
        download_config: ``datasets.DownloadConfig`` (cache folder, proxies, force_download).

    Raises:
        UsageError: The corpus needs an agreement: says which and where the files go.
        DataError: The source does not answer, or not with the corpus; says how to go on.
    """
    urls = task.corpus.urls
    if not urls:
        raise missing(task)
    try:
        if task.corpus.name in BY_RANGES:
            return _remote_zip(task, next(iter(urls.values())))
        return find_corpus(task, _fetch(task, dict(urls), download_config))
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{task.corpus.title} could not be downloaded from "
            f"{', '.join(urls.values())} ({type(error).__name__}: {error})",
            fix=(
                f"Try again, or get the files another way ({task.corpus.homepage}) and pass "
                f"data_dir=FOLDER with {task.corpus.layout}"
            ),
        ) from error


def _fetch(task: TaskSpec, urls: dict[str, str], download_config: Any) -> Path:
    """Fetch each address into the cache and lay the files out under their own names."""
    from datasets import DownloadConfig, DownloadManager
    from datasets.config import DOWNLOADED_DATASETS_PATH

    config = download_config or DownloadConfig(cache_dir=DOWNLOADED_DATASETS_PATH)
    paths = DownloadManager(dataset_name=task.corpus.name, download_config=config).download(urls)
    if len(paths) == 1:
        return Path(next(iter(paths.values())))
    folder = Path(config.cache_dir or DOWNLOADED_DATASETS_PATH) / f"drbenchmark-{task.corpus.name}"
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        for name, path in paths.items():
            shutil.copyfile(path, Path(scratch) / name)
        folder.mkdir(exist_ok=True)
        for name in paths:
            (Path(scratch) / name).replace(folder / name)
    return folder


def _remote_zip(task: TaskSpec, url: str) -> RawFolder:
    """Open a zip where it lies: its index and the files asked for are read by byte ranges."""
    import fsspec

    store = open_zip(fsspec.open(url, "rb", block_size=1 << 20).open(), url)
    names = [name for name in store.names() if name.endswith(task.files[0])]
    if not names:
        raise DataError(f"{url} has no {task.files[0]}", task.corpus.layout)
    return RawFolder(store, names[0].removesuffix(task.files[0]).rstrip("/"))
