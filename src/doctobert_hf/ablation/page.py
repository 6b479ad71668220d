"""What an ablation found, as one page: scores, differences that are no chance, cost, advice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.ablation.plan import UNTRAINED, AblationPlan
from doctobert_hf.statistics import SIGNIFICANT, holm

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.report.board import Board
    from doctobert_hf.pretraining.recipe import PretrainConfig


@dataclass
class Arm:
    """One arm.

    Attributes:
        name: Its name.
        changes: What it changes of the recipe.
        tokens: Tokens it was trained on.
        seconds: What training took; None where that is not known.
        scores: Mean over seeds by task, in percent.
        intervals: 95 % over test documents, by task.
        average: Mean over tasks.
        gain: Average less the baseline's; None for the baseline.
        p_value: Of that gain, two-sided, paired by document, by Holm for all arms.
        curve: Tokens and evaluation loss.
    """

    name: str
    changes: dict[str, Any]
    tokens: int
    seconds: float | None
    scores: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    average: float
    gain: float | None = None
    p_value: float | None = None
    curve: list[tuple[int, float]] = field(default_factory=list)


@dataclass
class Finding:
    """What an ablation found.

    Attributes:
        arms: Best average first.
        baseline: The arm that gains are over.
        tasks: Tasks and their metrics.
        seeds: Number of seeds.
        advice: What to do, and how certain that is.
        cautions: What makes it doubtful.
    """

    arms: list[Arm]
    baseline: str
    tasks: dict[str, str]
    seeds: int
    advice: str
    cautions: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return plain types."""
        return asdict(self)


def findings(plan: AblationPlan, phases: Mapping[str, PretrainConfig], output: Path) -> Finding:
    """Gather results, comparisons with the baseline, curves and costs."""
    from doctobert_hf.drbenchmark.report.board import build_board
    from doctobert_hf.drbenchmark.report.evidence import read_counts
    from doctobert_hf.drbenchmark.results import read_results

    names = [*plan.arms, *([UNTRAINED] if plan.untrained else [])]
    results = [r for r in read_results(output / "results") if r.cell.model in names]
    counts = read_counts(results, output / "results")
    board = build_board(results, counts=counts)
    arms = [_arm(row, plan, phases, output) for row in board.rows]
    baseline = str(plan.baseline)
    _compare(arms, baseline, board, results, counts)
    arms.sort(key=lambda arm: (-arm.average, arm.name))
    cautions = [*board.warnings, *_cautions(arms, plan)]
    tasks = {task: board.metrics[task] for task in board.tasks}
    advice = advise(arms, baseline, len(plan.seeds))
    return Finding(arms, baseline, tasks, len(plan.seeds), advice, cautions)


def _arm(row: Any, plan: AblationPlan, phases: Mapping[str, PretrainConfig], output: Path) -> Arm:
    scores = {task: entry.mean for task, entry in row.entries.items()}
    intervals = {
        task: (entry.interval.low, entry.interval.high)
        for task, entry in row.entries.items()
        if entry.interval is not None
    }
    lines = _metrics(output / "arms" / row.model / "metrics.jsonl")
    trained = row.model != UNTRAINED
    seconds = [line["train_runtime"] for line in lines if "train_runtime" in line]
    return Arm(
        name=row.model,
        changes=plan.arms.get(row.model, {}),
        tokens=max((int(line.get("tokens", 0)) for line in lines), default=0) if trained else 0,
        seconds=sum(seconds) if seconds else None,
        scores=scores,
        intervals=intervals,
        average=sum(scores.values()) / len(scores),
        curve=[(int(line["tokens"]), line["eval_loss"]) for line in lines if "eval_loss" in line],
    )


