"""The annotation stage: figures of the corpus, and an environment that lacks the extra."""

import importlib.util

import pytest

from doctobert_hf.quickstart.annotation import annotation_record
from doctobert_hf.quickstart.report import _annotation_section


@pytest.fixture
def run_folder(tmp_path, sample_texts):
    from datasets import Dataset

    texts = [*sample_texts[:30], "La marquise sortit à cinq heures."]
    (tmp_path / "data").mkdir()
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    Dataset.from_list(rows).to_parquet(tmp_path / "data" / "train.parquet")
    return tmp_path


def test_the_corpus_is_annotated(run_folder):
    pytest.importorskip("datatrove")
    record = annotation_record(run_folder)
    assert record["documents"] == 31 and 0 < record["medical"] < 31
    assert record["kept"]["all"]["documents"] == record["medical"]
    assert "What the published mixes would keep" in _annotation_section(record)
    assert annotation_record(run_folder) == record  # again, over what a stopped run left


def test_without_datatrove_the_run_goes_on(run_folder, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "datatrove" else found(name)
    )
    record = annotation_record(run_folder)
    assert "doctobert-hf[finemed]" in record["not_run"]
    assert "Not run" in _annotation_section(record)
