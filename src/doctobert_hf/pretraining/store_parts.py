"""A token store of a large corpus: sections tokenised side by side, each sealed, then joined.

The result does not depend on how many processes worked. A run that was killed goes on with the
sections that are not sealed. Some documents, spread over the corpus, can be held out.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from doctobert_hf.config import check_bounds, option
from doctobert_hf.corpus import inputs_of
from doctobert_hf.corpus.sections import SIZE, Section, section_texts, section_values, sections_of
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output
from doctobert_hf.models.opening import open_tokenizer
from doctobert_hf.pretraining.store import MANIFEST, TokenStore, tokenizer_hash
from doctobert_hf.pretraining.store_building import CHUNKS, StoreWriter, encoded_documents
from doctobert_hf.reporting.progress import Progress, track
from doctobert_hf.runs import open_run

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from doctobert_hf.runs import RunFolder

logger = logging.getLogger(__name__)
PARTS, EVAL = "parts", "eval"
SUBMITTED = "submitted"
"""Of a folder of parts: jobs of Slurm may be writing there."""


@dataclass
class StoreConfig:
    """A store to make of a corpus."""

    corpus: Path | None = option(None, "corpus file, folder or pattern", cli=False)
    output: Path = option(Path("store"), "folder of the store")
    tokenizer: str | None = option(None, "folder or Hub id", path=True)
    text_column: str = option("text", "column that holds the text")
    ids_column: str | None = option(
        None, "column of tokenised chunks, special tokens included, instead of texts"
    )
    max_length: int = option(512, "tokens of a chunk, special tokens counted", least=1)
    eval_documents: int = option(0, "documents held out into OUTPUT/eval, at most a tenth", least=0)
    section_mb: int = option(SIZE >> 20, "text that one process takes at once", least=1)
    workers: int = option(1, "processes", least=1)
    executor: Literal["local", "slurm", "ray"] = option("local", "what runs the sections")
    tasks: int = option(16, "jobs of Slurm or Ray", least=1)
    slurm_partition: str = option("cpu", "partition of Slurm jobs")
    slurm_time: str = option("20:00:00", "time limit of Slurm jobs")
    slurm_gpus: int = option(0, "GPUs of each Slurm job", least=0)
    slurm_memory: int = option(4, "GB of memory of each Slurm job", least=1)
    slurm_setup: str | None = option(None, "shell command before each Slurm job (environment)")

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True)
class Job:
    """What a process needs to tokenise any section.

    Attributes:
        sections: All sections, in order.
        folder: Where the parts are.
        tokenizer: It goes to other processes by pickle.
        max_length: Most tokens of a chunk, special tokens counted.
        text_column: Column of the text.
        ids_column: Column of ids, instead.
    """

    sections: tuple[Section, ...]
    folder: Path
    tokenizer: PreTrainedTokenizerBase
    max_length: int
    text_column: str = "text"
    ids_column: str | None = None

    def place(self, number: int) -> Path:
        """Return where a section's part is once it is sealed."""
        return self.folder / f"{number:06d}"

    def missing(self) -> list[int]:
        """Return the numbers of the sections that are not sealed."""
        return [n for n in range(len(self.sections)) if not (self.place(n) / MANIFEST).is_file()]


def make_store(config: StoreConfig, overwrite: bool = False) -> TokenStore | None:
    """Tokenise a corpus into a store, by several processes or on a cluster.

    Args:
        config: Corpus, tokenizer, and what runs it.
        overwrite: Move a store of other settings that is in ``output`` aside.

    Returns:
        The store; None where Slurm's jobs are submitted and not done: run the same again then.

    Raises:
        UsageError: No such corpus or tokenizer; a folder that holds something else.
        DataError: No text, or a row that has none.
    """
    if config.corpus is None or config.tokenizer is None:
        raise UsageError(
            "No corpus" if config.corpus is None else "No tokenizer",
            "doctobert-hf pretrain store CORPUS --tokenizer FOLDER --output STORE",
        )
    column = config.ids_column or config.text_column
    sections = sections_of(config.corpus, column, config.section_mb << 20)
    tokenizer = open_tokenizer(config.tokenizer)
    made_with = tokenizer_hash(tokenizer)
    settings = {
        "max_length": config.max_length,
        "tokenizer": made_with,
        "column": column,
        "eval_documents": config.eval_documents,
        "section_mb": config.section_mb,
    }
    with open_run(
        config.output,
        "token-store",
        settings,
        inputs_of(config.corpus),
        overwrite=overwrite,
        uses=(config.tokenizer,),
    ) as run:
        if (run.folder / MANIFEST).is_file():
            run.finish(*run.record.outputs)
            return TokenStore(run.folder, tokenizer)
        job = Job(
            *(tuple(sections), run.folder / PARTS, tokenizer, config.max_length),
            *(config.text_column, config.ids_column),
        )
        if not _run_all(job, config):
            return None
        _join(run, job, tokenizer, config.eval_documents)
    return TokenStore(config.output, tokenizer)


