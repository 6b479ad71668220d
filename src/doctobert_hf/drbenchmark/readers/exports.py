"""Annotated documents as annotation tools export them, one JSON object a document.

Known are this package's own lines (``text, entities: [{start, end, label, qualifiers}]``), Prodigy
and spaCy (``text, spans: [{start, end, label}]``), doccano (``text, label: [[start, end, name]]``
or ``entities: [{start_offset, end_offset, label}]``), edsnlp (``text, entities:
[{fragments, label, attributes}]``) and Label Studio's JSON (``data.text,
annotations[0].result[].value``); INCEpTION's UIMA CAS as JSON or XMI is read by
:mod:`.cas`. Offsets count the characters of the text as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doctobert_hf.corpus.json_rows import RepeatedKey, load_json, row_with_repeated_key
from doctobert_hf.drbenchmark.readers.brat import BratDocument, TextBound
from doctobert_hf.drbenchmark.readers.cas import read_cas_json, read_xmi
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.errors import DataError

_EXPECTED = (
    '{"id", "text", "entities": [{"start", "end", "label", "qualifiers"}]}, or an export of '
    "Prodigy, doccano, spaCy, edsnlp or Label Studio"
)
SUFFIXES = (".jsonl", ".json", ".xmi")
"""Endings of the files that are read."""
GROUPS = ("patient_id", "patient", "document_id", "source_document", "note_patient")
"""Columns that say which documents belong together."""


def read_export(path: Path, report: Report) -> Iterator[BratDocument]:
    """Read the documents of an export.

    Args:
        path: The file, ``.jsonl``, ``.json`` or ``.xmi``.
        report: Takes what is left out: rejected answers of Prodigy, documents not annotated.

    Raises:
        DataError: A row of no known shape, or offsets outside its text; says where.
    """
    if path.suffix == ".xmi":
        yield read_xmi(path)
        return
    for row, where in export_rows(path):
        try:
            if "%FEATURE_STRUCTURES" in row:
                yield read_cas_json(row, path.stem)
                continue
            if row.get("answer") in ("reject", "ignore"):
                report.add(f"document with the answer '{row['answer']}' left out", where)
                continue
            yield _document(row, where)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{where}: {type(error).__name__}: {error}", _EXPECTED) from error


def export_rows(path: Path, expected: str = _EXPECTED) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the objects of a JSON or JSON lines file, each with its place for messages.

    Args:
        path: The file.
        expected: What should be in it, for the error.

    Raises:
        DataError: It is not UTF-8, or not JSON.
    """
    for row, where in _json_values(path, expected):
        if not isinstance(row, dict):
            raise DataError(f"{where}: a {type(row).__name__}", expected)
        yield row, where


def _json_values(path: Path, expected: str) -> Iterator[tuple[Any, str]]:
    where = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            found = load_json(text)
            for number, row in enumerate(found if isinstance(found, list) else [found], 1):
                yield row, f"{path.name}, document {number}"
            return
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                where = f", line {number}"
                yield load_json(line), f"{path.name}{where}"
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8 ({error})", "UTF-8") from error
    except RepeatedKey as error:
        row = None if where else row_with_repeated_key(text)
        where = where if row is None else f", document {row + 1}"
        raise DataError(f"{path.name}{where} has the key '{error}' twice", "each once") from error
    except ValueError as error:
        raise DataError(f"{path.name} is not JSON ({error})", expected) from error


def _document(row: Mapping[str, Any], where: str) -> BratDocument:
    data = row["data"] if isinstance(row.get("data"), Mapping) else row
    text = data["text"]
    if not isinstance(text, str):
        raise TypeError(f"text is a {type(text).__name__}")
    mentions: list[TextBound] = []
    attributes: dict[str, list[tuple[str, str, str]]] = {}
    for number, (fragments, label, qualifiers) in enumerate(_entities(row)):
        for start, end in fragments:
            if not 0 <= start < end <= len(text):
                raise ValueError(f"entity {number} goes from {start} to {end} of {len(text)}")
        key = f"T{number}"
        surfaces = tuple(text[start:end] for start, end in fragments)
        mentions.append(TextBound(key, label, fragments, surfaces, where))
        kept = {name: value for name, value in qualifiers.items() if value}
        attributes[key] = [(key, n, "" if v is True else str(v)) for n, v in kept.items()]
    identity = next((row[k] for k in ("id", "note_id", "doc_id") if row.get(k) is not None), None)
    if identity is None:
        meta = row.get("meta") if isinstance(row.get("meta"), Mapping) else {}
        identity = meta.get("id", where)  # type: ignore[union-attr]
    group = next((str(data[name]) for name in GROUPS if data.get(name) is not None), "")
    return BratDocument(str(identity), text, tuple(mentions), {}, attributes, group)


_Entity = tuple[tuple[tuple[int, int], ...], str, Mapping[str, Any]]


def _entities(row: Mapping[str, Any]) -> Iterator[_Entity]:
    """Fragments, label and qualifiers of each entity, whatever tool wrote them."""
    if "annotations" in row and isinstance(row.get("data"), Mapping):
        yield from _label_studio(row["annotations"])
        return
    keys = [key for key in ("entities", "spans", "label", "labels") if row.get(key) is not None]
    if not keys:
        if row.get("annotated") is False or any(k in row for k in ("entities", "spans", "label")):
            return
        raise KeyError("no 'entities', 'spans' or 'label'")
    for entity in row[keys[0]]:
        if isinstance(entity, (list, tuple)):  # doccano, spaCy
            start, end, label = entity[:3]
            yield ((int(start), int(end)),), str(label), {}
        elif "fragments" in entity:  # edsnlp
            fragments = tuple(
                (int(f["begin"] if "begin" in f else f["start"]), int(f["end"]))
                for f in entity["fragments"]
            )
            yield fragments, str(entity["label"]), _attributes(entity.get("attributes"))
        else:
            start = entity["start"] if "start" in entity else entity["start_offset"]
            end = entity["end"] if "end" in entity else entity["end_offset"]
            label = entity.get("label", entity.get("label_"))
            if label is None:
                raise KeyError("label")
            qualifiers = entity.get("qualifiers", entity.get("attributes"))
            yield ((int(start), int(end)),), str(label), _attributes(qualifiers)


def _attributes(given: Any) -> Mapping[str, Any]:
    """Qualifiers as a mapping; edsnlp has a list of label and value."""
    if isinstance(given, list):
        return {str(item["label"]): item.get("value", True) for item in given}
    return given or {}


def _label_studio(annotations: Any) -> Iterator[_Entity]:
    done = [found for found in annotations if not found.get("was_cancelled")]
    if not done:
        return
    for result in done[0]["result"]:
        value = result.get("value", {})
        if "start" in value and (labels := value.get("labels")):
            yield ((int(value["start"]), int(value["end"])),), str(labels[0]), {}
