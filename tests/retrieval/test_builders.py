import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.retrieval.builders import (
    labforsims2_pairs,
    load_splits,
    load_test,
    split_pairs,
)
from doctobert_hf.retrieval.pair_files import read_pairs
from doctobert_hf.retrieval.pairs import Pair, leaked_queries
from doctobert_hf.retrieval.passages import passage_pairs
from doctobert_hf.retrieval.recipe import RetrievalConfig

from .conftest import write_labforsims2


def config(**keys):
    return RetrievalConfig("none", **keys)


@pytest.mark.parametrize("as_archive", [True, False])
def test_labforsims2_splits_are_disjoint_and_search_all_answers(tmp_path, as_archive):
    raw = write_labforsims2(tmp_path, as_archive=as_archive)
    train, validation, test = load_splits(config(data_dir=raw))
    assert (len(train.queries), len(validation.queries), len(test.queries)) == (48, 6, 6)
    assert len(validation.documents) == len(test.documents) == 20
    assert not set(train.queries) & set(test.queries)
    assert load_splits(config(data_dir=raw)).test.queries == test.queries


def test_split_by_document_keeps_answers_out_of_training(tmp_path):
    raw = write_labforsims2(tmp_path)
    train, validation, test = load_splits(config(data_dir=raw, split="document"))
    answers = [{d for ids in part.relevant.values() for d in ids} for part in (train, test)]
    assert not answers[0] & answers[1]
    assert len(test.queries) == 6 and len(validation.queries) == 6


def test_broken_labforsims2_files_are_named(tmp_path):
    raw = write_labforsims2(tmp_path, as_archive=False) / "labforsims2"
    (raw / "single" / "d_p.txt").write_text("Q0 +++ P99\n")
    with pytest.raises(DataError, match="pairs 'Q0' with 'P99'"):
        list(labforsims2_pairs(raw))
    (raw / "single" / "doctor.txt").write_text("Q0 avez-vous mal\n")
    with pytest.raises(DataError, match="doctor.txt, line 1"):
        list(labforsims2_pairs(raw))
    (raw / "single" / "doctor.txt").write_text("Q0 +++ a\nQ0 +++ b\n")
    with pytest.raises(DataError, match="the id 'Q0' occurs twice"):
        list(labforsims2_pairs(raw))


def test_no_data_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.delenv("DOCTOBERT_DATA_DIR", raising=False)
    with pytest.raises(UsageError, match="data_dir is not set"):
        load_splits(config())
    with pytest.raises(UsageError, match="No corpus 'labforsims2'"):
        load_splits(config(data_dir=tmp_path))
    with pytest.raises(UsageError, match="Did you mean 'labforsims2'"):
        load_splits(config(data="labforsims"))


def test_frenchmedmcqa_has_wrong_options_as_negatives(frenchmedmcqa):
    raw = frenchmedmcqa()
    train, _, test = load_splits(config(data="frenchmedmcqa", data_dir=raw))
    assert (len(train.queries), len(test.queries), len(test.documents)) == (30, 12, 60)
    query = next(key for key, text in test.queries.items() if text.startswith("Question test 1 "))
    right = [test.documents[d] for d in test.relevant[query]]
    wrong = [test.documents[d] for d in test.negatives[query]]
    assert right == ["option test 1 a", "option test 1 c"]
    assert wrong == [f"option test 1 {letter}" for letter in "bde"]


def test_leaked_questions_are_refused_or_dropped_and_counted(frenchmedmcqa):
    raw = frenchmedmcqa(copied=2)
    with pytest.raises(DataError, match="2 of the 32 training questions"):
        load_splits(config(data="frenchmedmcqa", data_dir=raw))
    splits = load_splits(config(data="frenchmedmcqa", data_dir=raw, leaked_questions="drop"))
    assert len(splits.train.queries) == 30
    assert not leaked_queries(splits.train, splits.test)
    assert any("2 questions that frenchmedmcqa test also asks" in n for n in splits.train.notes)


