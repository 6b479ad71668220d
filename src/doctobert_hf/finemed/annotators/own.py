"""Annotators of one's own, ``FILE.py:Class``: what they return is checked and put into order."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

from doctobert_hf.errors import UsageError, nearest
from doctobert_hf.extension import find_class
from doctobert_hf.finemed.annotators.lexicon import Term
from doctobert_hf.finemed.taxonomy import ENTITY_TYPES


class OwnClassifier:
    """A class with ``labels`` and ``judge(texts)``; a judge of quality has no labels.

    ``judge`` returns for each text a share for each label, in their order, or a number for quality.
    One with a parameter ``urls`` gets the documents' addresses too.

    Args:
        name: ``FILE.py:Class`` or ``package.module:Class``.
        labels: The stage's own labels, which those of the class are brought into the order of;
            ``None`` where any will do; empty for a number.

    Raises:
        UsageError: The class cannot be made, has no ``judge``, or labels that the stage does not
            know.
    """

    def __init__(self, name: str, labels: Sequence[str] | None) -> None:
        self.name = name
        self._judge, made = _method(name, "judge")
        self._with_urls = "urls" in inspect.signature(self._judge).parameters
        given = getattr(made, "labels", None)
        if labels is None or (labels and given is not None):
            given = [given] if isinstance(given, str) else list(given or ())
            if not given or not all(isinstance(label, str) for label in given):
                raise UsageError(f"'{name}' has no labels", "labels: a sequence of names")
            if len(set(given)) < len(given):
                raise UsageError(f"'{name}' has a label twice", "each label once")
            self._own = given
        else:
            self._own = list(labels)
        self.labels = list(labels) if labels else self._own
        for label in self._own:
            if label not in self.labels:
                raise UsageError(
                    f"'{name}' has the label '{label}'",
                    f"of {', '.join(self.labels)}",
                    nearest(label, self.labels),
                )

    def judge(
        self, texts: Sequence[str], urls: Sequence[str | None] | None = None
    ) -> list[list[float]] | list[float]:
        """Judge whole texts.

        Args:
            texts: Documents.
            urls: Their addresses, where they are to be told.

        Returns:
            By text a list of shares in the order of ``labels``, or a number.

        Raises:
            UsageError: The class returns something else.
        """
        found = list(self._judge(texts, urls=urls) if self._with_urls else self._judge(texts))
        if len(found) != len(texts):
            raise self._wrong(f"{len(found)} results for {len(texts)} texts", "one for each")
        if not self._own:
            return [self._number(value) for value in found]
        return [self._in_order(values) for values in found]

    def _in_order(self, values: Any) -> list[float]:
        wanted = f"{len(self._own)} shares, one for each of its labels"
        if isinstance(values, str) or not hasattr(values, "__len__"):
            raise self._wrong(f"a {type(values).__name__} for a text", wanted)
        if len(values) != len(self._own):
            raise self._wrong(f"{len(values)} values for a text", wanted)
        shares = dict(zip(self._own, map(self._number, values), strict=True))
        return [shares.get(label, 0.0) for label in self.labels]

    def _number(self, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise self._wrong(f"{value!r:.60} as a value", "a number") from None
        if not math.isfinite(number):
            raise self._wrong(f"the value {number}", "a finite number")
        return number

    def _wrong(self, got: str, expected: str) -> UsageError:
        return UsageError(f"'{self.name}' returns {got}", expected)


class OwnExtractor:
    """A class with ``find(texts)``: for each text its terms as ``(start, end, kind)``.

    Args:
        name: ``FILE.py:Class`` or ``package.module:Class``.

    Raises:
        UsageError: The class cannot be made, or has no ``find``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._find, _ = _method(name, "find")

    def find(self, texts: Sequence[str]) -> list[list[Term]]:
        """Return the terms of each text.

        Raises:
            UsageError: The class returns something else, or places outside a text.
        """
        found = list(self._find(texts))
        if len(found) != len(texts):
            got = f"'{self.name}' returns {len(found)} results for {len(texts)} texts"
            raise UsageError(got, "one for each")
        return [
            [self._term(term, text) for term in terms]
            for terms, text in zip(found, texts, strict=True)
        ]

    def _term(self, term: Any, text: str) -> Term:
        known = f"(start, end, kind), with a kind of {', '.join(ENTITY_TYPES)}"
        try:
            start, end, kind = term
            fits = 0 <= start < end <= len(text) and kind in ENTITY_TYPES
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise UsageError(f"'{self.name}' returns {term!r:.60} as a term", known)
        return Term(int(start), int(end), kind)


def _method(name: str, wanted: str) -> tuple[Any, Any]:
    made = find_class(name)()
    found = getattr(made, wanted, None)
    if not callable(found):
        raise UsageError(f"'{name}' has no method '{wanted}'", f"a class with {wanted}(texts)")
    return found, made
