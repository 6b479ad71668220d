"""Figures of annotated documents by source: words, tokens, density, quality, subdomains.

Also what each published mix would keep, and how the two densities relate on a sample. Read in
batches, files by parts; what is kept in memory are counts.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.pipeline.base import PipelineStep

from doctobert_hf.corpus.columnar import is_columnar, record_batches, schema_of
from doctobert_hf.corpus.files import CorpusFile
from doctobert_hf.environment import package_versions
from doctobert_hf.errors import DataError
from doctobert_hf.files import write_json_atomic, write_text_atomic
from doctobert_hf.finemed.density import medical_term_density
from doctobert_hf.finemed.filters import ALIASES, PRESETS, Filter, parse
from doctobert_hf.finemed.progress import PartCount
from doctobert_hf.finemed.reading import input_files, whole
from doctobert_hf.finemed.stage import Stage
from doctobert_hf.reporting.tables import markdown_table
from doctobert_hf.runs.record import describe_input

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import StatsConfig

BINS = 50
"""Bins of the density, from 0 to 1."""
_BATCH = 256
"""Documents counted at once."""
_LEGACY_THRESHOLDS = (0.01, 0.05, 0.1, 0.2)
_SUMS = ("documents", "words", "tokens", "density_sum")
_COUNTERS = ("quality", "subdomains", "density")


@dataclass
class Figures:
    """Counts of one source."""

    documents: int = 0
    words: int = 0
    tokens: int = 0
    quality: Counter[int] = field(default_factory=Counter)
    subdomains: Counter[str] = field(default_factory=Counter)
    density: Counter[int] = field(default_factory=Counter)
    density_sum: float = 0.0
    kept: dict[str, list[int]] = field(default_factory=dict)

    def counts(self) -> dict[str, Any]:
        """Return the counts as JSON; those by value as pairs, whose values keep their types."""
        found: dict[str, Any] = {name: getattr(self, name) for name in (*_SUMS, "kept")}
        return found | {name: list(getattr(self, name).items()) for name in _COUNTERS}

    def add(self, counts: dict[str, Any]) -> None:
        """Add the counts of other documents."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + counts[name])
        for name in _COUNTERS:
            getattr(self, name).update(dict(counts[name]))
        for name, numbers in counts["kept"].items():
            total = self.kept.setdefault(name, [0, 0])
            total[:] = [a + b for a, b in zip(total, numbers, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """Counts as JSON; the density as a histogram of ``BINS`` bins."""
        with_density = sum(self.density.values())
        return {
            "documents": self.documents,
            "words": self.words,
            "tokens": self.tokens,
            "density_mean": self.density_sum / with_density if with_density else None,
            "density_histogram": [self.density[i] for i in range(BINS)] if with_density else None,
            "quality": {str(key): self.quality[key] for key in sorted(self.quality)},
            "subdomains": dict(self.subdomains.most_common()),
            "kept": {name: {"documents": d, "words": w} for name, (d, w) in self.kept.items()},
        }


class _Reader:
    """Reads inputs batch by batch into figures."""

    def __init__(self, config: StatsConfig) -> None:
        self.config = config
        self.sources: dict[str, Figures] = {}
        self.sample: list[tuple[float, float]] = []
        self.filters: dict[str, Filter] = {name: parse(name) for name in PRESETS}
        self.tokenizer: Any = None
        if config.tokenizer:
            from doctobert_hf.models.opening import open_tokenizer

            self.tokenizer = open_tokenizer(config.tokenizer)

    def read(self, place: str, file: CorpusFile) -> None:
        """Read one file of an input."""
        import pyarrow as pa

        with whole(file, place):
            self._check_columns(file.name, schema_of(file.path).names)
            for batch in record_batches(file.path, _BATCH):
                self._add(place, pa.Table.from_batches([batch]))

    def _check_columns(self, name: str, columns: list[str]) -> None:
        for wanted in (self.config.text_column, self.config.source_column):
            if wanted is not None and wanted not in columns:
                raise DataError(f"'{name}' has no column '{wanted}'", f"one of {columns}")

    def counts(self) -> dict[str, Any]:
        """Return what was counted, as JSON."""
        sources = {name: figures.counts() for name, figures in self.sources.items()}
        return {"sources": sources, "sample": self.sample}

    def add(self, counts: dict[str, Any]) -> None:
        """Add what was counted of a file that follows."""
        for name, found in counts["sources"].items():
            self.sources.setdefault(name, Figures()).add(found)
        wanted = self.config.calibration - len(self.sample)
        self.sample += [(union, legacy) for union, legacy in counts["sample"][:wanted]]

    def _add(self, place: str, table: pa.Table) -> None:
        import pyarrow.compute as pc

        column = self.config.source_column
        if column is None:
            names = [Path(one).name for one in self.config.input]
            name = Path(place).name
            # Two inputs of one name are two sources.
            source = name if names.count(name) < 2 else place
            return self._count(self.sources.setdefault(source, Figures()), table)
        for value in pc.unique(table.column(column)).to_pylist():
            mask = pc.equal(table.column(column), value) if value is not None else None
            rows = table.filter(mask if mask is not None else pc.is_null(table.column(column)))
            self._count(self.sources.setdefault(str(value), Figures()), rows)

    def _count(self, figures: Figures, table: pa.Table) -> None:
        texts = [text or "" for text in table.column(self.config.text_column).to_pylist()]
        words = [len(text.split()) for text in texts]
        if "num_words" not in table.column_names:
            table = table.append_column("num_words", [words])
        figures.documents += len(texts)
        figures.words += sum(words)
        if self.tokenizer is not None and texts:
            encoded = self.tokenizer(texts, add_special_tokens=False, verbose=False)
            figures.tokens += sum(map(len, encoded["input_ids"]))
        self._axes(figures, table)
        for name, where in self.filters.items():
            if all(column in table.column_names for column in where.columns):
                kept = where.apply(table)
                total = figures.kept.setdefault(name, [0, 0])
                total[0] += kept.num_rows
                total[1] += sum(value or 0 for value in kept.column("num_words").to_pylist())
        self._calibrate(texts, table)

    def _axes(self, figures: Figures, table: pa.Table) -> None:
        names = table.column_names
        if (column := ALIASES["density"]) in names:
            for value in table.column(column).to_pylist():
                if value is not None:
                    figures.density[min(BINS - 1, int(value * BINS))] += 1
                    figures.density_sum += value
        if (column := ALIASES["edu"]) in names:
            figures.quality.update(v for v in table.column(column).to_pylist() if v is not None)
        if (column := ALIASES["subdomain"]) in names:
            figures.subdomains.update(v for v in table.column(column).to_pylist() if v)

    def _calibrate(self, texts: list[str], table: pa.Table) -> None:
        if "medical_entities" not in table.column_names:
            return
        for text, entities in zip(texts, table.column("medical_entities").to_pylist(), strict=True):
            if len(self.sample) >= self.config.calibration:
                return
            if text and entities:
                surfaces = {term for terms in entities.values() for term in terms or ()}
                self.sample.append(
                    (
                        medical_term_density(text, surfaces, "union"),
                        medical_term_density(text, surfaces, "legacy"),
                    )
                )


def calibration(sample: list[tuple[float, float]]) -> dict[str, Any] | None:
    """Relate the union density to the legacy one.

    Args:
        sample: ``(union, legacy)`` of each document.

    Returns:
        Means, the largest legacy value, Spearman's correlation, and for legacy thresholds the share
        of documents they keep with the union threshold that keeps as many; ``None`` without sample.
    """
    if not sample:
        return None
    union, legacy = sorted(u for u, _ in sample), sorted(v for _, v in sample)
    rows = []
    for threshold in _LEGACY_THRESHOLDS:
        kept = sum(value >= threshold for value in legacy)
        same = union[len(union) - kept] if kept else None
        rows.append({"legacy": threshold, "kept": kept / len(sample), "union": same})
    return {
        "documents": len(sample),
        "union_mean": sum(union) / len(union),
        "legacy_mean": sum(legacy) / len(legacy),
        "legacy_max": legacy[-1],
        "spearman": spearman(sample),
        "thresholds": rows,
    }


def spearman(sample: list[tuple[float, float]]) -> float | None:
    """Rank correlation of pairs; ``None`` where one side is constant."""
    from scipy import stats

    first, second = zip(*sample, strict=True)
    if len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(stats.spearmanr(first, second).statistic)


def statistics(config: StatsConfig, overwrite: bool = False) -> dict[str, Any]:
    """Write ``statistics.json``, ``STATISTICS.md`` and figures; return what the command prints.

    Args:
        config: The configuration.
        overwrite: Move other statistics that are in the folder aside.

    Raises:
        UsageError: The folder holds something else.
        DataError: An input that cannot be read, or no such column.
    """
    config.check_input()
    files = [(place, file) for place in config.input for file in input_files(place)]
    # A tokenizer that was trained anew in its place counts other tokens.
    own = sorted(Path(config.tokenizer).glob("tokenizer*.json")) if config.tokenizer else []
    besides = [describe_input(path) for path in own]
    with Stage("stats", config, overwrite=overwrite, besides=besides) as stage:
        for place, file in files:
            if not is_columnar(file.path):
                raise DataError(
                    f"'{file.name}' of '{place}' has no typed columns to count",
                    "Parquet, as the stages write it, or a folder of save_to_disk",
                    "Run a stage over it first, for example finemed clean",
                )
        counts = stage.folder / "logs" / "counts"
        if not stage.run([CountFiles(config, files, counts)]):
            return {}
        reader = _Reader(config)
        for number in range(len(files)):  # in the order of the files, whatever part read them
            reader.add(json.loads((counts / f"{number}.json").read_text(encoding="utf-8")))
        made = _write(config, reader, stage.folder)
        figures = (path.name for path in sorted(stage.folder.glob("*.png")))
        stage.run_folder.finish("statistics.json", "STATISTICS.md", "logs", *figures)
        return made


class CountFiles(PipelineStep):
    """Counts each file of a part, into a file of its own."""

    type, name = "FineMed", "count"

    def __init__(
        self, config: StatsConfig, files: list[tuple[str, CorpusFile]], folder: Path
    ) -> None:
        super().__init__()
        self.config, self.files, self.folder = config, files, folder

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """Read the files whose turn it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        count = PartCount(self.folder.parent / "progress", str(rank), None)
        for number, (place, file) in enumerate(self.files):
            if number % world_size == rank:
                reader = _Reader(self.config)
                reader.read(place, file)
                write_json_atomic(self.folder / f"{number}.json", reader.counts())
                count.update()
        yield from ()


def _write(config: StatsConfig, reader: _Reader, folder: Path) -> dict[str, Any]:
    tables = _tables(reader)
    record = {
        "inputs": list(config.input),
        "sources": {name: figures.as_json() for name, figures in reader.sources.items()},
        "calibration": calibration(reader.sample),
        "versions": package_versions(),
    }
    write_json_atomic(folder / "statistics.json", record)
    write_text_atomic(folder / "STATISTICS.md", _page(tables))
    if config.plots:
        _plot(record, folder)
    return {**record, "tables": tables}


def _plot(record: dict[str, Any], folder: Path) -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("No figures: pip install 'doctobert-hf[plot]'", file=sys.stderr)
        return
    from doctobert_hf.finemed.figures import draw

    draw(record, folder)


def _page(tables: list[dict[str, Any]]) -> str:
    parts = [f"## {t['title']}\n\n{markdown_table(t['header'], t['rows'])}\n" for t in tables]
    return "# Statistics\n\n" + "\n".join(parts)


def _tables(reader: _Reader) -> list[dict[str, Any]]:
    named = list(reader.sources.items())
    rows = [
        [
            name,
            f"{f.documents:,}",
            f"{f.words:,}",
            f"{f.tokens:,}" if f.tokens else "",
            f"{f.density_sum / sum(f.density.values()):.3f}" if f.density else "",
            f"{sum(k * n for k, n in f.quality.items()) / sum(f.quality.values()):.2f}"
            if f.quality
            else "",
        ]
        for name, f in named
    ]
    header = ["source", "documents", "words", "tokens", "mean density", "mean quality"]
    tables = [{"title": "Sources", "header": header, "rows": rows}]
    tables += _shares("Subdomains, % of documents", {n: f.subdomains for n, f in named})
    tables += _shares("Educational quality, % of documents", {n: f.quality for n, f in named})
    presets = [name for name in PRESETS if any(name in f.kept for _, f in named)]
    if presets:
        rows = []
        for preset in presets:
            both = [f.kept.get(preset, [0, 0]) for _, f in named]
            documents, words = (sum(column) for column in zip(*both, strict=True))
            share = 100 * words / max(1, sum(f.words for _, f in named))
            rows.append([preset, f"{documents:,}", f"{words:,}", f"{share:.1f}"])
        header = ["mix", "documents", "words", "% of words"]
        tables.append({"title": "What each published mix keeps", "header": header, "rows": rows})
    if (found := calibration(reader.sample)) is not None:
        tables.append(_calibration_table(found))
    return tables


def _calibration_table(found: dict[str, Any]) -> dict[str, Any]:
    rows = [
        [
            f"{row['legacy']:g}",
            f"{100 * row['kept']:.1f}",
            "" if row["union"] is None else f"{row['union']:.3f}",
        ]
        for row in found["thresholds"]
    ]
    return {
        "title": f"Densities are not interchangeable: thresholds that keep as many\n"
        f"of {found['documents']:,} documents",
        "header": ["legacy", "% kept", "union"],
        "rows": rows,
    }


def _shares(title: str, counts: dict[str, Counter[Any]]) -> list[dict[str, Any]]:
    values = Counter[Any]()
    for counter in counts.values():
        values.update(counter)
    if not values:
        return []
    numeric = all(isinstance(value, int) for value in values)
    order = sorted(values) if numeric else [value for value, _ in values.most_common()]
    rows = [
        [str(value), *(f"{100 * c[value] / max(1, sum(c.values())):.1f}" for c in counts.values())]
        for value in order
    ]
    return [{"title": title, "header": ["", *counts], "rows": rows}]
