"""What runs a pipeline's parts: datatrove's local, Slurm or Ray executor."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Protocol

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from datatrove.executor.base import PipelineExecutor


class ExecutorSettings(Protocol):
    """What a configuration says of the machines: see ``StageConfig`` of FineMed."""

    tasks: int
    workers: int
    executor: Any
    slurm_partition: str
    slurm_time: str
    slurm_gpus: int
    slurm_memory: int
    slurm_setup: str | None


def make_executor(
    pipeline: list[Any], config: ExecutorSettings, logs: str, name: str, tasks: int | None = None
) -> PipelineExecutor:
    """Return the executor that a configuration asks for.

    Args:
        pipeline: datatrove's steps.
        config: ``executor``, ``tasks``, ``workers`` and Slurm's settings.
        logs: Folder of logs, statistics and markers.
        name: What the job is called.
        tasks: Parts, where they are not the configuration's.

    Raises:
        UsageError: Slurm or Ray is not here.
    """
    tasks = tasks or config.tasks
    workers = min(config.workers, tasks)
    if config.executor == "slurm":
        return _slurm(pipeline, config, logs, name, tasks)
    if config.executor == "ray":
        return _ray(pipeline, logs, tasks, workers, config.slurm_memory)
    from datatrove.executor.local import LocalPipelineExecutor

    return LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=logs)


def _slurm(
    pipeline: list[Any], config: ExecutorSettings, logs: str, name: str, tasks: int
) -> PipelineExecutor:
    from datatrove.executor.slurm import SlurmPipelineExecutor

    if shutil.which("sbatch") is None:
        raise UsageError(
            "executor 'slurm', and no sbatch on this machine",
            "a login node of the cluster",
            "Run the command there, or pass --executor local",
        )
    return SlurmPipelineExecutor(
        pipeline,
        tasks=tasks,
        time=config.slurm_time,
        partition=config.slurm_partition,
        workers=config.workers if config.workers < tasks else -1,
        mem_per_cpu_gb=config.slurm_memory,
        gpus_per_task=config.slurm_gpus,
        job_name=name,
        env_command=config.slurm_setup,
        logging_dir=logs,
        mail_type="NONE",
    )


def _ray(pipeline: list[Any], logs: str, tasks: int, workers: int, memory: int) -> PipelineExecutor:
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "executor 'ray' without ray", fix="Install it: pip install 'ray>=2.40'"
        ) from error
    from datatrove.executor.ray import RayPipelineExecutor

    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    return RayPipelineExecutor(
        pipeline, tasks=tasks, workers=workers, logging_dir=logs, mem_per_cpu_gb=memory / 4
    )
