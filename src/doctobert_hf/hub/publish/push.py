"""Publishing from Python: ``push_model``, ``push_tokenizer``, ``push_dataset``, ``render``.

Each stages what would be published, checks it, and either writes it to a folder (``dry_run``) or
publishes it in one commit.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doctobert_hf.errors import OutputError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.hub.cards.facts import CardFacts, read_facts
from doctobert_hf.hub.cards.render import Card
from doctobert_hf.hub.stage.merging import Changes
from doctobert_hf.hub.stage.package import Package, package_model, package_tokenizer
from doctobert_hf.hub.stage.preflight import (
    check_folder,
    check_folder_exists,
    check_name,
    refuse,
    tokens_in_use,
)
from doctobert_hf.processes import sigterm_interrupts
from doctobert_hf.runs import open_run
from doctobert_hf.runs.lock import RunLock
from doctobert_hf.runs.record import sha256

Build = Callable[[Path, tuple[str, ...]], Package]


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
        overwrite: Move another dry run that is in ``dry_run`` aside.
        allow: Fingerprints of what looks like a secret and is none; told in the report.
        replace: Configurations of the dataset, or ``README.md``, on the Hub that may be replaced.
        relicense: Whether a licence other than the Hub's is meant; None: where facts are given.

    Example:
        >>> Target("OWNER/my-model", dry_run="dry").private
        False
    """

    repo_id: str
    private: bool = False
    create_pr: bool = False
    revision: str | None = None
    dry_run: str | Path | None = None
    message: str | None = None
    token: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    overwrite: bool = False
    allow: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    relicense: bool | None = None

    def __post_init__(self) -> None:
        if self.dry_run is not None:
            object.__setattr__(self, "dry_run", Path(self.dry_run))


@dataclass(frozen=True)
class PushReport:
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
        changes: What it does to what stands on the Hub: files, configurations, the card's diff.

    Example:
        >>> report = push_tokenizer("encoder", Target("OWNER/tok", dry_run="dry-tokenizer"),
        ...                         CardFacts(license="apache-2.0"))
        >>> report.kind, "tokenizer.json" in report.files
        ('tokenizer', True)
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
    changes: Changes | None = None


