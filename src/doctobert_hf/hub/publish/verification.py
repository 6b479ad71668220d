"""Checks what is published, or would be, as a newcomer uses it: without this package.

The files are compared with their fingerprints, model or data are loaded in a fresh process that
cannot import ``doctobert_hf``, and the card's Python blocks are run there. A block runs only if it
is one of the templates' but for its names and numbers: a card that others edited is not executed.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.render import snippets
from doctobert_hf.hub.cards.templates import template_environment
from doctobert_hf.hub.stage.package import MANIFEST
from doctobert_hf.hub.stage.preflight import check_folder, redact, tokens_in_use
from doctobert_hf.recipes import shared_folder
from doctobert_hf.requests import bounded_requests
from doctobert_hf.runs.record import sha256

RUNNER = """
import contextlib, io, json, os, sys, traceback

answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
with open("code.json", encoding="utf-8") as file:
    codes = json.load(file)
for what, code in codes:
    out = io.StringIO()
    if code.startswith("# needs doctobert-hf"):  # a card of ours that says so
        sys.modules.pop("doctobert_hf", None)
    else:
        sys.modules["doctobert_hf"] = None  # as if it were not installed
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(code, what, "exec"), {"__name__": "__main__"})
        told = [what, "ok", out.getvalue()]
    except BaseException:
        told = [what, "failed", traceback.format_exc()]
    print(json.dumps(told), file=answers, flush=True)
os._exit(0)  # threads of streaming readers can abort an interpreter that shuts down
"""
LOAD_MODEL = """
from transformers import AutoConfig, AutoTokenizer
import transformers

place = {place!r}
AutoTokenizer.from_pretrained(place, trust_remote_code=False)
config = AutoConfig.from_pretrained(place, trust_remote_code=False)
cls = getattr(transformers, (config.architectures or ["AutoModel"])[0])
model, info = cls.from_pretrained(place, output_loading_info=True, trust_remote_code=False)
missing = set(info["missing_keys"])
if "Classification" not in cls.__name__:  # a pooler that nothing reads is drawn anew
    missing = {{name for name in missing if not name.startswith("pooler.")}}
assert not missing, missing
print(type(model).__name__, f"{{model.num_parameters():,}} parameters")
"""
LOAD_CHECKPOINTS = """
from transformers import AutoModelForMaskedLM

for name in {names!r}:
    AutoModelForMaskedLM.from_pretrained({place!r}, subfolder=name, trust_remote_code=False)
print(len({names!r}), "checkpoints")
"""
LOAD_TOKENIZER = """
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({place!r}, trust_remote_code=False)
text = "Douleur thoracique depuis 2 jours."
print(len(tokenizer), "tokens;", len(tokenizer(text)["input_ids"]), "for a sentence")
"""
LOAD_DATASET = """
from datasets import get_dataset_config_names, load_dataset

place = {place!r}
for config in get_dataset_config_names(place):
    splits = load_dataset(place, config, streaming=True)
    for split, rows in splits.items():
        row = next(iter(rows))
        assert set(row) == set(rows.features), "columns are not those the card declares"
        print(config, split, len(row), "columns")
"""
Status = Literal["ok", "failed", "not run"]


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        what: What was checked.
        status: ``ok``, ``failed``, or ``not run`` for code that is not ours.
        detail: What came out, in a line.
    """

    what: str
    status: Status
    detail: str


