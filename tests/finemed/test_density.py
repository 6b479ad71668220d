"""Density: the union never passes 1, the legacy formula is the released code's."""

import pytest
from hypothesis import given, strategies as st

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed import find_terms, medical_term_density
from doctobert_hf.finemed.density import covered

TEXT = "Insuffisance cardiaque : une dose, puis l'insuffisance cède."


def test_the_two_methods_differ_where_they_should():
    terms = ["insuffisance", "insuffisance cardiaque", "os"]
    # Legacy: lower case only, inside words, nested again.
    legacy = (12 + 0 + 2) / len(TEXT)
    assert medical_term_density(TEXT, terms, "legacy") == pytest.approx(legacy)
    union = (len("Insuffisance cardiaque") + len("insuffisance")) / len(TEXT)
    assert medical_term_density(TEXT, terms) == pytest.approx(union)


def test_legacy_passes_one_and_union_does_not():
    text = "insuffisance cardiaque"
    terms = ["insuffisance cardiaque", "insuffisance", "cardiaque"]
    assert medical_term_density(text, terms, "legacy") > 1.0
    assert medical_term_density(text, terms) == 1.0


@pytest.mark.parametrize(("text", "terms"), [(None, ["a"]), (["a"], ["a"]), ("a", [None])])
def test_what_is_no_text_or_term_has_no_density(text, terms):
    with pytest.raises(UsageError):
        medical_term_density(text, terms)


def test_intervals_and_wrong_input():
    assert medical_term_density("abcdef", [(0, 2), (1, 4)]) == pytest.approx(4 / 6)
    assert medical_term_density("", ["a"]) == 0.0
    for terms, method, message in (
        ([(0, 9)], "union", "within 0 and 6"),
        ([(0, 2)], "legacy", "surfaces"),
        (["a"], "mean", "'union' or 'legacy'"),
    ):
        with pytest.raises(UsageError, match=message):
            medical_term_density("abcdef", terms, method)
    assert find_terms("Os et dose d'os.", ["os", " ", "OS"]) == [(0, 2), (13, 15)]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted).map(tuple)))
def test_covered_is_what_counting_characters_gives(intervals):
    assert covered(intervals) == len({i for start, end in intervals for i in range(start, end)})


@pytest.mark.long
def test_one_pass_for_many_terms_is_each_term_alone(monkeypatch):
    """The pattern of shared beginnings finds what one alternative a term finds; so do counts."""
    import random
    import re

    from doctobert_hf.finemed import density

    monkeypatch.setattr(density, "_FEW", 0)
    draw = random.Random(0)
    letters = "abé ÉAİß-'"

    def word(most):
        return "".join(draw.choice(letters) for _ in range(draw.randint(1, most)))

    for _ in range(400):
        text, terms = word(60), [word(5) for _ in range(draw.randint(1, 25))]
        stripped = sorted({t.strip() for t in terms if t.strip()}, key=len, reverse=True)
        if stripped:
            plain = "|".join(map(re.escape, stripped))
            found = re.finditer(rf"(?<!\w)(?:{plain})(?!\w)", text, re.IGNORECASE)
            assert find_terms(text, terms) == [match.span() for match in found]
        counted = sum(text.count(term) * len(term) for term in set(terms))
        legacy = medical_term_density(text, terms, method="legacy")
        assert legacy == pytest.approx(counted / len(text))
    assert find_terms("x " + "a" * 5000, ["a" * 5000, "b"]) == [(2, 5002)]
