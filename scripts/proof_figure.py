"""Draw the proof's figure from the committed records, and print its table.

python scripts/proof_figure.py
"""

import json
from pathlib import Path
from typing import Any

from doctobert_hf.reporting import figures

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PICTURE = ROOT / "docs" / "proof.png"
NAMES = {
    "quaero_emea": "QUAERO\nEMEA",
    "quaero_medline": "QUAERO\nMEDLINE",
    "e3c_clinical": "E3C\nclinical",
    "e3c_temporal": "E3C\ntemporal",
    "frenchmedmcqa_cls": "FrenchMed-\nMCQA",
    "mantragsc_medline": "Mantra\nMEDLINE",
}
COLOURS = {"untrained": "#9aa5b1", "pretrained": "#0b7285"}


def record(name: str) -> dict[str, Any]:
    """Return the results of a committed record."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["results"]


def arms(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a study's arms by name."""
    return {arm["name"]: arm for arm in found["arms"]}


def table(found: dict[str, Any]) -> str:
    """Return the study's table as Markdown: a row a task, scores with intervals, and the gain."""
    both = arms(found)
    before, after = both["untrained"], both["pretrained"]
    lines = [
        "| task | metric | untrained | pretrained | gain |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for task, metric in found["tasks"].items():
        cells = []
        for arm in (before, after):
            low, high = arm["intervals"].get(task, (None, None))
            shown = f"{arm['scores'][task]:.1f}" if low is None else (
                f"{arm['scores'][task]:.1f} [{low:.1f}, {high:.1f}]"
            )  # fmt: skip
            cells.append(shown)
        gain = after["scores"][task] - before["scores"][task]
        name = NAMES[task].replace("-\n", "").replace("\n", " ")
        lines.append(f"| {name} | {metric} | {cells[0]} | {cells[1]} | {gain:+.1f} |")
    means = [arm["average"] for arm in (before, after)]
    lines.append(
        f"| **mean** | | {means[0]:.1f} | **{means[1]:.1f}** | **{means[1] - means[0]:+.1f}** |"
    )
    return "\n".join(lines)


def draw(found: dict[str, Any]) -> Any:
    """Draw scores before and after pretraining by task, and one task against tokens seen."""
    both, curve = arms(found), found["learning_curve"]
    figure, (left, right) = figures.new_figure(10, 3.6, panels=2)
    tasks = list(found["tasks"])
    for place, name in enumerate(("untrained", "pretrained")):
        arm = both[name]
        values = [arm["scores"][task] for task in tasks]
        spans = [arm["intervals"].get(task, (v, v)) for task, v in zip(tasks, values)]
        errors = [
            [max(0.0, value - low) for value, (low, _) in zip(values, spans)],
            [max(0.0, high - value) for value, (_, high) in zip(values, spans)],
        ]
        where = [number + 0.4 * place - 0.2 for number in range(len(tasks))]
        left.bar(where, values, 0.38, yerr=errors, capsize=2, label=name, color=COLOURS[name],
                 error_kw={"linewidth": 0.8})  # fmt: skip
    left.set_xticks(range(len(tasks)), [NAMES[task] for task in tasks], fontsize=7)
    left.set_ylabel("score on test, %")
    left.set_title("Same architecture, same fine-tuning", fontsize=10)
    left.legend(frameon=False, fontsize=8)
    start = both["untrained"]["scores"][curve["task"]]
    points = [(0.0, [start])] + [(p["tokens"] / 1e6, p["scores"]) for p in curve["points"]]
    means = [sum(scores) / len(scores) for _, scores in points]
    right.plot([tokens for tokens, _ in points], means, "o-", color=COLOURS["pretrained"])
    for tokens, scores in points:
        right.plot([tokens] * len(scores), scores, ".", color=COLOURS["untrained"], markersize=4)
    right.set_xlabel("million tokens of pretraining")
    right.set_ylabel("F1 on test, %")
    right.set_title(f"{NAMES[curve['task']]}".replace("\n", " ") + ", each seed", fontsize=10)
    return figure


def parts_table(found: dict[str, Any]) -> str:
    """Return the study of the recipe's parts as Markdown: a row an arm, best average first."""
    names = [NAMES[task].replace("\n", " ") for task in found["tasks"]]
    lines = [
        f"| arm | {' | '.join(names)} | mean | beside {found['baseline']} |",
        f"| --- |{' ---: |' * (len(names) + 2)}",
    ]
    for arm in found["arms"]:
        scores = " | ".join(f"{arm['scores'][task]:.1f}" for task in found["tasks"])
        beside = "" if arm["gain"] is None else (
            f"{arm['gain']:+.1f} (p {arm['p_value']:.2g})"
        )  # fmt: skip
        lines.append(f"| {arm['name']} | {scores} | {arm['average']:.1f} | {beside} |")
    return "\n".join(lines)


AVERAGES = (
    ("detour, 5.3 M tokens", "adapting-average", "adapting-detour"),
    ("detour, 5.3 M tokens", "adapting-average-medline", "adapting-detour-medline"),
    ("masked tokens, 3.0 M", "adapting-average-masked", None),
)
"""How it was continued, the average beside its start, and what was continued beside it."""


def averages_table() -> str:
    """Return the averages of two encoders as Markdown, with what they were made of."""
    lines = [
        "| continued by | task | start | continued | mean of both | beside start |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for how, averaged, continued in AVERAGES:
        found = record(averaged)
        task = found["tasks"][0]
        start, mean = (found[role][task] for role in ("start", "adapted"))
        seeds = len(start["seeds"])
        alone = record(continued)["adapted"][task]["seeds"][:seeds] if continued else None
        shown = "not run" if alone is None else f"{sum(alone) / len(alone):.1f}"
        low, high = mean["interval"]
        lines.append(
            f"| {how} | {NAMES[task].replace(chr(10), ' ')} | {start['mean']:.1f} | {shown} "
            f"| **{mean['mean']:.1f}** [{low:.1f}, {high:.1f}] "
            f"| {found['difference']:+.1f} (p {found['p_value']:.1g}) |"
        )
    return "\n".join(lines)


def filled(page: str, content: str, name: str = "table") -> str:
    """Return a page with a table between its marks."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = page.split(start)
    return f"{before}{start}\n{content}\n\n{end}{rest.split(end)[1]}"


PAGES = (ROOT / "docs" / "proof.md", ROOT / "README.md")


def tables() -> dict[str, str]:
    """Return the tables of the proof's page, by their marks."""
    return {
        "table": table(record("proof-scratch")),
        "parts": parts_table(record("proof-parts")),
        "detour": parts_table(record("proof-detour")),
        "adapt": parts_table(record("proof-adapt")),
        "packing": parts_table(record("proof-packing")),
        "filters": parts_table(record("proof-filters")),
        "lengths": parts_table(record("proof-lengths")),
        "averages": averages_table(),
    }


if __name__ == "__main__":
    figures.save_figure(draw(record("proof-scratch")), PICTURE)
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        for mark, content in tables().items():
            if f"<!-- {mark} -->" in page:
                page = filled(page, content, mark)
        path.write_text(page, encoding="utf-8")
