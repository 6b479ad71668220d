"""Run folders: nothing of others is replaced, a refused start leaves nothing."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from doctobert_hf.errors import DataError, OutputError, UsageError
from doctobert_hf.runs import open_run, read_record, staged_run
from doctobert_hf.runs.lock import LOCK, RunLock


def write(folder, names, kind="report", settings=None, **options):
    with staged_run(folder, kind, settings or {"a": 1}, **options) as scratch:
        for name, text in names.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_text(text)


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_files_appear_only_when_the_block_ends_well(tmp_path):
    with pytest.raises(RuntimeError), staged_run(tmp_path / "new", "report", {}) as scratch:
        (scratch / "half").write_text("x")
        raise RuntimeError
    assert not (tmp_path / "new").exists()
    write(tmp_path / "new", {"whole": "x"})
    assert sorted(os.listdir(tmp_path / "new")) == ["run.json", "whole"]


def test_the_record_has_the_schema(tmp_path):
    (tmp_path / "in.txt").write_text("x")
    write(tmp_path / "out", {"a/b.txt": "1"}, inputs=[tmp_path / "in.txt"])
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    wanted = {"schema_version", "kind", "inputs", "settings", "environment", "outputs"}
    assert wanted <= record.keys() and record["schema_version"] == 1
    assert record["kind"] == "report" and record["settings"] == {"a": 1}
    assert record["inputs"][0]["bytes"] == 1 and len(record["inputs"][0]["sha256"]) == 64
    assert record["outputs"]["a/b.txt"]["bytes"] == 1 and record["status"] == "finished"
    assert record["environment"]["packages"]["transformers"]


def test_written_anew_it_replaces_only_its_own_files(tmp_path):
    out = tmp_path / "out"
    write(out, {"report.md": "1", "figures/a.png": "1", "figures/old.png": "1"})
    (out / "figures" / "mine.png").write_text("mine")
    (out / "notes.txt").write_text("mine")
    write(out, {"report.md": "2", "figures/a.png": "2"})
    found = tree(out)
    assert found.pop("run.json") and found == {
        "report.md": b"2",
        "figures/a.png": b"2",
        "figures/mine.png": b"mine",
        "notes.txt": b"mine",
    }


def test_a_foreign_file_in_the_way_of_a_new_name(tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    (out / "b").write_text("mine")
    with pytest.raises(OutputError, match="did not write"):
        write(out, {"a": "2", "b": "2"})
    assert (out / "b").read_text() == "mine" and (out / "a").read_text() == "1"


def test_an_output_that_was_changed_is_not_replaced(tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    (out / "a").write_text("edited")
    with pytest.raises(UsageError, match="was changed.*--overwrite"):
        write(out, {"a": "2"})
    write(out, {"a": "2"}, overwrite=True)
    assert (tmp_path / "out.replaced" / "a").read_text() == "edited"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_strangers_is_refused_and_stays(tmp_path, overwrite):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mine.png").write_text("x")
    (tmp_path / "run.json").write_text('{"name": "somebody\'s own"}')
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="did not write"):
        write(tmp_path, {"report.md": "1"}, overwrite=overwrite)
    assert tree(tmp_path) == before


def test_other_kind_and_other_settings(tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    with pytest.raises(UsageError, match="another kind, report"):
        write(out, {"a": "2"}, kind="index")
    with pytest.raises(UsageError, match="started with a 1, not 2"):
        write(out, {"a": "2"}, settings={"a": 2})
    write(out, {"b": "3"}, kind="index", overwrite=True)
    write(out, {"b": "4"}, kind="index", settings={"a": 2}, overwrite=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out", "out.replaced", "out.replaced-2"]
    assert (tmp_path / "out.replaced" / "a").read_text() == "1"


def test_inputs_that_have_changed(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("1")
    write(tmp_path / "out", {"a": "1"}, inputs=[source])
    write(tmp_path / "out", {"a": "1"}, inputs=[source])
    source.write_text("2")
    with pytest.raises(UsageError, match="have changed"):
        write(tmp_path / "out", {"a": "1"}, inputs=[source])


def test_output_and_input_must_lie_apart(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("x")
    for output, source, words in (
        (tmp_path / "docs", tmp_path / "docs", "is the input"),
        (tmp_path / "docs" / "out", tmp_path / "docs", "lies in the input"),
        (tmp_path, tmp_path / "docs" / "a.txt", "holds the input"),
    ):
        with pytest.raises(UsageError, match=words):
            write(output, {"b": "1"}, inputs=[source])
    assert tree(tmp_path) == {"docs/a.txt": b"x"}


def test_a_start_that_fails_leaves_no_folder(tmp_path):
    target = tmp_path / "deep" / "er" / "run"
    with pytest.raises(DataError), open_run(target, "train", {}, again="resume") as run:
        (run.folder / "resolved_config.yaml").write_text("a: 1")
        write(run.folder / "stores" / "train", {"tokens.bin": "1"}, kind="token-store")
        raise DataError("no corpus")
    assert not (tmp_path / "deep").exists()
    with pytest.raises(DataError), open_run(target, "train", {}, again="resume") as run:
        (run.folder / "checkpoint-1").mkdir()
        (run.folder / "checkpoint-1" / "weights").write_text("1")
        raise DataError("later")
    assert read_record(target).status == "stopped"
    with pytest.raises(UsageError, match="--resume"):
        open_run(target, "train", {}, again="resume")


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="another name"):
        write(tmp_path / "file" / "sub", {"a": "1"})
    with pytest.raises(OutputError, match="is a file"):
        write(tmp_path / "file", {"a": "1"})
    assert (tmp_path / "file").read_text() == "x"


HOLD = """
import sys, time
from doctobert_hf.runs import open_run
run = open_run(sys.argv[1], "train", {}, again="same")
print("ready", flush=True)
time.sleep(600)
"""


def hold(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_one_writer_at_a_time_and_a_dead_one_is_taken_over(tmp_path, caplog):
    out = tmp_path / "out"
    first = hold(out)
    try:
        with pytest.raises(UsageError, match=rf"in use by process {first.pid} on .* since 20"):
            open_run(out, "train", {})
    finally:
        first.kill()
        first.wait()
    assert (out / LOCK).exists()
    with open_run(out, "train", {}) as run:
        assert run.resumed and "which is gone" in caplog.text
    assert not (out / LOCK).exists()


def test_the_process_itself_may_open_its_run_again(tmp_path):
    first = open_run(tmp_path / "out", "train", {})  # a notebook's cell that was interrupted
    with open_run(tmp_path / "out", "train", {}):
        first.close()  # gives nothing back that the second holds
        assert (tmp_path / "out" / LOCK).exists()
    assert not (tmp_path / "out" / LOCK).exists()


def test_a_forked_worker_leaves_the_lock_alone(tmp_path):
    lock = RunLock(tmp_path / "lock", "x")
    lock.acquire()
    child = os.fork()
    if child == 0:
        lock.release()
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "lock").exists()
    lock.release()
    assert not (tmp_path / "lock").exists()


@pytest.mark.long
def test_waiting_for_a_holder(tmp_path):
    lock = RunLock(tmp_path / "lock", "x")
    code = f"""
