"""The work of a large token store: sections tokenised by processes or cluster jobs, each sealed."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus.sections import Section, section_texts, section_values
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output, write_text_atomic
from doctobert_hf.pretraining.data.building import StoreWriter, encoded_documents
from doctobert_hf.pretraining.data.store import MANIFEST
from doctobert_hf.reporting.progress import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from doctobert_hf.pretraining.data.parts import StoreConfig

logger = logging.getLogger(__name__)
LIST = "sections"
"""Of a folder of parts: hash of the files that they are of."""
SUBMITTED = "submitted"
"""Of a folder of parts: jobs of Slurm may be writing there."""


@dataclass(frozen=True)
class Job:
    """What a process needs to tokenise any section.

    Attributes:
        sections: All sections, in order; small neighbours are one.
        folder: Where the parts are.
        tokenizer: It goes to other processes by pickle.
        made_with: Its hash.
        max_length: Most tokens of a chunk, special tokens counted.
        text_column: Column of the text.
        ids_column: Column of ids, instead.
    """

    sections: tuple[tuple[Section, ...], ...]
    folder: Path
    tokenizer: PreTrainedTokenizerBase
    made_with: str
    max_length: int
    text_column: str = "text"
    ids_column: str | None = None

    def place(self, number: int) -> Path:
        """Return where a section's part is once it is sealed."""
        return self.folder / f"{number:06d}"

    def check_list(self) -> None:
        """Refuse parts of other files, or of files as they were: they are known by number.

        Raises:
            UsageError: Files came, went or changed since the first part was started.
        """
        listed = [[(str(s.path), s.path.stat().st_size, s.path.stat().st_mtime_ns, s.first, s.last)
                   for s in group] for group in self.sections]  # fmt: skip
        digest = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
        known = self.folder / LIST
        if known.is_file() and known.read_text() != digest and len(self.missing()) < len(listed):
            raise UsageError(
                f"The files of the corpus are not those that '{self.folder}' was started with",
                "the same files, unchanged",
                "Pass --overwrite to start over, or delete that folder",
            )
        write_text_atomic(known, digest)

    def missing(self) -> list[int]:
        """Return the numbers of the sections that are not sealed."""
        return [n for n in range(len(self.sections)) if not (self.place(n) / MANIFEST).is_file()]


def run_all(job: Job, config: StoreConfig) -> bool:
    """Tokenise what is not sealed; return whether all is there (jobs of Slurm come later)."""
    with explained_output(job.folder):
        job.folder.mkdir(exist_ok=True)
        job.check_list()
    if config.executor != "local":
        return _on_cluster(job, config)
    if job.missing():
        from doctobert_hf.executors import refuse_second

        refuse_second(job.folder / SUBMITTED, _left(job))
    clear(job.folder)
    run_locally(job, config.workers)
    return True


def clear(folder: Path) -> None:
    """Remove what killed processes left; the run folder's lock says that they are gone."""
    for path in folder.glob(".incomplete-*"):
        shutil.rmtree(path)


def run_locally(job: Job, workers: int) -> None:
    """Tokenise the sections that are not sealed, by some processes."""
    missing = job.missing()
    done = len(job.sections) - len(missing)
    if done:
        logger.info("%d of %d sections are tokenised already", done, len(job.sections))
    with Progress("tokenising", len(job.sections), "sections", begun=done) as progress:
        try:
            for _ in _locally(job, missing, workers):
                progress.update()
        except BaseException:
            if len(job.missing()) == len(job.sections):  # nothing to go on with
                shutil.rmtree(job.folder, ignore_errors=True)
            raise


