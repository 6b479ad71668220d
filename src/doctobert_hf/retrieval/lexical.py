"""French words as a search compares them: folded, without elisions, stemmed.

``l'hépatite C`` and ``HEPATITE c`` give the same words. Letters and digits that stand alone are
kept: they tell hepatitis B from hepatitis C, and vitamin B1 from vitamin B12.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_ELISION = re.compile(
    r"(?<![^\W_])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)[ \u00a0]?['’ʼ´]"
    r"(?P<apart>[ \u00a0]?)(?=[^\W_])",
    re.I,
)
_QUOTED = re.compile(r"(?<![^\W_])['‘’ʼ´](?=[^\W_])[^'‘’ʼ´]*\Z")
"""A quotation that was begun: the mark behind "'hépatite C' chronique" ends it."""
_LONGEST_QUOTED = 80
_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+\x01?")
_NAMED = "\x01"  # stands for the hyphen of "IL-6"
_JOINED = re.compile(r"[-\u2010\u2011](?<=[^\W\d_].)(?=\d)")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "µ": "u", "μ": "u"})
_IGNORED = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # soft hyphens, invisible joints


def _parted(match: re.Match[str]) -> str:
    """Return what an elision is read as: a blank; a letter before a closing mark stays."""
    before = match.string[max(0, match.start() - _LONGEST_QUOTED) : match.start()]
    return match[0] if match["apart"] and _QUOTED.search(before) else " "


_SHORT = frozenset("ait sa ta pas".split())
"""Clinical abbreviations that are spelt as stop words are."""


class FrenchAnalyzer:
    """Turns texts into lists of comparable words.

    Accents, ligatures and Unicode forms are folded *before* Snowball's French stemmer, so that what
    is typed without accents meets what is written with them. Stop words are those of ``bm25s``,
    told by their accents (``à`` is one, the ``A`` of *hépatite A* is not) and, but for those, over
    one letter long. One that a hyphen joins to a digit is a name's (``IL-6``) and stays, as does a
    clinical abbreviation in capitals (``AIT``, ``SA``).

    Args:
        abbreviations: Whether what a clinical abbreviation stands for, word by word, gives the
            abbreviation too, so that each finds the other; ambiguous ones are left alone.

    Example:
        >>> FrenchAnalyzer()(["L'hépatite C et l’œdème artériel"])
        [['hepatit', 'c', 'oedem', 'arteriel']]
        >>> FrenchAnalyzer(abbreviations=True)(["HTA", "hypertension artérielle"])
        [['hta'], ['hypertens', 'arteriel', 'hta']]
    """

    def __init__(self, abbreviations: bool = False) -> None:
        import Stemmer
        from bm25s.stopwords import STOPWORDS_FRENCH

        from doctobert_hf.corpus.clinical_abbreviations import EXPANSIONS

        self._stem = Stemmer.Stemmer("french").stemWord
        self._stop = {word for word in STOPWORDS_FRENCH if len(word) > 1 or not word.isascii()}
        self._short = self._stop & (frozenset(EXPANSIONS) | _SHORT)
        self._known: dict[str, tuple[str, str] | None] = {}
        self._shorts: frozenset[str] = frozenset()
        self._said: dict[tuple[str, ...], list[str]] = {}
        if abbreviations:
            self._take_in_abbreviations()

    def _take_in_abbreviations(self) -> None:
        from doctobert_hf.corpus.clinical_abbreviations import wordings

        said: dict[tuple[str, ...], list[str]] = {}
        for short, texts in wordings().items():
            for text in texts:
                words = tuple(self.words(text))
                # One word by itself is not stemmed: "traiter" is no "traitement".
                one = text.removesuffix("s")
                for key in [words] if len(words) > 1 else [(one,), (f"{one}s",)]:
                    said.setdefault(key, []).append(short)
        self._known.clear()
        self._shorts = frozenset(wordings())
        self._said, self._longest = said, max(map(len, said))

    def __call__(self, texts: Iterable[str]) -> list[list[str]]:
        """Return each text's words, in order."""
        return [list(self.words(text)) for text in texts]

    def words(self, text: str) -> Iterator[str]:
        """Yield the words of one text."""
        for _, word in self.pairs(text):
            yield word

    def pairs(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield each word as it is written, and as it is compared; then abbreviations of them."""
        if not self._said:
            yield from self._single(text)
            return
        found = list(self._single(text))
        yield from found
        yield from self._abbreviated(found)

    def _abbreviated(self, found: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield the abbreviations of what stands there in full, the longest wording of each."""
        words = [word for _, word in found]
        first = 0
        while first < len(words):
            for last in range(min(first + self._longest, len(words)), first, -1):
                alone = last == first + 1
                key = (fold(found[first][0]),) if alone else tuple(words[first:last])
                if shorts := self._said.get(key):
                    written = " ".join(each for each, _ in found[first:last])
                    yield from ((written, short) for short in shorts)
                    first = last - 1
                    break
            first += 1

    def _single(self, text: str) -> Iterator[tuple[str, str]]:
        known = self._known
        for found in _WORD.findall(_JOINED.sub(_NAMED, _ELISION.sub(_parted, _composed(text)))):
            # "AIT", "32 SA" are no "ait" and "sa"; "LE" of a heading in capitals is "le"
            if found.isupper() and found.lower() in self._short:
                found += _NAMED
            if found not in known:
                if len(known) > 1_000_000:  # numbers without end: memory stays bounded
                    known.clear()
                written = found.rstrip(_NAMED)
                word = self._word(written, found != written)
                known[found] = None if word is None else (written, word)
            pair = known[found]
            if pair is not None:
                yield pair

    def _word(self, written: str, named: bool) -> str | None:
        lower = written.lower()
        if lower in self._stop and not named:
            return None
        if self._shorts and (plain := fold(lower)) in self._shorts:
            return plain  # stemmed, "ETT" would be "et", and "REA" "re"
        if written[0].isdigit() and len(written) > 1 and not written.isalnum():
            return written.replace(",", ".")
        return self._stem(fold(lower)) or None


def fold(text: str) -> str:
    """Return a text in lower case without accents and ligatures.

    Example:
        >>> fold("Œdème")
        'oedeme'
    """
    # Decomposed before it is put into lower case: "℠" is only then two letters that have one.
    plain = unicodedata.normalize("NFKD", text).lower().translate(_LIGATURES)
    parts = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in parts if not unicodedata.combining(c)).translate(_LIGATURES)


def _composed(text: str) -> str:
    return text if text.isascii() else _IGNORED.sub("", unicodedata.normalize("NFC", text))
