"""Asking again for documents whose requests failed in passing: an outage costs no document.

Answers of the first pass are in ``answers``, those of later passes in ``answers/again1`` and so on;
of a document the last counts.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import Document

from doctobert_hf.finemed.reading import PartsReader, rows_of
from doctobert_hf.finemed.rephrase.rollout import KEY, REQUEST, TOKENS

if TYPE_CHECKING:
    from doctobert_hf.finemed.stage import Stage

PASS = "again"
_EVERY = "every"
_PASSING = re.compile(r"request: (no answer|not of the protocol|status (408|425|429|5\d\d)\b)")


def failed_in_passing(answer: dict[str, Any], every: bool = False) -> bool:
    """Return whether a document's request failed for a reason that may pass.

    Args:
        answer: What was kept of it.
        every: Count every request that failed.

    Example:
        >>> failed_in_passing({"failed": "request: status 503: busy"})
        True
        >>> failed_in_passing({"failed": "request: status 400: too long"})
        False
    """
    reason = str(answer.get("failed") or "")
    return reason.startswith(REQUEST) if every else _PASSING.match(reason) is not None


def passes(answers: Path) -> list[Path]:
    """Return the folders of later passes, in order."""
    found = [p for p in answers.glob(f"{PASS}*") if p.name.removeprefix(PASS).isdigit()]
    return sorted(found, key=lambda p: int(p.name.removeprefix(PASS)))


def begin_pass(answers: Path, number: int, every: bool) -> Path:
    """Open the folder of a pass, which remembers what it asks for: a later start goes on with it.

    Args:
        answers: Folder of the answers.
        number: Of the pass, from 1.
        every: Whether it asks for all whose request failed, not those alone that failed in passing.
    """
    folder = answers / f"{PASS}{number}"
    folder.mkdir(exist_ok=True)
    if every:
        (folder / _EVERY).touch()
        stop_marker(answers).unlink(missing_ok=True)
    return folder


def asks_for_every(folder: Path) -> bool:
    """Return whether a pass asks for all whose request failed."""
    return (folder / _EVERY).exists()


def stop_marker(answers: Path) -> Path:
    """File that says that a run ended because of its server: what it refused is asked again."""
    return answers / "stopped"


class AnswersReader(PartsReader):
    """Reads the answers in the order of the chunks; requests end in any order.

    Args:
        answers: Folder of the answers.
        add_tokens: Add up the tokens of all passes; of a batch each pass reads the same answers.

    Attributes:
        untold: Answers read so far that do not say what they used: an older version kept them.
    """

    name = "FineMed answers"
    before: str | None = None

    def __init__(self, answers: str, add_tokens: bool = True) -> None:
        super().__init__(answers)
        self.add_tokens = add_tokens
        self.untold = 0

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield this part's answers, each file of 500 sorted by chunk."""
        later = self._later(rank)
        for file in self.parts(f"{rank:05d}_*.jsonl"):
            found = rows_of(file, self.source, self.text_key)
            rows = [row for _, row in found if isinstance(row, dict)]
            for row in sorted(rows, key=lambda row: row["metadata"]["place"]):
                asked = [row, *later.get(row["id"], ())]
                metadata = asked[-1]["metadata"]
                counted = asked if self.add_tokens else asked[-1:]
                self.untold += sum("tokens" not in one["metadata"][KEY][0] for one in counted)
                if self.add_tokens:
                    told = [one["metadata"][KEY][0].get("tokens", {}) for one in asked]
                    used = {name: sum(one.get(name, 0) for one in told) for name in TOKENS}
                    metadata[KEY][0]["tokens"] = used
                yield Document(text=asked[-1]["text"], id=row["id"], metadata=metadata)

    def _later(self, rank: int) -> dict[str, list[dict[str, Any]]]:
        """What later passes of this part were answered; as many rows as had failed."""
        found: dict[str, list[dict[str, Any]]] = {}
        for folder in passes(Path(self.source)):
            if folder.name == self.before:
                break
            for path in sorted(folder.glob(f"{rank:05d}_*.jsonl")):
                with path.open(encoding="utf-8") as lines:
                    for row in (json.loads(line) for line in lines if line.strip()):
                        found.setdefault(row["id"], []).append(row)
        return found


class FailedReader(AnswersReader):
    """Reads the documents whose requests failed, to ask for them again.

    Args:
        answers: Folder of the answers.
        every: All whose request failed, not those alone that failed in passing.
        before: The pass that asks for them: its own answers and later ones do not count.
    """

    name = "FineMed failed requests"

    def __init__(self, answers: str, every: bool = False, before: str | None = None) -> None:
        super().__init__(answers)
        self.every, self.before = every, before

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield them without their answers."""
        for document in super().run(data, rank, world_size):
            answer = document.metadata.pop(KEY)[0]
            if failed_in_passing(answer, self.every):
                yield document


def any_failed(answers: Path, tasks: int, every: bool = False) -> bool:
    """Return whether a document is left whose request failed."""
    reader = FailedReader(str(answers), every)
    return any(True for rank in range(tasks) for _ in reader.run(None, rank, tasks))


def count_failed(answers: Path, tasks: int) -> tuple[int, int, str]:
    """Count documents.

    Returns:
        How many there are, of how many the request failed, and the reason of most of those.
    """
    asked, reasons = 0, Counter[str]()
    reader = AnswersReader(str(answers))
    for rank in range(tasks):
        for document in reader.run(None, rank, tasks):
            asked += 1
            reason = str(document.metadata[KEY][0].get("failed") or "")
            reasons.update([reason.removeprefix(REQUEST)] if reason.startswith(REQUEST) else [])
    most = reasons.most_common(1)
    return asked, reasons.total(), most[0][0] if most else ""


def count_untold(answers: Path, tasks: int, add_tokens: bool) -> int:
    """Return how many answers do not say what tokens they used: an older version kept them."""
    reader = AnswersReader(str(answers), add_tokens)
    for rank in range(tasks):
        for _ in reader.run(None, rank, tasks):
            pass
    return reader.untold


def reopen(stage: Stage) -> None:
    """Take back what came after the answers of a finished stage, so that it is made again."""
    (stage.folder / "manifest.json").unlink(missing_ok=True)
    shutil.rmtree(stage.folder / "data", ignore_errors=True)
    shutil.rmtree(stage.folder / "logs" / "gates", ignore_errors=True)
    for path in (stage.folder / "excluded").glob("gates-*.jsonl"):
        path.unlink()
