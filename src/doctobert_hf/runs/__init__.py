"""Run folders: who may write where, what stands there, and how a run is gone on with.

One rule for every command: nothing is replaced or deleted that this package did not write, and what
it wrote is known by a record, ``run.json``. A folder is locked while a command works in it.

    >>> import tempfile
    >>> from doctobert_hf.runs import open_run, read_record
    >>> folder = tempfile.mkdtemp() + "/report"
    >>> with open_run(folder, "example", {"size": 1}) as run, run.staged() as scratch:
    ...     _ = (scratch / "table.csv").write_text("a,b")
    >>> read_record(folder).outputs.keys()
    dict_keys(['table.csv'])
"""

from doctobert_hf.runs.check import finished_run
from doctobert_hf.runs.commands import command_line
from doctobert_hf.runs.folder import RunFolder, check_apart, open_run, staged_run
from doctobert_hf.runs.publish import check_free, remove_run, write_output
from doctobert_hf.runs.record import RECORD, RunRecord, is_stale, read_record, settings_of

__all__ = [
    "RECORD",
    "RunFolder",
    "RunRecord",
    "check_apart",
    "check_free",
    "command_line",
    "finished_run",
    "is_stale",
    "open_run",
    "read_record",
    "remove_run",
    "settings_of",
    "staged_run",
    "write_output",
]
