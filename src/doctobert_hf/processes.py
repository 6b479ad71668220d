"""The processes of one run that torchrun starts, which this is and what stops it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any


def rank() -> int:
    """Return this process's number; 0 without torchrun.

    Example:
        >>> rank()
        0
    """
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Return how many processes there are; 1 without torchrun.

    Example:
        >>> world_size()
        1
    """
    return int(os.environ.get("WORLD_SIZE", "1"))


def on_processor() -> bool:
    """Return whether training must be told that it runs on the processor.

    Transformers finds no way for several processes to speak to each other on a machine without a
    GPU unless ``use_cpu`` is set: each then takes itself for the only one, trains a copy of its own
    and writes over the others.

    Example:
        >>> import torch
        >>> on_processor() == (not torch.accelerator.is_available())
        True
    """
    import torch

    return not torch.accelerator.is_available()


@contextlib.contextmanager
def main_first(arguments: Any) -> Iterator[None]:
    """Let the first process of all do something before the others, for as long as it takes.

    ``TrainingArguments.main_process_first`` gives up after ``ddp_timeout`` seconds, which is
    shorter than a large corpus takes, and lets one process of each node begin.

    Args:
        arguments: Of a trainer: they have opened the way between the processes.

    Example:
        >>> from transformers import TrainingArguments
        >>> with main_first(TrainingArguments("run", use_cpu=True)):
        ...     print("the first")
        the first
    """
    if arguments.world_size == 1:
        yield
        return
    import datetime

    import torch.distributed as dist

    group = dist.new_group(backend="gloo", timeout=datetime.timedelta(days=365))
    if arguments.process_index:
        dist.barrier(group)
    yield
    if not arguments.process_index:
        dist.barrier(group)


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM stop what is inside as Ctrl-C does, so that it cleans up behind itself.

    Outside the main thread, where Python takes no signals, nothing changes.

    Example:
        >>> with sigterm_interrupts():
        ...     pass
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt("Stopped by SIGTERM.")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
