"""What runs a pipeline's parts: datatrove's local, Slurm or Ray executor."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from doctobert_hf.errors import UsageError

if TYPE_CHECKING:
    from datatrove.executor.base import PipelineExecutor


class ExecutorSettings(Protocol):
    """What a configuration says of the machines: see ``StageConfig`` of FineMed."""

    parts: int
    workers: int
    executor: Any
    slurm_partition: str | None
    slurm_account: str | None
    slurm_qos: str | None
    slurm_constraint: str | None
    slurm_time: str | None
    slurm_gpus: int
    slurm_memory: int
    slurm_setup: str | None


def check_executor(config: Any) -> None:
    """Refuse settings of Slurm jobs where none are made: they would do nothing.

    Raises:
        UsageError: There are some.
    """
    unused = [
        item.name
        for item in dataclasses.fields(config)
        if item.name.startswith("slurm_")
        and getattr(config, item.name) != item.default
        and not (config.executor == "ray" and item.name == "slurm_memory")
    ]
    if unused and config.executor != "slurm":
        raise UsageError(
            f"{', '.join(unused)} with executor '{config.executor}'", "executor slurm, or neither"
        )


def make_executor(
    pipeline: list[Any], config: ExecutorSettings, logs: str, name: str, tasks: int | None = None
) -> PipelineExecutor:
    """Return the executor that a configuration asks for.

    Args:
        pipeline: datatrove's steps.
        config: ``executor``, ``parts``, ``workers`` and Slurm's settings.
        logs: Folder of logs, statistics and markers.
        name: What the job is called.
        tasks: Parts, where they are not the configuration's.

    Raises:
        UsageError: Slurm or Ray is not here.
    """
    tasks = tasks or config.parts
    workers = min(config.workers, tasks)
    if config.executor == "slurm":
        return _slurm(pipeline, config, logs, name, tasks)
    if config.executor == "ray":
        return _ray(pipeline, logs, tasks, workers, config.slurm_memory)
    from doctobert_hf.local_executor import LocalExecutor

    return LocalExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=logs)


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

    class Executor(SlurmPipelineExecutor):
        """Asks for nothing that was not said, and quotes what has spaces."""

        def get_sbatch_args(self, max_array: int = 1) -> dict:
            found = SlurmPipelineExecutor.get_sbatch_args(self, max_array)
            return {k: shlex.quote(str(v)) if v else v for k, v in found.items() if v is not None}

        def get_launch_file_contents(self, sbatch_args: dict, run_script: str) -> str:
            place = self.logging_dir.resolve_paths("executor.pik")
            quoted = run_script.replace(place, shlex.quote(place))
            return SlurmPipelineExecutor.get_launch_file_contents(self, sbatch_args, quoted)

    return Executor(
        pipeline,
        tasks=tasks,
        time=config.slurm_time,
        partition=config.slurm_partition,
        qos=config.slurm_qos,
        sbatch_args={"account": config.slurm_account, "constraint": config.slurm_constraint},
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
            "executor 'ray' without ray", fix="Install it: pip install 'doctobert-hf[ray]'"
        ) from error
    from datatrove.executor.ray import RayPipelineExecutor

    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    return RayPipelineExecutor(
        pipeline, tasks=tasks, workers=workers, logging_dir=logs, mem_per_cpu_gb=memory / 4
    )


def run_once(executor: PipelineExecutor, marker: Path, left: str) -> None:
    """Run an executor; jobs of Slurm that were submitted and still wait are not submitted again.

    Args:
        executor: What runs the parts.
        marker: File that says that jobs were submitted, and which.
        left: What is not done yet, for the error.

    Raises:
        UsageError: Jobs wait or run, or ``sbatch`` refuses them.
    """
    refuse_second(marker, left)
    if not hasattr(executor, "get_sbatch_args"):
        executor.run()
        return
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    try:
        executor.run()
    except subprocess.CalledProcessError as error:
        marker.unlink(missing_ok=True)
        said = (error.stderr or error.stdout or b"").strip()
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise UsageError(
            f"sbatch refused the jobs ({words or f'exit code {error.returncode}'})",
            "jobs that the cluster takes",
            "See --slurm-partition, --slurm-account, --slurm-qos, --slurm-time, --slurm-memory",
        ) from error
    marker.write_text(str(getattr(executor, "job_id", None) or ""), encoding="utf-8")


def refuse_second(marker: Path, left: str) -> None:
    """Refuse to run parts whose jobs were submitted already and still wait or run.

    Raises:
        UsageError: With the way out.
    """
    if marker.is_file() and not _are_gone(marker.read_text(encoding="utf-8").split()):
        raise UsageError(
            f"Jobs were submitted for this, and {left}",
            "one run of jobs at a time",
            f"Wait for them (squeue); if they are gone, delete '{marker}' and run the same command",
        )


def _are_gone(jobs: list[str]) -> bool:
    """Return whether the cluster says that jobs neither wait nor run."""
    if not jobs or shutil.which("squeue") is None:
        return False
    asked = ["squeue", "--noheader", "--jobs", ",".join(jobs)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return "invalid job id" in told.stderr.lower() or (
        told.returncode == 0 and not told.stdout.strip()
    )
