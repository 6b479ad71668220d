"""A callback that publishes while ``Trainer`` trains; training never fails by it."""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.trainers import copy_records
from doctobert_hf.hub.publish.push import PushReport, Target, push_model

logger = logging.getLogger(__name__)


class PushToHubCallback(TrainerCallback):
    """Publishes each checkpoint, or the model at the end, with a card made of the run's records.

    Each push is one commit on the target's branch, ``Step N``. A checkpoint is copied at once, so
    that ``save_total_limit`` may delete it, and sent in the background; while one is being sent, a
    newer one waits and replaces the one that waited. Works with any ``Trainer``.

    Args:
        target: Repository, or a :class:`~doctobert_hf.hub.publish.push.Target`.
        facts: Facts of the card; the licence is needed.
        every: ``checkpoint``, or ``end`` for the final model only.
        patience: Seconds to wait at the end for what is being sent; training then ends without it.

    Attributes:
        reports: What was published.
        errors: What was not, and why.

    Example:
        >>> facts = CardFacts(license="apache-2.0")
        >>> callback = PushToHubCallback("OWNER/model", facts, every="end")
        >>> # Trainer(..., callbacks=[callback])
    """

    def __init__(
        self,
        target: Target | str,
        facts: CardFacts,
        every: Literal["checkpoint", "end"] = "checkpoint",
        patience: float = 600.0,
    ) -> None:
        self.target = target if isinstance(target, Target) else Target(target)
        self.facts = facts
        self.every = every
        self.reports: list[PushReport] = []
        self.errors: list[Exception] = []
        self.patience = patience
        self._lock = threading.Lock()
        self._waiting: tuple[Path, int] | None = None
        self._sender: threading.Thread | None = None
        self._scratch: set[Path] = set()
        # The sender is a daemon; a run that ends by an error waits for it all the same.
        atexit.register(self._end)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Copy a checkpoint and send it in the background."""
        if self.every != "checkpoint" or not state.is_world_process_zero:
            return
        output = Path(str(args.output_dir))
        self._start(output / f"checkpoint-{state.global_step}", args, state)

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        processing_class: Any = None,
        **_: Any,
    ) -> None:
        """Wait for what is being sent, then publish the final model."""
        if not state.is_world_process_zero:
            return
        deadline = time.monotonic() + self.patience
        self.wait(deadline)
        if self._is_sending():  # it stalls, and the final model would only wait behind it
            return
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            try:
                model.save_pretrained(folder)
                if processing_class is not None:
                    processing_class.save_pretrained(folder)
            except Exception as error:
                self._failed(error)
                return
            self._start(folder, args, state)
            self.wait(deadline)

    def wait(self, deadline: float | None = None) -> None:
        """Wait until nothing is being sent, at most ``patience`` seconds.

        Args:
            deadline: When to give up (``time.monotonic``), where several waits share the time.
        """
        sender = self._sender
        if sender is None:
            return
        until = time.monotonic() + self.patience if deadline is None else deadline
        sender.join(max(0.0, until - time.monotonic()))
        if sender.is_alive():
            self._drop_waiting()
            self._failed(
                TimeoutError(f"the Hub did not take it within {self.patience:,.0f} seconds")
            )

    def _is_sending(self) -> bool:
        return self._sender is not None and self._sender.is_alive()

    def _end(self) -> None:
        """Wait when the process ends, and leave no copies of models behind."""
        if self._is_sending():
            self.wait()
        for scratch in list(self._scratch):
            shutil.rmtree(scratch, ignore_errors=True)

    def _start(self, model: Path, args: TrainingArguments, state: TrainerState) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="push-to-hub-"))
        self._scratch.add(scratch)
        try:
            shutil.copytree(
                model, scratch / "model", ignore=shutil.ignore_patterns("*.pt", "*.pth", "*.bin")
            )
            copy_records(scratch, args, state)
        except Exception as error:
            shutil.rmtree(scratch, ignore_errors=True)
            self._failed(error)
            return
        with self._lock:
            replaced, self._waiting = self._waiting, (scratch, state.global_step)
            idle = self._sender is None or not self._sender.is_alive()
            if idle:
                # A daemon: a server that stalls does not keep the process from ending.
                self._sender = threading.Thread(target=self._send, daemon=True)
                self._sender.start()
        if replaced is not None:
            shutil.rmtree(replaced[0], ignore_errors=True)
            logger.info("Step %d is not published: a newer one is", replaced[1])

    def _send(self) -> None:
        """Send what waits, until nothing does."""
        while True:
            with self._lock:
                item, self._waiting = self._waiting, None
                if item is None:
                    self._sender = None
                    return
            self._push(*item)

    def _drop_waiting(self) -> None:
        with self._lock:
            item, self._waiting = self._waiting, None
        if item is not None:
            shutil.rmtree(item[0], ignore_errors=True)

    def _push(self, scratch: Path, step: int) -> None:
        try:
            message = self.target.message or f"Step {step}"
            target = replace(self.target, message=message)
            self.reports.append(push_model(scratch, target, self.facts))
        except Exception as error:
            self._failed(error)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            self._scratch.discard(scratch)

    def _failed(self, error: Exception) -> None:
        self.errors.append(error)
        logger.warning("Not published, training goes on: %s", error)
