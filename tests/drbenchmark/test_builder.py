"""``load_dataset`` as users call it, in processes of their own where the surroundings matter."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

MADE_UP = Path(__file__).parent / "data" / "made_up.zip"
ID = "doctobert_hf/drbenchmark"


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh process, with an empty cache, in a folder of its own."""

    def run(code, cwd=None, **variables):
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if k != "DOCTOBERT_DATA_DIR"}
        environment |= {
            "HF_DATASETS_CACHE": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            **variables,
        }
        done = subprocess.run(
            [sys.executable, "-c", f"data_dir = {str(MADE_UP)!r}\n{code}"],
            cwd=cwd or work,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize(
    "imports",
    [
        "import doctobert_hf\nfrom datasets import load_dataset",
        "from datasets import load_dataset\nimport doctobert_hf",
        "import datasets, doctobert_hf\ndoctobert_hf.register()\n"
        "load_dataset = datasets.load_dataset",
    ],
)
def test_either_order_of_imports_in_an_empty_folder(python, imports):
    code = f"""{imports}
import json, os
assert os.listdir() == []
data = load_dataset("{ID}", "pxcorpus_ner", data_dir=data_dir)
print(json.dumps(data.num_rows))"""
    expected = json.loads((MADE_UP.parent / "original_rows.json").read_text())["pxcorpus_ner"]
    assert python(code) == {split: expected[split][0] for split in expected}


@pytest.mark.long
@pytest.mark.versions
def test_a_huge_working_directory_is_not_listed(python, tmp_path):
    huge = tmp_path / "huge"
    for number in range(40):
        (huge / str(number)).mkdir(parents=True)
        for name in range(50):
            (huge / str(number) / f"{name}.parquet").touch()
    code = f"""
import builtins, json, os
import doctobert_hf, datasets
seen = []
scan, listing = os.scandir, os.listdir
def scandir(path="."):
    seen.append(str(path))
    return scan(path)
def listdir(path="."):
    seen.append(str(path))
    return listing(path)
os.scandir, os.listdir = scandir, listdir
data = datasets.load_dataset("{ID}", "morfitt", data_dir=data_dir, split="test")
# Python itself looks for modules in the working directory; nobody goes down into it.
print(json.dumps([p for p in seen if os.path.abspath(p).startswith(os.getcwd() + os.sep)]))"""
    assert python(code, cwd=huge) == []


@pytest.mark.long
@pytest.mark.versions
def test_names_splits_slices_and_streaming(python):
    code = f"""
import json
import doctobert_hf
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset
from datasets import load_dataset_builder
names = get_dataset_config_names("{ID}")
splits = get_dataset_split_names("{ID}", "clister", data_dir=data_dir)
builder = load_dataset_builder("{ID}", "cas_pos")
data = load_dataset("{ID}", "clister", data_dir=data_dir)
part = load_dataset("{ID}", "clister", data_dir=data_dir, split="test[:3]+validation[-2:]")
stream = load_dataset("{ID}", "clister", data_dir=data_dir, streaming=True)
print(json.dumps([names, splits, list(builder.info.features), data["test"].to_list()
    == list(stream["test"]), data["train"].to_list() == list(stream["train"]), len(part),
    str(data["train"].features)]))"""
    names, splits, columns, test, train, part, features = python(code)
    assert len(names) == 27 and names[0] == "quaero_emea"
    assert splits == ["train", "validation", "test"]
    assert columns == ["id", "document_id", "tokens", "pos_tags"]
    assert test and train and part == 5
    assert "float32" in features


@pytest.mark.long
@pytest.mark.versions
def test_every_task_loads(python):
    code = f"""
import json
import doctobert_hf
from datasets import load_dataset
shapes = {{}}
for task in doctobert_hf.list_tasks():
    for protocol in ("drbenchmark", "doctobert", "strict"):
        data = load_dataset("{ID}", task.name, data_dir=data_dir, protocol=protocol)
        for split, rows in data.items():
            assert len(rows[:]["id"]) == len(rows) > 0
    plain = load_dataset("{ID}", task.name, data_dir=data_dir, split="test")
    stream = load_dataset("{ID}", task.name, data_dir=data_dir, split="test", streaming=True)
    assert plain.to_list() == list(stream), task.name
    shapes[task.name] = data["train"].column_names
print(json.dumps(shapes))"""
    shapes = python(code)
    assert len(shapes) == 27
    assert shapes["morfitt"] == ["id", "document_id", "text", "labels"]
    assert shapes["clister"] == ["id", "text_1", "text_2", "score"]
    choice = ["id", "question", *(f"answer_{x}" for x in "abcde"), "correct_answers"]
    assert shapes["frenchmedmcqa_mcqa"] == choice
    candidates = ["candidate_1", "candidate_2", "candidate_3"]
    assert shapes["deft2020_cls"] == ["id", "source", *candidates, "label"]


@pytest.mark.long
def test_the_cache_follows_data_protocol_and_code(python, tmp_path):
    raw = tmp_path / "raw" / "morfitt"
    raw.mkdir(parents=True)
    head = "identifier\tabstract\tspecialities\n"

    def write(text):
        for part in ("train", "dev", "test"):
            (raw / f"{part}.tsv").write_text(f"{head}{part}\t{text}\tvirology\n")
        stamp = time.time_ns()
        os.utime(raw / "train.tsv", ns=(stamp, stamp))

    load = f"""
import json
import doctobert_hf
from datasets import load_dataset
from doctobert_hf.drbenchmark import builder
{{patch}}
data = load_dataset("{ID}", "morfitt", data_dir={str(raw.parent)!r}, split="train")
print(json.dumps([data["text"][0], data.cache_files[0]["filename"]]))"""
    plain = load.format(patch="")
    write("un")
    first, file = python(plain)
    assert first == "un" and "drbenchmark" in file and Path(file).is_file()
    made = Path(file).stat().st_mtime_ns
    assert python(plain) == ["un", file]
    assert Path(file).stat().st_mtime_ns == made
    changed = python(load.format(patch="builder.source_fingerprint = lambda: 'other'"))
    assert changed[0] == "un" and changed[1] != file
    write("deux")
    assert python(plain)[0] == "deux"


@pytest.mark.long
@pytest.mark.versions
def test_what_a_conversion_left_out_is_told_from_the_cache_too(python, tmp_path):
    code = f"""
import json, logging
import doctobert_hf
from datasets import load_dataset
told = []
class Told(logging.Handler):
    def emit(self, record):
        told.append(record.getMessage())
logging.getLogger("doctobert_hf").addHandler(Told())
data = load_dataset("{ID}", "quaero_emea", data_dir=data_dir, protocol="doctobert")
print(json.dumps([told, data["train"].info.description]))"""
    first, second = python(code), python(code)
    assert len(first[0]) == len(second[0]) == 1, (first, second)
    assert "row left out" in second[0][0] or "labels left out" in second[0][0], second
    assert second[0][0].split(": ", 1)[1] in second[1]
    assert str(tmp_path) not in second[1]


@pytest.mark.long
@pytest.mark.versions
def test_files_beside_those_that_name_a_corpus_are_in_the_cache_key(python, tmp_path):
    import zipfile

    with zipfile.ZipFile(MADE_UP) as archive:
        names = [n for n in archive.namelist() if n.startswith("deft/")]
        archive.extractall(tmp_path, names)
    code = f"""
import json
import doctobert_hf
from datasets import load_dataset
data = load_dataset("{ID}", "deft2021_ner", data_dir={str(tmp_path / "deft")!r}, split="train")
print(json.dumps(sum(tag > 0 for row in data["ner_tags"] for tag in row)))"""
    tagged = python(code)
    for path in (tmp_path / "deft").rglob("*.a1"):
        path.write_text("")
    for path in (tmp_path / "deft").rglob("*.a2"):
        path.write_text("")
    assert python(code) < tagged


@pytest.mark.long
@pytest.mark.versions
def test_a_wrong_folder_is_not_answered_from_an_earlier_download(python):
    code = f"""
import json
import doctobert_hf
from datasets import load_dataset
from doctobert_hf.drbenchmark import builder
from doctobert_hf.drbenchmark.source import find_corpus
builder.download_corpus = lambda task, config: find_corpus(task, data_dir)
first = load_dataset("{ID}", "morfitt").num_rows["train"]
errors = []
for wrong in ("/nowhere/at/all", "."):
    try:
        load_dataset("{ID}", "morfitt", data_dir=wrong)
    except Exception as error:
        errors.append(type(error).__name__)
print(json.dumps([first, errors]))"""
    first, errors = python(code)
    assert first > 0 and errors == ["UsageError", "UsageError"]


@pytest.mark.long
@pytest.mark.versions
def test_every_real_task_loads_under_every_protocol(python, data_dir):
    code = f"""
import json
import doctobert_hf
from datasets import load_dataset
sizes = {{}}
for name in ("mantragsc_emea", "mantragsc_patents", "frenchmedmcqa_mcqa", "quaero_emea"):
    for protocol in ("doctobert", "strict"):
        data = load_dataset("{ID}", name, data_dir={str(data_dir)!r}, protocol=protocol)
        sizes[f"{{name}} {{protocol}}"] = data.num_rows
print(json.dumps(sizes))"""
    sizes = python(code)
    assert sizes["mantragsc_patents doctobert"] == {"train": 34, "test": 15}
    assert sizes["quaero_emea doctobert"] == {"train": 427, "validation": 355, "test": 348}


@pytest.mark.long
def test_the_environment_names_the_folder(python):
    code = f"""
import json
import doctobert_hf
from datasets import load_dataset
print(json.dumps(load_dataset("{ID}", "essai_cls", split="test").num_rows))"""
    assert python(code, DOCTOBERT_DATA_DIR=str(MADE_UP)) > 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'cas_pos'", "cas_pos needs data_dir. CAS needs a personal data-use agreement"),
        ("'cas_pos', data_dir='.'", "No files of CAS in '"),
        ("'cas_poss'", "BuilderConfig 'cas_poss' not found"),
        ("'morfitt', data_dir=data_dir, protocol='x'", "Protocol 'x'"),
        ("'morfitt', data_dir='nowhere'", "does not exist"),
        ("'morfitt', data_dir=''", "a folder or an archive on this machine"),
        ("data_dir=data_dir", "No task is named"),
        ("'morfitt'", "could not be downloaded"),
    ],
)
def test_errors_reach_the_user_as_they_are(python, arguments, message):
    code = f"""
import json
import doctobert_hf
from datasets import load_dataset
try:
    load_dataset("{ID}", {arguments})
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))"""
    kind, text = python(code)
    assert message in text
    assert kind in ("UsageError", "DataError", "ValueError")