import time
from pathlib import Path
from doctobert_hf.runs.lock import RunLock
lock = RunLock(Path({str(tmp_path / "lock")!r}), "x")
lock.acquire()
print("ready", flush=True)
time.sleep(1)
lock.release()
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "ready\n"
    lock.acquire(wait=60)
    lock.release()
    assert holder.wait() == 0


def test_sessions_that_end_without_a_word_are_counted(tmp_path):
    def begin(**keys):
        return open_run(tmp_path / "run", "example", {"seed": 1}, again="resume", **keys)

    begin()._lock.release()  # a kill: nothing is closed
    again = begin(resume=True)
    assert again.record.killed == 1
    again.close()  # stopped in order
    with begin(resume=True) as last:
        assert last.record.killed == 1
        last.finish()
    assert read_record(tmp_path / "run").killed == 1


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    (out / ".incomplete-abc_1234").mkdir()
    (out / ".incomplete-abc_1234" / "half").write_text("x")
    write(out, {"a": "2"})
    assert sorted(os.listdir(out)) == ["a", "run.json"]


def test_damaged_and_newer_records(tmp_path):
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(DataError, match=r"run\.json"):
        write(tmp_path, {"a": "1"})
    (tmp_path / "run.json").write_text('{"kind": "report", "schema_version": 99}')
    with pytest.raises(DataError, match="schema_version 99"):
        write(tmp_path, {"a": "1"})


def test_a_start_that_is_stopped_keeps_what_it_has_made(tmp_path):
    """Finished parts with records of their own stay where there is more beside them."""
    target = tmp_path / "run"
    with (
        pytest.raises(KeyboardInterrupt),
        open_run(target, "quickstart", {}, again="resume") as run,
    ):
        write(run.folder / "tokenizer", {"tokenizer.json": "1"}, kind="tokenizer")
        (run.folder / "data.parquet").write_text("1")
        raise KeyboardInterrupt
    assert (target / "tokenizer" / "tokenizer.json").is_file()
    with open_run(target, "quickstart", {}, again="resume", resume=True) as run:
        assert run.resumed


