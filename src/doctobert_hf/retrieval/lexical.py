"""French words as a search compares them: folded, without elisions, stemmed.

``l'hépatite C`` and ``HEPATITE c`` give the same words. Letters and digits that stand alone are
kept: they tell hepatitis B from hepatitis C, and vitamin B1 from vitamin B12.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_ELISION = re.compile(
    r"(?<![^\W_])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)[ \u00a0]?['’ʼ´][ \u00a0]?", re.I
)
_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "µ": "u", "μ": "u"})
_IGNORED = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # soft hyphens, invisible joints


class FrenchAnalyzer:
    """Turns texts into lists of comparable words.

    Accents, ligatures and Unicode forms are folded *before* Snowball's French stemmer, so that what
    is typed without accents meets what is written with them. Stop words are those of ``bm25s``,
    told by their accents (``à`` is one, the ``A`` of *hépatite A* is not) and, but for those, over
    one letter long.

    Example:
        >>> FrenchAnalyzer()(["L'hépatite C et l’œdème artériel"])
        [['hepatit', 'c', 'oedem', 'arteriel']]
    """

    def __init__(self) -> None:
        import Stemmer
        from bm25s.stopwords import STOPWORDS_FRENCH

        self._stem = Stemmer.Stemmer("french").stemWord
        self._stop = {word for word in STOPWORDS_FRENCH if len(word) > 1 or not word.isascii()}
        self._known: dict[str, str | None] = {}

    def __call__(self, texts: Iterable[str]) -> list[list[str]]:
        """Return each text's words, in order."""
        return [list(self.words(text)) for text in texts]

    def words(self, text: str) -> Iterator[str]:
        """Yield the words of one text."""
        for _, word in self.pairs(text):
            yield word

    def pairs(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield each word as it is written, and as it is compared."""
        known = self._known
        for written in _WORD.findall(_ELISION.sub(" ", _composed(text))):
            if written not in known:
                if len(known) > 1_000_000:  # numbers without end: memory stays bounded
                    known.clear()
                known[written] = self._word(written)
            word = known[written]
            if word is not None:
                yield written, word

    def _word(self, written: str) -> str | None:
        lower = written.lower()
        if lower in self._stop:
            return None
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
