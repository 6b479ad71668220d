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
from fnmatch import fnmatch
from typing import Any

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.metadata import size_category
from doctobert_hf.hub.cards.render import KEEP, body_of, dump_front, front_matter
from doctobert_hf.hub.stage import foreign
from doctobert_hf.hub.stage.sections import first_difference, sections

CARD = "README.md"
_WEIGHTS = {"model.safetensors", "model.safetensors.index.json"}
_OURS = (CARD, "publication.json")
"""Merged, and checked, by themselves."""
_OLD_WEIGHTS = re.compile(
    r"(pytorch_model.*\.bin(\.index\.json)?|model-\d+-of-\d+\.safetensors"
    r"|model\.safetensors(\.index\.json)?|tf_model\.h5|flax_model\.msgpack)"
)


_READ_BESIDE = re.compile(
    r"modules\.json|sentence_\w+_config\.json|config_sentence_transformers\.json|vocab\.(?:txt|json)"
    r"|merges\.txt|added_tokens\.json|tokenizer\.model|spiece\.model|sentencepiece(?:\.bpe)?\.model"
    r"|adapter_(?:config\.json|model\.safetensors)|(?:pre)?processor_config\.json|chat_template\.jinja"
)
"""What loaders read where it is there: of another model it makes a wrong one of ours."""

Licences = dict[str, list[str]]
"""Of each configuration, as the Hub writes them."""


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


def card_fingerprint(text: str) -> str:
    """Hash a card's body, apart from the regions that belong to people."""
    plain = KEEP.sub("", body_of(text))
    return hashlib.sha256(" ".join(plain.split()).encode()).hexdigest()


def headings_of(text: str) -> list[str]:
    """Return a card's headings of the first two levels, outside the regions of people."""
    return [title for title, _ in sections(KEEP.sub("", body_of(text)))]


def merge_card(
    text: str,
    remote: Remote,
    repo_type: str,
    replace: Iterable[str],
    relicense: bool,
    name: str,
    same_weights: bool = False,
    licences: Licences | None = None,
) -> tuple[str, Changes]:
    """Put what others wrote on the Hub into a rendered card.

    Args:
        text: The card as it was rendered.
        remote: What stands on the Hub.
        repo_type: ``model`` or ``dataset``.
        replace: Configurations, or ``README.md``, that are to be replaced.
        relicense: Whether the licence was said for this push.
        name: Name of the repository, for errors.
        same_weights: Whether the weights there are those of this push: figures of theirs hold.
        licences: Of each configuration of this push.

    Returns:
        The card, and what changed.

    Raises:
        UsageError: Another licence than the Hub's that was not said, or text of ours that people
            changed outside the markers.
    """
    changes = Changes()
    replaced = set(replace)
    before, now = front_matter(remote.card or ""), front_matter(text)
    if repo_type == "dataset":
        _check_same_names(now, before, remote, replaced, name)
    if remote.card is None:
        return text, changes
    if repo_type == "dataset":
        changes.kept_configs = _merge_configs(now, before, replaced)
    else:
        changes.told += _merge_figures(now, before, remote.manifest, same_weights)
    known: Licences = remote.manifest.get("licences") or {}
    for config in known.keys() & (licences or {}).keys() - replaced:
        then = {"license": _one(known[config])}
        _check_license(then, {"license": _one((licences or {})[config])}, relicense, name)
    if changes.kept_configs:  # their rows stay under theirs
        _join_licenses(now, before, known, changes.kept_configs)
    else:
        _check_license(before, now, relicense, name)
    body = body_of(text)
    if CARD not in replaced:
        sections, gone = _foreign_sections(remote, body, name)
        if gone:
            changes.told.append(
                f"{gone} piece(s) of the card on the Hub that a library generated are left out: "
                "they may hold rows of a training set"
            )
        for region, section in sections.items():
            body = f"{body.rstrip()}\n\n{section}\n"
            changes.told.append(f"'{region}' of the card on the Hub stays, between markers")
    text = f"---\n{dump_front(now)}---\n\n{body.lstrip()}"
    changes.diff = "".join(
        difflib.unified_diff(
            remote.card.splitlines(True), text.splitlines(True), "README.md (Hub)", "README.md"
        )
    )
    return text, changes


