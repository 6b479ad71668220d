"""How a FineMed dataset was made, from the manifests of its stages; what has none is not claimed.

A stage's ``manifest.json`` names its inputs. They are followed backwards as far as their manifests
are at hand, and the card says where that ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doctobert_hf.hub.cards.provenance import changed_input, changed_rows
from doctobert_hf.hub.cards.reading import read_json

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class MadeBy:
    """What the stages before a dataset did.

    Attributes:
        stages: Rows for the card, the first stage first: name, documents in and out, what was done.
        unknown: Inputs whose making is not recorded, by name.
        annotations: Sentences on who annotated.
        personal_data: For each stage that looked, in order: its name, ``treatment`` (``count``,
            ``later``, which a later stage did something about, ``mask`` or ``drop``) and
            ``found``, documents and matches by kind. What one replaced, a later one does not find.
        contamination: Tasks whose test units were sought; empty where none were.
        contaminated: Documents left out for them.
        short_units: Test units that were too short to be sought.
        units_with_answers: Test units sought only together with their answers.
        passed_by: Inputs of a mix in which nobody looked for ``contamination`` or
            ``personal_data``, though somebody did in others.
        synthetic: Whether a language model wrote text of it.
        rewritten: Of a mix: its chunks that a language model wrote, and all of them; None: no mix.
        selected: Whether a stage kept only what passes thresholds.
        masked: Whether personal data was replaced in all of the text, on each way to it.
        changed: Sentences on folders that are not what was recorded: of them nothing is told.
    """

    stages: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    annotations: list[str] = field(default_factory=list)
    personal_data: list[dict[str, Any]] = field(default_factory=list)
    contamination: list[str] = field(default_factory=list)
    contaminated: int = 0
    short_units: int = 0
    units_with_answers: int = 0
    passed_by: dict[str, list[str]] = field(default_factory=dict)
    synthetic: bool = False
    rewritten: tuple[int, int] | None = None
    selected: bool = False
    masked: bool = False
    changed: list[str] = field(default_factory=list)


def made_by(path: Path) -> MadeBy:
    """Read the stages that made the dataset at ``path``: a stage's folder, or its ``data``.

    Example:
        >>> from pathlib import Path
        >>> made_by(Path("no-such-folder")).stages
        []
    """
    manifests: list[dict[str, Any]] = []
    unknown: list[str] = []
    folder = next((p for p in (path, path.parent) if _is_stage(p)), None)
    if folder is None:
        return MadeBy()
    changed: list[str] = []
    if other := changed_rows(folder, read_json(folder / MANIFEST)["documents"]):
        return MadeBy(changed=[other])
    _follow(folder, manifests, unknown, set(), changed)
    sought = [m for m in manifests if m["stage"] == "decontaminate"]
    rewritten = _rewritten(folder)
    return MadeBy(
        stages=[_row(manifest) for manifest in manifests],
        unknown=sorted(set(unknown)),
        annotations=[line for m in manifests if m["stage"] == "annotate" for line in _who(m)],
        personal_data=_personal_data(folder),
        contamination=sorted({t["task"] for m in sought for t in m.get("tasks", [])}),
        contaminated=sum(
            count
            for m in sought
            for reason, count in m["excluded"].items()
            if reason.startswith("contaminated")
        ),
        short_units=_sum(sought, "too_short"),
        units_with_answers=_sum(sought, "with_answers_only"),
        passed_by={
            "contamination": _passed_by(folder, lambda m: m["stage"] == "decontaminate"),
            "personal_data": _passed_by(folder, lambda m: "personal_data" in m),
        },
        synthetic=any(m["stage"] == "rephrase" for m in manifests) and rewritten != 0,
        rewritten=None if rewritten is None else (rewritten, manifests[-1]["documents"]),
        selected=any(m["stage"] == "filter" for m in manifests),
        masked=any(map(_masks, manifests)) and not _passed_by(folder, _masks),
        changed=changed,
    )


def _sum(sought: list[dict[str, Any]], key: str) -> int:
    return sum(task.get(key, 0) for manifest in sought for task in manifest.get("tasks", []))


def _masks(manifest: dict[str, Any]) -> bool:
    return _treatment(manifest) == "mask"


def _rewritten(folder: Path) -> int | None:
    """Count the chunks of a mix whose source a language model rewrote; None: no mix, or not known.

    Of a source that is itself a mix only its maker knows which.
    """
    mix = read_json(folder / MANIFEST)
    if mix["stage"] != "mix":
        return None
    count = 0
    for source in mix.get("sources", []):
        before: list[dict[str, Any]] = []
        for place in source["input"]:
            if (found := _before(folder, str(place))) is not None:
                _follow(found, before, [], set())
        names = [manifest["stage"] for manifest in before]
        if "rephrase" in names and "mix" in names:
            return None
        count += source.get("kept_chunks", 0) if "rephrase" in names else 0
    return count


def _is_stage(folder: Path) -> bool:
    file = folder / MANIFEST
    return file.is_file() and "stage" in read_json(file)


def _follow(
    folder: Path,
    found: list[dict[str, Any]],
    unknown: list[str],
    seen: set[Path],
    changed: list[str] | None = None,
) -> None:
    """Add the manifests before a stage, then its own."""
    if folder.resolve() in seen:
        return
    seen.add(folder.resolve())
    manifest = read_json(folder / MANIFEST)
    for place in _places(manifest):
        before = _before(folder, place)
        if before is None:
            unknown.append(Path(place).name)
            if changed is not None and (there := _stage_of(folder, place)) is not None:
                changed.append(str(changed_input(folder, place, there)))
        else:
            _follow(before, found, unknown, seen, changed)
    found.append(manifest)


def _places(manifest: dict[str, Any]) -> list[str]:
    places = list(manifest.get("inputs") or [])
    places += [place for source in manifest.get("sources", []) for place in source["input"]]
    return list(dict.fromkeys(map(str, places)))


def _before(folder: Path, place: str) -> Path | None:
    """Find an input's stage, if its rows are still those that were read."""
    there = _stage_of(folder, place)
    return None if there is None or changed_input(folder, place, there) else there


