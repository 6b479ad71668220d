"""The report of a run: Markdown with tables and figures, every number from the run's records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doctobert_hf.files import write_text_atomic
from doctobert_hf.quickstart.annotation import ANNOTATION_HEADER, annotation_rows
from doctobert_hf.quickstart.cards import push_command
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.quickstart.retrieval import LENGTH, RETRIEVAL_HEADER, retrieval_rows
from doctobert_hf.quickstart.training import read_metrics
from doctobert_hf.reporting import figures
from doctobert_hf.reporting.tables import markdown_table

REPORT_FILE = "report.md"


def write_report(config: QuickstartConfig, folder: Path, records: dict[str, Any]) -> Path:
    """Write ``report.md`` and its figures; return the report's path."""
    sections = [
        f"# Quickstart: a French medical encoder from {_source(records)}",
        _summary(records),
        _figures(config, folder, records),
        _corpus_section(config, records),
        _annotation_section(records["annotation"]),
        _tokenizer_section(records),
        _chunk_section(config, records),
        _result_section(records),
        _fill_mask_section(records),
        _task_section(records),
        _retrieval_section(records["retrieval"]),
        _cards_section(records["cards"]),
        _next_section(folder),
    ]
    path = folder / REPORT_FILE
    write_text_atomic(path, "\n\n".join(section for section in sections if section) + "\n")
    return path


def result_rows(records: dict[str, Any]) -> list[list[str]]:
    """Return the rows of the result table: model, masked accuracy, perplexity."""
    final = records["evaluation"]["held_out"]
    measured = [
        ("unigram baseline", final["unigram_accuracy"], final["unigram_perplexity"]),
        *(
            (name, record["accuracy"], record["perplexity"])
            for name, record in (
                ("untrained", records["phase1"]["untrained"]),
                ("after phase 1 (whole mix)", records["phase1"]["held_out"]),
                ("after phase 2 (medical subset)", final),
            )
        ),
    ]
    return [[name, f"{100 * accuracy:.1f} %", f"{ppl:,.1f}"] for name, accuracy, ppl in measured]


RESULT_HEADER = ("held-out documents", "masked accuracy", "perplexity")


def _source(records: dict[str, Any]) -> str:
    source = records["corpus"]["source"]
    return "a generated sample" if source == "generated sample" else f"`{source}`"


def _summary(records: dict[str, Any]) -> str:
    final = records["evaluation"]["held_out"]
    hits = sum(row["hit"] for row in records["evaluation"]["fill_mask"])
    return (
        f"A model of {records['phase2']['parameters'] / 1e6:.1f} M parameters finds "
        f"**{100 * final['accuracy']:.1f} %** of the masked tokens of held-out documents "
        f"(unigram baseline {100 * final['unigram_accuracy']:.1f} %), perplexity "
        f"**{final['perplexity']:,.1f}** (baseline {final['unigram_perplexity']:,.1f}), on "
        f"{final['masked_tokens']:,} masked tokens; {hits} of "
        f"{len(records['evaluation']['fill_mask'])} fill-mask sentences have an expected word "
        f"among the first five. It is a demonstration of the way, not a model to use."
    )


