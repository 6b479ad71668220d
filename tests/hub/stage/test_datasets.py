"""Datasets: one schema, whole shards, the same bytes after an interruption, nothing secret."""

from __future__ import annotations

import json
import subprocess
import sys

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.cli import main
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.publish.push import Target, push_dataset
from doctobert_hf.hub.stage.datasets import SourceSplit, find_splits, write_split
from doctobert_hf.hub.stage.preflight import PreflightError
from doctobert_hf.runs.record import describe_output

FACTS = CardFacts(license="cc-by-4.0", contact="a@example.org", authors=("A",))


def write(path, rows=10, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = columns or {"text": [f"Texte {i} du patient." for i in range(rows)]}
    pq.write_table(pa.table(table), path)
    return path


def dry(path, tmp_path, facts=FACTS, name="dry", **options):
    report = push_dataset(path, Target("me/corpus", dry_run=tmp_path / name), facts, **options)
    return report, (tmp_path / name / "README.md").read_text()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["train.parquet", "dev.parquet"], {("default", "train"), ("default", "validation")}),
        (["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"], {("default", "train")}),
        (["part_001.parquet"], {("default", "train")}),
        (
            ["Train.parquet", "val.parquet", "testing.parquet"],
            {("default", "train"), ("default", "validation"), ("default", "test")},
        ),
        (["a/Eval/0.parquet", "a/training/0.parquet"], {("a", "test"), ("a", "train")}),
        (
            ["fineweb-2/000.parquet", "finewiki/train.parquet"],
            {("fineweb-2", "train"), ("finewiki", "train")},
        ),
        (["data/a/test/0.parquet"], {("a", "test")}),
        (
            ["train.parquet", "train_chunks.parquet", "held_out_chunks.parquet"],
            {("documents", "train"), ("chunks", "train"), ("chunks", "held_out")},
        ),
        (
            ["notes_train.parquet", "notes_val.parquet"],
            {("notes", "train"), ("notes", "validation")},
        ),
        (
            ["a-held_out.parquet", "b.test-00000-of-00001.parquet"],
            {("a", "held_out"), ("b", "test")},
        ),
        (["devices.parquet", "latest.parquet", "trains.parquet"], {("default", "train")}),
    ],
)
def test_names_of_files_say_split_and_configuration(tmp_path, files, expected):
    for name in files:
        write(tmp_path / name)
    assert {(s.config, s.split) for s in find_splits(tmp_path)} == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["train.parquet", "notes.parquet"], "'notes.parquet' beside 'train.parquet'"),
        (["a/b/train.parquet", "a-b/train.parquet"], "would both be the configuration 'a-b'"),
        (["train.parquet", "default/train.parquet"], "would both be the configuration 'default'"),
        (["traindata.parquet", "testdata.parquet"], "'testdata.parquet' among files of the split"),
        (["train.parquet", "dev_test.parquet"], "'dev_test.parquet' names two splits"),
        (["a/train-val-00000-of-00001.parquet"], "names two splits, 'train' and 'val'"),
        (["a_dev_1b.parquet", "a_1b.parquet"], "'a_dev_1b.parquet' among files of the split"),
    ],
)
def test_unclear_layouts_are_refused(tmp_path, files, message):
    for name in files:
        write(tmp_path / name)
    with pytest.raises(UsageError, match=message):
        find_splits(tmp_path)


def test_other_files_are_not_passed_over(tmp_path):
    write(tmp_path / "train.parquet")
    (tmp_path / "more.jsonl").write_text("{}")
    with pytest.raises(UsageError, match=r"more.jsonl"):
        find_splits(tmp_path)
    with pytest.raises(UsageError, match="Parquet"):
        find_splits(tmp_path / "more.jsonl")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="No Parquet"):
        find_splits(tmp_path / "empty")


def test_files_of_two_schemas_are_refused_and_named(tmp_path):
    write(tmp_path / "in" / "a.parquet", text=["x"], score=[1])
    write(tmp_path / "in" / "b.parquet", text=["y"], score=["1"])
    with pytest.raises(DataError, match=r"'score' of b.parquet is string. Expected int64"):
        dry(tmp_path / "in", tmp_path)
    write(tmp_path / "in" / "b.parquet", text=["y"])
    with pytest.raises(DataError, match=r"b.parquet has no column 'score'"):
        dry(tmp_path / "in", tmp_path)
    write(
        tmp_path / "in" / "b.parquet", text=["y"], score=pa.nulls(1)
    )  # takes the type it has elsewhere
    report, _ = dry(tmp_path / "in", tmp_path)
    rows = datasets.load_dataset(str(tmp_path / "dry"), split="train", cache_dir=tmp_path / "c")
    assert rows["score"] == [1, None] and report.kind == "dataset"


