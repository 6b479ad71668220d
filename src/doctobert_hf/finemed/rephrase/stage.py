"""The rephrasing stage: choose and cut, ask, then check each rewrite and annotate it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.writers.jsonl import JsonlWriter

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.annotate import store_terms
from doctobert_hf.finemed.annotators.lexicon import described_lexicons, load_lexicons
from doctobert_hf.finemed.pieces import Pieces
from doctobert_hf.finemed.rephrase.again import (
    AnswersReader,
    FailedReader,
    any_failed,
    asks_for_every,
    begin_pass,
    count_failed,
    count_untold,
    passes,
    reopen,
    stop_marker,
)
from doctobert_hf.finemed.rephrase.carried import CARRIED, pack, unpack
from doctobert_hf.finemed.rephrase.gates import rejections
from doctobert_hf.finemed.rephrase.prompts import Prompts
from doctobert_hf.finemed.rephrase.rollout import KEY, TOKENS, Rewriter
from doctobert_hf.finemed.rephrase.served import output_of_server, require_server
from doctobert_hf.finemed.schema import rewriting_fields, term_fields, with_fields
from doctobert_hf.finemed.selection import Select, check_filter, parse_where
from doctobert_hf.finemed.writing import excerpt
from doctobert_hf.runs import check_apart
from doctobert_hf.runs.record import describe_input

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import RephraseConfig
    from doctobert_hf.finemed.filters import Filter
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions

logger = logging.getLogger(__name__)
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
        fingerprint: Version and hash of the prompts.
        exclusions: Where rejected rewrites go, with the reason.
    """

    name = "gates"
    type = "FineMed"

    def __init__(self, config: RephraseConfig, fingerprint: str, exclusions: Exclusions) -> None:
        super().__init__()
        self.config, self.fingerprint, self.exclusions = config, fingerprint, exclusions

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the rewrites that pass."""
        from doctobert_hf.finemed.language import LanguageIdentifier

        matcher, language = load_lexicons(self.config.lexicons), LanguageIdentifier()
        with self.exclusions.writer("gates", rank) as excluded:
            for document in data:
                answer = document.metadata.pop(KEY)[0]
                for name, used in answer.get("tokens", {}).items():
                    self.stat_update(f"{name}_tokens", value=used)
                failed = answer.get("failed")
                reasons = [failed] if failed else []
                if not failed:
                    code = language(answer["text"])[0] if answer["text"] else ""
                    reasons = rejections(document.text, answer["text"], self.config, matcher, code)
                    reasons += [f"judge: {answer['judge']}"] if answer.get("judge") else []
                if reasons:
                    # Counted by kind; the facts stand beside it.
                    kind = failed or _kind(reasons[0])
                    more = {
                        "reasons": [excerpt(reason) for reason in reasons],
                        "rewrite": excerpt(answer.get("text", "")),
                    }
                    excluded.write(document.id, kind, document.text, **more)
                    continue
                rewritten = self._document(document, answer)
                terms = matcher.find(rewritten.text)
                store_terms(rewritten.metadata, rewritten.text, terms, "union")
                yield rewritten

    def _document(self, document: Document, answer: dict[str, Any]) -> Document:
        config = self.config
        # Of a run that was begun by an older version the columns lie bare.
        metadata = unpack(document.metadata.get(CARRIED, document.metadata))
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
                "prompts": self.fingerprint,
                "seed": config.seed,
            },
        }
        return Document(text=answer["text"], id=f"{document.id}#rewritten", metadata=metadata)


class KeptApart(PipelineStep):
    """datatrove step that gives columns another name, because ours are called so.

    Args:
        names: New names by old ones.
    """

    name = "columns kept apart"
    type = "FineMed"

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self.names = names

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the documents."""
        for document in data:
            for name in self.names.keys() & document.metadata.keys():
                document.metadata[self.names[name]] = document.metadata.pop(name)
            yield document


