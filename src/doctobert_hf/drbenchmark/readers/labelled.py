"""Texts with classes: a table with ``text`` and ``label`` (or ``labels``), or a tool's export.

Tables are JSON lines, CSV, TSV or Parquet, also compressed, as :mod:`doctobert_hf.corpus` reads
them. ``label`` is one class; ``labels`` several: a list, or names with ``|`` between them. Exports
are doccano's (``label: ["name"]``), Prodigy's (``accept: ["name"]``) and Label Studio's choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from doctobert_hf.corpus import SUFFIXES, iter_documents
from doctobert_hf.corpus.files import has_suffix
from doctobert_hf.drbenchmark.readers.exports import GROUPS, export_rows
from doctobert_hf.drbenchmark.readers.splitting import (
    drawn_splits,
    given_splits,
    refuse_doubles,
    tell_of_shared_texts,
)
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.errors import DataError

EXPECTED = (
    "{'text', 'label'} or {'text', 'labels'} in every row, or an export of doccano, Prodigy or "
    "Label Studio"
)

_TABLES = tuple(ending for ending in SUFFIXES if not ending.startswith(".txt"))


@dataclass(frozen=True)
class LabelledText:
    """A text and its classes.

    Attributes:
        id: Its id; file and row where it has none.
        text: The text.
        labels: Names of its classes.
        group: Patient or source; empty if not known.
    """

    id: str
    text: str
    labels: tuple[str, ...]
    group: str = ""


def holds_labelled_texts(place: Path) -> bool:
    """Return whether a file or folder holds texts with classes, by the first row that tells."""
    if place.is_dir() and any(chain(place.glob("*.ann"), place.glob("*/*.ann"))):
        return False
    # Annotated entities come in JSON; a table beside them may be about something else.
    for path in sorted(_files(place), key=lambda path: not _is_json(path)):
        for row, where in _rows(path):
            if _has_entities(row):
                return False
            if labels_of(row, where):
                return True
    return False


@lru_cache(maxsize=1)
def split_labelled_texts(place: str) -> tuple[tuple[tuple[str, LabelledText], ...], Report]:
    """Read all texts of a file or folder, each with its split.

    Returns:
        The texts, and what was left out.

    Raises:
        DataError: A row of another shape, or splits and other files are mixed.
    """
    root, report = Path(place), Report()
    parts = given_splits(root, is_table) if root.is_dir() else []
    if parts:
        found = [
            (split, text)
            for split, part in parts
            for path in _files(part)
            for text in _read(path, report, root)
        ]
    else:
        texts = [text for path in _files(root) for text in _read(path, report, root)]
        found = drawn_splits(texts, lambda text: text.group or text.id)
    refuse_doubles(text.id for _, text in found)
    tell_of_shared_texts(root.name, ((split, text.text) for split, text in found))
    return tuple(found), report


def is_table(path: Path) -> bool:
    """Return whether a file is one that may hold rows."""
    return has_suffix(path.name, _TABLES)


def labels_of(row: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
    """Return the classes of a row; None where it does not say any.

    Raises:
        DataError: A number with decimals, or no name at all.
    """
    try:
        return _labels_of(row)
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{where}: {error}", EXPECTED) from error


def _labels_of(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "annotations" in row and isinstance(row.get("data"), Mapping):
        return _label_studio(row["annotations"])
    if _says(row.get("label")) and _says(row.get("labels")):
        raise ValueError("both 'label' and 'labels'")
    for key in ("accept", "label", "labels"):
        value = row.get(key)
        if not _says(value) or (key == "label" and value == []):  # doccano: not annotated
            continue
        if isinstance(value, str) and key == "labels":
            value = [name for name in value.split("|") if name.strip()]
        if isinstance(value, (list, tuple)):
            return tuple(_name(item) for item in value)
        return (_name(value),)
    return None


def _says(value: Any) -> bool:
    """Return whether a cell holds something."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError(f"label {value} is a number, not a class")
        return str(int(value))
    if not isinstance(value, (str, int)):
        raise TypeError(f"label is a {type(value).__name__}")
    if not str(value).strip():
        raise ValueError("a class without a name")
    return str(value).strip()


def _has_entities(row: Mapping[str, Any]) -> bool:
    """Return whether a row has places in its text, as annotated entities have."""
    if any(row.get(key) for key in ("entities", "spans")) or "%FEATURE_STRUCTURES" in row:
        return True
    given = row.get("label") or row.get("labels")
    if isinstance(given, list) and given and isinstance(given[0], (list, tuple, Mapping)):
        return True
    done = row.get("annotations")
    if isinstance(done, list) and isinstance(row.get("data"), Mapping):
        results = [r for one in done if isinstance(one, Mapping) for r in one.get("result") or ()]
        return any("start" in r.get("value", {}) for r in results if isinstance(r, Mapping))
    return False


def _label_studio(annotations: Any) -> tuple[str, ...] | None:
    done = [found for found in annotations or () if not found.get("was_cancelled")]
    if not done:
        return None
    judged = [_choices(found) for found in done]
    if any(set(other) != set(judged[0]) for other in judged[1:]):
        raise ValueError("annotators who do not agree: keep one annotation of each text")
    return judged[0]


def _choices(annotation: Mapping[str, Any]) -> tuple[str, ...]:
    results = [r for r in annotation.get("result") or () if "choices" in r.get("value", {})]
    questions = {str(result.get("from_name")) for result in results}
    if len(questions) > 1:
        raise ValueError(f"answers to several questions ({', '.join(sorted(questions))})")
    return tuple(str(name) for result in results for name in result["value"]["choices"])


def _is_json(path: Path) -> bool:
    return path.suffix.lower() in (".jsonl", ".json")


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return [
        path
        for path in sorted(place.rglob("*"))
        if path.is_file()
        and is_table(path)
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
    ]


def _rows(path: Path, report: Report | None = None) -> Iterator[tuple[dict[str, Any], str]]:
    """Rows of a file, each with its place for messages; none of a table without texts."""
    if _is_json(path):
        yield from export_rows(path, EXPECTED)
        return
    number = 0
    try:
        for number, row in enumerate(iter_documents(path), 1):
            yield row, f"{path.name}, row {number}"
    except DataError as error:
        if number or not error.expected.startswith("a column 'text'"):
            raise
        if report is not None:
            report.add("table without a column 'text' not read", path.name)


def _read(path: Path, report: Report, root: Path) -> Iterator[LabelledText]:
    place = path.relative_to(root).as_posix() if root.is_dir() else path.name
    for number, (row, where) in enumerate(_rows(path, report), 1):
        if row.get("answer") in ("reject", "ignore"):
            report.add(f"text with the answer '{row['answer']}' left out", where)
            continue
        if _has_entities(row):
            raise DataError(f"{where}: entities, and other rows have classes", EXPECTED)
        labels = labels_of(row, where)
        data = row["data"] if isinstance(row.get("data"), Mapping) else row
        text = data.get("text")
        if not isinstance(text, str):
            raise DataError(f"{where}: text is a {type(text).__name__}", EXPECTED)
        if labels is None:
            report.add("text without a class left out", where)
        elif not text.strip():
            report.add("empty text left out", where)
        else:
            group = next((str(data[name]) for name in GROUPS if data.get(name) is not None), "")
            own = row.get("id")
            # The reader of tables makes ids of file and row, which two folders have alike.
            made = own is None or str(own) == f"{path.name}:{number - 1}"
            identity = f"{place}:{number - 1}" if made else str(own)
            yield LabelledText(identity, text, tuple(dict.fromkeys(labels)), group)