def test_shards_hold_every_row_in_order_and_the_card_counts_them(documents, tmp_path):
    report, card = dry(documents, tmp_path, max_shard_bytes=1)
    shards = [name for name in report.files if name.endswith(".parquet")]
    assert shards == [f"data/default/train-{i:05d}-of-00005.parquet" for i in range(5)]
    rows = datasets.load_dataset(str(tmp_path / "dry"), split="train", cache_dir=tmp_path / "c")
    assert rows["id"] == [f"d{i}" for i in range(300)]
    words = sum(len(text.split()) for text in rows["text"])
    assert f"| default | train | 300 | {words:,} |" in card
    front = card.split("---")[1]
    assert "num_examples: 300" in front and "config_name: default" in front


def test_a_stopped_run_goes_on_and_gives_the_same_bytes(documents, tmp_path):
    source = find_splits(documents)[0]

    class Stop(Exception):
        pass

    def stop(name, rows):
        if "00002" in name:
            raise Stop

    whole = write_split(source, tmp_path / "whole", 1)
    with pytest.raises(Stop):
        write_split(source, tmp_path / "part", 1, on_shard=stop)
    (tmp_path / "part/data/default/train-00003.part.parquet").write_bytes(b"half")
    seen = []
    again = write_split(source, tmp_path / "part", 1, on_shard=lambda name, rows: seen.append(name))
    assert len(seen) == 2  # of five
    assert again.rows == whole.rows and again.bytes == whole.bytes
    assert again.statistics.to_state() == whole.statistics.to_state()
    for name in whole.shards:
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    left = sorted(p.name for p in (tmp_path / "part/data/default").glob("*.parquet"))
    assert left == [name.rsplit("/", 1)[-1] for name in whole.shards]


def test_another_source_is_not_gone_on_with(documents, tmp_path):
    write_split(find_splits(documents)[0], tmp_path / "out", 1)
    write(documents, 3)
    record = write_split(find_splits(documents)[0], tmp_path / "out", 1)
    assert record.rows == 3
    assert len(list((tmp_path / "out/data/default").glob("*.parquet"))) == 1


def test_rows_with_secrets_stop_it(tmp_path):
    leak = "hf_" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA"
    path = write(tmp_path / "x.parquet", text=["ok", f"mon jeton {leak}", "ok"], n=[1, 2, 3])
    with pytest.raises(
        PreflightError,
        match=r"holds a Hugging Face token, 'hf_a… .35 characters.' in column 'text', 1 row.s."
        r", the first is row 1",
    ) as found:
        dry(path, tmp_path)
    assert leak not in str(found.value)


def test_empty_and_split_schemas(tmp_path):
    with pytest.raises(DataError, match="is empty"):
        dry(write(tmp_path / "e.parquet", text=pa.array([], pa.string())), tmp_path)
    write(tmp_path / "two/train.parquet", text=["x"])
    write(tmp_path / "two/test.parquet", text=["x"], more=[1])
    with pytest.raises(DataError, match="The columns of 'test'"):
        dry(tmp_path / "two", tmp_path, name="dry2")


def finemed(rows=4, **more):
    return {
        "text": ["Le patient présente une douleur."] * rows,
        "url": ["https://example.org/a"] * rows,
        "edu_quality_normalized_score": [0, 2, 4, None][:rows],
        "medical_entity_density": pa.array([0.0, 0.15, 0.3, 0.25][:rows], pa.float32()),
        "health_domain_classification_best_class": ["Clinical cases & vignettes"] * rows,
        **more,
    }


def test_finemed_card_has_thresholds_licences_and_missing_columns(tmp_path):
    write(tmp_path / "in/fineweb-2/a.parquet", **finemed())
    write(tmp_path / "in/finewiki/a.parquet", **finemed())
    report, card = dry(tmp_path / "in", tmp_path, CardFacts(contact="a@example.org"))
    assert report.kind == "finemed"
    assert "| fineweb-2 | train | 4 | 20 | 0.00 | odc-by |" in card
    assert "| finewiki | train | 4 | 20 | 0.00 | cc-by-sa-4.0 |" in card
    assert "| 4 | 0.1 | 2 | 10 |" in card and "| 0 | 0.1 | 6 | 30 |" in card
    assert "| Clinical cases & vignettes | 8 |" in card
    assert "`dump`" in card.split("does not have")[1]
    bad = write(tmp_path / "b.parquet", **finemed(edu_quality_normalized_score=["1"] * 4))
    with pytest.raises(DataError, match="edu_quality_normalized_score' of 'default' is string"):
        dry(bad, tmp_path, name="bad")