def keep_apart(schema: pa.Schema) -> tuple[pa.Schema, dict[str, str]]:
    """Rename columns of an input, such as a corpus that was rephrased before, that a rewrite has.

    Returns:
        The schema, and new names by old ones.

    Raises:
        DataError: A new name is taken as well.
    """
    from doctobert_hf.finemed.reading import tell_once

    taken = [item.name for item in rewriting_fields() if item.name in schema.names]
    names = {name: f"input_{name}" for name in taken}
    if clash := sorted(set(names.values()) & set(schema.names)):
        raise DataError(
            f"The input has columns that a rewrite has, and '{clash[0]}' too",
            "free names: the input's own are kept behind 'input_'",
            "Rename or drop them",
        )
    if names:
        tell_once(
            f"The input was rephrased or cut before: its columns {', '.join(taken)} are kept as "
            f"{', '.join(names.values())}"
        )
    for old, new in names.items():
        place = schema.get_field_index(old)
        schema = schema.set(place, schema.field(place).with_name(new))
    return schema, names


class Numbered(PipelineStep):
    """datatrove step that numbers a part's documents; a pass over ids that are there twice fails.

    The request cache and checkpoints go by id. The documents' columns are packed for the journey.
    """

    name = "numbered"
    type = "FineMed"

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the documents with ``place``, a repeated id made distinct."""
        seen: dict[str, int] = {}
        for place, document in enumerate(data):
            again = seen[document.id] = seen.get(document.id, -1) + 1
            if again:
                document.id = document.metadata["chunk_id"] = f"{document.id}~{again}"
            document.metadata = {"place": place, CARRIED: pack(document.metadata)}
            yield document


def rephrase(config: RephraseConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest.

    Raises:
        UsageError: No prompts, or an expression that is none.
        DataError: The endpoint is down; what was answered is kept and the run can go on.
    """
    from doctobert_hf.finemed.input_columns import input_schema
    from doctobert_hf.finemed.stage import Stage

    prompts = Prompts.read(config.prompts, config.judge)
    where = parse_where(config.where)
    config.check_input()
    require_server(config)
    schema = input_schema(config)
    check_filter(where, schema)
    schema, renamed = keep_apart(schema)
    if config.batch is not None:
        check_apart(config.batch, config.input)
        _check_batch(Path(config.batch), Path(config.output))
    besides = described_lexicons(config.lexicons)
    if Path(config.prompts).is_dir():
        besides.append(describe_input(config.prompts))
    with (
        _locked(config.batch),
        Stage("rephrase", config, overwrite=overwrite, besides=besides) as stage,
    ):
        done = stage.finished()
        again = config.retry_failed and done is not None
        if done and not (again and any_failed(stage.folder / "answers", config.parts, every=True)):
            return done
        if again:
            reopen(stage)
        return _rephrase(stage, prompts, where, schema, config, renamed)


def _rephrase(
    stage: Stage,
    prompts: Prompts,
    where: Filter,
    schema: pa.Schema,
    config: RephraseConfig,
    renamed: dict[str, str],
) -> dict[str, Any]:
    answers = stage.folder / "answers"
    answers.mkdir(exist_ok=True)
    first = not any(answers.iterdir())
    asking = [
        *stage.readers(),
        Select(where, stage.exclusions),
        KeptApart(renamed),
        Pieces(config.chunk_tokens, config.tokenizer),
        Numbered(),
        Rewriter(
            config,
            prompts,
            JsonlWriter(str(answers), "${rank}_${chunk_index}.jsonl", compression=None),
            str(stage.folder / "checkpoints"),
            stop_marker(answers),
        ),
    ]
    if not _ask(stage, asking, "logs/answers"):
        return {}
    # Of a batch nothing new is answered within one start.
    more = _PASSES if config.batch is None else 0 if first else 1
    if not _ask_again(stage, config, prompts, answers, more):
        return {}
    if config.batch is not None and _is_waiting(config, answers):
        return {}
    _stop_by_share(config, answers)
    whole = with_fields(with_fields(schema, rewriting_fields()), term_fields())
    gates = Gates(config, prompts.fingerprint, stage.exclusions)
    reader = AnswersReader(str(answers), add_tokens=config.batch is None)
    if not stage.run([reader, gates, stage.writer(whole)], "logs/gates"):
        return {}
    return _close(stage, prompts)