def verify(
    place: str, repo_type: str | None = None, revision: str | None = None
) -> Iterator[Check]:
    """Check a folder or a repository of the Hub.

    Args:
        place: Folder, or ``OWNER/NAME``.
        repo_type: ``model`` or ``dataset``; default: told from the manifest, or the Hub.
        revision: Branch, tag or commit of a repository.

    Yields:
        Checks, as they are done.

    Raises:
        UsageError: There is neither such a folder nor such a repository.

    Example:
        >>> from doctobert_hf.hub import CardFacts, Target, push_tokenizer
        >>> target = Target("OWNER/tok", dry_run="dry-verified")
        >>> _ = push_tokenizer("encoder", target, CardFacts(license="apache-2.0"))
        >>> {check.status for check in verify("dry-verified")} <= {"ok", "skipped"}
        True
    """
    folder = Path(place)
    if folder.is_dir():
        if not any(folder.iterdir()):
            raise UsageError(f"'{place}' is empty", "a folder that a push wrote, or a model's")
        manifest = _manifest(folder)
        kind = repo_type or _repo_type(manifest, folder)
        yield from _check_preflight(folder, kind, manifest)
        yield from _check_files(folder, manifest)
        if kind == "model" and manifest.get("kind") not in ("tokenizer", "checkpoints"):
            # What is whole is told by loading it; what a push would refuse is told here.
            yield from (check for check in _check_model(folder) if check.status == "failed")
        with _only_what_is_here(folder.resolve(), manifest) as here:
            yield from _run_checks(str(here), here, kind, manifest)
        return
    if place.count("/") != 1 or Path(place).parent.is_dir():
        raise UsageError(f"There is no folder '{place}'", "a folder, or OWNER/NAME on the Hub")
    with tempfile.TemporaryDirectory() as scratch, bounded_requests():
        folder, kind = _fetch(place, repo_type, revision, Path(scratch))
        manifest = _manifest(folder)
        if revision is not None:  # a snippet names the repository: only a copy has the revision
            yield from _check_files(folder, manifest)
            yield from _run_checks(str(folder), folder, kind, manifest)
            return
        yield from _check_remote(place, kind, folder, manifest)
        yield from _run_checks(place, folder, kind, manifest)


def _check_model(folder: Path) -> Iterator[Check]:
    """Check what a push checks: class, weights, their fit to the tokenizer, finite outputs."""
    from doctobert_hf.hub.cards.reading import read_json
    from doctobert_hf.hub.cards.records import locate_model
    from doctobert_hf.hub.stage import models

    if not (folder / "config.json").is_file():
        return
    if not (read_json(folder / "config.json") or {}).get("architectures"):
        yield Check("weights", "failed", "config.json names no class (architectures)")
        return
    try:
        model = models.load_checked(folder)
        yield Check("weights", "ok", f"all weights of {type(model).__name__}, no others")
    except Exception as error:
        yield Check("weights", "failed", _said(error))
        return
    tokenizer = None
    if any((folder / name).is_file() for name in models.TOKENIZER_FILES):
        from doctobert_hf.models.opening import open_tokenizer

        try:
            tokenizer = open_tokenizer(folder)
            models.check_fit(model, tokenizer)
            models.check_vocabulary(locate_model(folder), tokenizer)
            wrong = None
        except Exception as error:
            wrong = _said(error)
        told = "vocabulary, special ids and positions fit"
        yield Check("tokenizer", "failed" if wrong else "ok", wrong or told)
        tokenizer = None if wrong else tokenizer
    else:
        yield Check("tokenizer", "failed", "there is none beside the model: nobody can use it")
    try:
        models.compare(model, model, tokenizer)
        yield Check("outputs", "ok", "numbers, the same twice")
    except Exception as error:
        yield Check("outputs", "failed", _said(error))


@contextlib.contextmanager
def _only_what_is_here(folder: Path, manifest: dict[str, Any]) -> Iterator[Path]:
    """Give a dry run's folder as it is to be loaded: configurations on the Hub are not in it."""
    elsewhere = set(manifest.get("elsewhere", []))
    if not elsewhere:
        yield folder
        return
    from doctobert_hf.hub.cards.render import body_of, dump_front, front_matter

    text = (folder / "README.md").read_text(encoding="utf-8")
    front = front_matter(text)
    for key in ("configs", "dataset_info"):
        front[key] = [e for e in front.get(key) or [] if e.get("config_name") not in elsewhere]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / folder.name
        copy.mkdir()
        for path in folder.iterdir():
            if path.name != "README.md":
                (copy / path.name).symlink_to(path)
        card = f"---\n{dump_front(front)}---\n{body_of(text)}"
        (copy / "README.md").write_text(card, encoding="utf-8")
        yield copy


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    return json.loads(path.read_text(encoding="utf-8"))


def _repo_type(manifest: dict[str, Any], folder: Path) -> str:
    from doctobert_hf.hub.cards.kinds import KINDS

    kind = KINDS.get(manifest.get("kind", ""))
    data = (kind is not None and kind.of == "dataset") or (
        not manifest and any(folder.rglob("*.parquet"))
    )
    return "dataset" if data else "model"


