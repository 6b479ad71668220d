"""The annotation stage: domain prefilter, subdomain, educational quality, medical terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.annotators.lexicon import (
    LexiconMatcher,
    Term,
    described_lexicons,
    load_lexicons,
)
from doctobert_hf.finemed.annotators.own import OwnClassifier, OwnExtractor
from doctobert_hf.finemed.density import covered, medical_term_density
from doctobert_hf.finemed.taxonomy import ENTITY_TYPES, QUALITY, SUBDOMAINS

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import AnnotateConfig
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions

_BATCH = 32
_AXES = ("domain", "subdomain", "quality", "terms")


class Annotators:
    """The annotators of a configuration, loaded where they are used.

    Args:
        config: Names; ``light``, ``lexicon`` and ``none`` need no model, ``FILE.py:Class`` or
            ``package.module:Class`` is one of your own: see
            :class:`~doctobert_hf.finemed.annotators.own.OwnClassifier` (domain, subdomain, quality)
            and :class:`~doctobert_hf.finemed.annotators.own.OwnExtractor` (terms).

    Raises:
        UsageError: One cannot be loaded, or no domain that is kept is a label of it.
    """

    def __init__(self, config: AnnotateConfig) -> None:
        self.config = config
        self.matcher: LexiconMatcher | None = None
        if config.terms == "lexicon" or "light" in (
            config.domain,
            config.subdomain,
            config.quality,
        ):
            self.matcher = load_lexicons(config.lexicons)
        self.domain = self._classifier(config.domain, None)
        labels = getattr(self.domain, "labels", None)
        if labels and config.keep_domains and not set(config.keep_domains) & set(labels):
            raise UsageError(
                f"No domain of keep_domains ({', '.join(config.keep_domains)}) is a label of "
                f"'{config.domain}': no document would be left",
                f"some of {', '.join(labels)}",
                f"Pass --keep-domains '{labels[0]}'",
            )
        self.subdomain = self._classifier(config.subdomain, SUBDOMAINS)
        self.quality = self._classifier(config.quality, ())
        self.extractor = self._extractor(config.terms)

    def _classifier(self, name: str, labels: Sequence[str] | None) -> Any:
        if name in ("light", "none"):
            return None
        if ":" in name:
            return OwnClassifier(name, labels)
        from doctobert_hf.finemed.annotators.classifier import TextClassifier

        config = self.config
        return TextClassifier(name, labels, config.revision, config.max_length, config.batch_size)

    def _extractor(self, name: str) -> Any:
        if name in ("lexicon", "none"):
            return None
        if ":" in name:
            return OwnExtractor(name)
        from doctobert_hf.finemed.annotators.gliner import GlinerExtractor

        config = self.config
        return GlinerExtractor(name, config.revision, config.threshold, config.batch_size)

    def find_light(self, texts: Sequence[str]) -> list[list[Term]]:
        """Lexicon terms of each text; none where no annotator needs them."""
        return [self.matcher.find(text) if self.matcher else [] for text in texts]


class Annotate(PipelineStep):
    """datatrove step that adds the columns of :mod:`doctobert_hf.finemed.schema`.

    Args:
        config: The stage's configuration.
        exclusions: Where documents of other domains go.
    """

    name = "annotate"
    type = "FineMed"

    def __init__(self, config: AnnotateConfig, exclusions: Exclusions) -> None:
        super().__init__()
        self.config, self.exclusions = config, exclusions

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Annotate batch by batch."""
        annotators = Annotators(self.config)
        with self.exclusions.writer("domain", rank) as excluded:
            batch: list[Document] = []
            for document in data:
                batch.append(document)
                if len(batch) == _BATCH:
                    yield from self._annotated(batch, annotators, excluded)
                    batch = []
            if batch:
                yield from self._annotated(batch, annotators, excluded)

    def _annotated(
        self, batch: list[Document], annotators: Annotators, excluded: Any
    ) -> Iterator[Document]:
        with self.track_time("batch"):
            light = dict(
                zip(map(id, batch), annotators.find_light([d.text for d in batch]), strict=True)
            )
            self._domain(batch, annotators, light)
            kept = []
            for document in batch:
                if self._keeps(document):
                    kept.append(document)
                else:
                    best = document.metadata["domain_classification_best_class"]
                    excluded.write(document.id, f"domain: {best}", document.text)
            if kept:
                self._axes(kept, annotators, light)
        yield from kept

    def _keeps(self, document: Document) -> bool:
        wanted = self.config.keep_domains
        if self.config.domain == "none" or not wanted:
            return True
        return document.metadata["domain_classification_best_class"] in wanted

    def _domain(self, batch: list[Document], annotators: Annotators, light: Any) -> None:
        from doctobert_hf.finemed.annotators import light as rules

        if self.config.domain == "none":
            return
        texts = [document.text for document in batch]
        if annotators.domain is None:
            labels: Sequence[str] = rules.DOMAINS
            scores = [rules.domain_scores(d.text, light[id(d)]) for d in batch]
        else:
            labels, scores = annotators.domain.labels, annotators.domain.judge(texts)
        for document, values in zip(batch, scores, strict=True):
            _store(document, "domain_classification", labels, values)

    def _axes(self, kept: list[Document], annotators: Annotators, light: Any) -> None:
        config = self.config
        texts = [document.text for document in kept]
        terms = [light[id(document)] for document in kept]
        if config.subdomain != "none":
            self._subdomain(kept, texts, terms, annotators)
        if config.quality != "none":
            self._quality(kept, texts, terms, annotators)
        if config.terms != "none":
            if annotators.extractor is not None:
                terms = annotators.extractor.find(texts)
            for document, found in zip(kept, terms, strict=True):
                store_terms(document.metadata, document.text, found, config.density)
        for document in kept:
            document.metadata["num_words"] = len(document.text.split())
            document.metadata["annotators"] = {
                name: getattr(config, name) + (f"@{config.revision}" if config.revision else "")
                for name in _AXES
            }

    def _subdomain(
        self, kept: list[Document], texts: list[str], terms: Any, annotators: Annotators
    ) -> None:
        from doctobert_hf.finemed.annotators import light as rules

        if annotators.subdomain is None:
            scores = [rules.subdomain_scores(*both) for both in zip(texts, terms, strict=True)]
        else:
            urls = [document.metadata.get("url") for document in kept]
            scores = annotators.subdomain.judge(texts, urls if self.config.url_prefix else None)
        for document, values in zip(kept, scores, strict=True):
            _store(document, "health_domain_classification", SUBDOMAINS, values)

    def _quality(
        self, kept: list[Document], texts: list[str], terms: Any, annotators: Annotators
    ) -> None:
        from doctobert_hf.finemed.annotators import light as rules

        if annotators.quality is None:
            scores = [rules.quality_score(*both) for both in zip(texts, terms, strict=True)]
        else:
            scores = annotators.quality.judge(texts)
        for document, value in zip(kept, scores, strict=True):
            document.metadata["edu_quality_score"] = value
            document.metadata["edu_quality_normalized_score"] = normalized(value)


