"""What a corpus and a task of DrBenchmark are: frozen declarations, one file per corpus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.metrics.own import metric_key, own_metrics

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.source import RawFolder

Row = dict[str, Any]
"""One example: the columns of the task's features, labels still by name."""
Splits = dict[str, list[Row]]
"""Rows of ``train``, ``validation`` and ``test``."""
SPLITS = ("train", "validation", "test")
PROTOCOLS = ("drbenchmark", "doctobert", "strict")


@dataclass(frozen=True)
class CorpusSpec:
    """Where a corpus comes from and on which terms.

    Attributes:
        name: Short name, also the usual name of its folder.
        title: Full name.
        description: What the texts are and who annotated them, in a sentence or two.
        homepage: Where its authors describe it.
        license: Licence as its authors state it.
        redistributable: Whether the licence lets others publish copies.
        citation: BibTeX of the paper.
        layout: The raw files, as they come, for documentation and errors.
        gate: What agreement is needed and from whom; empty for an open corpus.
        urls: What to download: file name in the corpus -> address; one archive or single files.
        aliases: Other names its folders and archives go by, lower case.
        place: Its place in lists.
        annotators: Who annotated it, in the Hub's words for ``annotations_creators``.

    Example:
        >>> from doctobert_hf.drbenchmark import get_task
        >>> corpus = get_task("morfitt").corpus
        >>> corpus.title, corpus.license
        ('MorFITT', 'CC-BY-SA-4.0')
    """

    name: str
    title: str
    description: str
    homepage: str
    license: str
    redistributable: bool
    citation: str
    layout: str
    gate: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    place: int = 100
    annotators: tuple[str, ...] = ("expert-generated",)


@dataclass(frozen=True)
class Filter:
    """The cleaning behind the published DoctoBERT scores (facts of its ``recipes_hpo``).

    Attributes:
        key: What makes two rows duplicates of each other.
        scope: ``cascade``: one memory for test, then validation, then train; ``against_test``:
            train and validation are each compared with test, not with one another.
        drop_label_free: Drop rows whose tags are all ``O`` (rows without words too).
        remember_label_free: Label-free rows count as seen before they are dropped.
    """

    key: Callable[[Row], Hashable]
    scope: Literal["cascade", "against_test"] = "cascade"
    drop_label_free: bool = False
    remember_label_free: bool = False


@dataclass(frozen=True)
class TaskSpec:
    """One of the 27 tasks.

    Attributes:
        name: Configuration name of ``load_dataset("doctobert_hf/drbenchmark", NAME)``.
        corpus: The corpus it is made from.
        kind: Its family (:mod:`doctobert_hf.drbenchmark.families`); decides the columns.
        labels: Tag or class names in the order of their ids; empty for similarity.
        metric: Metric of the published benchmark, a name of ``doctobert_hf.metrics``, or one
            that ``register_metric`` made known.
        files: Patterns of the raw files it reads, relative to the corpus's own folder.
        alternative: Patterns of another release of the same files; empty if there is none.
        read: Converts the raw files: ``read(task, folder, protocol, report) -> Splits``.
        sizes: Rows of train, validation and test under ``protocol="drbenchmark"``, as measured on
            the real corpus or as its authors give them; None where unknown.
        doctobert_sizes: The same under ``protocol="doctobert"``.
        filter: Cleaning of ``protocol="doctobert"``; None where the published recipes have none.
        label_column: Column that holds the tags.
        threshold: Decision threshold of multi-label tasks.
        inputs: Patterns of all files that ``read`` reads, so that rows are made anew when one of
            them changes; empty: all that lie beside ``files``.
        marker: A word that the head of the first file holds: tells corpora apart whose files
            have the same names.
        measured: Whether ``sizes`` were measured on the real files.
        fingerprint: SHA-256 of the rows under ``protocol="drbenchmark"``, where the real files were
            at hand; empty otherwise.
        quirks: What ``protocol="drbenchmark"`` keeps of the original conversion, one a line.
        strict: How ``protocol="strict"`` splits and labels.
        doctobert: Whether it is one of the seven tasks of the DoctoBERT paper.
        max_gap: Most words between two fragments of one entity; 0: fragments are entities.
        extra: Whether it is a variant that is no part of the benchmark; found by name only.

    Example:
        >>> from doctobert_hf.drbenchmark import get_task
        >>> task = get_task("quaero_emea")
        >>> task.kind, task.metric, task.labels[0]
        ('token-classification', 'entity_f1', 'O')
    """

    name: str
    corpus: CorpusSpec
    kind: str
    labels: tuple[str, ...]
    metric: str
    files: tuple[str, ...]
    read: Callable[[TaskSpec, RawFolder, str, Report], Splits] = field(repr=False)
    alternative: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    sizes: tuple[int, int, int] | None = None
    doctobert_sizes: tuple[int, int, int] | None = None
    filter: Filter | None = field(default=None, repr=False)
    label_column: str = "label"
    threshold: float = 0.5
    marker: str = ""
    measured: bool = False
    fingerprint: str = ""
    quirks: tuple[str, ...] = ()
    strict: str = ""
    doctobert: bool = False
    max_gap: int = 0
    extra: bool = False

    @property
    def metric_key(self) -> str:
        """Key of the metric's result that the benchmark reports."""
        return metric_key(self.metric)


