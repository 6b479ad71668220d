"""French medical tasks for mteb, from raw data on this machine.

Questions of LabForSims2 and FrenchMedMCQA as retrieval, DrBenchmark's sentence pairs (CLISTER,
DEFT-2020) as semantic similarity, and DEFT-2020's parallel sentences as a choice of three.
``register()`` makes them known to ``mteb.get_tasks``; ``mteb.evaluate`` runs them like its own:

    import mteb
    from doctobert_hf.retrieval.mteb_tasks import register

    register("raw")
    mteb.evaluate(model, mteb.get_tasks(tasks=["LabForSims2Retrieval"]))
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from doctobert_hf.drbenchmark.tasks import get_task
from doctobert_hf.errors import UsageError

try:
    import mteb
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.sts import AbsTaskSTS
    from mteb.abstasks.task_metadata import TaskMetadata
except ImportError as error:
    raise UsageError(
        "mteb is not installed", "it beside this package", "Install it: pip install mteb"
    ) from error

if TYPE_CHECKING:
    from doctobert_hf.retrieval.pairs import PairSet

_LABFORSIMS2 = """@inproceedings{laleye_french_2020,
  address = {Marseille, France},
  author = {Laleye, Fréjus A. A. and de Chalendar, Gaël and Blanié, Antonia and Brouquet, Antoine
            and Behnamou, Dan},
  booktitle = {Proceedings of the 12th Language Resources and Evaluation Conference},
  pages = {574--580},
  title = {A French Medical Conversations Corpus Annotated for a Virtual Patient Dialogue System},
  year = {2020},
}"""


class _Metadata(TaskMetadata):
    """What mteb knows of a task, with its descriptive statistics kept for this process only.

    mteb writes them into its own installed package and reads them from there for good, whatever
    raw data a later process has.
    """

    @property
    def descriptive_stat_path(self) -> Path:
        """Where ``calculate_descriptive_statistics`` writes."""
        place = str(_LocalRetrieval.data_dir or os.environ.get("DOCTOBERT_DATA_DIR", ""))
        key = hashlib.sha256(place.encode()).hexdigest()[:16]
        return Path(_statistics_folder().name) / key / f"{self.name}.json"


@functools.cache
def _statistics_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="doctobert-mteb-")


def _metadata(name: str, about: dict[str, Any]) -> TaskMetadata:
    common: dict[str, Any] = {
        "category": "t2t",
        "eval_splits": ["test"],
        "eval_langs": ["fra-Latn"],
        "domains": ["Medical", "Written"],
        "annotations_creators": "expert-annotated",
        "dialect": [],
        "sample_creation": "found",
    }
    return _Metadata(name=name, **{**common, **about})


def _of_drbenchmark(config: str, date: tuple[str, str], licence: str) -> dict[str, Any]:
    corpus = get_task(config).corpus
    return {
        "description": corpus.description,
        "reference": corpus.homepage,
        "dataset": {"path": "doctobert_hf/drbenchmark", "revision": "1", "name": config},
        "date": date,
        "license": licence,
        "bibtex_citation": corpus.citation,
    }


class _LocalRetrieval(AbsTaskRetrieval):
    data_dir: ClassVar[Path | None] = None

    def _pairs(self) -> PairSet:
        raise NotImplementedError

    def load_data(self, num_proc: int | None = None, **_: Any) -> None:
        """Read the test questions from the raw files."""
        from datasets import Dataset

        if self.data_loaded:
            return
        pairs = self._pairs()
        corpus = [{"id": key, "text": text, "title": ""} for key, text in pairs.documents.items()]
        queries = [{"id": key, "text": text} for key, text in pairs.queries.items()]
        relevant = {key: dict.fromkeys(ids, 1) for key, ids in pairs.relevant.items()}
        self.dataset = {
            "default": {
                "test": {
                    "corpus": Dataset.from_list(corpus),
                    "queries": Dataset.from_list(queries),
                    "relevant_docs": relevant,
                    "top_ranked": self._candidates(),
                }
            }
        }
        self.data_loaded = True

    def _candidates(self) -> dict[str, list[str]] | None:
        return None


class LabForSims2Retrieval(_LocalRetrieval):
    """The virtual patient's answers to the doctor's held-out questions."""

    metadata = _metadata(
        "LabForSims2Retrieval",
        {
            "description": "Questions of a doctor to a virtual patient, among all of the "
            "patient's answers; a tenth of the questions, held out by a hash.",
            "reference": "https://aclanthology.org/2020.lrec-1.72",
            "dataset": {
                "path": "kleag/labforsims2-corpus",
                "revision": "0926b03eed0a6bc8ce91361fb2ae71d86ab97ac7",
            },
            "type": "Retrieval",
            "main_score": "ndcg_at_10",
            "date": ("2016-01-01", "2020-05-31"),
            "domains": ["Medical", "Spoken"],
            "task_subtypes": ["Question Answering Retrieval"],
            "license": "cc-by-sa-4.0",
            "bibtex_citation": _LABFORSIMS2,
        },
    )

    def _pairs(self) -> PairSet:
        return _test_of("labforsims2", self.data_dir)


class FrenchMedMCQARetrieval(_LocalRetrieval):
    """The right options of the test questions among all of the test's options."""

    metadata = _metadata(
        "FrenchMedMCQARetrieval",
        {
            **_of_drbenchmark("frenchmedmcqa_mcqa", ("2022-01-01", "2022-12-07"), "apache-2.0"),
            "type": "Retrieval",
            "main_score": "ndcg_at_10",
            "task_subtypes": ["Question Answering Retrieval"],
        },
    )

    def _pairs(self) -> PairSet:
        return _test_of("frenchmedmcqa", self.data_dir)