def _check_license(before: dict[str, Any], now: dict[str, Any], said: bool, name: str) -> None:
    for key in ("license", "license_name"):
        then, ours = before.get(key), now.get(key)
        if then and ours and _several(then) != _several(ours) and not said:
            words = " ".join(ours) if isinstance(ours, list) else ours
            raise UsageError(
                f"{name} is under the licence {then}, and this push would make it {ours}",
                "the same licence, or a change that is said",
                f"Pass --license {now.get('license') if key == 'license_name' else words}, if it "
                "may be changed",
            )


def _several(licences: str | list[str]) -> set[str]:
    """Return licences without their order: rows that name several give it by their number."""
    return set(licences) if isinstance(licences, list) else {str(licences)}


def check_local_license(card: str, text: str, said: bool, where: str) -> None:
    """Check that a README beside what is published does not say another licence.

    Raises:
        UsageError: It does, and the licence was not said for this push.
    """
    _check_license(front_matter(card), front_matter(text), said, f"The README.md in '{where}'")


def _merge_figures(
    now: dict[str, Any], before: dict[str, Any], manifest: dict[str, Any], same_weights: bool
) -> list[str]:
    """Take over what others measured of these weights; return what to tell."""
    ours = manifest.get("index", foreign.results_in(before) if manifest else [])
    if same_weights:
        added = foreign.join_results(now, before, ours)
        return [f"{len(added)} result(s) that others added to model-index stay"] if added else []
    theirs = set(foreign.results_in(before)) - {*ours, *foreign.results_in(now)}
    told = [f"{len(theirs)} result(s) of model-index"] if theirs else []
    if not manifest and "co2_eq_emissions" in before:
        told.append("co2_eq_emissions")
    return [
        f"{what} on the Hub is of the weights that are replaced: it is left out" for what in told
    ]


def _one(licences: list[str]) -> str | list[str]:
    return licences[0] if len(licences) == 1 else licences


def _join_licenses(
    now: dict[str, Any], before: dict[str, Any], known: Licences, kept: list[str]
) -> None:
    """Add the licences of the configurations that stay: all there were, where none are listed."""
    both: list[str] = []
    listed = [known.get(config) for config in kept]
    theirs = before.get("license")
    if None not in listed:
        theirs = [licence for found in listed for licence in found or []]
    for value in (theirs, now.get("license")):
        both += value if isinstance(value, list) else [value] if value else []
    joined = list(dict.fromkeys(both))
    if joined:
        now["license"] = _one(joined)


def _check_same_names(
    now: dict[str, Any], before: dict[str, Any], remote: Remote, replaced: set[str], name: str
) -> None:
    """Refuse to take the place of somebody else's configuration of the same name.

    Raises:
        UsageError: No list of ours has its files, and ``--replace`` does not name it.
    """
    ours = {entry["config_name"] for entry in now.get("configs", [])}
    written = {path.split("/")[1] for path in remote.manifest.get("files", {})
               if path.startswith("data/") and path.count("/") > 1}  # fmt: skip
    theirs = {e.get("config_name", "default") for e in before.get("configs") or []
              if isinstance(e, dict)}  # fmt: skip
    if not before.get("configs") and not remote.manifest and _data_files(remote):
        theirs = ours  # of no name: our configurations would hide it
    foreign = (ours & theirs) - written - replaced
    if foreign:
        one = sorted(foreign)[0]
        raise UsageError(
            f"{name} has data of others as configuration '{one}', which this push would hide",
            "another name, or a replacement that is said",
            f"Put yours into a folder of another name, or pass --replace {one}",
        )


def _data_files(remote: Remote) -> list[str]:
    endings = (".parquet", ".csv", ".tsv", ".jsonl", ".arrow", ".json.gz", ".jsonl.gz")
    return [path for path in remote.files if path.lower().endswith(endings)]


