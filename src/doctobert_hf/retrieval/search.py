"""From files of documents to an index, and documents into and out of one that is there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.reporting.progress import track
from doctobert_hf.retrieval.encoding import (
    COLUMNS,
    PassageEncoder,
    document_table,
    text_fingerprint,
)
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.index_engine import reach_engine
from doctobert_hf.retrieval.index_folder import (
    ABOUT,
    KIND,
    About,
    changing,
    clear_leftovers,
    finish,
    merged_schema,
    read_any,
    rewritten,
    schema_of,
    send_again,
    write_part,
)
from doctobert_hf.retrieval.index_part import Piece, open_part, remove_piece
from doctobert_hf.retrieval.passage_table import PassageTable

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.retrieval.models import RetrievalModel

logger = logging.getLogger(__name__)
PART_CHARACTERS = 2_000_000
"""Text of a part: what a kill costs at most, some minutes of encoding on a CPU."""


def iter_rows(source: Any, text_column: str = "text") -> Iterator[dict[str, Any]]:
    """Yield documents with ``id`` and ``source``; those without text too, which are counted.

    Files of Markdown, HTML, PDF and office programs are read too. A row's ``id`` names it, its
    ``url`` or ``source`` says where it comes from, else its file.
    """
    from doctobert_hf.corpus import iter_documents

    empty = 0
    for row in iter_documents(source, text_column, converted=True):
        empty += not row[text_column].strip()
        name = str(row["id"])
        yield {**row, "id": name, "source": str(row.get("url") or row.get("source") or name)}
    if empty:
        logger.warning("%s documents without text are left out", f"{empty:,}")


def index_documents(
    source: Any,
    model: RetrievalModel | None = None,
    text_column: str = "text",
    abbreviations: bool = False,
) -> Index:
    """Index the documents of a file or folder in memory.

    Args:
        source: See :func:`iter_rows`.
        model: A retrieval model; None: words only, in passages of a thousand characters.
        text_column: Column that holds the text.
        abbreviations: Let clinical abbreviations and what they stand for find each other.

    Raises:
        DataError: No document with text, or two documents with one id.
    """
    rows = [r for r in track(iter_rows(source, text_column), "reading") if r[text_column].strip()]
    seen: set[str] = set()
    for row in rows:
        _check_new(row["id"], seen, source)
    if not rows:
        raise DataError("No document to search", "at least one")
    encoder = PassageEncoder(model)
    passages = PassageTable.of(encoder.cut([row[text_column] for row in rows]))
    vectors = encoder.encode(passages.texts)
    documents = document_table(rows, text_column)
    about: dict[str, Any] = {"chunker": encoder.chunker, "abbreviations": abbreviations}
    return Index(documents, passages, vectors, model, **about)


def _check_new(name: str, seen: set[str], source: Any) -> None:
    if name in seen:
        raise DataError(f"The id '{name}' occurs twice in '{source}'", "an id for each row")
    seen.add(name)


def build_index(
    source: Path,
    output: Path,
    model_place: str | None = None,
    text_column: str = "text",
    overwrite: bool = False,
    engine: str = "exact",
    abbreviations: bool = False,
    engine_place: str | None = None,
) -> Index:
    """Index documents in a folder, part by part; a build that was stopped goes on where it was.

    Args:
        source: See :func:`iter_rows`.
        output: A new folder, or one with an index of the same documents and model.
        model_place: Path or Hub id of a retrieval model; None: words only.
        text_column: Column that holds the text.
        overwrite: Move another index that is in ``output`` aside first.
        engine: ``exact``, or the name of an engine (:mod:`.engines`).
        abbreviations: Let clinical abbreviations and what they stand for find each other.
        engine_place: Address of the engine's server, of ``qdrant``; None: embedded.

    Raises:
        UsageError: ``output`` holds something else, lies in ``source`` or holds it, or an extra is
            missing.
        DataError: No document with text, or two with one id.
    """
    from doctobert_hf.corpus import list_files
    from doctobert_hf.retrieval.bm25 import require_bm25
    from doctobert_hf.retrieval.identity import absolute
    from doctobert_hf.runs import open_run

    list_files(source, converted=True)
    require_bm25()
    reach_engine(engine, engine_place)
    if engine != "exact" and model_place is None:
        raise UsageError(f"--engine {engine} without --model", "a model whose vectors it holds")
    settings = {
        "model": absolute(model_place),
        "text_column": text_column,
        "engine": engine,
        **({"engine_place": engine_place} if engine_place else {}),
        **({"abbreviations": True} if abbreviations else {}),
    }
    with open_run(
        *(output, KIND, settings, [source]),
        overwrite=overwrite,
        uses=(model_place,),
    ) as run:
        about = read_any(output) if (output / ABOUT).is_file() else None
        if about is not None and about.complete:
            logger.warning("'%s' has these documents already: nothing is left to do", output)
            return Index.load(output)
        model, kind = _opened(model_place)
        about = about or About(
            *(kind, None),
            engine=engine,
            engine_place=engine_place,
            text_column=text_column,
            abbreviations=abbreviations,
        )
        if model is not None:
            _record_model(about, model, model_place, output)
        clear_leftovers(output, about)
        encoder = PassageEncoder(model, chunker=about.chunker)
        about.chunker = encoder.chunker
        _fill(output, about, source, encoder)
        run.finish(ABOUT, "parts", "words", *(["engine"] if about.engine_file else []))
    return Index.load(output, model)


def _opened(model_place: str | None) -> tuple[Any, str]:
    """Return the model, None for words only, and the kind of index that it makes."""
    if model_place is None:
        return None, "bm25"
    from doctobert_hf.retrieval.models import is_late, open_model

    model = open_model(model_place)
    return model, "late-interaction" if is_late(model) else "dense"


def _record_model(about: About, model: Any, model_place: str | None, output: Path) -> None:
    """Write down which model encodes; of a build that goes on it must be the one that began it.

    Raises:
        UsageError: It is another one.
    """
    from doctobert_hf.retrieval.identity import ModelIdentity

    found = ModelIdentity.of(model, model_place)
    if about.model is not None and about.model.fingerprint != found.fingerprint:
        raise UsageError(
            f"The model '{model_place}' is another one than when this build began",
            "the same model",
            "Pass --overwrite to start over",
        )
    about.model = found
    for piece in about.parts[:1]:
        open_part(output, piece, about.kind).check(model, str(output))


def _fill(folder: Path, about: About, source: Any, encoder: PassageEncoder) -> None:
    """Write what of the documents is not in the parts yet, then the table of words."""
    seen = {name for names in _ids(folder, about) for name in names}
    columns = schema_of(folder, about)
    rows: list[dict[str, Any]] = []
    size = read = 0
    if about.rows_read:
        logger.warning("continuing after %s documents", f"{about.rows_read:,}")
    for row in track(iter_rows(source, about.text_column), "indexing"):
        read += 1
        if read <= about.rows_read:
            continue
        if row[about.text_column].strip():
            _check_new(row["id"], seen, source)
            rows.append(row)
            size += len(row[about.text_column])
        if size >= PART_CHARACTERS:
            columns = _append(folder, about, rows, encoder, columns)
            about.rows_read = read
            about.write(folder)
            rows, size = [], 0
    if rows:
        _append(folder, about, rows, encoder, columns)
    if not about.parts:
        raise DataError("No document to search", "at least one")
    about.rows_read = read
    finish(folder, about)


def _append(
    folder: Path,
    about: About,
    rows: list[dict[str, Any]],
    encoder: PassageEncoder,
    columns: pa.Schema,
) -> pa.Schema:
    """Write a part, if its columns go with those that are there; return the columns of all."""
    documents = document_table(rows, about.text_column)
    columns = merged_schema([columns, documents.schema], folder)
    passages = PassageTable.of(encoder.cut([row[about.text_column] for row in rows]))
    vectors = encoder.encode(passages.texts)
    about.parts.append(write_part(folder, about, documents, passages, vectors))
    return columns


def _ids(folder: Path, about: About) -> list[list[str]]:
    return [
        open_part(folder, piece, about.kind).documents["id"].to_pylist() for piece in about.parts
    ]


@dataclass
class Change:
    """What a change did.

    Attributes:
        added: Documents that are new.
        replaced: Documents whose text or columns are others now.
        unchanged: Documents that were there as they are.
        deleted: Documents that are gone, passages and vectors too.
        documents: Documents that are there now.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    deleted: int = 0
    documents: int = 0


