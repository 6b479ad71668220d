"""What a stock ``Trainer`` knows of its training, put on record so that a card can say it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.files import write_json_atomic, write_text_atomic
from doctobert_hf.runs.record import RECORD, RunRecord

if TYPE_CHECKING:
    from transformers import TrainerState, TrainingArguments

ARGUMENTS = (
    *("learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "optim", "seed"),
    *("per_device_train_batch_size", "gradient_accumulation_steps", "num_train_epochs"),
    *("max_steps", "bf16", "fp16", "max_tokens", "warmup_tokens", "mlm_probability"),
)
"""What decides a training; a card shows those that a version of Transformers has."""
ROWS = 10
"""Of the log in a card; all of it is in ``training/metrics.jsonl``."""


def copy_records(folder: Path, args: TrainingArguments, state: TrainerState) -> None:
    """Put the records of a training beside a copy of its model, ``folder/model``.

    Args:
        folder: Where the copy is.
        args: The trainer's arguments; ``output_dir`` is a run of ours, or a stock Trainer's.
        state: Its state, as it is now: a checkpoint's log ends where the checkpoint does.
    """
    run = Path(str(args.output_dir))
    if not (run / "resolved_config.yaml").is_file():
        _write_record(folder, args, state)
        return
    for name in ("resolved_config.yaml", "environment.json", "metrics.jsonl"):
        if (run / name).is_file():
            shutil.copy(run / name, folder / name)


def _write_record(folder: Path, args: TrainingArguments, state: TrainerState) -> None:
    from doctobert_hf.environment import environment_report

    log = [dict(row) for row in state.log_history]
    values = args.to_dict()
    if (values.get("max_steps") or -1) > 0:  # which decides alone
        values["num_train_epochs"] = None
    record = RunRecord(
        kind="trainer",
        settings={},
        outputs={"model": {}},
        results={
            "trainer": {
                "arguments": {k: values[k] for k in ARGUMENTS if values.get(k) not in (None, -1)},
                "steps": state.global_step,
                "log": _thinned([row for row in log if "loss" in row]),
                "metrics": _last_evaluation(log),
            }
        },
        status="finished",
    )
    record.write(folder / RECORD)
    write_text_atomic(folder / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in log))
    write_json_atomic(folder / "environment.json", environment_report(with_torch=True))


def _thinned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows at even distances, the last among them."""
    step = max(1, -(-len(rows) // ROWS))
    return rows[::-1][::step][::-1]


def _last_evaluation(log: list[dict[str, Any]]) -> dict[str, float]:
    """Return the metrics of the last evaluation, without how long it took."""
    times = ("_runtime", "_per_second", "_time")
    rows = [row for row in log if any(key.startswith("eval_") for key in row)]
    return {
        key: value
        for key, value in (rows[-1] if rows else {}).items()
        if key.startswith("eval_") and not key.endswith(times) and isinstance(value, int | float)
    }
