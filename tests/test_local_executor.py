"""The local executor: what happens to its workers is told."""

import os
import signal

import pytest

from doctobert_hf.errors import DataError

pytest.importorskip("datatrove")

from datatrove.pipeline.base import PipelineStep

from doctobert_hf.local_executor import LocalExecutor


class EndsOne(PipelineStep):
    """Kills the worker of one part, as a machine without memory does."""

    name = type = "ends one"

    def run(self, data, rank=0, world_size=1):
        if rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_worker_that_is_killed_ends_the_run_and_is_told(tmp_path):
    executor = LocalExecutor([EndsOne()], tasks=4, workers=2, logging_dir=str(tmp_path))
    with pytest.raises(DataError, match=r"exit code -9.*finished parts are kept"):
        executor.run()
    left = executor.get_incomplete_ranks(skip_completed=True)
    assert 1 in left
