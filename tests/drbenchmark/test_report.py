"""The report: ranking, marks, warnings, every format, records for the Hub, the command."""

import argparse
import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml

from doctobert_hf.drbenchmark import published
from doctobert_hf.drbenchmark.report import (
    build_board,
    eval_results,
    model_index,
    write_report,
)
from doctobert_hf.drbenchmark.report.board import rank
from doctobert_hf.drbenchmark.report.command import add_report_arguments, run_report
from doctobert_hf.drbenchmark.report.figures import draw_figures, inline_svg, readable_ink
from doctobert_hf.drbenchmark.report.html import page
from doctobert_hf.drbenchmark.report.layout import task_columns
from doctobert_hf.drbenchmark.report.tables import (
    content,
    csv_text,
    latex,
    latex_escaped,
    markdown,
    text,
)
from doctobert_hf.drbenchmark.results import Cell, Result
from doctobert_hf.drbenchmark.tasks import get_task
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.statistics import Counts, paired_significance

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SEEDS = (42, 43, 44, 45, 46)
TASKS = ("quaero_emea", "quaero_medline", "e3c_clinical")
HOSTILE = "x/<script>alert('1')</script>&_|$10%"


def result(model="org/one", task="quaero_emea", score=0.6, seed=42, **changes):
    cell = Cell(model, COMMIT, task, "doctobert", "legacy", seed)
    cell = replace(cell, **{k: changes.pop(k) for k in list(changes) if hasattr(cell, k)})
    per_type = {"DISO": {"precision": 0.7, "recall": 0.5, "f1": score, "number": 228}}
    made = Result(
        cell=cell,
        kind="token-classification",
        metric="f1",
        score=score,
        scores={
            "f1": score,
            "precision": score,
            "number": 228,
            "partial": {"f1": score + 0.05},
            "per_type": per_type,
        },
        validation_score=score + 0.02,
        hyperparameters={"learning_rate": 5e-5, "dropout": 0.1, "batch_size": 16},
        tuning={"trials": 20, "best_trial": 7},
        data={"fingerprint": f"rows-of-{task}", "train": 427, "validation": 355, "test": 348},
        encoding={"max_length": 512, "long_inputs": "chunk", "test_too_long": 3},
        model={"parameters": 110_000_000, "architecture": "CamembertModel", "fingerprint": "ab"},
        environment={"torch": "2.11", "hardware": "cpu"},
        duration=12.5,
        energy_kwh=None,
        date="2026-11-20",
        predictions=f"seed-{seed}.predictions.jsonl",
    )
    return replace(made, **changes)


def runs(model, task, scores, **changes):
    return [result(model, task, s, 42 + n, **changes) for n, s in enumerate(scores)]


def two_models(tasks=2, **changes):
    """``a`` is better by about two points on all tasks, on every seed."""
    spread = (0.0, 0.002, -0.002, 0.004, -0.004)
    return [
        r
        for model, base in (("org/a", 0.62), ("org/b", 0.6))
        for task in TASKS[:tasks]
        for r in runs(model, task, [base + s for s in spread], **changes)
    ]


@pytest.fixture(scope="module")
def board():
    """Two models among the eleven published ones, under another procedure than theirs."""
    return build_board(two_models(3, procedure="standard"), "published")


# ------------------------------------------------------------------------------------- ranking


@pytest.mark.long
def test_published_rows_alone_reproduce_the_published_aggregates():
    standings = rank(published.SCORES)
    for model, standing in standings.items():
        assert standing.win_probability.value == pytest.approx(
            published.WIN_PROBABILITY[model], abs=0.01
        )
        assert standing.min_max.value == pytest.approx(published.MIN_MAX[model], abs=1.0)
    best = standings["DoctoBERT-fr"]
    assert best.average_rank.value == pytest.approx(1.29, abs=0.01)
    assert best.min_max.low <= best.min_max.value <= best.min_max.high <= 100.0


@pytest.mark.long
def test_a_copy_of_a_published_model_lands_beside_it():
    row = published.SCORES["TransBERT-bio-fr"]
    mine = [r for t, s in row.items() for r in runs("me/new", t, [s / 100 + 0.0001] * 5)]
    board = build_board(mine, "published")
    names = [r.name for r in board.rows]
    assert len(names) == 12
    assert names[:3] == ["DoctoBERT-fr (published)", "me/new", "TransBERT-bio-fr (published)"]
    assert board.ranked_tasks == published.TASKS
    assert (
        not board.warnings
    )  # protocol, procedure, trials and seeds are those of the published rows


