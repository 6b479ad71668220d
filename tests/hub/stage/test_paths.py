"""Paths of a machine become names before anything leaves."""

import json
import shutil

import pytest

from doctobert_hf.hub.stage.paths import without_paths

POSIX = """
/home/anne/run /lustre/fsn1/projects/rech/abc/uab12cd/run /gpfswork/rech/abc/run
/linkhome/rech/x/run
/pasteur/zeus/projets/p01/run /nfs/home/x/run /Volumes/Disque/run /mnt/beegfs/run /applis/x/run
/data/corpus/run /ceph01/users/x/run /pasteur/p01/exp=2/run /zeus/a:b/run
/autofs/unitytravail/run /dbfs/mnt/run file:///srv/run
s3://bucket-prive/notes/run gs://b/run hdfs://cluster/user/run ~/corpus/run
az://c/run r2://b/run minio://b/run dbfs:/mnt/x/run smb://srv/part/run sftp://u@h/x/run
hf://buckets/me/run ~anne/corpus/run $HOME/run ${SCRATCH}/x/run nas:/volume1/x/run
anne@host:/home/x/run //serveur/partage/run /u/anne/x/run
"""
WINDOWS = (r"C:\Users\dupont\run", r"D:\notes été\run", r"\\serveur\partage$\run", "E:/Users/a/run")
NONE = (
    *(
        "almanach/camembert-base",
        "cardiology",
        "https://example.org/home/anne",
        "140/90",
        "mg/kg/j",
    ),
    *("models/run", "et/ou", "24/11/2026", "a / b", "/", "bfloat16"),
)


@pytest.mark.parametrize("path", [*POSIX.split(), *WINDOWS])
def test_a_path_becomes_its_last_part(path):
    told = []
    assert without_paths({"a": [{"b": path}], "n": 3}, told) == {"a": [{"b": "run"}], "n": 3}
    assert told == ["run"]


@pytest.mark.parametrize("value", NONE)
def test_what_is_no_path_stays(value):
    told = []
    assert without_paths({"a": value}, told) == {"a": value} and not told


@pytest.mark.parametrize(
    "text",
    [
        "'/data/un projet/run'",
        'lu dans "/home/jean dupont/mes notes/run" hier',
        "« /home/anne/notes d été/run »",
        r"'D:\\mes notes\\run'",
        "corpus=/home/jean dupont/run --x",
        "$scratch/x/run ${work}/run",
        "zip://x.csv::/home/anne/run",
        "sqlite:////home/anne/run local:///srv/x/run",
        "https://chu.blob.core.windows.net/notes/run",
        "https://chu-prive.s3.eu-west-3.amazonaws.com/x/run https://s3.amazonaws.com/b/run",
        "https://storage.googleapis.com/b/x/run",
        "../../anne/corpus/run",
        "lu dans ../../anne/corpus/run hier",
        "copie de //serveur/partage/run faite",
        r"depuis \\wsl$\Ubuntu\home\anne\run",
    ],
)
def test_blanks_quotes_variables_and_stores(text):
    shown = without_paths({"a": text})["a"]
    assert "run" in shown
    for part in ("jean", "anne", "notes", "projet", "work", "scratch", "b/", "x/", "chu", "srv"):
        assert part not in shown, shown


@pytest.mark.parametrize(
    "path",
    [
        "/export/home/alice",
        "/mnt/c/Users/alice",
        "/home/alice",
        "/Users/alice/",
        r"C:\Users\alice",
        "voir /home/alice",
    ],
)
def test_a_home_is_no_name(path):
    assert "alice" not in without_paths({"a": path})["a"]


def test_addresses_and_names_stay():
    for text in (
        "git@github.com:almanach/x.git",
        "https://storage.example.org/home/x and https://github.com/tmp/data/work",
        "'oui'/'non'/'peut-être', l'unité mg/kg/jour",
        '"/jour" ou "mg/kg"',
    ):
        assert without_paths(text) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "part", ["/home/a b c ", "a ", "/home", "'/a", "$work", "a::/home/b ", "../"]
)
def test_hostile_lines_take_no_more_than_their_length(part):
    without_paths({"a": "x /home/" + part * 30_000})


def test_names_of_classes_stay():
    labels = {"id2label": {"0": "/dose/jour"}, "label2id": {"/dose/jour": 0}}
    assert without_paths(labels) == labels


def test_inside_a_sentence():
    assert without_paths("read from /home/anne/notes.csv, twice") == "read from notes.csv, twice"
    for path in (
        *("/ccc/scratch/cont003/run", "/leonardo_work/x/run", "/dev/shm/x/run", "/home2/x/run"),
        *("/nowhere/we/know/run", "Z:/projets/run", "D:\\run", "anne@host:notes/x/run"),
    ):
        assert without_paths(f"lu dans {path} puis fini") == "lu dans run puis fini", path
    for plain in ("~5/10 et ~140/90, $p/n$, 3 mg/kg/j", "/jour ou /semaine", "ratio A:B, T1/N0/M0"):
        assert without_paths(plain) == plain


def test_a_models_configuration_leaves_with_names(tmp_path, model_dir):
    from doctobert_hf.hub.cards.records import locate_model
    from doctobert_hf.hub.stage.models import stage_model

    source = tmp_path / "model"
    shutil.copytree(model_dir, source)
    config = json.loads((source / "config.json").read_text())
    config["task_specific_params"] = {"data": "/lustre/fsn1/abc/notes.parquet"}
    (source / "config.json").write_text(json.dumps(config))
    (told,) = stage_model(locate_model(source), tmp_path / "out")
    staged = json.loads((tmp_path / "out" / "config.json").read_text())
    assert staged["task_specific_params"] == {"data": "notes.parquet"}
    assert "reduced to their last part: notes.parquet" in told


@pytest.mark.timeout(30)
@pytest.mark.parametrize("text", ["../" * 100_000 + "x\n", "https://" + "s3." * 100_000])
def test_long_values_take_no_more_than_their_length(text):
    without_paths(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Voir /home/marie/notes and/or the rest.", "Voir notes and/or the rest."),
        ("Dans /tmp/essai puis 5 mg/kg par jour.", "Dans essai puis 5 mg/kg par jour."),
        ("de /data/corpus et/ou /lustre/x/y.", "de corpus et/ou y."),
        ("in /home/me/mes notes/essai 2/notes.parquet.", "in notes.parquet."),
    ],
)
def test_words_with_a_slash_behind_a_path_stay(text, left):
    assert without_paths(text) == left