class DEFT2020ParallelRetrieval(_LocalRetrieval):
    """The parallel sentence among three candidates (DEFT-2020, task 2)."""

    metadata = _metadata(
        "DEFT2020ParallelRetrieval",
        {
            **_of_drbenchmark("deft2020_cls", ("2020-01-01", "2020-06-08"), "not specified"),
            "type": "Reranking",
            "main_score": "hit_rate_at_1",
            "task_subtypes": [],
        },
    )
    _offered: dict[str, list[str]]

    def _pairs(self) -> PairSet:
        from doctobert_hf.retrieval.pairs import Pair, PairSet, text_id

        pairs, self._offered = [], {}
        rows = _drbenchmark("deft2020_cls", self.data_dir)
        for row in rows:
            texts = [row[f"candidate_{number}"] for number in (1, 2, 3)]
            right = row["label"]
            wrong = (*texts[:right], *texts[right + 1 :])
            pairs.append(Pair(row["source"], (texts[right],), wrong))
            offered = self._offered.setdefault(text_id("q", row["source"]), [])
            offered += [key for key in (text_id("d", t) for t in texts) if key not in offered]
        return PairSet.from_pairs("deft2020 parallel sentences", pairs)

    def _candidates(self) -> dict[str, list[str]] | None:
        return self._offered


class _LocalSimilarity(AbsTaskSTS):
    data_dir: ClassVar[Path | None] = None
    config: ClassVar[str]
    min_score = 0
    max_score = 5

    def load_data(self, num_proc: int | None = None, **_: Any) -> None:
        """Read the test pairs from the raw files."""
        if self.data_loaded:
            return
        rows = _drbenchmark(self.config, self.data_dir)
        self.dataset = {"test": rows.rename_columns({"text_1": "sentence1", "text_2": "sentence2"})}
        self.data_loaded = True


class CLISTERSimilarity(_LocalSimilarity):
    """Similarity of sentences of clinical cases, 0 to 5."""

    config = "clister"
    metadata = _metadata(
        "CLISTERSimilarity",
        {
            **_of_drbenchmark("clister", ("2021-01-01", "2022-06-20"), "not specified"),
            "type": "STS",
            "main_score": "cosine_spearman",
            "task_subtypes": [],
        },
    )


