"""Requests as files of OpenAI's batch format, for a provider that answers within a day for less.

A start writes what it would ask to ``FOLDER/requests-N.jsonl`` and ends; the provider's output is
put into the same folder as ``answers*.jsonl``, and the same command goes on: the plans' answers
make the rewrites' requests, and those the result. ``vllm run-batch`` reads and writes the same
files. Requests are known by the hash of what is asked, so that nothing is asked for twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.pipeline.inference.types import InferenceError

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.rephrase.endpoint import PASSING, Endpoint
from doctobert_hf.runs.lock import LOCK, RunLock, owner_of

if TYPE_CHECKING:
    from datatrove.pipeline.inference.run_inference import InferenceConfig

    from doctobert_hf.finemed.config import RephraseConfig

logger = logging.getLogger(__name__)
MOST_LINES = 50_000
"""Requests of a file: OpenAI's limit."""
MOST_BYTES = 190_000_000
_WAITING = "no answer: not in the batch's answers yet"
_PENDING = "pending"


class BatchFiles(Endpoint):
    """Answers from files; what they do not have is written down to be asked.

    Args:
        config: datatrove's settings.
        rank: Part.
        settings: The stage's settings; ``batch`` is the folder.
    """

    def __init__(self, config: InferenceConfig, rank: int, settings: RephraseConfig) -> None:
        super().__init__(config, rank, settings)
        assert settings.batch is not None
        self.folder, self.part = Path(settings.batch), rank
        self._answers: dict[str, tuple[int, bytes]] = {}

    async def start_server(self) -> None:
        """Read the answers; nothing is started."""
        self._answers = read_answers(self.folder)
        pending = self.folder / _PENDING / f"{self.part:05d}.jsonl"
        pending.parent.mkdir(parents=True, exist_ok=True)
        if pending.exists():  # a kill may have torn the last line
            whole = pending.read_bytes()
            pending.write_bytes(whole[: whole.rfind(b"\n") + 1])

    async def _post(self, payload: dict[str, Any]) -> tuple[int, bytes, float | None]:
        """Look the answer up; without one, write the request down."""
        line = request_line(payload)
        found = self._answers.get(line["custom_id"])
        if found is not None:
            return *found, None
        place = self.folder / _PENDING / f"{self.part:05d}.jsonl"
        with place.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        raise InferenceError(None, _WAITING)


def lock_folder(folder: Path) -> RunLock:
    """Take a batch folder for this process: two runs would number and count each other's requests.

    Raises:
        UsageError: Another run asks through the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = RunLock(folder / LOCK, f"The batch folder '{folder}'")
    try:
        lock.acquire()
    except UsageError as error:
        raise UsageError(
            f"{lock.what} is in use by {owner_of(lock.path) or 'another process'}",
            "one run at a time in a batch folder",
            "Wait until it has ended, or choose another --batch; if it or its machine is gone, "
            f"delete '{lock.path}'",
        ) from error
    return lock


def request_line(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a request as a line of the batch format.

    Example:
        >>> line = request_line({"model": "m", "messages": []})
        >>> line["method"], line["url"], len(line["custom_id"])
        ('POST', '/v1/chat/completions', 32)
    """
    asked = json.dumps(payload, sort_keys=True, ensure_ascii=False)
    return {
        "custom_id": hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()[:32],
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": payload,
    }


def read_answers(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Read a provider's output: status and body by request; what failed in passing is no answer.

    Of several answers one with status 200 counts, else the last.

    Raises:
        DataError: A line that is no answer; says where.
    """
    found: dict[str, tuple[int, bytes]] = {}
    for name, status, body in _given(folder):
        if status in PASSING or status >= 500:
            continue
        if found.get(name, (0, b""))[0] != 200:
            found[name] = (status, body)
    return found


def _given(folder: Path) -> Iterator[tuple[str, int, bytes]]:
    """Yield every answer that lies in the folder; an expired request has status 500."""
    for path in sorted(folder.glob("answers*.jsonl")):
        for line, where in _lines(path):
            try:
                answer = json.loads(line)
                response = answer.get("response") or {}
                body = response.get("body") or answer.get("error") or {}
                status = int(response.get("status_code") or 500)
                yield str(answer["custom_id"]), status, json.dumps(body).encode()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"{where} is no answer of a batch ({error})",
                    '{"custom_id", "response": {"status_code", "body"}}',
                    "Fetch the provider's output file again",
                ) from error


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield line, f"'{path}', line {number}"
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is not UTF-8 ({error})", "UTF-8") from error


def collect(folder: Path, again: bool = False) -> tuple[int, int, list[Path]]:
    """Gather what the parts wrote down into files to send.

    Args:
        folder: The batch's folder.
        again: Ask once more for what was asked for and has no answer.

    Returns:
        How many requests are new, how many were asked for before and have no answer yet, and the
        new files.
    """
    answered = set(read_answers(folder))
    # As often as a request failed in passing it may be asked once more.
    open_ones: Counter[str] = Counter(
        json.loads(line)["custom_id"]
        for path in folder.glob("requests-*.jsonl")
        for line, _ in _lines(path)
    )
    open_ones.subtract(name for name, _, _ in _given(folder))
    wanted: dict[str, str] = {}
    for path in sorted((folder / _PENDING).glob("*.jsonl")):
        for line, _ in _lines(path):
            identity = json.loads(line)["custom_id"]
            if identity not in answered:
                wanted.setdefault(identity, line)
    new = {name: line for name, line in wanted.items() if again or open_ones[name] <= 0}
    files = _written(folder, list(new.values()), _next_number(folder))
    for path in (folder / _PENDING).glob("*.jsonl"):
        path.unlink()
    return len(new), len(wanted) - len(new), files


def _next_number(folder: Path) -> int:
    numbers = [path.stem.split("-")[1] for path in folder.glob("requests-*.jsonl")]
    return 1 + max((int(number) for number in numbers if number.isdigit()), default=0)


def _written(folder: Path, lines: list[str], number: int) -> list[Path]:
    files: list[Path] = []
    while lines:
        size = count = 0
        while count < min(len(lines), MOST_LINES) and (not count or size < MOST_BYTES):
            size += len(lines[count].encode())
            count += 1
        path = folder / f"requests-{number + len(files)}.jsonl"
        temporary = path.with_suffix(".tmp")
        temporary.write_text("".join(lines[:count]), encoding="utf-8")
        temporary.replace(path)
        files.append(path)
        lines = lines[count:]
    return files


def tell(folder: Path, found: tuple[int, int, list[Path]]) -> None:
    """Say what is to be sent, or waited for."""
    new, waiting, files = found
    names = ", ".join(path.name for path in files)
    if new:
        logger.warning("%s requests are in '%s': %s", f"{new:,}", folder, names)
    if waiting:
        logger.warning("%s requests asked for before have no answer yet", f"{waiting:,}")
    logger.warning(
        "Have them answered, put the output there as answers-N.jsonl, and run the same command"
    )
