"""Numbers of a text as quantities: one value, whatever its unit is written as.

``0,5 mg`` is ``500 µg``, ``1 000`` is ``1000``, "vingt" is 20 (text2num), "un comprimé par jour" is
``1cp/j``. A quantity knows the words around it: the same value of another thing is another fact.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.words import WORD, fold

_FACTORS: dict[str, tuple[str, float]] = {
    **{"kg": ("g", 1e3), "g": ("g", 1.0), "mg": ("g", 1e-3), "µg": ("g", 1e-6), "ug": ("g", 1e-6)},
    **{"mcg": ("g", 1e-6), "gamma": ("g", 1e-6), "ng": ("g", 1e-9), "pg": ("g", 1e-12)},
    **{"cg": ("g", 1e-2), "l": ("l", 1.0), "dl": ("l", 1e-1), "cl": ("l", 1e-2), "ml": ("l", 1e-3)},
    **{"cc": ("l", 1e-3), "µl": ("l", 1e-6), "km": ("m", 1e3), "m": ("m", 1.0), "cm": ("m", 1e-2)},
    **{"mm": ("m", 1e-3), "µm": ("m", 1e-6), "mol": ("mol", 1.0), "mmol": ("mol", 1e-3)},
    **{"µmol": ("mol", 1e-6), "nmol": ("mol", 1e-9), "pmol": ("mol", 1e-12), "ui": ("ui", 1.0)},
    **{"u": ("ui", 1.0), "unite": ("ui", 1.0), "unites": ("ui", 1.0), "mui": ("ui", 1e-3)},
    **{
        "%": ("%", 1.0),
        "‰": ("%", 0.1),
        "°c": ("°c", 1.0),
        "°": ("°c", 1.0),
        "mmhg": ("mmhg", 1.0),
    },
    **{"cmhg": ("mmhg", 10.0), "bpm": ("bpm", 1.0), "gy": ("gy", 1.0), "ma": ("ma", 1.0)},
    **{"kcal": ("kcal", 1.0), "hz": ("hz", 1.0), "meq": ("meq", 1.0), "mosm": ("mosm", 1.0)},
    **{"sec": ("h", 1 / 3600), "seconde": ("h", 1 / 3600)},
    **{"min": ("h", 1 / 60), "mn": ("h", 1 / 60), "minute": ("h", 1 / 60), "h": ("h", 1.0)},
    **{"heure": ("h", 1.0), "j": ("h", 24.0), "jour": ("h", 24.0), "sem": ("h", 168.0)},
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
        "x": ("fois", 1.0),
        "goutte": ("goutte", 1.0),
        "bouffee": ("bouf", 1.0),
    },
}
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<value>\d+(?:[ \u00a0\u202f]\d{3}(?!\d))*(?:[.,]\d+)?)"
    r"(?P<unit>[ \u00a0\u202f]*(?:[a-zA-Zµμéè]+|[%‰°][cC]?)(?:[ ]?/[ ]?(?:[a-zA-Zµμéè]+))*)?"
)
_ARTICLE = re.compile(
    r"(?<!\w)une?(?=\s+(?:comprim|g[ée]lule|sachet|ampoule|cp|injection|prise|goutte|bouff))", re.I
)
_PER = re.compile(
    r"\s+(?:par|tou(?:te)?s les)\s+(?=(?:jour|j|semaine|mois|heure|h|kg|kilo)\b)", re.I
)
_ATTACHED = re.compile(r"(?<!\w)((?:[SP][ap]|p)?C?O|mm|cm|m|H)[ ]?[23](?!\w)")
"""Digits that belong to a name or a unit: "O 2", "mm 3"."""
_TIMES = re.compile(r"(\d)[ ]?[x×*][ ]?(?=\d)")
_FIGURE = re.compile(r"(?<!\w)(?:fig(?:ure|\.)?|tableau|tab\.)\s*\d+", re.I)


@dataclass(frozen=True)
class Quantity:
    """A number of a text.

    Attributes:
        value: In the base unit.
        unit: Dimension, such as ``g/h``; empty for a bare number.
        bare: The number as it stands.
        surface: Number and unit as they stand.
        around: Stems of the words around it.
    """

    value: float
    unit: str
    bare: float
    surface: str
    around: frozenset[str]

    def equals(self, other: Quantity) -> bool:
        """Return whether both say the same, unit included."""
        return self.unit == other.unit and _close(self.value, other.value)

    def may_equal(self, other: Quantity) -> bool:
        """Return whether both have the same number, and one of them no unit to tell."""
        return not (self.unit and other.unit) and _close(self.bare, other.bare)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1e-12)


def digits_for_words(text: str) -> str:
    """Write number words as digits: "vingt minutes", "sixième jour".

    Raises:
        UsageError: The extra ``finemed`` is missing.
    """
    try:
        from text_to_num import alpha2digit
    except ImportError as error:
        raise UsageError(
            "Numbers in words need text2num", "it installed",
            "Install it: pip install 'doctobert-hf[finemed]'",
        ) from error  # fmt: skip
    text = _ARTICLE.sub("1", text)
    return "\n".join(alpha2digit(line, "fr") for line in text.split("\n"))


def quantities_of(text: str) -> list[Quantity]:
    """Return the quantities of a text, in order; numbers of figures and tables are left out."""
    text = unicodedata.normalize("NFC", text).replace("μ", "µ")
    text = _TIMES.sub(r"\1 × ", _ATTACHED.sub(r"\1", text))
    text = _PER.sub("/", digits_for_words(_FIGURE.sub(" ", text)))
    found = []
    for match in _NUMBER.finditer(text):
        bare = float(re.sub(r"[ \u00a0\u202f]", "", match["value"]).replace(",", "."))
        unit, factor, length = _unit(match["unit"] or "")
        end = match.end("value") + length
        found.append(
            Quantity(
                bare * factor,
                unit,
                bare,
                text[match.start() : end].strip(),
                _around(text, match.start(), end),
            )
        )
    return found


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
    return name, factor, length


_LEFT, _RIGHT = 48, 24
_STOP = frozenset(
    """avec dans pour plus moins entre apres avant depuis pendant environ soit etait etaient etre
    avait dont ainsi puis chez sous sans leur elle cette une des les est ete par jour jours mois
    ans comprime dose""".split()
)


def _around(text: str, start: int, end: int) -> frozenset[str]:
    left = re.split(r"[;:!?\n]|\.\s", text[max(0, start - _LEFT) : start])[-1]
    right = re.split(r"[;:,!?\n)(]|\.\s", text[end : end + _RIGHT])[0]
    words = [fold(word) for word in WORD.findall(f"{left} {right}")]
    return frozenset(w[:6] for w in words if len(w) > 3 and w.isalpha() and w not in _STOP)
