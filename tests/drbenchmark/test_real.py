"""The real corpora: every number that is known of them. Skipped, saying so, where they are not."""

from collections import Counter

import pytest

from doctobert_hf.drbenchmark import get_task
from doctobert_hf.drbenchmark.conversion import convert, fingerprint_of
from doctobert_hf.drbenchmark.source import find_corpus, open_folder

REAL = (
    *("quaero_emea", "quaero_medline", "e3c_clinical", "e3c_temporal", "morfitt"),
    *("frenchmedmcqa_mcqa", "frenchmedmcqa_cls"),
    *("mantragsc_emea", "mantragsc_medline", "mantragsc_patents"),
)
# Facts of the real BRAT corpus: tokens, B, I, and B by ANAT/CHEM/DEVI/DISO/GEOG/LIVB/OBJC/PHEN/
# PHYS/PROC, per split.
QUAERO = {
    "quaero_emea": [
        (14944, 2356, 833, "120/677/48/646/21/256/70/19/107/392"),
        (13271, 1916, 780, "60/765/22/382/29/245/46/8/125/234"),
        (12042, 1838, 693, "86/762/76/282/14/239/49/29/73/228"),
    ],
    "quaero_medline": [
        (10552, 2204, 1226, "235/266/29/715/33/243/23/43/119/498"),
        (10503, 2247, 1155, "264/284/38/662/44/271/27/40/117/500"),
        (10871, 2315, 1310, "245/269/30/738/49/263/33/40/117/531"),
    ],
}


def loaded(name, data_dir, protocol="drbenchmark"):
    task = get_task(name)
    return convert(task, find_corpus(task, data_dir), protocol)


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("name", REAL)
def test_sizes_and_digest(name, data_dir):
    task = get_task(name)
    splits = loaded(name, data_dir).splits
    assert tuple(len(rows) for rows in splits.values()) == task.sizes
    assert fingerprint_of(splits) == task.fingerprint
    if task.doctobert_sizes:
        cleaned = loaded(name, data_dir, "doctobert").splits
        assert tuple(len(rows) for rows in cleaned.values()) == task.doctobert_sizes


@pytest.mark.parametrize("name", QUAERO)
def test_quaero_tag_counts(name, data_dir):
    for rows, (tokens, begins, insides, by_type) in zip(
        loaded(name, data_dir).splits.values(), QUAERO[name], strict=True
    ):
        tags = Counter(tag for row in rows for tag in row["ner_tags"])
        assert tags.total() == tokens
        assert sum(n for tag, n in tags.items() if tag[0] == "B") == begins
        assert sum(n for tag, n in tags.items() if tag[0] == "I") == insides
        found = [n for tag, n in sorted(tags.items()) if tag[0] == "B"]
        assert "/".join(map(str, found)) == by_type


@pytest.mark.long
def test_e3c_counts(data_dir):
    splits = loaded("e3c_clinical", data_dir).splits
    free = [sum(set(r["ner_tags"]) <= {"O"} for r in rows) for rows in splits.values()]
    assert free == [993, 151, 412]
    assert sum(row["ner_tags"].count("B-CLINENTITY") for row in splits["test"]) == 1258


def test_frenchmedmcqa_counts(data_dir):
    splits = loaded("frenchmedmcqa_cls", data_dir).splits
    counts = {split: Counter(row["label"] for row in rows) for split, rows in splits.items()}
    assert counts["train"] == {"1": 595, "2": 528, "3": 718, "4": 296, "5": 34}
    assert counts["validation"] == {"1": 164, "2": 45, "3": 71, "4": 30, "5": 2}
    assert counts["test"] == {"1": 321, "2": 97, "3": 141, "4": 56, "5": 7}


def test_strict_e3c_has_the_official_test_documents(data_dir):
    """Every test sentence of the authors' own export is in one of our test documents."""
    task = get_task("e3c_clinical")
    folder = find_corpus(task, data_dir)
    official = folder.read_text("preprocessed_data/clinical_entities/layer1/French/test.txt")
    blocks = [b for b in official.split("\n\n") if b.strip()]
    sentences = {_letters(line.split(" ")[0] for line in b.splitlines()) for b in blocks}
    splits = convert(task, folder, "strict").splits
    ours = {split: _texts(rows) for split, rows in splits.items()}
    found = sum(any(s in text for text in ours["test"].values()) for s in sentences)
    assert found == len(sentences)
    long = [s for s in sentences if len(s) > 60]
    assert not any(
        s in text
        for split in ("train", "validation")
        for text in ours[split].values()
        for s in long
    )
    assert len(ours["test"]) == 45
    assert len(ours["train"]) + len(ours["validation"]) == 36


def _letters(words):
    """Letters and digits only: syntok leaves hyphens out."""
    return "".join(char for word in words for char in word if char.isalnum())


def _texts(rows):
    texts = {}
    for row in rows:
        texts[row["document_id"]] = texts.get(row["document_id"], "") + _letters(row["tokens"])
    return texts


@pytest.mark.long
@pytest.mark.parametrize("name", REAL)
def test_strict_splits_share_no_document(name, data_dir):
    splits = loaded(name, data_dir, "strict").splits
    documents = [{r.get("document_id", r["id"]) for r in rows} for rows in splits.values()]
    assert all(documents)
    assert sum(map(len, documents)) == len(set.union(*documents))


def test_strict_quaero_keeps_the_whole_test_set(data_dir):
    assert len(loaded("quaero_emea", data_dir, "strict").splits["test"]) == 427


def test_both_releases_of_mantra_give_the_same_rows(data_dir, tmp_path):
    import zipfile

    with zipfile.ZipFile(data_dir / "Mantra-GSC.zip") as archive:
        names = [n for n in archive.namelist() if "/French/" in n or n.startswith("DERIVED")]
        archive.extractall(tmp_path, names)
    (tmp_path / "DERIVED_GSC-v1.1").rename(tmp_path / "xml")
    for part in ("emea", "medline", "patents"):
        task = get_task(f"mantragsc_{part}")
        brat = convert(task, open_folder(tmp_path / "Mantra-GSC")).splits
        xml = convert(task, find_corpus(task, tmp_path / "xml")).splits
        assert brat == xml
