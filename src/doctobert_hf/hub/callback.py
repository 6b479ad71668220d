"""A callback that publishes while ``Trainer`` trains; training never fails by it."""

from __future__ import annotations

import logging
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doctobert_hf.hub.facts import CardFacts
from doctobert_hf.hub.push import Report, Target, push_model

logger = logging.getLogger(__name__)


class PushToHubCallback(TrainerCallback):
    """Publishes each checkpoint, or the model at the end, with a card made of the run's records.

    Each push is one commit on the target's branch, ``Step N``. A checkpoint is copied at once, so
    that ``save_total_limit`` may delete it, and sent in the background; while one is being sent, a
    newer one waits and replaces the one that waited. Works with any ``Trainer``.

    Args:
        target: Repository, or a :class:`~doctobert_hf.hub.push.Target`.
        facts: Facts of the card; the licence is needed.
        every: ``checkpoint``, or ``end`` for the final model only.
    """

    def __init__(
        self,
        target: Target | str,
        facts: CardFacts,
        every: Literal["checkpoint", "end"] = "checkpoint",
    ) -> None:
        self.target = target if isinstance(target, Target) else Target(target)
        self.facts = facts
        self.every = every
        self.reports: list[Report] = []
        self.errors: list[Exception] = []
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="push-to-hub")
        self._running: Future[None] | None = None

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Copy a checkpoint and send it in the background."""
        if self.every != "checkpoint" or not state.is_world_process_zero:
            return
        if self._running is not None and not self._running.done():
            logger.warning(
                "Step %d is not published: an earlier one is still being sent", state.global_step
            )
            return
        output = Path(str(args.output_dir))
        self._start(output / f"checkpoint-{state.global_step}", output, state)

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
        self.wait()
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            try:
                model.save_pretrained(folder)
                if processing_class is not None:
                    processing_class.save_pretrained(folder)
            except Exception as error:
                self._failed(error)
                return
            self._start(folder, Path(str(args.output_dir)), state)
            self.wait()

    def wait(self) -> None:
        """Wait until nothing is being sent."""
        if self._running is not None:
            self._running.result()

    def _start(self, model: Path, run: Path, state: TrainerState) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="push-to-hub-"))
        try:
            shutil.copytree(
                model, scratch / "model", ignore=shutil.ignore_patterns("*.pt", "*.pth", "*.bin")
            )
            for name in ("resolved_config.yaml", "environment.json", "metrics.jsonl"):
                if (run / name).is_file():
                    shutil.copy(run / name, scratch / name)
        except Exception as error:
            shutil.rmtree(scratch, ignore_errors=True)
            self._failed(error)
            return
        self._running = self._pool.submit(self._push, scratch, state.global_step)

    def _push(self, scratch: Path, step: int) -> None:
        try:
            message = self.target.message or f"Step {step}"
            target = replace(self.target, message=message)
            self.reports.append(push_model(scratch, target, self.facts))
        except Exception as error:
            self._failed(error)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _failed(self, error: Exception) -> None:
        self.errors.append(error)
        logger.warning("Not published, training goes on: %s", error)