def test_rephrased_card_says_it_was_generated_and_by_what(tmp_path):
    more = {"original_text": ["x"] * 4, "rewriting_config": [{"model": "Q/Rewriter"}] * 4}
    path = write(tmp_path / "r.parquet", **finemed(**more))
    report, card = dry(path, tmp_path)
    assert report.kind == "rephrased" and not report.warnings
    assert "Generated data." in card and "(Q/Rewriter)" in card and "- synthetic" in card
    assert "| quality ≥ | density ≥ |" in card


def test_where_no_row_has_a_quality_the_card_has_no_table_of_it(tmp_path):
    """Of a rewrite nobody judged, '0 rows of quality 2' would be a judgement."""
    none = pa.array([None] * 4, pa.int64())
    more = {"original_text": ["x"] * 4, "cluster_rank": [0] * 4}
    rows = finemed(edu_quality_normalized_score=none, **more)
    _, card = dry(write(tmp_path / "r.parquet", **rows), tmp_path)
    assert "with at least this density of medical terms:" in card and "| 0.1 | 3 | 15 |" in card
    assert "quality ≥" not in card and "least educational" not in card
    assert "place in the cluster" in card
    assert "cluster_rank" not in card.split("does not have")[1].split("\n")[0]


def test_rows_under_another_licence_are_told(tmp_path):
    path = write(tmp_path / "x.parquet", text=["a"] * 3, licence=["CC BY 4.0", "CC BY 4.0", "NC"])
    report, card = dry(path, tmp_path)
    told = "1 row(s) say their licence is 'NC'; the card says cc-by-4.0, and theirs too"
    assert report.warnings == [told]
    front = card.split("---")[1]
    assert "- cc-by-4.0\n- other" in front and "license_name: NC" in front
    assert "| CC BY 4.0 | 2 |" in card


def test_rows_name_their_licence_in_a_struct_too(tmp_path):
    kind = pa.struct([("license", pa.large_string()), ("url", pa.string())])
    told = pa.array([{"license": "mit", "url": "x"}, {"license": "mit", "url": "y"}], kind)
    path = write(tmp_path / "x.parquet", text=["a"] * 2, metadata=told)
    report, card = dry(path, tmp_path)
    assert "2 row(s) say their licence is 'mit'" in report.warnings[0]
    assert "- cc-by-4.0\n- mit" in card.split("---")[1]


def test_a_finemed_card_names_the_axes_that_there_are(tmp_path):
    rows = {"text": ["a"] * 2, "medical_entity_density": pa.array([0.1, 0.2], pa.float32())}
    _, card = dry(write(tmp_path / "x.parquet", **rows), tmp_path)
    assert "each has the density of its medical terms." in card
    for claimed in ("subdomain", "educational", "health text", "sous-domaine", "de santé"):
        assert claimed not in card.split("does not have")[0], claimed
    assert "Les annotations sont automatiques" not in card


def test_features_of_a_dataset_survive(tmp_path):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["non", "oui"])}
    )
    rows = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=features)
    record = write_split(SourceSplit("default", "train", dataset=rows), tmp_path)
    assert record.features == features
    file = str(tmp_path / record.shards[0])
    again = datasets.Dataset.from_parquet(file, cache_dir=str(tmp_path / "cache"))
    assert again.features == features and again["label"] == [0, 1]


