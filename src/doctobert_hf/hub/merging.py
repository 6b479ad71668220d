"""A push onto what others put there: their configurations, sections and licence are not lost.

What an earlier push of ours wrote is known by its list of files and by a hash of its card. Anything
else on the Hub is somebody's: it stays, or the push is refused with the way to say it.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards import KEEP, body_of, dump_front, front_matter
from doctobert_hf.hub.metadata import size_category

CARD = "README.md"
_HEADING = re.compile(r"^#{1,2} .+$", re.MULTILINE)
_OLD_WEIGHTS = re.compile(
    r"(pytorch_model.*\.bin(\.index\.json)?|model-\d+-of-\d+\.safetensors"
    r"|model\.safetensors(\.index\.json)?|tf_model\.h5|flax_model\.msgpack)"
)


@dataclass(frozen=True)
class Remote:
    """What stands on the Hub before a push.

    Attributes:
        head: The commit.
        card: Its README, or None.
        manifest: What an earlier push of ours wrote; empty where there was none.
        files: Blob ids by path.
    """

    head: str
    card: str | None
    manifest: dict[str, Any]
    files: dict[str, str]


@dataclass
class Changes:
    """What a push does to a repository.

    Attributes:
        added: Files that are new.
        replaced: Files that stand there and are written anew, if they differ.
        removed: Files that are deleted.
        kept_configs: Configurations of the dataset that stay as they are.
        told: What the user should know.
        diff: The card before and after, as a unified diff.
    """

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept_configs: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    diff: str = ""


def card_hash(text: str) -> str:
    """Hash a card's body, apart from the regions that belong to people."""
    blank = KEEP.sub(lambda match: f"<!-- keep:{match[1]} -->", body_of(text))
    return hashlib.sha256(blank.strip().encode()).hexdigest()


def merge_card(
    text: str, remote: Remote, repo_type: str, replace: Iterable[str], relicense: bool, name: str
) -> tuple[str, Changes]:
    """Put what others wrote on the Hub into a rendered card.

    Args:
        text: The card as it was rendered.
        remote: What stands on the Hub.
        repo_type: ``model`` or ``dataset``.
        replace: Configurations, or ``README.md``, that are to be replaced.
        relicense: Whether the licence was said for this push.
        name: Name of the repository, for errors.

    Returns:
        The card, and what changed.

    Raises:
        UsageError: Another licence than the Hub's that was not said, or text of ours that people
            changed outside the markers.
    """
    changes = Changes()
    if remote.card is None:
        return text, changes
    replaced = set(replace)
    before, now = front_matter(remote.card), front_matter(text)
    _check_license(before.get("license"), now.get("license"), relicense, name)
    if repo_type == "dataset":
        changes.kept_configs = _merge_configs(now, before, replaced)
    body = body_of(text)
    if CARD not in replaced:
        sections = _foreign_sections(remote, body, name)
        for title, section in sections.items():
            body = f"{body.rstrip()}\n\n{section}\n"
            changes.told.append(f"'{title}' of the card on the Hub stays, between markers")
    text = f"---\n{dump_front(now)}---\n\n{body.lstrip()}"
    changes.diff = "".join(
        difflib.unified_diff(
            remote.card.splitlines(True), text.splitlines(True), "README.md (Hub)", "README.md"
        )
    )
    return text, changes


def _check_license(before: Any, now: Any, said: bool, name: str) -> None:
    if before and now and before != now and not said:
        raise UsageError(
            f"{name} is under the licence {before}, and this push would make it {now}",
            "the same licence, or a change that is said",
            f"Pass --license {now}, if it may be changed",
        )


def _merge_configs(now: dict[str, Any], before: dict[str, Any], replaced: set[str]) -> list[str]:
    """Add the Hub's further configurations to the front matter; return their names."""
    ours = {entry["config_name"] for entry in now.get("configs", [])}
    entries = [
        entry
        for entry in before.get("configs") or []
        if isinstance(entry, dict) and entry.get("config_name", "default") not in ours | replaced
    ]
    if not entries:
        return []
    kept = [entry.get("config_name", "default") for entry in entries]
    if any(entry.get("default") for entry in entries):
        for entry in now["configs"]:
            entry.pop("default", None)
    now["configs"] = [*entries, *now["configs"]]
    infos = {
        info.get("config_name", "default"): info
        for info in (*_listed(before.get("dataset_info")), *_listed(now.get("dataset_info")))
        if info.get("config_name", "default") in (*kept, *ours)
    }
    for info_name, info in infos.items():
        info["config_name"] = info_name
    now["dataset_info"] = list(infos.values())
    counted = [split.get("num_examples") for info in infos.values()
               for split in info.get("splits") or []]  # fmt: skip
    if len(infos) == len(kept) + len(ours) and all(isinstance(n, int) for n in counted):
        now["size_categories"] = [size_category(sum(counted))]
    return kept