def test_user_pairs_from_parquet_with_lists_ids_and_splits(tmp_path):
    rows = [
        {
            "id": str(number),
            "query": f"question {number}",
            "positive": [f"réponse {number}", f"autre {number}"],
            "negative": ["faux"],
            "split": ["train", "validation", "test"][number % 3],
        }
        for number in range(9)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "p.parquet")
    splits = load_splits(config(data=str(tmp_path / "p.parquet")))
    assert [len(part.queries) for part in splits] == [3, 3, 3]
    assert len(splits.test.documents) == 19
    [first, *_] = splits.train.relevant.values()
    assert len(first) == 2
    assert len(load_test(config(data=str(tmp_path / "p.parquet"))).queries) == 3


def test_a_file_without_splits_is_measured_whole(pairs_file):
    assert len(load_test(config(data=str(pairs_file))).queries) == 100
    assert [len(p.queries) for p in load_splits(config(data=str(pairs_file)))] == [80, 10, 10]


@pytest.mark.parametrize(
    "row, message",
    [
        ({"query": "q", "positive": []}, "no relevant document"),
        ({"query": "q"}, "no relevant document"),
        ({"query": "q", "positive": ["a", ""]}, "'positive' holds"),
        ({"query": "q", "positive": 3}, "'positive' holds"),
        ({"question": "q", "positive": "a"}, "a column 'query'"),
        ({"query": "q", "positive": "a", "split": "dev"}, "a pair's split is 'dev'"),
    ],
)
def test_wrong_pairs_are_refused(tmp_path, row, message):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=message):
        load_splits(config(data=str(path)))


def test_the_same_question_in_two_told_splits_is_leakage():
    pairs = [
        Pair(text, ("a",), split=split)
        for text, split in (("Q ?", "train"), ("q", "test"), ("autre", "validation"))
    ]
    train, _, test = split_pairs("p", pairs)
    assert leaked_queries(train, test)


def test_too_few_pairs_for_three_parts():
    with pytest.raises(DataError, match="none of them for"):
        split_pairs("p", [Pair("q", ("a",))])


def test_terms_pair_with_synonyms_and_definitions(tmp_path):
    path = tmp_path / "terms.tsv"
    path.write_text(
        "term\tsynonym\tdefinition\nHTA\thypertension artérielle\tpression trop haute\n"
        "IDM\tinfarctus\t\n"
    )
    made = list(read_pairs(path, "terms"))
    assert [pair.positives for pair in made] == [
        ("hypertension artérielle", "pression trop haute"),
        ("infarctus",),
    ]


def test_passages_by_heading_title_or_first_sentence():
    body = "Prendre un comprimé matin et soir pendant le repas avec un verre d'eau."
    documents = [
        {"title": "Doliprane", "text": f"# Posologie\n{body}\n# Effets\nRares."},
        {"title": "Étude", "text": body},
        {"text": f"Voici la première phrase. {body}"},
        {"text": "Trop court."},
        {"text": f"4.2. Posologie et mode\n{body}\nCONTRE-INDICATIONS\n{body}"},
    ]
    made = [(pair.query, pair.positives[0]) for pair in passage_pairs(documents)]
    assert made == [
        ("Doliprane – Posologie", body),
        ("Étude", body),
        ("Voici la première phrase.", body),
        ("4.2. Posologie et mode", body),
        ("CONTRE-INDICATIONS", body),
    ]


def test_a_first_line_that_stands_by_itself_is_the_title():
    body = "Prendre un comprimé matin et soir pendant le repas avec un verre d'eau."
    documents = [
        {"text": f"# Doliprane\n\n## Posologie\n\n{body}\n\n## Effets\n\n{body}"},
        {"text": f"Avis du service\n\n{body}", "split": "dev"},
        {"text": f"## Motif\n{body}\n## Histoire\n{body}"},  # the first section's heading
        {"text": f"Le patient prend ses médicaments au\nlit. {body}"},  # wrapped text
    ]
    made = [(pair.query, pair.split) for pair in passage_pairs(documents)]
    assert made == [
        ("Doliprane – Posologie", None),
        ("Doliprane – Effets", None),
        ("Avis du service", "validation"),
        ("Motif", None),
        ("Histoire", None),
        ("Le patient prend ses médicaments au\nlit.", None),
    ]


