"""What must be the same for a run to go on from a checkpoint, and what its log already has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining.callbacks.logs import FILE

if TYPE_CHECKING:
    from doctobert_hf.pretraining.arguments import MLMTrainingArguments
    from doctobert_hf.pretraining.data.store import TokenStore


def fingerprint(args: MLMTrainingArguments, store: TokenStore, model: Any) -> dict[str, Any]:
    """Return what must be the same for the stream to go on where it was.

    Args:
        args: The run's arguments.
        store: Tokens it trains on.
        model: Configuration of the model.
    """
    manifest = store.manifest
    return {
        "tokens in the store": manifest.tokens,
        "documents in the store": hashlib.sha256(store.offsets.tobytes()).hexdigest()[:16],
        "tokenizer": manifest.tokenizer_hash[:16],
        "micro_batch_tokens": args.micro_batch_tokens,
        "global_batch_tokens": args.global_batch_tokens,
        "batch_warmup_tokens": args.batch_warmup_tokens,
        "mlm_probability": args.mlm_probability,
        **({} if tuple(args.objective) == ("mlm",) else {"objective": list(args.objective)}),
        **({"whole_word_masking": True} if args.whole_word_masking else {}),
        "long_share": args.long_share,
        **({"new_head_tokens": args.new_head_tokens} if args.new_head_tokens else {}),
        "seed": args.seed,
        "model_type": model.model_type,
        "hidden_size": model.hidden_size,
    }


_ONLY_IF_SET = ("objective", "whole_word_masking", "new_head_tokens")
"""Left out where they have their usual value, as in checkpoints from before they were there."""


def check_fingerprint(then: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse a checkpoint of another stream.

    Raises:
        UsageError: With the first thing that differs.
    """
    for key in (*then, *(key for key in _ONLY_IF_SET if key in now and key not in then)):
        if now.get(key) != then.get(key):
            raise _other(folder, key, then.get(key), now.get(key))


def check_settings(optimizer: Any, args: MLMTrainingArguments, folder: str | Path) -> None:
    """Refuse other settings of the optimizer than those of its state, which would hold.

    Raises:
        UsageError: Another rate, decay or other constant in the arguments.
    """
    for group in optimizer.param_groups:
        then = {
            "learning_rate": group.get("initial_lr", args.learning_rate),
            "weight_decay": group["weight_decay"] if _decays(group) else args.weight_decay,
            "adam_beta1": group["betas"][0],
            "adam_beta2": group["betas"][1],
            "adam_epsilon": group["eps"],
        }
        for name, value in then.items():
            if value != getattr(args, name):
                raise _other(folder, name, value, getattr(args, name))


def _decays(group: dict[str, Any]) -> bool:
    """Return whether a group is of matrices: norms and biases have no decay."""
    return any(parameter.dim() > 1 for parameter in group["params"])


def _other(folder: str | Path, key: str, then: Any, now: Any) -> UsageError:
    return UsageError(
        f"{folder} is of another recipe: its {key} is {then}, this one's {now}",
        "the recipe the checkpoint was made with",
        "Start a new run, or hand weights over with a new phase",
    )


def last_evaluation(run: Path, step: int) -> dict[str, Any] | None:
    """Return what a run's log has of an evaluation behind a step; None where there is none."""
    path = run / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = [json.loads(line) for line in lines if line.endswith("}")]
    return next((r for r in reversed(rows) if r["step"] == step and "eval_loss" in r), None)