def _figures(config: QuickstartConfig, folder: Path, records: dict[str, Any]) -> str:
    rows = [row for row in read_metrics(folder) if "loss" in row]
    if not figures.can_draw():
        table = markdown_table(
            ["phase", "tokens", "loss"],
            [
                [r["phase"], f"{r['tokens']:,}", f"{r['loss']:.3f}"]
                for r in rows[:: max(1, len(rows) // 12)]
            ],
        )
        return f"Figures need matplotlib: `pip install 'doctobert-hf[plot]'`. The loss:\n\n{table}"
    figures.save_figure(draw_results(rows, records), folder / "figures" / "results.png")
    return "![Training loss, masked accuracy and where documents were cut](figures/results.png)"


def _points(rows: list[dict[str, Any]], phase: str, offset: int) -> tuple[list[float], list[float]]:
    mine = [row for row in rows if row["phase"] == phase]
    return [(offset + row["tokens"]) / 1000 for row in mine], [row["loss"] for row in mine]


def draw_results(rows: list[dict[str, Any]], records: dict[str, Any]) -> Any:
    """Draw a run's loss, its masked accuracy beside baselines, and where documents were cut.

    Args:
        rows: Logged losses: ``phase, tokens, loss``.
        records: Records of the stages.
    """
    lines = {
        "phase 1, whole mix": _points(rows, "phase1", 0),
        "phase 2, medical subset": _points(rows, "phase2", records["phase1"]["tokens"]),
    }
    figure, (left, middle, right) = figures.new_figure(10, 3.2, panels=3)
    figures.draw_lines(left, lines, "Training loss", "thousand tokens", "cross-entropy, nats")
    final = records["evaluation"]["held_out"]
    accuracies = {
        "unigram": 100 * final["unigram_accuracy"],
        "untrained": 100 * records["phase1"]["untrained"]["accuracy"],
        "phase 1": 100 * records["phase1"]["held_out"]["accuracy"],
        "phase 2": 100 * final["accuracy"],
    }
    figures.draw_bars(middle, accuracies, "Masked accuracy", y_label="% of masked tokens")
    cuts = {name.replace("_", " "): float(n) for name, n in records["chunks"]["cuts"].items()}
    figures.draw_bars(right, cuts, "Where documents were cut", "{:,.0f}", y_label="cuts")
    right.tick_params(axis="x", labelrotation=30)
    return figure


def _corpus_section(config: QuickstartConfig, records: dict[str, Any]) -> str:
    corpus = records["corpus"]
    lines = [
        "## Corpus",
        f"{corpus['documents_used']:,} of {corpus['documents_read']:,} documents "
        f"({corpus['characters_used']:,} of {corpus['characters_read']:,} characters) from "
        f"{_source(records)}; {corpus['held_out']:,} of them are held out.",
        f"The medical subset of phase 2: {corpus['medical']:,} documents, "
        f"{corpus['medical_rule']}.",
    ]
    if corpus["documents_empty"]:
        lines.append(f"{corpus['documents_empty']:,} documents were empty.")
    left = corpus["documents_read"] - corpus["documents_used"] - corpus["documents_empty"]
    if left:
        lines.append(
            f"{left:,} documents were left out to stay within max_characters = "
            f"{config.max_characters:,}, a uniform choice by seed {config.seed}."
        )
    if config.corpus is None:
        lines.append("The sample was generated by templates; no document is real.")
    return "\n\n".join(lines)


def _tokenizer_section(records: dict[str, Any]) -> str:
    record = records["tokenizer"]
    table = markdown_table(
        ["measure, on held-out documents", "value"],
        [
            ["tokens per word (fertility)", f"{record['fertility']:.3f}"],
            ["unknown tokens", f"{100 * record['unk_rate']:.3f} %"],
            ["tokens spelt in bytes", f"{100 * record['byte_fallback_rate']:.3f} %"],
            ["texts that decode to themselves", f"{100 * record['round_trip_rate']:.1f} %"],
            ["tokens per second", f"{record['tokens_per_second']:,.0f}"],
        ],
    )
    return f"## Tokenizer\n\nTrained on {record['training_text']}.\n\n{table}"


def _chunk_section(config: QuickstartConfig, records: dict[str, Any]) -> str:
    record = records["chunks"]
    return (
        f"## Chunks\n\n{record['documents']:,} training documents became {record['chunks']:,} "
        f"chunks of at most {config.max_length} tokens, {record['over_length']} over. Chunks other "
        f"than a document's last are {100 * record['fill']:.1f} % full; "
        f"{100 * record['sentence_share']:.1f} % of the cuts are at a sentence end or higher."
    )


def _result_section(records: dict[str, Any]) -> str:
    phases = markdown_table(
        ["phase", "chunks", "tokens", "steps", "last loss"],
        [
            [name, *(f"{r[key]:,}" for key in ("chunks", "tokens", "steps")), f"{r['loss']:.3f}"]
            for name, r in (("1", records["phase1"]), ("2", records["phase2"]))
        ],
    )
    return f"## Results\n\n{markdown_table(RESULT_HEADER, result_rows(records))}\n\n{phases}"


def _fill_mask_section(records: dict[str, Any]) -> str:
    rows = [
        [
            row["sentence"],
            ", ".join(a or "(space)" for a in row["answers"]),
            "yes" if row["hit"] else "no",
        ]
        for row in records["evaluation"]["fill_mask"]
    ]
    header = ["sentence", "first five answers", "expected word among them"]
    return f"## Fill-mask\n\n{markdown_table(header, rows)}"


def _task_section(records: dict[str, Any]) -> str:
    record = records["drbenchmark"]
    parts = [_benchmark_part(record["benchmark"])]
    if "task" in record:
        parts.append(_real_task_part(record))
    else:
        parts.append(
            "No raw corpus of DrBenchmark was given, so no task of it is shown: pass `--data-dir` "
            "with a folder of them. `doctobert-hf benchmark tasks` lists the tasks and where their "
            "data comes from."
        )
    return "## Benchmark\n\n" + "\n\n".join(parts)


def _benchmark_part(record: dict[str, Any]) -> str:
    data = (
        "sentences made up from the sample's grammar, whose drugs, diseases and operations are to "
        "be found; no term of the test sentences stands in one that is learnt from, so that "
        "learning words by heart does not help"
        if record["made_up"]
        else "real titles of MEDLINE, annotated (QUAERO)"
    )
    sizes = record["rows"]
    table = markdown_table(
        ["model", "seeds", f"mean {record['metric'].upper()}, %"],
        [
            [name, ", ".join(f"{score:.1f}" for score in scores), f"{record['means'][name]:.1f}"]
            for name, scores in record["scores"].items()
        ],
    )
    return (
        f"`{record['task']}`: {data}; {sizes['train']} rows to train on, {sizes['validation']} to "
        f"choose the weights by, {sizes['test']} to test.\n\n{table}\n\n{gain_sentence(record)}\n\n"
        "The full report, as `doctobert-hf benchmark report` writes it: "
        "[benchmark/report/report.md](benchmark/report/report.md). A fine-tuned model is kept in "
        "`ner`; `annotated.html` shows what it finds in documents that it has not seen."
    )


def gain_sentence(record: dict[str, Any]) -> str:
    """Say in words what pretraining brought on the task, also where it brought nothing."""
    trained, untrained = record["means"].values()
    scores, twin_scores = record["scores"].values()
    gain = f"{trained - untrained:+.1f} points, the mean of {len(scores)} seeds"
    if trained <= untrained:
        return (
            f"**Pretraining did not help here** ({gain}): the model was trained for too few "
            "tokens, or the labels say all there is to learn. Raise `phase1_tokens` before you "
            "conclude."
        )
    if min(scores) <= max(twin_scores):
        return (
            f"Pretraining brought **{gain}**, but the seeds overlap: of so few rows this is a "
            "hint, not a proof."
        )
    return f"Pretraining brought **{gain}**; every seed is above all of the untrained twin's."


def _real_task_part(record: dict[str, Any]) -> str:
    splits = record["splits"]
    rows = [[name, *(f"{n:,}" for n in splits[name].values())] for name in splits]
    types = [
        [name, *(f"{n:,}" for n in counts.values())] for name, counts in record["types"].items()
    ]
    baseline = record["baseline"]
    return "\n\n".join(
        [
            f"### DrBenchmark: {record['task']}",
            f"{len(record['found'])} of the 27 tasks have their raw data here. This one is "
            f'`load_dataset("doctobert_hf/drbenchmark", "{record["task"]}")`:',
            markdown_table(["split", "rows", "words", "entities"], rows),
            markdown_table(["entities of type", *splits], types),
            f"Giving each word its most frequent tag in train scores "
            f"**{100 * baseline['f1']:.1f}** entity F1 on test (precision "
            f"{100 * baseline['precision']:.1f}, recall {100 * baseline['recall']:.1f}): what a "
            f"model has to beat.",
        ]
    )


def _annotation_section(record: dict[str, Any]) -> str:
    if "not_run" in record:
        return f"## Annotation\n\nNot run: {record['not_run']}"
    if not record["medical"]:
        return f"## Annotation\n\nNone of {record['documents']:,} documents is medical."
    return (
        f"## Annotation\n\nBy light rules and a small lexicon, {record['medical']:,} of "
        f"{record['documents']:,} documents are medical; {100 * record['density_mean']:.1f} % of "
        "their characters lie in medical terms. What the published mixes would keep of them:\n\n"
        f"{markdown_table(ANNOTATION_HEADER, annotation_rows(record))}\n\n"
        "The annotated documents: `finemed/annotated`."
    )


def _retrieval_section(record: dict[str, Any]) -> str:
    if "not_run" in record:
        return f"## Search\n\nNot run: {record['not_run']}"
    pairs = record["pairs"]
    cut = f" ({record['cut']:,} passages are cut to their first {LENGTH} tokens)"
    return (
        f"## Search\n\nThe model as a dense retriever, after {record['steps']} steps on "
        f"{pairs['train']:,} questions made of titles and headings, each answered by its section"
        f"{cut if record['cut'] else ''}. Of other documents: {pairs['test']:,} questions to test, "
        f"among all {record['passages']:,} passages; nDCG@10 and recall@10 in percent.\n\n"
        f"{markdown_table(RETRIEVAL_HEADER, retrieval_rows(record))}\n\n"
        f"{record['shared']:,} questions that several documents answer were left out. "
        "The retriever: `retrieval/model`."
    )


def _cards_section(record: dict[str, Any]) -> str:
    rows = [
        [name, f"[{card['path']}]({card['path']})", ", ".join(card["gaps"]) or "none"]
        for name, card in record["parts"].items()
    ]
    return (
        "## Cards\n\nWhat the Hub would show, made of this run's records. Licence, contact and "
        "authors are given with the push or in a file `card.yaml` beside what is published.\n\n"
        f"{markdown_table(['card of the', 'file', 'not recorded'], rows)}"
    )


def _next_section(folder: Path) -> str:
    return (
        "## Next\n\nThe model is plain Transformers:\n\n```python\n"
        "from transformers import pipeline\n\n"
        f'fill = pipeline("fill-mask", "{(folder / "model").as_posix()}")\n'
        'fill("Le patient présente une [MASK] artérielle.")\n```\n\n'
        f"What publishing it would upload:\n\n```bash\n{push_command(folder)}\n```\n\n"
        "Settings: `resolved_config.yaml`; versions and hardware: `environment.json`; every logged "
        "value: `pretraining/*/metrics.jsonl`; all figures of this page: `state.json`."
    )
