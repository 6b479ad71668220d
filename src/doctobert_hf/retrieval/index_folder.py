"""An index in a folder: parts that are written once, and ``index.json``, which says what they are.

``parts/NNNNN`` holds documents, passages and vectors of some of the documents, ``words/NNNNN`` the
table of words, ``engine/NNNNN`` an engine's file. A change writes new parts beside the old ones and
then replaces ``index.json`` in one step: a reader, or a kill, sees the index before or after it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.files import explained_output, write_json_atomic
from doctobert_hf.retrieval.bm25 import BM25
from doctobert_hf.retrieval.engines import check_engine
from doctobert_hf.retrieval.identity import ModelIdentity, open_identified
from doctobert_hf.retrieval.index_engine import (
    forget_old,
    keep_engine,
    new_collection,
    open_engine,
    reach_engine,
    saved_engine,
)
from doctobert_hf.retrieval.index_part import (
    Part,
    Piece,
    check_files,
    open_part,
    remove_piece,
    write_piece,
)
from doctobert_hf.retrieval.passage_table import PassageTable
from doctobert_hf.retrieval.vectors import Vectors

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.retrieval.index import Index

logger = logging.getLogger(__name__)
ABOUT = "index.json"
SCHEMA_VERSION = 2
KIND = "retrieval-index"


@dataclass
class About:
    """What ``index.json`` holds.

    Attributes:
        kind: ``bm25``, ``dense`` or ``late-interaction``.
        model: What the vectors were made with; None for words only.
        chunker: How documents are cut, see :class:`.encoding.PassageEncoder`; None where the
            version that wrote the index did not say.
        parts: In the order of their documents.
        words: The table of words.
        engine: Name of the engine, ``exact`` for none.
        engine_file: The engine's file, if it keeps one.
        engine_place: Address of the engine's server, if it has one.
        engine_collection: What the index is called there.
        engine_home: Folder whose collection that is: a copy of the folder is another index.
        text_column: Column that held the text.
        abbreviations: Whether its words meet their clinical abbreviations.
        rows_read: Rows of the input that are in the parts, while the index is being built.
        complete: Whether all of the input is in.
        generation: Number of the last change; names new files.
        schema_version: Of this file.
    """

    kind: str
    model: ModelIdentity | None = None
    chunker: dict[str, Any] | None = None
    parts: list[Piece] = field(default_factory=list)
    words: Piece | None = None
    engine: str = "exact"
    engine_file: Piece | None = None
    engine_place: str | None = None
    engine_collection: str | None = None
    engine_home: str | None = None
    text_column: str = "text"
    abbreviations: bool = False
    rows_read: int = 0
    complete: bool = False
    generation: int = 0
    schema_version: int = SCHEMA_VERSION

    def write(self, folder: Path) -> None:
        """Replace ``index.json`` in one step."""
        if self.engine_collection is not None:
            self.engine_home = os.path.abspath(folder)
        content = asdict(self)
        # Absent, as before, without a server.
        for name in ("engine_place", "engine_collection", "engine_home"):
            if content[name] is None:
                del content[name]
        content["documents"] = sum(part.documents for part in self.parts)
        content["passages"] = sum(part.passages for part in self.parts)
        write_json_atomic(folder / ABOUT, content)

    def next_name(self) -> str:
        """Return a name no file of the index has yet."""
        self.generation += 1
        return f"{self.generation:05d}"


def is_begun(folder: Path) -> bool:
    """Return whether a folder is an index whose build was stopped before its first part."""
    from doctobert_hf.runs import read_record

    if not folder.is_dir() or (folder / ABOUT).is_file():
        return False
    record = read_record(folder)
    return record is not None and record.kind == KIND


def read_about(folder: Path) -> About:
    """Read what an index is.

    Raises:
        UsageError: There is none, it is of another version, or it was not built to its end.
        DataError: ``index.json`` is damaged.
    """
    about = read_any(folder)
    if not about.complete:
        raise UsageError(
            f"The index '{folder}' is not complete: its build was stopped",
            "a complete one",
            "Run the command that started it again: it continues where it was",
        )
    return about


def read_any(folder: Path) -> About:
    """Read what an index is, also one whose build was stopped; errors as :func:`read_about`."""
    path = folder / ABOUT
    if is_begun(folder):
        raise UsageError(
            f"The index '{folder}' is not complete: its build was stopped at the beginning",
            "a complete one",
            "Run the command that began it again",
        )
    if not path.is_file():
        raise UsageError(
            f"'{folder}' is no index",
            f"a folder with {ABOUT}",
            "Build one: doctobert-hf retrieval index build DOCUMENTS --output FOLDER",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content.get("schema_version", 1)
        if version != SCHEMA_VERSION:
            raise UsageError(
                f"The index '{folder}' has schema_version {version}",
                f"schema_version {SCHEMA_VERSION}",
                "Index the documents anew" if version == 1 else "Use the version that wrote it",
            )
        for name in ("documents", "passages"):
            content.pop(name)
        for name in ("words", "engine_file"):
            content[name] = content[name] and Piece(**content[name])
        content["parts"] = [Piece(**part) for part in content["parts"]]
        content["model"] = content["model"] and ModelIdentity(**content["model"])
        return About(**content)
    except UsageError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"'{path}' is damaged ({type(error).__name__}: {error})",
            "what 'retrieval index' wrote",
            "Index the documents anew",
        ) from error


def write_part(
    folder: Path, about: About, documents: pa.Table, passages: PassageTable, vectors: Any
) -> Piece:
    """Write documents, passages and vectors as a new part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(scratch: Path) -> None:
        pq.write_table(documents, scratch / "documents.parquet")
        with (
            pa.OSFile(str(scratch / "passages.arrow"), "wb") as file,
            pa.ipc.new_file(file, passages.table.schema) as writer,
        ):
            writer.write_table(passages.table)
        if vectors is not None:
            np.save(scratch / "vectors.npy", np.concatenate(vectors.blocks))
            if vectors.is_late:
                np.save(scratch / "offsets.npy", vectors.firsts)

    piece = write_piece(folder, "parts", about.next_name(), write)
    piece.documents, piece.passages = documents.num_rows, len(passages)
    return piece