def test_means_deviations_and_seeds():
    board = build_board(runs("org/one", "quaero_emea", [0.5, 0.6, 0.7]))
    entry = board.rows[0].entries["quaero_emea"]
    assert entry.mean == pytest.approx(60.0)
    assert entry.deviation == pytest.approx(10.0)  # n - 1
    assert entry.seeds == pytest.approx({42: 50.0, 43: 60.0, 44: 70.0})
    assert board.rows[0].standing is None
    assert "One model alone is not ranked" in board.notes
    assert build_board([result()]).rows[0].entries["quaero_emea"].deviation is None


def test_two_revisions_are_two_rows():
    board = build_board([result(score=0.5), result(score=0.6, revision="local-77aa88bb99cc")])
    assert [row.name for row in board.rows] == [
        "org/one@local-77aa88",
        "org/one@0123456789ab",
    ]
    assert [r.score for r in board.results_of(board.rows[0])] == [0.6]


def test_tasks_that_a_model_lacks_are_left_out_of_the_ranking_and_told():
    board = build_board([*two_models(), result("org/a", "diamed", 0.9)])
    assert board.tasks == ("quaero_emea", "quaero_medline", "diamed")
    assert board.ranked_tasks == ("quaero_emea", "quaero_medline")
    assert board.left_out == {"diamed": ("org/b",)}
    assert "Left out of the ranking: diamed (no score of org/b)" in board.warnings
    board = build_board([result("org/a", "pxcorpus_cls")], "published")
    assert "Left out of the ranking: pxcorpus_cls (no score of the published rows)" in (
        board.warnings
    )
    assert any("Nothing is ranked" in line for line in board.warnings)
    assert all(row.standing is None for row in board.rows)


@pytest.mark.parametrize(("models", "tasks"), [(2, 3), (3, 2)])
def test_few_models_or_tasks_get_no_aggregates(models, tasks):
    results = [result(f"m{m}", t, 0.5 + m / 1e4) for m in range(models) for t in TASKS[:tasks]]
    board = build_board(results)
    assert all(row.standing is None for row in board.rows)
    assert board.rows[0].name == f"m{models - 1}"  # the best by its mean
    assert any(f"here are {models} and {tasks}" in note for note in board.notes)
    assert "Min-Max" not in text(board)


def test_equal_models_have_no_min_max():
    board = build_board([result(f"org/{m}", task) for m in "abc" for task in TASKS])
    assert board.rows[0].standing.min_max is None
    assert board.rows[0].standing.win_probability.value == 50.0
    assert not draw_figures(board).get("leaderboard")
    json.dumps(content(board), allow_nan=False)


# -------------------------------------------------------------------------------- significance


def counts_of(results, documents=150):
    """Made-up predictions: sums of hits, guesses and right ones whose F1 is the result's score."""
    found = {}
    for r in results:
        share = np.random.default_rng(len(r.cell.task)).dirichlet([1.0] * documents)
        values = np.stack([share * r.score, share, share], 1) * 1000
        f1 = lambda sums: 2 * sums[..., 0] / (sums[..., 1] + sums[..., 2])  # noqa: E731
        found[r.cell] = Counts(tuple(map(str, range(documents))), values, f1)
    return found


def test_models_are_compared_over_documents_and_seeds():
    results = two_models()[:-1]  # b lacks the last seed of one task
    board = build_board(results, counts=counts_of(results))
    (pair,) = board.pairs
    assert (pair.first, pair.second, pair.basis) == ("org/a", "org/b", "documents")
    assert (pair.pairs, pair.tasks, pair.with_seeds) == (300, 2, True)
    assert pair.difference == pytest.approx(2.0, abs=0.1)
    assert pair.p_value < 1e-6
    entry = board.rows[0].entries["quaero_emea"]
    assert entry.interval.value == pytest.approx(entry.mean)
    assert "95 % intervals over test documents" in markdown(board)
    mean = next(r for r in csv.DictReader(io.StringIO(csv_text(board))) if r["level"] == "mean")
    assert float(mean["low"]) <= float(mean["value"]) <= float(mean["high"])


