"""Whether a model, a tokenizer and a store fit each other."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError
from doctobert_hf.models.extending import read_extension
from doctobert_hf.models.opening import has_vocabulary
from doctobert_hf.models.positions import max_positions
from doctobert_hf.pretraining.data.store import TokenStore, tokenizer_fingerprint
from doctobert_hf.processes import world_size

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from doctobert_hf.pretraining.arguments import MLMTrainingArguments

logger = logging.getLogger(__name__)


def check_tokenizer(
    source: str,
    architecture: PretrainedConfig,
    tokenizer: PreTrainedTokenizerBase,
    folder: str | None = None,
) -> dict[str, Any] | None:
    """Check that a tokenizer is the one a model was trained with, or extends it.

    Args:
        source: The model.
        architecture: Its configuration.
        tokenizer: The tokenizer.
        folder: Where it is from.

    Returns:
        How it extends the model's own, if it does.

    Raises:
        UsageError: Another vocabulary, or another padding id, than the model's.
    """
    from transformers import AutoTokenizer

    try:
        own = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError):
        own = None  # saved without one
    if own is None or not has_vocabulary(own):
        own = None
        logger.warning(
            "'%s' has no tokenizer of its own: whether its embeddings belong to the ids of the one "
            "given cannot be seen",
            source,
        )
    extension = None
    if own is not None and own.get_vocab() != tokenizer.get_vocab():
        extension = read_extension(folder, own)
    if own is not None and extension is None and own.get_vocab() != tokenizer.get_vocab():
        theirs, ours = own.get_vocab(), tokenizer.get_vocab()
        other = next((t for t, i in ours.items() if theirs.get(t) != i), next(iter(theirs)))
        raise UsageError(
            f"A tokenizer of {len(ours):,} tokens that is not that of '{source}' "
            f"({len(theirs):,}): '{other}' has another id",
            "the model's own tokenizer: its embeddings belong to its ids",
            "Leave --tokenizer out, or extend the model's own (doctobert-hf tokenizer extend)",
        )
    if own is not None and extension is None:
        _check_rules(source, own, tokenizer)
    _check_padding(f"'{source}'", architecture, tokenizer)
    if tokenizer.mask_token_id is None:
        raise UsageError(f"The tokenizer of '{source}' has no mask token", "one")
    return extension


def _check_rules(
    source: str, own: PreTrainedTokenizerBase, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Refuse other special tokens than the model's, and tell of other rules of splitting.

    Raises:
        UsageError: With both ids.
    """
    for name in ("mask", "cls", "sep", "bos", "eos", "unk"):
        theirs = getattr(own, f"{name}_token_id", None)
        ours = getattr(tokenizer, f"{name}_token_id", None)
        if theirs is not None and ours != theirs:
            raise UsageError(
                f"The {name} token has id {ours} in the tokenizer, {theirs} in that of '{source}'",
                "the model's own special tokens",
                "Leave --tokenizer out",
            )
    fast = hasattr(own, "backend_tokenizer")
    if fast and tokenizer_fingerprint(own) != tokenizer_fingerprint(tokenizer):
        logger.warning(
            "the tokenizer has the vocabulary of '%s', but other rules (case, accents, merges or "
            "special tokens around a text): the model has seen its text cut otherwise",
            source,
        )