def test_short_documents_are_counted(caplog):
    caplog.set_level("INFO")
    assert list(passage_pairs([{"text": "Rien."}, {"text": ""}])) == []
    assert "2 of 2 documents are too short" in caplog.text


@pytest.mark.long
def test_real_corpora(data_dir):
    lab = load_splits(config(data_dir=data_dir))
    assert sum(len(part.queries) for part in lab) == 2496
    assert len(lab.test.documents) == 636
    exam = load_splits(config(data="frenchmedmcqa", data_dir=data_dir, leaked_questions="drop"))
    assert len(exam.test.queries) == 620
    assert not leaked_queries(exam.train, exam.test)
    morfitt = Path(data_dir) / "morfitt" / "test.tsv"
    pairs = list(read_pairs(morfitt, "passages", "abstract"))
    assert len(pairs) > 1000


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def test_a_folder_with_splits_keeps_them(tmp_path):
    for name, number in (("train", 30), ("dev", 4), ("test", 5)):
        rows = [{"query": f"q {name} {n}", "positive": f"a {name} {n}"} for n in range(number)]
        write(tmp_path / "data" / f"{name}.jsonl", rows)
    splits = load_splits(config(data=str(tmp_path / "data")))
    assert [len(part.queries) for part in splits] == [30, 4, 5]
    assert all("q test" in text for text in splits.test.queries.values())
    assert load_test(config(data=str(tmp_path / "data"))).queries == splits.test.queries
    write(tmp_path / "data" / "more.jsonl", [{"query": "q", "positive": "a"}])
    with pytest.raises(DataError, match="beside its splits 'more.jsonl'"):
        load_splits(config(data=str(tmp_path / "data")))


def test_columns_of_sentence_transformers(tmp_path):
    rows = [
        {"anchor": "q1", "positive": "a", "negative_1": "b", "negative_2": "c", "negative_10": "d"},
        {"anchor": "q2", "positive": "b", "negative_1": None},
    ]
    first, second = read_pairs(write(tmp_path / "p.jsonl", rows))
    assert (first.query, first.negatives) == ("q1", ("b", "c", "d"))
    assert second.negatives == ()
    with pytest.raises(DataError, match="a column 'anchor'|column 'query'"):
        list(read_pairs(write(tmp_path / "x.jsonl", [{"question": "q"}])))


def test_scores_say_right_and_wrong(tmp_path, caplog):
    rows = [
        {"query": "q1", "positive": "a", "score": 2},
        {"query": "q1", "positive": "b", "score": 0},
        {"query": "q2", "positive": "c", "score": 0.0},
    ]
    [pair] = read_pairs(write(tmp_path / "p.jsonl", rows))
    assert pair[:3] == ("q1", ("a",), ("b",)) and pair.gains == (2.0,)
    assert "1 questions have no document with a score above 0" in caplog.text
    for wrong in ("high", float("inf"), float("nan")):
        with pytest.raises(DataError, match=f"'score' is {wrong!r}"):
            list(read_pairs(write(tmp_path / "p.jsonl", [{**rows[0], "score": wrong}])))


