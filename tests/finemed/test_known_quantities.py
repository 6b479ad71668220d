"""What is found among many quantities is what comparing each with each finds."""

import random

import pytest

pytest.importorskip("text_to_num")

from doctobert_hf.finemed import check_rewrite
from doctobert_hf.finemed.rephrase.known_quantities import KnownQuantities
from doctobert_hf.finemed.rephrase.quantities import quantities_of

WRITTEN = [
    *("0,5 mg", "500 µg", "500 mg", "1 g", "1 000 mg", "500 mg deux fois par jour", "1 g par jour"),
    *("plaquettes 98 000", "98 000 /mm3", "98 G/l", "quinze jours", "deux semaines", "14 jours"),
    *(
        "huit jours",
        "une semaine",
        "7 jours",
        "deux fois",
        "2 fois par jour",
        "toutes les 6 heures",
    ),
    *("4 fois par jour", "0", "0 mg", "moins de 30 mg", "> 30 mg", "3", "3 ml", "3 mois", "12,5 %"),
]


def test_as_comparing_each_with_each():
    found = [q for text in WRITTEN for q in quantities_of(text + ".")]
    known = KnownQuantities(found)
    alike = 0
    for quantity in found:
        equal = [other for other in found if quantity.equals(other)]
        assert sorted(known.equal(quantity), key=found.index) == equal
        assert known.may_have(quantity) == any(quantity.may_equal(other) for other in found)
        rest = KnownQuantities([other for other in found if other is not quantity])
        assert rest.has(quantity) == (
            quantity.implied
            or any(quantity.equals(q) or quantity.same_rate(q) for q in rest.all)
        )  # fmt: skip
        alike += len(equal) > 1
    assert alike > 10


@pytest.mark.long
def test_a_long_report_takes_time_by_its_length():
    """Each value compared with each takes more minutes than a test has."""
    draw = random.Random(0)
    rows = [
        f"{name} {draw.randint(1, 400) / 10} {unit} ({draw.randint(1, 9)}-{draw.randint(10, 20)})"
        for name, unit in draw.choices(
            [("Sodium", "mmol/l"), ("Urée", "mmol/l"), ("CRP", "mg/l"), ("ASAT", "UI/l")], k=2000
        )
    ]
    assert check_rewrite("\n".join(rows), "\n".join(rows)) == []
    wrong = "\n".join([*rows[:-1], "Sodium 4321 mmol/l (1-12)"])
    assert "quantity invented: 4321 mmol/l" in check_rewrite("\n".join(rows), wrong)