def add_documents(
    folder: Path,
    source: Any,
    model: str | None = None,
    replace: bool = False,
    engine_place: str | None = None,
) -> Change:
    """Add documents to an index; with ``replace`` those that have changed are replaced.

    A document is known by its id, and its text by its hash: one that is there as it is costs
    nothing.

    Args:
        folder: The index.
        source: See :func:`iter_rows`.
        model: Where its model is now; default: where it was.
        replace: Replace documents whose text or columns differ (``index update``).
        engine_place: Where its engine's server is from now on; default: where it was.

    Raises:
        UsageError: No index, or a document that is there with another text, without ``replace``.
        DataError: Two documents with one id, or another model.
    """
    from doctobert_hf.corpus import inputs_of

    with changing(folder, inputs_of(source), engine_place) as about:
        known = {
            row["id"]: (piece.name, number, row)
            for piece in about.parts
            for number, row in enumerate(open_part(folder, piece, about.kind).documents.to_pylist())
        }
        change, seen = Change(documents=len(known)), set[str]()
        rows, gone = [], dict[str, set[int]]()
        for row in track(iter_rows(source, about.text_column), "reading"):
            if not row[about.text_column].strip():
                _check_absent(row["id"], known, source)
                continue
            _check_new(row["id"], seen, source)
            there = known.get(row["id"])
            if there is None:
                change.added += 1
            elif _is_same(there[2], row, about.text_column):
                change.unchanged += 1
                continue
            elif not replace:
                raise UsageError(
                    f"The document '{row['id']}' is in the index with another text or columns",
                    "new documents",
                    "Use 'retrieval index update', which replaces it",
                )
            else:
                change.replaced += 1
                gone.setdefault(there[0], set()).add(there[1])
            rows.append(row)
        if rows:
            columns = schema_of(folder, about)
            merged_schema([columns, document_table(rows, about.text_column).schema], folder)
            encoder = PassageEncoder(_model_of(about, folder, model), chunker=about.chunker)
            encoder.cut([])  # whether it can
            old = rewritten(folder, about, gone)
            for first in _batches(rows, about.text_column):
                columns = _append(folder, about, first, encoder, columns)
            _commit(folder, about, old)
        else:
            send_again(folder, about)
        change.documents = sum(part.documents for part in about.parts)
    return change