def normalized(score: float) -> int:
    """Quality from 0 to 5: clipped, then Python's rounding (half to even), as published."""
    return round(min(max(score, QUALITY[0]), QUALITY[1]))


def store_terms(metadata: dict[str, Any], text: str, terms: Sequence[Term], method: str) -> None:
    """Set ``medical_entities`` (distinct, sorted) and ``medical_entity_density``."""
    by_kind: dict[str, set[str]] = {kind: set() for kind in ENTITY_TYPES}
    for term in terms:
        by_kind[term.kind].add(text[term.start : term.end])
    metadata["medical_entities"] = {k: sorted(v) for k, v in by_kind.items()}
    if method == "union":
        density = covered((term.start, term.end) for term in terms) / len(text) if text else 0.0
    else:
        surfaces = {surface for found in by_kind.values() for surface in found}
        density = medical_term_density(text, surfaces, "legacy")
    metadata["medical_entity_density"] = density


def _store(document: Document, prefix: str, labels: Sequence[str], values: Sequence[float]) -> None:
    best = max(range(len(labels)), key=values.__getitem__)
    document.metadata[f"{prefix}_scores"] = list(values)
    document.metadata[f"{prefix}_best_class"] = labels[best]
    document.metadata[f"{prefix}_best_score"] = float(values[best])


def annotate(config: AnnotateConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest.

    Raises:
        UsageError: An annotator that cannot be loaded or is of another taxonomy.
        DataError: An input that cannot be read.
    """
    from doctobert_hf.finemed.stage import Stage

    besides = described_lexicons(config.lexicons)
    with Stage("annotate", config, overwrite=overwrite, besides=besides) as stage:
        return stage.finished() or _annotate(stage, config)


def _annotate(stage: Stage, config: AnnotateConfig) -> dict[str, Any]:
    from doctobert_hf.finemed.input_columns import input_schema
    from doctobert_hf.finemed.schema import annotation_fields, with_fields

    schema = with_fields(
        input_schema(config),
        annotation_fields(*(getattr(config, n) != "none" for n in _AXES)),
    )
    if config.executor == "local":
        Annotators(config)  # a wrong name is found before the parts start
    step = Annotate(config, stage.exclusions)
    if not stage.run([*stage.readers(), step, stage.writer(schema)]):
        return {}
    return stage.close(read=stage.counted("rows"))