def _metrics(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _compare(arms: list[Arm], baseline: str, board: Board, results: Any, counts: Any) -> None:
    from doctobert_hf.drbenchmark.report.significance import evidence_of, pair_of

    evidence = evidence_of(results, counts)
    rows = {row.model: row for row in board.rows}
    others = [arm for arm in arms if arm.name != baseline and baseline in rows]
    pairs = [pair_of(rows[arm.name], rows[baseline], evidence) for arm in others]
    adjusted = holm([pair.p_value for pair in pairs])
    for arm, pair, p_value in zip(others, pairs, adjusted, strict=True):
        arm.gain, arm.p_value = pair.difference, p_value


def _cautions(arms: list[Arm], plan: AblationPlan) -> list[str]:
    said = []
    tokens = {arm.tokens for arm in arms if arm.name != UNTRAINED}
    if tokens and max(tokens) > 1.02 * min(tokens):
        said.append("The arms saw different numbers of tokens: set max_tokens in the plan.")
    if len(plan.seeds) < 3:
        said.append(f"{len(plan.seeds)} seeds say little about the spread of fine-tuning.")
    said.append(
        "A proxy: what helps a small model at this budget need not help a large one, and every arm "
        "was pretrained once."
    )
    return said


def advise(arms: list[Arm], baseline: str, seeds: int) -> str:
    """Say in words which arm to take, and how certain that is.

    Args:
        arms: Best average first, compared with the baseline.
        baseline: Its name.
        seeds: Number of seeds.
    """
    trained = [arm for arm in arms if arm.name != UNTRAINED]
    better = [
        arm
        for arm in trained
        if arm.gain is not None and arm.gain > 0 and (arm.p_value or 0.0) < SIGNIFICANT
    ]
    worse = [
        arm
        for arm in trained
        if arm.gain is not None and arm.gain < 0 and (arm.p_value or 0.0) < SIGNIFICANT
    ]
    tail = f" Clearly worse than {baseline}: {', '.join(a.name for a in worse)}." if worse else ""
    if better:
        best = better[0]
        rivals = [arm.name for arm in better[1:]]
        also = f" Better than {baseline} too: {', '.join(rivals)}." if rivals else ""
        return (
            f"Take {best.name}: {best.gain:+.1f} points over {baseline} on average "
            f"(p {best.p_value:.2g} for {len(arms) - 1} comparisons, {seeds} seeds).{also}{tail}"
        )
    tried = [arm for arm in trained if arm.gain is not None]
    if not tried:
        return f"{baseline} is the only trained arm.{tail}"
    top = max(tried, key=lambda arm: arm.gain or 0.0)
    before = next((arm for arm in arms if arm.name == UNTRAINED), None)
    if before is not None and before.average >= max(arm.average for arm in trained):
        return (
            f"No arm is better than {UNTRAINED}, on average over tasks: at this budget of tokens "
            "pretraining shows nothing here, so no arm can be preferred. Before choosing, give "
            f"more max_tokens, or tasks with more rows.{tail}"
        )
    return (
        f"No arm is clearly better than {baseline}. The largest difference is {top.name}'s, "
        f"{top.gain:+.1f} points (p {top.p_value:.2g}): more seeds, tasks or tokens could tell; "
        f"until then take what costs least.{tail}"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.{1 if seconds < 600 else 0}f}"


def table(found: Finding) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the page's table."""
    header = ["arm", *found.tasks, "average", f"over {found.baseline}", "p", "tokens", "minutes"]
    rows = []
    for arm in found.arms:
        cells = [_score(arm, task) for task in found.tasks]
        rows.append(
            [
                *(arm.name, *cells, f"{arm.average:.1f}"),
                "–" if arm.gain is None else f"{arm.gain:+.1f}",
                "–" if arm.p_value is None else f"{arm.p_value:.2g}",
                f"{arm.tokens:,}",
                "–" if arm.seconds is None else _minutes(arm.seconds),
            ]
        )
    return header, rows


def _score(arm: Arm, task: str) -> str:
    if task not in arm.scores:
        return "–"
    if task not in arm.intervals:
        return f"{arm.scores[task]:.1f}"
    low, high = arm.intervals[task]
    return f"{arm.scores[task]:.1f} ({low:.1f}–{high:.1f})"


def write_page(found: Finding, folder: Path) -> None:
    """Write ``ablation.md``, ``.html``, ``.json`` and, where matplotlib is, ``curves.png``."""
    from doctobert_hf.reporting.figures import can_draw, draw_lines, new_figure, save_figure
    from doctobert_hf.reporting.tables import markdown_table

    picture = ""
    curves = {arm.name: arm.curve for arm in found.arms if arm.curve}
    if curves and can_draw():
        figure, [axis] = new_figure(6.0, 3.4)
        lines: dict[str, Any] = {name: tuple(zip(*curve)) for name, curve in curves.items()}
        draw_lines(axis, lines, "Held-out loss", "tokens seen", "loss of masked tokens")
        save_figure(figure, folder / "curves.png")
        picture = "\n![Held-out loss by tokens](curves.png)\n"
    changes = [[a.name, ", ".join(f"{k}: {v}" for k, v in a.changes.items()) or "–"]
               for a in found.arms]  # fmt: skip
    text = "\n".join(
        [
            "# Ablation\n",
            f"{found.advice}\n",
            f"Scores in percent, mean of {found.seeds} seeds, with 95 % intervals over test "
            "documents where predictions allow; differences are paired by document and counted "
            f"for all comparisons (Holm). Metrics: "
            f"{', '.join(f'{task} {metric}' for task, metric in found.tasks.items())}.\n",
            markdown_table(*table(found)),
            picture,
            "## What the arms change\n",
            markdown_table(["arm", "keys"], changes),
            "\n## How to read it\n",
            *(f"- {line}" for line in found.cautions),
            "",
        ]
    )
    (folder / "ablation.md").write_text(text, encoding="utf-8")
    (folder / "ablation.html").write_text(_html(found, changes, folder), encoding="utf-8")
    content = json.dumps(found.as_json(), ensure_ascii=False, indent=2, default=str)
    (folder / "ablation.json").write_text(content + "\n", encoding="utf-8")


def _html(found: Finding, changes: list[list[str]], folder: Path) -> str:
    """One self-contained page."""
    import base64
    from html import escape

    def grid(header: list[str], rows: list[list[str]]) -> str:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        return f"<div class='wide'><table><tr>{head}</tr>{body}</table></div>"

    picture = ""
    if (folder / "curves.png").is_file():
        data = base64.b64encode((folder / "curves.png").read_bytes()).decode()
        picture = f"<img alt='Held-out loss by tokens' src='data:image/png;base64,{data}'>"
    cautions = "".join(f"<li>{escape(line)}</li>" for line in found.cautions)
    return _PAGE.format(
        advice=escape(found.advice),
        seeds=found.seeds,
        scores=grid(*table(found)),
        picture=picture,
        changes=grid(["arm", "keys"], changes),
        cautions=cautions,
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Ablation</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
td, th {{ padding: .2rem .6rem; border-bottom: 1px solid #ccc; text-align: right; }}
td:first-child, th:first-child {{ text-align: left; }}
img {{ max-width: 100%; }}
.advice {{ font-size: 1.15rem; }}
</style></head><body>
<h1>Ablation</h1>
<p class="advice">{advice}</p>
<p>Scores in percent, mean of {seeds} seeds, with 95 % intervals over test documents; differences
are paired by document and counted for all comparisons (Holm).</p>
{scores}
{picture}
<h2>What the arms change</h2>
{changes}
<h2>How to read it</h2>
<ul>{cautions}</ul>
</body></html>
"""