def push_model(
    path: str | Path,
    target: Target | str,
    facts: CardFacts | None = None,
    results: Path | None = None,
    results_model: str | None = None,
    kind: str | None = None,
    checkpoints: bool = False,
    optimizer: bool = False,
) -> PushReport:
    """Publish a model, from a run's folder or its own; see :func:`package_model`.

    Raises:
        UsageError: Wrong name, no model, no rights.
        DataError: The model is not what its configuration says.
        PreflightError: Something must not be published.
        OutputError: The Hub failed for good.

    Example:
        >>> target = Target("OWNER/model", dry_run="dry-model")
        >>> report = push_model("encoder", target, CardFacts(license="apache-2.0"))
        >>> sorted(name for name in report.files if name.endswith(".safetensors"))
        ['model.safetensors']
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

    return _run(Path(path), _said(target, facts), build)


def push_tokenizer(
    path: str | Path, target: Target | str, facts: CardFacts | None = None
) -> PushReport:
    """Publish a tokenizer; errors as of :func:`push_model`.

    Example:
        >>> target = Target("OWNER/tok", dry_run="dry-tokenizer-2")
        >>> push_tokenizer("encoder", target, CardFacts(license="mit")).folder
        'dry-tokenizer-2'
    """

    def build(folder: Path, tokens: tuple[str, ...]) -> Package:
        repo_id = _target(target).repo_id
        return package_tokenizer(Path(path), repo_id, folder, facts or read_facts(Path(path)))

    return _run(Path(path), _said(target, facts), build)


def push_dataset(
    path: str | Path,
    target: Target | str,
    facts: CardFacts | None = None,
    kind: str | None = None,
    tasks: tuple[str, ...] = (),
    protocol: str = "drbenchmark",
    max_shard_bytes: int = 500_000_000,
    on_shard: Callable[[str, int], None] | None = None,
) -> PushReport:
    """Publish a dataset; see :func:`package_dataset`. A stopped run goes on where it was.

    Raises:
        UsageError: As of :func:`push_model`, or a task's licence forbids copies.
        DataError: Files differ in columns or types.
        PreflightError: Rows hold secrets, or something else must not be published.
        OutputError: The Hub failed for good.

    Example:
        >>> target = Target("OWNER/notes", dry_run="dry-dataset")
        >>> report = push_dataset("documents.parquet", target, CardFacts(license="cc-by-4.0"))
        >>> report.repo_type
        'dataset'
    """

    def build(folder: Path, tokens: tuple[str, ...]) -> Package:
        from doctobert_hf.hub.stage.package_data import (
            check_kind,
            check_licence,
            package_dataset,
        )

        known = facts or read_facts(Path(path))
        check_kind(kind, tasks)
        if not tasks:  # a corpus of the benchmark says its own
            check_licence(Path(path), known)
        return package_dataset(
            Path(path),
            _target(target).repo_id,
            folder,
            known,
            kind,
            tasks,
            protocol,
            max_shard_bytes,
            tokens,
            on_shard,
            _target(target).allow,
        )

    return _run(Path(path), _said(target, facts), build)


def _target(target: Target | str) -> Target:
    return target if isinstance(target, Target) else Target(target)


def _said(target: Target | str, facts: CardFacts | None) -> Target:
    """Return the target; a licence is said for a push where its facts are given with it."""
    found = _target(target)
    if found.relicense is not None:
        return found
    return dataclasses.replace(found, relicense=facts is not None)


def _run(
    path: Path, target: Target, build: Callable[[Path, tuple[str, ...]], Package]
) -> PushReport:
    check_folder_exists(path)
    refuse(check_name(target.repo_id))
    if target.dry_run is None:
        with sigterm_interrupts():  # a repository that was made for it is taken back
            return _push(path, target, build)
    folder = Path(target.dry_run)
    settings = {"path": str(path.resolve()), "repo_id": target.repo_id}
    _check_plan(folder)
    with open_run(
        folder,
        "hub-dry-run",
        settings,
        [path],
        described=[],
        overwrite=target.overwrite,
        beside=True,
        # Before 0.2 a dry run left its plan alone.
        recognise=lambda folder: _plan(folder).is_file(),
    ) as run:
        whole = run.folder.resolve()
        # Shards that a killed run left are gone on with.
        staging = whole.with_name(f".{whole.name}.staging")
        if staging.exists() and not run.resumed and not _is_staging(staging):
            raise OutputError(
                f"'{staging}' is in the way, and this tool did not write it",
                "a place to stage in",
                "Move it away, or choose another --output",
            )
        staging.mkdir(exist_ok=True)
        (staging / _STAGING).touch()
        try:
            report = _staged(staging, target, build)
            (staging / _STAGING).unlink()
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt):
                shutil.rmtree(staging, ignore_errors=True)  # refused: nothing to go on with
            raise
        run.replace(staging)
        shutil.rmtree(staging, ignore_errors=True)
    report = dataclasses.replace(report, folder=str(folder))
    plan = {"repo_id": report.repo_id, "kind": report.kind, "files": report.files}
    write_json_atomic(_plan(folder), plan)
    return report


def _push(
    path: Path, target: Target, build: Callable[[Path, tuple[str, ...]], Package]
) -> PushReport:
    """Stage in the cache, under a lock of the same path and repository, and send."""
    from huggingface_hub import constants

    key = hashlib.sha256(f"{path.resolve()}\n{target.repo_id}\n{target.endpoint}".encode())
    staging = Path(constants.HF_HOME) / "doctobert_hf" / "staging" / key.hexdigest()[:16]
    staging.parent.mkdir(parents=True, exist_ok=True)
    lock = RunLock(staging.with_name(f"{staging.name}.lock"), f"The push to '{target.repo_id}'")
    lock.acquire()
    try:
        staging.mkdir(exist_ok=True)
        report = _staged(staging, target, build)
        shutil.rmtree(staging, ignore_errors=True)
    finally:
        lock.release()
    return report


def _staged(
    folder: Path, target: Target, build: Callable[[Path, tuple[str, ...]], Package]
) -> PushReport:
    """Make what would be published in a staging folder of our own, and publish it if it may be."""
    from doctobert_hf.hub.publish.commit import present_state, publish

    tokens = tuple(tokens_in_use(target.token))
    _clear(folder)
    package = build(folder, tokens)
    relicense = target.relicense is not False
    remote = present_state(package, target) if target.dry_run is not None else None
    card, changes = package.write_card(remote, target.replace, relicense)
    found = check_folder(folder, package.repo_type, package.allowed, tokens, package.elsewhere)
    passed = [f"Allowed: {finding}" for finding in refuse(found, target.allow)]
    published = None
    if target.dry_run is None:
        published = publish(
            package,
            target.private,
            target.create_pr,
            target.revision,
            target.message,
            target.token,
            target.endpoint,
            target.allow,
            target.replace,
            relicense,
        )
        changes = published.changes
    report = PushReport(
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
        warnings=[*package.warnings, *changes.told, *passed, *_told_of(card)],
        url=published.url if published else None,
        commit=published.commit if published else None,
        changed=published.changed if published else None,
        changes=changes,
    )
    if target.dry_run is not None:
        from doctobert_hf.hub.stage.datasets import finish_staging

        finish_staging(folder)
    return report


def _clear(folder: Path) -> None:
    """Empty a staging folder but for shards of a stopped run: write_split says whose they are."""
    for item in folder.iterdir():
        if item.name in ("data", _STAGING):
            continue
        shutil.rmtree(item) if item.is_dir() else item.unlink()


def _told_of(card: Card) -> Iterator[str]:
    """Tell what of an earlier card is left out or stands elsewhere."""
    for key in card.dropped:
        yield (
            f"'{key}' of the earlier card is left out, it may hold training text: "
            "--examples FILE gives the widget its texts"
        )
    for name in card.moved:
        yield f"Region keep:{name} stands at the end, its section is gone"


_STAGING = ".doctobert-staging"
"""Marks a place to stage in as ours: a run that was killed left nothing else that says so."""


def _is_staging(folder: Path) -> bool:
    """Return whether a staging folder is one that a killed dry run left, of before 0.2 too."""
    from doctobert_hf.hub.stage.datasets import STATE

    return (folder / _STAGING).is_file() or any(folder.rglob(f"{STATE}-*"))


def _plan(folder: Path) -> Path:
    whole = folder.resolve()
    return whole.with_name(f"{whole.name}.plan.json")


def _check_plan(folder: Path) -> None:
    """Refuse to write a plan over somebody else's file of its name."""
    path = _plan(folder)
    if not path.exists():
        return
    try:
        ours = {"repo_id", "kind", "files"} == set(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        ours = False
    if not ours:
        raise OutputError(
            f"'{path}' is in the way, and this tool did not write it",
            "a place for the plan of the dry run",
            "Move it away, or choose another --output",
        )
