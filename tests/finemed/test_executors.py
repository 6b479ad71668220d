"""The same stage on two workers, through Slurm's scripts, on Ray, and killed at any point."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import warm
from finemed_helpers import LIGHT, excluded_of, rows_of

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.annotate import annotate
from doctobert_hf.finemed.cleaning import clean
from doctobert_hf.finemed.config import (
    AnnotateConfig,
    CleanConfig,
    DistilConfig,
    FilterConfig,
    MixConfig,
    StatsConfig,
)
from doctobert_hf.finemed.distillation import distil
from doctobert_hf.finemed.mixing import mix
from doctobert_hf.finemed.progress import read_counts
from doctobert_hf.finemed.statistics import statistics


def sorted_rows(folder):
    return sorted(rows_of(folder), key=lambda row: row["id"])


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755 | stat.S_IXUSR)


def stand_in_for_slurm(folder: Path, monkeypatch) -> None:
    """Put an sbatch that keeps the scripts, and what they call, on the path."""
    bin_folder = folder / "bin"
    program(
        bin_folder,
        "sbatch",
        f'#!/bin/bash\nfor last; do :; done\ncp "$last" {folder}/$(date +%s%N).slurm\n'
        'echo "Submitted batch job 42"\n',
    )
    program(
        bin_folder,
        "srun",
        '#!/bin/bash\nwhile [ "${1:0:1}" = "-" ]; do [ "$1" = "-n" ] && shift; shift; done\n"$@"\n',
    )
    program(bin_folder, "scontrol", "#!/bin/bash\necho localhost\n")
    path = f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)


def work_off(folder: Path) -> int:
    """Run every array task of the scripts that were submitted; return how many."""
    done = 0
    for script in sorted(folder.glob("*.slurm")):
        text = script.read_text()
        script.unlink()
        if "merge_stats" in text:  # datatrove's job behind the others
            continue
        kept = folder / "job.sh"
        kept.write_text(text)
        first, last = re.search(r"--array=(\d+)-(\d+)", text).groups()
        for task in range(int(first), int(last) + 1):
            environment = {**os.environ, "SLURM_ARRAY_TASK_ID": str(task), "SLURM_JOB_ID": "42"}
            environment |= {"SLURM_NODELIST": "localhost", "SLURM_CPUS_PER_TASK": "1"}
            environment |= {"SLURM_MEM_PER_CPU": "2048", "SLURM_CPUS_ON_NODE": "1"}
            subprocess.run(["bash", kept], env=environment, check=True, timeout=120)
            done += 1
    return done


def test_slurm_is_asked_for_where_there_is_none(write_corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    config = AnnotateConfig(
        input=(str(write_corpus()),), output=tmp_path / "out", executor="slurm", **LIGHT
    )
    with pytest.raises(UsageError, match="no sbatch on this machine"):
        annotate(config)


@pytest.mark.long
def test_the_scripts_that_slurm_gets_do_the_work(write_corpus, tmp_path, monkeypatch, annotated):
    """sbatch and srun are stand-ins that keep the script; then each array task runs as written."""
    stand_in_for_slurm(tmp_path, monkeypatch)
    out = tmp_path / "out"
    config = AnnotateConfig(
        input=(str(tmp_path / "corpus"),),
        output=out,
        executor="slurm",
        parts=3,
        slurm_partition="gpu_p2",
        slurm_time="01:00:00",
        slurm_setup="export FROM_SETUP=1",
        **LIGHT,
    )
    assert annotate(config) == {}
    script = (out / "logs" / "launch_script.slurm").read_text()
    assert subprocess.run(["bash", "-n", out / "logs" / "launch_script.slurm"]).returncode == 0
    for line in ("--partition=gpu_p2", "--time=01:00:00", "--array=0-2", "export FROM_SETUP=1"):
        assert line in script.replace(" ", "").replace("exportFROM", "export FROM"), script
    assert work_off(tmp_path) == 3
    # Called again where the parts are done, the stage closes with its manifest.
    assert annotate(config)["documents"] == 24
    assert sorted_rows(out) == sorted_rows(annotated)


def test_slurm_gets_what_was_said_and_no_job_twice(write_corpus, tmp_path, monkeypatch):
    bin_folder, out = tmp_path / "bin", tmp_path / "a folder"
    program(bin_folder, "sbatch", '#!/bin/bash\necho "Submitted batch job 42"\n')
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    said = {"slurm_account": "abc@v100", "slurm_qos": "dev", "slurm_constraint": "a100|h100"}
    config = AnnotateConfig(
        input=(str(write_corpus()),), output=out, executor="slurm", parts=3, **said, **LIGHT
    )
    assert annotate(config) == {}
    script = (out / "logs" / "launch_script.slurm").read_text()
    for line in ("--account=abc@v100", "--qos=dev", "--constraint='a100|h100'"):
        assert f"#SBATCH {line}\n" in script, script
    assert "--partition" not in script and "--time" not in script
    assert f"launch_pickled_pipeline '{out}/logs/executor.pik'" in script
    with pytest.raises(UsageError, match=r"Jobs were submitted.*3 parts are not done.*squeue"):
        annotate(config)
    program(bin_folder, "squeue", "#!/bin/bash\necho '42 cpu finemed PD'\n")
    with pytest.raises(UsageError, match="Jobs were submitted"):
        annotate(config)
    program(bin_folder, "squeue", "#!/bin/bash\ntrue\n")
    assert annotate(config) == {}  # the cluster says that they are gone: submitted again
    program(bin_folder, "sbatch", "#!/bin/bash\necho 'invalid account' >&2\nexit 1\n")
    with pytest.raises(UsageError, match="sbatch refused the jobs"):
        annotate(config)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_steps_that_wait_for_each_other_on_slurm(write_corpus, tmp_path, monkeypatch):
    """Cleaning and mixing: each call submits what can begin, and the result is the local one."""
    stand_in_for_slurm(tmp_path, monkeypatch)
    corpus = str(write_corpus("twice", medical=12, other=6, files=2))
    shutil.copytree(corpus, f"{corpus}/again")  # so that there are duplicates
    options = {"input": (corpus,), "buckets": 2, "parts": 2}
    local = clean(CleanConfig(output=tmp_path / "cleaned-here", **options))
    on_slurm = CleanConfig(output=tmp_path / "cleaned", executor="slurm", **options)
    calls = 0
    while not (made := clean(on_slurm)):
        with pytest.raises(UsageError, match="Jobs were submitted"):
            clean(on_slurm)
        assert work_off(tmp_path) > 0
        calls += 1
    # quality, digests, repeats, exact, signatures, buckets, candidates, verify, writing
    assert calls == 9
    assert made["documents"] == local["documents"] < 36 and made["excluded"] == local["excluded"]
    assert sorted_rows(tmp_path / "cleaned") == sorted_rows(tmp_path / "cleaned-here")


@pytest.mark.long
def test_stats_and_distil_on_slurm(annotated, make_classifier, tmp_path, monkeypatch):
    stand_in_for_slurm(tmp_path, monkeypatch)
    options = {"input": (str(annotated),), "plots": False, "parts": 2}
    local = statistics(StatsConfig(output=tmp_path / "stats-here", **options))
    on_slurm = StatsConfig(output=tmp_path / "stats", executor="slurm", **options)
    assert statistics(on_slurm) == {} and work_off(tmp_path) == 2
    assert statistics(on_slurm)["sources"] == local["sources"]

    path = tmp_path / "labels.jsonl"
    rows = ({"text": f"Texte {n} du dossier.", "label": float(n % 6)} for n in range(60))
    path.write_text("\n".join(map(json.dumps, rows)))
    config = DistilConfig(
        input=(str(path),),
        output=tmp_path / "student",
        model=make_classifier("encoder", ["x"]),
        axis="quality",
        epochs=1,
        executor="slurm",
        max_length=32,
    )
    assert distil(config) == {} and not (tmp_path / "student" / "model").exists()
    for executor in ("slurm", "local"):  # never two trainings in one folder
        config.executor = executor
        with pytest.raises(UsageError, match="Jobs were submitted"):
            distil(config)
    config.executor = "slurm"
    assert work_off(tmp_path) == 1
    config.parts = 2
    with pytest.raises(UsageError, match="one training"):
        distil(config)
    config.parts = 1
    assert sum(distil(config)["rows"].values()) == 60


@pytest.mark.long
def test_a_mix_on_slurm(write_corpus, tokenizer_dir, tmp_path, monkeypatch):
    stand_in_for_slurm(tmp_path, monkeypatch)
    sources = tuple(
        {"name": name, "input": [str(write_corpus(name, medical=10, other=4, files=2))]}
        for name in ("one", "two")
    )
    options = {"sources": sources, "tokenizer": str(tokenizer_dir), "max_length": 64, "parts": 2}
    local = mix(MixConfig(output=tmp_path / "mixed-here", **options))
    on_slurm = MixConfig(output=tmp_path / "mixed", executor="slurm", **options)
    assert mix(on_slurm) == {} and work_off(tmp_path) == 4  # both sources at once
    assert mix(on_slurm) == {} and work_off(tmp_path) == 2
    assert mix(on_slurm)["documents"] == local["documents"] > 0
    assert sorted_rows(tmp_path / "mixed") == sorted_rows(tmp_path / "mixed-here")


def test_a_refused_submission_leaves_the_others_their_scripts(
    write_corpus, tokenizer_dir, tmp_path, monkeypatch
):
    bin_folder, count = tmp_path / "bin", tmp_path / "count"
    program(
        bin_folder,
        "sbatch",
        f"#!/bin/bash\necho x >> {count}\n[ $(wc -l < {count}) -gt 2 ] && exit 1\n"
        'echo "Submitted batch job 42"\n',
    )
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    sources = tuple({"name": n, "input": [str(write_corpus(n))]} for n in ("one", "two"))
    config = MixConfig(
        sources=sources, tokenizer=str(tokenizer_dir), output=tmp_path / "o", executor="slurm"
    )
    with pytest.raises(UsageError, match="sbatch refused"):
        mix(config)
    assert (tmp_path / "o" / "logs" / "one" / "executor.pik").is_file()


SLEEPS = """
import sys, time
from doctobert_hf.executors import make_executor
from doctobert_hf.finemed.config import FilterConfig
from pathlib import Path

