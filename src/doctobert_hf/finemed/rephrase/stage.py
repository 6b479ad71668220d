"""The rephrasing stage: choose and cut, ask, then check each rewrite and annotate it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.writers.jsonl import JsonlWriter

from doctobert_hf.errors import DataError
from doctobert_hf.finemed.annotate import store_terms
from doctobert_hf.finemed.annotators.lexicon import load_lexicons
from doctobert_hf.finemed.pieces import Pieces
from doctobert_hf.finemed.reading import PartsReader
from doctobert_hf.finemed.rephrase.gates import rejections
from doctobert_hf.finemed.rephrase.prompts import Prompts
from doctobert_hf.finemed.rephrase.rollout import KEY, Rewriter
from doctobert_hf.finemed.schema import rewriting_fields, term_fields, with_fields
from doctobert_hf.finemed.selection import Select, check_filter, parse_where

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import RephraseConfig
    from doctobert_hf.finemed.filters import Filter
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions

_INHERITED = (
    "medical_entities",
    "medical_entity_density",
    "edu_quality_score",
    "edu_quality_normalized_score",
)


def _kind(reason: str) -> str:
    """Return what a manifest counts: ``quantity lost`` of ``quantity lost: 5 mg``."""
    return reason if reason.startswith("language") else reason.split(":")[0]


class Gates(PipelineStep):
    """datatrove step that turns answers into rewritten documents, or excludes them.

    Args:
        config: The stage's configuration.
        digest: Version and hash of the prompts.
        exclusions: Where rejected rewrites go, with the reason.
    """

    name = "gates"
    type = "FineMed"

    def __init__(self, config: RephraseConfig, digest: str, exclusions: Exclusions) -> None:
        super().__init__()
        self.config, self.digest, self.exclusions = config, digest, exclusions

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the rewrites that pass."""
        from doctobert_hf.finemed.cleaning import LanguageIdentifier

        matcher, language = load_lexicons(self.config.lexicons), LanguageIdentifier()
        with self.exclusions.writer("gates", rank) as excluded:
            for document in data:
                answer = document.metadata.pop(KEY)[0]
                failed = answer.get("failed")
                reasons = [failed] if failed else []
                if not failed:
                    code = language(answer["text"])[0] if answer["text"] else ""
                    reasons = rejections(document.text, answer["text"], self.config, matcher, code)
                if reasons:
                    # Counted by kind; the facts stand beside it.
                    kind = failed or _kind(reasons[0])
                    rewrite = answer.get("text", "")[:300]
                    more = {"reasons": reasons, "rewrite": rewrite}
                    excluded.write(document.id, kind, document.text, **more)
                    continue
                rewritten = self._document(document, answer)
                terms = matcher.find(rewritten.text)
                store_terms(rewritten.metadata, rewritten.text, terms, "union")
                yield rewritten

    def _document(self, document: Document, answer: dict[str, Any]) -> Document:
        config, metadata = self.config, dict(document.metadata)
        for name in _INHERITED:
            metadata[f"original_{name}"] = metadata.pop(name, None)
        metadata |= {
            "original_text": document.text,
            "original_num_words": len(document.text.split()),
            "num_words": len(answer["text"].split()),
            "rewriting_config": {
                "model": config.model,
                "model_revision": config.model_revision,
                "genre": answer["genre"],
                "audience": answer["audience"],
                "abbreviation": answer["abbreviation"],
                "register": answer["register"],
                "prompts": self.digest,
                "seed": config.seed,
            },
        }
        return Document(text=answer["text"], id=f"{document.id}#rewritten", metadata=metadata)


class AnswersReader(PartsReader):
    """Reads the answers in the order of the chunks; requests end in any order."""

    name = "FineMed answers"

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield this part's answers, each file of 500 sorted by chunk."""
        for name in sorted(self.data_folder.list_files(glob_pattern=f"{rank:05d}_*.jsonl")):
            rows = [row for row in self._rows(name) if isinstance(row, dict)]
            for row in sorted(rows, key=lambda row: row["metadata"]["place"]):
                yield Document(text=row["text"], id=row["id"], metadata=row["metadata"])


