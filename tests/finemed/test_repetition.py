"""Repetition rules and shingles: those of datatrove, verdict by verdict and hash by hash."""

import random

import pytest
from datatrove.data import Document
from datatrove.pipeline.dedup import MinhashConfig, MinhashDedupSignature
from datatrove.pipeline.filters import GopherRepetitionFilter
from datatrove.utils.hashing import HashConfig
from finemed_helpers import medical_text

from doctobert_hf.finemed.cleaning import FRENCH_WORDS
from doctobert_hf.finemed.repetition import Repetition, shingle_hashes

TEXTS = [
    *("", "a", "a b c", "x " * 50, "e\u0301 à\n\na\n\na", "ab c abc " * 9, "1 2,5 mg " * 3),
    *(medical_text(number) for number in range(5)),
    *(medical_text(1) + f"{end}" + medical_text(1) for end in ("\n", "\n\n", " ")),
    *(" ".join(random.Random(n).choices("ab c d e".split(), k=n)) for n in range(60)),
]


@pytest.mark.parametrize("text", TEXTS)
def test_verdicts_and_shingles_are_datatroves(text):
    document = Document(text=text, id="a")
    # datatrove 0.10.0 divides by the length of an empty text; 0.10.1 says this.
    theirs = GopherRepetitionFilter(language=FRENCH_WORDS).filter(document) if text else (
        False, "empty")  # fmt: skip
    assert Repetition(language=FRENCH_WORDS).filter(document) == theirs
    settings = MinhashConfig(n_grams=5, hash_config=HashConfig(hash_fc="sha1"))
    signature = MinhashDedupSignature("unused", settings, FRENCH_WORDS)
    wanted = signature.get_shingles(text)
    found = shingle_hashes(text, 5, settings.norm_config)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    assert (found == wanted).all()


def test_the_texts_have_every_kind_of_verdict():
    filter_ = Repetition(language=FRENCH_WORDS)
    found = {str(filter_.filter(Document(text=text, id="a"))) for text in TEXTS}
    assert len(found) >= 5
