"""Reading a corpus in a datatrove pipeline, every row accounted for.

Files and rows are those of :mod:`doctobert_hf.corpus`. datatrove's own readers pass over rows
without text and lines that are no JSON with one warning in a log; here each goes to the exclusion
file with its reason, and a file that cannot be read to its end stops the run.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.readers.base import BaseReader

from doctobert_hf.corpus.columnar import count_rows, is_columnar
from doctobert_hf.corpus.files import (
    CorpusFile,
    corpus_files,
    is_pattern,
    is_stage,
    stage_data,
)
from doctobert_hf.corpus.formats import BrokenRow, read_rows
from doctobert_hf.corpus.opening import UNREADABLE, UnreadableFile
from doctobert_hf.errors import DataError, DoctobertError, UsageError
from doctobert_hf.files import is_remote
from doctobert_hf.finemed.progress import PartCount, progress_folder
from doctobert_hf.finemed.writing import Exclusions

logger = logging.getLogger(__name__)
OWN_NAMES = {"id": "input_id", "text": "input_text"}
"""What an input's columns are called that have a name of ours and are not what we name so."""


class CorpusReader(BaseReader):
    """Reads the documents of one input: whatever :func:`.corpus_files` finds there.

    With fewer files than parts, every part reads all files and takes each n-th document.

    Args:
        place: The input: a file, a folder, a pattern or an address such as ``hf://``.
        text_column: Column that holds the text.
        id_column: Column that identifies a document; without it, file and row do.
        exclusions: Where rows that are no documents go.
        step: What this reader's exclusion file is called; another for each reader of a pipeline.
    """

    name = "FineMed corpus"

    def __init__(
        self,
        place: str,
        text_column: str,
        id_column: str,
        exclusions: Exclusions,
        step: str = "reading",
    ) -> None:
        super().__init__(text_key=text_column, id_key=id_column)
        self.files, self.exclusions = input_files(place), exclusions
        self.source, self.step = place, step

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield what came before, then this part's documents."""
        if data:
            yield from data
        apart = len(self.files) >= world_size
        files = self.files[rank::world_size] if apart else self.files
        whole = count_rows(file.path for file in files)
        if whole is not None and not apart:
            whole = len(range(rank, whole, world_size))
        count = PartCount(progress_folder(self.exclusions.folder), f"{self.step}-{rank}", whole)
        with self.exclusions.writer(self.step, rank) as excluded:
            place = 0
            for file in files:
                # A string of Arrow is valid UTF-8, or cannot be read at all.
                check_halves = not is_columnar(file.path)
                for index, row in rows_of(file, self.source, self.text_key):
                    mine = apart or place % world_size == rank
                    place += 1
                    if not mine:
                        continue
                    self.stat_update("rows")
                    count.update()
                    document = self._document(row, f"{file.name}:{index}", excluded, check_halves)
                    if document is not None:
                        self.update_doc_stats(document)
                        yield document
        count.write()

    def _document(
        self, found: Any, identity: str, excluded: Any, check_halves: bool
    ) -> Document | None:
        if isinstance(found, BrokenRow):
            excluded.write(identity, found.reason, found.content)
            return None
        row = row_of(found, self.text_key)
        if row is None:
            excluded.write(identity, "broken_json", json.dumps(found))
            return None
        half = check_halves and has_half(row)
        given = row.pop(self.id_key, None)
        identity = identity if given is None or given == "" else str(given)  # 0 is an id
        text = row.pop(self.text_key, None)
        reason = "half_a_character" if half else _no_document(text)
        if reason:
            identity = identity.encode("utf-8", "replace").decode("utf-8")
            excluded.write(identity, reason, text if isinstance(text, str) else "")
            return None
        metadata = {OWN_NAMES.get(name, name): value for name, value in row.items()}
        return Document(text=text, id=identity, metadata=metadata)


def rows_of(file: CorpusFile, source: str, text_column: str) -> Iterator[tuple[int, Any]]:
    """Yield the numbered rows of a file of an input, as :func:`.read_rows` does.

    Raises:
        DataError: The file cannot be read to its end.
    """
    with whole(file, source):
        yield from read_rows(file.path, text_column, file.name)


@contextmanager
def whole(file: CorpusFile, source: str) -> Iterator[None]:
    """Tell of a file that cannot be read to its end in words that a stage knows again.

    Raises:
        DataError: That file; other errors pass.
    """
    try:
        yield
    except (UnreadableFile, OSError) as error:
        if isinstance(error, DoctobertError) and not isinstance(error, UnreadableFile):
            raise
        raise DataError(
            f"'{file.name}' of '{source}' {UNREADABLE} ({error})",
            "a whole file",
            "Fetch or write it again, then run the same command: finished parts are kept",
        ) from error


def row_of(row: Any, text_column: str) -> dict[str, Any] | None:
    """Return a row as a mapping, a string as its text; None of other JSON."""
    if isinstance(row, str):
        return {text_column: row}
    return row if isinstance(row, dict) else None


def has_half(value: Any) -> bool:
    """Return whether invalid Unicode is anywhere in a value: no file of ours can hold it."""
    if isinstance(value, str):
        if value.isascii():
            return False
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return True
        return False
    if isinstance(value, dict):
        return any(has_half(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(has_half, value))


def _no_document(text: Any) -> str | None:
    if text is None:
        return "no_text"
    if not isinstance(text, str):
        return "text_is_no_string"
    return None if text.strip() else "empty_text"


def input_files(place: str) -> list[CorpusFile]:
    """Return the files of an input, by name; none of a stage that kept no document.

    Raises:
        UsageError: Nothing there, no file of a known kind, or a stage that is not finished.
    """
    if is_remote(place):
        return corpus_files(place)
    here = Path(os.path.abspath(place))  # jobs have another working directory
    if not here.exists() and not is_pattern(here):
        raise UsageError(
            f"No input '{place}'", "a file, a folder, a pattern or an address such as hf://"
        )
    if is_stage(here) and not stage_data(here).is_dir():
        return []
    return corpus_files(here)


@lru_cache(maxsize=256)
def tell_once(text: str) -> None:
    """Warn, once of the same thing."""
    logger.warning("%s", text)


class PartsReader(BaseReader):
    """Reads what an earlier step of the same stage wrote, which may be nothing.

    Every part takes whole files by number, so that steps that go by position (MinHash) see the
    same documents in the same order.

    Args:
        folder: The step's folder.
    """

    name = "FineMed parts"

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.source = folder

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield what came before, then this part's documents."""
        if data:
            yield from data
        mine = self.parts("*.parquet")[rank::world_size]
        # Below the stage: STAGE/between/STEP
        progress = progress_folder(str(Path(self.source).parent.parent / "excluded"))
        whole = count_rows(file.path for file in mine)
        count = PartCount(progress, f"{Path(self.source).name}-{rank}", whole)
        for file in mine:
            for _, row in rows_of(file, self.source, self.text_key):
                count.update()
                yield Document(text=row.pop("text"), id=row.pop("id"), metadata=row)

    def parts(self, pattern: str) -> list[CorpusFile]:
        """Return the step's files that match a pattern, by name."""
        return [CorpusFile(path.name, path) for path in sorted(Path(self.source).glob(pattern))]