def _check_batch(batch: Path, output: Path) -> None:
    """Refuse a batch folder that is the stage's own, holds it or lies in it.

    Raises:
        UsageError: With both paths, also where neither is there yet.
    """
    one, other = batch.resolve(), output.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise UsageError(
            f"The batch folder '{batch}' and the output '{output}' are one in the other",
            "two folders apart",
            "Choose another --batch",
        )


@contextlib.contextmanager
def _locked(folder: Path | None) -> Iterator[None]:
    """Hold a batch folder for this process; nothing without one."""
    from doctobert_hf.finemed.rephrase.batch import lock_folder

    lock = None if folder is None else lock_folder(Path(folder))
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


_SAID = "Server encountered unrecoverable error: "
_PASSES = 3
"""Passes over failed requests that one start begins; each request has its own tries as well."""


def _is_waiting(config: RephraseConfig, answers: Path) -> bool:
    """Return whether requests of the batch have no answer yet, and write those that are new."""
    from doctobert_hf.finemed.rephrase.batch import collect, tell

    assert config.batch is not None
    if not any_failed(answers, config.parts):
        return False
    tell(config.batch, collect(config.batch, config.retry_failed))
    return True


def _ask_again(
    stage: Stage, config: RephraseConfig, prompts: Prompts, answers: Path, more: int
) -> bool:
    """End the passes that were begun, then begin at most ``more`` where requests still fail."""
    begun = passes(answers)
    for number in range(1, len(begun) + more + 1):
        every = config.retry_failed or stop_marker(answers).exists()
        if number > len(begun):
            if not any_failed(answers, config.parts, every):
                break
            begin_pass(answers, number, every)
        folder = passes(answers)[number - 1]
        if not _ask(stage, _again(stage, config, prompts, folder), f"logs/{folder.name}"):
            return False
    return True


def _stop_by_share(config: RephraseConfig, answers: Path) -> None:
    """Refuse to close a run in which too many requests failed: its manifest would stand for ever.

    Raises:
        DataError: With what most were answered.
    """
    asked, failed, reason = count_failed(answers, config.parts)
    if failed > config.give_up_share * asked:
        stop_marker(answers).touch()
        raise DataError(
            f"The requests of {failed:,} of {asked:,} documents failed, most with: {reason}",
            f"at most a share of {config.give_up_share}, give_up_share",
            "Mend the server or the settings, then run the same command: they are asked again; "
            "or pass --give-up-share 1 to continue without them",
        )


def _again(stage: Stage, config: RephraseConfig, prompts: Prompts, folder: Path) -> list[Any]:
    writer = JsonlWriter(str(folder), "${rank}_${chunk_index}.jsonl", compression=None)
    places = stage.folder / "checkpoints" / folder.name
    failed = FailedReader(str(folder.parent), asks_for_every(folder), before=folder.name)
    marker = stop_marker(folder.parent)
    return [failed, Rewriter(config, prompts, writer, str(places), marker, again=True)]


def _ask(stage: Any, steps: list[Any], logs: str) -> bool:
    from datatrove.pipeline.inference.types import ServerError

    try:
        return stage.run(steps, logs)
    except ServerError as error:
        said = str(error)
        while said.startswith(_SAID):  # once more for each process that it came through
            said = said.removeprefix(_SAID)
        config = stage.config
        place = f"The endpoint '{config.endpoint if config.batch is None else config.batch}'"
        more = ""
        if config.server != "none":
            place = f"The server {config.server} of '{config.model}'"
            more = f" Its output: {output_of_server(config)}"
        raise DataError(
            f"{place} does not serve: {said}",
            "an OpenAI-compatible server that answers",
            f"Mend it, then run the same command: answers so far are kept.{more}",
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
    config = stage.config
    untold = count_untold(stage.folder / "answers", config.parts, config.batch is None)
    if untold:
        logger.warning(
            "what %s answers used is not in the manifest's tokens: an older version kept no count",
            f"{untold:,}",
        )
    return stage.close(
        read_documents=stage.counted("rows", "logs/answers"),
        pieces=pieces,
        prompts=prompts.fingerprint,
        tokens={name: stage.counted(f"{name}_tokens", "logs/gates") for name in TOKENS},
        **({"answers_without_tokens": untold} if untold else {}),
    )