def load_index(
    made: type[Index], folder: Path, model: Any = None, engine_place: str | None = None
) -> Index:
    """Open an index; see :meth:`.index.Index.load`."""
    import pyarrow as pa

    about = read_about(folder)
    parts = [open_part(folder, piece, about.kind) for piece in about.parts]
    if not parts:
        raise UsageError(f"The index '{folder}' has no document", "at least one", "Add some")
    documents = _joined([part.documents for part in parts], folder)
    passages = PassageTable.joined([p.passages for p in parts], [len(p.documents) for p in parts])
    vectors = _vectors(parts) if about.kind != "bm25" else None
    about.engine_place = engine_place or about.engine_place
    check_engine(about.engine, about.engine_place)
    engine = None if vectors is None else open_engine(folder, about, vectors)
    if model is not None and about.model is None:
        raise UsageError(f"A model for '{folder}', an index of words", "none", "Leave out --model")
    assert isinstance(documents, pa.Table)
    return made(
        documents,
        passages,
        vectors,
        _opener(about, folder, model, parts[0]),
        lambda: _words(folder, about, passages),
        engine,
        about.chunker,
        about.abbreviations,
    )


def _opener(about: About, folder: Path, model: Any, part: Part) -> Any:
    identity = about.model
    if identity is None:
        return None
    if not isinstance(model, (str, Path)) and hasattr(model, "encode"):  # str.encode is no model's
        identity.apply(model, str(folder))
        part.check(model, str(folder))
        return model

    def opened() -> Any:
        found = open_identified(identity, str(folder), model and str(model))
        part.check(found, str(folder))
        return found

    return opened


