"""A quick look at a model: small parts of three tasks, fixed settings, one seed.

The scores compare models and checkpoints on one machine (in bfloat16 where it has it); they are not
benchmark results.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doctobert_hf.drbenchmark.check import data_found
from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters
from doctobert_hf.drbenchmark.finetuning.workbench import Context, workbench
from doctobert_hf.drbenchmark.scoring import score_predictions
from doctobert_hf.drbenchmark.tasks import get_task
from doctobert_hf.environment import has_bf16
from doctobert_hf.errors import DoctobertError, UsageError
from doctobert_hf.pretraining.checkpoints import list_checkpoints

logger = logging.getLogger(__name__)
TASKS = ("quaero_medline", "e3c_clinical", "e3c_temporal")
"""Entities: of several labels a text (MorFITT) so few rows teach nothing, and the score is 0."""
ROWS = 400
"""Training rows of each task."""
EVALUATED = 200
"""Rows of validation and of test, as many of each."""
MAX_LENGTH = 128
"""Tokens of a sequence; of longer texts the beginning is read."""
PARAMETERS = HyperParameters(learning_rate=1e-4, epochs=4, batch_size=16, warmup_ratio=0.1)


def probe(
    encoder: ModelRef,
    data_dir: str | Path | None = None,
    seed: int = 42,
    tell: Callable[[str, dict[str, float]], None] | None = None,
) -> dict[str, dict[str, float]]:
    """Fine-tune on parts of three tasks and score parts of their test splits.

    Args:
        encoder: The model.
        data_dir: Raw corpora; None for the default places.
        seed: Seed of heads and order.
        tell: Called with each task and its scores as soon as they are known.

    Returns:
        By task, ``score`` (its metric, 0 to 1) and ``seconds``. Tasks without data are left out.

    Raises:
        UsageError: None of the three corpora is there.
    """
    found = [name for name in TASKS if data_found(get_task(name), data_dir) not in _ABSENT]
    if not found:
        raise UsageError(
            f"None of {', '.join(TASKS)} has its raw data here",
            fix="Pass data_dir (--data-dir), or set DOCTOBERT_DATA_DIR",
        )
    scores = {}
    for name in found:
        begin = time.perf_counter()
        context = Context(
            encoder,
            name,
            "doctobert",
            max_length=MAX_LENGTH,
            long_inputs="truncate",
            data_dir=str(data_dir) if data_dir else None,
            max_train_rows=ROWS,
            max_eval_rows=EVALUATED,
            evaluations=2,
            bf16=has_bf16(),
        )
        bench = workbench(context)
        trainer = bench.fine_tune(PARAMETERS, seed)
        test = bench.splits["test"]
        result = score_predictions(bench.task, trainer.predictions(test.items), test.references)
        value = float(result[bench.task.metric_key])
        scores[name] = {"score": value, "seconds": time.perf_counter() - begin}
        if tell is not None:
            tell(name, scores[name])
    return scores


_ABSENT = ("missing", "unreadable", "download")


class BenchmarkProbeCallback(TrainerCallback):
    """Probes every n-th checkpoint of a run and writes ``probe.jsonl``; works with any ``Trainer``.

    A probe that fails is a warning and does not end the training.

    Args:
        data_dir: Raw corpora; None for the default places.
        every: Checkpoints from one probe to the next.

    Example:
        >>> callback = BenchmarkProbeCallback(data_dir="raw", every=2)
        >>> callback.every
        2
    """

    def __init__(self, data_dir: str | Path | None = None, every: int = 1) -> None:
        self.data_dir, self.every = data_dir, every
        self._saved = 0

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Probe the checkpoint just written, on one process."""
        self._saved += 1
        if self._saved % self.every or not state.is_world_process_zero:
            return
        folder = Path(str(args.output_dir))
        import torch

        # The probe draws seeds of its own: the run's must not notice.
        with torch.random.fork_rng(enabled=True):
            states = _host_random()
            try:
                scores = probe(ModelRef.find(str(list_checkpoints(folder)[-1])), self.data_dir)
            except DoctobertError as error:
                logger.warning("The probe at step %d failed: %s", state.global_step, error)
                return
            finally:
                _restore_host_random(states)
        line = {"step": state.global_step} | {k: v["score"] for k, v in scores.items()}
        with open(folder / "probe.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _host_random() -> tuple[Any, Any]:
    import random

    import numpy as np

    return random.getstate(), np.random.get_state()


def _restore_host_random(states: tuple[Any, Any]) -> None:
    import random

    import numpy as np

    random.setstate(states[0])
    np.random.set_state(states[1])
