"""Finding corpora in folders and archives, and saying what is wrong where they are not."""

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from doctobert_hf.drbenchmark import get_task
from doctobert_hf.drbenchmark.conversion import convert
from doctobert_hf.drbenchmark.source import find_corpus
from doctobert_hf.errors import DataError, UsageError

MADE_UP = Path(__file__).parent / "data" / "made_up.zip"
TSV = "identifier\tabstract\tspecialities\n1\tTexte.\tvirology|surgery\n"


@pytest.fixture
def morfitt(tmp_path):
    folder = tmp_path / "raw" / "morfitt"
    folder.mkdir(parents=True)
    for part in ("train", "dev", "test"):
        (folder / f"{part}.tsv").write_text(TSV.replace("1\t", f"{part}\t"))
    return folder


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(MADE_UP) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["quaero_emea", "deft2021_cls", "cas_cls", "clister", "diamed", "e3c_temporal"]
)
def test_folder_archive_and_unpacked_corpus_are_the_same(name, unpacked, tmp_path):
    task = get_task(name)
    expected = convert(task, find_corpus(task, MADE_UP)).splits
    assert convert(task, find_corpus(task, unpacked)).splits == expected
    inner = find_corpus(task, unpacked).store.path
    assert convert(task, find_corpus(task, inner)).splits == expected
    packed = tmp_path / f"{task.corpus.name}.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(inner, arcname="some/folder")
    assert convert(task, find_corpus(task, packed)).splits == expected
    # a folder of archives
    assert convert(task, find_corpus(task, tmp_path)).splits == expected


def test_a_wrong_folder_says_what_is_there(tmp_path):
    (tmp_path / "QUAERO_old").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UsageError) as error:
        find_corpus(get_task("quaero_emea"), tmp_path)
    message = str(error.value)
    assert "looked for train/EMEA/*.txt" in message
    assert "found QUAERO_old, notes.txt" in message
    assert "nearest: QUAERO_old" in message
    with pytest.raises(UsageError, match="does not exist"):
        find_corpus(get_task("quaero_emea"), tmp_path / "nowhere")


def test_a_gated_corpus_says_whom_to_ask(tmp_path):
    with pytest.raises(UsageError, match=r"natalia\.grabar@univ-lille\.fr.*DEFT-cas-cliniques"):
        find_corpus(get_task("deft2021_ner"), tmp_path)