def _words(folder: Path, about: About, passages: PassageTable) -> BM25:
    if about.words is None:
        return BM25(passages.texts, about.abbreviations)
    place = folder / "words" / about.words.name
    check_files(place, about.words)
    return BM25.load(place, len(passages), about.abbreviations)


def _joined(tables: list[pa.Table], folder: Path) -> pa.Table:
    import pyarrow as pa

    merged_schema([table.schema for table in tables], folder)
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()


def merged_schema(schemas: Sequence[pa.Schema], folder: Path) -> pa.Schema:
    """Return the columns of documents that were read at several times.

    Raises:
        DataError: A column is of one type here and of another there.
    """
    import pyarrow as pa

    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"The documents of '{folder}' have columns of several types ({error})",
            "one type for each column",
            "Make them alike (a table of CSV holds strings only), or leave the column out",
        ) from error


def schema_of(folder: Path, about: About) -> pa.Schema:
    """Return the columns of all documents that are in the parts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [folder / "parts" / piece.name / "documents.parquet" for piece in about.parts]
    return merged_schema([pa.schema([]), *(pq.read_schema(path) for path in names)], folder)


def finish(folder: Path, about: About) -> None:
    """Make the table of words and the engine's file of all parts, and say that all is there."""
    parts = [open_part(folder, piece, about.kind) for piece in about.parts]
    old = [("words", about.words), ("engine", about.engine_file)]
    about.words = about.engine_file = None
    if parts:
        texts = [text for part in parts for text in part.passages.texts]
        table = BM25(texts, about.abbreviations)
        about.words = write_piece(folder, "words", about.next_name(), table.save)
        if about.model is not None:
            vectors = _vectors(parts)
            about.engine_file = keep_engine(folder, about, vectors, about.model.similarity)
    about.complete = True
    about.write(folder)
    for kind, piece in old:
        if piece is not None:
            remove_piece(folder / kind, piece)
    if about.model is not None:
        forget_old(about, _vectors(parts))


def send_again(folder: Path, about: About) -> None:
    """Make the engine's server hold what the index has, and no more.

    It was emptied, is another one now, or did not answer when it should have deleted something.
    """
    if about.model is not None and about.engine_place is not None and about.parts:
        vectors = _vectors([open_part(folder, piece, about.kind) for piece in about.parts])
        keep_engine(folder, about, vectors, about.model.similarity)
        about.write(folder)
        forget_old(about, vectors)


def _vectors(parts: Sequence[Part]) -> Vectors:
    found = [part.vectors for part in parts if part.vectors is not None]
    return Vectors([v.blocks[0] for v in found], [o for v in found for o in v.offsets])


def save_index(index: Index, folder: Path, place: str | Path | None, overwrite: bool) -> None:
    """Write an index in memory; see :meth:`.index.Index.save`."""
    from doctobert_hf.retrieval.identity import absolute
    from doctobert_hf.runs import open_run

    model = index.model
    settings: dict[str, Any] = {"kind": index.kind, "model": absolute(place)}
    settings["texts"] = index.fingerprint()
    if index.abbreviations:  # absent, as in the records of before, where it is off
        settings["abbreviations"] = True
    engine, place_of_engine = saved_engine(index.engine)
    if engine != "exact":
        settings |= {"engine": engine, "engine_place": place_of_engine}
    with open_run(folder, KIND, settings, overwrite=overwrite) as run:
        if run.record.outputs and (folder / ABOUT).is_file() and read_any(folder).complete:
            return  # the same texts and model are there already
        identity = None if model is None else ModelIdentity.of(model, place)
        about = About(index.kind, identity, index.chunker, abbreviations=index.abbreviations)
        about.engine, about.engine_place = engine, place_of_engine
        with explained_output(folder):
            piece = write_part(folder, about, index.documents, index.passages, index.vectors)
            about.parts.append(piece)
            finish(folder, about)
        run.finish(ABOUT, "parts", "words")


