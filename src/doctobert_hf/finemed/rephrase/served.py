"""A server of the run's own: datatrove starts vLLM or SGLang beside each part.

For machines where nobody serves a model: a Slurm job starts the server on its GPUs, asks it, and
ends it. Requests are those of :class:`.endpoint.Endpoint`, with its tries, rates and counts.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.pipeline.inference.run_inference import InferenceConfig
from datatrove.pipeline.inference.servers import InferenceServer, SGLangServer, VLLMServer

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.rephrase.endpoint import Endpoint

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import RephraseConfig

_WATCH = "import os, sys; sys.stdin.read(); os.kill(int(sys.argv[1]), 15)"
"""Ends a server whose run was killed: it would hold its GPUs for ever. The pipe closes with us."""
SERVERS: dict[str, type[InferenceServer]] = {"vllm": VLLMServer, "sglang": SGLangServer}
"""What datatrove can start."""


def require_server(config: RephraseConfig) -> None:
    """Refuse a server that is not installed; on Slurm the jobs' own environment tells.

    Raises:
        UsageError: With the command that installs it.
    """
    here = config.executor == "local"
    if config.server != "none" and here and importlib.util.find_spec(config.server) is None:
        raise UsageError(
            f"server '{config.server}', which is not installed",
            "the package in this environment",
            f"pip install {config.server}, or name a running server with --endpoint",
        )


def output_of_server(config: RephraseConfig) -> Path:
    """Folder of what servers print, a file for each part."""
    return Path(os.path.abspath(config.output)) / "server"


def inference_config(config: RephraseConfig) -> InferenceConfig:
    """Return datatrove's settings for a stage's configuration."""
    served = config.server != "none"
    options: dict[str, Any] = {}
    for given in config.server_options:
        name, told, value = given.partition("=")
        options[name.lstrip("-")] = value if told else True
    if config.model_revision:
        options.setdefault("revision", config.model_revision)
    return InferenceConfig(
        server_type=config.server if served else "endpoint",  # type: ignore[arg-type]
        endpoint_url=None if served else config.endpoint,
        model_name_or_path=config.model,
        model_max_context=config.server_context,
        tp=config.server_gpus,
        model_kwargs=options if served else None,
        server_log_folder=str(output_of_server(config)) if served else None,
        max_concurrent_generations=config.requests_at_once,
        metric_interval=3600,
    )


def started_server(
    inference: InferenceConfig, rank: int, config: RephraseConfig, again: bool
) -> Endpoint:
    """Return the server that ``config.server`` names, to be started, asked and ended.

    Args:
        inference: datatrove's settings.
        rank: Part.
        config: The stage's configuration.
        again: Whether it is asked for what failed before.
    """
    kind: Any = SERVERS[config.server]

    class Started(Endpoint, kind):
        """datatrove's process, our requests."""

        _watcher: subprocess.Popen[bytes] | None = None

        async def start_server(self) -> Any:
            await Endpoint.start_server(self)
            process = await kind.start_server(self)
            if process is not None:
                words = [sys.executable, "-c", _WATCH, str(process.pid)]
                self._watcher = subprocess.Popen(
                    words, stdin=subprocess.PIPE, start_new_session=True
                )
            return process

        async def server_cleanup(self) -> None:
            if self._watcher is not None:
                self._watcher.kill()
                self._watcher.communicate()
                self._watcher = None
            await super().server_cleanup()

        async def monitor_health(self) -> None:
            await kind.monitor_health(self)

        async def is_ready(self) -> bool:
            return await InferenceServer.is_ready(self)

        def get_base_url(self) -> str:
            return InferenceServer.get_base_url(self)

    return Started(inference, rank, config, again)
