"""The check before a byte leaves: secrets, paths of this machine, pickles, links, card, name."""

from __future__ import annotations

import codecs
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.stage import packed
from doctobert_hf.hub.stage.paths import BUCKETS, PATHS
from doctobert_hf.hub.stage.secrets import Secret, find_secrets

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
POINTER = b"version https://git-lfs.github.com/spec/"
TEXTS = (
    *(".md", ".json", ".jsonl", ".yaml", ".yml", ".txt", ".toml", ".cfg", ".ini", ".py", ".csv"),
    *(".cff", ".bib", ".rst", ".svg", ""),
)
_SEARCHED = (*PICKLES, ".npz")
"""Archives of numbers, told of by themselves."""
_READ_BY_PEOPLE = (".md", ".rst", ".bib", ".cff", ".svg", "")
"""Here an address of a bucket may be a public one's."""


@dataclass(frozen=True)
class Finding:
    """Something that must not be published.

    Attributes:
        file: Where, relative to the folder; empty for the repository's name.
        what: What was found. A secret itself is never quoted.
        mend: What to do about it.
        fingerprint: Of what looks like a secret: by it, it may be allowed.
    """

    file: str
    what: str
    mend: str
    fingerprint: str | None = None

    def __str__(self) -> str:
        allow = f", or --allow {self.fingerprint} if it is none" if self.fingerprint else ""
        return f"{self.file or 'name'}: {self.what}. {self.mend}{allow}."


SHOWN = 5
"""Findings that an error names; a command prints all of them before it."""


class PreflightError(DataError):
    """Raised when something must not be published; nothing has been sent.

    Attributes:
        findings: All that was found.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        files = ", ".join(dict.fromkeys(finding.file or "name" for finding in findings))
        super().__init__(
            f"{len(findings)} finding(s) before publishing, in {files}: "
            + " ".join(str(finding) for finding in findings[:SHOWN])
            + (f" And {len(findings) - SHOWN} more." if len(findings) > SHOWN else ""),
            fix="Nothing was sent",
        )

    def __reduce__(self) -> tuple:
        return type(self), (self.findings,)


def check_folder(
    folder: Path,
    repo_type: str,
    allowed: Iterable[str] = (),
    tokens: Iterable[str] = (),
    elsewhere: Iterable[str] = (),
) -> list[Finding]:
    """Check everything in a folder that is to be published as it is.

    Args:
        folder: What would be uploaded.
        repo_type: ``model`` or ``dataset``.
        allowed: Files that may be pickles: optimizer states that were asked for.
        tokens: Tokens in use, sought as they are.
        elsewhere: Configurations whose files are on the Hub already, from another push.

    Returns:
        All findings; empty if it may go.
    """
    found = []
    allowed = set(allowed)
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink():
            found.append(Finding(name, "a link", "Publish the file itself"))
        elif file.is_file():
            if name not in allowed and is_pickle(file):
                found.append(
                    Finding(name, "a pickle, which runs code when it is loaded", "Use safetensors")
                )
            if is_pointer(file):
                found.append(Finding(name, "a pointer of Git LFS, not the file", "git lfs pull"))
            found += _contents(file, name, tokens)
    found += list(_card(folder, repo_type, set(elsewhere)))
    return found


def check_sources(root: Path, files: Iterable[Path]) -> list[Finding]:
    """Check that files to be taken lie in ``root`` itself, not behind a link that leads out."""
    home = root.resolve()
    return [
        Finding(file.name, f"a link that leads out of '{root.name}'", "Copy the file itself there")
        for file in files
        if not file.resolve().is_relative_to(home)
    ]


def check_name(repo_id: str) -> list[Finding]:
    """Check a repository's name by the Hub's rules."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    mend = "Use OWNER/NAME of letters, digits, '-', '_' and '.', at most 96 characters"
    if repo_id.count("/") != 1:
        return [Finding("", f"'{repo_id}' has no owner", mend)]
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        return [Finding("", f"the Hub refuses '{repo_id}'", mend)]
    if not repo_id.isascii() or repo_id.endswith(".ipynb") or re.search(r"[-.](?:/|$)", repo_id):
        return [Finding("", f"the Hub refuses '{repo_id}'", mend)]
    return []


def refuse(findings: list[Finding], allow: Iterable[str] = ()) -> list[Finding]:
    """Raise a :class:`PreflightError` if anything was found that is not allowed.

    Args:
        findings: All that was found.
        allow: Fingerprints of what looks like a secret and is none.

    Returns:
        What was allowed.
    """
    known = set(allow)
    left = [finding for finding in findings if finding.fingerprint not in known]
    if left:
        raise PreflightError(left)
    return findings


def is_pickle(file: Path) -> bool:
    """Tell a pickle by its name or its first bytes, torch's and NumPy's files too."""
    if file.suffix in PICKLES:
        return True
    with file.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
            return True
        if head == b"\x93NUM":
            return _holds_objects(stream)
    if head == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
                if any(name.endswith(".pkl") for name in names):
                    return True
                for name in (name for name in names if name.endswith(".npy")):
                    with archive.open(name) as member:
                        if _holds_objects(member):
                            return True
        except zipfile.BadZipFile:
            return False
    return False


def _holds_objects(stream: IO[bytes]) -> bool:
    """Return whether an array of NumPy holds Python objects: only those are pickled."""
    import numpy as np

    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else None
        dtype = (read or np.lib.format.read_array_header_2_0)(stream)[2]
    except ValueError:  # what NumPy itself does not read, or only when told to trust it
        return True
    return dtype.hasobject


