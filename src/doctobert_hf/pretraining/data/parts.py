"""A token store of a large corpus: sections tokenised side by side, each sealed, then joined.

The result does not depend on how many processes worked. A run that was killed goes on with the
sections that are not sealed. Some documents, spread over the corpus, can be held out.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from doctobert_hf.config import check_bounds, option
from doctobert_hf.corpus import inputs_of
from doctobert_hf.corpus.sections import (
    SIZE,
    grouped,
    sections_of,
)
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.executors import check_executor
from doctobert_hf.models.opening import open_tokenizer
from doctobert_hf.pretraining.data.building import CHUNKS, StoreWriter, encoded_documents
from doctobert_hf.pretraining.data.jobs import Job, clear, run_all, run_locally, seal
from doctobert_hf.pretraining.data.store import MANIFEST, TokenStore, tokenizer_fingerprint
from doctobert_hf.reporting.progress import Progress, track
from doctobert_hf.runs import open_run

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from doctobert_hf.runs import RunFolder

logger = logging.getLogger(__name__)
PARTS, EVAL = "parts", "eval"


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
    parts: int = option(
        16,
        "jobs of Slurm or Ray",
        least=1,
        formerly="tasks",
        means_now="--tasks are DrBenchmark's everywhere",
    )
    slurm_partition: str | None = option(None, "partition of Slurm jobs; null: the cluster's own")
    slurm_account: str | None = option(None, "account of Slurm jobs")
    slurm_qos: str | None = option(None, "quality of service of Slurm jobs")
    slurm_constraint: str | None = option(None, "features that nodes of Slurm jobs must have")
    slurm_time: str | None = option(None, "time limit of Slurm jobs, e.g. 20:00:00")
    slurm_gpus: int = option(0, "GPUs of each Slurm job", least=0)
    slurm_memory: int = option(4, "GB of memory of each Slurm job", least=1)
    slurm_setup: str | None = option(None, "shell command before each Slurm job (environment)")

    def __post_init__(self) -> None:
        check_bounds(self)
        check_executor(self)


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
    size = config.section_mb << 20
    try:
        sections = grouped(sections_of(config.corpus, column, size), size)
    except DataError as error:
        if config.ids_column is None or f"'{column}'" not in error.expected:
            raise
        raise DataError(
            error.got, f"a column '{column}' with ids", "Name yours: --ids-column NAME"
        ) from error
    tokenizer = open_tokenizer(config.tokenizer)
    made_with = tokenizer_fingerprint(tokenizer)
    if config.ids_column is not None:
        _check_mix(config.corpus, made_with)
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
            store = TokenStore(run.folder, tokenizer)
            run.finish(*run.record.outputs)
            shutil.rmtree(run.folder / PARTS, ignore_errors=True)  # killed behind the join
            return store
        job = Job(
            *(tuple(sections), run.folder / PARTS, tokenizer, made_with, config.max_length),
            *(config.text_column, config.ids_column),
        )
        if not run_all(job, config):
            return None
        _join(run, job, tokenizer, config.eval_documents)
    return TokenStore(config.output, tokenizer)


def _check_mix(corpus: Path, made_with: str) -> None:
    """Refuse ids of a mix that another tokenizer made: they would be other words.

    Raises:
        UsageError: The mix's manifest names another tokenizer.
    """
    for folder in (corpus, corpus.parent):
        manifest: Any = {}
        with contextlib.suppress(OSError, ValueError):
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        theirs = manifest.get("tokenizer_hash") if isinstance(manifest, dict) else None
        if theirs is not None and theirs != made_with:
            raise UsageError(
                f"The ids of '{corpus}' are those of another tokenizer",
                f"'{manifest.get('tokenizer')}', which the mix was made with",
                "Name that one, or leave --ids-column out: the texts are tokenised again",
            )


def parts_of_sections(
    corpus: str,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    max_length: int,
    text_column: str = "text",
    workers: int = 1,
) -> list[Path]:
    """Tokenise a corpus of files into parts, those apart that are sealed; return their places."""
    sections = tuple(grouped(sections_of(corpus, text_column)))
    job = Job(
        sections, folder, tokenizer, tokenizer_fingerprint(tokenizer), max_length, text_column
    )
    folder.mkdir(parents=True, exist_ok=True)
    job.check_list()
    clear(folder)
    run_locally(job, workers)
    return [job.place(number) for number in range(len(sections))]


def parts_of_texts(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, folder: Path, max_length: int
) -> list[Path]:
    """Tokenise texts that can be read only in order into one part; return its place."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = Job((), folder, tokenizer, tokenizer_fingerprint(tokenizer), max_length)
    rows = encoded_documents(track(texts, "tokenising"), tokenizer, max_length)
    seal(rows, job, job.place(0))
    return [job.place(0)]


def stores_of_parts(
    places: Sequence[Path],
    folder: Path,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    held_out: int,
) -> None:
    """Join parts as ``folder/train`` and, of the documents held out, ``folder/eval``."""
    settings = {"max_length": max_length, "tokenizer": tokenizer_fingerprint(tokenizer)}
    with contextlib.ExitStack() as stack:
        runs = [
            stack.enter_context(open_run(folder / name, "token-store", settings))
            for name in (("train", EVAL) if held_out else ("train",))
        ]
        scratch = [stack.enter_context(run.staged()) for run in runs]
        join_parts(places, scratch[0], scratch[-1], tokenizer, max_length, held_out)
    shutil.rmtree(places[0].parent)


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
    made_with = tokenizer_fingerprint(tokenizer)
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
