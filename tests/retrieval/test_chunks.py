import numpy as np

from doctobert_hf.retrieval.chunks import best_of_documents, cut, long_documents, starts_of


def test_long_documents_are_cut_and_nothing_is_lost(tokenizer, sample_texts):
    texts = [*sample_texts[:8], "court", "\n\n".join(sample_texts[8:16])]
    passages = cut(texts, tokenizer, 32, "passage: ")
    for number, text in enumerate(texts):
        mine = [p for p in passages if p.document == number]
        assert "".join(p.text for p in mine) == text
        assert all(text[p.start : p.end] == p.text for p in mine)
    assert max(len(tokenizer(f"passage: {p.text}").input_ids) for p in passages) <= 32
    assert "8" not in long_documents(dict(enumerate(texts)), passages)
    assert 9 in long_documents(dict(enumerate(texts)), passages)


def test_a_document_scores_as_its_best_passage(tokenizer, sample_texts):
    passages = cut(["court", "\n\n".join(sample_texts[:3]), "bref"], tokenizer, 32)
    starts = starts_of(passages)
    scores = np.random.default_rng(0).normal(size=(4, len(passages)))
    best = best_of_documents(scores, starts)
    for number in range(3):
        mine = [i for i, p in enumerate(passages) if p.document == number]
        np.testing.assert_array_equal(best[:, number], scores[:, mine].max(axis=1))