def is_pointer(file: Path) -> bool:
    """Return whether a file is what Git leaves where LFS did not fetch the content."""
    with file.open("rb") as stream:
        return stream.read(len(POINTER)) == POINTER


def _contents(file: Path, name: str, tokens: Iterable[str]) -> Iterator[Finding]:
    seen: dict[str, Finding] = {}
    try:
        for content in chain(_readable(file), _unpacked(file)):
            for secret in find_secrets(content, tokens):
                seen.setdefault(secret.fingerprint, secret_finding(name, secret))
    except packed.PackedError as error:
        yield Finding(
            name,
            f"is packed and cannot be searched for secrets ({error})",
            "Publish it unpacked, or leave it out",
        )
    yield from seen.values()
    path = _path_in(file, file.parents[name.count("/")])
    if path:
        what = f"names a path of this machine, '{path}'"
        yield Finding(name, what, "Use a name or a Hub id there")


def _path_in(file: Path, root: Path) -> str | None:
    """Return a path of a machine that a text, or the header of weights, names."""
    if file.suffix == ".safetensors":
        text = next(_readable(file)).decode("utf-8", "replace")
    elif file.suffix in TEXTS and file.name not in ("tokenizer.json", "vocab.json"):
        text = file.read_text(encoding="utf-8", errors="replace")
    else:
        return None
    found = [match[0] for match in PATHS.finditer(text)]
    if file.suffix not in _READ_BY_PEOPLE:
        found += [match[0] for match in BUCKETS.finditer(text)]
    # "/data/train.parquet" in a card may be the dataset's own, seen from its root.
    found = [path for path in found if not _is_inside(root, path)]
    return next(iter(found), None) or next((p for p in _own_paths() if p in text), None)


def _is_inside(root: Path, path: str) -> bool:
    inside = path.strip("/").rstrip(".")
    return path.startswith("/") and bool(inside) and (root / inside).exists()


def secret_finding(name: str, secret: Secret, where: str = "") -> Finding:
    """Return what is told of something that looks like a secret."""
    shown = f", '{secret.masked}'" if secret.masked else ""
    in_use = secret.kind == "the token in use"
    mend = "Remove it, and revoke it if it was ever shared"
    fingerprint = None if in_use else secret.fingerprint or None
    return Finding(name, f"holds {secret.kind}{shown}{where}", mend, fingerprint)


def _own_paths() -> list[str]:
    return [str(path) for path in {Path.home(), Path.cwd()} if len(path.parts) > 2]


def _readable(file: Path) -> Iterator[bytes]:
    """The parts of a file that can hold words; Parquet is scanned while it is written."""
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        yield repr(pq.read_schema(file).metadata).encode()
        return
    with file.open("rb") as stream:
        if file.suffix == ".safetensors":  # the rest is numbers
            size = int.from_bytes(stream.read(8), "little")  # of a damaged file, anything
            yield stream.read(min(size, file.stat().st_size))
            return
        if stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):  # as Windows writes
            yield file.read_text(encoding="utf-16", errors="replace").encode()
        stream.seek(0)
        overlap = b""
        while block := stream.read(1 << 22):
            yield overlap + block
            overlap = block[-512:]


def _unpacked(file: Path) -> Iterator[bytes]:
    """What is packed in a file, and text of an older code page as UTF-8."""
    if file.suffix in (".parquet", ".safetensors"):
        return
    with file.open("rb") as stream:
        head = stream.read(64)
        if file.suffix not in _SEARCHED and packed.is_packed(head):
            yield from packed.unpacked(head + stream.read())
        elif file.suffix in TEXTS and file.stat().st_size < packed.MOST:
            content = head + stream.read()
            try:
                content.decode("utf-8")
            except UnicodeDecodeError:
                yield content.decode("cp1252", "replace").encode()


def _card(folder: Path, repo_type: str, elsewhere: set[str]) -> Iterator[Finding]:
    from doctobert_hf.hub.cards.metadata import metadata_errors
    from doctobert_hf.hub.cards.render import front_matter

    card = folder / "README.md"
    if not card.is_file():
        yield Finding("README.md", "no card", "Render one: doctobert-hf hub card PATH")
        return
    try:
        front = front_matter(card.read_text(encoding="utf-8"))
    except DataError as error:
        yield Finding("README.md", error.got, error.expected)
        return
    for what, mend in metadata_errors(front, repo_type):
        yield Finding("README.md", what, mend.rstrip("."))
    for config in front.get("configs") or []:
        if isinstance(config, dict) and config.get("config_name") in elsewhere:
            continue
        for item in config.get("data_files", []) if isinstance(config, dict) else []:
            pattern = item.get("path") if isinstance(item, dict) else item
            if isinstance(pattern, str) and not any(folder.glob(pattern)):
                yield Finding("README.md", f"'{pattern}' matches no file", "Render the card again")


def tokens_in_use(token: str | None = None) -> list[str]:
    """The tokens a push could leak: the given one and the one that is logged in."""
    from huggingface_hub import get_token

    return [value for value in {token, get_token(), os.environ.get("HF_TOKEN")} if value]


def redact(text: str, tokens: Iterable[str]) -> str:
    """Replace tokens in a text, and whatever looks like one of the Hub."""
    for token in tokens:
        text = text.replace(token, "<token>")
    return re.sub(r"hf_[A-Za-z0-9]{20,}", "<token>", text)


def check_folder_exists(path: Path) -> None:
    """Raise if there is nothing to publish."""
    if not path.exists():
        raise UsageError(f"'{path}' does not exist", "a folder or a file to publish")