def waits(data, rank, world_size):
    Path(sys.argv[1], f"part{rank}").touch()
    time.sleep(600)

if __name__ == "__main__":
    workers = int(sys.argv[2])
    settings = FilterConfig(parts=workers, workers=workers, where="edu >= 1")
    make_executor([waits], settings, sys.argv[1] + "/logs", "waits").run()
"""


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_leaves_no_process(tmp_path, workers):
    """datatrove's own executor leaves a manager, and workers that go on with their part."""
    script = tmp_path / "waits.py"
    script.write_text(SLEEPS)
    command = [sys.executable, str(script), str(tmp_path), str(workers)]
    run = subprocess.Popen(command, start_new_session=True)

    def until(true):
        end = time.monotonic() + 120
        while not true() and time.monotonic() < end:
            time.sleep(0.1)
        return true()

    try:
        assert until(lambda: len(list(tmp_path.glob("part*"))) == workers)
        run.kill()
        run.wait()
        assert until(lambda: not _any_left(run.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def _any_left(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.long
def test_ray_on_one_machine(write_corpus, tmp_path, annotated):
    ray = pytest.importorskip("ray", reason="ray is not installed")
    config = AnnotateConfig(
        input=(str(tmp_path / "corpus"),),
        output=tmp_path / "out",
        executor="ray",
        parts=3,
        workers=2,
        slurm_memory=1,
        **LIGHT,
    )
    try:
        assert annotate(config)["documents"] == 24
    finally:
        ray.shutdown()
    assert sorted_rows(tmp_path / "out") == sorted_rows(annotated)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_ten_random_points(write_corpus, tmp_path):
    """SIGKILL to the whole process group; the end is that of a run left alone."""
    corpus = write_corpus("big", medical=3000, other=600, files=6)
    command = [sys.executable, "-m", "doctobert_hf", "finemed", "annotate", "finemed/light"]
    command += ["--input", str(corpus), "--lexicons", "base", "--parts", "6"]
    alone = tmp_path / "alone"
    warm.run([*command, "--output", str(alone)], check=True, capture_output=True)
    draw = random.Random(11)
    kills = 0
    killed = [*command, "--output", str(tmp_path / "killed")]
    for _ in range(10):
        process = warm.Popen(
            killed, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # By progress, not by the clock: so many documents into what this start does.
        counts, target = tmp_path / "killed" / "logs" / "progress", draw.randint(1, 900)
        while process.poll() is None and read_counts(counts)[0] < target:
            time.sleep(0.002)
        if process.poll() is not None:
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        shutil.rmtree(counts, ignore_errors=True)  # the next start's own count from nothing
    warm.run(killed, check=True, capture_output=True)
    assert kills >= 3
    assert sorted_rows(tmp_path / "killed") == sorted_rows(alone)
    key = lambda row: row["id"]  # noqa: E731
    left = [sorted(excluded_of(tmp_path / name), key=key) for name in ("killed", "alone")]
    assert left[0] == left[1] and len(left[0]) == 600
    manifests = [
        json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("killed", "alone")
    ]
    assert manifests[0]["read"] == manifests[1]["read"] == 3600


@pytest.mark.long
def test_memory_does_not_grow_with_the_corpus(write_corpus, tmp_path):
    """Ten times the documents, the same peak."""
    peaks = []
    for name, count in (("small", 600), ("large", 6000)):
        corpus = write_corpus(name, medical=count, other=0, files=1)
        code = (
            "import resource, sys\nfrom doctobert_hf.cli import main\n"
            f"assert main(['finemed', 'annotate', 'finemed/light', '--input', {str(corpus)!r}, "
            f"'--output', {str(tmp_path / ('out-' + name))!r}, '--lexicons', 'base', "
            "'--parts', '1', '--workers', '1']) == 0\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < 1.25 * peaks[0], peaks


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_settings_of_slurm_without_slurm_are_refused(executor):
    with pytest.raises(UsageError, match=f"slurm_partition with executor '{executor}'"):
        FilterConfig(slurm_partition="gpu", executor=executor)


@pytest.mark.parametrize("given", [{"threshold": 0.3, "terms": "lexicon"}, {"lexicons": ("a",)}])
def test_settings_of_another_annotator_are_refused(given):
    with pytest.raises(UsageError, match="it would do nothing"):
        AnnotateConfig(**given)