def _stage_of(folder: Path, place: str) -> Path | None:
    """Find an input's stage: as given, from where this runs now; or beside, if both were moved."""
    near = [Path(place), folder.parent / place, folder.parent / Path(place).name]
    return next((p for p in near if _is_stage(p)), None)


def _passed_by(
    folder: Path, looked: Callable[[dict[str, Any]], bool], seen: frozenset[Path] = frozenset()
) -> list[str]:
    """Return the branches before a stage on whose way nobody looked, by the name they branch at."""
    manifest = read_json(folder / MANIFEST)
    if looked(manifest):
        return []
    places = _places(manifest)
    found: list[str] = []
    for place in places:
        before = _before(folder, place)
        if before is None or before.resolve() in {*seen, folder.resolve()}:
            found.append(Path(place).name)
        elif missed := _passed_by(before, looked, seen | {folder.resolve()}):
            found += [Path(place).name] if len(places) > 1 else missed
    return found or ([] if places else [folder.name])


def _row(manifest: dict[str, Any]) -> dict[str, Any]:
    read = manifest.get("read", manifest.get("read_documents"))
    if manifest["stage"] == "mix":
        read = sum(source.get("documents", 0) for source in manifest.get("sources", [])) or None
    return {
        "name": manifest["stage"],
        "unit": "chunks" if manifest["stage"] == "mix" else "documents",
        "read": read,
        "written": manifest["documents"],
        "excluded": dict(manifest.get("excluded") or {}),
        "what": _what(manifest["stage"], manifest.get("settings") or {}, manifest),
    }


