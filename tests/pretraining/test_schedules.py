"""Schedules in tokens: the published formulas at their corners."""

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining.schedules import batch_rows, masking_rate, token_schedule


def test_values():
    linear = token_schedule("linear", 1000, warmup_tokens=100)
    assert linear(0) == pytest.approx(1e-10)
    assert [round(linear(t), 6) for t in (50, 100, 550, 1000, 2000)] == [0.5, 1.0, 0.5, 0.0, 0.0]
    constant = token_schedule("constant", 1000)
    assert constant(0) == constant(5000) == 1.0
    wsd = token_schedule("warmup_stable_decay", 1000, 100, 200, 0.1)
    assert [round(wsd(t), 6) for t in (100, 800, 900, 1000)] == [1.0, 1.0, 0.55, 0.1]
    stable = token_schedule("warmup_stable_decay", 1000, 100)
    assert stable(1000) == stable(1001) == 1.0
    root = token_schedule("one_minus_sqrt", 1000, final_ratio=0.001)
    assert root(0) == 1.0
    assert root(250) == pytest.approx(0.001 + 0.999 * 0.5)
    assert root(1000) == pytest.approx(0.001)


def test_what_does_not_fit():
    with pytest.raises(UsageError, match="one of linear"):
        token_schedule("cosine", 100)
    with pytest.raises(UsageError, match="at most 100 together"):
        token_schedule("linear", 100, 60, 60)
    with pytest.raises(UsageError, match="between 0 and 1"):
        token_schedule("linear", 100, final_ratio=2)


def test_the_published_batch_warm_up():
    # base phase 1 on 16 GPUs: 3 rows a device; 1 until 2 B tokens, 2 until 6 B, then 3
    billion = 10**9
    sizes = [batch_rows(t * billion, 48, 16, 6 * billion) for t in (0, 1.9, 2.1, 5.9, 6, 100)]
    assert sizes == [16, 16, 32, 32, 48, 48]
    assert batch_rows(0, 48, 16, 0) == 48
    assert batch_rows(0, 16, 16, 5) == 16


def test_masking_rates():
    assert masking_rate(10**9, 0.3, None, 0) == 0.3
    assert [masking_rate(t, 0.3, 0.1, 100) for t in (0, 50, 100, 500)] == pytest.approx(
        [0.3, 0.2, 0.1, 0.1]
    )
