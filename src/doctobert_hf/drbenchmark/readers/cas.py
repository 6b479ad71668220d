"""UIMA CAS as INCEpTION and other tools export it: JSON (its version 0.4) and XMI 1.1.

An annotation is a feature structure with ``begin`` and ``end``; its label is its feature ``value``
(named entities) or ``label``, else the first other text feature; its other text and boolean
features are its qualifiers. Tokens, sentences and document metadata are no annotations. Offsets
count UTF-16 units, as in Java, and become characters.

Sources: Apache UIMA reference, chapters on XMI; https://github.com/apache/uima-uimaj-io-jsoncas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.readers.brat import BratDocument, TextBound
from doctobert_hf.drbenchmark.readers.xml import parse_xml
from doctobert_hf.errors import DataError

_NO_ANNOTATIONS = ("Token", "Sentence", "DocumentMetaData", "DocumentAnnotation", "CASMetadata",
                   "Sofa", "TagsetDescription", "Paragraph", "Lemma", "POS", "Stem",
                   "Dependency", "CoreferenceLink")  # fmt: skip
"""Types that segment or describe a text; the last part of their names."""
_LABELS = ("value", "label", "entityType", "concept", "category")
_INTERNAL = ("begin", "end", "sofa", "id", "order")


def read_cas_json(content: Mapping[str, Any], name: str) -> BratDocument:
    """Make a document of a CAS in JSON.

    Raises:
        DataError: It has no text, or offsets outside of it.
    """
    structures = [item for item in content["%FEATURE_STRUCTURES"] if isinstance(item, Mapping)]
    sofa = next((item for item in structures if "sofaString" in item), None)
    if sofa is None:
        raise DataError(f"The CAS '{name}' has no text", "a Sofa with sofaString")
    found = [
        (str(item.get("%TYPE", "")), {k: v for k, v in item.items() if k[:1] not in "%@"})
        for item in structures
        if item is not sofa
    ]
    return _document(str(sofa["sofaString"]), found, name)


def read_xmi(path: Path) -> BratDocument:
    """Read a CAS in XMI.

    Raises:
        DataError: It is no XMI, has no text, or offsets outside of it.
    """
    try:
        root = parse_xml(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8 ({error})", "UTF-8") from error
    sofa = [child for child in root.children if child.name.endswith(":Sofa")]
    if not sofa or "sofaString" not in sofa[0].attributes:
        raise DataError(f"{path.name} has no text", "a cas:Sofa with sofaString")
    found = [
        (child.name, {k.rpartition(":")[2]: v for k, v in child.attributes.items()})
        for child in root.children
        if child not in sofa
    ]
    return _document(sofa[0].attributes["sofaString"], found, path.stem)


def _document(text: str, found: list[tuple[str, dict[str, Any]]], name: str) -> BratDocument:
    places = _characters(text)
    mentions: list[TextBound] = []
    attributes: dict[str, list[tuple[str, str, str]]] = {}
    for kind, features in _annotations(found):
        start, end = (int(features[side]) for side in ("begin", "end"))
        if not 0 <= start < end < len(places):
            raise DataError(
                f"'{name}': {kind} from {start} to {end} of {len(places) - 1}", "inside"
            )
        span = (places[start], places[end])
        label, qualifiers = _label(kind, features)
        key = f"T{len(mentions)}"
        mentions.append(TextBound(key, label, (span,), (text[span[0] : span[1]],), f"{name} {key}"))
        attributes[key] = [(key, n, "" if v is True else str(v)) for n, v in qualifiers.items()]
    return BratDocument(name, text, tuple(mentions), {}, attributes)


def _annotations(
    found: list[tuple[str, dict[str, Any]]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, features in found:
        short = kind.replace(":", ".").rpartition(".")[2]
        if short in _NO_ANNOTATIONS or "begin" not in features or "end" not in features:
            continue
        if int(features["begin"]) < int(features["end"]):  # an empty one marks a place, no words
            yield short, features


def _label(kind: str, features: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Label and qualifiers: what has no label feature is labelled by its type."""
    words = {
        name: True if value in (True, "true") else value
        for name, value in features.items()
        if name not in _INTERNAL and value not in (None, "", False, "false")
        and isinstance(value, (str, bool))
    }  # fmt: skip
    name = next((name for name in _LABELS if isinstance(words.get(name), str)), None)
    label = str(words.pop(name)) if name else kind
    return label, words


def _characters(text: str) -> list[int]:
    """Character of each UTF-16 unit, and of the end; a half of a pair is its character."""
    places: list[int] = []
    for number, character in enumerate(text):
        places += [number] * (2 if ord(character) > 0xFFFF else 1)
    return [*places, len(text)]