def _files_of(entry: dict[str, Any], files: Iterable[str]) -> set[str]:
    """Return the files that a configuration of the front matter names."""
    given = entry.get("data_files") or []
    items = given if isinstance(given, list) else [given]
    patterns: list[str] = []
    for item in items:
        path = item.get("path") if isinstance(item, dict) else item
        patterns += path if isinstance(path, list) else [path] if isinstance(path, str) else []
    return {file for file in files if any(fnmatch(file, pattern) for pattern in patterns)}


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
    default = _default_of([e for e in before.get("configs") or [] if isinstance(e, dict)])
    if default in kept:  # what is loaded without a name stays what it was
        for entry in now["configs"]:
            entry.pop("default", None)
        if default != "default":
            for entry in entries:
                if entry.get("config_name") == default:
                    entry["default"] = True
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


def _default_of(entries: list[dict[str, Any]]) -> str | None:
    """Return the configuration that is loaded where none is named, by the rules of Datasets."""
    names = [str(entry.get("config_name", "default")) for entry in entries]
    flagged = [name for name, entry in zip(names, entries, strict=True) if entry.get("default")]
    if flagged:
        return flagged[0]
    return "default" if "default" in names else names[0] if len(names) == 1 else None


def other_configs(card: str, ours: set[str]) -> list[dict[str, Any]]:
    """Return the configurations that a card on the Hub has beside those of a push.

    Args:
        card: The Hub's card, without what the push replaces.
        ours: Names of the configurations that are published.

    Returns:
        For each its ``name``, ``size`` in bytes, and ``splits``: ``split`` and ``rows``; None where
        the card does not say.
    """
    front = front_matter(card)
    infos = {i.get("config_name", "default"): i for i in _listed(front.get("dataset_info"))}
    found = []
    for entry in _listed(front.get("configs")):
        name = str(entry.get("config_name", "default"))
        if name in ours:
            continue
        info = infos.get(name, {})
        splits = [
            {"split": split.get("name"), "rows": split.get("num_examples")}
            for split in _listed(info.get("splits"))
        ]
        found.append({"name": name, "size": info.get("download_size"), "splits": splits})
    return found


def without_configs(card: str, names: Iterable[str]) -> str:
    """Return a card whose front matter has these configurations no more."""
    front = front_matter(card)
    gone = set(names)
    for key in ("configs", "dataset_info"):
        if key in front:
            kept = [e for e in _listed(front[key]) if e.get("config_name", "default") not in gone]
            front[key] = kept
    return f"---\n{dump_front(front)}---\n{body_of(card)}"


