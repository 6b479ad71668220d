"""The stream: the same whoever computes it, and from wherever it goes on."""

from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining import PackedMLMDataset


@pytest.fixture
def stream(make_store, tokenizer):
    def make(**options):
        options = {"row_tokens": 512, "rows_per_step": 4, "seed": 3} | options
        return PackedMLMDataset(make_store(), tokenizer, **options)

    return make


def rows_of(step):
    return [tuple(map(bytes, (r["input_ids"].numpy(), r["masked_labels"].numpy()))) for r in
            step["rows"]]  # fmt: skip


def test_ranks_share_the_same_rows(stream):
    alone = [rows_of(step) for step in islice(stream(), 6)]
    ranks = [[rows_of(s) for s in islice(stream(rank=r, world_size=2), 6)] for r in range(2)]
    for step, (first, second) in enumerate(zip(*ranks, strict=True)):
        assert [first[0], second[0], first[1], second[1]] == alone[step]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_change_nothing(stream, workers):
    alone = [rows_of(step) for step in islice(stream(batch_warmup_tokens=9000), 8)]
    loader = DataLoader(
        stream(batch_warmup_tokens=9000), batch_size=None, num_workers=workers, collate_fn=list_it
    )
    assert [rows_of(step) for step in islice(loader, 8)] == alone


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("options", [{}, {"long_tokens": 40, "long_share": 0.5}])
def test_workers_may_be_spawned(stream, options):
    """As on macOS and Windows, and from Python 3.14 on: what goes to them is pickled."""
    from doctobert_hf.pretraining.data.loading import as_is

    alone = [rows_of(step) for step in islice(stream(**options), 3)]
    loader = DataLoader(
        stream(**options),
        batch_size=None,
        num_workers=1,
        collate_fn=as_is,
        multiprocessing_context="spawn",
    )
    assert [rows_of(step) for step in islice(loader, 3)] == alone


def list_it(item):
    return item


def test_the_stream_goes_on_from_a_state(stream):
    options = {"mlm_probability": 0.3, "mlm_probability_end": 0.1, "mlm_decay_tokens": 20_000}
    options["batch_warmup_tokens"] = 9000
    steps = list(islice(stream(**options), 12))
    for at in (1, 4, 7):
        state = type(steps[0]["state"]).from_json(steps[at - 1]["state"].to_json())
        rest = list(islice(stream(start=state, **options), 12 - at))
        assert [rows_of(s) for s in rest] == [rows_of(s) for s in steps[at:]]
        assert [s["mlm_probability"] for s in rest] == [s["mlm_probability"] for s in steps[at:]]
    sizes = [len(step["rows"]) for step in steps]
    assert sizes[0] == 1 and sizes[-1] == 4 and sizes == sorted(sizes)


def test_skipped_steps_leave_the_others_alone(stream):
    steps = list(islice(stream(), 8))
    skipping = list(islice(stream(skip=((3, 4),)), 6))
    assert [rows_of(s) for s in skipping] == [rows_of(s) for s in steps[:2] + steps[4:]]
    assert [s["skipped"] for s in skipping] == [0, 0, 2, 0, 0, 0]
    assert skipping[2]["state"].step == 5


def test_masks(stream, tokenizer):
    counted = masked = 0
    special = set(tokenizer.all_special_ids)
    for step in islice(stream(mlm_probability=0.3), 12):
        for row in step["rows"]:
            counted += row["input_ids"].numel()
            masked += len(row["masked_labels"])
            assert not special & set(row["masked_labels"].tolist())
    assert masked / counted == pytest.approx(0.3, abs=0.03)  # special tokens are not masked


def test_words_are_masked_whole(stream, tokenizer):
    """What is asked of a word is all of it; static rows have room for it."""
    begins = np.array([t.startswith("\u2581") for t in tokenizer.convert_ids_to_tokens(
        range(len(tokenizer)))])  # fmt: skip
    plain = next(iter(stream(mlm_probability=0.3)))
    for step in islice(stream(mlm_probability=0.3, whole_word_masking=True, pad_rows=True), 10):
        assert len(step["rows"][0]["masked_labels"]) > len(plain["rows"][0]["masked_labels"])
    alone = pairs = 0
    for step in islice(stream(mlm_probability=0.3, whole_word_masking=True), 10):
        for row in step["rows"]:
            places = row["masked_positions"].numpy()
            labels = row["masked_labels"].numpy()
            inside = ~begins[labels]
            pairs += int(inside.sum())
            alone += int((inside & ~np.isin(places - 1, places)).sum())
    assert pairs > 100 and alone < 0.2 * pairs  # punctuation is a word of its own


def test_static_rows_have_one_shape(stream):
    shapes = {
        tuple(tuple(v.shape) if isinstance(v, torch.Tensor) else v for v in row.values())
        for step in islice(stream(pad_rows=True), 10)
        for row in step["rows"]
    }
    assert len(shapes) == 1


def test_wrong_values(stream):
    with pytest.raises(UsageError, match="4 rows a step on 3 ranks"):
        stream(world_size=3)
    for rate in (0.0, 1.0):
        with pytest.raises(UsageError, match="a share between 0 and 1"):
            stream(mlm_probability=rate)


def test_all_ranks_know_of_a_step_in_which_nothing_is_masked(stream):
    options = {"row_tokens": 64, "rows_per_step": 2, "mlm_probability": 0.004}
    alone = [step["empty"] for step in islice(stream(**options), 60)]
    assert set(alone) == {True, False}
    counted = []
    for rank in range(2):
        steps = list(islice(stream(rank=rank, world_size=2, **options), 60))
        assert [step["empty"] for step in steps] == alone
        counted.append([float(step["masked"]) for step in steps])
    assert [sum(both) == 0 for both in zip(*counted, strict=True)] == alone