def test_grades_of_qrels_travel_into_every_split(tmp_path):
    place = tmp_path / "beir"
    write(place / "corpus.jsonl", [{"_id": f"d{n}", "text": f"texte {n}"} for n in range(40)])
    write(place / "queries.jsonl", [{"_id": f"q{n}", "text": f"question {n}"} for n in range(30)])
    (place / "qrels").mkdir()
    for name, numbers in (("train", range(20)), ("test", range(20, 30))):
        lines = [f"q{n}\td{n}\t3\nq{n}\td{n + 1}\t1\nq{n}\td{n + 2}\t0" for n in numbers]
        table = "query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n"
        (place / "qrels" / f"{name}.tsv").write_text(table)
    for part in load_splits(config(data=str(place))):
        assert part.grades() == [1.0, 3.0]
        for query, text in part.queries.items():
            grades = {part.documents[d]: part.gain(query, d) for d in part.relevant[query]}
            number = int(text.split()[1])
            assert grades == {f"texte {number}": 3.0, f"texte {number + 1}": 1.0}
    (place / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\tnan\n")
    with pytest.raises(DataError, match="the score is 'nan'"):
        load_splits(config(data=str(place)))


def test_null_ids_are_not_one_id(tmp_path):
    rows = [{"id": None, "query": f"q{n}", "positive": f"a{n}"} for n in range(3)]
    assert len({pair.id for pair in read_pairs(write(tmp_path / "p.jsonl", rows))}) == 3


def test_the_layout_of_beir(tmp_path):
    place = tmp_path / "beir"
    write(
        place / "corpus.jsonl",
        [{"_id": f"d{n}", "title": "T", "text": f"texte {n}"} for n in range(40)],
    )
    write(place / "queries.jsonl", [{"_id": f"q{n}", "text": f"question {n}"} for n in range(30)])
    (place / "qrels").mkdir()
    for name, numbers in (("train", range(20)), ("test", range(20, 30))):
        lines = [f"q{n}\td{n}\t1\nq{n}\td{n + 1}\t0" for n in numbers]
        (place / "qrels" / f"{name}.tsv").write_text(
            "query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n"
        )
    train, validation, test = load_splits(config(data=str(place)))
    assert (len(train.queries), len(validation.queries), len(test.queries)) == (16, 4, 10)
    assert len(test.documents) == len(validation.documents) == 40
    assert len(test.pairs()) == 10 and not set(train.queries) & set(validation.queries)
    assert load_test(config(data=str(place))).queries == test.queries
    further = write(tmp_path / "further.jsonl", [{"text": f"autre {n}"} for n in range(5)])
    both = config(data=str(place), distractors=further)
    assert len(load_splits(both).test.documents) == len(load_test(both).documents) == 45
    (place / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tabsent\t1\n")
    with pytest.raises(DataError, match="judges 'absent'"):
        load_splits(config(data=str(place)))


def test_distractors_are_searched_too(tmp_path):
    rows = [{"query": f"q{n}", "positive": f"a{n}"} for n in range(30)]
    write(tmp_path / "p.jsonl", rows)
    write(tmp_path / "d.jsonl", [{"text": f"autre {n}"} for n in range(5)])
    keys = {"data": str(tmp_path / "p.jsonl"), "distractors": tmp_path / "d.jsonl"}
    splits = load_splits(config(**keys))
    assert len(splits.test.documents) == 35 and len(splits.train.documents) == 24
    assert len(load_test(config(**keys)).documents) == 35


def test_leaks_are_seen_through_accents_and_soft_hyphens():
    train, test = (split_pairs_of(text) for text in ("Où est l'œdème ?", "ou est l'OE\u00addeme"))
    assert len(leaked_queries(train, test)) == 1


def split_pairs_of(text):
    from doctobert_hf.retrieval.pairs import PairSet

    return PairSet.from_pairs("p", [Pair(text, ("a",))])


@pytest.mark.parametrize(
    "name", ["data/{}-00000-of-00001.jsonl", "{}/rows.jsonl", "a/b/{}/0.jsonl"]
)
def test_splits_in_folders_or_as_the_hub_has_them_are_kept(tmp_path, name):
    for split, number in (("train", 30), ("validation", 4), ("test", 5)):
        rows = [{"query": f"q {split} {n}", "positive": f"a {split} {n}"} for n in range(number)]
        write(tmp_path / "set" / name.format(split), rows)
    splits = load_splits(config(data=str(tmp_path / "set")))
    assert [len(part.queries) for part in splits] == [30, 4, 5]
    assert all("q test" in text for text in splits.test.queries.values())


def test_ids_count_within_a_file_of_a_split(tmp_path):
    for split in ("train", "dev", "test"):
        rows = [{"id": n, "query": f"q {split} {n}", "positive": "a"} for n in range(3)]
        write(tmp_path / "set" / f"{split}.jsonl", rows)
    assert len(load_splits(config(data=str(tmp_path / "set"))).test.queries) == 3
    for folder in ("a", "b"):  # no ids: names of files, which are the same
        write(tmp_path / "two" / folder / "x.jsonl", [{"query": f"q {folder}", "positive": "a"}])
    assert len({pair.id for pair in read_pairs(tmp_path / "two")}) == 2


def test_a_row_that_names_another_split_than_its_file_is_told(tmp_path):
    for split in ("train", "dev", "test"):
        rows = [{"query": f"q {split}", "positive": "a", "split": "test"}]
        write(tmp_path / "set" / f"{split}.jsonl", rows)
    with pytest.raises(DataError, match="'dev.jsonl', pair .*: the row's split is 'test'"):
        load_splits(config(data=str(tmp_path / "set")))


def test_lists_of_scores_are_told_and_not_read(tmp_path, caplog):
    rows = [
        {
            "query": "q",
            "positive": "a",
            "negative": ["b", "c"],
            "scores": [0.9, 0.1],
            "labels": [1],
        },
        {"query": "p", "positive": "a", "negative": ["c"], "scores": [0.2], "labels": [0]},
    ]
    caplog.set_level("INFO")
    pairs = list(read_pairs(write(tmp_path / "p.jsonl", rows)))
    assert [(pair.positives, pair.negatives) for pair in pairs] == [
        (("a",), ("b", "c")),
        (("a",), ("c",)),
    ]
    assert caplog.text.count("'scores' holds lists") == 1
    assert caplog.text.count("'labels' holds lists") == 1
    graded = [{**row, "label": 1} for row in rows]
    assert [pair.gains for pair in read_pairs(write(tmp_path / "g.jsonl", graded))] == [(1,), (1,)]


def test_what_is_taken_for_the_grade_is_told(tmp_path, caplog):
    caplog.set_level("INFO")
    rows = [{"anchor": "q", "positive": t, "score": n} for t, n in (("a", 2), ("b", 1))]
    list(read_pairs(write(tmp_path / "s.jsonl", rows)))
    assert caplog.text.count("'score' is taken as the grade") == 1
    assert "as in NLI" not in caplog.text
    nli = [{"anchor": t, "positive": t, "label": n} for t, n in (("a", 0), ("b", 1), ("c", 2))]
    list(read_pairs(write(tmp_path / "n.jsonl", nli)))
    [told] = [each for each in caplog.records if "'label'" in each.getMessage()]
    assert told.levelname == "WARNING" and "n.jsonl" in told.getMessage()
    assert "as in NLI, rename the column or leave it out" in told.getMessage()
    named = [{"anchor": t, "positive": t, "label": "entailment"} for t in ("a", "b")]
    list(read_pairs(write(tmp_path / "c.jsonl", named)))
    assert caplog.text.count("'label' names classes: it is not read") == 1


def test_a_label_is_a_score_where_it_is_a_number(tmp_path):
    rows = [{"query": "q", "positive": t, "label": n} for t, n in (("a", 1), ("b", 0), ("c", "0"))]
    [pair] = read_pairs(write(tmp_path / "p.jsonl", rows))
    assert pair[:3] == ("q", ("a",), ("b", "c"))
    named = [{"query": "q", "positive": "a", "label": "cardiologie"}]
    assert next(read_pairs(write(tmp_path / "n.jsonl", named))).positives == ("a",)
    for wrong in ({"a": 1}, "NaN"):
        with pytest.raises(DataError, match="expected a number|Expected a number"):
            list(read_pairs(write(tmp_path / "w.jsonl", [{**rows[0], "label": wrong}])))


def test_columns_that_look_like_documents_and_are_not_read_are_told(tmp_path, caplog):
    rows = [
        {"query": "q", "positive": "a", "negatives": ["b"], "negative-1": "c", "negative_2": "d"}
    ]
    [pair] = read_pairs(write(tmp_path / "p.jsonl", rows))
    assert pair.negatives == ("d",)
    assert "columns that are not read: negatives, negative-1" in caplog.text
