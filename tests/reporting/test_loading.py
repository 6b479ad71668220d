"""A command that is still importing its libraries says so, once; one that is not says nothing."""

import subprocess
import sys
from pathlib import Path

COMMAND = """
import logging, sys, time
sys.path.insert(0, {folder!r})
logging.basicConfig(level=logging.INFO, format="%(message)s")
from doctobert_hf.reporting import loading
loading.HEAVY = {{"slow_library": "Slow Library"}}
with loading.told_of_loading(after=0.0):
    import slow_library
print("imported", loading.being_imported())
"""
# The import ends when it was told of, or after ten seconds where it never is.
SLOW = """
import logging, time
seen = []
class Seen(logging.Handler):
    def emit(self, record):
        seen.append(record)
logging.getLogger().addHandler(Seen())
end = time.monotonic() + {seconds}
while not seen and time.monotonic() < end:
    time.sleep(0.05)
"""


def run(tmp_path: Path, seconds: float, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    (tmp_path / "slow_library.py").write_text(SLOW.format(seconds=seconds), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", COMMAND.format(folder=str(tmp_path))],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "0", **environment},
    )


def test_a_slow_import_is_told_of_once(tmp_path: Path) -> None:
    done = run(tmp_path, 10)
    assert done.stderr.splitlines() == ["loading Slow Library ..."], done.stderr
    assert done.stdout == "imported None\n"


def test_progress_that_is_turned_off_says_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, 1, HF_HUB_DISABLE_PROGRESS_BARS="1")
    assert done.stderr == "" and done.stdout == "imported None\n"
