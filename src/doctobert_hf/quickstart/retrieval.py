"""The retrieval stage: the run's model becomes a small dense retriever, beside BM25.

Questions come from the corpus itself: what a document's title and heading promise, its section
answers. A document whose questions are held out gives none to training.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doctobert_hf.errors import UsageError
from doctobert_hf.files import write_json_atomic, write_text_atomic
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.runs.record import RECORD, is_stale

if TYPE_CHECKING:
    from doctobert_hf.chunking import HierarchicalChunker

FOLDER = "retrieval"
PAIRS = "data/pairs.jsonl"
LENGTH = 64
"""Tokens of a question and of a passage."""
BATCH = 16
MAX_PAIRS, MIN_PAIRS = 600, 20
HELD_OUT_SHARE = 0.1
"""Of the documents, each for validation and for test."""
_TITLE = 120  # characters; a longer first line is text


def retrieval_record(
    config: QuickstartConfig, folder: Path, documents: Iterable[str]
) -> dict[str, Any]:
    """Train the run's model for search and measure it before and after, beside BM25.

    Args:
        config: Sizes of the run.
        folder: The run; pairs, model and results go to ``retrieval``.
        documents: Texts; the questions of the first are held out.

    Returns:
        ``pairs`` (by split), ``shared`` and ``cut`` as :func:`write_pairs` counts them, ``steps``,
        and ``systems``, each with ``system``, ``kind`` and ``scores``; or ``not_run``, the reason.
    """
    reason = missing_extra()
    if reason is not None:
        return {"not_run": reason}
    counts = write_pairs(folder / PAIRS, documents, _chunker(config, folder))
    if not all(counts["pairs"].values()) or sum(counts["pairs"].values()) < MIN_PAIRS:
        return {
            **counts,
            "not_run": f"at least {MIN_PAIRS} questions, of several documents, are needed; the "
            f"corpus gives {sum(counts['pairs'].values())}, and {counts['shared']} that several "
            "of its documents answer",
        }
    return {**counts, **_train(config, folder)}


def missing_extra() -> str | None:
    """Say why the stage cannot run in this environment; None: it can."""
    from doctobert_hf.retrieval.bm25 import require_bm25
    from doctobert_hf.retrieval.models import require_sentence_transformers

    try:
        require_sentence_transformers()
        require_bm25()
    except UsageError as error:
        return str(error)
    return None


class _Question(NamedTuple):
    text: str
    passage: str
    document: int


def write_pairs(path: Path, documents: Iterable[str], chunker: HierarchicalChunker) -> dict:
    """Write at most :data:`MAX_PAIRS` pairs of question and passage as JSON lines.

    Returns:
        ``pairs`` by split; ``shared``, questions left out because several documents answer them;
        ``cut``, passages over the chunker's length, of which the first chunk is kept.
    """
    found = list(_questions(documents))
    asked = Counter(question.text for question in found)
    kept = [question for question in found if asked[question.text] == 1][:MAX_PAIRS]
    held_out = _held_out([question.document for question in kept])
    counts = {"train": 0, "validation": 0, "test": 0}
    lines, cut = [], 0
    for text, passage, document in kept:
        chunks = chunker.split(passage)
        cut += len(chunks) > 1
        split = held_out.get(document, "train")
        counts[split] += 1
        pair = {"query": text, "positive": chunks[0], "split": split}
        lines.append(json.dumps(pair, ensure_ascii=False) + "\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(path, "".join(lines))
    shared = sum(count for count in asked.values() if count > 1)
    return {"pairs": counts, "shared": shared, "cut": cut}


def _questions(documents: Iterable[str]) -> Iterator[_Question]:
    """Read a document's first line as its title, unless it is as long as a paragraph."""
    from doctobert_hf.retrieval.passages import pairs_of

    for number, text in enumerate(documents):
        first, _, rest = text.strip().partition("\n")
        title = first.strip(" #")
        titled = bool(rest) and len(title) <= _TITLE
        for pair in pairs_of(title, rest) if titled else pairs_of("", text):
            yield _Question(pair.query, pair.positives[0], number)


def _held_out(documents: list[int]) -> dict[int, str]:
    order = list(dict.fromkeys(documents))
    some = max(1, round(len(order) * HELD_OUT_SHARE))
    return dict.fromkeys(order[:some], "test") | dict.fromkeys(order[some : 2 * some], "validation")


def _length(config: QuickstartConfig) -> int:
    return min(LENGTH, config.max_length)


def _chunker(config: QuickstartConfig, folder: Path) -> HierarchicalChunker:
    from transformers import PreTrainedTokenizerFast

    from doctobert_hf.chunking import HierarchicalChunker

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "model")
    return HierarchicalChunker(tokenizer, _length(config))


def _train(config: QuickstartConfig, folder: Path) -> dict[str, Any]:
    from doctobert_hf.retrieval.evaluation import evaluate
    from doctobert_hf.retrieval.recipe import RetrievalConfig
    from doctobert_hf.retrieval.train import RetrievalRun

    recipe = RetrievalConfig(
        base_model=str(folder / "model"),
        output=folder / FOLDER,
        pooling="mean",
        query_length=_length(config),
        max_length=_length(config),
        data=str(folder / PAIRS),
        batch_size=BATCH,
        max_steps=config.retrieval_steps,
        learning_rate=1e-3,
        evaluations=1,
        patience=0,
        seed=config.seed,
        report_to=[],
    )
    # A stage that was stopped has a run there already, which goes on.
    there = (folder / FOLDER / RECORD).is_file()
    moved = is_stale(folder / FOLDER, base_model=str((folder / "model").resolve()))
    run = RetrievalRun(recipe, resume=there and not moved, overwrite=moved)
    results = [evaluate("BM25", run.splits.test), run.evaluate("before training")]
    run.train()
    results.append(run.evaluate("after training"))
    run.write_record(results)
    path = folder / FOLDER / "results.json"
    write_json_atomic(path, [result.as_json() for result in results])
    plain = json.loads(path.read_text(encoding="utf-8"))
    return {
        "steps": run.trainer.state.global_step,
        "passages": results[0].documents,
        "systems": [
            {key: result[key] for key in ("system", "kind", "scores", "intervals")}
            for result in plain
        ],
    }


RETRIEVAL_HEADER = ("search in held-out questions", "nDCG@10", "95 %", "recall@10")


def retrieval_rows(record: dict[str, Any]) -> list[list[str]]:
    """Return the rows of the stage's table; none where it did not run."""
    rows = []
    for result in record.get("systems", []):
        low, high = result["intervals"]["ndcg@10"]
        name = result["system"]
        if result["kind"] == "dense":
            name = f"the model, {name}"
        rows.append(
            [
                name,
                f"{100 * result['scores']['ndcg@10']:.1f}",
                f"{100 * low:.1f} – {100 * high:.1f}",
                f"{100 * result['scores']['recall@10']:.1f}",
            ]
        )
    return rows