def _check_preflight(folder: Path, repo_type: str, manifest: dict[str, Any]) -> Iterator[Check]:
    allowed = [n for n in manifest.get("files", {}) if n.endswith(("optimizer.pt", "scheduler.pt"))]
    elsewhere = manifest.get("elsewhere", [])
    found = check_folder(folder, repo_type, allowed, tokens_in_use(), elsewhere)
    for finding in found:
        yield Check(f"pre-flight: {finding.file}", "failed", f"{finding.what}. {finding.mend}")
    if not found:
        yield Check("pre-flight", "ok", "no secret, no local path, no pickle, metadata valid")


def _check_files(folder: Path, manifest: dict[str, Any]) -> Iterator[Check]:
    if not manifest:
        named = _own_name(folder, manifest)
        told = f"; the card's {named} is taken for this folder" if named else ""
        yield Check("fingerprints", "not run", f"there is no {MANIFEST}{told}")
        return
    here = {  # of a dry run: what earlier pushes wrote stays on the Hub
        name: entry for name, entry in manifest["files"].items() if not entry.get("kept")
    }
    wrong = [
        name
        for name, entry in here.items()
        if not (folder / name).is_file() or sha256(folder / name) != entry["sha256"]
    ]
    yield _fingerprints(wrong, len(here))


def _fingerprints(wrong: list[str], count: int) -> Check:
    if wrong:
        return Check(
            "fingerprints", "failed", f"missing or changed: {', '.join(sorted(wrong)[:5])}"
        )
    return Check("fingerprints", "ok", f"{count} file(s) are what was published")


def _fetch(
    repo_id: str, repo_type: str | None, revision: str | None, scratch: Path
) -> tuple[Path, str]:
    """Download card and manifest; everything of a named revision."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError

    from doctobert_hf.hub.publish.connection import explain, patiently

    for kind in [repo_type] if repo_type else ["model", "dataset"]:
        try:
            fetch = partial(
                snapshot_download,
                repo_id,
                repo_type=kind,
                revision=revision,
                allow_patterns=["README.md", MANIFEST] if revision is None else None,
                local_dir=scratch,
            )
            return Path(patiently(fetch)), str(kind)
        except RepositoryNotFoundError:
            continue
        except Exception as error:
            known = explain(error, repo_id, tokens_in_use())
            if known is None:
                raise
            raise known from None
    raise UsageError(f"Neither a folder nor a repository '{repo_id}'", "FOLDER or OWNER/NAME")


def _check_remote(
    repo_id: str, repo_type: str, folder: Path, manifest: dict[str, Any]
) -> Iterator[Check]:
    """Compare fingerprints with the Hub's own for large files; small ones are downloaded."""
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.hf_api import RepoFile

    if not manifest:
        yield Check("fingerprints", "not run", f"there is no {MANIFEST}")
        return
    tree = HfApi().list_repo_tree(repo_id, repo_type=repo_type, recursive=True)
    there = {item.path: item for item in tree if isinstance(item, RepoFile)}
    wrong = []
    for name, entry in manifest["files"].items():
        item = there.get(name)
        if item is None:
            wrong.append(name)
        elif item.lfs is not None:
            wrong += [name] if item.lfs.sha256 != entry["sha256"] else []
        else:
            path = hf_hub_download(repo_id, name, repo_type=repo_type, local_dir=folder)
            wrong += [name] if sha256(Path(path)) != entry["sha256"] else []
    yield _fingerprints(wrong, len(manifest["files"]))


def _run_checks(
    place: str, folder: Path, repo_type: str, manifest: dict[str, Any]
) -> Iterator[Check]:
    """Load it, and run those of the card's snippets that are ours, in one fresh process."""
    how = "path" if Path(place).is_dir() else "id"
    codes = [(f"load by {how}", _loader(place, repo_type, manifest.get("kind"), manifest))]
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    known = _known_snippets()
    named = _own_name(folder, manifest)
    others = []
    for number, code in enumerate(snippets(text), 1):
        what = f"snippet {number} of the card"
        if _shape(code) not in known:
            others.append(what)
            continue
        ours = "doctobert_hf" in code
        if named and named != place:
            code = code.replace(f'"{named}"', repr(place))
        if ours:
            code = f"# needs doctobert-hf\n{code}"
        codes.append((what, code))
    # Those that need this package last: what it registers stays.
    codes.sort(key=lambda entry: entry[1].startswith("# needs"))
    yield from run_codes(codes)
    for what in others:
        yield Check(what, "not run", "it is not one of the templates'; read it before you do")


