"""A dry run that was killed, refused or stopped does not stand in the way of the next."""

import os
import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.cli import main


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "rows").mkdir()
    with pq.ParquetWriter(tmp_path / "rows" / "train.parquet", pa.schema([("t", "string")])) as out:
        for _ in range(12):
            out.write_table(pa.table({"t": [os.urandom(300).hex() for _ in range(1000)]}))
    return tmp_path / "rows"


@pytest.mark.long
@pytest.mark.versions
def test_a_killed_dry_run_is_gone_on_with(rows, tmp_path):
    push = ["hub", "push-dataset", str(rows), "me/x", "--license", "mit", "--dry-run"]
    push += ["--output", str(tmp_path / "out"), "--max-shard-mb", "0.2"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "doctobert_hf", *push]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
        next(line for line in running.stderr if "train-00001" in line)
        running.send_signal(signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL and not any((tmp_path / "out").iterdir())
    assert main(push) == 0
    shards = (tmp_path / "out" / "data" / "default").iterdir()
    assert sum(pq.read_metadata(shard).num_rows for shard in shards) == 12_000
    left = {path.name for path in tmp_path.iterdir()} - {"rows"}
    assert left == {"out", "out.run.json", "out.plan.json"}
    assert not any(path.name.startswith(".") for path in (tmp_path / "out").rglob("*"))


def test_a_folder_of_that_name_that_others_made_is_left_alone(rows, tmp_path, capsys):
    (tmp_path / ".out.staging").mkdir()
    (tmp_path / ".out.staging" / "mine.txt").write_text("x")
    push = ["hub", "push-dataset", str(rows), "me/x", "--license", "mit", "--dry-run"]
    assert main([*push, "--output", str(tmp_path / "out")]) == 1
    assert "this tool did not write it" in capsys.readouterr().err
    assert (tmp_path / ".out.staging" / "mine.txt").is_file()
