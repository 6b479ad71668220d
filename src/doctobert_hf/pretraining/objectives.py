"""What is predicted, as a schedule in tokens: masked tokens, or for a while the next one.

The causal detour ("A Causal Language Modeling Detour Improves Encoder Continued Pretraining",
arXiv 2605.12438): attention sees the past only and the loss is of the next token, through the same
head; then masked language modelling with a falling learning rate. The saved model is of the same
kind. In one run that is ``objective: [clm:9000000, mlm]`` with ``lr_schedule: warmup_stable_decay``
and ``decay_tokens`` of the second part. A part of masked tokens may have its own share:
``objective: [mlm@0.3:9000000, mlm@0.15]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from doctobert_hf.errors import UsageError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Objective = Literal["mlm", "clm"]
OBJECTIVES = ("mlm", "clm")
_EXAMPLE = (
    "e.g. 'mlm', or 'clm:9000000 mlm': next tokens up to 9,000,000 tokens, then masked ones; or "
    "'mlm@0.3:9000000 mlm@0.15', with the share that is masked"
)


@dataclass(frozen=True)
class ObjectiveSchedule:
    """Which objective holds after so many tokens.

    Attributes:
        parts: Objectives in order, each with the tokens at which it ends; the last has no end.
        shares: Share of tokens that each part masks; None: ``mlm_probability``.

    Example:
        >>> schedule = ObjectiveSchedule.read(("clm:100", "mlm"))
        >>> schedule.at(99), schedule.at(100)
        ('clm', 'mlm')
        >>> ObjectiveSchedule.read(("mlm@0.3:100", "mlm@0.15")).share_at(100)
        0.15
    """

    parts: tuple[tuple[Objective, int | None], ...] = (("mlm", None),)
    shares: tuple[float | None, ...] = (None,)

    @classmethod
    def read(cls, given: str | Sequence[str]) -> ObjectiveSchedule:
        """Read ``NAME:TOKENS`` for each part but the last, which is a name alone.

        ``mlm@SHARE`` masks its own share.

        Raises:
            UsageError: Another form, another name, a share that is none, or ends that do not rise.
        """
        words = given.split() if isinstance(given, str) else list(given)
        parts: list[tuple[Objective, int | None]] = []
        shares = []
        before = 0
        for number, word in enumerate(words, start=1):
            kind, colon, tokens = str(word).partition(":")
            name, at, share = kind.partition("@")
            if name not in OBJECTIVES:
                known = list(OBJECTIVES)
                raise UsageError(f"objective '{name}'", "mlm or clm", nearest(name, known))
            if bool(colon) != (number < len(words)) or (colon and not tokens.isdecimal()):
                raise UsageError(f"objective '{' '.join(map(str, words))}'", _EXAMPLE)
            if colon and int(tokens) <= before:
                raise UsageError(f"objective part '{word}'", f"an end after {before:,} tokens")
            before = int(tokens) if colon else before
            parts.append((name, int(tokens) if colon else None))  # type: ignore[arg-type]
            shares.append(_share(name, share, str(word)) if at else None)
        if not parts:
            raise UsageError("An empty objective", _EXAMPLE)
        return cls(tuple(parts), tuple(shares))

    def at(self, tokens: int) -> Objective:
        """Return the objective of a step that begins after so many tokens."""
        return next(name for name, end in self.parts if end is None or tokens < end)

    def share_at(self, tokens: int) -> float | None:
        """Return the share of tokens that such a step masks; None: ``mlm_probability``."""
        ends = (end for _, end in self.parts)
        return next(
            share
            for share, end in zip(self.shares, ends, strict=True)
            if end is None or tokens < end
        )

    @property
    def highest_share(self) -> float:
        """The highest of the parts' own shares; 0: none has one."""
        return max((share for share in self.shares if share is not None), default=0.0)

    @property
    def is_causal_somewhere(self) -> bool:
        """Return whether a part predicts next tokens."""
        return any(name == "clm" for name, _ in self.parts)

    def check_length(self, max_tokens: int) -> None:
        """Refuse a part that begins when the run is over.

        Raises:
            UsageError: With the part.
        """
        for (name, end), (following, _) in zip(self.parts, self.parts[1:], strict=False):
            if end is not None and end >= max_tokens:
                raise UsageError(
                    f"objective {name} until {end:,} tokens, then {following}",
                    f"an end before max_tokens, {max_tokens:,}",
                )


def _share(name: str, given: str, word: str) -> float:
    try:
        share = float(given)
    except ValueError:
        share = 0.0
    if name != "mlm" or not 0.0 < share < 1.0:
        raise UsageError(f"objective part '{word}'", "mlm@SHARE with a share between 0 and 1")
    return share


def next_tokens(
    ids: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return positions and labels of next-token prediction in a packed row.

    Every position but a document's last predicts the token behind it.

    Args:
        ids: Ids of all documents in a row.
        lengths: Tokens of each document.

    Returns:
        Positions and the ids that follow them, both ``[tokens - documents]``.
    """
    import numpy as np

    last = np.cumsum(lengths) - 1
    keep = np.ones(len(ids), bool)
    keep[last[lengths > 0]] = False
    positions = np.flatnonzero(keep)
    return positions, ids[positions + 1]
