"""Where the masks of a batch come from, so that a seed makes them again.

Inside a loader of Accelerate (a stock ``Trainer``'s) they follow from the seed, the epoch and the
batch's tokens alone: a run that goes on in mid-epoch makes the masks that it would have made, with
any number of loader workers. Elsewhere no epoch is known, and batches are counted instead.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_WORKERS = 256
_MOST_INSIDE = 64
"""Things of a container that are looked at: a data set in a closure holds no collator."""


class _Pass(NamedTuple):
    """What the loader that is read says: which time it is read, and how many batches it has."""

    epoch: int
    persistent: bool
    batches: int | None


class MaskDraws:
    """Makes the generator that each batch's masks are drawn from.

    Args:
        seed: Makes masks reproducible; None follows torch's seed and counts batches.

    Attributes:
        epoch: The epoch, where a loop of one's own says it; None looks at the loader.
    """

    def __init__(self, seed: int | None) -> None:
        import torch

        self.seed = seed
        self.epoch: int | None = None
        # How often each worker was started: shared, as only the workers see it.
        self._starts = torch.zeros(_MOST_WORKERS, dtype=torch.int64).share_memory_()
        self._sent: _Pass | None = None
        self._asked: tuple[Any, bool] | None = None  # a loader's function, and whether it is ours
        self._forget()

    def _forget(self) -> None:
        self._running: np.random.Generator | None = None
        self._owner: tuple[int, int] | None = None
        self._start = self._calls = 0

    def __getstate__(self) -> dict[str, Any]:
        """Send along which epoch it is: a spawned worker cannot see the loader."""
        own = {"_running": None, "_owner": None, "_asked": None}
        return {**self.__dict__, "_sent": _current_pass(self), **own}

    def __call__(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> np.random.Generator:
        """Return a generator for a batch.

        Args:
            ids: The tokens of all its rows, [tokens].
            lengths: How many each row has, [rows].
        """
        import torch
        from torch.utils.data import get_worker_info

        worker = get_worker_info()
        # A worker's seed is drawn anew each time its loader is read, as is its process.
        owner = (os.getpid(), worker.seed if worker else -1)
        if owner != self._owner:
            self._forget()
            self._owner = owner
            if worker:
                self._starts[worker.id % _MOST_WORKERS] += 1
                self._start = int(self._starts[worker.id % _MOST_WORKERS])
        rank = int(os.environ.get("RANK", "0"))
        if self.seed is None:
            entropy = [torch.initial_seed() % 2**63, rank, worker.seed if worker else 0]
            return self._counted(entropy)
        epoch = self._current_epoch(worker)
        self._calls += 1
        if epoch is None:
            place = [1 + worker.id, self._start] if worker else [0]
            return self._counted([self.seed, rank, *place])
        digest = hashlib.blake2b(ids.tobytes(), digest_size=16)
        digest.update(lengths.tobytes())
        return np.random.default_rng([self.seed, epoch, int.from_bytes(digest.digest(), "little")])

    def _counted(self, entropy: list[int]) -> np.random.Generator:
        """Return the generator that this process goes on with."""
        if self._running is None:
            self._running = np.random.default_rng(entropy)
        return self._running

    def _current_epoch(self, worker: Any) -> int | None:
        """Return the epoch, None where nothing tells it."""
        if self.epoch is not None:
            return self.epoch
        read = _current_pass(self) or (self._sent if worker else None)
        if read is None:
            return None
        if worker is None or not read.persistent:
            return read.epoch
        # Workers that stay see only the loader's first pass; each takes every n-th batch.
        share = len(range(worker.id, read.batches or 0, worker.num_workers))
        return read.epoch + self._calls // share if share else None


def _current_pass(draws: MaskDraws) -> _Pass | None:
    """Return what the loader of Accelerate that is being read says, None if there is none."""
    state = sys.modules.get("accelerate.state")
    loader = None if state is None else state.GradientState().active_dataloader
    epoch = getattr(loader, "iteration", None)
    # A run that stopped in mid-epoch leaves its loader behind.
    if loader is None or epoch is None or not _serves(loader.collate_fn, draws):
        return None
    try:
        batches = len(loader.batch_sampler)
    except TypeError:
        batches = None  # a stream
    return _Pass(int(epoch), bool(getattr(loader, "persistent_workers", False)), batches)


def _serves(collate: Any, draws: MaskDraws) -> bool:
    """Return whether a loader's function calls the collator that these draws belong to."""
    if draws._asked is None or draws._asked[0] is not collate:
        draws._asked = collate, _reaches(collate, draws)
    return draws._asked[1]


def _reaches(thing: Any, draws: MaskDraws, depth: int = 3) -> bool:
    """Look for the collator in what wraps it: Trainer's objects, a partial, a function's names."""
    if isinstance(thing, (type, ModuleType)):
        return False
    inside: list[Any]
    if isinstance(thing, partial):
        inside = [thing.func, *thing.args, *thing.keywords.values()]
    elif isinstance(thing, MethodType):
        inside = [thing.__self__, thing.__func__]
    elif isinstance(thing, FunctionType):
        named = [thing.__globals__.get(name) for name in thing.__code__.co_names]
        inside = [*inspect.getclosurevars(thing).nonlocals.values(), *named]
        inside += thing.__defaults__ or ()
    elif isinstance(thing, (list, tuple, dict)):
        if len(thing) > _MOST_INSIDE:
            return False
        inside = list(thing.values() if isinstance(thing, dict) else thing)
    else:
        own = getattr(thing, "__dict__", {})
        if own.get("_draws") is draws:
            return True
        inside = list(own.values())
    return depth > 0 and any(_reaches(part, draws, depth - 1) for part in inside)
