"""What a sentence denies, also where it denies hundreds of things one after the other."""

import pytest

from doctobert_hf.finemed.rephrase.plain import plain
from doctobert_hf.finemed.rephrase.polarity import polarity_reasons
from doctobert_hf.finemed.rephrase.reach import _member, _negated_places

SIGNS = "fièvre toux dyspnée nausées vomissements douleur vertiges prurit ictère cyanose".split()


def _denials(cue: str, number: int) -> str:
    return ", ".join(f"{cue} {SIGNS[at % len(SIGNS)]}" for at in range(number)) + "."


@pytest.mark.parametrize("cue", ["pas de", "sans", "ni le", "aucune"])
def test_each_member_of_a_long_list_is_looked_at_once(cue):
    segment = _denials(cue, 400)
    places = list(_negated_places(segment))
    assert set(places) == {at for sign in set(SIGNS) for at in _all(segment, sign)}
    assert len(places) <= 2 * 400  # each cue walked the rest of the list: 80,000 for "ni le"


def _all(segment: str, word: str) -> list[int]:
    return [at for at in range(len(segment)) if segment.startswith(word, at)]


def test_a_member_is_found_without_a_look_at_the_rest():
    rest = "x" * 100_000
    assert _member(f"pas de fièvre, pas de toux {rest}", 7) == ("fièvre", None)
    assert _member(f"pas de fièvre, de toux {rest}", 7) == ("fièvre", 15)
    assert (
        _member("sans " + "mot " * 1000 + "rare, de toux", 5)[1] == len("sans " + "mot " * 1000) + 6
    )


def test_one_denial_that_is_gone_is_named_among_hundreds():
    source = _denials("pas de", 400) + " Pas d'adénopathie."
    rewrite = _denials("pas de", 400) + " Une adénopathie."
    assert list(polarity_reasons(source, rewrite)) == ["negation lost: adénopathie"]
    assert not list(polarity_reasons(source, source))


def test_who_has_nothing_stands_before_the_verb():
    source = "Ni le crâne ni le rachis ne présentent de fracture."
    assert not list(polarity_reasons("Crâne et rachis indemnes de fracture.", source))


def test_a_text_without_commas_or_of_blanks_is_read_in_linear_time():
    """By steps, not by the clock: what stands behind a cue is looked at up to a bound."""
    segment = "aucun autre signe " * 2000
    inside, following = _member(segment, len("aucun"))
    assert len(inside) < 10_000 and following is None
    assert plain(" " * 200_000) == " " * 200_000
