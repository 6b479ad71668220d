"""Decontamination: what a test unit is, when a document holds it, the real corpora."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finemed_helpers import excluded_of, medical_text, rows_of

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.config import DecontaminateConfig
from doctobert_hf.finemed.decontamination import TestIndex, decontaminate, read_units


def test_share_of_a_units_ngrams():
    index = TestIndex(4)
    index.add("t", "un deux trois quatre cinq six sept", 4)  # four 4-grams
    assert index.hits("UN, deux trois-quatre !") == {0: 0.25}
    assert index.hits("zéro un deux trois quatre cinq six sept huit") == {0: 1.0}
    assert index.hits("un deux trois") == {}


def test_a_short_unit_is_one_ngram_and_a_shorter_one_is_told():
    index = TestIndex(8)
    index.add("t", "insuffisance cardiaque droite aiguë sévère", 5)
    index.add("t", "insuffisance cardiaque", 5)
    assert index.hits("une insuffisance cardiaque droite aiguë sévère ici") == {0: 1.0}
    assert index.too_short == {"t": 1}


@pytest.fixture
def corpus(tmp_path):
    texts = [medical_text(i) for i in range(6)]
    held = tmp_path / "held.jsonl"
    held.write_text(json.dumps({"text": texts[3]}) + "\n" + json.dumps({"text": "Fièvre."}) + "\n")
    path = tmp_path / "corpus.parquet"
    texts[4] = "Introduction sans rapport. " + texts[3] + " Suite."
    pq.write_table(pa.table({"id": [f"d{i}" for i in range(6)], "text": texts}), path)
    return str(path), str(held)


def test_documents_that_hold_a_unit_are_dropped(corpus, tmp_path):
    path, held = corpus
    out = tmp_path / "out"
    manifest = decontaminate(DecontaminateConfig(input=(path,), output=out, benchmark=(held,)))
    assert {row["id"] for row in excluded_of(out)} == {"d3", "d4"}
    assert {row["id"] for row in rows_of(out)} == {"d0", "d1", "d2", "d5"}
    row = excluded_of(out)[0]
    assert row["reason"] == "contaminated: held" and row["overlap"] == 1.0
    (report,) = manifest["tasks"]
    assert (report["units"], report["too_short"], report["documents_contaminated"]) == (1, 1, 2)
    assert report["documents_touched"] >= 2


def test_no_units(corpus, tmp_path):
    (tmp_path / "empty").mkdir()
    config = DecontaminateConfig(
        input=(corpus[0],), output=tmp_path / "out", data_dir=tmp_path / "empty"
    )
    with pytest.raises(UsageError, match="No test units"):
        decontaminate(config)
    short = tmp_path / "short.jsonl"
    short.write_text('{"text": "Toux."}\n')
    with pytest.raises(DataError, match="shorter than least_words"):
        decontaminate(
            DecontaminateConfig(input=(corpus[0],), output=tmp_path / "o2", benchmark=(str(short),))
        )


def test_real_test_documents_are_found_again(data_dir, tmp_path):
    """Each QUAERO EMEA test document, put into a corpus, is found; its sentences alone are not."""
    config = DecontaminateConfig(
        input=("x",), output=tmp_path / "o", data_dir=data_dir, benchmark=("quaero_emea",)
    )
    units = read_units(config)
    assert {task for task, _ in units} == {"quaero_emea"}
    rows = [{"id": f"u{i}", "text": f"Avant. {text} Après."} for i, (_, text) in enumerate(units)]
    rows.append({"id": "clean", "text": medical_text(1, 200)})
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "c.parquet")
    config.input = (str(tmp_path / "c.parquet"),)
    decontaminate(config)
    assert [row["id"] for row in rows_of(tmp_path / "o")] == ["clean"]