def test_a_truncated_archive(tmp_path):
    whole = MADE_UP.read_bytes()
    cut = tmp_path / "quaero.zip"
    cut.write_bytes(whole[: len(whole) // 2])
    for place in (cut, tmp_path):
        with pytest.raises(DataError, match=r"quaero\.zip cannot be read.*whole zip"):
            find_corpus(get_task("quaero_emea"), place)
    tar = tmp_path / "clister.tar.gz"
    with tarfile.open(tar, "w:gz") as archive:
        archive.add(MADE_UP, arcname="x")
    tar.write_bytes(tar.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"clister\.tar\.gz cannot be read"):
        find_corpus(get_task("clister"), tar)


def test_a_damaged_member(tmp_path):
    path = tmp_path / "quaero.zip"
    content = bytearray(MADE_UP.read_bytes())
    with zipfile.ZipFile(MADE_UP) as archive:
        info = next(
            i for i in archive.infolist() if "train/EMEA" in i.filename and i.file_size > 99
        )
    start = info.header_offset + 30 + len(info.filename.encode())
    content[start + 5 : start + 25] = b"\0" * 20
    path.write_bytes(content)
    task = get_task("quaero_emea")
    with pytest.raises(DataError, match="train/EMEA.*cannot be read"):
        convert(task, find_corpus(task, path))


@pytest.mark.parametrize("name", ["../evil.tsv", "/evil.tsv", "a/../../evil.tsv", "C:\\evil.tsv"])
def test_entries_that_lead_outside(name, tmp_path):
    path = tmp_path / "morfitt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in ("train", "dev", "test"):
            archive.writestr(f"{part}.tsv", TSV)
        archive.writestr(name, "x")
    with pytest.raises(DataError, match="leads out of the archive"):
        find_corpus(get_task("morfitt"), path)
    assert not list(tmp_path.parent.glob("evil*"))


def test_links_in_tar_archives_are_refused(tmp_path):
    path = tmp_path / "morfitt.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("train.tsv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(DataError, match="is a link"):
        find_corpus(get_task("morfitt"), path)


def test_corpora_with_the_same_file_names_are_told_apart(morfitt):
    other = morfitt.parent / "another"
    shutil.copytree(morfitt, other)
    for path in other.iterdir():
        path.write_text("a\tb\n1\t2\n")
    assert find_corpus(get_task("morfitt"), morfitt.parent).store.path == morfitt


def test_missing_columns_and_unknown_labels(morfitt):
    task = get_task("morfitt")
    (morfitt / "dev.tsv").write_text(TSV.replace("abstract", "texte"))
    with pytest.raises(DataError, match=r"dev\.tsv: no column 'abstract' \(found 'identifier'"):
        convert(task, find_corpus(task, morfitt))
    (morfitt / "dev.tsv").write_text(TSV.replace("surgery", "chirurgie"))
    with pytest.raises(DataError, match=r"dev\.tsv:2: speciality 'chirurgie'"):
        convert(task, find_corpus(task, morfitt))


def test_scope_tables_name_file_and_line(tmp_path):
    lines = "1\t1\tLe\tle\tDET:ART\tx\tDET:ART\t***\n1\t2\tfoie\tfoie\tNOM\tx\tNOM\t{}\n"
    neg, spec = tmp_path / "CAS_neg.txt", tmp_path / "CAS_spec.txt"
    spec.write_text(lines.format("***"))
    neg.write_text(lines.format("B_scope_ney"))
    task = get_task("cas_ner_neg")
    with pytest.raises(DataError, match=r"CAS_neg\.txt:2: tag 'B_scope_ney' is not in the label"):
        convert(task, find_corpus(task, tmp_path))
    neg.write_text(lines.format("_").replace("1\t2", "x\t2"))
    with pytest.raises(DataError, match=r"CAS_neg\.txt:2: document id 'x'"):
        convert(task, find_corpus(task, tmp_path))
    neg.write_text("1\t1\n")
    with pytest.raises(DataError, match=r"CAS_neg\.txt:1: 2 columns"):
        convert(get_task("cas_cls"), find_corpus(get_task("cas_cls"), tmp_path))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"t1-train.xml": "<doc><paire id='x' moy='1'/></doc>"}, "id 'x'"),
        ({"t1-train.xml": "<doc><paire id='1' moy='1,5'/></doc>"}, "moy '1,5'"),
        ({"t1-train.xml": "<autre/>"}, "no <paire> in <autre>"),
        ({"t1-train.xml": "<doc><paire id='1'/></doc>"}, "<paire> without 'moy'"),
    ],
)
def test_deft2020_errors(files, message, tmp_path):
    pair = "<doc><paire id='1' moy='1'><source>a</source><cible>b</cible></paire></doc>"
    for name, text in ({"t1-train.xml": pair, "t1-test.xml": pair} | files).items():
        (tmp_path / name).write_text(text)
    task = get_task("deft2020_sts")
    with pytest.raises(DataError, match=message):
        convert(task, find_corpus(task, tmp_path))


def test_deft2020_reads_a_single_pair(tmp_path):
    pair = "<doc><paire id='1' moy='4.3'><source> a\nb </source><cible>c</cible></paire></doc>"
    for name in ("t1-train.xml", "t1-test.xml"):
        (tmp_path / name).write_text(pair)
    task = get_task("deft2020_sts")
    (row,) = convert(task, find_corpus(task, tmp_path)).splits["test"]
    assert row == {"id": "1", "text_1": "a\nb", "text_2": "c", "score": 4.3}


def test_pxcorpus_with_more_blocks_than_sentences(tmp_path):
    (tmp_path / "seq.in").write_text("a b")
    (tmp_path / "seq.label").write_text("none")
    (tmp_path / "PxSLU_conll.txt").write_text("a\tO\nb\tO\n\nc\tO\n")
    task = get_task("pxcorpus_ner")
    with pytest.raises(DataError, match=r"PxSLU_conll\.txt:4: block 2, but .*seq\.in has 1 lines"):
        convert(task, find_corpus(task, tmp_path))


def test_a_remote_file_object_is_an_archive():
    from doctobert_hf.drbenchmark.source import open_zip

    store = open_zip(io.BytesIO(MADE_UP.read_bytes()), "memory")
    assert store.has("morfitt/train.tsv")


def test_an_archive_of_another_corpus_that_is_damaged_does_not_matter(tmp_path):
    (tmp_path / "deft2019.zip").write_bytes(MADE_UP.read_bytes()[:5000])
    (tmp_path / "deft2020.zip").write_bytes(MADE_UP.read_bytes())
    assert find_corpus(get_task("deft2020_sts"), tmp_path).store.label.endswith("deft2020.zip")


def test_archives_are_told_apart_by_their_content(tmp_path):
    with zipfile.ZipFile(tmp_path / "aaa.zip", "w") as archive:
        for part in ("train", "dev", "test"):
            archive.writestr(f"{part}.json", "[{}]")
    (tmp_path / "zz.zip").write_bytes(MADE_UP.read_bytes())
    found = find_corpus(get_task("frenchmedmcqa_cls"), tmp_path)
    assert found.store.label.endswith("zz.zip")


