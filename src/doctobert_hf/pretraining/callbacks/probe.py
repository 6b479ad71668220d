"""A few fill-mask sentences after every evaluation: what the model has come to know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doctobert_hf.models.averaging import AVERAGED
from doctobert_hf.pretraining.probes import SENTENCES

FILE = "fill_mask.jsonl"


class FillMaskProbeCallback(TrainerCallback):
    """Writes the five likeliest words for each sentence to ``fill_mask.jsonl``.

    Works with any ``Trainer`` that has a tokenizer as ``processing_class``.

    Args:
        sentences: Texts with ``[MASK]``, which stands for the tokenizer's mask token.

    Example:
        >>> callback = FillMaskProbeCallback(["Le patient présente une [MASK] artérielle."])
        >>> # MLMTrainer(..., callbacks=[callback])
    """

    def __init__(self, sentences: Sequence[str] = SENTENCES) -> None:
        from doctobert_hf.corpus import require_texts

        require_texts(sentences, "sentences")
        self.sentences = tuple(sentences)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        processing_class: Any = None,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Ask the model."""
        if not state.is_world_process_zero or processing_class is None or model is None:
            return
        answers = fill_masks(model, processing_class, self.sentences)
        with open(Path(str(args.output_dir)) / FILE, "a", encoding="utf-8") as file:
            record: dict[str, Any] = {"step": state.global_step, "answers": answers}
            if any(name.startswith(f"{AVERAGED}_") for name in metrics or ()):
                record["averaged"] = True  # the checkpoint of this step has other weights
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def fill_masks(model: Any, tokenizer: Any, sentences: Sequence[str]) -> dict[str, list[str]]:
    """Return the five likeliest tokens of each sentence's first mask."""
    import torch

    training = model.training
    model.eval()
    answers = {}
    with torch.no_grad():
        for sentence in sentences:
            text = sentence.replace("[MASK]", tokenizer.mask_token)
            batch = tokenizer(text, return_tensors="pt").to(model.device)
            batch.pop("token_type_ids", None)
            places = (batch["input_ids"][0] == tokenizer.mask_token_id).nonzero()
            logits = model(**batch).logits[0, int(places[0])]
            answers[sentence] = [tokenizer.decode([i]) for i in logits.topk(5).indices.tolist()]
    model.train(training)
    return answers