def test_without_predictions_there_are_only_task_means():
    (pair,) = build_board(two_models()).pairs
    assert (pair.basis, pair.pairs, pair.p_value) == ("tasks", 2, 0.5)
    counts = counts_of(two_models())
    counts.pop(two_models()[0].cell)  # one run has lost its predictions
    assert build_board(two_models(), counts=counts).pairs[0].basis == "tasks"


@pytest.mark.long
def test_published_rows_are_compared_over_task_means():
    mine = [result("me/new", t, s / 100) for t, s in published.SCORES["DrBERT-7GB"].items()]
    board = build_board(mine, "published")
    assert len(board.pairs) == 11  # none between two published rows
    pair = next(p for p in board.pairs if p.first == "DoctoBERT-fr (published)")
    ours = list(published.SCORES["DoctoBERT-fr"].values())
    theirs = list(published.SCORES["DrBERT-7GB"].values())
    assert (pair.basis, pair.pairs) == ("tasks", 7)
    assert pair.p_value == pytest.approx(paired_significance(ours, theirs))
    assert pair.adjusted >= pair.p_value


def test_each_kind_of_comparison_pays_for_its_own_number():
    results = two_models(procedure="standard")
    found = build_board(results, "published", counts=counts_of(results)).pairs
    (by_documents,) = [p for p in found if p.basis == "documents"]
    assert by_documents.adjusted == by_documents.p_value  # there is only one
    assert len(found) == 1 + 2 * 11


# ------------------------------------------------------------------------ warnings and refusals


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol": "strict"}, ["'strict'", "filters no test row", "'doctobert'", "drops dupl"]),
        ({"protocol": "drbenchmark"}, ["'drbenchmark'", "keeps every row"]),
        ({"procedure": "standard"}, ["'standard'", "'legacy'", "cut at 512", "dropout"]),
    ],
)
def test_protocols_other_than_the_published_are_told_exactly(changes, words):
    found = [w for w in build_board(two_models(**changes), "published").warnings if "differ" in w]
    assert len(found) == 1
    assert all(word in found[0] for word in ["differ", *words])
    assert not build_board(two_models(**changes)).warnings  # nothing to compare with


def test_a_smaller_budget_than_the_published_is_told():
    less = [replace(r, tuning=None) if r.cell.model == "org/b" else r for r in two_models()]
    tasks = "quaero_emea, quaero_medline"
    assert build_board(less).warnings == (
        f"{tasks}: the tuning differs between results (20 trials for org/a; 0 trials for org/b)",
    )
    less = [r for r in less if r.cell.model == "org/b" and r.cell.seed < 45]
    assert build_board(less, "published").warnings[0] == (
        "Budgets differ: org/b has 0 trials and 3 seeds (the published rows have 20 and 5) "
        f"on {tasks}"
    )


def test_mixed_protocols_are_refused_unless_chosen():
    mixed = two_models() + two_models(protocol="strict")
    with pytest.raises(UsageError) as caught:
        build_board(mixed)
    assert "20 of protocol 'doctobert' with the legacy procedure" in str(caught.value)
    assert "20 of protocol 'strict'" in str(caught.value)
    assert "--protocol" in str(caught.value) and "--procedure" not in str(caught.value)
    assert build_board(mixed, protocol="strict").protocol == "strict"
    mixed = two_models() + two_models(procedure="standard")
    with pytest.raises(UsageError, match="--procedure"):
        build_board(mixed)
    assert len(build_board(mixed, procedure="standard").results) == 20
    with pytest.raises(UsageError, match="there are 20 of protocol 'doctobert'"):
        build_board(two_models(), protocol="strict")


@pytest.mark.parametrize("wrong", [{"protocol": "p"}, {"procedure": "p"}, {"baselines": "p"}])
def test_unknown_choices(wrong):
    with pytest.raises(UsageError, match="'p'"):
        build_board(two_models(), **wrong)
    with pytest.raises(UsageError, match="No result"):
        build_board([])
    with pytest.raises(UsageError, match="Protocol 'of-another-program'"):
        build_board([result(protocol="of-another-program")])


