"""Documents that travel with what is published: licence texts, notices, what the card links to."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote

from doctobert_hf.hub.stage.preflight import check_sources, refuse

_LEGAL = re.compile(
    r"(?:LICEN[CS]E|COPYING|[Ll]icen[cs]e|[Cc]opying)(?:[-_.][A-Za-z0-9.+-]{1,40})?"
    r"|(?:NOTICE|AUTHORS|COPYRIGHT)(?:\.txt|\.md)?|CITATION\.(?:cff|bib)"
)
"""In capitals alone where the word is one of French texts too: a *notice* is a leaflet."""
_FOLDER = "LICENSES"
"""Where REUSE keeps the texts of several licences."""
_LINK = re.compile(
    r"\]\(\s{0,3}(?:<([^>\n]{1,300})>|([^)\s]{1,300}))|(?:src|href)=[\"']([^\"'\n]{1,300})[\"']"
)
_KINDS = (
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".pdf", ".md", ".txt", ".cff", ".bib", ""),
    ".rst",
)
_MOST_BYTES = 20_000_000
_RECORDS = (
    *("run.json", "README.md", "card.yaml", "manifest.json", "publication.json"),
    *("statistics.json", "STATISTICS.md", "*config.yaml", "environment.json", "inputs.json"),
)
"""What says how it was made: the card is made from it."""
COPYLEFT = ("gpl", "lgpl", "agpl", "gfdl")
"""Families of licences that ask for their text with every copy of a corpus."""


def companions(source: Path, own: bool = True) -> list[Path]:
    """Return the documents of a folder that belong to what is published from it.

    Licences, notices and citation files; those under ``LICENSES``; and images and documents that
    the folder's own README links by a relative address.

    Args:
        source: The folder.
        own: Whether all in it is published; of a folder of several corpora only ``LICENSES`` is
            taken.
    """
    if not source.is_dir():
        return []
    found: set[Path] = set()
    if (source / _FOLDER).is_dir():
        found |= {path for path in (source / _FOLDER).iterdir() if path.is_file()}
    if not own:
        return sorted(path for path in found if _travels(path))
    found |= {p for p in source.iterdir() if p.is_file() and _LEGAL.fullmatch(p.name)}
    readme = source / "README.md"
    if readme.is_file():
        text = readme.read_text(encoding="utf-8", errors="replace")
        for match in _LINK.finditer(text):
            found |= _linked(source, unquote(match[1] or match[2] or match[3]))
    return sorted(path for path in found if _travels(path))


def _linked(source: Path, address: str) -> set[Path]:
    if re.match(r"[a-z]+:|[/#~]", address, re.IGNORECASE) or ".." in Path(address).parts:
        return set()
    path = source / address.split("#")[0].split("?")[0]
    if any(part.startswith(".") for part in path.relative_to(source).parts):
        return set()
    try:
        return {path} if path.is_file() and path.name != "README.md" else set()
    except OSError:  # no name of a file
        return set()


def _travels(path: Path) -> bool:
    legal = _LEGAL.fullmatch(path.name) or path.parent.name == _FOLDER
    return bool(legal or path.suffix.lower() in _KINDS) and path.stat().st_size <= _MOST_BYTES


def stage_companions(source: Path, target: Path, own: bool = True) -> list[Path]:
    """Copy the companions of a folder; return their places in ``target``.

    Args:
        source: The folder.
        target: Where to copy them to; what is there already stays.
        own: As for :func:`companions`.

    Raises:
        PreflightError: One is a link that leads out of the folder.
    """
    files = companions(source, own)
    refuse(check_sources(source, files))
    placed = []
    for file in files:
        place = target / file.relative_to(source)
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
        placed.append(place)
    return placed


def stage_texts(texts: dict[str, bytes], corpus: str, target: Path) -> list[Path]:
    """Write the licence texts of a corpus under ``LICENSES``; return their places."""
    placed = []
    for name, content in texts.items():
        place = target / _FOLDER / f"{corpus}-{name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        placed.append(place)
    return placed


def visible_files(root: Path) -> list[Path]:
    """Return the files of a folder; hidden ones, as ``._name`` of macOS, apart."""
    return sorted(
        file
        for file in root.rglob("*")
        if file.is_file() and not any(part[0] == "." for part in file.relative_to(root).parts)
    )


def left_out(path: Path, taken: Iterable[Path], ours: Iterable[str] = ()) -> list[str]:
    """Return a warning about the files of a folder that stay behind, if there are any.

    Args:
        path: The folder that is published.
        taken: What is taken of it, beside the documents that travel along.
        ours: Folders in it, and files by pattern, that this package or ``Trainer`` wrote.
    """
    known = {*taken, *companions(path)}
    patterns = [*ours, *_RECORDS]
    left = []
    for file in visible_files(path):
        name = file.relative_to(path)
        named = any(fnmatch(part, p) for part in (name.parts[0], name.name) for p in patterns)
        if file not in known and not named:
            left.append(name.as_posix())
    if not left:
        return []
    more = f" and {len(left) - 5:,} more" if len(left) > 5 else ""
    return [f"Left out, it has no place in what is published: {', '.join(left[:5])}{more}"]


def licence_text_warnings(licenses: Iterable[str | None], placed: Iterable[Path]) -> list[str]:
    """Say which licence asks for a text that does not travel along."""
    asked = sorted({name for name in licenses if name and name.split("-")[0] in COPYLEFT})
    texts = " ".join(
        path.read_text(encoding="utf-8", errors="replace")[:4000].lower() for path in placed
    )
    words = {
        "gpl": "general public",
        "lgpl": "lesser general",
        "agpl": "affero",
        "gfdl": "free doc",
    }
    return [
        f"{name} asks that its text travels with every copy: put it beside the data as LICENSE, or "
        f"as {_FOLDER}/{name}.txt"
        for name in asked
        if words[name.split("-")[0]] not in texts
    ]