@contextlib.contextmanager
def changing(folder: Path, inputs: list[Path], engine_place: str | None = None) -> Iterator[About]:
    """Hold an index for a change: nobody else writes; what was read is added to the record.

    Args:
        folder: The index.
        inputs: What is read.
        engine_place: Where its engine's server is from now on; default: where it was.

    Raises:
        UsageError: No complete index there, or another process changes it.
    """
    from doctobert_hf.runs.lock import LOCK, RunLock
    from doctobert_hf.runs.record import RECORD, describe_input, read_record

    folder = Path(os.path.abspath(folder))
    read_about(folder)
    lock = RunLock(folder / LOCK, f"The index '{folder}'")
    with explained_output(folder):
        lock.acquire()
        try:
            about = read_about(folder)
            place = engine_place or about.engine_place
            reach_engine(about.engine, place)
            if place != about.engine_place:
                _move(folder, about, place)
            if is_copy(folder, about):  # a new address may be the same server's
                about.engine_collection = new_collection()
                logger.warning(
                    "'%s' is a copy of '%s': what is changed here goes into a collection of its "
                    "own, '%s'",
                    *(folder, about.engine_home, about.engine_collection),
                )
            clear_leftovers(folder, about)
            yield about
            record = read_record(folder)
            if record is not None:
                record.inputs += [describe_input(path) for path in inputs]
                record.settings["changes"] = int(record.settings.get("changes", 0)) + 1
                record.write(folder / RECORD)
        finally:
            lock.release()


def is_copy(folder: Path, about: About) -> bool:
    """Return whether the collection on the server is another folder's, which is still there."""
    home = about.engine_home
    if home is None or os.path.realpath(home) == os.path.realpath(folder):
        return False
    try:
        return read_any(Path(home)).engine_collection == about.engine_collection
    except (UsageError, DataError):
        return False  # it was moved here


def _move(folder: Path, about: About, place: str | None) -> None:
    """Name another server, with what the index is called there known before anything is sent."""
    if about.engine_place is not None:
        logger.warning(
            "the index is at '%s' from now on; if '%s' was another server, its vectors stay there, "
            "in the collection '%s'",
            *(place, about.engine_place, about.engine_collection),
        )
    elif about.engine_collection is None:
        about.engine_collection = new_collection()
        about.write(folder)
    about.engine_place = place


_FILES = ("documents.parquet", "passages.arrow", "vectors.npy", "offsets.npy", "vectors")


def clear_leftovers(folder: Path, about: About) -> None:
    """Remove what a killed change left: pieces no index names, with the tool's own files only."""
    from doctobert_hf.runs.check import is_leftover
    from doctobert_hf.runs.publish import remove_tree

    for path in folder.iterdir():
        if path.is_dir() and is_leftover(path):
            remove_tree(path)
    named = {("parts", piece.name) for piece in about.parts}
    named |= {("words", about.words.name)} if about.words else set()
    named |= {("engine", about.engine_file.name)} if about.engine_file else set()
    for kind in ("parts", "words", "engine"):
        for place in (folder / kind).glob("[0-9][0-9][0-9][0-9][0-9]"):
            inside = [path.name for path in place.iterdir()] if place.is_dir() else ["?"]
            own = all(
                name in _FILES or name.endswith((".index.npy", ".index.json")) for name in inside
            )
            if (kind, place.name) not in named and own:
                remove_tree(place)


def rewritten(folder: Path, about: About, gone: Mapping[str, set[int]]) -> list[Piece]:
    """Write parts anew without some documents, by part and number; return the parts of before."""
    old, kept = [], []
    for piece in about.parts:
        if piece.name not in gone:
            kept.append(piece)
            continue
        old.append(piece)
        check_files(folder / "parts" / piece.name, piece, whole=True)
        part = open_part(folder, piece, about.kind).without(gone[piece.name])
        if part.documents.num_rows:
            kept.append(write_part(folder, about, part.documents, part.passages, part.vectors))
    about.parts = kept
    return old