def test_other_data_metrics_and_input_lengths_are_told():
    one = two_models()
    other = [replace(r, data={"fingerprint": "xyz"}) if r.cell.model == "org/b" else r for r in one]
    (first, _) = build_board(other).warnings
    assert first == (
        "quaero_emea: the data differ between results "
        "(fingerprint rows-of-quaero_e for org/a; fingerprint xyz for org/b)"
    )
    encoding = {"max_length": 256, "long_inputs": "truncate", "test_too_long": 9}
    other = [replace(r, encoding=encoding) if r.cell.model == "org/b" else r for r in one]
    assert "long_inputs truncate, max_length 256 for org/b" in build_board(other).warnings[0]
    counts = {"max_length": 512, "long_inputs": "chunk", "test_too_long": 99}
    same = [replace(r, encoding=counts) if r.cell.model == "org/b" else r for r in one]
    assert not build_board(same).warnings  # how many are too long depends on the tokenizer


def test_fewer_seeds_private_tasks_and_failures_are_told():
    failure = {"cell": vars(Cell("org/b", COMMIT, "quaero_emea", "doctobert", "legacy", 46))}
    failures = [
        failure | {"error": "DataError: no label\nmore"},
        {"cell": failure["cell"] | {"protocol": "strict"}, "error": "elsewhere"},
        {"cell": failure["cell"] | {"seed": 42}, "error": "since done"},
    ]
    gone = [r for r in two_models() if (r.cell.model, r.cell.seed) != ("org/b", 46)]
    private = [result(m, "our_ward", 0.5) for m in ("org/a", "org/b")]
    board = build_board(gone + private, failures=failures)
    assert (
        "quaero_emea, quaero_medline: fewer seeds than the 5 of others: org/b has 4" in board.notes
    )
    assert any("No part of DrBenchmark" in n and "our_ward" in n for n in board.notes)
    assert board.warnings == ("Failed: org/b on quaero_emea, seed 46 (DataError: no label)",)
    with pytest.raises(DataError, match="Two results"):
        build_board([result(), result()])


# ------------------------------------------------------------------------------------- formats


def test_best_and_second_are_marked_and_prints_that_are_equal_share_the_mark():
    results = [
        result(m, "quaero_emea", s)
        for m, s in [("a", 0.7), ("b", 0.700001), ("c", 0.65), ("d", 0.6)]
    ]
    board = build_board(results)
    marks = {r.name: f.mark for r, f in zip(board.rows, task_columns(board)[0].fields)}
    assert marks == {"a": "best", "b": "best", "c": "second", "d": ""}
    lines = markdown(board).splitlines()
    assert "| c | <u>65.00</u> |" in next(line for line in lines if line.startswith("| c |"))
    assert "| b | **70.00** |" in next(line for line in lines if line.startswith("| b |"))
    assert r"c & \underline{65.00}" in latex(board) and r"b & \textbf{70.00}" in latex(board)
    ranked = build_board(
        [replace(r, cell=replace(r.cell, task=task)) for r in results for task in TASKS]
    )
    line = next(x for x in markdown(ranked).splitlines() if x.startswith("| b |"))
    assert "**1.00**" in line.split("|")[-2]  # lower is better


@pytest.mark.long
def test_markdown_has_warnings_intervals_and_significance(board):
    words = markdown(board, [("figures/x.png", "A figure")])
    for part in ("## Warnings", "## Ranking with 95 % intervals", "## Significance", "±0.3"):
        assert part in words
    assert "![A figure](figures/x.png)" in words
    rows = [line for line in words.splitlines() if line.startswith("| org/a |")]
    assert [row.count(" | ") for row in rows[:2]] == [7 + 3, 3]  # scores, then intervals


def test_names_are_escaped_in_markdown_latex_and_html():
    board = build_board([result(HOSTILE), result("org/b", score=0.7)])
    assert "<script>" not in markdown(board) and r"\|$10%" in markdown(board)
    assert latex_escaped(r"a_b&50%$#{~^\<") == (
        r"a\_b\&50\%\$\#\{\textasciitilde{}\textasciicircum{}\textbackslash{}\textless{}"
    )
    assert r"\&\_\textbar{}\$10\%" in latex(board)
    figures = {name: inline_svg(f, name) for name, f in draw_figures(board).items()}
    html = page(board, figures)
    assert html.count("<script>") == 1 and "alert('1')" not in html
    assert "&lt;script&gt;alert(&#39;1&#39;)" in html


