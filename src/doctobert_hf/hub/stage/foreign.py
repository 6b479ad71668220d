"""What others wrote: cards that other libraries generate, files and figures that are not ours.

Sentence Transformers, SetFit and PyLate write rows of the training set into the cards that they
generate: such a card stays on the Hub without them.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from doctobert_hf.hub.cards.render import KEEP, body_of, front_matter

_TAGS = {"generated_from_trainer", "generated_from_setfit_trainer", "generated_from_keras_callback"}
_SAID = re.compile(r"generated automatically according to|dataset_size:\d|^### Model Labels", re.M)
_CODE = re.compile(r"^[^\S\n]*```(?:python|py|text)?\n.*?^[^\S\n]*```[^\S\n]*\n?", re.DOTALL | re.M)
_TABLE = re.compile(r"(?:^[^\S\n]*\|.*\n?)+", re.MULTILINE)
_CELL = re.compile(r"<code>|<li>['\"]|\bExamples?\b")
_LEFT_OUT = "*(left out: rows of a training set may have stood here)*\n"
_EXPORTS = re.compile(r"(?:.*/)?[\w.-]+\.(?:onnx|gguf|ort|tflite|mlmodel)|(?:openvino|onnx)[/_].*")


def is_generated(card: str) -> bool:
    """Return whether a library wrote a card by itself, as trainers do."""
    tags = front_matter(card).get("tags")
    named = isinstance(tags, list) and bool(_TAGS & set(map(str, tags)))
    return named or bool(_SAID.search(card))


def without_rows(text: str) -> tuple[str, int]:
    r"""Leave out of a generated card what may be rows of a training set: its code and its samples.

    Returns:
        The text, and how many pieces are gone. Tables of figures stay.

    Example:
        >>> without_rows("Samples:\n| anchor |\n| --- |\n| <code>Mme Dupont</code> |\n")[1]
        1
    """
    gone = 0

    def left_out(match: re.Match[str]) -> str:
        nonlocal gone
        gone += 1
        return _LEFT_OUT

    text = _CODE.sub(left_out, text)
    return _TABLE.sub(lambda m: left_out(m) if _CELL.search(m[0]) else m[0], text), gone


def told_of_local(card: str, where: str) -> list[str]:
    """Return a warning about a README beside what is published that none of ours wrote."""
    if KEEP.search(card) or is_generated(card) or not body_of(card).strip():
        return []
    return [
        f"The text of the README.md in '{where}' is not published, the card is made of records: "
        "put what belongs into it between <!-- keep:NAME --> and <!-- /keep -->"
    ]


def fingerprints(file: Path) -> tuple[str, str]:
    """Return the id that git gives a file, and its SHA-256; of a file that stays, read once.

    A push asks when it compares with the Hub, and for its list, both again where another was first.
    """
    about = file.stat()
    return _fingerprints(file.absolute(), about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=1 << 16)
def _fingerprints(file: Path, size: int, changed: int) -> tuple[str, str]:
    content = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            content.update(block)
            digest.update(block)
    return content.hexdigest(), digest.hexdigest()


def is_same(file: Path, blob: str) -> bool:
    """Return whether a file is one on the Hub, by its id there: of itself, or of LFS's pointer."""
    content, sha256 = fingerprints(file)
    return blob in (content, _pointer_id(sha256, file.stat().st_size))


def is_as_written(entry: dict[str, Any], blob: str) -> bool:
    """Return whether a file on the Hub is still the one that an earlier push listed.

    Lists of before 0.2 do not have the ids of small files: those count as they are.
    """
    if "blob" not in entry:
        return True
    return blob in (entry["blob"], _pointer_id(entry.get("sha256", ""), entry.get("size", 0)))


def _pointer_id(sha256: str, size: int) -> str:
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    content = f"blob {len(text)}\0{text}".encode()
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def exports_of(files: dict[str, str]) -> list[str]:
    """Return the exports among files: of the weights that they were made of."""
    return sorted(name for name in files if _EXPORTS.fullmatch(name))


def results_in(front: dict[str, Any]) -> list[str]:
    """Return a key for each result in ``model-index``: what was measured on what, not how much."""
    return [_key(result) for _, result in _results(front)]


def join_results(now: dict[str, Any], before: dict[str, Any], ours: list[str]) -> list[str]:
    """Add to ``model-index`` what others measured of the same weights.

    Args:
        now: Front matter; receives them.
        before: That of the Hub.
        ours: Keys of what an earlier push wrote: it is written anew.

    Returns:
        Keys of what was added.
    """
    known = {*ours, *results_in(now)}
    more = [(name, result) for name, result in _results(before) if _key(result) not in known]
    if not more:
        return []
    index = now.setdefault("model-index", [{"name": more[0][0], "results": []}])
    index[0]["results"] += [result for _, result in more]
    return [_key(result) for _, result in more]


def _results(front: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    index = front.get("model-index")
    return [
        (str(entry.get("name", "")), result)
        for entry in (index if isinstance(index, list) else [])
        if isinstance(entry, dict)
        for result in entry.get("results") or []
        if isinstance(result, dict)
    ]


def _key(result: dict[str, Any]) -> str:
    task, data = result.get("task") or {}, result.get("dataset") or {}
    metrics = [
        [m.get("type"), m.get("name")] for m in result.get("metrics") or [] if isinstance(m, dict)
    ]
    place = [data.get(key) for key in ("type", "name", "config", "split", "revision")]
    text = json.dumps([task.get("type"), place, metrics], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
