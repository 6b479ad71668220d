"""The report of a quickstart: tables and a figure, every number from the stages' records."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from doctobert_hf.files import write_text_atomic
from doctobert_hf.reporting import figures
from doctobert_hf.reporting.tables import markdown_table

Record = dict[str, Any]


class Table(NamedTuple):
    """A heading, what is to be said, and a table: for the report and for the terminal."""

    title: str
    words: str
    header: tuple[str, ...]
    rows: list[list[str]]


def tables(records: Record) -> list[Table]:
    """Return what the run measured: masked tokens, entities, search."""
    made = [_masked(records), _entities(records["benchmark"]), _search(records["retrieval"])]
    return [table for table in made if table is not None]


def write_report(folder: Path, records: Record) -> Path:
    """Write ``report.md`` and its figure; return the report's path."""
    sections = [
        "# Quickstart: a French medical encoder, made in minutes",
        "A demonstration of the way, not a model to use.",
        _figure(folder, records),
        _data(records),
        *(
            f"## {t.title}\n\n{t.words}\n\n{markdown_table(t.header, t.rows)}"
            for t in tables(records)
        ),
        _fill_mask(folder),
        _cards(records["cards"]),
        "## Next\n\n"
        f"`annotated.html`: {records['prediction']['entities']:,} entities that the fine-tuned "
        f"model in `ner` finds in {records['prediction']['documents']} unseen documents. "
        "`benchmark/report/report.md`: the benchmark's own report. Settings: "
        "`resolved_config.yaml`; versions and hardware: `environment.json`; all numbers: "
        f"`state.json`. What publishing would upload:\n\n```bash\n{push_command(folder)}\n```",
    ]
    path = folder / "report.md"
    write_text_atomic(path, "\n\n".join(section for section in sections if section) + "\n")
    return path


def push_command(folder: Path) -> str:
    """The command that shows what publishing the model would upload."""
    model = folder / "model"
    return f"doctobert-hf hub push-model {model} OWNER/quickstart --license apache-2.0 --dry-run"


def _data(records: Record) -> str:
    """What the corpus, the annotation, the tokenizer and the chunks came to."""
    corpus, tokenizer, chunks = (records[name] for name in ("corpus", "tokenizer", "stores"))
    source = corpus["source"]
    rows = [
        ["corpus", source + (" (no document is real)" if source == "generated sample" else "")],
        ["documents read", f"{corpus['documents_read']:,} ({corpus['documents_empty']:,} empty)"],
        ["drawn", f"{corpus['documents_used']:,}, {corpus['characters_used']:,} characters"],
        ["held out", f"{corpus['held_out']:,}"],
        ["medical, for phase 2", f"{corpus['medical']:,}: {corpus['medical_rule']}"],
        ["tokenizer", f"{tokenizer['fertility']:.3f} tokens a word, of held-out documents"],
        ["unknown tokens", f"{100 * tokenizer['unk_rate']:.3f} %"],
        ["chunks", f"{chunks['chunks']:,}, {chunks['over_length']} over the length"],
        ["fill of chunks, each document's last apart", f"{100 * chunks['fill']:.1f} %"],
        ["cuts at a sentence end or higher", f"{100 * chunks['sentence_share']:.1f} %"],
    ]
    annotation = records["annotation"]
    if "not_run" in annotation:
        rows.append(["annotation", f"not run: {annotation['not_run']}"])
    else:
        rows.append(["medical by FineMed's light rules", f"{annotation['medical']:,}"])
        for name, kept in annotation["kept"].items():
            rows.append([f"kept by the mix {name}", f"{kept['documents']:,} documents"])
    return f"## Data\n\n{markdown_table(['what', 'how much'], rows)}"


def _masked(records: Record) -> Table:
    measured = {
        "unigrams": records["stores"]["unigram"],
        "untrained": records["phase1"]["untrained"],
        "after phase 1 (whole mix)": records["phase1"]["held_out"],
        "after phase 2 (medical part)": records["phase2"]["held_out"],
    }
    final = records["phase2"]
    return Table(
        "Masked tokens",
        f"{final['parameters'] / 1e6:.1f} M parameters, "
        f"{records['phase1']['tokens'] + final['tokens']:,} tokens of training; "
        f"{final['held_out']['masked_tokens']:,} masked tokens of held-out documents.",
        ("held-out documents", "masked accuracy", "perplexity"),
        [
            [name, f"{100 * row['accuracy']:.1f} %", f"{row['perplexity']:,.1f}"]
            for name, row in measured.items()
        ],
    )