@pytest.mark.long
def test_csv_holds_every_number():
    board = build_board(
        [*two_models(3), *(result('a,"b"', t, 0.123456789) for t in TASKS)], "published"
    )
    lines = list(csv.DictReader(io.StringIO(csv_text(board))))
    means = {(r["model"], r["task"]): float(r["value"]) for r in lines if r["level"] == "mean"}
    assert means['a,"b"', "quaero_emea"] == pytest.approx(12.3456789, abs=1e-9)
    assert means["DoctoBERT-fr", "diamed"] == 72.56
    seeds = [r for r in lines if r["level"] == "seed" and r["model"] == "org/a"]
    assert sorted((r["task"], int(r["seed"])) for r in seeds) == [
        (task, seed) for task in sorted(TASKS) for seed in SEEDS
    ]
    mean = next(r for r in lines if r["level"] == "mean" and r["model"] == "org/a")
    values = [float(r["value"]) for r in seeds if r["task"] == mean["task"]]
    assert (sum(values) / 5, "5") == (pytest.approx(float(mean["value"])), mean["n"])
    bounds = next(r for r in lines if r["level"] == "min_max" and r["model"] == "org/a")
    assert float(bounds["low"]) <= float(bounds["value"]) <= float(bounds["high"])


def test_json_and_text_agree_with_the_board(board):
    found = json.loads(json.dumps(content(board), allow_nan=False))
    assert [m["name"] for m in found["models"]] == [row.name for row in board.rows]
    mine = next(m for m in found["models"] if m["model"] == "org/a")
    assert mine["scores"]["quaero_emea"]["seeds"]["43"] == pytest.approx(62.2)
    assert found["ranked_tasks"] == [*TASKS]
    assert "62.00±0.32" in text(board) and "68.39" in text(board)


class _Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.ids, self.addresses = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "action", "data", "poster"):
                self.addresses.append(value)


@pytest.mark.long
def test_page_needs_nothing_else_and_is_sortable(board):
    drawn = draw_figures(board)
    html = page(board, {name: inline_svg(figure, name) for name, figure in drawn.items()})
    outline = _Outline()
    outline.feed(html)
    assert all(address.startswith("#") for address in outline.addresses)
    assert not re.search(r"https?:|//\w+\.\w|@import|url\((?!#)", html)
    assert len(outline.ids) == len(set(outline.ids))
    assert sum(tag == "svg" for tag, _ in outline.tags) == 3
    heads = [attributes for tag, attributes in outline.tags if "aria-sort" in attributes]
    assert [h["aria-sort"] for h in heads] == ["none", "descending"] + ["none"] * (3 + 7 - 1)
    assert sum(tag == "details" for tag, _ in outline.tags) == 7
    for words in (
        "Warnings",
        "Procedures differ",
        "DISO",
        "learning_<wbr>rate",
        "prefers-color-scheme",
    ):
        assert words in html


def test_ink_is_readable_on_every_shade():
    assert readable_ink("#ffffff") == "#10151a"
    assert readable_ink("#123a63") == "#ffffff"


# --------------------------------------------------------------------------------- Hub records


def test_model_index_is_valid_and_comes_back():
    from huggingface_hub import ModelCardData
    from huggingface_hub.repocard_data import model_index_to_eval_results

    mine = [r for r in two_models() if r.cell.model == "org/a"]
    record = model_index([*mine, result("org/a", "our_ward", 0.9)])
    name, back = model_index_to_eval_results(yaml.safe_load(yaml.safe_dump(record))["model-index"])
    assert name == "a"
    assert [(e.dataset_config, e.metric_type, e.metric_value) for e in back] == [
        ("quaero_emea", "f1", 62.0),
        ("quaero_medline", "f1", 62.0),
    ]
    assert back[0].dataset_revision == "rows-of-quaero_emea"
    assert back[0].dataset_args == {"protocol": "doctobert", "procedure": "legacy"}
    assert ModelCardData(**record, ignore_metadata_errors=False).eval_results == back
    assert model_index([result("org/a", "our_ward")]) == {}
    with pytest.raises(DataError, match="2 models"):
        model_index(two_models())