def _what(stage: str, settings: dict[str, Any], manifest: dict[str, Any]) -> str:
    """What a stage did, in a few words, from its settings alone."""
    if stage == "annotate":
        return "; ".join(
            f"{axis}: {_annotator(settings[axis])}"
            for axis in ("domain", "subdomain", "quality", "terms")
            if settings.get(axis) not in (None, "none")
        )
    if stage == "clean":
        said = ["text repaired"] if settings.get("repair") else []
        marked = "marked " if settings.get("mark_near_duplicates") else ""
        if settings.get("language") not in (None, "none"):
            said.append(f"language {settings['language']} at least {settings['language_score']}")
        said += [
            words
            for key, words in (
                ("repetition", "repetitive texts"),
                ("exact", "equal texts"),
                ("minhash", f"near-duplicates {marked}from {settings.get('similarity')} on"),
            )
            if settings.get(key)
        ]
        return ", ".join(said)
    if stage == "filter":
        return f"kept where {manifest.get('expression') or settings.get('where')}"
    if stage == "decontaminate":
        words = f"{settings['words']} words" if settings.get("words") else "words"
        return f"units of test sets in runs of {words} (which, below)"
    if stage == "rephrase":
        model = _model(settings.get("model") or "a language model")
        return f"rewritten by {model}, {manifest.get('pieces', 0):,} pieces asked for"
    if stage == "deidentify":
        return "personal data replaced by placeholders"
    if stage == "mix":
        return "; ".join(map(_part, manifest.get("sources", [])))
    return ""


def _part(source: dict[str, Any]) -> str:
    """Say how much of a source a mix took."""
    where = f" where {source['where']}" if source.get("where") else ""
    share = (
        f", {100 * source['share']:.0f} % of the tokens asked for"
        if source.get("share") is not None
        else ""
    )
    chunks, kept = source.get("chunks"), source.get("kept_chunks")
    taken = f", {kept:,} of its {chunks:,} chunks taken" if None not in (chunks, kept) else ""
    return f"{source['name']}{where}{share}{taken}"


_RULES = {"light": "rules", "lexicon": "a lexicon"}


def _annotator(name: Any) -> str:
    return _RULES.get(str(name), f"the model {_model(name)}")


def _model(name: Any) -> str:
    """Return a model's Hub id, or the last part of its path."""
    hub_id = re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", str(name)) and not Path(str(name)).exists()
    return str(name) if hub_id else Path(str(name)).name


def _who(manifest: dict[str, Any]) -> list[str]:
    """Sentences on who annotated, and what the density is of."""
    settings = manifest.get("settings") or {}
    by: dict[str, list[str]] = {}
    for axis in ("domain", "subdomain", "quality"):
        if settings.get(axis) not in (None, "none"):
            by.setdefault(_annotator(settings[axis]), []).append(axis)
    lines = [f"{', '.join(axes).capitalize()}: by {who}." for who, axes in by.items()]
    if settings.get("keep_domains") and settings.get("domain") not in (None, "none"):
        lines.append(f"Kept domains: {', '.join(settings['keep_domains'])}.")
    if settings.get("terms") == "lexicon":
        names = ", ".join(Path(str(name)).name for name in settings.get("lexicons") or [])
        lines.append(f"Medical terms: found in lexicons ({names}), not by a model.")
    elif settings.get("terms") not in (None, "none"):
        lines.append(f"Medical terms: by {_annotator(settings['terms'])}.")
    if settings.get("density"):
        lines.append(
            f"Density: share of characters in medical terms ({settings['density']}); figures of "
            "another definition are not interchangeable."
        )
    return lines


def _personal_data(folder: Path) -> list[dict[str, Any]]:
    """Return what each stage found on the ways to a stage, and what was done about it."""
    found: dict[Path, dict[str, Any]] = {}
    _add_personal_data(folder, False, found, frozenset())
    return list(found.values())


def _add_personal_data(
    folder: Path, later: bool, found: dict[Path, dict[str, Any]], seen: frozenset[Path]
) -> None:
    """Add the stages before one, then its own; ``later``: one behind it did something about it."""
    place = folder.resolve()
    if place in seen:
        return
    manifest = read_json(folder / MANIFEST)
    treatment = _treatment(manifest)
    for name in _places(manifest):
        if (before := _before(folder, name)) is not None:
            treated = later or treatment in ("mask", "drop")
            _add_personal_data(before, treated, found, seen | {place})
    if treatment is None or (place in found and later):
        return  # a way on which it was left as it is counts
    found[place] = {
        "stage": manifest["stage"],
        "treatment": "later" if treatment == "count" and later else treatment,
        "found": {k: v for k, v in manifest["personal_data"].items() if v["matches"]},
    }


def _treatment(manifest: dict[str, Any]) -> str | None:
    """Return what a stage did about personal data; None where it did not look."""
    if "personal_data" not in manifest:
        return None
    return str((manifest.get("settings") or {}).get("pii", "mask"))
