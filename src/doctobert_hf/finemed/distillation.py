"""Distilling an annotator: an encoder trained through ``Trainer`` on labels of a large model.

Source: FineMed's students are ModernCamemBERT-base, three epochs at batch 256, linear schedule with
a warm-up of 0.1; first on many labels of a small teacher at 2e-5, then on fewer of a large one at
1e-5. Their best checkpoint was chosen on the test set; here validation and test are apart.
"""

from __future__ import annotations

import dataclasses
import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.corpus import iter_documents
from doctobert_hf.environment import package_versions
from doctobert_hf.errors import DataError, UsageError, nearest
from doctobert_hf.files import write_json_atomic
from doctobert_hf.finemed.taxonomy import QUALITY, SUBDOMAINS

RECORD = "distillation.json"

if TYPE_CHECKING:
    from datasets import Dataset

    from doctobert_hf.finemed.config import DistilConfig


def read_labels(config: DistilConfig) -> list[dict[str, Any]]:
    """Read labelled documents: ``text``, ``label``, and ``url`` if there is one.

    Raises:
        DataError: A label that is not of the taxonomy, with the row; or too few rows to split.
    """
    rows = []
    for place in config.input:
        for number, row in enumerate(iter_documents(place, config.text_column)):
            value = row.get(config.label_column)
            label = _label(value, config.axis, f"row {number} of '{place}'")
            url = row.get("url") if config.url_prefix else None
            text = row[config.text_column]
            rows.append({"text": f"{url}\n\n{text}" if url else text, "label": label})
    if len(rows) < 20:
        raise DataError(f"{len(rows)} labelled documents", "at least 20, to split them in three")
    return rows


def _label(value: Any, axis: str, where: str) -> int | float:
    if axis == "subdomain":
        if value not in SUBDOMAINS:
            raise DataError(
                f"The label {value!r} in {where}", fix=nearest(str(value), list(SUBDOMAINS))
            )
        return SUBDOMAINS.index(value)
    try:
        score = float(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"The score {value!r} in {where}", "a number from 0 to 5") from error
    if not QUALITY[0] <= score <= QUALITY[1]:
        raise DataError(f"The score {score} in {where}", "from 0 to 5")
    return score


def split_rows(rows: list[dict[str, Any]], seed: int) -> dict[str, Dataset]:
    """Train, validation and test: 80, 10 and 10 %, the same text never in two of them."""
    import hashlib

    from datasets import Dataset

    parts: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "test": []}
    for row in rows:
        digest = hashlib.blake2b(f"{seed}\0{row['text']}".encode(), digest_size=4).digest()
        place = int.from_bytes(digest, "big") / 2**32
        name = "test" if place < 0.1 else "validation" if place < 0.2 else "train"
        parts[name].append(row)
    empty = [name for name, found in parts.items() if not found]
    if empty:
        raise DataError(f"No document falls into {', '.join(empty)}", "more labelled documents")
    return {name: Dataset.from_list(found) for name, found in parts.items()}


def distil(config: DistilConfig, overwrite: bool = False) -> dict[str, Any]:
    """Train the annotator; save it with ``distillation.json``, its scores on both held-out parts.

    A run that was stopped goes on from its last checkpoint. On Slurm it is submitted as one job,
    and the call behind it returns what the job wrote.

    Args:
        config: The configuration.
        overwrite: Move another run that is in the folder aside.

    Raises:
        UsageError: The folder holds something else.
        DataError: Labels that are not of the taxonomy.
    """
    from doctobert_hf.finemed.config import what_it_makes
    from doctobert_hf.runs import open_run

    config.check_input()
    if config.parts > 1 or config.workers > 1:
        raise UsageError("parts or workers with distil", "1 of each: it is one training")
    local = [place for place in config.input if "://" not in place]
    settings = what_it_makes(config)
    with open_run(
        *(config.output, "finemed-distil", settings, local),
        overwrite=overwrite,
        uses=(config.model,),
    ) as run:
        if not _trained(config):
            return {}
        run.finish("model", "checkpoints", RECORD)
    return _told(json.loads((Path(config.output) / RECORD).read_text(encoding="utf-8")))


def _trained(config: DistilConfig) -> bool:
    """Train, here or as one task of the executor; return whether it is done."""
    from doctobert_hf.executors import refuse_second
    from doctobert_hf.finemed.stage import run_parts

    folder = Path(os.path.abspath(config.output))
    if config.executor == "local":
        refuse_second(folder / "logs.submitted", "the model is not trained")
        _distil(config)
        return True
    there = dataclasses.replace(config, output=folder)
    return run_parts([partial(_work, config=there)], config, folder, "finemed-distil", tasks=1)


