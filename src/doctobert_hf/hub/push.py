"""Publishing from Python: ``push_model``, ``push_tokenizer``, ``push_dataset``, ``render``.

Each stages what would be published, checks it, and either writes it to a folder (``dry_run``) or
publishes it in one commit.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doctobert_hf.errors import UsageError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.hub.facts import CardFacts, read_facts
from doctobert_hf.hub.package import Package, package_model, package_tokenizer, sha256
from doctobert_hf.hub.preflight import (
    check_folder,
    check_folder_exists,
    check_name,
    refuse,
    tokens_in_use,
)


@dataclass(frozen=True)
class Target:
    """Where and how to publish.

    Attributes:
        repo_id: ``OWNER/NAME``.
        private: Whether a repository that is created is private.
        create_pr: Propose a pull request instead of committing.
        revision: Branch; created if it is not there.
        dry_run: Folder to write to instead; nothing is sent.
        message: First line of the commit.
        token: Token of the Hub; default: the one that is logged in.
        endpoint: Address of the Hub; default: ``$HF_ENDPOINT``.
    """

    repo_id: str
    private: bool = False
    create_pr: bool = False
    revision: str | None = None
    dry_run: Path | None = None
    message: str | None = None
    token: str | None = field(default=None, repr=False)
    endpoint: str | None = None


@dataclass(frozen=True)
class Report:
    """What was published, or would be.

    Attributes:
        repo_id: Name on the Hub.
        repo_type: ``model`` or ``dataset``.
        kind: Kind of card.
        files: Size and SHA-256 by name.
        gaps: Records the card lacks.
        warnings: What else the user should know.
        folder: Folder of a dry run; None for a push.
        url: Address of a push.
        commit: Its commit.
        changed: Whether it changed anything.
    """

    repo_id: str
    repo_type: str
    kind: str
    files: dict[str, dict[str, Any]]
    gaps: list[str]
    warnings: list[str]
    folder: str | None = None
    url: str | None = None
    commit: str | None = None
    changed: bool | None = None


def push_model(
    path: str | Path,
    target: Target | str,
    facts: CardFacts | None = None,
    results: Path | None = None,
    results_model: str | None = None,
    kind: str | None = None,
    checkpoints: bool = False,
    optimizer: bool = False,
) -> Report:
    """Publish a model, from a run's folder or its own; see :func:`package_model`.

    Raises:
        UsageError: Wrong name, no model, no rights.
        DataError: The model is not what its configuration says.
        PreflightError: Something must not be published.
        OutputError: The Hub failed for good.
    """

    def build(folder: Path, tokens: tuple[str, ...]) -> Package:
        return package_model(
            Path(path),
            _target(target).repo_id,
            folder,
            facts or read_facts(Path(path)),
            results,
            results_model,
            kind,
            checkpoints,
            optimizer,
        )

    return _run(Path(path), _target(target), build)


def push_tokenizer(
    path: str | Path, target: Target | str, facts: CardFacts | None = None
) -> Report:
    """Publish a tokenizer; errors as of :func:`push_model`."""

    def build(folder: Path, tokens: tuple[str, ...]) -> Package:
        repo_id = _target(target).repo_id
        return package_tokenizer(Path(path), repo_id, folder, facts or read_facts(Path(path)))

    return _run(Path(path), _target(target), build)


def push_dataset(
    path: str | Path,
    target: Target | str,
    facts: CardFacts | None = None,
    kind: str | None = None,
    tasks: tuple[str, ...] = (),
    protocol: str = "drbenchmark",
    max_shard_bytes: int = 500_000_000,
    on_shard: Callable[[str, int], None] | None = None,
) -> Report:
    """Publish a dataset; see :func:`package_dataset`. A stopped run goes on where it was.

    Raises:
        UsageError: As of :func:`push_model`, or a task's licence forbids copies.
        DataError: Files differ in columns or types.
        PreflightError: Rows hold secrets, or something else must not be published.
        OutputError: The Hub failed for good.
    """

    def build(folder: Path, tokens: tuple[str, ...]) -> Package:
        from doctobert_hf.hub.package_data import package_dataset

        return package_dataset(
            Path(path),
            _target(target).repo_id,
            folder,
            facts or read_facts(Path(path)),
            kind,
            tasks,
            protocol,
            max_shard_bytes,
            tokens,
            on_shard,
        )

    return _run(Path(path), _target(target), build)


def _target(target: Target | str) -> Target:
    return target if isinstance(target, Target) else Target(target)


def _run(path: Path, target: Target, build: Callable[[Path, tuple[str, ...]], Package]) -> Report:
    check_folder_exists(path)
    refuse(check_name(target.repo_id))
    tokens = tuple(tokens_in_use(target.token))
    folder = _staging(path, target)
    package = build(folder, tokens)
    card = package.write_card(None)
    refuse(check_folder(folder, package.repo_type, package.allowed, tokens))
    published = None
    if target.dry_run is None:
        from doctobert_hf.hub.publish import publish

        published = publish(
            package,
            target.private,
            target.create_pr,
            target.revision,
            target.message,
            target.token,
            target.endpoint,
        )
    report = Report(
        repo_id=target.repo_id,
        repo_type=package.repo_type,
        kind=package.kind,
        files={
            path.relative_to(folder).as_posix(): {
                "size": path.stat().st_size,
                "sha256": sha256(path),
            }
            for path in package.files()
        },
        gaps=card.gaps,
        warnings=[
            *package.warnings,
            *(f"Region keep:{name} stands at the end, its section is gone" for name in card.moved),
        ],
        folder=str(folder) if target.dry_run is not None else None,
        url=published.url if published else None,
        commit=published.commit if published else None,
        changed=published.changed if published else None,
    )
    _finish(folder, target, report)
    return report


def _staging(path: Path, target: Target) -> Path:
    """An empty folder to stage in; for data, the one a stopped run left."""
    if target.dry_run is not None:
        folder = target.dry_run
        if folder.exists() and any(folder.iterdir()) and not _plan(folder).is_file():
            raise UsageError(
                f"The folder '{folder}' is in use", "a new folder", "Choose another --output"
            )
    else:
        from huggingface_hub import constants

        stat = path.resolve()
        key = hashlib.sha256(f"{stat}\n{target.repo_id}\n{target.endpoint}".encode()).hexdigest()
        folder = Path(constants.HF_HOME) / "doctobert_hf" / "staging" / key[:16]
    for item in folder.iterdir() if folder.is_dir() else []:
        if item.name == "data":  # shards of a stopped run; write_split says whether they are ours
            continue
        shutil.rmtree(item) if item.is_dir() else item.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plan(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.plan.json")


def _finish(folder: Path, target: Target, report: Report) -> None:
    if target.dry_run is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    from doctobert_hf.hub.datasets import finish_staging

    finish_staging(folder)
    write_json_atomic(
        _plan(folder), {"repo_id": report.repo_id, "kind": report.kind, "files": report.files}
    )