def with_metric(task: TaskSpec, name: str | None) -> TaskSpec:
    """Return a task as a plugin's metric scores it; None: as it is.

    Raises:
        UsageError: No plugin registered it.
    """
    if name is None or name == task.metric:
        return task
    if name not in own_metrics():
        metric_key(name)  # a name that is unknown altogether is told with the nearest
        raise UsageError(f"The metric '{name}'", "one of a plugin (register_metric)")
    return replace(task, metric=name)


def task_without_data(name: str, kind: str, labels: tuple[str, ...], **known: Any) -> TaskSpec:
    """Declare a task of which only results or a model are at hand.

    Args:
        name: Its name.
        kind: Its family.
        labels: Its labels.
        known: Other fields of :class:`TaskSpec` that are known.
    """
    corpus = CorpusSpec("own", name, "Own corpus.", "", "private", False, "", "")
    return TaskSpec(name, corpus, kind, labels, files=(), read=_not_here, **known)


def _not_here(*_: Any) -> Any:
    raise UsageError("The data of this task are not known here", "--corpus FOLDER")


class Report:
    """What a conversion repaired, ignored or found odd, counted by kind, with examples.

    Nothing that a conversion leaves out or changes goes unreported; what cannot be repaired
    without guessing is an error instead.

    Attributes:
        counts: Findings by kind.
        examples: Places of the first of each kind.
        annotations: By type, how many annotations were kept, and lost for what reason.
    """

    EXAMPLES = 5

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.annotations: dict[str, Counter[str]] = {}

    def add(self, kind: str, where: str, count: int = 1) -> None:
        """Count one finding of a kind; the first few places are kept."""
        self.counts[kind] += count
        kept = self.examples.setdefault(kind, [])
        if len(kept) < self.EXAMPLES:
            kept.append(where)

    def account(self, kind: str, fate: str) -> None:
        """Count what became of an annotation: ``kept``, or why it is lost.

        Args:
            kind: Its type.
            fate: ``kept``, ``kept as fragments``, or the reason.
        """
        self.annotations.setdefault(kind, Counter())[fate] += 1

    def lines(self) -> list[str]:
        """One line per kind: count, kind, where first."""
        return [
            f"{count} x {kind} (first: {self.examples[kind][0]})"
            for kind, count in self.counts.items()
        ]


def check_protocol(protocol: str) -> str:
    """Return the protocol or raise a :class:`UsageError` that lists the three."""
    if protocol not in PROTOCOLS:
        raise UsageError(f"Protocol '{protocol}'", f"one of {', '.join(PROTOCOLS)}")
    return protocol


def find_label(text: str, labels: tuple[str, ...]) -> str | None:
    """Look a label up as Datasets does: as is, without blanks around it, then as a class number."""
    for form in (text, text.strip()):
        if form in labels:
            return form
    number = text.strip()
    if number.isdecimal() and int(number) < len(labels):
        return labels[int(number)]
    return None


def read_score(text: str, what: str) -> float:
    """Read a similarity score.

    Raises:
        DataError: Not a number from 0 to 5 with a decimal point.
    """
    if re.fullmatch(r"\s*[0-9]+(\.[0-9]*)?\s*", text) and float(text) <= 5.0:
        return float(text)
    raise DataError(f"{what} '{text}'", "a number from 0 to 5 with a decimal point")


def bio(*types: str) -> tuple[str, ...]:
    """``O``, then ``B-`` and ``I-`` of each type in turn."""
    return ("O", *(f"{prefix}-{name}" for name in types for prefix in "BI"))
