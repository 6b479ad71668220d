"""Stores of large corpora: shared out, killed, held out, and always the same."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import warm

from doctobert_hf.cli import main
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.pretraining import TokenStore, build_store
from doctobert_hf.pretraining.data.parts import (
    StoreConfig,
    make_store,
    parts_of_sections,
    stores_of_parts,
)
from doctobert_hf.pretraining.recipe import PretrainConfig, stores


def files_of(folder):
    return [(Path(folder) / name).read_bytes() for name in ("tokens.bin", "offsets.npy")]


@pytest.fixture
def corpus(sample_texts, tmp_path):
    path = tmp_path / "corpus.parquet"
    texts = [*sample_texts[:60], " ", *sample_texts[60:90]]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=16)
    return path, texts


@pytest.mark.long
@pytest.mark.versions
def test_the_same_by_one_or_by_many(corpus, tokenizer, tokenizer_dir, tmp_path, monkeypatch):
    path, texts = corpus
    build_store(texts, tokenizer, tmp_path / "whole", max_length=64)
    monkeypatch.setattr("doctobert_hf.pretraining.data.parts.sections_of", small_sections)
    monkeypatch.setattr("doctobert_hf.pretraining.data.parts.grouped", each_alone)
    for workers in (1, 2):
        config = StoreConfig(path, tmp_path / f"s{workers}", str(tokenizer_dir), workers=workers,
                             max_length=64)  # fmt: skip
        store = make_store(config)
        assert store is not None and files_of(store.folder) == files_of(tmp_path / "whole")
        assert (store.manifest.source_documents, store.manifest.empty_documents) == (91, 1)
        assert not (store.folder / "parts").exists()
        before = (store.folder / "tokens.bin").stat().st_mtime_ns
        assert make_store(config) is not None  # a second start has nothing to do
        assert (store.folder / "tokens.bin").stat().st_mtime_ns == before


def each_alone(sections, size=0):
    return [(section,) for section in sections]


def small_sections(source, column, size=0):
    from doctobert_hf.corpus.sections import sections_of

    return sections_of(source, column, 4000)


@pytest.mark.long
@pytest.mark.versions
def test_documents_held_out_are_spread_and_in_none_of_the_two_twice(
    corpus, tokenizer, tokenizer_dir, tmp_path
):
    path, texts = corpus
    filled = [text for text in texts if text.strip()]
    config = PretrainConfig(corpus=path, output=tmp_path / "run", max_length=64, eval_documents=7)
    train, held = stores(config, tokenizer)
    chosen = [t for n, t in enumerate(filled) if n % (90 // 7) == 0 and n // (90 // 7) < 7]
    rest = [text for text in filled if text not in chosen]
    build_store(chosen, tokenizer, tmp_path / "held", max_length=64)
    build_store(rest, tokenizer, tmp_path / "rest", max_length=64)
    assert held is not None and files_of(held.folder) == files_of(tmp_path / "held")
    assert files_of(train.folder) == files_of(tmp_path / "rest")
    assert train.manifest.empty_documents == 1 and held.manifest.source_documents == 7
    again = StoreConfig(path, tmp_path / "s", str(tokenizer_dir), max_length=64, eval_documents=7)
    assert files_of(make_store(again).folder) == files_of(train.folder)
    assert files_of(tmp_path / "s" / "eval") == files_of(held.folder)
    both = stores(PretrainConfig(train_store=tmp_path / "s", output=tmp_path / "r2"), tokenizer)
    assert both[1] is not None and both[1].folder == tmp_path / "s" / "eval"
    none = PretrainConfig(corpus=path, output=tmp_path / "r3", max_length=64, eval_documents=0)
    assert stores(none, tokenizer)[1] is None


def test_one_document_and_an_empty_first(tokenizer, tmp_path):
    for name, texts in {"one": ["Un seul texte."], "blank": [" ", ""]}.items():
        pq.write_table(pa.table({"text": texts}), tmp_path / f"{name}.parquet")
    one = PretrainConfig(corpus=tmp_path / "one.parquet", output=tmp_path / "run")
    with pytest.raises(DataError, match=r"1 document with text.*eval-documents 0"):
        stores(one, tokenizer)
    with pytest.raises(DataError, match="no text"):
        stores(PretrainConfig(corpus=tmp_path / "blank.parquet", output=tmp_path / "r"), tokenizer)
    first = ["", *(f"Texte numéro {i} du dossier." for i in range(4))]
    pq.write_table(pa.table({"text": first}), tmp_path / "first.parquet")
    config = PretrainConfig(corpus=tmp_path / "first.parquet", output=tmp_path / "f")
    train, held = stores(config, tokenizer)
    assert held is not None and len(held) == 1 and len(train) == 3


def test_ids_that_a_mix_has(tokenizer, tokenizer_dir, tmp_path):
    rows = [[2, 7, 8, 3], [], [2, 9, 3]]
    pq.write_table(pa.table({"input_ids": rows}), tmp_path / "ids.parquet")
    given = {"tokenizer": str(tokenizer_dir), "ids_column": "input_ids", "max_length": 8}
    store = make_store(StoreConfig(tmp_path / "ids.parquet", tmp_path / "s", **given))
    assert [store[i].tolist() for i in range(len(store))] == [rows[0], rows[2]]
    (tmp_path / "bad.jsonl").write_text('{"input_ids": [2, 3]}\n{"input_ids": [2, 99999]}\n')
    with pytest.raises(DataError, match=r"'bad.jsonl', byte 22 has 2 ids up to 99999"):
        make_store(StoreConfig(tmp_path / "bad.jsonl", tmp_path / "b", **given))
    assert not (tmp_path / "b").exists()  # nothing was worth keeping
    (tmp_path / "bare.jsonl").write_text('{"input_ids": [7, 8]}')
    with pytest.raises(DataError, match=r"the ids 7 \.\.\. 8 .* special tokens around"):
        make_store(StoreConfig(tmp_path / "bare.jsonl", tmp_path / "b", **given))


def test_a_damaged_part_is_told(corpus, tokenizer, tmp_path):
    places = parts_of_sections(str(corpus[0]), tokenizer, tmp_path / "parts", 64)
    (places[0] / "chunks.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"part '.*' is damaged.*Delete it"):
        stores_of_parts(places, tmp_path / "s", tokenizer, 64, 3)


@pytest.mark.long
def test_the_command_and_the_line_it_prints(corpus, tokenizer_dir, tmp_path, capsys):
    out = tmp_path / "a store"
    words = ["pretrain", "store", str(corpus[0]), "--tokenizer", str(tokenizer_dir)]
    words += ["--output", str(out), "--max-length", "64", "--eval-documents", "5", "--json"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["documents"] == len(TokenStore(out))
    line = printed.err.split("next: ")[1].splitlines()[0]
    assert main(shlex.split(line)[1:]) == 0
    assert main([*words, "--eval-documents", "6"]) == 2  # other settings, same folder
    assert "--overwrite" in capsys.readouterr().err
    assert main(["pretrain", "store", str(tmp_path / "no"), "--tokenizer", "t", "--output", "x"])
    assert main(["pretrain", "store", str(corpus[0]), "--output", str(tmp_path / "x")]) == 2
    with pytest.raises(UsageError, match="save_to_disk"):
        from datasets import Dataset

        Dataset.from_dict({"text": ["a"]}).save_to_disk(tmp_path / "saved")
        make_store(StoreConfig(tmp_path / "saved", tmp_path / "y", str(tokenizer_dir)))


@pytest.mark.long
def test_killed_it_goes_on(sample_texts, tokenizer, tokenizer_dir, tmp_path):
    texts = [text * 40 for text in sample_texts[:60]]
    path = tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"text": texts}), path)
    assert sum(len(t.encode()) for t in texts) > 3 << 20
    command = [sys.executable, "-m", "doctobert_hf", "pretrain", "store", str(path), "--tokenizer",
               str(tokenizer_dir), "--output", str(tmp_path / "s"), "--workers", "2",
               "--section-mb", "1"]  # fmt: skip
    kept = 0
    for _ in range(2):
        process = warm.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        while process.poll() is None:  # by progress: as soon as one more part is sealed
            sealed = list((tmp_path / "s").glob("parts/[0-9]*/manifest.json"))
            if len(sealed) > kept:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                break
            time.sleep(0.005)
        kept = len(list((tmp_path / "s").glob("parts/[0-9]*/manifest.json")))
        if process.returncode == 0:
            break
    done = warm.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert kept == 0 or "sections are tokenised already" in done.stderr
    build_store(texts, tokenizer, tmp_path / "whole")
    assert files_of(tmp_path / "s") == files_of(tmp_path / "whole")


@pytest.mark.long
def test_on_slurm_nothing_is_submitted_twice(corpus, tokenizer, tokenizer_dir, tmp_path,
                                             monkeypatch):  # fmt: skip
    """sbatch and srun are stand-ins; then each array task runs the script as it was written."""
    pytest.importorskip("datatrove", reason="the extra 'finemed' is not installed")
    path, texts = corpus
    monkeypatch.setattr("doctobert_hf.pretraining.data.parts.sections_of", small_sections)
    monkeypatch.setattr("doctobert_hf.pretraining.data.parts.grouped", each_alone)
    programs = {
        "sbatch": '#!/bin/bash\necho "Submitted batch job 42"\n',
        "srun": '#!/bin/bash\nwhile [ "${1:0:1}" = "-" ]; do [ "$1" = "-n" ] && shift; shift; '
                'done\n"$@"\n',
        "scontrol": "#!/bin/bash\necho localhost\n",
    }  # fmt: skip
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    folders = [str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", ":".join(folders))
    config = StoreConfig(path, tmp_path / "s", str(tokenizer_dir), max_length=64,
                         executor="slurm", parts=3)  # fmt: skip
    assert make_store(config) is None
    with pytest.raises(UsageError, match=r"Jobs were submitted.*squeue"):
        make_store(config)
    for task in range(3):
        slurm = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_JOB_ID": "42", "SLURM_CPUS_ON_NODE": "1",
                 "SLURM_NODELIST": "localhost", "SLURM_CPUS_PER_TASK": "1",
                 "SLURM_MEM_PER_CPU": "2048"}  # fmt: skip
        script = tmp_path / "s" / "logs" / "launch_script.slurm"
        subprocess.run(["bash", script], env={**os.environ, **slurm}, check=True, timeout=200)
    store = make_store(config)
    build_store(texts, tokenizer, tmp_path / "whole", max_length=64)
    assert store is not None and files_of(store.folder) == files_of(tmp_path / "whole")
    assert not (store.folder / "parts").exists() and not (store.folder / "logs").exists()


@pytest.mark.long
def test_another_list_of_files_is_no_resume(tokenizer_dir, tokenizer, tmp_path):
    """Parts are known by number: a file that came in between would be passed over."""
    folder = tmp_path / "c"
    folder.mkdir()
    for name, text in {"a": "Un premier texte.", "c": "Un troisième texte."}.items():
        (folder / f"{name}.jsonl").write_text(json.dumps({"text": text * 20_000}))
    (folder / "d.jsonl").write_text("{broken")
    config = StoreConfig(Path(f"{folder}/*.jsonl"), tmp_path / "s", str(tokenizer_dir),
                         section_mb=1, max_length=64)  # fmt: skip
    for name in ("a", "c"):
        with open(folder / f"{name}.jsonl", "a") as file:
            file.write("\n" + json.dumps({"text": "Encore. " * 100_000}))
    with pytest.raises(DataError, match="is not JSON"):
        make_store(config)
    (folder / "d.jsonl").write_text(json.dumps({"text": "Réparé."}))
    (folder / "b.jsonl").write_text(json.dumps({"text": "Nouveau."}))
    with pytest.raises(UsageError, match="inputs of|files of the corpus"):
        make_store(config)
    store = make_store(config, overwrite=True)
    assert store is not None and store.manifest.source_documents == 6


def test_many_small_files_are_few_parts(tokenizer, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    texts = [f"Note numéro {i} du dossier." for i in range(60)]
    for number, text in enumerate(texts):
        (folder / f"{number:03d}.txt").write_text(text)
    places = parts_of_sections(str(folder), tokenizer, tmp_path / "parts", 64)
    assert len(places) == 1
    build_store(texts, tokenizer, tmp_path / "whole", max_length=64)
    assert files_of(places[0]) == files_of(tmp_path / "whole")


@pytest.mark.long
def test_workers_end_with_their_parent(sample_texts, tokenizer_dir, tmp_path):
    psutil = pytest.importorskip("psutil")
    texts = [text * 60 for text in sample_texts[:60]]
    pq.write_table(pa.table({"text": texts}), tmp_path / "c.parquet")
    corpus = str(tmp_path / "c.parquet")
    command = [sys.executable, "-m", "doctobert_hf", "pretrain", "store", corpus]
    command += ["--tokenizer", str(tokenizer_dir), "--output", str(tmp_path / "s")]
    command += ["--workers", "2", "--section-mb", "1"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list((tmp_path / "s").glob("parts/[0-9]*")):
        time.sleep(0.005)
    assert process.poll() is None, "it came to its end before the kill"
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
