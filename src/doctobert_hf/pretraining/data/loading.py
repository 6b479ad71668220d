"""The loader of packed steps, and what its workers do when the run is told to end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments
    from doctobert_hf.pretraining.data.dataset import PackedMLMDataset


def step_loader(stream: PackedMLMDataset, args: MLMTrainingArguments) -> DataLoader:
    """Return a loader of steps; its own generator leaves the model's random state alone.

    Args:
        stream: The steps.
        args: How many workers load them, and how these are started.
    """
    workers = args.dataloader_num_workers
    started: Any = getattr(args, "dataloader_multiprocessing_context", None)  # newer Transformers
    return DataLoader(
        stream,
        batch_size=None,
        num_workers=workers,
        collate_fn=as_is,
        prefetch_factor=args.dataloader_prefetch_factor if workers else None,
        pin_memory=args.dataloader_pin_memory and args.device.type == "cuda",
        worker_init_fn=leave_signals_to_the_trainer,
        multiprocessing_context=started if workers else None,
        generator=torch.Generator().manual_seed(0),
    )


class Endless(torch.utils.data.IterableDataset):
    """Stands for the stream where Trainer wants a dataset; :func:`step_loader` makes the data."""

    def __iter__(self) -> Any:
        raise NotImplementedError("MLMTrainer.get_train_dataloader makes the data")


def as_is(item: Any) -> Any:
    """Return a step as the stream made it; a function by name, so that workers may be spawned."""
    return item


def leave_signals_to_the_trainer(worker: int) -> None:
    """Go on loading when a whole process group is told to end: the last step needs its data.

    A worker whose trainer is gone ends by itself (torch watches for that).
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
