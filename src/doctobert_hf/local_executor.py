"""datatrove's local executor without the process that it leaves behind.

Its ``run`` starts a ``multiprocess.Manager``, also for one worker, and a manager goes on for ever
where the run is killed with -9. One worker needs none; of several each is given its number when it
starts, and ends when the run is gone.
"""

from __future__ import annotations

import os
import threading
from copy import copy, deepcopy
from typing import Any

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.utils.stats import PipelineStats

from doctobert_hf.errors import DataError

_POLL = 1.0
_number = 0
"""Of this worker: datatrove's ports and logs go by it."""


class LocalExecutor(LocalPipelineExecutor):
    """Runs parts in this process, or in a pool whose workers end with it."""

    def run(self) -> PipelineStats | None:
        """Run the parts that are not done.

        Returns:
            Their statistics; None where all were done before.
        """
        ranks = self.get_incomplete_ranks(range(self.local_tasks))
        self._launched = True
        if not ranks:
            return None
        self.save_executor_as_json()
        found = self._alone(ranks) if self.workers == 1 else self._in_pool(ranks)
        whole = sum(found, start=PipelineStats())
        with self.logging_dir.open("stats.json", "wt") as file:
            whole.save_to_disk(file)
        return whole

    def _alone(self, ranks: list[int]) -> list[PipelineStats]:
        return [self._fresh()._run_for_rank(rank) for rank in ranks]

    def _fresh(self) -> LocalExecutor:
        """Steps count what they did: each part has its own."""
        own = copy(self)
        own.pipeline = deepcopy(self.pipeline)
        return own

    def _in_pool(self, ranks: list[int]) -> list[PipelineStats]:
        import multiprocess

        context = multiprocess.get_context(self.start_method)
        with context.Pool(self.workers, _begin, (context.Value("i", 0), self.workers)) as pool:
            begun = list(pool._pool)
            found = pool.imap_unordered(self._run_numbered, ranks)
            done: list[PipelineStats] = []
            while len(done) < len(ranks):
                try:
                    done.append(found.next(timeout=_POLL))
                except multiprocess.TimeoutError:
                    _refuse_killed(begun)
            return done

    def _run_numbered(self, rank: int) -> PipelineStats:
        return self._run_for_rank(rank, _number)


def _refuse_killed(workers: list[Any]) -> None:
    """End a run of which a worker was killed: a pool waits for its part for ever.

    Raises:
        DataError: With the signal.
    """
    killed = next((worker for worker in workers if worker.exitcode), None)
    if killed is not None:
        raise DataError(
            f"A worker ended in the midst of its part (exit code {killed.exitcode})",
            "workers that live to the end of their parts",
            "-9 is mostly a machine without memory left: run the same command with fewer "
            "--workers; finished parts are kept",
        )


def _begin(taken: Any, workers: int) -> None:
    """Give a worker its number, and let it end when what started it is gone."""
    global _number
    with taken.get_lock():
        _number = taken.value % workers
        taken.value += 1
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocess import parent_process
    from multiprocess.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
