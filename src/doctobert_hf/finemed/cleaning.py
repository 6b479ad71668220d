"""The cleaning stage: language, repetition, exact and near-duplicates, personal data counted.

datatrove does the work: Gopher's repetition rules, MinHash in its four steps. Duplicates are found
within and across all inputs together. Source of the MinHash settings: FineWeb-2 (14 buckets of 8
hashes over 5-word shingles).
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupSignature,
)
from datatrove.utils.hashing import HashConfig
from datatrove.utils.word_tokenizers import WordTokenizer

from doctobert_hf.finemed.exact_duplicates import (
    ExactDuplicates,
    Fingerprints,
    Repeats,
    pieces_of,
)
from doctobert_hf.finemed.language import LanguageIdentifier
from doctobert_hf.finemed.masking import deidentify
from doctobert_hf.finemed.near_duplicates import CLUSTER, COLUMN, Candidates, NearDuplicates, Verify
from doctobert_hf.finemed.personal_data import KINDS
from doctobert_hf.finemed.progress import progress_folder
from doctobert_hf.finemed.repair import KINDS as REPAIRS, repair
from doctobert_hf.finemed.repetition import Repetition, shingle_hashes
from doctobert_hf.finemed.schema import with_fields
from doctobert_hf.finemed.words import WORD

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import CleanConfig
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions

logger = logging.getLogger(__name__)
_BETWEEN_BYTES = 32 * 2**20
"""Small files, so that what few parts wrote (of few files) is shared by all that follow."""


class FrenchWords(WordTokenizer):
    """Words by a regular expression, for datatrove's steps; its own tokenizer needs spaCy."""

    def word_tokenize(self, text: str) -> list[str]:
        """The words of a text."""
        return WORD.findall(text)

    def sent_tokenize(self, text: str) -> list[str]:
        """Lines, which is all that repetition rules need."""
        return text.splitlines()

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Offsets of the words."""
        return [match.span() for match in WORD.finditer(text)]


FRENCH_WORDS = FrenchWords("fr")
_SHINGLES = 4096
"""Shingles that are hashed at once."""


class Quality(PipelineStep):
    """datatrove step that drops by language and repetition and counts personal data.

    Args:
        config: The stage's configuration.
        exclusions: Where dropped documents go.
    """

    name = "language, repetition, personal data"
    type = "FineMed"

    def __init__(self, config: CleanConfig, exclusions: Exclusions) -> None:
        super().__init__()
        self.config, self.exclusions = config, exclusions
        self._gopher = Repetition(language=FRENCH_WORDS) if config.repetition else None

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield what is kept."""
        language = LanguageIdentifier() if self.config.language else None
        with self.exclusions.writer("quality", rank) as excluded:
            for document in data:
                if self.config.repair:
                    document.text, repaired = repair(document.text)
                    for kind, count in repaired.items():
                        self.stat_update(f"repaired_{kind}", value=count)
                        self.stat_update(f"repaired_documents_{kind}")
                reason = self._reason(document, language)
                if reason:
                    excluded.write(document.id, reason, document.text)
                    continue
                masked, found = deidentify(document.text)
                for kind, count in Counter(item["kind"] for item in found).items():
                    self.stat_update(f"pii_{kind}", value=count)
                    self.stat_update(f"pii_documents_{kind}")
                if found and self.config.pii == "drop":
                    kinds = ", ".join(sorted({item["kind"] for item in found}))
                    excluded.write(document.id, f"personal data: {kinds}", document.text)
                    continue
                if self.config.pii == "mask":
                    document.text = masked
                yield document

    def _reason(self, document: Document, language: LanguageIdentifier | None) -> str | None:
        if language is not None:
            code, score = language(document.text)
            if code != self.config.language:
                return f"language: {code}"
            if score < self.config.language_score:
                return "language: unsure"
        if self._gopher is not None:
            kept = self._gopher.filter(document)
            if isinstance(kept, tuple):
                return f"repetition: {kept[1]}"
        return None


class Signatures(MinhashDedupSignature):
    """datatrove's first MinHash step, in bounded memory: at once, 10 MB of text take 2 GB."""

    def get_shingles(self, text: str) -> Any:
        """Return the hashes of all shingles ``[shingles, 1]``, as datatrove does."""
        return shingle_hashes(text, self.config.n_grams, self.config.norm_config)

    def get_signature(self, shingles: Any) -> list[list[int]]:
        """Return the smallest hashes over all shingles ``[shingles, 1]``, as datatrove does."""
        parts = [
            super(Signatures, self).get_signature(shingles[start : start + _SHINGLES])
            for start in range(0, max(1, len(shingles)), _SHINGLES)
        ]
        if len(parts) == 1:
            return parts[0]
        return [[min(hashes) for hashes in zip(*one)] for one in zip(*parts)]


class Buckets(MinhashDedupBuckets):
    """datatrove's second MinHash step; of this module, so that workers import our settings."""


