"""One string, a table or a mapping where texts are wanted: refused everywhere, and a way told."""

import importlib.util

import numpy as np
import pytest

from doctobert_hf.corpus import iter_documents, require_texts
from doctobert_hf.errors import UsageError

datasets = pytest.importorskip("datasets")
pd = pytest.importorskip("pandas")

TEXT = "Le patient a de la fièvre."
WRONG = {
    "string": TEXT,
    "bytes": TEXT.encode(),
    "frame": pd.DataFrame({"text": [TEXT] * 3}),
    "dataset": datasets.Dataset.from_dict({"text": [TEXT] * 3}),
    "mapping": {"a": TEXT},
    "number": 42,
}


@pytest.mark.parametrize("kind", WRONG)
def test_refused_wherever_texts_are_wanted(kind, tokenizer, tmp_path):
    from doctobert_hf import evaluate_tokenizer, medical_term_density
    from doctobert_hf.finemed import find_terms
    from doctobert_hf.pretraining import build_store

    wrong = WRONG[kind]
    for use in (
        lambda: require_texts(wrong),
        lambda: build_store(wrong, tokenizer, tmp_path / "store", max_length=64),
        lambda: evaluate_tokenizer(tokenizer, wrong),
        lambda: medical_term_density(TEXT, wrong),
        lambda: find_terms(TEXT, wrong),
    ):
        with pytest.raises(UsageError, match="iterable of"):
            use()
    assert not (tmp_path / "store").exists()


def test_the_way_is_told():
    with pytest.raises(UsageError, match=r"columns 'text'.*data\['text'\]"):
        require_texts(WRONG["frame"])
    with pytest.raises(UsageError, match=r"Pass \[text\]"):
        require_texts(TEXT)


def test_right_ones_pass():
    for texts in ([TEXT], (TEXT,), iter([TEXT]), pd.Series([TEXT]), WRONG["dataset"]["text"]):
        require_texts(texts)


def test_a_frame_is_read_by_rows():
    rows = list(iter_documents(pd.DataFrame({"text": [TEXT, "Toux."], "n": [1, 2]})))
    assert [(row["text"], row["n"]) for row in rows] == [(TEXT, 1), ("Toux.", 2)]
    with pytest.raises(UsageError, match="Bytes"):
        list(iter_documents(TEXT.encode()))


def test_an_index_wants_ids():
    pytest.importorskip("sentence_transformers")
    from doctobert_hf.retrieval import Index

    for wrong in (TEXT, [TEXT]):
        with pytest.raises(UsageError, match="mapping from ids to texts"):
            Index.build(wrong)


@pytest.mark.parametrize("given", ["Le patient tousse.", {"a": "b"}, 3, None])
def test_one_text_where_several_are_wanted_is_refused_everywhere(given, tokenizer):
    from doctobert_hf.chunking import HierarchicalChunker
    from doctobert_hf.chunking.statistics import chunk_statistics
    from doctobert_hf.pretraining.callbacks import FillMaskProbeCallback

    chunker = HierarchicalChunker(tokenizer, 64)
    calls = [chunker.encode, lambda texts: chunk_statistics(chunker, texts), FillMaskProbeCallback]
    if importlib.util.find_spec("bm25s"):
        from doctobert_hf.retrieval import Index
        from doctobert_hf.retrieval.bm25 import BM25
        from doctobert_hf.retrieval.pairs import Pair, PairSet

        index = Index.build({"a": "Une toux."})
        calls += [BM25, index.scores, index.bm25.scores]
        calls.append(lambda texts: PairSet.from_pairs("p", [Pair("q", ("a",))], documents=texts))
    for call in calls:
        with pytest.raises(UsageError):
            call(given)


def test_a_table_is_no_list_of_texts(tokenizer):
    import pandas as pd

    from doctobert_hf.chunking import HierarchicalChunker

    chunker, table = HierarchicalChunker(tokenizer, 64), pd.DataFrame({"text": ["Une toux."]})
    with pytest.raises(UsageError, match="data\\['text'\\]"):
        chunker.encode(table)
    with pytest.raises(UsageError, match="a string"):
        chunker.spans(table)
    for several in (table["text"], iter(["Une toux."]), np.array(["Une toux."])):
        assert [len(chunks) for chunks in chunker.encode(several)] == [1]


def test_rows_that_are_strings_are_no_rows(tokenizer):
    from doctobert_hf.chunking import DataCollatorForHierarchicalChunking

    collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=64)
    with pytest.raises(UsageError, match="rows that are a str"):
        collator(["Le patient"])