def _run_all(job: Job, config: StoreConfig) -> bool:
    with explained_output(job.folder):
        job.folder.mkdir(exist_ok=True)
    if config.executor != "local":
        return _on_cluster(job, config)
    if (job.folder / SUBMITTED).is_file():
        _refuse_second_writer(job)
    _clear(job.folder)
    run_locally(job, config.workers)
    return True


def _clear(folder: Path) -> None:
    """Remove what killed processes left; the run folder's lock says that they are gone."""
    for path in folder.glob(".incomplete-*"):
        shutil.rmtree(path)


def run_locally(job: Job, workers: int) -> None:
    """Tokenise the sections that are not sealed, by some processes."""
    missing = job.missing()
    done = len(job.sections) - len(missing)
    if done:
        logger.info("%d of %d sections are tokenised already", done, len(job.sections))
    with Progress("tokenising", len(job.sections), "sections") as progress:
        progress.done = done
        for _ in _locally(job, missing, workers):
            progress.update()


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
    with ProcessPoolExecutor(min(workers, len(missing)), context) as pool:
        futures = [pool.submit(tokenise_section, job, number) for number in missing]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _on_cluster(job: Job, config: StoreConfig) -> bool:
    from doctobert_hf.executors import make_executor

    submitted = job.folder / SUBMITTED
    if submitted.is_file() and job.missing():
        _refuse_second_writer(job)
    if job.missing():
        logs = str(job.folder.parent / "logs")
        shutil.rmtree(logs, ignore_errors=True)  # what is done is known by the sealed parts
        _clear(job.folder)
        tasks = min(config.tasks, len(job.sections))
        executor = make_executor([SectionStep(job)], config, logs, "pretrain-store", tasks)
        if config.executor == "slurm":
            submitted.touch()
        executor.run()
    missing = job.missing()
    if missing and config.executor != "slurm":
        raise DataError(
            f"{len(missing)} of {len(job.sections)} sections failed", fix=f"See {logs}/logs"
        )
    if not missing:
        submitted.unlink(missing_ok=True)
    return not missing


def _refuse_second_writer(job: Job) -> None:
    left = len(job.missing())
    raise UsageError(
        f"Jobs were submitted for this store, and {left} of {len(job.sections)} sections are not "
        "done",
        "one run of jobs at a time",
        f"Wait for them (squeue); if they are gone, delete '{job.folder / SUBMITTED}' and run the "
        "same command",
    )


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
    section = job.sections[number]
    documents: Iterable[Sequence[Sequence[int]]]
    if job.ids_column is None:
        texts = section_texts(section, job.text_column)
        documents = encoded_documents(texts, job.tokenizer, job.max_length)
    else:
        documents = _checked_ids(section, job.ids_column, job.max_length, len(job.tokenizer))
    _seal(documents, job, job.place(number))


def _seal(documents: Iterable[Sequence[Sequence[int]]], job: Job, place: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=".incomplete-", dir=job.folder))
    try:
        with contextlib.closing(StoreWriter(scratch, len(job.tokenizer))) as writer:
            for chunks in documents:
                writer.document(chunks)
            writer.finish(job.max_length, tokenizer_hash(job.tokenizer), with_chunks=True)
        os.rename(scratch, place)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _checked_ids(
    section: Section, column: str, max_length: int, vocabulary: int
) -> Iterator[Sequence[Sequence[int]]]:
    for where, row in section_values(section, column):
        numbers = isinstance(row, list) and all(type(value) is int for value in row)
        if not numbers or len(row) > max_length or not all(0 <= i < vocabulary for i in row):
            told = f"{len(row)} ids up to {max(row)}" if numbers and row else f"{row!r:.60}"
            raise DataError(
                f"{where} has {told} as '{column}'",
                f"at most {max_length} ids below {vocabulary}",
            )
        yield [row] if row else []


def parts_of_sections(
    corpus: str,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    max_length: int,
    text_column: str = "text",
    workers: int = 1,
) -> list[Path]:
    """Tokenise a corpus of files into parts, those apart that are sealed; return their places."""
    sections = tuple(sections_of(corpus, text_column))
    job = Job(sections, folder, tokenizer, max_length, text_column)
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    run_locally(job, workers)
    return [job.place(number) for number in range(len(sections))]