def _listed(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else [value]
    return [dict(item) for item in found if isinstance(item, dict)]


def _foreign_sections(remote: Remote, body: str, name: str) -> dict[str, str]:
    """Return sections that people wrote outside the markers, as regions, by their title.

    Raises:
        UsageError: Text that an earlier push wrote was changed outside the markers.
    """
    assert remote.card is not None
    theirs = body_of(remote.card)
    if remote.manifest.get("card") == card_hash(remote.card):
        return {}
    plain = KEEP.sub("", theirs).strip()
    if not plain:
        return {}
    if not remote.manifest:  # a card that we did not write
        content = re.sub(r"<!-- /?keep[^>]*-->", "", theirs).strip()
        if content in body:
            return {}
        region = f"<!-- keep:earlier-card -->\n## Earlier card\n\n{content}\n<!-- /keep -->"
        return {"Earlier card": region}
    known = {match[0].strip() for match in _HEADING.finditer(body)}
    found: dict[str, str] = {}
    rest = theirs
    for title, section in _sections(theirs):
        if title not in known and not KEEP.search(section):
            slug = re.sub(r"\W+", "-", title.lower()).strip("-") or "section"
            found[title.lstrip("# ")] = f"<!-- keep:{slug} -->\n{section.strip()}\n<!-- /keep -->"
            rest = rest.replace(section, "")
    written = remote.manifest.get("card")
    if written is not None and card_hash(rest) != written:
        changed = _first_difference(rest, body)
        raise UsageError(
            f"The card of {name} was changed outside its markers since the last push: {changed!r}",
            "changes between <!-- keep:NAME --> and <!-- /keep -->, or in sections of their own",
            "Move the text there, or pass --replace README.md to write the card anew",
        )
    return found


def _sections(text: str) -> list[tuple[str, str]]:
    """Headings of the first two levels with what stands under them; none inside a region."""
    masked = KEEP.sub(lambda match: " " * len(match[0]), text)
    starts = [match.start() for match in _HEADING.finditer(masked)]
    ends = [*starts[1:], len(text)]
    return [
        (text[a:b].splitlines()[0].strip(), text[a:b]) for a, b in zip(starts, ends, strict=True)
    ]


def _first_difference(theirs: str, ours: str) -> str:
    lines = set(ours.splitlines())
    new = next((line for line in theirs.splitlines() if line.strip() and line not in lines), "")
    return new.strip()[:80]


def plan_files(
    names: Iterable[str],
    remote: Remote,
    repo_type: str,
    configs: Iterable[str],
    replace: Iterable[str],
    changes: Changes,
) -> dict[str, Any]:
    """Say what happens to files, and return those of earlier pushes that stay.

    Args:
        names: Files of this push.
        remote: What stands on the Hub.
        repo_type: ``model`` or ``dataset``.
        configs: Configurations that this push writes.
        replace: Configurations that go.
        changes: Receives ``added``, ``replaced``, ``removed`` and ``told``.

    Returns:
        Entries of the earlier list of files, by path.
    """
    ours = set(names)
    written = remote.manifest.get("files", {})
    gone = {*configs, *replace}
    kept = {
        path: {**entry, "kept": True}
        for path, entry in written.items()
        if path not in ours and path in remote.files
        and repo_type == "dataset" and path.startswith("data/") and path.split("/")[1] not in gone
    }  # fmt: skip
    stale = [path for path in written if path not in ours | kept.keys() and path in remote.files]
    if repo_type == "dataset":
        prefixes = tuple(f"data/{config}/" for config in replace)
        stale += [p for p in remote.files if prefixes and p.startswith(prefixes)
                  and p not in ours and p not in stale]  # fmt: skip
    if any(name.endswith(".safetensors") for name in ours):
        old = [p for p in remote.files if _OLD_WEIGHTS.fullmatch(p) and p not in ours]
        if old:
            changes.told.append(f"Older weights are removed: {', '.join(sorted(old))}")
        stale += [path for path in old if path not in stale]
    changes.added = sorted(ours - remote.files.keys())
    changes.replaced = sorted(ours & remote.files.keys())
    changes.removed = sorted(stale)
    return kept