def _own_name(folder: Path, manifest: dict[str, Any]) -> str | None:
    """Return what repository a folder is of: as recorded, or the one that all snippets load."""
    card = folder / "README.md"
    if manifest.get("repo_id") or not card.is_file():
        return manifest.get("repo_id")
    known = _known_snippets()
    codes = [c for c in snippets(card.read_text(encoding="utf-8")) if _shape(c) in known]
    names = [set(re.findall(r'"([\w.-]+/[\w.-]+)"', code)) for code in codes]
    common = set.intersection(*names) if names else set()
    return common.pop() if len(common) == 1 else None


def _loader(place: str, repo_type: str, kind: str | None, manifest: dict[str, Any]) -> str:
    if repo_type == "dataset":
        return LOAD_DATASET.format(place=place)
    if kind == "tokenizer":
        return LOAD_TOKENIZER.format(place=place)
    if kind == "checkpoints":
        names = sorted({n.split("/")[0] for n in manifest["files"] if n.startswith("checkpoint-")})
        return LOAD_CHECKPOINTS.format(place=place, names=names)
    return LOAD_MODEL.format(place=place)


def run_codes(codes: list[tuple[str, str]], timeout: float = 1200.0) -> Iterator[Check]:
    """Run pieces of code, one after another, in a process and folder that know nothing of us.

    Args:
        codes: What each is, and the code.
        timeout: Seconds for all of them.

    Yields:
        A check for each; the last line it printed, or of its error.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "code.json").write_text(json.dumps(codes), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        environment["HF_DATASETS_CACHE"] = str(Path(folder) / "datasets")
        trouble = "the process died"
        try:
            done = subprocess.run(
                [sys.executable, "-c", RUNNER],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
            answers = done.stdout
        except subprocess.TimeoutExpired as error:
            answers = (error.stdout or b"").decode(errors="replace")
            trouble = f"it took longer than {timeout:.0f} s"
    told = {}
    for line in answers.splitlines():
        what, status, text = json.loads(line)
        line = _error_line(text) if status == "failed" else _last_line(text)
        told[what] = Check(what, status, line)
    for what, _ in codes:
        yield told.get(what, Check(what, "failed", trouble))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return _short(lines[-1]) if lines else ""


def _said(error: Exception) -> str:
    """Return the first line of a message: libraries put their advice behind it."""
    return _short(_first(str(error).strip().splitlines()) or type(error).__name__)


def _error_line(trace: str) -> str:
    """Return the line of a traceback that names the error, which long messages leave behind."""
    lines = trace.splitlines()
    named = [i for i, x in enumerate(lines) if re.match(r"(\w+\.)*\w*(Error|Exception)\b", x)]
    return _short(_first(lines[named[-1] :])) if named else _last_line(trace)


def _first(lines: list[str]) -> str:
    """Return the first line, with the next one where it only announces that."""
    if not lines:
        return ""
    more = lines[0].endswith(":") and len(lines) > 1
    return f"{lines[0]} {lines[1].strip()}" if more else lines[0]


def _short(line: str) -> str:
    line = redact(line, tokens_in_use())
    return line if len(line) <= 200 else f"{line[:199]}…"


def _known_snippets() -> set[str]:
    environment = template_environment()
    folder = shared_folder("hub_cards") / "snippets"
    return {
        shape
        for path in sorted(folder.glob("*.py"))
        if (shape := _shape(environment.get_template(f"snippets/{path.name}").render()))
    }


def _shape(code: str) -> str | None:
    """The code with its words and numbers taken out; None if it is no Python."""

    class Masked(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            masked = isinstance(node.value, (str, int, float)) and not isinstance(node.value, bool)
            return ast.Constant(type(node.value).__name__) if masked else node

    try:
        return ast.dump(Masked().visit(ast.parse(code)))
    except SyntaxError:
        return None