def test_eval_results_entries_are_valid():
    from huggingface_hub import parse_eval_result_entries

    mine = [r for r in two_models() if r.cell.model == "org/a"]
    entries = yaml.safe_load(yaml.safe_dump(eval_results(mine)))
    assert entries[0]["dataset"] == {
        "id": "doctobert_hf/drbenchmark",
        "task_id": "quaero_emea",
        "revision": "rows-of-quaero_emea",
    }
    assert entries[0]["source"]["url"] == f"https://huggingface.co/org/a/tree/{COMMIT}"
    parsed = parse_eval_result_entries(entries)
    assert [(e.task_id, e.value, e.date) for e in parsed] == [
        ("quaero_emea", 62.0, "2026-11-20"),
        ("quaero_medline", 62.0, "2026-11-20"),
    ]
    assert "mean of seeds 42, 43, 44, 45, 46" in parsed[0].notes
    local = eval_results([result("runs/mine", revision="local-1234")])
    assert "source" not in local[0]


def test_every_kind_of_task_has_a_type():
    kinds = {"clister": "sentence-similarity", "deft2020_cls": "multiple-choice"}
    for task, wanted in kinds.items():
        made = result(task=task, kind=get_task(task).kind, metric=get_task(task).metric_key)
        assert model_index([made])["model-index"][0]["results"][0]["task"]["type"] == wanted


# --------------------------------------------------------------------- files and the command


@pytest.fixture
def folder(tmp_path):
    for each in [*two_models(3), *(result("org/c", t, 0.55) for t in TASKS)]:
        each.write(tmp_path / "results")
    return tmp_path / "results"


@pytest.mark.long
@pytest.mark.versions
def test_report_files(folder):
    board = write_report(folder, folder / "report")
    report = folder / "report"
    for name in ("report.md", "report.html", "report.json", "report.csv", "report.tex"):
        assert (report / name).stat().st_size > 500
    for name in ("leaderboard", "heat_map", "seed_spread"):
        picture = (report / "figures" / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) > 5000
        assert f"figures/{name}.png" in (report / "report.md").read_text()
    models = sorted(path.name for path in (report / "models").iterdir())
    assert models == [f"org__{m}@0123456789ab" for m in "abc"]
    index = yaml.safe_load((report / "models" / models[0] / "model-index.yaml").read_text())
    assert index["model-index"][0]["name"] == "a"
    assert (report / "models" / models[0] / ".eval_results" / "drbenchmark.yaml").is_file()
    assert not list(report.glob(".incomplete*"))
    first = {p: p.read_bytes() for p in report.rglob("*") if p.is_file()}
    assert write_report(folder, report) == board  # the report is no result
    assert {p: p.read_bytes() for p in report.rglob("*") if p.is_file()} == first


@pytest.mark.long
def test_without_matplotlib_the_report_says_so(folder, monkeypatch):
    write_report(folder, folder / "report")
    assert list((folder / "report" / "figures").iterdir())
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    write_report(folder, folder / "report")
    assert not (folder / "report" / "figures").exists()  # none of an earlier report
    for name in ("report.md", "report.html"):
        assert "Figures need matplotlib" in (folder / "report" / name).read_text()


@pytest.mark.long
def test_a_damaged_result_leaves_the_last_report(folder):
    write_report(folder, folder / "report")
    before = (folder / "report" / "report.json").read_bytes()
    damaged = next(folder.glob("*/*/*/seed-42.json"))
    damaged.write_text(damaged.read_text()[:100])
    with pytest.raises(DataError, match="damaged"):
        write_report(folder, folder / "report")
    assert (folder / "report" / "report.json").read_bytes() == before


def command(*words):
    parser = argparse.ArgumentParser()
    add_report_arguments(parser)
    return run_report(parser.parse_args([str(word) for word in words]))


@pytest.mark.long
@pytest.mark.versions
def test_command_prints_the_table_and_warns(folder, capsys):
    assert command(folder, "--output", folder.parent / "there", "--baselines", "published") == 0
    told = capsys.readouterr()
    assert "org/a" in told.out and "Min-Max" in told.out
    assert "warning: Left out of the ranking" in told.err and "warning" not in told.out
    assert (folder.parent / "there" / "report.html").is_file()


@pytest.mark.long
def test_command_prints_json(folder, capsys):
    assert command(folder, "--json") == 0
    printed = capsys.readouterr().out
    assert printed == (folder / "report" / "report.json").read_text()
    assert json.loads(printed)["models"][0]["name"] == "org/a"


def test_command_without_results(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        command(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="No result"):
        command(tmp_path)
