"""A text's quantities, so kept that those which may say the same as another are found at once.

A report of a laboratory has hundreds in a chunk: each compared with each takes seconds a rewrite.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.quantities import Quantity

_WIDE = 2e-6
"""Twice what two equal numbers may differ by: what is found is compared then."""


class KnownQuantities:
    """Quantities of a text, in order.

    Args:
        quantities: As :func:`~doctobert_hf.finemed.rephrase.quantities.quantities_of` gives them.

    Example:
        >>> from doctobert_hf.finemed.rephrase.quantities import quantities_of
        >>> known = KnownQuantities(quantities_of("Amoxicilline 1 g, puis 5 mg de prednisone."))
        >>> known.has(quantities_of("1 000 mg")[0]), known.has(quantities_of("2 g")[0])
        (True, False)
    """

    def __init__(self, quantities: list[Quantity]) -> None:
        self.all = quantities
        self._by_number = sorted(
            (number, place)
            for place, quantity in enumerate(quantities)
            for number in quantity.numbers()
        )
        self._daily = [quantity for quantity in quantities if quantity.daily]

    def near(self, quantity: Quantity) -> Iterator[Quantity]:
        """Yield all that may equal a quantity, each once, and some more."""
        seen: set[int] = set()
        for number in quantity.numbers():
            wide = _WIDE * abs(number) + 1e-15
            at = bisect_left(self._by_number, (number - wide, 0))
            while at < len(self._by_number) and self._by_number[at][0] <= number + wide:
                place = self._by_number[at][1]
                if place not in seen:
                    seen.add(place)
                    yield self.all[place]
                at += 1

    def equal(self, quantity: Quantity) -> Iterator[Quantity]:
        """Yield those that say the same, unit included."""
        return (other for other in self.near(quantity) if quantity.equals(other))

    def may_have(self, quantity: Quantity) -> bool:
        """Return whether one has the same number, and one of the two no unit to tell."""
        return any(quantity.may_equal(other) for other in self.near(quantity))

    def has(self, quantity: Quantity) -> bool:
        """Return whether a quantity is told: by itself, or by a dose and its frequency."""
        if quantity.implied or any(self.equal(quantity)):
            return True
        return bool(quantity.daily) and any(quantity.same_rate(other) for other in self._daily)
