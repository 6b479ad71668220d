"""The documentation page of a task, rendered from its declaration."""

from __future__ import annotations

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.source import how_to_obtain
from doctobert_hf.drbenchmark.spec import SPLITS, TaskSpec
from doctobert_hf.drbenchmark.tasks import list_tasks
from doctobert_hf.reporting.tables import markdown_table

NOTICE = "<!-- Made by `make docs` from the task's declaration; edit that instead. -->"


def task_page(task: TaskSpec) -> str:
    """Return a task's page as Markdown."""
    corpus = task.corpus
    lines = [
        NOTICE,
        f"# {task.name}",
        "",
        f"{corpus.description} One of the tasks of [{corpus.title}]({corpus.homepage}).",
        "",
        markdown_table(["", ""], _facts(task)),
        "",
        "```python",
        "import doctobert_hf",
        "from datasets import load_dataset",
        "",
        f'dataset = load_dataset("doctobert_hf/drbenchmark", "{task.name}", data_dir="raw")',
        "```",
        "",
        "## Getting the data",
        "",
        f"{how_to_obtain(task)}.",
        "",
        f"Files: {corpus.layout}.",
        "",
        "## Protocols",
        "",
        *_protocols(task),
        "",
    ]
    if task.labels:
        lines += ["## Labels, in the order of their ids", ""]
        lines += [f"{number}. `{label}`" for number, label in enumerate(task.labels)] + [""]
    return "\n".join([*lines, "## Citation", "", "```bibtex", corpus.citation, "```", ""])


def _facts(task: TaskSpec) -> list[list[str]]:
    corpus = task.corpus
    sizes = "unknown"
    if task.sizes:
        source = "measured" if task.measured else "as published"
        sizes = ", ".join(f"{s} {n:,}" for s, n in zip(SPLITS, task.sizes, strict=True))
        sizes += f" ({source})"
    rows = [
        ["kind", task.kind],
        ["metric", f"`{task.metric}`, key `{task.metric_key}`"],
        ["rows", sizes],
        ["licence", corpus.license],
        ["agreement", "needed" if corpus.gate else "none, open"],
        ["may be republished", "yes" if corpus.redistributable else "no"],
        ["task of the DoctoBERT paper", "yes" if task.doctobert else "no"],
    ]
    return rows[:2] + family_of(task).facts(task) + rows[2:]


def _protocols(task: TaskSpec) -> list[str]:
    quirks = [f"  * {line}" for line in task.quirks]
    lines = [
        '* `protocol="drbenchmark"` (default): rows exactly as the benchmark\'s own conversion '
        "makes them, files sorted by name." + (" What it keeps of it:" if quirks else ""),
        *quirks,
    ]
    if task.filter is None and not task.name.startswith("mantragsc"):
        lines.append('* `protocol="doctobert"`: the same; the published recipes do not clean it.')
    else:
        lines.append(f'* `protocol="doctobert"`: {_filter(task)}')
    lines.append(f'* `protocol="strict"`: {task.strict}')
    return lines


def _filter(task: TaskSpec) -> str:
    if task.filter is None:
        text = "pooled with the other two tasks, label-free and repeated rows left out, test too."
        return text + f" Rows: {', '.join(f'{n:,}' for n in task.doctobert_sizes or ())}."
    scope = (
        "test, then validation, then train, each against all before it"
        if task.filter.scope == "cascade"
        else "test in itself, train and validation in themselves and against test"
    )
    dropped = "repeated and label-free rows" if task.filter.drop_label_free else "repeated rows"
    text = f"{dropped} left out, from the test set too ({scope})."
    if task.doctobert_sizes:
        text += f" Rows: {', '.join(f'{n:,}' for n in task.doctobert_sizes)}."
    return text


def pages() -> dict[str, str]:
    """All pages by file name, and ``README.md`` that lists them."""
    result = {f"{task.name}.md": task_page(task) for task in list_tasks()}
    header = ["task", "kind", "metric", "train", "validation", "test", "licence", "agreement"]
    rows = [
        [
            f"[{task.name}]({task.name}.md)",
            task.kind,
            task.metric,
            *(str(n) for n in task.sizes or ("?", "?", "?")),
            task.corpus.license,
            "needed" if task.corpus.gate else "no",
        ]
        for task in list_tasks()
    ]
    title = "# The 27 tasks of DrBenchmark"
    result["README.md"] = "\n".join([NOTICE, title, "", markdown_table(header, rows), ""])
    return result