def _work(data: Any, rank: int = 0, world_size: int = 1, *, config: DistilConfig) -> Any:
    """The training as a step of datatrove's; no document goes on from it."""
    _distil(config)
    yield from ()


def _told(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the table that the command prints."""
    scores = record["scores"]
    rows = [[name, *(f"{value:.4f}" for value in found.values())] for name, found in scores.items()]
    return {**record, "tables": [{"title": "", "header": ["split", *scores["test"]], "rows": rows}]}


def _distil(config: DistilConfig) -> None:
    from transformers import AutoModelForSequenceClassification, set_seed

    from doctobert_hf.models.opening import open_pretrained, open_tokenizer

    folder = Path(config.output)
    parts = split_rows(read_labels(config), config.seed)
    set_seed(config.seed)
    tokenizer = open_tokenizer(config.model)
    labels = SUBDOMAINS if config.axis == "subdomain" else ("quality",)
    model = open_pretrained(
        AutoModelForSequenceClassification,
        config.model,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        problem_type="single_label_classification" if len(labels) > 1 else "regression",
        ignore_mismatched_sizes=True,
    )
    trainer, encoded = _trainer(config, model, tokenizer, parts)
    stopped = any((folder / "checkpoints").glob("checkpoint-*"))
    trainer.train(resume_from_checkpoint=stopped)
    scores = {
        name: _plain(trainer.evaluate(encoded[name], metric_key_prefix=name))
        for name in ("validation", "test")
    }
    trainer.save_model(str(folder / "model"))
    record = {
        "axis": config.axis,
        "model": config.model,
        "rows": {name: len(part) for name, part in parts.items()},
        "scores": scores,
        "seed": config.seed,
        "versions": package_versions(),
    }
    write_json_atomic(folder / RECORD, record)


def _plain(scores: dict[str, float]) -> dict[str, float]:
    """Scores without the prefix of their split and without timings."""
    named = {key.split("_", 1)[1]: value for key, value in scores.items() if "_" in key}
    return {key: named[key] for key in ("accuracy", "macro_f1", "mse", "spearman") if key in named}


def _trainer(
    config: DistilConfig, model: Any, tokenizer: Any, parts: dict[str, Dataset]
) -> tuple[Any, dict[str, Dataset]]:
    """The trainer, and the parts as token ids."""
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    from doctobert_hf.models.positions import max_positions
    from doctobert_hf.pretraining.callbacks.logs import StepProgressCallback, show_progress

    positions = max_positions(model.config) or config.max_length
    length = min(config.max_length, positions, tokenizer.model_max_length)

    def encode(batch: dict[str, list[Any]]) -> dict[str, Any]:
        encoded = tokenizer(batch["text"], truncation=True, max_length=length)
        return {**encoded, "labels": batch["label"]}

    encoded = {
        name: part.map(encode, batched=True, remove_columns=part.column_names)
        for name, part in parts.items()
    }
    best = "accuracy" if config.axis == "subdomain" else "mse"
    steps = max(1, len(parts["train"]) // config.batch_size)
    arguments = TrainingArguments(
        output_dir=str(Path(config.output) / "checkpoints"),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.micro_batch_size,
        per_device_eval_batch_size=config.micro_batch_size,
        gradient_accumulation_steps=max(1, config.batch_size // config.micro_batch_size),
        learning_rate=config.learning_rate,
        weight_decay=0.01,
        warmup_steps=max(1, int(0.1 * steps * config.epochs)),
        eval_strategy="steps",
        eval_steps=min(config.eval_steps, steps),
        save_steps=min(config.eval_steps, steps),
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model=best,
        greater_is_better=best == "accuracy",
        logging_steps=max(1, steps // 10),
        report_to="none",
        bf16=_has_gpu(),
        seed=config.seed,
        dataloader_pin_memory=_has_gpu(),
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=encoded["train"],
        eval_dataset=encoded["validation"],
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
        compute_metrics=_accuracy if config.axis == "subdomain" else _errors,
    )
    show_progress(trainer, StepProgressCallback("training", f"eval_{best}"))
    return trainer, encoded


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _accuracy(output: Any) -> dict[str, float]:
    from doctobert_hf.metrics import weighted_f1

    scores = weighted_f1(output.predictions.argmax(-1), output.label_ids)
    return {name: scores[name] for name in ("accuracy", "macro_f1")}


def _errors(output: Any) -> dict[str, float]:
    from doctobert_hf.finemed.statistics import spearman

    predicted, gold = output.predictions.reshape(-1), output.label_ids.reshape(-1)
    rank = spearman(list(zip(predicted.tolist(), gold.tolist(), strict=True)))
    found = {"mse": float(((predicted - gold) ** 2).mean())}
    return found if rank is None else {**found, "spearman": rank}