def _entities(record: Record) -> Table:
    data = (
        "Sentences made up from the sample's grammar, whose drugs, diseases and operations are to "
        "be found; no term of the test sentences stands in one that is learnt from."
        if record["made_up"]
        else "Titles of MEDLINE, annotated (QUAERO)."
    )
    sizes = ", ".join(f"{count:,} {name}" for name, count in record["rows"].items())
    return Table(
        "Entities",
        f"{data} Rows: {sizes}. {gain_sentence(record)}",
        (record["task"], f"mean {record['metric'].upper()}, %", "seeds"),
        [
            [name, f"{record['means'][name]:.1f}", ", ".join(f"{score:.1f}" for score in scores)]
            for name, scores in record["scores"].items()
        ],
    )


def gain_sentence(record: Record) -> str:
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


def _search(record: Record) -> Table | None:
    if "not_run" in record:
        return None
    rows = []
    for result in record["systems"]:
        low, high = result["intervals"]["ndcg@10"]
        name = "the model, " * (result["kind"] == "dense") + result["system"]
        ndcg, recall = (f"{result['scores'][key]:.3f}" for key in ("ndcg@10", "recall@10"))
        rows.append([name, ndcg, f"{low:.3f}-{high:.3f}", recall])
    return Table(
        "Search",
        f"Sections are asked for by title and heading: {record['questions']['test']:,} questions "
        f"of unseen documents among {record['documents']:,} sections, {record['steps']} steps of "
        "training.",
        ("search", "nDCG@10", "95 %", "recall@10"),
        rows,
    )


def _fill_mask(folder: Path) -> str:
    """What the trained model answers to the sentences of the fill-mask callback."""
    asked = _read_lines(folder / "pretraining" / "phase2" / "fill_mask.jsonl")
    answers = asked[-1]["answers"] if asked else {}
    rows = [[text, ", ".join(a or "(space)" for a in found)] for text, found in answers.items()]
    return f"## Fill-mask\n\n{markdown_table(['sentence', 'first five answers'], rows)}"


def _cards(record: Record) -> str:
    rows = [
        [name, f"[{card['path']}]({card['path']})", ", ".join(card["gaps"]) or "none"]
        for name, card in record["parts"].items()
    ]
    return (
        "## Cards\n\nWhat the Hub would show, made of this run's records. Licence, contact and "
        "authors are given with the push or in a file `card.yaml` beside what is published.\n\n"
        f"{markdown_table(['card of the', 'file', 'not recorded'], rows)}"
    )


def _figure(folder: Path, records: Record) -> str:
    if not figures.can_draw():
        return "Figures need matplotlib: `pip install 'doctobert-hf[plot]'`."
    figures.save_figure(draw_results(read_losses(folder), records), folder / "results.png")
    return "![Training loss, masked accuracy and where documents were cut](results.png)"


def read_losses(folder: Path) -> list[Record]:
    """Read the logged losses of both phases: ``phase, tokens, loss``.

    A last line cut off by a kill is passed over.
    """
    rows = []
    for phase in ("phase1", "phase2"):
        logged = _read_lines(folder / "pretraining" / phase / "metrics.jsonl")
        rows += [{"phase": phase, **row} for row in logged if "loss" in row]
    return rows


def _read_lines(log: Path) -> list[Record]:
    """Read a log of JSON lines; what a kill cut off, and what was glued to it, is passed over."""
    found = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else []:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def draw_results(losses: list[Record], records: Record) -> Any:
    """Draw a run's loss, its masked accuracy beside baselines, and where documents were cut.

    Args:
        losses: As :func:`read_losses` reads them.
        records: Records of the stages.
    """
    lines = {}
    for phase, name in (("phase1", "phase 1, whole mix"), ("phase2", "phase 2, medical part")):
        before = records["phase1"]["tokens"] if phase == "phase2" else 0
        mine = [row for row in losses if row["phase"] == phase]
        tokens = [(before + row["tokens"]) / 1000 for row in mine]
        lines[name] = (tokens, [row["loss"] for row in mine])
    figure, (left, middle, right) = figures.new_figure(10, 3.2, panels=3)
    figures.draw_lines(left, lines, "Training loss", "thousand tokens", "cross-entropy, nats")
    accuracies = {
        "unigrams": records["stores"]["unigram"],
        "untrained": records["phase1"]["untrained"],
        "phase 1": records["phase1"]["held_out"],
        "phase 2": records["phase2"]["held_out"],
    }
    bars = {name: 100 * row["accuracy"] for name, row in accuracies.items()}
    figures.draw_bars(middle, bars, "Masked accuracy", y_label="% of masked tokens")
    cuts = {name.replace("_", " "): float(n) for name, n in records["stores"]["cuts"].items()}
    figures.draw_bars(right, cuts, "Where documents were cut", "{:,.0f}", y_label="cuts")
    right.tick_params(axis="x", labelrotation=30)
    return figure