@pytest.mark.long
def test_registration_is_idempotent_and_leaves_others_alone(python):
    code = """
import json, sys
import doctobert_hf
before = len(sys.meta_path)
doctobert_hf.register(); doctobert_hf.register()
import datasets
first = datasets.load.dataset_module_factory
doctobert_hf.register()
try:
    datasets.load_dataset("someone/else")
except Exception as error:
    other = type(error).__name__
print(json.dumps([len(sys.meta_path) == before, first is datasets.load.dataset_module_factory,
    other, "torch" in sys.modules]))"""
    same_finders, same_factory, other, torch = python(code)
    assert same_finders and same_factory and not torch
    assert other in ("ConnectionError", "DatasetNotFoundError", "OfflineModeIsEnabled")


@pytest.mark.long
def test_a_task_registered_late_is_loaded(tmp_path, python):
    (tmp_path / "mine.txt").write_text("un\ndeux\n")
    code = f"""
import dataclasses, json
import doctobert_hf
from datasets import load_dataset, load_dataset_builder
from doctobert_hf.drbenchmark import get_task, register_task
load_dataset_builder("{ID}", "diamed")  # the builder's module is imported now
def read(task, folder, protocol, report):
    rows = [{{"id": t, "document_id": t, "text": t, "label": task.labels[0]}}
            for t in folder.read_text("mine.txt").split()]
    return {{"train": rows, "validation": rows, "test": rows}}
register_task(dataclasses.replace(get_task("diamed"), name="mine", files=("mine.txt",), read=read,
                                  fingerprint=""))
print(json.dumps(load_dataset("{ID}", "mine", data_dir="{tmp_path}")["test"]["text"][:]))"""
    assert python(code) == ["un", "deux"]
