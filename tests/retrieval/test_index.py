import numpy as np
import pytest

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.retrieval.bm25 import BM25
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.models import document_length, open_model
from doctobert_hf.retrieval.search import index_documents

QUESTIONS = ["Quel traitement pour la douleur ?", "fièvre"]


@pytest.fixture(scope="module")
def documents(sample_texts):
    return {f"d{number}": text for number, text in enumerate(sample_texts[:12])}


@pytest.fixture(scope="module")
def dense(encoder):
    return open_model(encoder, pooling="mean")


@pytest.fixture(scope="module")
def late(encoder):
    return open_model(encoder, "late-interaction")


@pytest.mark.long
def test_dense_scores_are_the_models_similarity(dense, documents):
    index = Index.build(documents, dense)
    texts = [passage.text for passage in index.passages]
    expected = dense.similarity(dense.encode_query(QUESTIONS), dense.encode_document(texts))
    np.testing.assert_allclose(index.scores(QUESTIONS), expected, atol=1e-5)
    assert index.kind == "dense" and index.size == index.vectors.nbytes


@pytest.mark.long
def test_late_scores_are_sentence_transformers_maxsim(late, documents, monkeypatch):
    monkeypatch.setattr("doctobert_hf.retrieval.vectors.ELEMENTS", 3000)  # several blocks
    index = Index.build(documents, late)
    texts = [passage.text for passage in index.passages]
    expected = late.similarity(late.encode_query(QUESTIONS), late.encode_document(texts))
    np.testing.assert_allclose(index.scores(QUESTIONS), expected, rtol=2e-3)  # float16 vectors
    assert index.kind == "late-interaction"


@pytest.mark.long
@pytest.mark.parametrize("name", ["dense", "late", None])
def test_saved_index_answers_the_same(name, documents, encoder, tmp_path, request):
    model = request.getfixturevalue(name) if name else None
    place = None
    if model is not None:
        place = tmp_path / "model"
        model.save_pretrained(str(place))
    index = Index.build(documents, model, [f"http://x/{key}" for key in documents])
    index.save(tmp_path / "index", place)
    again = Index.load(tmp_path / "index")
    found = again.search(QUESTIONS[0], 4)
    assert found == index.search(QUESTIONS[0], 4)
    assert found[0].source == f"http://x/{found[0].document}"
    assert documents[found[0].document][found[0].start : found[0].end] == found[0].text
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_a_long_document_is_found_by_what_stands_at_its_end(dense, documents):
    end = "Le patient a reçu un vaccin contre la grippe."
    long = "\n\n".join(documents.values()) + "\n\n" + end
    dense[0].document_length, kept = 64, dense[0].document_length
    try:
        index = Index.build({"long": long, **documents}, dense)
        assert sum(passage.document == 0 for passage in index.passages) > 3
        assert document_length(dense) == 64
        [hit, *_] = index.search(index.passages[index.starts[1] - 1].text, 1)
    finally:
        dense[0].document_length = kept
    assert hit.document == "long" and hit.text.endswith(end)


def test_ranking_breaks_ties_by_id_and_is_at_most_all(documents):
    index = Index.build({"b": "même texte", "a": "même texte", "c": "autre chose"})
    [ranked] = index.rank(["texte"], 10)
    assert [name for name, _ in ranked] == ["a", "b"]  # no word of the question: no hit


def test_bm25_stems_french_words_and_knows_none():
    bm25 = BM25(["les douleurs abdominales", "la fièvre", "le"])
    scores = bm25.scores(["douleur abdominale", "inconnu", "le la"])
    assert scores[0].argmax() == 0 and scores[0][1] == 0
    assert not scores[1:].any()
    assert not BM25(["le", "la"]).scores(["le"]).any()


def test_index_of_a_folder_keeps_sources_and_counts_empty_texts(tmp_path, caplog):
    (tmp_path / "a.txt").write_text("La fièvre est traitée par le paracétamol. " * 60)
    (tmp_path / "b.txt").write_text("  ")
    index = index_documents(tmp_path)
    assert "1 documents without text are left out" in caplog.text
    assert index.ids == ["a.txt"]
    assert "".join(passage.text for passage in index.passages) == (tmp_path / "a.txt").read_text()
    assert max(len(passage.text) for passage in index.passages) <= 1000
    [hit] = index.search("paracétamol")
    assert hit.source == "a.txt"


