"""Numbers of a text as quantities: one value, whatever its unit is written as.

``0,5 mg`` is ``500 µg``, ``1 000`` is ``1000``, "vingt" is 20 (text2num), "un comprimé par jour" is
``1cp/j``. A quantity knows the words around it: the same value of another thing is another fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from doctobert_hf.corpus.clinical_abbreviations import EXPANSIONS
from doctobert_hf.finemed.rephrase.shared import shared_units, sides_of
from doctobert_hf.finemed.rephrase.spelled import IMPLIED, as_digits
from doctobert_hf.finemed.words import WORD, fold

_FACTORS: dict[str, tuple[str, float]] = {
    **{"kg": ("g", 1e3), "g": ("g", 1.0), "mg": ("g", 1e-3), "µg": ("g", 1e-6), "ug": ("g", 1e-6)},
    **{"mcg": ("g", 1e-6), "gamma": ("g", 1e-6), "ng": ("g", 1e-9), "pg": ("g", 1e-12)},
    **{"cg": ("g", 1e-2), "l": ("l", 1.0), "dl": ("l", 1e-1), "cl": ("l", 1e-2), "ml": ("l", 1e-3)},
    **{"cc": ("l", 1e-3), "µl": ("l", 1e-6), "km": ("m", 1e3), "m": ("m", 1.0), "cm": ("m", 1e-2)},
    **{"mm": ("m", 1e-3), "µm": ("m", 1e-6), "mol": ("mol", 1.0), "mmol": ("mol", 1e-3)},
    **{"µmol": ("mol", 1e-6), "nmol": ("mol", 1e-9), "pmol": ("mol", 1e-12), "ui": ("ui", 1.0)},
    **{
        "u": ("ui", 1.0),
        "unite": ("ui", 1.0),
        "unites": ("ui", 1.0),
        "mui": ("ui", 1e-3),
        "megaui": ("ui", 1e6),
    },
    **{
        "%": ("%", 1.0),
        "‰": ("%", 0.1),
        "°c": ("°c", 1.0),
        "°": ("°c", 1.0),
        "mmhg": ("mmhg", 1.0),
    },
    **{
        "cmhg": ("mmhg", 10.0),
        "bpm": ("bpm", 1.0),
        "gy": ("gy", 1.0),
        "ma": ("ma", 1.0),
        "µa": ("ma", 1e-3),
    },
    **{
        "ms": ("h", 1 / 3.6e6),
        "w": ("w", 1.0),
        "dixieme": ("dixieme", 1.0),
        "cmho": ("cmho", 1.0),
        "watt": ("w", 1.0),
        "kcal": ("kcal", 1.0),
        "fl": ("fl", 1.0),
        "femtolitre": ("fl", 1.0),
    },
    **{"hz": ("hz", 1.0), "meq": ("mol", 1e-3), "mosm": ("mosm", 1.0)},
    **{"sa": ("h", 168.0), "microgramme": ("g", 1e-6), "milligramme": ("g", 1e-3)},
    **{
        "gramme": ("g", 1.0),
        "kilo": ("g", 1e3),
        "kilogramme": ("g", 1e3),
        "micromol": ("mol", 1e-6),
    },
    **{"elements": ("cell", 1.0), "giga": ("cell", 1e9), "tera": ("cell", 1e12)},
    **{"litre": ("l", 1.0), "millilitre": ("l", 1e-3), "micromole": ("mol", 1e-6)},
    **{"millimole": ("mol", 1e-3), "prise": ("fois", 1.0), "millimetre": ("m", 1e-3)},
    **{"centimetre": ("m", 1e-2), "metre": ("m", 1.0), "decilitre": ("l", 1e-1)},
    **{"centilitre": ("l", 1e-2), "microlitre": ("l", 1e-6), "nanogramme": ("g", 1e-9)},
    **{"picogramme": ("g", 1e-12), "centigramme": ("g", 1e-2), "mole": ("mol", 1.0)},
    **{"nanomole": ("mol", 1e-9), "picomole": ("mol", 1e-12), "micrometre": ("m", 1e-6)},
    **{"micron": ("m", 1e-6), "kilometre": ("m", 1e3), "milliampere": ("ma", 1.0)},
    **{"microampere": ("ma", 1e-3), "hertz": ("hz", 1.0), "gray": ("gy", 1.0)},
    **{"kilocalorie": ("kcal", 1.0), "milliequivalent": ("mol", 1e-3)},
    **{
        "sec": ("h", 1 / 3600),
        "seconde": ("h", 1 / 3600),
        "dioptrie": ("dioptrie", 1.0),
        "cgy": ("gy", 1e-2),
    },
    **{"min": ("h", 1 / 60), "mn": ("h", 1 / 60), "minute": ("h", 1 / 60), "h": ("h", 1.0)},
    **{
        "heure": ("h", 1.0),
        "j": ("h", 24.0),
        "jr": ("h", 24.0),
        "jour": ("h", 24.0),
        "sem": ("h", 168.0),
    },
    **{
        "semaine": ("h", 168.0),
        "mois": ("mois", 1.0),
        "an": ("mois", 12.0),
        "annee": ("mois", 12.0),
    },
    **{"cp": ("cp", 1.0), "comprime": ("cp", 1.0), "cpr": ("cp", 1.0), "gelule": ("gel", 1.0)},
    **{
        "gel": ("gel", 1.0),
        "sachet": ("sachet", 1.0),
        "ampoule": ("amp", 1.0),
        "amp": ("amp", 1.0),
    },
    **{
        "fois": ("fois", 1.0),
        "tiers": ("tiers", 1.0),
        "quart": ("%", 25.0),
        "x": ("fois", 1.0),
        "goutte": ("goutte", 1.0),
        "bouffee": ("bouf", 1.0),
    },
}
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<value>\d+(?:[ \u00a0\u202f]\d{3}(?!\d))*(?:[.,]\d+)?)(?P<implied>\u2063?)"
    r"(?P<unit>[ \u00a0\u202f]*(?:[a-zA-Zµμéè]+|[%‰°][cC]?)(?:[ ]?/[ ]?(?:[a-zA-Zµμéè]+))*)?"
)
_EVERY = re.compile(r"tou(?:te)?s\s+les\s*\Z", re.I)
_LESS = re.compile(
    r"(?:[<≤⩽]|inf[ée]rieure?s?(?:\s+ou\s+[ée]gale?s?)?\s+(?:à|a|au|aux)|moins\s+d[e'’]|en\s+dessous\s+d[e'’]|"
    r"au-dessous\s+d[e'’]|sous\s+le\s+seuil\s+d[e'’]|(?<!\w)(?:ne|sans)\s+(?:pas\s+)?d[ée]pass\w+(?:\s+pas)?|"
    r"jusqu['’][àa]|maxim\w+(?:\s+d[e'’])?|au\s+plus|n['’]exc[èe]d\w+\s+pas)\s*:?\s*(?:de\s|d['’])?\s*\Z",
    re.I,
)
_MORE = re.compile(
    r"(?:[>≥⩾]|sup[ée]rieure?s?(?:\s+ou\s+[ée]gale?s?)?\s+(?:à|a|au|aux)|plus\s+d[e'’]|au-dessus\s+d[e'’]|"
    r"au\s+moins|minim\w+(?:\s+d[e'’])?|d[ée]pass\w+|exc[èe]d\w+)\s*:?\s*(?:de\s|d['’])?\s*\Z",
    re.I,
)
_UP_TO = re.compile(
    r"(?:descend|mont|baiss|chut|remont|[ée]lev|augment|pass|irradi)\w*\s+jusqu['’][àa]\s*\Z", re.I
)
_FOUND = re.compile(
    r"(?:saturation|spo2|sao2|pression|temp[ée]rature)\s+minim\w+\s*(?:[:àa]|de)?\s*\Z", re.I
)
"""What was measured is no limit."""
_MOST = re.compile(r"\s{0,3}(?:au\s+(?:plus|maxim\w+)|maxim\w+|max\b|ou\s+moins)", re.I)
_LEAST = re.compile(r"\s*(?:au\s+(?:moins|minim\w+)|minim\w+|ou\s+plus)", re.I)
_DAY = 24.0
_MONTH = 30 * _DAY
_FORTNIGHTS = ({15, 14}, {8, 7})


@dataclass(frozen=True)
class Quantity:
    """A number of a text.

    Attributes:
        value: In the base unit.
        unit: Dimension, such as ``g/h``; empty for a bare number.
        bare: The number as it stands.
        surface: Number and unit as they stand.
        around: Stems of the words that it belongs to.
        implied: Whether the text hardly tells it: "un jour", "chaque matin".
        sign: -1 behind "moins de", "<" or "au maximum", 1 behind "plus de", else 0.
        start: Where it stands.
        daily: What a dose and its frequency make together.
        also: Values and units that it may have from its neighbours: the 11 of "11/7 cm" is 11 cm.
        side: 1 where it is told of the right, 2 of the left, 0 of none.
    """

    value: float
    unit: str
    bare: float
    surface: str
    around: frozenset[str] = frozenset()
    implied: bool = False
    sign: int = 0
    start: int = field(default=0, compare=False)
    daily: tuple[Rate, ...] = ()
    also: tuple[tuple[float, str], ...] = ()
    side: int = 0

    def equals(self, other: Quantity) -> bool:
        """Return whether both say the same, unit included."""
        if self.also or other.also:
            one, two = ([(q.value, q.unit), *q.also] for q in (self, other))
            if any(a[1] == b[1] and _close(a[0], b[0]) for a in one for b in two):
                return True
        if self.unit != other.unit:  # "par jour, en deux fois"
            if {self.unit, other.unit} == {"h", "mois"}:  # "à 30 jours", "à un mois"
                days, months = (self, other) if self.unit == "h" else (other, self)
                return _close(days.value, months.value * _MONTH)
            times = any({self.unit, other.unit} == {form, f"{form}/h"} for form in _TAKEN)
            return times and _close(self.bare, other.bare)
        return _close(self.value, other.value) or (self.unit == "h" and _fortnight(self, other))

    def may_equal(self, other: Quantity) -> bool:
        """Return whether both have the same number, and one of them no unit to tell."""
        if self.unit and other.unit:
            return False
        if "cell/l" in (self.unit, other.unit):  # "plaquettes 98 000", of a µl
            counts = [q.value if q.unit else q.bare * 1e6 for q in (self, other)]
            return _close(*counts) or _close(self.bare, other.bare)
        return _close(self.bare, other.bare)

    def numbers(self) -> set[float]:
        """Return numbers of which two quantities that are or may be equal share one.

        A fortnight is 14 days and 15; "plaquettes 98 000" are those of a µl.
        """
        said = {day * _DAY for pair in _FORTNIGHTS for day in pair if self.value / _DAY in pair}
        said |= {self.value * _MONTH} if self.unit == "mois" else set()
        return {self.value, self.bare, self.bare * 1e6, *said, *(value for value, _ in self.also)}

    def same_rate(self, other: Quantity) -> bool:
        """Return whether both, with their frequencies, make the same: 2 × 500 mg and 1 g a day."""
        return any(
            one.unit == two.unit and _close(one.value, two.value) and (one.once or two.once)
            for one in self.daily
            for two in other.daily
        )


def _fortnight(one: Quantity, other: Quantity) -> bool:
    """Return whether "quinze jours" is said for two weeks, "huit jours" for one."""
    days = {one.value / _DAY, other.value / _DAY}
    return days in _FORTNIGHTS and "sem" in one.surface + other.surface


@dataclass(frozen=True)
class Rate:
    """A dose over time: value, unit, and whether it is told as one or taken once a day."""

    value: float
    unit: str
    once: bool


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1e-12)


def quantities_of(text: str) -> list[Quantity]:
    """Return the quantities of a text, in order; numbers of figures and tables are left out."""
    text = as_digits(text)
    found, ends = [], []
    for match in _NUMBER.finditer(text):
        bare = float(re.sub(r"[ \u00a0\u202f]", "", match["value"]).replace(",", "."))
        unit, factor, length = _unit(match["unit"] or "")
        end = match.end("implied") + length
        value, before = bare * factor, text[max(0, match.start() - 60) : match.start()]
        surface = text[match.start() : end].replace(IMPLIED, "").strip()
        if unit in ("h", "mois") and value and _EVERY.search(before):
            value, unit, surface = 1 / value, f"fois/{unit}", f"toutes les {surface}"
        ends.append(end)
        implied = bool(match["implied"]) and value == bare * factor
        sign = _sign(before, text[end : end + 30])
        found.append(
            Quantity(value, unit, bare, surface, implied=implied, sign=sign, start=match.start())
        )
    found = _with_neighbours(text, _with_owners(text, found, ends), ends)
    return _with_rates(text, found, ends)


def _with_neighbours(text: str, found: list[Quantity], ends: list[int]) -> list[Quantity]:
    """Tell each quantity the unit and the side that it may have from what stands beside it."""
    spans = [(q.start, end) for q, end in zip(found, ends, strict=True)]
    own = [
        (q.value / q.bare if q.bare else 1.0, "" if q.unit.startswith("fois/") else q.unit)
        for q in found
    ]
    shared = shared_units(text, spans, own)
    together = _hours_and_minutes(text, found, ends)
    return [
        _but(
            q,
            side=side,
            also=(
                *together.get(q.start, ()),
                *((_scaled(q.bare, factor), unit) for factor, unit in also),
                *([(q.bare * _PER_CENT, "g/l")] if q.unit == "%" else []),
            ),
        )
        for q, also, side in zip(found, shared, sides_of(text, spans), strict=True)
    ]


def _hours_and_minutes(
    text: str, found: list[Quantity], ends: list[int]
) -> dict[int, tuple[tuple[float, str], ...]]:
    """Return, by place, what hours and the minutes behind them make: "1 h 35" is 95 minutes."""
    together: dict[int, tuple[tuple[float, str], ...]] = {}
    for (hours, end), minutes in zip(zip(found, ends, strict=True), found[1:], strict=False):
        near = text[end : minutes.start].strip(" \u00a0\u202f") in ("", "et")
        if near and hours.unit == minutes.unit == "h" and minutes.value < 1 <= hours.value < _DAY:
            told = ((hours.value + minutes.value, "h"),)
            together[hours.start] = together[minutes.start] = told
    return together


_PER_CENT = 10.0
"""Grams in a litre of a solution of one per cent: "bupivacaïne à 0,125 %" has 1,25 mg/ml."""


def _scaled(bare: float, factor: float) -> float:
    """A number in another unit; a negative factor is that of an interval, told as a frequency."""
    return bare * factor if factor > 0 else -1 / (bare * factor or -1.0)


_NOT = re.compile(r"(?<!\w)(?:pas|jamais|sans|non|ne)(?!\w)[^,;:.()]{0,40}\Z", re.I)
_MUST_NOT = re.compile(
    r"(?<!\w)(?:d[ée]pass\w+|exc[èe]d\w+|plus\s+d[e']|sup\S+\s+(?:à|aux?)|"
    r"(?:au[- ])?dessus\s+d[e'])",
    re.I,
)

_NOT_NEEDED = re.compile(r"[^,;:.()]{0,14}(?<!\w)n(?:e\s|['’])", re.I)


def _sign(before: str, after: str) -> int:
    """-1 for a limit above, 1 for one below; "ne pas dépasser" is a limit above."""
    if (_LESS.search(before) and not _UP_TO.search(before)) or _MOST.match(after):
        return -1
    more = _MORE.search(before) if not _FOUND.search(before) else None
    if more and _MUST_NOT.match(more[0]):
        denied = _NOT.search(before[: more.start()] + " ") or _NOT_NEEDED.match(after)
        if denied:
            return -1
    return int(bool(more or _LEAST.match(after)))


def _unit(text: str) -> tuple[str, float, int]:
    """Dimension and factor of what stands behind a number, and how much of it is a unit."""
    name, factor, length = "", 1.0, 0
    at = 0
    for number, part in enumerate(re.split(r"(/)", text)):
        at += len(part)
        if part == "/":
            continue
        word = fold(part.strip()).rstrip(".")
        known = _FACTORS.get(word) or _FACTORS.get(word.rstrip("s"))
        if known is None:
            break
        dimension, scale = known
        if number == 0:
            name, factor = dimension, scale
        else:
            name, factor = f"{name}/{dimension}", factor / scale
        length = at
    if name == "cell":
        return "", 1.0, 0  # "3 éléments" of a list; of a litre they are a count
    first, *per = name.split("/")
    return "/".join([first, *sorted(per)]), factor, length  # "mg/jour/kg" is "mg/kg/jour"


# ---------------------------------------------------------------- what a quantity belongs to

_LEFT, _RIGHT = 60, 30
_STOP = frozenset(
    """avec dans pour plus moins entre apres avant depuis pendant environ soit etait etaient etre
    avait dont ainsi puis chez sous sans leur elle cette une des les est ete par jour jours mois
    ans comprime dose fois prise prises mesure mesuree montre retrouve prescrit recoit prend
    patient patiente traitement taux valeur""".split()
)
_IN_ALL = re.compile(r"\s*(?:au\s+total|en\s+tout)(?!\w)", re.I)
"""What a sum is told by, behind it: "5 ml au total : 4 ml de"."""
_OF = re.compile(
    r"\s*(?:de\s+(?:la\s+|l['’])?|du\s+|d['’])(?=[^\W\d])|\s*(?:à|du\s+c[ôo]t[ée])\s+(?=droit|gauche)|\s*à\s+l['’](?=oeil)",
    re.I,
)
_ASIDE = re.compile(r"\s*\([^()\n]{1,30}\)")
_JOINS = re.compile(r"[,+]|(?<!\w)(?:et|puis|ou)(?!\w)")
_BREAK = re.compile(r"[;!?\n]|\.(?:\s|\Z)")


def _with_owners(text: str, found: list[Quantity], ends: list[int]) -> list[Quantity]:
    """Tell each quantity the words that it belongs to.

    Those before it, up to the quantity before; "80 mg de cisplatine" has its word behind. Where
    nothing stands between two ("5 mg 2 fois par jour") the second belongs where the first does.
    """
    owned: list[Quantity] = []
    begin = 0
    for number, quantity in enumerate(found):
        last = ends[number - 1] if number else 0
        left = text[max(begin, last, quantity.start - _LEFT) : quantity.start]
        pieces = _BREAK.split(left)
        around = _content(pieces[-1])
        aside = _ASIDE.match(text, ends[number])
        from_here = aside.end() if aside else ends[number]
        behind = text[from_here : from_here + _RIGHT]
        following = next((q.start for q in found[number + 1 :] if q.start >= from_here), len(text))
        behind = re.split(r"[;:,!?\n)(+]|\.\s|\set\s|\d", behind[: following - from_here])[0]
        begin = from_here if aside and _OF.match(behind) else ends[number]
        if _OF.match(behind) or _IN_ALL.match(behind):
            around |= _content(behind)
            begin += len(behind)
        joined = _JOINS.search(left) and left.strip(" ,")  # "(40 mg/j, 5 jours)" is of one
        if not around and number and len(pieces) == 1 and not joined:
            around = owned[-1].around
        around = around or _content(behind)
        owned.append(_but(quantity, around=around))
    return owned


def _content(text: str) -> frozenset[str]:
    """Stems of the words that tell something, and of what an abbreviation stands for."""
    found: set[str] = set()
    for raw in WORD.findall(text):
        word = fold(raw)
        if not word.isalpha() or word in _STOP:
            continue
        capitals = sum(letter.isupper() for letter in raw)
        if len(word) > 3 or (len(word) > 1 and (raw.isupper() or capitals > 1)):  # "PaO"
            found.add(root_of(word))
            found |= {root_of(part) for part in EXPANSIONS.get(word, ())}
    return frozenset(found)


def root_of(word: str) -> str:
    """Return what quantities know a folded word by."""
    return re.sub(r"(?:es|e|s)\Z", "", word)[:6]


def _but(quantity: Quantity, **changed: object) -> Quantity:
    return Quantity(**{**vars(quantity), **changed})  # type: ignore[arg-type]


def _with_rates(text: str, found: list[Quantity], ends: list[int]) -> list[Quantity]:
    """Tell doses and frequencies what they make together."""
    rates: list[list[Rate]] = [[] for _ in found]
    for number, quantity in enumerate(found):
        if quantity.unit.endswith(("/h", "/mois")) and not quantity.unit.startswith("fois"):
            rates[number].append(Rate(quantity.value, quantity.unit, True))
        form, _, every = quantity.unit.partition("/")
        if form not in _TAKEN or not every:
            continue
        for other in _doses_near(found, ends, number):
            dose = found[other]
            rate = Rate(
                dose.value * quantity.value,
                f"{dose.unit}/{every}",
                quantity.bare == 1 or quantity.implied,
            )
            rates[number].append(rate)
            rates[other].append(rate)
    _share_rates(text, found, ends, rates)
    _lead_rates(text, found, ends, rates)
    return [_but(q, daily=tuple(own)) for q, own in zip(found, rates, strict=True)]


def _share_rates(
    text: str, found: list[Quantity], ends: list[int], rates: list[list[Rate]]
) -> None:
    """Tell each dose of a list the frequency of its last: "A 250 mg et B 1 g par jour"."""
    for number in range(len(found) - 2, -1, -1):
        dose, following = found[number], found[number + 1]
        between = text[ends[number] : following.start]
        if dose.unit not in DOSES or len(between) > _LEFT or _BREAK.search(between):
            continue
        for rate in rates[number + 1]:
            if not rate.once or rate.unit.split("/")[0] != dose.unit:
                continue
            name = fold(following.surface.rsplit("/", 1)[-1].strip())
            known = _FACTORS.get(name) or _FACTORS.get(name.rstrip("s"))
            per = 1 / known[1] if "/" in following.unit and known else rate.value / following.value
            rates[number].append(Rate(dose.value * per, rate.unit, True))
            break


def _lead_rates(text: str, found: list[Quantity], ends: list[int], rates: list[list[Rate]]) -> None:
    """Tell each dose of a list the frequency before it: "chaque semaine 15 mg de A et 1 g de B"."""
    every = None  # of the list that a dose stands in
    for number, dose in enumerate(found):
        last = found[number - 1] if number else None
        if last is None or _BREAK.search(text[ends[number - 1] : dose.start]):
            every = None
        if dose.unit.startswith("fois/") and (dose.bare == 1 or dose.implied):
            every = dose
        elif every is not None and dose.unit in DOSES and not rates[number]:
            per = every.unit.split("/")[1]
            if dose.start - every.start <= 3 * _LEFT:
                rates[number].append(Rate(dose.value * every.value, f"{dose.unit}/{per}", True))


_TAKEN = ("fois", "cp", "gel", "sachet", "amp")
"""What a dose is taken as: "75 mg 1 cp/j" is 75 mg a day."""
DOSES = ("g", "l", "ui", "mol")
_NO_DOSE = ("", "fois", "h", "mois", "%", "°c", "mmhg", "m")


def _doses_near(found: list[Quantity], ends: list[int], number: int) -> Iterable[int]:
    """The nearest dose before a frequency, and the nearest one behind it."""

    def fits(other: int) -> bool:
        unit = found[other].unit
        return unit not in _NO_DOSE and unit.split("/")[0] not in _TAKEN and not unit.endswith("/h")

    def nearest(places: Iterable[int]) -> Iterator[int]:
        for other in places:
            if fits(other):
                gap = found[number].start - ends[other], found[other].start - ends[number]
                if max(gap) <= _LEFT:
                    yield other
                return

    yield from nearest(range(number - 1, -1, -1))
    yield from nearest(range(number + 1, len(found)))