def _listed(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else [value]
    return [dict(item) for item in found if isinstance(item, dict)]


def _foreign_sections(remote: Remote, body: str, name: str) -> tuple[dict[str, str], int]:
    """Return sections that people wrote outside the markers, as regions, by their region's name.

    And how many pieces of a generated card are left out, as they may be rows of a training set.

    Raises:
        UsageError: Text that an earlier push wrote was changed outside the markers.
    """
    assert remote.card is not None
    theirs = body_of(remote.card)
    written = remote.manifest.get("card")
    if written == card_fingerprint(remote.card) or not KEEP.sub("", theirs).strip():
        return {}, 0
    taken = {match[1] for match in KEEP.finditer(theirs + body)}
    if not remote.manifest:  # a card that we did not write
        content = _without_markers(theirs)
        if " ".join(content.split()) in " ".join(_without_markers(body).split()):
            return {}, 0
        gone = 0
        if foreign.is_generated(remote.card):
            content, gone = foreign.without_rows(content)
        region = _region(_free("earlier-card", taken), f"## Earlier card\n\n{content.strip()}")
        return {"Earlier card": region}, gone
    ours = set(remote.manifest.get("headings") or headings_of(body))
    found: dict[str, str] = {}
    rest = ""
    for title, section in sections(theirs, with_beginning=True):
        if title in ours or not title:
            rest += section
            continue
        # Regions in it are taken over by themselves.
        own = KEEP.sub("", section).strip()
        region = _free(re.sub(r"\W+", "-", title.lower()).strip("-") or "section", taken)
        taken.add(region)
        found[region] = _region(region, own)
    if written is not None and card_fingerprint(rest) != written:
        raise UsageError(
            f"The card of {name} was changed outside its markers since the last push: "
            f"{first_difference(rest, body)!r}",
            "changes between <!-- keep:NAME --> and <!-- /keep -->, or in sections of their own",
            "Move the text there, or pass --replace README.md to write the card anew",
        )
    return found, 0


def _without_markers(text: str) -> str:
    return re.sub(r"<!-- /?keep[^>]*-->", "", text)


def _region(name: str, content: str) -> str:
    return f"<!-- keep:{name} -->\n{content}\n<!-- /keep -->"


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no region has: two sections may have one title."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _stays(path: str, gone: set[str]) -> bool:
    """Return whether a file of an earlier push stays: texts of licences and what the card links.

    Whether a configuration that stays needs them cannot be told.
    """
    if path.startswith("data/"):
        return path.split("/")[1] not in gone
    return path not in _OURS


def plan_files(
    names: Iterable[str],
    remote: Remote,
    repo_type: str,
    configs: Iterable[str],
    replace: Iterable[str],
    changes: Changes,
    same: Iterable[str] = (),
) -> dict[str, Any]:
    """Say what happens to files, and return those of earlier pushes that stay.

    Args:
        names: Files of this push.
        remote: What stands on the Hub.
        repo_type: ``model`` or ``dataset``.
        configs: Configurations that this push writes.
        replace: Configurations that go.
        changes: Receives ``added``, ``replaced``, ``removed`` and ``told``.
        same: Files of this push that stand there as they are.

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
        and repo_type == "dataset" and _stays(path, gone)
    }  # fmt: skip
    beside = [path for path in kept if not path.startswith("data/")]
    if beside:
        changes.told.append(f"Of an earlier push, and it stays: {', '.join(sorted(beside)[:5])}")
    stale = [path for path in written if path not in ours | kept.keys() and path in remote.files]
    if repo_type == "dataset":
        prefixes = tuple(f"data/{config}/" for config in replace)
        doomed = {path for path in remote.files if prefixes and path.startswith(prefixes)}
        front = front_matter(remote.card) if remote.card else {}
        for entry in front.get("configs") or []:
            if isinstance(entry, dict) and entry.get("config_name", "default") in set(replace):
                doomed |= _files_of(entry, remote.files)
        stale += sorted(doomed - ours - set(stale))
    if ours & _WEIGHTS:
        old = [p for p in remote.files if _OLD_WEIGHTS.fullmatch(p) and p not in ours]
        if old:
            changes.told.append(f"Older weights are removed: {', '.join(sorted(old))}")
        stale += [path for path in old if path not in stale]
        exports = [] if set(same) & ours & _WEIGHTS else foreign.exports_of(remote.files)
        if exports := [name for name in exports if name not in ours and name not in stale]:
            changes.told.append(f"Of the weights before, and it stays: {', '.join(exports[:5])}")
        others = [n for n in remote.files if _READ_BESIDE.fullmatch(n) and n not in ours | {*stale}]
        if others:
            changes.told.append(
                f"Of a model before, and it stays, though loaders read it: {', '.join(others[:5])} "
                "(delete it on the Hub if it is not of this model)"
            )
    changes.added = sorted(ours - remote.files.keys())
    changes.replaced = sorted((ours & remote.files.keys()) - set(same))
    changes.removed = sorted(stale)
    theirs = [
        name
        for name in changes.replaced
        if name not in _OURS
        and (name not in written or not foreign.is_as_written(written[name], remote.files[name]))
    ]
    if theirs:
        more = f" and {len(theirs) - 5:,} more" if len(theirs) > 5 else ""
        changes.told.append(f"What others wrote is replaced: {', '.join(theirs[:5])}{more}")
    return kept