def test_tasks_that_may_not_be_copied_are_refused(tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(UsageError, match="CAS, which may not be redistributed .Data-use agreement"):
        dry(tmp_path / "raw", tmp_path, tasks=("morfitt", "cas_pos"))


@pytest.mark.long
def test_real_tasks(data_dir, tmp_path):
    report, card = dry(data_dir, tmp_path, CardFacts(contact="x"), tasks=("morfitt",))
    assert report.kind == "drbenchmark" and "CC-BY-SA-4.0" in card and "labrak" in card
    assert "forbid" not in card and "differ from task to task" not in card  # one, and open
    rows = datasets.load_dataset(str(tmp_path / "dry"), "morfitt", cache_dir=tmp_path / "cache")
    assert rows.num_rows == {"train": 1514, "validation": 1022, "test": 1088}
    assert rows["train"].features["labels"].feature.num_classes == 12


MEASURE = """
import resource, sys
from pathlib import Path
from doctobert_hf.hub.stage.datasets import find_splits, write_split

source = find_splits(Path(sys.argv[1]))[0]
write_split(source, Path(sys.argv[2]), 20_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.long
def test_memory_does_not_grow_with_the_data(tmp_path):
    """Eight times the rows, the same memory."""
    import random

    words = [f"mot{i}" for i in range(50_000)]
    draw = random.Random(0)
    peaks = []
    texts = [" ".join(draw.choices(words, k=1000)) for _ in range(5_000)]  # 40 MB
    for parts in (1, 8):
        folder = tmp_path / str(parts)
        for part in range(parts):
            write(folder / f"{part}.parquet", text=texts)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, folder, tmp_path / f"out{parts}"],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 60, peaks  # of 280 MB of text more


def test_plan_of_a_dry_run_lists_the_files(documents, tmp_path):
    report, _ = dry(documents, tmp_path)
    plan = json.loads((tmp_path / "dry.plan.json").read_text())
    assert plan["files"] == report.files and plan["repo_id"] == "me/corpus"


def test_parquet_that_cannot_be_published_is_told_with_file_and_reason(tmp_path, capsys):
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pairs = pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string()))
    for name, table, reason in (
        ("twice", twice, "more than one column 'a'"),
        ("map", pa.table({"c": pairs}), "Column 'c' of map.parquet is map<string, string"),
        ("empty", pa.table({"a": pa.array([], pa.string())}), "no row in empty.parquet"),
        ("corrupt", None, "cannot be read as Parquet"),
    ):
        file = tmp_path / f"{name}.parquet"
        file.write_bytes(b"PAR1nonsense") if table is None else pq.write_table(table, file)
        push = ["hub", "push-dataset", str(file), "me/x", "--license", "mit", "--dry-run"]
        assert main([*push, "--output", str(tmp_path / name)]) == 1
        told = capsys.readouterr().err
        assert reason in told and file.name in told and "--debug" not in told


def test_hidden_files_are_no_data(tmp_path):
    write(tmp_path / "in" / "train.parquet")
    for name in ("._train.parquet", ".ipynb_checkpoints/train-checkpoint.parquet", ".x/test.jsonl"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"Mac OS X")
    (source,) = find_splits(tmp_path / "in")
    assert [file.name for file in source.files] == ["train.parquet"]


def test_the_ending_may_be_in_capitals(tmp_path):
    write(tmp_path / "in" / "TRAIN.PARQUET")
    write(tmp_path / "in" / "test.Parquet")
    assert [source.split for source in find_splits(tmp_path / "in")] == ["train", "test"]
    (tmp_path / "in" / "more.CSV").write_text("a")
    with pytest.raises(UsageError, match=r"more\.CSV"):
        find_splits(tmp_path / "in")


def test_what_stays_behind_is_told(tmp_path):
    write(tmp_path / "in" / "train.parquet")
    (tmp_path / "in" / "README.md").write_text("# Notes\n![picture](a.png)\n")
    for name in ("a.png", "LICENSE", "vectors.npy", "scans/1.pdf"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    report, _ = dry(tmp_path / "in", tmp_path)
    (told,) = [warning for warning in report.warnings if "Left out" in warning]
    assert told.endswith(": scans/1.pdf, vectors.npy")


def test_the_licence_is_asked_for_before_a_row_is_read(tmp_path):
    source = write(tmp_path / "train.parquet")
    read = []
    for facts in (CardFacts(), CardFacts(license="apache2"), CardFacts(license="other")):
        with pytest.raises(PreflightError, match="licence"):
            dry(source, tmp_path, facts, on_shard=lambda *told: read.append(told))
    assert read == []
    rows = write(tmp_path / "rows.parquet", text=["x", "y"], license=["mit", "gpl-3.0"])
    assert "- gpl-3.0" in dry(rows, tmp_path, CardFacts())[1]


def test_only_the_files_that_a_run_generated_are_told_to_be_generated(tmp_path):
    own = write(tmp_path / "run" / "data" / "train.parquet")
    others = write(tmp_path / "run" / "data" / "test.parquet", rows=3)
    record = {"schema_version": 1, "kind": "k", "settings": {}}
    record["results"] = {"corpus": {"generated": True}}
    record["outputs"] = {"data/train.parquet": describe_output(own)}
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    assert "- synthetic" in dry(own, tmp_path, name="own")[1]
    for place in (others, tmp_path / "run" / "data"):
        card = dry(place, tmp_path, name=f"{place.name}-dry")[1]
        assert "synthetic" not in card and "is real" not in card
