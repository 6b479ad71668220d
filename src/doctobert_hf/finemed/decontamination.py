"""Decontamination: documents that hold DrBenchmark's test units are dropped.

A test unit is a test document, or a row of it; of a question the question alone, and with its
answers in any order. Text is folded first: what the web does to accents, entities, hyphens and
signs does not hide it. A document is contaminated by a unit in one of three ways:

- it holds at least ``overlap`` of the unit's distinct n-grams (words), wherever they stand;
- it holds at least ``near`` of its distinct three-word grams close together, those left out that
  several units have (the set phrases of leaflets): copies with typing errors, and parts;
- one of its lines is the unit, where that has fewer than ``least_words`` words.

N-grams are compared as strings, so there are no false hits by hashing. Whole documents are the
default: single sentences of QUAERO EMEA ("Lisez attentivement cette notice ...") stand in every
French leaflet.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.words import WORD, ngrams, plain, plain_words

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import DecontaminateConfig
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions


SHORTEST = 3
"""Words of the shortest unit that is looked for, as a line of its own."""
_GRAM = 3
_DIGIT = re.compile(r"\d").search
# Texts that share a gram: it is a phrase, and tells nothing.
_COMMON = 3
# Share of a question's grams that others have not, for it to be looked for alone.
_OWN = 0.5
# With so many grams that have a digit, they are found 0.7 times as often as others, at least.
_NUMBERS, _SAME_NUMBERS = 6, 0.7
# Of so few grams none is looked for; of fewer than many a larger share must be there; of long
# texts a little more than of others, in which chance evens out less.
_FEW, _MANY, _LONG, _SHARE_OF_FEW = 6, 12, 100, 0.6
# Grams: fewer stand together by chance in 640 case reports.
_LEAST_THERE = 6


@dataclass
class TestIndex:
    """N-grams of test units.

    Attributes:
        length: Words of an n-gram.
        near: Least share of three-word grams close together; 0: not looked for.
        units: By unit ``(task, beginning of its text, number of its n-grams)``.
        places: By n-gram the units that have it.
        lengths: Lengths of n-grams there are.
        too_short: By task the units that are not looked for.
        not_alone: By task the questions that are looked for with their answers only.
        lines: Short units, by their words.
        grams: By gram of up to three words the units that have it.
        sizes: By unit its grams that tell something, those of them with a digit, and its words.
    """

    __test__ = False  # not a test, whatever its name

    length: int
    near: float = 0.3
    units: list[tuple[str, str, int]] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=dict)
    lengths: set[int] = field(default_factory=set)
    too_short: Counter[str] = field(default_factory=Counter)
    not_alone: Counter[str] = field(default_factory=Counter)
    lines: dict[str, int] = field(default_factory=dict)
    grams: dict[str, list[int]] = field(default_factory=dict)
    sizes: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    _texts: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def add(self, task: str, text: str, least_words: int) -> None:
        """Add a unit, unless it is too short to mean anything."""
        tokens = plain_words(text)
        number = len(self.units)
        # Its lines: a question alone and with answers, in one task and another, is one text.
        lines = (" ".join(WORD.findall(line)) for line in plain(text).splitlines())
        self._texts[number] = tuple(line for line in lines if line)
        if len(tokens) < least_words:
            if len(tokens) < SHORTEST:
                self.too_short[task] += 1
                return
            self.lines.setdefault(" ".join(tokens), number)
            self.units.append((task, " ".join(text.split())[:200], 1))
            return
        length = min(self.length, len(tokens))
        grams = set(ngrams(tokens, length))
        self.lengths.add(length)
        for gram in grams:
            self.places.setdefault(gram, []).append(number)
        self.units.append((task, " ".join(text.split())[:200], len(grams)))
        if self.near:
            for gram in _line_grams(text):
                self.grams.setdefault(gram, []).append(number)
            self.sizes[number] = (0, 0, len(tokens))

    def finish(self) -> None:
        """Leave out phrases that several texts have, once all units are there."""
        questions = {lines[0] for lines in self._texts.values() if len(lines) > 1}
        alone = {u for u, lines in self._texts.items() if len(lines) == 1 and lines[0] in questions}

        def is_common(units: list[int]) -> bool:
            return len({self._texts[unit] for unit in units if unit not in alone}) >= _COMMON

        all_grams = Counter(unit for units in self.grams.values() for unit in units)
        self.grams = {gram: units for gram, units in self.grams.items() if not is_common(units)}
        counts = Counter(unit for units in self.grams.values() for unit in units)
        numbers = Counter(u for g, units in self.grams.items() if _DIGIT(g) for u in units)
        self.sizes = {u: (counts[u], numbers[u], words) for u, (_, _, words) in self.sizes.items()}
        self._leave_out_stems(alone, {u for u in alone if counts[u] < _OWN * all_grams[u]})

    def _leave_out_stems(self, alone: set[int], stems: set[int]) -> None:
        """A question that is worded as others are is no unit alone: with its answers it is one."""
        short = set(self.lines.values())
        self.not_alone.update(self.units[unit][0] for unit in alone if unit in stems | short)
        self.lines = {line: unit for line, unit in self.lines.items() if unit not in alone}
        if stems:
            self.places = {
                gram: left
                for gram, units in self.places.items()
                if (left := [unit for unit in units if unit not in stems])
            }
        for unit in alone:  # what few grams are left of it stand in other questions too
            if unit in stems or self.sizes.get(unit, (0, 0, 0))[0] < _MANY:
                self.sizes[unit] = (0, 0, 0)

    def hits(self, text: str) -> dict[int, float]:
        """Share of each unit's n-grams that a text holds, for units it holds any of."""
        tokens = plain_words(text)
        found: Counter[int] = Counter()
        for length in self.lengths:
            for gram in set(ngrams(tokens, length)):
                found.update(self.places.get(gram, ()))
        return {unit: count / self.units[unit][2] for unit, count in found.items()}

    def whole_lines(self, text: str) -> set[int]:
        """Short units that are a line of a text."""
        if not self.lines:
            return set()
        lines = (" ".join(WORD.findall(line)) for line in plain(text).splitlines())
        return {self.lines[line] for line in lines if line in self.lines}

    def close_together(self, text: str) -> dict[int, float]:
        """Share of each unit's grams that stand close together in a text, where it is enough."""
        if not self.near:
            return {}
        tokens = plain_words(text)
        seen: dict[int, list[tuple[int, str]]] = {}
        for length in range(1, _GRAM + 1):
            for place, gram in enumerate(ngrams(tokens, length)):
                for unit in self.grams.get(gram, ()):
                    seen.setdefault(unit, []).append((place, gram))
        found = {}
        for unit, places in seen.items():
            grams, numbers, words = self.sizes[unit]
            least = self.near * (1.1 if grams >= _LONG else 1.0)  # chance evens out in long texts
            if grams < _MANY:
                least = max(self.near, _SHARE_OF_FEW)
            if grams < _FEW or len(places) < least * grams:
                continue
            there = _densest(sorted(places), 2 * words + 20)
            share = len(there) / grams
            # A form filled in with other values is another document: its numbers differ.
            filled = sum(map(bool, map(_DIGIT, there)))
            same = numbers < _NUMBERS or filled / numbers >= _SAME_NUMBERS * share
            if share >= least and len(there) >= _LEAST_THERE and same:
                found[unit] = share
        return found


