"""Licence texts that came with a corpus: they travel with what is made of it."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from doctobert_hf.drbenchmark.source.folder import RawFolder
from doctobert_hf.drbenchmark.source.store import Directory

_LEGAL = re.compile(r"(?:licen[cs]e|copying|notice)(?:[-_.][\w.+-]{1,40})?", re.IGNORECASE)
_TEXTS = ("", ".txt", ".md", ".rst")
_ABOVE = 3
"""Folders above that of the files: an archive's licence lies at its top."""


def licence_texts(folder: RawFolder) -> dict[str, bytes]:
    """Return the licence texts beside a corpus's files, or in the nearest folder above them.

    Args:
        folder: The corpus. Of a plain folder only its own are taken: what lies above it is not
            the corpus's.

    Returns:
        Content by the name of the file.
    """
    root = folder.root.strip("/")
    for _ in range(_ABOVE + 1):
        prefix = f"{root}/" if root else ""
        found = {
            name: folder.store.read(f"{prefix}{name}")
            for name in folder.store.matching(prefix, "*")
            if _is_legal(name) and not _is_link(folder, name)
        }
        if found or not root or isinstance(folder.store, Directory):
            return found
        root = posixpath.dirname(root)
    return {}


def _is_legal(name: str) -> bool:
    return bool(_LEGAL.fullmatch(name)) and Path(name).suffix.lower() in (
        *_TEXTS,
        *(f".{digit}" for digit in range(10)),
    )


def _is_link(folder: RawFolder, name: str) -> bool:
    """Return whether a file is a link: what it leads to may be no part of the corpus."""
    return isinstance(folder.store, Directory) and (folder.store.path / name).is_symlink()
