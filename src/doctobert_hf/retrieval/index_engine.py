"""An index's engine: made when the index changes, opened with it."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from doctobert_hf.errors import DataError
from doctobert_hf.retrieval.engines import Engine, Faiss, check_engine, check_similarity
from doctobert_hf.retrieval.index_part import Piece, check_files, write_piece
from doctobert_hf.retrieval.qdrant import Qdrant, part_key

if TYPE_CHECKING:
    from doctobert_hf.retrieval.index_folder import About
    from doctobert_hf.retrieval.vectors import Vectors

logger = logging.getLogger(__name__)
_FILE = "vectors"


def open_engine(folder: Path, about: About, vectors: Vectors) -> Engine | None:
    """Open an index's engine; None for exact search.

    Args:
        folder: The index.
        about: What it is.
        vectors: Of all its parts.

    Raises:
        UsageError: What the engine needs is not installed.
        DataError: Its file is not the one that was written.
    """
    check_engine(about.engine, about.engine_place)
    if about.engine == "qdrant":
        return _qdrant(about, vectors)
    if about.engine_file is None:
        return None
    engine = Faiss()
    place = folder / "engine" / about.engine_file.name
    check_files(place, about.engine_file)
    engine.load(place / _FILE, vectors)
    return engine


def saved_engine(engine: Engine | None) -> tuple[str, str | None]:
    """Return the name and the server's address under which an index's engine is saved again.

    One of the user's own cannot be opened by its name: that is told, and exact search is saved.
    """
    if engine is None:
        return "exact", None
    if isinstance(engine, Qdrant):
        return "qdrant", engine.place
    if isinstance(engine, Faiss):
        return "faiss", None
    logger.warning(
        "the engine %s is not saved with the index: opened again, it searches exactly",
        type(engine).__name__,
    )
    return "exact", None


def reach_engine(name: str, place: str | None) -> None:
    """Check an engine's name, what it needs, and that its server answers.

    Args:
        name: Of the engine.
        place: Address of its server, if it has one.

    Raises:
        UsageError: No such engine, or what it needs is missing.
        DataError: Its server does not answer.
    """
    check_engine(name, place)
    if place is not None:
        Qdrant(place, "doctobert").reach()


def keep_engine(folder: Path, about: About, vectors: Vectors, similarity: str) -> Piece | None:
    """Make the engine of an index that has changed; return its file, if it has one.

    A server keeps the vectors of before too, until ``index.json`` says that they are gone: see
    :func:`forget_old`.

    Raises:
        UsageError: The engine cannot compare as the model does.
        DataError: Its server does not answer.
    """
    if about.engine == "exact":
        return None
    check_similarity(about.engine, similarity)
    if about.engine == "qdrant":
        if about.engine_place is not None and about.engine_collection is None:
            about.engine_collection = new_collection()
        if not about.complete:  # a build that is stopped now goes on with the same collection
            about.write(folder)
        _qdrant(about, vectors).store()
        return None
    engine = Faiss()
    engine.build(vectors, similarity)
    return write_piece(folder, "engine", about.next_name(), lambda to: engine.save(to / _FILE))


def new_collection() -> str:
    """Return a name for an index on a server, which no other has."""
    return f"doctobert-{uuid.uuid4().hex[:16]}"


def forget_old(about: About, vectors: Vectors) -> None:
    """Delete what is no longer the index's from the engine's server, if there is one.

    Raises:
        DataError: It does not answer; that the index itself is changed is said.
    """
    if about.engine != "qdrant":
        return
    try:
        _qdrant(about, vectors).prune()
    except DataError as error:
        raise DataError(
            f"The index is changed, but the server may still have vectors of what "
            f"went: {error.got}",
            error.expected,
            "When it answers, 'doctobert-hf retrieval index update INDEX DOCUMENTS' deletes them, "
            "also where no document has changed",
        ) from error


def _qdrant(about: About, vectors: Vectors) -> Qdrant:
    engine = Qdrant(about.engine_place, about.engine_collection or "embedded")
    fingerprints = [(part.name, part.files["vectors.npy"]["sha256"]) for part in about.parts]
    keys = [part_key(name, fingerprint) for name, fingerprint in fingerprints]
    engine.attach({key: vectors.of_part(n) for n, key in enumerate(keys)})
    return engine