def test_wrong_input(tmp_path, documents):
    with pytest.raises(DataError, match="1 documents have no text, e.g. 'x'"):
        Index.build({"x": " "})
    with pytest.raises(DataError, match="No document"):
        Index.build({})
    with pytest.raises(DataError, match="Document 'x' has None"):
        Index.build({"x": None})
    with pytest.raises(UsageError, match="A list as a question"):
        Index.build(documents).search(["toux"])
    with pytest.raises(UsageError, match="An empty question"):
        Index.build(documents).search(" ")
    with pytest.raises(UsageError, match="is no index"):
        Index.load(tmp_path)
    (tmp_path / "d.jsonl").write_text('{"id": "1", "text": "a"}\n{"id": "1", "text": "b"}\n')
    with pytest.raises(DataError, match="'1' occurs twice"):
        index_documents(tmp_path / "d.jsonl")


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("hépatite C", "c"),
        ("hepatite b", "b"),
        ("oedème", "oe"),
        ("oedeme", "oe"),
        ("arterielle", "art"),
        ("l’artère", "art"),
        ("vitamine D", "d"),
        ("HÉPATITE\u00a0C", "c"),
        ("he\u0301patite C", "c"),
    ],
)
def test_french_words_find_what_is_written_otherwise(query, document):
    texts = {
        "b": "Une hépatite B chronique.",
        "c": "Une hépatite C chronique.",
        "oe": "Un œdème des membres.",
        "art": "Tension artérielle mesurée à l'artère.",
        "d": "Carence en vitamine D.",
        "e": "Carence en vitamine E.",
    }
    assert Index.build(texts).search(query)[0].document == document


def test_words_that_stand_nowhere_find_nothing(documents):
    index = Index.build(documents)
    assert index.search("xylophone") == []
    assert index.bm25.words("xylophone et douleur") == (["douleur"], ["xylophone"])


def test_hybrid_fuses_ranks_and_methods_are_checked(dense, documents):
    index = Index.build(documents, dense)
    by_rank = {}
    for method in ("dense", "lexical"):
        for rank, (name, _) in enumerate(index.rank([QUESTIONS[0]], 100, method)[0], start=1):
            by_rank[name] = by_rank.get(name, 0) + 1 / (60 + rank)
    [fused] = index.rank([QUESTIONS[0]], 100, "hybrid")
    assert dict(fused) == pytest.approx(by_rank)
    with pytest.raises(UsageError, match="The method 'late' for an index of kind dense"):
        index.search("x", method="late")
    with pytest.raises(UsageError, match="one of lexical"):
        Index.build(documents).search("x", method="hybrid")


def test_the_marked_sentence_stands_in_the_passage(dense):
    texts = {"a": "Le foie est normal. La rate est grosse 🩺. Le rein est petit."}
    for model in (dense, None):
        [hit] = Index.build(texts, model).search("rate grosse")
        sentence = texts["a"][hit.sentence_start : hit.sentence_end]
        assert sentence in hit.text
        if model is None:
            assert sentence == "La rate est grosse 🩺."


def test_a_reranker_orders_anew(documents):
    class Shortest:
        def predict(self, pairs, show_progress_bar):
            return [-len(text) for _, text in pairs]

    index = Index.build({"long": "la fièvre " * 20, "short": "la fièvre"})
    assert [hit.document for hit in index.search("fièvre", rerank=Shortest())] == ["short", "long"]


def test_a_model_that_compares_by_a_distance_is_refused(encoder):
    model = open_model(encoder, pooling="mean")
    model.similarity_fn_name = "euclidean"
    with pytest.raises(UsageError, match="compares by 'euclidean'.*cosine or dot"):
        Index.build({"a": "Une toux.", "b": "Une entorse."}, model)
