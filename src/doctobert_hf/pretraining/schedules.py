"""Learning rate, batch size and masking rate as functions of tokens, not of steps.

Tokens are what a run is planned in; steps change with batch size and packing. Formulas: the
published training code (Composer schedulers and its fork's additions); ``t`` counts real tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import refuse_unless_begun
from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments

SCHEDULES: tuple[str, ...] = ("linear", "constant", "warmup_stable_decay", "one_minus_sqrt")


def token_schedule(
    name: str,
    max_tokens: int,
    warmup_tokens: int = 0,
    decay_tokens: int = 0,
    final_ratio: float = 0.0,
) -> Callable[[int], float]:
    """Return the learning rate's multiplier as a function of tokens seen.

    All warm up linearly to 1 over ``warmup_tokens``. Then ``linear`` falls to ``final_ratio`` at
    ``max_tokens``; ``constant`` stays; ``warmup_stable_decay`` stays and falls linearly over the
    last ``decay_tokens``; ``one_minus_sqrt`` stays and falls as ``1 - sqrt`` over them (the whole
    run where ``decay_tokens`` is 0).

    Args:
        name: One of the four.
        max_tokens: Tokens of the run.
        warmup_tokens: Tokens of the warm-up.
        decay_tokens: Tokens of the decay.
        final_ratio: Multiplier at the end.

    Raises:
        UsageError: Another name, or lengths that do not fit into the run.

    Example:
        >>> rate = token_schedule("linear", max_tokens=1000, warmup_tokens=100)
        >>> round(rate(50), 3), rate(100), rate(1000)
        (0.5, 1.0, 0.0)
    """
    if name not in SCHEDULES:
        raise UsageError(f"lr_schedule '{name}'", f"one of {', '.join(SCHEDULES)}")
    if max_tokens < 1 or warmup_tokens < 0 or decay_tokens < 0:
        raise UsageError("A schedule with negative lengths or without tokens")
    if warmup_tokens + decay_tokens > max_tokens:
        raise UsageError(
            f"{warmup_tokens:,} tokens of warm-up and {decay_tokens:,} of decay",
            f"at most {max_tokens:,} together",
        )
    if not 0.0 <= final_ratio <= 1.0:
        raise UsageError(f"lr_final_ratio {final_ratio}", "between 0 and 1")
    decay = decay_tokens or (max_tokens if name == "one_minus_sqrt" else 0)

    def multiplier(tokens: int) -> float:
        if tokens < warmup_tokens:
            return 1e-10 + tokens / warmup_tokens
        if name == "linear":
            done = (tokens - warmup_tokens) / max(max_tokens - warmup_tokens, 1)
            return 1.0 - (1.0 - final_ratio) * min(done, 1.0)
        if name == "constant" or not decay:
            return 1.0
        done = min(max((tokens - (max_tokens - decay)) / decay, 0.0), 1.0)
        if name == "warmup_stable_decay":
            return 1.0 - (1.0 - final_ratio) * done
        return final_ratio + (1.0 - final_ratio) * (1.0 - math.sqrt(done))

    return multiplier


def check_used(settings: Any) -> None:
    """Refuse settings of a schedule that would do nothing without another.

    A run that was started with such settings, before they were refused, is gone on with.

    Args:
        settings: ``MLMTrainingArguments``, or a recipe.

    Raises:
        UsageError: One of two that belong together, or a decay that the schedule has not.
    """
    if (settings.mlm_probability_end is None) != (settings.mlm_decay_tokens == 0):
        refuse_unless_begun(
            UsageError(
                "One of mlm_probability_end and mlm_decay_tokens", "both, or neither: constant"
            )
        )
    if settings.mlm_probability_end is not None and any("@" in str(p) for p in settings.objective):
        raise UsageError(
            f"mlm_probability_end with objective {' '.join(settings.objective)}",
            "shares in one of the two",
        )
    if settings.decay_tokens and settings.lr_schedule in ("linear", "constant"):
        refuse_unless_begun(
            UsageError(
                f"decay_tokens with lr_schedule '{settings.lr_schedule}', which has none",
                "lr_schedule warmup_stable_decay or one_minus_sqrt",
            )
        )
    if settings.lr_final_ratio and settings.lr_schedule == "constant":
        refuse_unless_begun(
            UsageError(
                "lr_final_ratio with lr_schedule 'constant', whose rate does not fall",
                "another lr_schedule, or lr_final_ratio 0",
            )
        )


def after_the_head(
    multiplier: Callable[[int], float], new_head_tokens: int, warmup_tokens: int
) -> Callable[[int], float]:
    """Return an encoder's multiplier where a new head learns alone at first.

    0 up to ``new_head_tokens``, then a linear warm-up of the encoder's own. A head drawn anew
    sends large and meaningless gradients into a trained encoder; it is the first step of "linear
    probing, then fine-tuning" (Kumar et al., ICLR 2022, arXiv 2202.10054).

    Args:
        multiplier: The run's schedule, which the head follows from the start.
        new_head_tokens: Tokens before the encoder moves.
        warmup_tokens: Tokens over which its rate then rises.

    Example:
        >>> rate = after_the_head(lambda tokens: 1.0, 100, 50)
        >>> rate(99), rate(125), rate(200)
        (0.0, 0.5, 1.0)
    """

    def encoder(tokens: int) -> float:
        if tokens < new_head_tokens:
            return 0.0
        risen = (tokens - new_head_tokens) / warmup_tokens if warmup_tokens else 1.0
        return multiplier(tokens) * min(risen, 1.0)

    return encoder


def group_rates(
    groups: Sequence[Mapping[str, Any]], args: MLMTrainingArguments
) -> list[Callable[[int], float]]:
    """Return each parameter group's multiplier: the encoder's waits where a new head comes first.

    Args:
        groups: Groups of the optimizer; those of the head bear ``is_head`` (:mod:`.optim`).
        args: The run's arguments.
    """
    lengths = (args.max_tokens, args.warmup_tokens, args.decay_tokens, args.lr_final_ratio)
    multiplier = token_schedule(args.lr_schedule, *lengths)
    waits = after_the_head(multiplier, args.new_head_tokens, args.warmup_tokens)
    alone = bool(args.new_head_tokens)
    return [waits if alone and not group.get("is_head") else multiplier for group in groups]


def masking_rate(tokens: int, start: float, end: float | None, decay_tokens: int) -> float:
    """Share of tokens to mask after ``tokens``: from ``start`` to ``end``, linear in tokens."""
    if end is None or decay_tokens <= 0:
        return start
    return start + (end - start) * min(tokens / decay_tokens, 1.0)


def batch_rows(tokens: int, rows: int, world_size: int, warmup_tokens: int) -> int:
    """Rows of a step over all ranks after ``tokens``: grows by one row a rank.

    Each size lasts a number of tokens proportional to it, hence about equally many steps, and the
    full size is reached at ``warmup_tokens`` (the published batch-size warm-up).
    """
    sizes = rows // world_size
    if warmup_tokens <= 0 or tokens >= warmup_tokens or sizes <= 1:
        return rows
    total = sizes * (sizes - 1) // 2  # 1 + 2 + ... + (sizes - 1)
    share, reached = tokens / warmup_tokens * total, 0
    for size in range(1, sizes):
        reached += size
        if share < reached:
            return size * world_size
    return rows
