"""The texts of a recipe: its corpus, with general text between, or the packaged sample."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doctobert_hf.pretraining.recipe import PretrainConfig

logger = logging.getLogger(__name__)


def recipe_texts(config: PretrainConfig) -> Iterator[str]:
    """Yield the documents that a recipe trains on, in order."""
    if config.corpus is None:
        yield from sample_texts()
        return
    from doctobert_hf.corpus import iter_texts

    if config.replay is None:
        yield from iter_texts(config.corpus, config.text_column)
        return
    yield from _with_replay(config)


def _with_replay(config: PretrainConfig) -> Iterator[str]:
    """The corpus, with texts of ``replay`` spread between so that they are ``replay_share``.

    Shares are of characters; where the replay corpus is too small, all of it is taken.
    """
    from doctobert_hf.corpus import iter_texts

    general = iter_texts(str(config.replay), config.text_column)
    ratio = config.replay_share / (1.0 - config.replay_share)
    ours, theirs, ended = 0, 0, False
    for text in iter_texts(str(config.corpus), config.text_column):
        yield text
        ours += len(text)
        while not ended and theirs < ratio * ours:
            more = next(general, None)
            ended = more is None
            if more is not None:
                theirs += len(more)
                yield more
    if ended:
        logger.warning(
            "replay '%s' is %.1f %% of the text, not %g: it has no more",
            *(config.replay, 100 * theirs / (ours + theirs), 100 * config.replay_share),
        )


def sample_texts() -> Iterator[str]:
    """Yield the documents of the packaged sample."""
    from doctobert_hf.corpus.sample import sample_documents

    yield from (document.text for document in islice(sample_documents(), 600))