def _check_padding(whose: str, architecture: Any, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse another padding id than the model's: RoBERTa's positions count from it."""
    pad = getattr(architecture, "pad_token_id", None)
    if pad is not None and tokenizer.pad_token_id is not None and pad != tokenizer.pad_token_id:
        raise UsageError(
            f"Padding id {tokenizer.pad_token_id} of the tokenizer and {pad} of {whose}",
            "the same",
            "Correct pad_token_id in config.json, or the tokenizer's pad_token",
        )


def check_devices(gpus: int) -> None:
    """Refuse several GPUs in one process: ``DataParallel`` would cut packed rows.

    Args:
        gpus: GPUs of this process.

    Raises:
        UsageError: With the command that starts a process for each.
    """
    if gpus > 1:
        raise UsageError(
            f"{gpus} GPUs in one process, which packed rows cannot be shared out over",
            "one process for each GPU",
            f"Start torchrun --nproc-per-node {gpus} -m doctobert_hf pretrain ..., or choose "
            "one: CUDA_VISIBLE_DEVICES=0",
        )


def check_several(asked: bool) -> None:
    """Refuse shards in one process, before any work.

    Args:
        asked: Whether the arguments ask for FSDP.

    Raises:
        UsageError: With the command that starts a process for each GPU.
    """
    if asked and world_size() == 1:
        raise UsageError(
            "fsdp in one process, which has nobody to share the model with",
            "one process for each GPU",
            "Start torchrun --nproc-per-node GPUS -m doctobert_hf pretrain ..., or leave fsdp out: "
            "models of this size fit one device",
        )


def check_sharding(asked: bool, sharded: bool, device: str) -> None:
    """Refuse whole copies where shards were asked for.

    Args:
        asked: Whether the arguments ask for FSDP.
        sharded: Whether accelerate will shard.
        device: Type of the device.

    Raises:
        UsageError: It will not.
    """
    if asked and not sharded:
        import accelerate
        import transformers

        raise UsageError(
            f"fsdp on '{device}': accelerate {accelerate.__version__} with transformers "
            f"{transformers.__version__} would train whole copies and not say so",
            "several GPUs, a process each",
            "Leave fsdp out: models of this size fit one device",
        )


def tell_of_slow_attention(args: Any) -> None:
    """Warn where a GPU would train in float32: its kernel takes half precision only."""
    if args.device.type == "cuda" and not (args.bf16 or args.fp16):
        logger.warning(
            "float32 on a GPU attends one document after another, many times slower than "
            "bf16=True (--bf16), which keeps weights and optimizer in float32"
        )


def make_ready(model: PreTrainedModel, args: MLMTrainingArguments) -> None:
    """Give a model float32 weights, the packed attention and the sparse head; again: no change.

    Raises:
        UsageError: It mixes the documents of a row, or cannot see the past only and has to.
    """
    from doctobert_hf.pretraining.attention import use_attention
    from doctobert_hf.pretraining.head import prepare_model, require_causal

    in_float32(model)
    use_attention(model)
    prepare_model(model, args.head_chunk, args.packing)
    if args.objective_schedule().is_causal_somewhere:
        require_causal(model)


def in_float32(model: PreTrainedModel) -> None:
    """Bring a model to float32, whatever it was loaded in; half precision is for the products.

    In half precision a weight does not move: its steps are smaller than its last digit.
    """
    import torch

    half = {p.dtype for p in model.parameters() if p.dtype in (torch.float16, torch.bfloat16)}
    if half:
        logger.warning(
            "a model in %s: it is trained in float32 (bf16=True has the products in bfloat16)",
            ", ".join(sorted(str(kind).removeprefix("torch.") for kind in half)),
        )
        model.float()


def check_store(
    store: TokenStore, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Check that a store's documents can be trained on.

    Raises:
        UsageError: Another tokenizer's store, a smaller vocabulary, or too few positions.
    """
    if store.manifest.tokenizer_hash != tokenizer_fingerprint(tokenizer):
        raise UsageError(
            f"The store in '{store.folder}' was made with another tokenizer",
            fix="Pass the tokenizer it was made with, or build the store again",
        )
    if len(tokenizer) > model.config.vocab_size:
        raise UsageError(
            f"A tokenizer of {len(tokenizer):,} and a model of {model.config.vocab_size:,} ids",
            "a model with at least as many",
        )
    _check_padding("the model", model.config, tokenizer)
    longest, positions = int(store.lengths.max()), max_positions(model.config)
    if positions is not None and longest > positions:
        raise UsageError(
            f"A document of {longest:,} tokens and a model of {positions:,} positions",
            f"documents of at most {positions:,} tokens",
            f"Build the store with max_length={positions}, or take a model with more positions",
        )