def test_backslashes_in_zip_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "morfitt.zip", "w") as archive:
        for part in ("train", "dev", "test"):
            info = zipfile.ZipInfo("x")
            info.filename = f"morfitt\\{part}.tsv"
            archive.writestr(info, TSV.replace("1\t", f"{part}\t"))
    task = get_task("morfitt")
    assert len(convert(task, find_corpus(task, tmp_path)).splits["test"]) == 1


@pytest.mark.parametrize("ending", ["tar.xz", "tar.bz2", "tgz"])
def test_other_compressions(ending, unpacked, tmp_path):
    path = tmp_path / f"clister.{ending}"
    modes = {"tar.xz": "w:xz", "tar.bz2": "w:bz2", "tgz": "w:gz"}
    with tarfile.open(path, modes[ending]) as archive:
        archive.add(unpacked / "clister", arcname="clister")
    task = get_task("clister")
    expected = convert(task, find_corpus(task, MADE_UP)).splits
    assert convert(task, find_corpus(task, tmp_path)).splits == expected


@pytest.mark.parametrize(
    "record",
    [
        {"answers": None},
        {"correct_answers": None},
        {"correct_answers": "ab"},
        {"correct_answers": ["a", "a"]},
        {"correct_answers": [0]},
        {"question": None},
        {"answers": dict.fromkeys("abcde", 3)},
    ],
)
def test_frenchmedmcqa_records_of_another_shape(record, tmp_path):
    import json

    good = {"id": "1", "question": "q", "answers": dict.fromkeys("abcde", "x")}
    good["correct_answers"] = ["a"]
    for part in ("train", "dev", "test"):
        (tmp_path / f"{part}.json").write_text(json.dumps([good]))
    (tmp_path / "dev.json").write_text(json.dumps([good, good | record]))
    for name in ("frenchmedmcqa_cls", "frenchmedmcqa_mcqa"):
        task = get_task(name)
        with pytest.raises(DataError, match=r"dev\.json record 1"):
            convert(task, find_corpus(task, tmp_path))


@pytest.mark.parametrize("score", ["nan", "90", "1_0", "2,5", "", "-1"])
def test_scores_off_the_scale(score):
    from doctobert_hf.drbenchmark.spec import read_score

    with pytest.raises(DataError, match="from 0 to 5"):
        read_score(score, "sim")
    assert read_score(" 4.3 ", "sim") == 4.3


def test_mantra_doctobert_needs_all_parts(tmp_path, unpacked):
    name = "EMEA_GSC_fr_man.xml"
    shutil.copy(next(unpacked.rglob(name)), tmp_path / name)
    task = get_task("mantragsc_emea")
    assert convert(task, find_corpus(task, tmp_path)).splits["test"]
    with pytest.raises(DataError, match="all three parts"):
        convert(task, find_corpus(task, tmp_path), "doctobert")


def test_strict_e3c_keeps_nested_annotations_apart(tmp_path):
    text = "Une douleur thoracique aigue et l'observation."
    spans = [("CLINENTITY", 4, 28), ("CLINENTITY", 12, 22), ("CLINENTITY", 34, 45)]
    marks = "".join(f'<custom:{k} begin="{a}" end="{b}"/>' for k, a, b in spans)
    xmi = (
        '<x xmlns:cas="c" xmlns:custom="u" xmlns:type4="t">'
        f'<cas:Sofa sofaString="{text}"/><type4:Sentence begin="0" end="{len(text)}"/>{marks}</x>'
    )
    for layer in (1, 2):
        folder = tmp_path / "data_annotation" / "French" / f"layer{layer}"
        folder.mkdir(parents=True)
        for number in range(6):
            (folder / f"FR{number}.xml").write_text(xmi.replace("aigue", f"aigu{number}"))
    task = get_task("e3c_clinical")
    folder = find_corpus(task, tmp_path)
    plain = convert(task, folder).splits["test"][0]
    assert plain["ner_tags"][:4] == ["O", "B-CLINENTITY", "B-CLINENTITY", "I-CLINENTITY"]
    assert plain["tokens"][6] == "'observation" and plain["ner_tags"][6] == "O"
    strict = convert(task, folder, "strict")
    (row,) = strict.splits["test"][:1] or strict.splits["train"][:1]
    assert row["ner_tags"][1:4] == ["B-CLINENTITY", "I-CLINENTITY", "I-CLINENTITY"]
    assert row["ner_tags"][6] == "B-CLINENTITY"
    assert any("nested" in kind for kind in strict.report.counts)