def _locally(job: Job, missing: Sequence[int], workers: int) -> Iterator[None]:
    if workers == 1 or len(missing) < 2:
        for number in missing:
            tokenise_section(job, number)
            yield
        return
    import multiprocessing

    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallelism

    # Spawned, not forked: the tokenizers library has threads, and forks of them hang.
    context = multiprocessing.get_context("spawn")
    count = min(workers, len(missing))
    with ProcessPoolExecutor(count, context, _begin_worker, (job, os.getpid())) as pool:
        futures = [pool.submit(_tokenise, number) for number in missing]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        except BrokenProcessPool as error:
            raise DataError(
                "A process that tokenised ended by itself, perhaps for want of memory",
                fix="Run the same command again, with fewer --workers or a smaller --section-mb",
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_job: Job | None = None


def _begin_worker(job: Job, parent: int) -> None:
    """Keep the job, which is sent once, and end when the process that gave it is gone."""
    global _job
    _job = job

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _tokenise(number: int) -> None:
    assert _job is not None
    tokenise_section(_job, number)


def _on_cluster(job: Job, config: StoreConfig) -> bool:
    from doctobert_hf.executors import make_executor, refuse_second, run_once

    submitted, logs = job.folder / SUBMITTED, str(job.folder.parent / "logs")
    if job.missing():
        tasks = min(config.parts, len(job.sections))
        if config.workers == 1:  # jobs side by side, unless some number of them was asked for
            config = dataclasses.replace(config, workers=tasks)
        executor = make_executor([SectionStep(job)], config, logs, "pretrain-store", tasks)
        refuse_second(submitted, _left(job))
        shutil.rmtree(logs, ignore_errors=True)  # what is done is known by the sealed parts
        clear(job.folder)
        run_once(executor, submitted, _left(job))
    missing = job.missing()
    if missing and config.executor != "slurm":
        raise DataError(
            f"{len(missing)} of {len(job.sections)} sections failed", fix=f"See {logs}/logs"
        )
    if not missing:
        submitted.unlink(missing_ok=True)
    return not missing


def _left(job: Job) -> str:
    return f"{len(job.missing())} of {len(job.sections)} sections are not done"


class SectionStep:
    """datatrove step: each task tokenises every n-th section that is not sealed."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __call__(self, data: Any, rank: int = 0, world_size: int = 1) -> None:
        """Tokenise this task's sections."""
        for number in self.job.missing():
            if number % world_size == rank:
                tokenise_section(self.job, number)


def tokenise_section(job: Job, number: int) -> None:
    """Write one part and seal it: under its own name it is whole."""
    documents: Iterable[Sequence[Sequence[int]]]
    group = job.sections[number]
    if job.ids_column is None:
        texts = (text for section in group for text in section_texts(section, job.text_column))
        documents = encoded_documents(texts, job.tokenizer, job.max_length)
    else:
        documents = (row for section in group for row in _checked_ids(section, job))
    seal(documents, job, job.place(number))


def seal(documents: Iterable[Sequence[Sequence[int]]], job: Job, place: Path) -> None:
    """Write documents as one part; under its own name it is whole."""
    scratch = Path(tempfile.mkdtemp(prefix=".incomplete-", dir=job.folder))
    try:
        with contextlib.closing(StoreWriter(scratch, len(job.tokenizer))) as writer:
            for chunks in documents:
                writer.document(chunks)
            writer.finish(job.max_length, job.made_with, with_chunks=True)
        if (place / MANIFEST).is_file():  # another was faster: it is the same
            shutil.rmtree(scratch)
        else:
            os.rename(scratch, place)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _checked_ids(section: Section, job: Job) -> Iterator[Sequence[Sequence[int]]]:
    from doctobert_hf.chunking.backend import special_tokens_around

    before, after = special_tokens_around(job.tokenizer)
    column, vocabulary = str(job.ids_column), len(job.tokenizer)
    for where, row in section_values(section, column):
        numbers = isinstance(row, list) and all(type(value) is int for value in row)
        if not numbers or len(row) > job.max_length or not all(0 <= i < vocabulary for i in row):
            told = f"{len(row)} ids up to {max(row)}" if numbers and row else f"{row!r:.60}"
            raise DataError(
                f"{where} has {told} as '{column}'",
                f"at most {job.max_length} ids below {vocabulary}",
            )
        if row and [*row[: len(before)], *row[len(row) - len(after) :]] != [*before, *after]:
            raise DataError(
                f"{where} has the ids {row[0]} ... {row[-1]} as '{column}'",
                f"the tokenizer's special tokens around them: {before} ... {after}",
                "Make the ids with special tokens, by this tokenizer",
            )
        yield [row] if row else []