def parts_of_texts(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, folder: Path, max_length: int
) -> list[Path]:
    """Tokenise texts that can be read only in order into one part; return its place."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = Job((), folder, tokenizer, max_length)
    rows = encoded_documents(track(texts, "tokenising"), tokenizer, max_length)
    _seal(rows, job, job.place(0))
    return [job.place(0)]


def stores_of_parts(
    places: Sequence[Path],
    folder: Path,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    held_out: int,
) -> None:
    """Join parts as ``folder/train`` and, of the documents held out, ``folder/eval``."""
    settings = {"max_length": max_length, "tokenizer": tokenizer_hash(tokenizer)}
    with contextlib.ExitStack() as stack:
        runs = [
            stack.enter_context(open_run(folder / name, "token-store", settings))
            for name in (("train", EVAL) if held_out else ("train",))
        ]
        scratch = [stack.enter_context(run.staged()) for run in runs]
        join_parts(places, scratch[0], scratch[-1], tokenizer, max_length, held_out)
    for place in places:
        shutil.rmtree(place)
    with contextlib.suppress(OSError):
        places[0].parent.rmdir()


def _join(run: RunFolder, job: Job, tokenizer: PreTrainedTokenizerBase, held_out: int) -> None:
    places = [job.place(number) for number in range(len(job.sections))]
    with run.staged() as scratch, Progress("joining", len(places), "sections") as progress:
        join_parts(places, scratch, scratch / EVAL, tokenizer, job.max_length, held_out, progress)
    shutil.rmtree(job.folder)
    shutil.rmtree(job.folder.parent / "logs", ignore_errors=True)


def join_parts(
    places: Sequence[Path],
    train: Path,
    held: Path,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    held_out: int,
    progress: Progress | None = None,
) -> None:
    """Write the chunks of some parts in order as one store, or two.

    Args:
        places: Folders of the parts; each has ``chunks.npy``.
        train: Folder of the store.
        held: Folder of the documents held out.
        tokenizer: The parts' tokenizer.
        max_length: The parts' ``max_length``.
        held_out: Documents to hold out, spread over the corpus, which may be sorted; at most a
            tenth of it, but one; 0: none.
        progress: Counts parts.

    Raises:
        DataError: No text at all, or a part is damaged.
    """
    about = [_manifest(place) for place in places]
    total = sum(part["source_documents"] - part["empty_documents"] for part in about)
    held_out = min(held_out, max(1, total // 10))
    every = max(total // held_out, 1) if held_out else 0
    made_with = tokenizer_hash(tokenizer)
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(contextlib.closing(StoreWriter(folder, len(tokenizer))))
            for folder in ((train, held) if held_out else (train,))
        ]
        at = 0
        for place in places:
            at += _add_part(place, writers, at, every, held_out)
            if progress is not None:
                progress.update()
        if not sum(map(len, writers)):
            raise DataError("There is no text to tokenise", "at least one document with text")
        if not all(map(len, writers)):
            raise DataError(
                f"{total} document with text, held out for evaluation: none is left to train on",
                "two documents or more",
                "Add documents, or hold none out (--eval-documents 0)",
            )
        for writer in writers:
            writer.finish(max_length, made_with)


def _add_part(
    place: Path, writers: Sequence[StoreWriter], at: int, every: int, held_out: int
) -> int:
    """Add a part's chunks to the stores; return its number of documents with text."""
    try:
        chunks = np.load(place / CHUNKS)
        part = TokenStore(place) if chunks.sum() else None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"The part '{place}' is damaged ({error})", fix="Delete it, and run the same again"
        ) from error
    filled = chunks > 0
    numbers = at + np.cumsum(filled) - 1  # empty documents are not counted, nor held out
    if every:
        held = filled & (numbers % every == 0) & (numbers // every < held_out)
    else:
        held = np.zeros(len(chunks), dtype=bool)
    for writer, chosen in zip(writers, (~held, held), strict=False):
        writer.source_documents += int(chosen.sum())
        writer.empty_documents += int((chosen & (chunks == 0)).sum())
        if part is not None:
            by_chunk = np.repeat(chosen, chunks)
            lengths = part.lengths
            tokens = part.tokens if by_chunk.all() else part.tokens[np.repeat(by_chunk, lengths)]
            writer.extend(tokens, lengths[by_chunk])
    return int(filled.sum())


def _manifest(place: Path) -> dict[str, Any]:
    try:
        return json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"The part '{place}' is damaged ({error})", fix="Delete it, and run the same again"
        ) from error
