"""Medical terms by lexicon: whole words, longest term first, over the whole text.

A trie over folded words (lower case, no accents). Each distinct word of a corpus is folded and
looked up once, so a word that begins no term costs one dictionary look-up.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from doctobert_hf.errors import DataError, UsageError, nearest
from doctobert_hf.finemed.taxonomy import ENTITY_TYPES
from doctobert_hf.finemed.words import WORD, fold
from doctobert_hf.runs.record import describe_input

_JOINTS = {" ", "-", "'", "’", "\u00a0", "\u202f", " -", "- ", "\n", "/"}
"""What may stand between the words of a term."""
_FIRST = re.compile(r"\w{3,}")
"""A term's first word has three letters: half of a French text's words have fewer."""
_END = ""
_LONGEST = 6
"""Longer labels of a classification are definitions, which no text repeats word for word."""


class Term(NamedTuple):
    """A term found: ``text[start:end]``, of one of the eight types."""

    start: int
    end: int
    kind: str


class _Roots(dict[str, Any]):
    """Trie node of each word that begins a term, else ``None``; folds each distinct word once."""

    def __init__(self, trie: dict[str, Any]) -> None:
        super().__init__()
        self._trie = trie

    def __missing__(self, word: str) -> Any:
        if len(self) > 2_000_000:
            self.clear()  # memory stays flat however many words a corpus has
        node = self[word] = self._trie.get(fold(word))
        return node


class LexiconMatcher:
    """Finds the terms of lexicons.

    Args:
        entries: Terms with their types.

    Raises:
        DataError: No usable term, or an unknown type.
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._trie: dict[str, Any] = {}
        self.size = 0
        for term, kind in entries:
            if kind not in ENTITY_TYPES:
                raise DataError(
                    f"The term '{term}' is of type '{kind}'", fix=nearest(kind, list(ENTITY_TYPES))
                )
            words = [fold(word) for word in WORD.findall(term)]
            if not words or len(words) > _LONGEST or len(words[0]) < 3 or words[0].isdigit():
                continue
            node = self._trie
            for word in words:
                node = node.setdefault(word, {})
            self.size += _END not in node
            node.setdefault(_END, kind)
        if not self.size:
            raise DataError("The lexicons hold no usable term")
        self._roots = _Roots(self._trie)

    def find(self, text: str) -> list[Term]:
        """Terms in order, without overlaps."""
        roots, found, reach = self._roots, [], 0
        for match in _FIRST.finditer(text):
            node = roots[match.group()]
            if node is not None and match.start() >= reach:
                term = self._longest(text, node, match)
                if term is not None:
                    found.append(term)
                    reach = term.end
        return found

    def _longest(self, text: str, node: dict[str, Any], first: re.Match[str]) -> Term | None:
        best, end = None, first.end()
        while True:
            if _END in node:
                best = Term(first.start(), end, node[_END])
            following = WORD.search(text, end, end + 64) if len(node) > (_END in node) else None
            if following is None or text[end : following.start()] not in _JOINTS:
                return best
            # The window may have cut the word short.
            word = WORD.match(text, following.start())
            assert word is not None
            node = node.get(fold(word.group()))  # type: ignore[assignment]
            if node is None:
                return best
            end = word.end()


_PACKAGED = ("base", "cim10", "drugs")


def load_lexicons(names: Iterable[str]) -> LexiconMatcher:
    """Read lexicons: ``base``, ``cim10``, ``drugs``, or files.

    A file is one term a line, or term and type separated by a tab (type ``disease`` where there is
    none); ``bdpm.zip`` is the French public drug database as published.

    Raises:
        UsageError: An unknown name, or edsnlp is not installed.
    """
    entries: list[tuple[str, str]] = []
    for name in names:
        entries += _read(name)
    blocked = set(_lines("ordinary.txt"))
    return LexiconMatcher((term, kind) for term, kind in entries if fold(term) not in blocked)


def described_lexicons(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return what a run's record says of term files; those of the packages are not among them.

    Example:
        >>> described_lexicons(["base"])
        []
    """
    return [
        describe_input(name) for name in names if name not in _PACKAGED and Path(name).is_file()
    ]


def _read(name: str) -> list[tuple[str, str]]:
    if name == "base":
        return [_pair(line) for line in _lines("base.tsv")]
    if name == "cim10":
        return list(_cim10())
    if name == "drugs":
        drugs = json.loads(_edsnlp("drugs.json"))
        return [(term, "drug") for terms in drugs.values() for term in terms]
    path = Path(name)
    if not path.is_file():
        raise UsageError(
            f"No lexicon '{name}'", "base, cim10, drugs or a file", nearest(name, ["base", "cim10"])
        )
    if path.suffix == ".zip":
        return list(_bdpm(path))
    return [_pair(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _pair(line: str) -> tuple[str, str]:
    term, _, kind = line.partition("\t")
    return term.strip(), kind.strip() or "disease"


def _lines(name: str) -> list[str]:
    text = (resources.files("doctobert_hf.finemed") / "lexicons" / name).read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _edsnlp(name: str) -> bytes:
    """A resource of edsnlp's, read from its folder: importing the package would load spaCy."""
    import importlib.util

    spec = importlib.util.find_spec("edsnlp")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            "The lexicons cim10 and drugs without edsnlp",
            fix="Install it (pip install edsnlp), or pass --lexicons base",
        )
    return (Path(spec.submodule_search_locations[0]) / "resources" / name).read_bytes()


def _cim10() -> Iterator[tuple[str, str]]:
    """Diseases, symptoms and injuries (chapters A to T) by their long labels, cut to their head."""
    rows = csv.DictReader(io.StringIO(gzip.decompress(_edsnlp("cim10.csv.gz")).decode("utf-8")))
    for row in rows:
        label = row["long"] or ""
        if row["code"][:1] > "T" or label.startswith(("Autre", "autre")):
            continue
        yield re.split(r"[,(\[:;]", label)[0].strip(), "disease"


def _bdpm(path: Path) -> Iterator[tuple[str, str]]:
    """Names and substances of the French public drug database (Windows-1252, tab-separated)."""
    with zipfile.ZipFile(path) as archive:
        for name, column in (("CIS_bdpm.txt", 1), ("CIS_COMPO_bdpm.txt", 3)):
            for line in archive.read(name).decode("windows-1252").splitlines():
                cell = line.split("\t")[column]
                # A name goes on with strength and form: "DOLIPRANE 1000 mg, comprimé".
                yield re.split(r"[,(\d]", cell)[0].strip(), "drug"


def lexicon_words() -> tuple[frozenset[str], frozenset[str]]:
    """Return single words, folded, that name medicines and diseases.

    Of the base lexicon and, where edsnlp is installed, of its list of medicines.
    """
    entries = _read("base")
    with contextlib.suppress(UsageError):
        entries += _read("drugs")
    blocked = {fold(line) for line in _lines("ordinary.txt")}
    found: dict[str, set[str]] = {"drug": set(), "disease": set()}
    for term, kind in entries:
        word = fold(term)
        if kind in found and len(word) > 4 and word.isalpha() and word not in blocked:
            found[kind].add(word)
    return frozenset(found["drug"]), frozenset(found["disease"])


def base_words() -> frozenset[str]:
    """Return the words of the package's own lexicon, folded."""
    return frozenset(fold(word) for term, _ in _read("base") for word in WORD.findall(term))
