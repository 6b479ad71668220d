"""``run.json``: what a run folder is, what it was made from and which files in it are its own."""

from __future__ import annotations

import dataclasses
import datetime
import errno
import hashlib
import json
import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from doctobert_hf.errors import DataError
from doctobert_hf.files import write_json_atomic

logger = logging.getLogger(__name__)
RECORD = "run.json"
SCHEMA_VERSION = 1
IN_RESULTS = ("quickstart",)
"""Kinds of runs whose record alone says what they measured."""


@dataclass
class RunRecord:
    """A run's record.

    Attributes:
        kind: The command that made the folder: ``pretrain``, ``tokenizer``, ``benchmark-report``.
        settings: What decides the result, as JSON; paths are absolute.
        inputs: What it reads: ``path``, and ``bytes`` and ``sha256`` of a file that is small
            enough to hash at once.
        outputs: What it wrote, by path in the folder: ``bytes`` and ``sha256`` of a file, nothing
            of a folder whose files come and go.
        environment: Versions and hardware.
        status: ``running``, ``finished`` or ``stopped``.
        results: What it measured and what its parts are, in the words that cards and reports read:
            ``corpus``, ``tokenizer``, ``chunks``, ``phases``, ``held_out``, ``benchmark``. For runs
            of several stages, whose folder says it nowhere else; None: nothing was said.
        killed: How many sessions ended without a word (a kill, a power cut): what they took is
            measured nowhere.
        started: When the folder was made, UTC, ISO 8601.
        pending: Outputs that are being put in their place; empty unless a run was killed then.
        schema_version: Of this file.

    Example:
        >>> new_record("example", {"seed": 1}, []).status
        'running'
    """

    kind: str
    settings: dict[str, Any]
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] | None = None
    status: str = "running"
    started: str = ""
    killed: int = 0
    pending: dict[str, dict[str, Any]] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def write(self, path: Path) -> None:
        """Write the record atomically."""
        content = asdict(self)
        write_json_atomic(path, {"schema_version": content.pop("schema_version"), **content})


def new_record(kind: str, settings: dict[str, Any], inputs: Iterable[Any] = ()) -> RunRecord:
    """Make the record of a run that begins now."""
    from doctobert_hf.environment import environment_report

    return RunRecord(
        kind=kind,
        settings=settings,
        inputs=[describe_input(path) for path in inputs],
        environment=environment_report(with_torch="torch" in sys.modules),
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def read_record(folder: str | Path, name: str = RECORD) -> RunRecord | None:
    """Read the record of a folder; None where there is none.

    Raises:
        DataError: It is damaged, or of a newer version of this package.

    Example:
        >>> read_record("no-run-here") is None
        True
    """
    path = Path(folder) / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            raise  # of the folder, not of a record in it
        raise DataError(f"The record '{path}' cannot be read ({error})", "JSON") from error
    if not isinstance(content, dict) or not isinstance(content.get("kind"), str):
        return None  # somebody else's run.json: the folder is not ours
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"The record '{path}' has schema_version {version!r}",
            f"schema_version {SCHEMA_VERSION}",
            "Use the version of doctobert-hf that wrote it",
        )
    known = {item.name for item in dataclasses.fields(RunRecord)}
    try:
        record = RunRecord(**{key: value for key, value in content.items() if key in known})
        _check_record(record)
        record.settings = _today(record.settings)
    except (TypeError, ValueError) as error:
        raise DataError(f"The record '{path}' is damaged ({error})") from error
    return record


_FORMERLY = {"hand_over": "init_mode"}
"""Settings that had another name: a run begun then is gone on with."""


def _today(settings: dict[str, Any]) -> dict[str, Any]:
    """Return recorded settings under the names of today, those inside settings too."""
    return {
        _FORMERLY.get(key, key): _today(value) if isinstance(value, dict) else value
        for key, value in settings.items()
    }


def weights_of(folder: str | Path) -> str | None:
    """Hash the weights of a model's folder; None where it has none in safetensors.

    Those in the folders that ``modules.json`` of Sentence Transformers names are weights too.
    """
    return _fingerprint_of([*_own_weights(folder), *_weights_of_modules(Path(folder))])


def has_weights(folder: str | Path, known: str) -> bool:
    """Return whether a model's weights are those of a recorded hash.

    Records of earlier versions left out what lies in the folders of modules.
    """
    return known == weights_of(folder) or known == _fingerprint_of(_own_weights(folder))


def _fingerprint_of(files: list[Path]) -> str | None:
    if not files:
        return None
    return hashlib.sha256("\n".join(sha256(file) for file in files).encode()).hexdigest()


def _own_weights(folder: str | Path) -> list[Path]:
    return sorted(Path(folder).glob("*.safetensors"))


