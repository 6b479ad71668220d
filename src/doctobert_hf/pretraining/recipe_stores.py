"""The tokenizer and the token stores of a recipe: opened, or built of its corpus."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from doctobert_hf.errors import UsageError
from doctobert_hf.models.opening import open_tokenizer
from doctobert_hf.pretraining.initial_model import source_of
from doctobert_hf.pretraining.recipe_texts import recipe_texts, sample_texts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from doctobert_hf.pretraining.data.store import TokenStore
    from doctobert_hf.pretraining.recipe import PretrainConfig

logger = logging.getLogger(__name__)


def load_tokenizer(config: PretrainConfig) -> PreTrainedTokenizerBase:
    """Load the recipe's tokenizer; without one, train a small one on the sample, once."""
    if config.tokenizer is not None:
        return open_tokenizer(config.tokenizer)
    if config.init_from is not None:
        return open_tokenizer(source_of(config))
    if config.corpus is not None or config.train_store is not None:
        raise UsageError(
            "A corpus and no tokenizer",
            "its tokenizer (--tokenizer FOLDER)",
            "Train one: doctobert-hf tokenizer train CORPUS --output FOLDER",
        )
    from doctobert_hf.tokenization import train_tokenizer

    folder = Path(config.output) / "tokenizer"
    if not (folder / "tokenizer.json").is_file():
        texts = list(sample_texts())
        train_tokenizer(texts, folder, vocab_size=1200, max_length=config.max_length)
    return open_tokenizer(folder)


def stores(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerBase
) -> tuple[TokenStore, TokenStore | None]:
    """Open the recipe's token stores, building them from the corpus where they are not there."""
    from doctobert_hf.corpus import is_saved_dataset
    from doctobert_hf.pretraining.data.parts import (
        EVAL,
        parts_of_sections,
        parts_of_texts,
        stores_of_parts,
    )
    from doctobert_hf.pretraining.data.store import MANIFEST, TokenStore

    given = TokenStore(config.eval_store, tokenizer) if config.eval_store is not None else None
    if config.train_store is not None:
        beside = Path(config.train_store) / EVAL  # as 'pretrain store' leaves it
        there = (beside / MANIFEST).is_file()
        held = TokenStore(beside, tokenizer) if given is None and there else given
        train = TokenStore(config.train_store, tokenizer)
        if train.manifest.max_length != config.max_length:
            logger.warning(
                "train_store '%s' was made with max_length %d: max_length %d does nothing",
                *(config.train_store, train.manifest.max_length, config.max_length),
            )
        return train, held
    folder = Path(config.output) / "stores"
    if not (folder / "train" / MANIFEST).is_file():
        shared_out = config.corpus is not None and config.replay is None
        if shared_out and not is_saved_dataset(str(config.corpus)):
            places = parts_of_sections(
                *(str(config.corpus), tokenizer, folder / "parts", config.max_length),
                *(config.text_column, config.store_workers),
            )
        else:
            places = parts_of_texts(
                recipe_texts(config), tokenizer, folder / "parts", config.max_length
            )
        held_out = 0 if given is not None else config.eval_documents
        stores_of_parts(places, folder, tokenizer, config.max_length, held_out)
    there = (folder / EVAL / MANIFEST).is_file()
    held = TokenStore(folder / EVAL, tokenizer) if given is None and there else given
    train = TokenStore(folder / "train", tokenizer)
    shutil.rmtree(folder / "parts", ignore_errors=True)  # killed between joining and this
    return train, held


def check_shared(config: PretrainConfig) -> None:
    """Refuse to build the store again where the first process's is not seen."""
    place = Path(config.train_store or Path(config.output) / "stores" / "train")
    if not (place / "manifest.json").is_file():
        raise UsageError(
            f"The first process wrote '{place}', which this one does not see",
            "an --output on a file system that all nodes share",
        )
