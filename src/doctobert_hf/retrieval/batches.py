"""Batches in which no text is a wrong answer to a question it answers.

Every other row's document is a negative of a question, so two rows may stand in one batch only if
neither's documents answer the other's question. Stock ``no_duplicates`` looks at equal texts alone:
another right answer of the same question, or the same answer in capitals, is trained away from it;
and of few distinct answers it leaves most rows out. Here every row is in a batch, of fewer rows
where more do not go together.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval.pairs import normalized

if TYPE_CHECKING:
    from doctobert_hf.retrieval.pairs import PairSet

logger = logging.getLogger(__name__)
_PLANNED = 20  # epochs whose batches are counted beforehand
_LOOKED_AT = 2000  # rows that are tried for one batch: most fit at once


class Conflicts:
    """Which training rows may not stand in one batch.

    Args:
        pairs: Questions, documents and which answers which.
        rows: Of each training row the question's id, the right document's, and wrong ones'.
    """

    def __init__(self, pairs: PairSet, rows: Sequence[tuple[str, ...]]) -> None:
        text = {key: normalized(t) for key, t in (pairs.documents | pairs.queries).items()}
        asked: dict[str, set[str]] = {}  # questions that differ in case and marks are one
        for query, right in pairs.relevant.items():
            asked.setdefault(text[query], set()).update(text[document] for document in right)
        numbers: dict[str, int] = {}

        def number(key: str) -> int:
            return numbers.setdefault(key, len(numbers))

        self.answers, self.shown = [], []
        for query, *documents in rows:
            own = {number(f"d {answer}") for answer in asked[text[query]]}
            asking = number(f"q {text[query]}")
            self.answers.append(frozenset({asking, *own}))
            self.shown.append(frozenset({asking, *(number(f"d {text[d]}") for d in documents)}))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.answers)

    def batches(self, order: Sequence[int], size: int) -> list[list[int]]:
        """Return the rows in batches of at most ``size``, taken in ``order`` where they fit."""
        left = deque(order)
        made = []
        while left:
            batch: list[int] = []
            answers: set[int] = set()
            shown: set[int] = set()
            passed: list[int] = []
            while left and len(batch) < size and len(passed) < _LOOKED_AT:
                row = left.popleft()
                if self.shown[row] & answers or self.answers[row] & shown:
                    passed.append(row)
                    continue
                batch.append(row)
                answers |= self.answers[row]
                shown |= self.shown[row]
            left.extendleft(reversed(passed))
            made.append(batch)
        return made


def make_sampler(
    conflicts: Conflicts, batch_size: int, seed: int, epochs: float = 1.0, processes: int = 1
) -> Any:
    """Return a batch sampler of Sentence Transformers that keeps conflicting rows apart.

    One order of the rows may need some batches more than another. Its length, which a trainer
    needs to be the same for every epoch, is that of the longest of ``epochs``: in shorter ones the
    largest batches are split. In a later epoch that is longer still, the smallest batches are left
    out, and told. Of several processes each takes every so many-eth batch, so that their number is
    a multiple of the processes': one that has a batch more would wait for the others for ever.

    Raises:
        UsageError: Fewer rows than processes.
    """
    if len(conflicts) < processes:
        raise UsageError(
            f"{len(conflicts):,} training rows for {processes} processes",
            "a row for each at least",
            "Start fewer processes (--nproc-per-node)",
        )
    import torch
    from sentence_transformers.base.sampler import SetEpochMixin

    class ConflictFreeBatchSampler(SetEpochMixin, torch.utils.data.BatchSampler):
        """Shuffles anew for each epoch, by seed and epoch."""

        def __init__(self) -> None:
            # No size: else Accelerate takes a batch that is smaller for the last, and drops it.
            self.batch_size: Any = None
            self.drop_last, self.epoch = False, 0
            planned = range(min(math.ceil(epochs), _PLANNED))
            most = max(len(self._batches(epoch)) for epoch in planned)
            even = len(conflicts) // processes * processes  # a batch has a row at least
            self._length = min(math.ceil(most / processes) * processes, even)
            mean = len(conflicts) / max(1, self._length)
            alone = sum(len(batch) == 1 for batch in self._batches(0))
            fewest = math.ceil(len(conflicts) / batch_size / processes) * processes
            if mean < 0.75 * len(conflicts) / fewest:
                logger.warning(
                    "batches have %.1f rows on average instead of %.1f: more do not go together, "
                    "as they share questions or answers",
                    mean,
                    len(conflicts) / fewest,
                )
            if alone > 1:
                logger.warning(
                    "%d of %d batches have one row: no wrong text stands beside it but its own "
                    "hard negatives, and without them it teaches nothing",
                    alone,
                    self._length,
                )

        def _batches(self, epoch: int) -> list[list[int]]:
            generator = torch.Generator().manual_seed(seed + epoch)
            order = torch.randperm(len(conflicts), generator=generator).tolist()
            return conflicts.batches(order, batch_size)

        def __iter__(self) -> Iterator[list[int]]:
            made = self._batches(self.epoch)
            while 0 < len(made) < self._length:
                largest = max(range(len(made)), key=lambda n: len(made[n]))
                half = len(made[largest]) // 2
                if half == 0:
                    break
                made[largest : largest + 1] = [made[largest][:half], made[largest][half:]]
            if len(made) > self._length:
                kept = sorted(sorted(range(len(made)), key=lambda n: -len(made[n]))[: self._length])
                lost = len(conflicts) - sum(len(made[n]) for n in kept)
                logger.warning("epoch %d: %d rows are not trained on", self.epoch, lost)
                made = [made[n] for n in kept]
            yield from made

        def __len__(self) -> int:
            return self._length

    return ConflictFreeBatchSampler()