def _weights_of_modules(folder: Path) -> list[Path]:
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        names = [str(module["path"]) for module in modules if module.get("path")]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []  # no such model, or one that its own library will refuse
    inside = [n for n in names if not {"..", "/"} & {*PurePosixPath(n).parts}]
    return [file for name in inside for file in sorted((folder / name).rglob("*.safetensors"))]


def vocabulary_of(folder: str | Path) -> str | None:
    """Hash what gives texts their ids in a tokenizer's folder; None without ``tokenizer.json``.

    Truncation and padding are left out: they are the state of the last call.
    """
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    rules = {k: v for k, v in content.items() if k not in ("truncation", "padding")}
    text = json.dumps(rules, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_record(record: RunRecord) -> None:
    """Refuse a record that was edited by hand into something else, or leads out of its folder."""
    if not isinstance(record.settings, dict):
        raise TypeError("settings is no mapping")
    if record.results is not None and not isinstance(record.results, dict):
        raise TypeError("results is no mapping")
    if not isinstance(record.inputs, list) or not all(isinstance(i, dict) for i in record.inputs):
        raise TypeError("inputs is no list of mappings")
    for files in (record.outputs, record.pending):
        if not isinstance(files, dict):
            raise TypeError("outputs is no mapping")
        for name, known in files.items():
            parts = PurePosixPath(name).parts
            if not parts or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
                raise ValueError(f"the output '{name}' leads out of the folder")
            if not isinstance(known, dict) or ("sha256" in known) != ("bytes" in known):
                raise TypeError(f"outputs['{name}'] is {known!r:.60}")


def is_stale(folder: str | Path, **settings: Any) -> bool:
    """Return whether a folder holds a run that was made with other values of these settings.

    Example:
        >>> is_stale("no-run-here", seed=2)
        False
    """
    record = read_record(folder)
    return record is not None and any(record.settings.get(k) != v for k, v in settings.items())


def tell_of_replacement(folder: str | Path, fingerprint: str | None) -> None:
    """Warn where files are written anew from texts that can be read only once.

    Whether they are the texts of before cannot be known then.
    """
    record = read_record(folder)
    if record is not None and record.outputs and fingerprint is None:
        logger.warning("'%s' is written anew; its texts cannot be compared with before", folder)


def settings_of(config: Any, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """Return a dataclass's values as JSON, with paths made absolute.

    A run may be gone on with from another working directory; a string is a path where its field
    says so (``metadata={"path": True}``) and a file or folder of that name exists.

    Args:
        config: A configuration.
        leave_out: Fields that are not recorded, such as ``output``.

    Example:
        >>> from doctobert_hf.tokenization import TokenizerConfig
        >>> settings_of(TokenizerConfig(), leave_out=["num_threads"])["vocab_size"]
        32768
    """
    skipped = set(leave_out)
    return {
        item.name: _plain(getattr(config, item.name), bool(item.metadata.get("path")))
        for item in dataclasses.fields(config)
        if item.name not in skipped
    }


def _plain(value: Any, may_be_path: bool) -> Any:
    if isinstance(value, Path):
        return str(value.expanduser().resolve())
    if isinstance(value, str) and may_be_path and value and Path(value).exists():
        return str(Path(value).resolve())
    if isinstance(value, (list, tuple)):
        return [_plain(item, may_be_path) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, may_be_path) for key, item in value.items()}
    return value


HASHED = 256 * 2**20
"""Bytes; larger inputs are known by size and time of change."""


def describe_input(path: Any) -> dict[str, Any]:
    """Return what tells whether an input is as it was.

    ``path``; of a file ``bytes`` and ``sha256``; of a folder ``files``, ``bytes`` and one hash. Of
    large ones the hash is of sizes and times instead of the content.
    """
    place = Path(str(path))
    if place.is_file():
        size = place.stat().st_size
        found: dict[str, Any] = {"path": str(place.resolve()), "bytes": size}
        if size <= HASHED:
            return found | {"sha256": sha256(place)}
        return found | {"changed": place.stat().st_mtime_ns}
    if place.is_dir():
        files = (p for p in place.rglob("*") if p.is_file())
        return {"path": str(place.resolve()), **describe_files(files, place)}
    return {"path": str(path)}


def describe_files(files: Iterable[Path], folder: Path) -> dict[str, Any]:
    """Return ``files``, ``bytes`` and one hash of some files of a folder, by name.

    Of large ones the hash is of sizes and times instead of the content.
    """
    paths = sorted(files)
    total = sum(path.stat().st_size for path in paths)
    digest = hashlib.sha256()
    for file in paths:
        status = file.stat()
        state = sha256(file) if total <= HASHED else f"{status.st_size}-{status.st_mtime_ns}"
        digest.update(f"{file.relative_to(folder).as_posix()}\0{state}\n".encode())
    return {"files": len(paths), "bytes": total, "sha256": digest.hexdigest()}


def describe_output(path: Path) -> dict[str, Any]:
    """Return ``bytes`` and ``sha256`` of a file that was written."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
