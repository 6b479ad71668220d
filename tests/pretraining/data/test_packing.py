"""Packing: full rows, every document once an epoch, resumable."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining import SequencePacker
from doctobert_hf.pretraining.data.packing import long_document_order


def chunk_lengths(context, count, seed=0):
    """Lengths like those of log-normal documents cut at a context."""
    rng = np.random.default_rng(seed)
    lengths = []
    while len(lengths) < count:
        size = int(rng.lognormal(6.5, 1.0)) + 8
        lengths += [context] * (size // context) + [max(size % context, 8)]
    return np.array(lengths[:count])


@pytest.mark.parametrize(
    ("context", "rows", "least"), [(512, 160, 0.995), (1024, 96, 0.995), (8192, 12, 0.99)]
)
def test_rows_of_the_recipes_are_full(context, rows, least):
    lengths = chunk_lengths(context, 6000)
    packer = SequencePacker(lengths, rows * context, seed=1)
    filled = [lengths[row].sum() for row in islice(packer, 20)]
    assert max(filled) <= rows * context
    assert np.mean(filled) / (rows * context) >= least


def test_every_document_once_an_epoch():
    lengths = chunk_lengths(64, 300)
    packer = SequencePacker(lengths, 512, seed=5)
    seen = Counter()
    while packer.state.epoch < 3:
        seen.update(packer.next_row())
    waiting = Counter(packer.state.waiting)
    for document in range(300):
        begun = seen[document] + waiting[document]
        assert begun in (3, 4)  # three epochs, and what the fourth has begun


def test_a_packer_goes_on_from_its_state():
    lengths = chunk_lengths(64, 200)
    one = SequencePacker(lengths, 300, seed=2)
    first = [one.next_row() for _ in range(30)]
    state = one.state.copy()
    rest = [one.next_row() for _ in range(30)]
    other = SequencePacker(lengths, 300, seed=2)
    other.load(state)
    assert [other.next_row() for _ in range(30)] == rest
    again = SequencePacker(lengths, 300, seed=2)
    assert [again.next_row() for _ in range(30)] == first


def test_rows_of_one_document_and_rows_too_small():
    lengths = np.array([60, 64, 50, 64])
    packer = SequencePacker(lengths, 64, seed=0)
    assert all(len(packer.next_row()) == 1 for _ in range(12))
    with pytest.raises(UsageError, match="a document of 64"):
        SequencePacker(lengths, 63)


def test_long_documents_have_their_share():
    lengths = np.concatenate((np.full(50, 4000), np.full(5000, 300)))
    order = long_document_order(lengths, 0, long_tokens=2048, long_share=0.6)
    first, second = order(0), order(1)
    for chosen in (first, second):
        tokens = lengths[chosen]
        assert tokens[tokens >= 2048].sum() / tokens.sum() == pytest.approx(0.6, abs=0.03)
        assert set(range(50)) <= set(chosen.tolist())
    assert set(first.tolist()) != set(second.tolist())
    with pytest.raises(UsageError, match="No document has 9000 tokens"):
        long_document_order(lengths, 0, 9000, 0.5)