def test_a_refused_overwrite_leaves_the_run_as_it_was(tmp_path, monkeypatch):
    """``--output .``: the working directory cannot be moved aside."""
    out = tmp_path / "out"
    write(out / "tokenizer", {"tokenizer.json": "1"}, kind="tokenizer")
    shutil.move(out / "tokenizer", tmp_path / "kept")
    shutil.rmtree(out)
    write(out, {"a": "1"}, kind="train")
    shutil.move(tmp_path / "kept", out / "tokenizer")
    before = tree(out)
    monkeypatch.chdir(out)
    with pytest.raises(UsageError, match="working directory"):
        write(".", {"a": "2"}, kind="train", settings={"a": 2}, overwrite=True)
    assert tree(out) == before and read_record(out).kind == "train"


def test_a_run_that_was_moved_aside_comes_back_if_the_new_one_fails(tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    before = tree(out)
    with pytest.raises(DataError), open_run(out, "report", {"a": 2}, overwrite=True):
        raise DataError("no corpus")
    assert tree(out) == before and not (tmp_path / "out.replaced").exists()


def test_what_the_run_reads_is_not_moved_aside(tmp_path):
    out = tmp_path / "out"
    write(out, {"model/config.json": "1"})
    with pytest.raises(UsageError, match="which --overwrite would move aside"):
        open_run(out, "train", {}, overwrite=True, uses=[out / "model", None])
    assert (out / "model" / "config.json").is_file()


def test_a_link_as_output_is_moved_aside_itself(tmp_path):
    write(tmp_path / "real", {"a": "1"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link", {"a": "2"}, settings={"a": 2}, overwrite=True)
    assert (tmp_path / "real" / "a").read_text() == "1"
    assert (tmp_path / "link" / "a").read_text() == "2" and not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(
    "outputs",
    [
        {"../victim": {"bytes": 1, "sha256": "x"}},
        {"/etc/passwd": {"bytes": 1, "sha256": "x"}},
        {"a": None},
        {"a": {"sha256": "x"}},
        ["a"],
    ],
)
def test_a_record_that_leads_out_of_its_folder_is_refused(outputs, tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    (tmp_path / "victim").write_text("1")
    content = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**content, "outputs": outputs}))
    with pytest.raises(DataError, match=r"run\.json"):
        write(out, {"a": "2"})
    assert (tmp_path / "victim").exists()


def test_a_name_in_the_record_without_a_hash_is_no_leave_to_replace(tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    (out / "notes.txt").write_text("mine")
    content = json.loads((out / "run.json").read_text())
    content["outputs"]["notes.txt"] = {}
    (out / "run.json").write_text(json.dumps(content))
    with pytest.raises(OutputError, match="did not write"):
        write(out, {"a": "2", "notes.txt": "2"})
    assert (out / "notes.txt").read_text() == "mine" and (out / "a").read_text() == "1"


def test_an_output_edited_while_the_run_works_is_not_replaced(tmp_path):
    out = tmp_path / "out"
    write(out, {"a": "1"})
    with (
        pytest.raises(OutputError, match="did not write"),
        staged_run(out, "report", {"a": 1}) as s,
    ):
        (s / "a").write_text("2")
        (out / "a").write_text("edited")
    assert (out / "a").read_text() == "edited"


@pytest.mark.parametrize("first", [True, False])
def test_killed_between_two_files(first, tmp_path):
    """Some outputs are new, some old: the next run knows them all as its own."""
    out = tmp_path / "out"
    if not first:
        write(out, {"a": "1", "b": "1"})
    code = f"""
import os
import shutil
from doctobert_hf.runs import publish, staged_run
count, real = [0], os.replace
def dying(source, target):
    if not str(target).endswith(".json"):
        count[0] += 1
        if count[0] == 2:
            os._exit(9)
    real(source, target)
publish.os.replace = dying
with staged_run({str(out)!r}, "report", {{"a": 1}}) as scratch:
    for name in "ab":
        (scratch / name).write_text("2")
"""
    code = code.replace("from doctobert_hf.runs import publish, staged_run",
                        "import doctobert_hf.runs.publish as publish\n"
                        "from doctobert_hf.runs import staged_run")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    write(out, {"a": "3", "b": "3"})
    assert sorted(os.listdir(out)) == ["a", "b", "run.json"]
    assert (out / "a").read_text() == (out / "b").read_text() == "3"


def test_another_working_directory_while_the_run_is_open(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with staged_run("out", "report", {}) as scratch:
        monkeypatch.chdir(tmp_path / "elsewhere")
        (scratch / "a").write_text("1")
    assert (tmp_path / "out" / "a").read_text() == "1"
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_names_that_cannot_be(name, tmp_path):
    with pytest.raises(OutputError, match="name"):
        open_run(tmp_path / name, "report", {})


def test_a_folder_with_only_a_configuration_is_not_ours_to_move(tmp_path):
    (tmp_path / "resolved_config.yaml").write_text("a: 1")
    (tmp_path / "weights.bin").write_text("mine")
    with pytest.raises(UsageError, match="did not write"):
        open_run(tmp_path, "train", {}, overwrite=True, recognise=lambda folder: True)


def test_commands_with_names_that_begin_with_a_dash():
    from doctobert_hf.runs import command_line

    assert command_line("search", "-ix", output="-o") == "doctobert-hf search ./-ix --output=-o"
    assert command_line("x", inputs=["a b", "c"]) == "doctobert-hf x --inputs 'a b' c"


def test_a_run_that_appears_while_the_lock_is_taken_is_left_as_it_is(tmp_path, monkeypatch):
    """Another process makes its run between the first look and the lock."""
    from doctobert_hf.runs import folder as module

    out, real = tmp_path / "out", module.Check.run
    looks = []

    def look(self):
        looks.append(real(self))
        if len(looks) == 1:
            monkeypatch.setattr(module.Check, "run", real)
            write(out, {"a": "1"}, kind="other")
        return looks[-1]

    monkeypatch.setattr(module.Check, "run", look)
    with pytest.raises(UsageError, match="another kind, other"):
        open_run(out, "train", {})
    assert (out / "a").read_text() == "1" and read_record(out).kind == "other"


def test_a_record_that_a_kill_left_half_written_is_not_a_strangers_file(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".run.json.4242.tmp").write_text("")  # killed between the writing and the renaming
    with open_run(folder, "thing", {"seed": 1}) as run:
        assert not run.resumed
    assert [p.name for p in folder.iterdir() if p.name.endswith(".tmp")] == []
    other = tmp_path / "other"
    other.mkdir()
    (other / ".run.json.mine.tmp").write_text("kept")
    with pytest.raises(UsageError):
        open_run(other, "thing", {"seed": 1})
    assert (other / ".run.json.mine.tmp").read_text() == "kept"


@pytest.mark.parametrize(
    "name", [".incomplete-notes.txt", ".incomplete-my-work", ".incomplete-abc_1234"]
)
def test_a_strangers_file_named_like_a_stage_is_kept(tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    if name == ".incomplete-my-work":
        (folder / name).mkdir()
    else:  # the name of a stage, but a file
        (folder / name).write_text("kept")
    with pytest.raises(UsageError):
        open_run(folder, "thing", {"seed": 1})
    assert (folder / name).exists()


@pytest.mark.long
def test_a_lock_that_names_nobody_is_taken_over_with_a_word(tmp_path, caplog):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOCK).touch()  # a kill between making and filling it
    write(tmp_path / "out", {"x": "y"})
    assert "names no process" in caplog.text and "killed" in caplog.text
    assert (tmp_path / "out" / "x").exists()
    assert not (tmp_path / "out" / LOCK).exists()


def test_a_lock_that_is_being_filled_is_waited_for(tmp_path):
    import socket
    import threading

    path = tmp_path / LOCK
    path.touch()
    owner = f"{os.getppid()}\n{socket.gethostname()}\n"
    threading.Timer(0.3, lambda: path.write_text(owner)).start()
    with pytest.raises(UsageError, match="in use by"):
        RunLock(path, "It").acquire()
    assert path.read_text() == owner


def test_a_record_beside_goes_with_its_folder(tmp_path):
    """Who removes the folder by hand is not held to the settings of what was in it."""
    target = tmp_path / "out"
    with open_run(target, "push", {"path": "a"}, beside=True) as run:
        (target / "x").write_text("1")
        run.finish("x")
    with pytest.raises(UsageError, match="started with path"):
        open_run(target, "push", {"path": "b"}, beside=True)
    shutil.rmtree(target)
    with pytest.raises(UsageError, match="No run to resume"):
        open_run(target, "push", {"path": "b"}, beside=True, resume=True)
    with open_run(target, "push", {"path": "b"}, beside=True) as run:
        assert not run.resumed and run.record.settings == {"path": "b"}
