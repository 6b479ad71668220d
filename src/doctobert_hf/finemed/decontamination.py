"""Decontamination: documents that hold DrBenchmark's test units are dropped.

A test unit (a test document, or a row of it) is a set of n-grams of its words; a unit with fewer
words than n is one n-gram of its own length. A document is contaminated by a unit where it holds at
least ``overlap`` of the unit's distinct n-grams. N-grams are compared as strings, so there are no
false hits by hashing. Whole documents are the default: single sentences of QUAERO EMEA ("Lisez
attentivement cette notice ...") stand in every French leaflet.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.words import ngrams, words

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import DecontaminateConfig
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions


@dataclass
class TestIndex:
    """N-grams of test units.

    Attributes:
        length: Words of an n-gram.
        units: By unit ``(task, beginning of its text, number of its n-grams)``.
        places: By n-gram the units that have it.
        lengths: Lengths of n-grams there are.
        too_short: By task the units that are not looked for.
    """

    __test__ = False  # not a test, whatever its name

    length: int
    units: list[tuple[str, str, int]] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=dict)
    lengths: set[int] = field(default_factory=set)
    too_short: Counter[str] = field(default_factory=Counter)

    def add(self, task: str, text: str, least_words: int) -> None:
        """Add a unit, unless it is too short to mean anything."""
        tokens = words(text)
        if len(tokens) < least_words:
            self.too_short[task] += 1
            return
        length = min(self.length, len(tokens))
        grams = set(ngrams(tokens, length))
        self.lengths.add(length)
        for gram in grams:
            self.places.setdefault(gram, []).append(len(self.units))
        self.units.append((task, " ".join(text.split())[:200], len(grams)))

    def hits(self, text: str) -> dict[int, float]:
        """Share of each unit's n-grams that a text holds, for units it holds any of."""
        tokens = words(text)
        found: Counter[int] = Counter()
        for length in self.lengths:
            for gram in set(ngrams(tokens, length)):
                found.update(self.places.get(gram, ()))
        return {unit: count / self.units[unit][2] for unit, count in found.items()}


def read_units(config: DecontaminateConfig) -> list[tuple[str, str]]:
    """Test units with the name of their task.

    Raises:
        UsageError: No raw corpora and no files of units.
        DataError: None could be read.
    """
    from doctobert_hf.corpus import iter_texts
    from doctobert_hf.drbenchmark import list_tasks

    tasks = [spec.name for spec in list_tasks()]
    units: list[tuple[str, str]] = []
    for name in config.benchmark or tasks:
        if name in tasks:
            units += [(name, text) for text in _task_units(name, config, bool(config.benchmark))]
        else:
            units += [(Path(name).stem, text) for text in iter_texts(name)]
    if not units:
        raise UsageError(
            "No test units to look for",
            "raw corpora in --data-dir, or --benchmark FILE",
            "See doctobert-hf benchmark check",
        )
    return units


def _task_units(name: str, config: DecontaminateConfig, named: bool) -> Iterator[str]:
    from datasets import load_dataset

    import doctobert_hf
    from doctobert_hf.errors import DoctobertError

    doctobert_hf.register()
    where = str(config.data_dir) if config.data_dir else None
    try:
        rows = load_dataset("doctobert_hf/drbenchmark", name, data_dir=where, split="test")
    except (DoctobertError, OSError, ValueError) as error:
        if named:
            raise
        print(f"{name}: not at hand ({str(error).split('. ')[0]})", file=sys.stderr)
        return
    whole: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        document = row.get("document_id") if config.units == "documents" else None
        for part, text in enumerate(_row_units(row)):
            whole.setdefault(document or f"row {number} {part}", []).append(text)
    for texts in whole.values():
        yield "\n".join(texts)


def _row_units(row: dict[str, Any]) -> Iterator[str]:
    """What of a row is text: tokens joined, questions with each answer, both of a pair."""
    if "tokens" in row:
        yield " ".join(row["tokens"])
    elif "question" in row:
        yield row["question"] + " " + " ".join(row[f"answer_{k}"] or "" for k in "abcde")
    else:
        names = ("text", "text_1", "text_2", "source", "candidate_1", "candidate_2", "candidate_3")
        yield from (row[name] for name in names if row.get(name))


class Decontaminate(PipelineStep):
    """datatrove step that drops contaminated documents.

    Args:
        units: File of the units, JSONL of ``[task, text]``.
        config: The stage's configuration.
        exclusions: Where they go, with the unit and its share.
    """

    name = "decontaminate"
    type = "FineMed"

    def __init__(self, units: str, config: DecontaminateConfig, exclusions: Exclusions) -> None:
        super().__init__()
        self.units, self.config, self.exclusions = units, config, exclusions

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield clean documents."""
        index = build_index(self.units, self.config)
        with self.exclusions.writer("decontaminate", rank) as excluded:
            for document in data:
                hits = index.hits(document.text)
                guilty = {u: share for u, share in hits.items() if share >= self.config.overlap}
                for task in {index.units[unit][0] for unit in hits}:
                    self.stat_update(f"touched_{task}")
                for task in {index.units[unit][0] for unit in guilty}:
                    self.stat_update(f"contaminated_{task}")
                if not guilty:
                    yield document
                    continue
                worst = max(guilty, key=lambda unit: (guilty[unit], index.units[unit][2]))
                task, text, _ = index.units[worst]
                excluded.write(
                    document.id,
                    f"contaminated: {task}",
                    document.text,
                    unit=text,
                    overlap=round(guilty[worst], 3),
                    units=len(guilty),
                )


def build_index(units: str, config: DecontaminateConfig) -> TestIndex:
    """Build the index from the file of units."""
    index = TestIndex(config.words)
    with open(units, encoding="utf-8") as lines:
        for line in lines:
            task, text = json.loads(line)
            index.add(task, text, config.least_words)
    return index


def decontaminate(config: DecontaminateConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest, with a report by task.

    Raises:
        UsageError: No test units.
        DataError: An input that cannot be read.
    """
    from doctobert_hf.finemed.reading import input_schema
    from doctobert_hf.finemed.stage import Stage

    config.check_input()
    schema = input_schema(config)
    with Stage("decontaminate", config, overwrite=overwrite) as stage:
        return stage.finished() or _decontaminate(stage, schema, config)


def _decontaminate(stage: Stage, schema: pa.Schema, config: DecontaminateConfig) -> dict[str, Any]:
    path = stage.folder / "units.jsonl"
    if not path.is_file():
        from doctobert_hf.files import write_text_atomic

        lines = (json.dumps(unit, ensure_ascii=False) + "\n" for unit in read_units(config))
        write_text_atomic(path, "".join(lines))
    step = Decontaminate(str(path), config, stage.exclusions)
    if not stage.run([*stage.readers(), step, stage.writer(schema)]):
        return {}
    return stage.close(read=stage.counted("rows"), tasks=_report(stage, path, config))


def _report(stage: Any, path: Path, config: DecontaminateConfig) -> list[dict[str, Any]]:
    """By task: units, units too short, documents that share an n-gram, documents dropped."""
    index = build_index(str(path), config)
    counts = Counter(task for task, _, _ in index.units)
    tasks = sorted(set(counts) | set(index.too_short))
    if not index.units:
        raise DataError("All test units are shorter than least_words", fix="Lower least_words")
    return [
        {
            "task": task,
            "units": counts[task],
            "too_short": index.too_short[task],
            "documents_touched": stage.counted(f"touched_{task}"),
            "documents_contaminated": stage.counted(f"contaminated_{task}"),
        }
        for task in tasks
    ]
