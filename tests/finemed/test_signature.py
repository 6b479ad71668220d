"""What of a text is compared: shares of sequences and of numbers, whole after packing."""

import random

import pytest

from doctobert_hf.finemed.signature import Signature
from doctobert_hf.finemed.words import ngrams

WORDS = [f"mot{a}{b}" for a in "abcdefghij" for b in "klmnopqr"]


def test_what_is_compared():
    same = Signature.of("Fièvre à 38,5 °C depuis 3 jours", 3)
    assert Signature.of("FIEVRE a 38,5 °C, depuis 3 jours !", 3).pack() == same.pack()
    other = Signature.of("Fièvre à 39,7 °C depuis 8 jours", 3)
    assert not same.same_numbers(other) and same.same_numbers(same)
    assert len(Signature.of("", 5).shingles) == 0
    turned = Signature.of("jours 3 depuis °C 38,5 à fièvre", 3)
    assert same.same_numbers(turned) and not same.is_near(turned, 0.1)
    assert Signature.unpack(same.pack()).is_near(same, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_share_is_that_of_the_sequences(seed):
    """Hashes in order give Jaccard's share of the sets, and of numbers how often each stands."""
    draw = random.Random(seed)
    words = [draw.choice(WORDS) for _ in range(120)]
    other = [draw.choice(WORDS) if draw.random() < 0.1 else word for word in words]
    one, two = (set(ngrams(found, 3)) for found in (words, other))
    share = len(one & two) / len(one | two)
    first, second = (Signature.of(" ".join(found), 3) for found in (words, other))
    assert first.is_near(second, share - 1e-9) and not first.is_near(second, share + 1e-9)
    thrice, once = Signature.of("3 mg, 3 mg, 3 mg", 1), Signature.of("3 mg", 1)
    assert len(thrice.numbers) == 3 and not once.same_numbers(thrice)
