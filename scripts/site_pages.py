"""Pages of the documentation site that are made when it is built; a hook of mkdocs.

The start page is the README; files outside ``docs`` that a page links to come along; commands, API,
recipes, examples and records are written from what the code and the repository hold, so that they
cannot be out of date.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {
    "chunking": "Documents into chunks, and collators",
    "tokenization": "Tokenizers",
    "pretraining": "Pretraining",
    "models": "Architectures, packed attention, presets",
    "drbenchmark": "The benchmark",
    "drbenchmark.families": "Kinds of tasks, and your own",
    "drbenchmark.leaderboard": "Ranks and aggregates over tasks",
    "metrics": "Metrics",
    "finemed": "The corpus pipeline",
    "finemed.filters": "Expressions over annotated documents, and the published mixes",
    "retrieval": "Search",
    "hub": "Publishing",
    "ablation": "Ablations",
    "corpus": "Reading documents",
    "runs": "Run folders",
    "statistics": "Intervals and paired tests",
    "extension": "What other packages add",
    "errors": "Errors",
}
LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made, and what others link to outside of ``docs``."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {
        "index.md": re.sub(r"\]\(docs/", "](", _inside(readme)),
        "examples.md": examples(),
        "reference/commands.md": commands(),
        "reference/recipes.md": recipes(),
        "reference/results.md": records(),
        "reference/api.md": "# API\n\n"
        + "\n".join(f"* [`doctobert_hf.{r}`](api/{r}.md): {what}" for r, what in ROOMS.items()),
        **{f"reference/api/{room}.md": api(room) for room in ROOMS},
    }
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pages[f"project/{name}"] = _inside(text).replace("](docs/", "](../")
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    wanted = {"LICENSE"}
    for file in files.documentation_pages():
        wanted |= _outside(file)
    for target in sorted(wanted):
        uri = f"project/{target}"
        if (ROOT / target).is_file() and files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links that lead out of ``docs`` lead to the copies inside; a folder is only named."""
    here = Path(page.file.src_uri).parent

    def inside(match: re.Match[str]) -> str:
        target = _target(here, match)
        if target is None:
            return match[0]
        if not (ROOT / target).is_file():
            return match[1]
        link = os.path.relpath(f"project/{target}", here)
        return f"[{match[1]}]({link}{match[4] or ''})"

    return LINK.sub(inside, markdown)


def _target(here: Path, match: re.Match[str]) -> str | None:
    """The place in the repository that a link leads to; None if it is in ``docs``."""
    path = os.path.normpath(Path("docs") / here / (match[2] + match[3]))
    return None if path.startswith(("docs/", "..")) else path


def _outside(file: File) -> set[str]:
    here = Path(file.src_uri).parent
    targets = (_target(here, match) for match in LINK.finditer(file.content_string))
    return {target for target in targets if target}


def _inside(text: str) -> str:
    """A page of the repository's top as one of the site: its links to files become names."""

    def plain(match: re.Match[str]) -> str:
        link = match[2]
        if link.startswith(("docs/", "http", "#")):
            return match[0]
        known = {"CONTRIBUTING.md": "project/CONTRIBUTING.md"}
        return f"[{match[1]}]({known[link]})" if link in known else f"{match[1]} (`{link}`)"

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", plain, text)


def commands() -> str:
    """Every command's help, as the terminal shows it at 100 columns."""
    from doctobert_hf.cli import COMMANDS, command_parser

    os.environ["COLUMNS"] = "100"
    parts = ["# Options of every command", "Made from the commands themselves."]
    for name in COMMANDS:
        _, parser = command_parser(name)
        parts += list(_help(parser, 2))
    return "\n\n".join(parts) + "\n"


def _help(parser: argparse.ArgumentParser, level: int) -> Any:
    yield f"{'#' * min(level, 4)} {parser.prog}"
    yield f"```text\n{parser.format_help().rstrip()}\n```"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in dict.fromkeys(action.choices.values()):
                yield from _help(sub, level + 1)


def api(room: str) -> str:
    """A room's public names, each with its docstring."""
    module = importlib.import_module(f"doctobert_hf.{room}")
    parts = [f"# doctobert_hf.{room}", (module.__doc__ or "").strip()]
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
    names = getattr(module, "__all__", [name for name in own if not name.startswith("_")])
    for name in sorted(names, key=str.lower):
        found = getattr(module, name)
        home = getattr(found, "__module__", None)
        documented = isinstance(found, type) or callable(found)
        if documented and str(home).startswith("doctobert_hf"):
            parts.append(f"::: {home}.{found.__qualname__}")
    return "\n\n".join(parts) + "\n"


def recipes() -> str:
    """Every recipe as it stands."""
    parts = [
        "# Recipes",
        "`doctobert-hf VERB RECIPE` takes one by its name, or a file of your own.",
    ]
    for path in sorted((ROOT / "recipes").rglob("*.yaml")):
        name = path.relative_to(ROOT / "recipes").with_suffix("").as_posix()
        text = path.read_text(encoding="utf-8").rstrip()
        parts += [f"## {name}", f"```yaml\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def examples() -> str:
    """The scripts of ``examples``."""
    parts = ["# Examples", "Ten scripts that run as they are, offline; a test runs them in order."]
    for path in sorted((ROOT / "examples").glob("*.py")):
        text = path.read_text(encoding="utf-8").rstrip()
        parts += [f"## {path.stem}", f"```python\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def records() -> str:
    """What was measured, when, on what, by which command."""
    parts = [
        "# Measurements",
        "Every figure of these pages comes from a record in `benchmarks/results`.",
        "| record | date | machine | command |\n| --- | --- | --- | --- |",
    ]
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        environment = record.get("environment", {})
        machine = f"{environment.get('processor', '')}, {environment.get('cpu_count', '?')} cores"
        command = str(record.get("command", "")).replace("|", "\\|")
        parts[-1] += f"\n| {path.stem} | {record.get('date', '')} | {machine} | `{command}` |"
    return "\n\n".join(parts) + "\n"
