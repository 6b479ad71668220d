"""A key that does nothing with the others is an error, not silence."""

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.config import AnnotateConfig, CleanConfig, MixConfig

LIGHT = {"domain": "light", "subdomain": "light", "quality": "light", "terms": "lexicon"}


@pytest.mark.parametrize(
    ("kind", "keys", "named"),
    [
        (AnnotateConfig, {"domain": "none", "keep_domains": ("Nonsense",)}, "keep_domains"),
        (AnnotateConfig, {"terms": "none", "density": "legacy"}, "density"),
        (AnnotateConfig, {**LIGHT, "url_prefix": False}, "url_prefix"),
        (AnnotateConfig, {**LIGHT, "batch_size": 3}, "batch_size"),
        (AnnotateConfig, {**LIGHT, "max_length": 99}, "max_length"),
        (AnnotateConfig, {**LIGHT, "revision": "main"}, "revision"),
        (CleanConfig, {"minhash": False, "similarity": 0.5}, "similarity"),
        (CleanConfig, {"minhash": False, "buckets": 3}, "buckets"),
        (CleanConfig, {"minhash": False, "duplicates_column": True}, "duplicates_column"),
        (CleanConfig, {"language": None, "language_score": 0.9}, "language_score"),
        (MixConfig, {"long_share": 0.3}, "long_share"),
        (MixConfig, {"context_share": 0.3}, "context_share"),
    ],
)
def test_a_key_that_does_nothing_is_refused(kind, keys, named):
    with pytest.raises(UsageError, match=rf"{named} with .*it would do nothing"):
        kind(**keys)


def test_a_key_that_does_something_is_not():
    AnnotateConfig(**{**LIGHT, "quality": "org/model"}, batch_size=3, max_length=99)
    AnnotateConfig(**{**LIGHT, "subdomain": "org/model"}, url_prefix=False, revision="main")
    AnnotateConfig(**{**LIGHT, "subdomain": "mine.py:Sub"}, url_prefix=False)
    AnnotateConfig(**{**LIGHT, "terms": "none"}, lexicons=("base",))
    AnnotateConfig(domain="none", keep_domains=())
    AnnotateConfig(domain="none", keep_domains=["Health"])
    CleanConfig(similarity=0.5, duplicates_column=True)
    MixConfig(long_tokens=512, long_share=0.3)