class Numbered(PipelineStep):
    """datatrove step that numbers a part's documents; a pass over ids that are there twice fails.

    The request cache and checkpoints go by id.
    """

    name = "numbered"
    type = "FineMed"

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the documents with ``place``, a repeated id made distinct."""
        seen: dict[str, int] = {}
        for place, document in enumerate(data):
            document.metadata["place"] = place
            again = seen[document.id] = seen.get(document.id, -1) + 1
            if again:
                document.id = document.metadata["chunk_id"] = f"{document.id}~{again}"
            yield document


def rephrase(config: RephraseConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest.

    Raises:
        UsageError: No prompts, or an expression that is none.
        DataError: The endpoint is down; what was answered is kept and the run can go on.
    """
    from doctobert_hf.finemed.reading import input_schema
    from doctobert_hf.finemed.stage import Stage

    prompts = Prompts.read(config.prompts)
    where = parse_where(config.where)
    config.check_input()
    schema = input_schema(config)
    check_filter(where, schema)
    with Stage("rephrase", config, overwrite=overwrite) as stage:
        return stage.finished() or _rephrase(stage, prompts, where, schema, config)


def _rephrase(
    stage: Stage, prompts: Prompts, where: Filter, schema: pa.Schema, config: RephraseConfig
) -> dict[str, Any]:
    answers = stage.folder / "answers"
    answers.mkdir(exist_ok=True)
    asking = [
        *stage.readers(),
        Select(where, stage.exclusions),
        Pieces(config.chunk_tokens, config.tokenizer),
        Numbered(),
        Rewriter(
            config,
            prompts,
            JsonlWriter(str(answers), "${rank}_${chunk_index}.jsonl", compression=None),
            str(stage.folder / "checkpoints"),
        ),
    ]
    if not _ask(stage, asking):
        return {}
    whole = with_fields(with_fields(schema, rewriting_fields()), term_fields())
    gates = Gates(config, prompts.digest, stage.exclusions)
    if not stage.run([AnswersReader(str(answers)), gates, stage.writer(whole)], "logs/gates"):
        return {}
    return _close(stage, prompts)


def _ask(stage: Any, steps: list[Any]) -> bool:
    from datatrove.pipeline.inference.types import ServerError

    try:
        return stage.run(steps, "logs/answers")
    except ServerError as error:
        said = str(error).removeprefix("Server encountered unrecoverable error: ")
        raise DataError(
            f"The endpoint '{stage.config.endpoint}' does not serve: {said}",
            "an OpenAI-compatible server that answers",
            "Mend it, then run the same command: answers so far are kept",
        ) from error


def _close(stage: Any, prompts: Prompts) -> dict[str, Any]:
    """Every document read was left out by the filter or cut, every piece written or excluded."""
    import pyarrow.parquet as pq

    excluded = stage.exclusions.counts()
    written = sum(
        pq.read_metadata(path).num_rows for path in (stage.folder / "data").glob("*.parquet")
    )
    before = sum(sum(stage.exclusions.counts(step).values()) for step in ("reading*", "filter"))
    pieces = stage.counted("pieces", "logs/answers")
    if pieces != written + sum(excluded.values()) - before:
        raise DataError(
            f"{pieces:,} pieces, {written:,} written and {sum(excluded.values()) - before:,} "
            "excluded",
            "every piece in one of the two",
            f"Delete '{stage.folder}' and run the stage again",
        )
    return stage.close(
        read_documents=stage.counted("rows", "logs/answers"),
        pieces=pieces,
        prompts=prompts.digest,
        tokens={
            name: stage.counted(f"{name}_tokens", "logs/answers")
            for name in ("prompt", "completion")
        },
    )