def _check_absent(name: str, known: Mapping[str, Any], source: Any) -> None:
    """Refuse a document without text that is in the index with one, which would stay."""
    if name in known:
        raise UsageError(
            f"The document '{name}' is in the index, and has no text in '{source}'",
            "text",
            "Give it text, leave it out, or delete it: retrieval index delete",
        )


def _is_same(known: dict[str, Any], row: dict[str, Any], text_column: str) -> bool:
    if known["sha256"] != text_fingerprint(row[text_column]) or known["source"] != row["source"]:
        return False
    [now] = document_table([row], text_column).to_pylist()
    return all(known.get(name) == now.get(name) for name in {*known, *now} - set(COLUMNS))


def _batches(rows: list[dict[str, Any]], text_column: str) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row[text_column])
        if size >= PART_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _model_of(about: About, folder: Path, place: str | None) -> Any:
    from doctobert_hf.retrieval.identity import open_identified

    if about.model is None:
        return None
    model = open_identified(about.model, str(folder), place)
    for piece in about.parts[:1]:
        open_part(folder, piece, about.kind).check(model, str(folder))
    return model


def delete_documents(
    folder: Path,
    ids: Iterable[str] = (),
    condition: str | None = None,
    engine_place: str | None = None,
) -> Change:
    """Delete documents: their passages and vectors leave the index's files.

    Args:
        folder: The index.
        ids: Their ids.
        condition: A filter over the documents' columns instead, see :meth:`.index.Index.allowed`.
        engine_place: Where its engine's server is from now on; default: where it was.

    Raises:
        UsageError: No index, an id it has not, or neither ids nor a condition.
    """
    import pyarrow as pa

    from doctobert_hf.filters import parse

    names = set(ids)
    if not names and condition is None:
        raise UsageError("Nothing to delete", "ids, or a filter")
    with changing(folder, [], engine_place) as about:
        gone: dict[str, set[int]] = {}
        found: set[str] = set()
        tables = [open_part(folder, piece, about.kind).documents for piece in about.parts]
        chosen = set(names)
        if condition is not None:  # over all parts at once: one may lack a column
            whole = pa.concat_tables(tables, promote_options="permissive")
            chosen |= set(parse(condition, nulls="fail").apply(whole)["id"].to_pylist())
        for piece, table in zip(about.parts, tables, strict=True):
            places = {n for n, name in enumerate(table["id"].to_pylist()) if name in chosen}
            found |= {name for name in table["id"].to_pylist() if name in chosen}
            if places:
                gone[piece.name] = places
        if missing := sorted(names - found):
            more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
            raise UsageError(
                f"No document '{missing[0]}'{more} in the index '{folder}'", "ids that it has"
            )
        if gone:
            _commit(folder, about, rewritten(folder, about, gone))
        else:
            send_again(folder, about)
        left = sum(part.documents for part in about.parts)
        return Change(deleted=len(found), documents=left)


def _commit(folder: Path, about: About, old: list[Piece]) -> None:
    finish(folder, about)
    for piece in old:
        remove_piece(folder / "parts", piece)
