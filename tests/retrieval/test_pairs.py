import pytest
from hypothesis import given, strategies as st

from doctobert_hf.errors import DataError
from doctobert_hf.retrieval.pairs import (
    Pair,
    PairSet,
    leaked_queries,
    normalized,
    refuse_leakage,
    text_id,
    without_leaked,
)


def test_a_question_asked_twice_has_the_answers_of_both():
    made = PairSet.from_pairs(
        "p", [Pair("Où ?", ("ici",), ("là",)), Pair("Où ?", ("là-bas",)), Pair("Où ?", ("ici",))]
    )
    [query] = made.queries
    assert [made.documents[d] for d in made.relevant[query]] == ["ici", "là-bas"]
    assert [made.documents[d] for d in made.negatives[query]] == ["là"]
    assert made.notes == ["p: 2 questions asked more than once are one, with the answers of all"]


def test_right_and_wrong_at_once_counts_as_right():
    made = PairSet.from_pairs("p", [Pair("Q", ("a",), ("b",)), Pair("Q", ("b",))])
    [query] = made.queries
    assert made.negatives[query] == []
    assert "count as right" in made.notes[1]


def test_a_document_shared_by_two_questions_is_one():
    made = PairSet.from_pairs("p", [Pair("Q1", ("non docteur",)), Pair("Q2", ("non  docteur ",))])
    assert len(made.documents) == 1
    assert len(made.pairs()) == 2


@pytest.mark.parametrize(
    "pairs, message",
    [
        ([Pair("Q", ())], "no relevant document"),
        ([Pair(" ", ("a",))], "the question is ' '"),
        ([Pair("Q", ("",))], "the document is ''"),
        ([Pair("Q", ("a",), (" ",))], "the document is ' '"),
        ([Pair("Q", ("a", "b"), gains=(1.0,))], "2 right texts, and their gains are"),
        ([Pair("Q", ("a",), gains=(0.0,))], "a number above 0 for each"),
        ([Pair("Q1", ("a",), id="1"), Pair("Q2", ("b",), id="1")], "the id '1' stands for two"),
        ([], "no pairs"),
    ],
)
def test_unusable_pairs_are_refused(pairs, message):
    with pytest.raises(DataError, match=message):
        PairSet.from_pairs("p", pairs)


def test_leakage_ignores_case_space_and_marks():
    train = PairSet.from_pairs("train", [Pair("Avez-vous mal ?", ("a",)), Pair("Où ?", ("b",))])
    test = PairSet.from_pairs("test", [Pair("avez vous  MAL", ("c",))])
    assert leaked_queries(train, test) == [text_id("q", "Avez-vous mal ?")]
    with pytest.raises(DataError, match="1 of the 2 training questions are also in test"):
        refuse_leakage(train, test)
    kept = without_leaked(train, test)
    assert list(kept.queries.values()) == ["Où ?"]
    assert list(kept.documents.values()) == ["b"]
    assert kept.notes == ["train: 1 questions that test also asks are left out"]
    refuse_leakage(kept, test)


@given(st.text(min_size=1))
def test_ids_and_normal_forms_ignore_white_space(text):
    assert text_id("q", text) == text_id("q", f"  {text}\n")
    assert normalized(text) == normalized(f" {text} ") == normalized(normalized(text))


@pytest.mark.parametrize("text", ["℠", "ᴬ", "ϔ", "Œdème", "ſ", "İ"])
def test_what_is_folded_is_folded_to_the_end(text):
    from doctobert_hf.retrieval.lexical import fold

    assert fold(fold(text)) == fold(text)
    assert normalized(normalized(text)) == normalized(text)


def test_subset_keeps_all_documents_or_its_own():
    made = PairSet.from_pairs("p", [Pair("Q1", ("a",), ("x",)), Pair("Q2", ("b",))], ["c"])
    first = next(iter(made.queries))
    assert set(made.subset([first], "s", True).documents.values()) == {"a", "x", "b", "c"}
    assert set(made.subset([first], "s", False).documents.values()) == {"a", "x"}


def test_grades_are_kept_and_the_higher_of_two_counts():
    graded = [Pair("Q", ("a", "b"), gains=(3.0, 1.0)), Pair("Q", ("c", "d"), gains=(0.5, 1.0))]
    made = PairSet.from_pairs("p", [*graded, Pair("Q", ("c",)), Pair("Q", ("a",), gains=(2.0,))])
    [query] = made.queries
    grades = {made.documents[d]: made.gain(query, d) for d in made.relevant[query]}
    assert grades == {"a": 3.0, "b": 1.0, "c": 1.0, "d": 1.0} and made.grades() == [1.0, 3.0]
    assert made.notes[1:] == ["p: 2 texts graded twice for a question have the higher grade"]
    assert made.subset([query], "s", False).gains == made.gains and made.gain(query, "x") is None
    assert PairSet.from_pairs("p", [Pair("Q", ("a",))]).gains == {}