class DEFT2020Similarity(_LocalSimilarity):
    """Similarity of sentences from encyclopaedias and drug leaflets, 0 to 5."""

    config = "deft2020_sts"
    metadata = _metadata(
        "DEFT2020Similarity",
        {
            **_of_drbenchmark("deft2020_sts", ("2020-01-01", "2020-06-08"), "not specified"),
            "type": "STS",
            "main_score": "cosine_spearman",
            "task_subtypes": [],
        },
    )


TASKS = (
    LabForSims2Retrieval,
    FrenchMedMCQARetrieval,
    DEFT2020ParallelRetrieval,
    CLISTERSimilarity,
    DEFT2020Similarity,
)


def register(data_dir: str | Path | None = None) -> list[str]:
    """Make the tasks known to ``mteb.get_task`` and ``mteb.get_tasks``; return their names.

    They are found by name, language, domain and type, as mteb's own.

    Args:
        data_dir: Folder of raw corpora; default: ``$DOCTOBERT_DATA_DIR`` when a task is run.
    """
    place = Path(data_dir) if data_dir else None
    _LocalRetrieval.data_dir = _LocalSimilarity.data_dir = place
    # mteb has no public way to add a task: its get_task looks names up in a table, and its filters
    # (languages, domains, types) go through a list.
    # The attribute mteb.get_tasks is the function of that name, not the module.
    module: Any = sys.modules[mteb.get_tasks.__module__]
    for task in TASKS:
        ours = module._TASKS_REGISTRY.setdefault(task.metadata.name, task) is task
        if ours and task not in module.TASK_LIST:
            module.TASK_LIST = type(module.TASK_LIST)([*module.TASK_LIST, task])
    return [task.metadata.name for task in TASKS]


def _test_of(name: str, data_dir: Path | None) -> PairSet:
    from doctobert_hf.retrieval.builders import load_splits
    from doctobert_hf.retrieval.recipe import RetrievalConfig

    config = RetrievalConfig("none", data=name, data_dir=data_dir, leaked_questions="drop")
    return load_splits(config).test


def _drbenchmark(config: str, data_dir: Path | None) -> Any:
    from datasets import load_dataset

    import doctobert_hf

    doctobert_hf.register()
    place = str(data_dir) if data_dir else None
    return load_dataset("doctobert_hf/drbenchmark", config, data_dir=place, split="test")


def run_mteb(
    system: str, model: Any, names: list[str], data_dir: Path | None = None
) -> list[dict[str, Any]]:
    """Run mteb's tasks, these or its own, on an open model.

    Args:
        system: What to call the model.
        model: A ``SentenceTransformer`` or ``MultiVectorEncoder``.
        names: Names of tasks.
        data_dir: Folder of raw corpora.

    Returns:
        One row a task: system, task, name of the main score and its value.

    Raises:
        UsageError: A name that mteb does not know.
    """
    from doctobert_hf.errors import nearest

    register(data_dir)
    known = sys.modules[mteb.get_tasks.__module__]._TASKS_REGISTRY  # type: ignore[attr-defined]
    for name in names:
        if name not in known:
            named = {task.lower(): task for task in known}
            alike = [task for low, task in named.items() if low.startswith(name.lower())]
            fix = f"Did you mean {alike[0]}?" if alike else nearest(name, list(known))
            raise UsageError(f"No mteb task '{name}'", fix=fix)
    tasks = [mteb.get_task(name) for name in names]
    done = mteb.evaluate(model, tasks, cache=None, co2_tracker=False, show_progress_bar=False)
    return [
        {
            "system": system,
            "task": result.task_name,
            "score": task.metadata.main_score,
            "value": float(result.get_score()),
        }
        for task, result in zip(tasks, done.task_results, strict=True)
    ]