def clean(config: CleanConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest.

    On Slurm each call submits the next of its steps, which wait for each other, and returns {};
    the call behind the last one returns the manifest.

    Raises:
        DataError: An input that cannot be read.
    """
    from doctobert_hf.finemed.stage import Stage

    if config.repair:
        repair("")  # ftfy is not there: told before anything is written
    with Stage("clean", config, overwrite=overwrite) as stage:
        return stage.finished() or _clean(stage, config)


def _clean(stage: Stage, config: CleanConfig) -> dict[str, Any]:
    from doctobert_hf.finemed.input_columns import input_schema

    schema = input_schema(config)
    quality = [*stage.readers(), Quality(config, stage.exclusions)]
    if config.exact or config.minhash:
        if not stage.run([*quality, _between(stage, "quality", schema)], "logs/quality"):
            return {}
        if not (last := _duplicates(stage, schema)):
            return {}
    else:
        last = quality
    schema = _with_clusters(schema, config)
    if not stage.run([*last, stage.writer(schema)]):
        return {}
    first = "logs/quality" if config.exact or config.minhash else "logs"
    manifest = stage.close(
        read=stage.counted("rows", first),
        personal_data={
            kind: {
                "documents": stage.counted(f"pii_documents_{kind}", first),
                "matches": stage.counted(f"pii_{kind}", first),
            }
            for kind in KINDS
        },
        **({"repaired": _repaired(stage, first)} if config.repair else {}),
    )
    shutil.rmtree(stage.folder / "between", ignore_errors=True)
    return manifest


def _with_clusters(schema: pa.Schema, config: CleanConfig) -> pa.Schema:
    """Return a schema with the columns that tell of near-duplicates; an input's own are told of."""
    import pyarrow as pa

    names: tuple[str, ...] = CLUSTER if config.mark_near_duplicates else ()
    if config.minhash and config.duplicates_column:
        names = (COLUMN,)
    for name in set(names) & set(schema.names):
        logger.warning("the input's column %s is replaced by this run's", name)
    kinds = {"cluster_id": pa.string()}
    return with_fields(schema, [pa.field(name, kinds.get(name, pa.int64())) for name in names])


def _repaired(stage: Stage, logs: str) -> dict[str, dict[str, int]]:
    """What was repaired, by kind."""
    return {
        kind: {
            "documents": stage.counted(f"repaired_documents_{kind}", logs),
            "matches": stage.counted(f"repaired_{kind}", logs),
        }
        for kind in REPAIRS
    }


def _duplicates(stage: Stage, schema: Any) -> list[Any]:
    """Run the steps that need all documents; return the beginning of the last pipeline.

    It is empty where a step was only submitted.
    """
    config: CleanConfig = stage.config  # type: ignore[assignment]
    source = "quality"
    if config.exact:
        fingerprints, repeats = (
            str(stage.folder / "between" / n) for n in ("fingerprints", "repeats")
        )
        pieces = pieces_of(config.parts)
        if not stage.run(
            [_read(stage, source), Fingerprints(fingerprints, pieces)], "logs/fingerprints"
        ):
            return []
        if not stage.run([Repeats(fingerprints, repeats)], "logs/repeats", tasks=pieces):
            return []
        step = ExactDuplicates(repeats, stage.exclusions)
        if not stage.run(
            [_read(stage, source), step, _between(stage, "exact", schema)], "logs/exact"
        ):
            return []
        source = "exact"
    if not config.minhash:
        return [_read(stage, source)]
    signatures, buckets, candidates, decisions = (
        str(stage.folder / "between" / name)
        for name in ("signatures", "buckets", "candidates", "decisions.sqlite")
    )
    settings = MinhashConfig(
        n_grams=config.shingle_words,
        num_buckets=config.buckets,
        hashes_per_bucket=config.hashes_per_bucket,
        seed=config.seed,
        hash_config=HashConfig(hash_fc="sha1"),  # its xxhash breaks on xxhash 4
    )
    signing = [_read(stage, source), Signatures(signatures, settings, FRENCH_WORDS)]
    if not stage.run(signing, "logs/signatures"):
        return []
    Path(signatures).mkdir(parents=True, exist_ok=True)  # no document, no file
    matching = [Buckets(signatures, buckets, config=settings)]
    if not stage.run(matching, "logs/buckets", tasks=config.buckets):
        return []
    reading = [_read(stage, source), Candidates(buckets, candidates, config.shingle_words)]
    if not stage.run(reading, "logs/candidates"):
        return []
    progress = progress_folder(stage.exclusions.folder)
    verifying = [Verify(candidates, buckets, decisions, config.similarity, progress)]
    if not stage.run(verifying, "logs/verify", tasks=1):
        return []
    mark = config.mark_near_duplicates
    step = NearDuplicates(decisions, stage.exclusions, config.duplicates_column, mark)
    return [_read(stage, source), step]


def _between(stage: Stage, name: str, schema: Any) -> Any:
    from doctobert_hf.finemed.writing import TableWriter

    folder = stage.folder / "between" / name
    folder.mkdir(parents=True, exist_ok=True)
    return TableWriter(str(folder), schema, _BETWEEN_BYTES)


def _read(stage: Stage, name: str) -> Any:
    from doctobert_hf.finemed.reading import PartsReader

    return PartsReader(str(stage.folder / "between" / name))