def _line_grams(text: str) -> set[str]:
    """Three-word grams of each line; a line of fewer words is one gram."""
    found: set[str] = set()
    for line in plain(text).splitlines():
        tokens = WORD.findall(line)
        if tokens:
            found.update(ngrams(tokens, min(_GRAM, len(tokens))))
    return found


def _densest(places: list[tuple[int, str]], width: int) -> set[str]:
    """Return the most distinct grams that stand in any stretch of ``width`` words."""
    best: set[str] = set()
    first = 0
    inside: Counter[str] = Counter()
    for place, gram in places:
        inside[gram] += 1
        while places[first][0] < place - width:
            old = places[first][1]
            inside[old] -= 1
            if not inside[old]:
                del inside[old]
            first += 1
        if len(inside) > len(best):
            best = set(inside)
    return best


def read_units(config: DecontaminateConfig) -> list[tuple[str, str]]:
    """Test units with the name of their task.

    Raises:
        UsageError: No raw corpora and no files of units.
        DataError: None could be read.
    """
    from doctobert_hf.corpus import iter_texts
    from doctobert_hf.drbenchmark import list_tasks
    from doctobert_hf.drbenchmark.tasks import GROUPS, named_tasks

    if config.data_dir is not None and not Path(config.data_dir).expanduser().exists():
        raise UsageError(
            f"--data-dir '{config.data_dir}' does not exist",
            "a folder or an archive of raw corpora",
        )
    tasks = [spec.name for spec in list_tasks()]
    units: list[tuple[str, str]] = []
    missing: list[str] = []
    wanted = [
        task
        for name in config.benchmark
        for task in ([spec.name for spec in named_tasks([name])] if name in GROUPS else [name])
    ]
    for name in dict.fromkeys(wanted or tasks):
        if name in tasks:
            units += [(name, text) for text in _task_units(name, config, missing)]
        else:
            units += [(Path(name).stem, text) for text in iter_texts(name)]
    if missing and units:
        print(f"not at hand, and not looked for: {', '.join(missing)}", file=sys.stderr)
    if not units:
        raise UsageError(
            "No test units to look for",
            "raw corpora in --data-dir, or --benchmark FILE",
            "See doctobert-hf benchmark check",
        )
    return units


