"""What a run ran on: versions and hardware, for bug reports, run folders and benchmark results."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from typing import Any

PACKAGES = (
    "doctobert-hf",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "sentencepiece",
    "accelerate",
    "huggingface_hub",
    "numpy",
    "pyarrow",
    "evaluate",
    "sentence-transformers",
    "pylate",
    "datatrove",
    "optuna",
)


def package_versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str | None]:
    """Return the installed version of each distribution, None where it is absent."""
    versions: dict[str, str | None] = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def environment_report(with_torch: bool = False) -> dict[str, Any]:
    """Return versions, platform and hardware as plain JSON types.

    Args:
        with_torch: Also ask torch for its accelerator, which costs its import (seconds).
    """
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cpu_count": os.cpu_count(),
        "packages": package_versions(),
        "offline": os.environ.get("HF_HUB_OFFLINE", "0"),
    }
    if with_torch:
        import torch

        report["cuda"] = torch.version.cuda
        report["accelerator"] = (
            torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none (CPU)"
        )
        report["torch_threads"] = torch.get_num_threads()
    return report


def check_bf16() -> None:
    """Refuse bfloat16 where neither a GPU nor the processor computes with it.

    Raises:
        UsageError: With what is there.
    """
    import torch

    from doctobert_hf.errors import UsageError

    if torch.cuda.is_available():
        there, able = torch.cuda.get_device_name(0), torch.cuda.is_bf16_supported()
    elif torch.backends.mps.is_available():
        there, able = "Apple's GPU", True
    else:
        there, able = f"no GPU ({_processor()})", _cpu_has_bf16()
    if not able:
        raise UsageError(
            f"bf16 on {there}",
            "a GPU that has it (Ampere or newer), or a processor with AVX512-BF16 or AMX",
            "Pass --no-bf16",
        )


def has_bf16() -> bool:
    """Return whether a GPU or the processor computes with bfloat16."""
    from doctobert_hf.errors import UsageError

    try:
        check_bf16()
    except UsageError:
        return False
    return True


def check_compile() -> None:
    """Refuse ``torch_compile`` without a CUDA GPU.

    There the attention is the per-document reference, whose shapes follow the documents: the
    compiler would build a graph for every packing, and fails on some.

    Raises:
        UsageError: No CUDA GPU is there.
    """
    import torch

    from doctobert_hf.errors import UsageError

    if not torch.cuda.is_available():
        raise UsageError("torch_compile without a CUDA GPU", "one", "Pass --no-torch-compile")


def check_report_to(names: str | Sequence[str] | None, installed: bool = True) -> None:
    """Refuse integrations that ``Trainer`` does not know or that are not installed.

    ``Trainer`` says so itself, but when it is made: after a corpus was tokenised.

    Args:
        names: ``report_to``.
        installed: Whether they must be installed here; a plan may be of another machine.

    Raises:
        UsageError: With the nearest name.

    Example:
        >>> check_report_to("none")
        >>> check_report_to(["doctobert"])
    """
    asked = [names] if isinstance(names, str) else list(names or ())
    if not asked or asked in (["none"], ["all"]):  # as TrainingArguments reads them
        return
    from transformers.integrations import integration_utils

    from doctobert_hf.errors import UsageError, nearest

    known: dict[str, Any] = dict(integration_utils.INTEGRATION_TO_CALLBACK)
    there = integration_utils.get_available_reporting_integrations()
    for name in asked:
        if name in ("none", "all"):
            raise UsageError(
                f"report_to {', '.join(asked)}", f"'{name}' alone, or names without it"
            )
        if name not in known:
            raise UsageError(f"report_to '{name}'", fix=nearest(name, [*known, "none", "all"]))
        theirs = known[name].__module__.startswith("transformers.")
        if installed and theirs and name not in there and name not in _UNLISTED:
            raise UsageError(
                f"report_to '{name}', which is not installed here",
                f"none, doctobert or one that is installed ({', '.join(there) or 'none is'})",
                "Install its package, or leave it out",
            )


_UNLISTED = ("azure_ml", "flyte")
"""Integrations that Transformers does not always list where they are installed."""


def _cpu_has_bf16() -> bool:
    import torch

    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        probe = getattr(torch.cpu, name, None)
        if probe is not None and probe():
            return True
    return False


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