def _task_units(name: str, config: DecontaminateConfig, missing: list[str]) -> Iterator[str]:
    from datasets import load_dataset

    import doctobert_hf
    from doctobert_hf.drbenchmark.check import data_found
    from doctobert_hf.drbenchmark.tasks import get_task
    from doctobert_hf.errors import DoctobertError

    doctobert_hf.register()
    where = str(config.data_dir) if config.data_dir else None
    try:
        rows = load_dataset("doctobert_hf/drbenchmark", name, data_dir=where, split="test")
    except (DoctobertError, OSError, ValueError) as error:
        if name in config.benchmark:
            raise
        if data_found(get_task(name), where) in ("download", "missing"):
            missing.append(name)
        else:
            reason = error.got if isinstance(error, DoctobertError) else str(error).split(". ")[0]
            print(f"{name}: not looked for: {reason}", file=sys.stderr)
        return
    whole: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        document = row.get("document_id") if config.units == "documents" else None
        for part, text in enumerate(_row_units(row)):
            whole.setdefault(document or f"row {number} {part}", []).append(text)
    for texts in whole.values():
        yield "\n".join(texts)


def _row_units(row: dict[str, Any]) -> Iterator[str]:
    """What of a row is text: tokens joined, a question alone and with answers, both of a pair."""
    if "tokens" in row:
        yield " ".join(row["tokens"])
    elif "question" in row:
        answers = [row[f"answer_{k}"] for k in "abcde" if row.get(f"answer_{k}")]
        yield row["question"]
        yield "\n".join((row["question"], *answers))
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
                guilty |= dict.fromkeys(index.whole_lines(document.text), 1.0)
                for unit, share in index.close_together(document.text).items():
                    guilty[unit] = max(share, guilty.get(unit, 0.0))
                for task in {index.units[unit][0] for unit in hits.keys() | guilty.keys()}:
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
    index = TestIndex(config.words, config.near)
    with open(units, encoding="utf-8") as lines:
        for line in lines:
            task, text = json.loads(line)
            index.add(task, text, config.least_words)
    index.finish()
    return index


def decontaminate(config: DecontaminateConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest, with a report by task.

    Raises:
        UsageError: No test units.
        DataError: An input that cannot be read.
    """
    from doctobert_hf.finemed.input_columns import input_schema
    from doctobert_hf.finemed.stage import Stage

    config.check_input()
    schema = input_schema(config)
    units = "".join(json.dumps(u, ensure_ascii=False) + "\n" for u in read_units(config))
    content = units.encode()
    sought = {
        "path": "test units",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    with Stage("decontaminate", config, overwrite=overwrite, besides=[sought]) as stage:
        return stage.finished() or _decontaminate(stage, schema, config, units)


def _decontaminate(
    stage: Stage, schema: pa.Schema, config: DecontaminateConfig, units: str
) -> dict[str, Any]:
    path = stage.folder / "units.jsonl"
    if not path.is_file():
        from doctobert_hf.files import write_text_atomic

        write_text_atomic(path, units)
    step = Decontaminate(str(path), config, stage.exclusions)
    if not stage.run([*stage.readers(), step, stage.writer(schema)]):
        return {}
    return stage.close(read=stage.counted("rows"), tasks=_report(stage, path, config))


def _report(stage: Any, path: Path, config: DecontaminateConfig) -> list[dict[str, Any]]:
    """By task: units, those not looked for (alone), documents that share an n-gram, and dropped."""
    index = build_index(str(path), config)
    counts = Counter(task for task, _, _ in index.units)
    tasks = sorted(set(counts) | set(index.too_short))
    if not index.units:
        raise DataError(
            f"All test units are shorter than least_words, and than {SHORTEST} words",
            f"units of {SHORTEST} words or more: shorter ones stand in any text",
        )
    return [
        {
            "task": task,
            "units": counts[task],
            "too_short": index.too_short[task],
            "with_answers_only": index.not_alone[task],
            "documents_touched": stage.counted(f"touched_{task}"),
            "documents_contaminated": stage.counted(f"contaminated_{task}"),
        }
        for task in tasks
    ]
