"""Words as they are compared: names that look like stop words, and clinical abbreviations."""

import json

import pytest

from doctobert_hf.cli import main
from doctobert_hf.corpus.clinical_abbreviations import AMBIGUOUS, EXPANSIONS, wordings
from doctobert_hf.retrieval import Index
from doctobert_hf.retrieval.lexical import FrenchAnalyzer
from doctobert_hf.retrieval.search import add_documents

pytest.importorskip("bm25s")
pytest.importorskip("Stemmer")


@pytest.mark.parametrize("text", ["IL-6", "l'IL-6", "IL\u20116", "il-6"])
def test_a_stop_word_joined_to_a_digit_is_a_name(text):
    assert list(FrenchAnalyzer().pairs(text)) == [(text[-4:-2], "il"), ("6", "6")]
    assert list(FrenchAnalyzer().words("Il a 6 ans, va-t-il 6 fois")).count("il") == 0


@pytest.mark.parametrize(
    ("short", "said"),
    [
        ("HTA", "Hypertension artérielle"),
        ("hta", "hypertensions arterielles"),
        ("AVC", "accidents vasculaires cérébraux"),
        ("AVP", "accident de la voie publique"),
        ("AIT", "accident ischémique transitoire"),  # "ait" is a stop word
        ("AINS", "anti-inflammatoires non stéroïdiens"),
        ("DMLA", "dégénérescence maculaire liée à l’âge"),
        ("VNI", "ventilation non-invasive"),
        ("ATCD", "antécédents"),
        ("RGO", "reflux gastro-œsophagien"),
    ],
)
def test_an_abbreviation_meets_what_it_stands_for(short, said):
    documents = {"short": f"Patient connu pour {short}.", "said": f"Au dossier : {said}.",
                 "other": "Un patient avec un accident et une hypertension portale."}  # fmt: skip
    for question in (short, said):
        index = Index.build(documents, abbreviations=True)
        assert {hit.document for hit in index.search(question, 2)} == {"short", "said"}, question
    plain = {hit.document for hit in Index.build(documents).search(short)}
    assert "said" not in plain


def test_ambiguous_and_longer_ones():
    analyze = FrenchAnalyzer(abbreviations=True)
    words = [set(found) for found in analyze(["insuffisance cardiaque", "il ait", "HTAP"])]
    assert words == [{"insuffis", "cardiaqu"}, set(), {"htap"}]
    [found] = analyze(["hypertension artérielle pulmonaire"])
    assert "htap" in found and "hta" not in found
    told = ["traitements", "traiter", "réanimé", "ETT", "échographie transthoracique", "ET-1"]
    ttt, treat, revived, short, said, name = map(set, analyze(told))
    assert "ttt" in ttt and "ttt" not in treat and "rea" not in revived
    assert short == {"ett"} <= said and not short & name
    assert EXPANSIONS.keys() >= AMBIGUOUS and not AMBIGUOUS & wordings().keys()
    assert wordings().keys() <= EXPANSIONS.keys()
    assert all(any(map(str.split, texts)) for texts in wordings().values())


def test_words_met_by_their_abbreviation_are_not_unknown():
    index = Index.build({"a": "HTA traitée."}, abbreviations=True)
    assert index.bm25.words("hypertension artérielle sévère")[1] == ["sévère"]
    assert index.bm25.words("embolie pulmonaire")[1] == ["embolie", "pulmonaire"]
    assert index.bm25.words("thrombose veineuse profonde")[1] == [
        "thrombose",
        "veineuse",
        "profonde",
    ]


def test_an_index_remembers_it_through_save_add_and_load(tmp_path, capsys):
    path = tmp_path / "notes.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "HTA traitée. Le foie est normal."}) + "\n")
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"id": "b", "text": "Un accident vasculaire cérébral."}) + "\n")
    made = tmp_path / "index"
    build = ["retrieval", "index", "build", str(path), "--output", str(made)]
    assert main([*build, "--abbreviations"]) == 0
    assert json.loads((made / "index.json").read_text())["abbreviations"] is True
    add_documents(made, more)
    capsys.readouterr()
    for question, found in (("hypertension artérielle", "a"), ("avc", "b")):
        assert main(["retrieval", "search", str(made), question, "--json"]) == 0
        [hit] = json.loads(capsys.readouterr().out)
        assert hit["document"] == found
    assert Index.load(made).search("hypertension artérielle")[0].sentence_end == len("HTA traitée.")
    assert main(build) == 2, "another setting is not the same index"
    assert "abbreviations" in capsys.readouterr().err
    Index.load(made).save(tmp_path / "copy")
    assert Index.load(tmp_path / "copy").search("avc")[0].document == "b"


def test_documents_are_searched_with_abbreviations_without_an_index(tmp_path, capsys):
    documents = tmp_path / "d.jsonl"
    rows = [{"id": "a", "text": "HTA traitée."}, {"id": "b", "text": "Une entorse."}]
    documents.write_text("".join(json.dumps(row) + "\n" for row in rows))
    search = ["retrieval", "search", str(documents), "hypertension artérielle", "--json"]
    assert main(search) == 0 and json.loads(capsys.readouterr().out) == []
    assert main([*search, "--abbreviations"]) == 0
    assert [hit["document"] for hit in json.loads(capsys.readouterr().out)] == ["a"]
    made = tmp_path / "index"
    assert main(["retrieval", "index", "build", str(documents), "--output", str(made)]) == 0
    assert main(["retrieval", "search", str(made), "HTA", "--abbreviations"]) == 2
    assert "--abbreviations for an index" in capsys.readouterr().err


@pytest.mark.parametrize(
    "question",
    ["'hépatite C'", "‘hépatite C’", "'hépatite C' chronique", "« hépatite C »", "l'hépatite C."],
)
def test_a_letter_before_a_closing_mark_stays(question):
    index = Index.build({"b": "Une hépatite B.", "c": "Une hépatite C."})
    first, second = index.search(question)
    assert first.document == "c" and first.score > second.score


def test_elisions_with_a_blank_are_elisions():
    analyzer = FrenchAnalyzer()
    for text in ("l' artère", "L ' artère", "l’artère", "'selon lui' l' artère"):
        assert list(analyzer.words(text))[-1] == next(iter(analyzer.words("artère"))), text
        assert "l" not in list(analyzer.words(text)), text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AIT sylvien gauche.", ["ait", "sylvien", "gauch"]),
        ("Grossesse de 32 SA, TA 14/9.", ["grossess", "32", "sa", "ta", "14", "9"]),
        ("AIT", ["ait"]),
        ("AIT SYLVIEN", ["ait", "sylvien"]),
        ("LE PATIENT DE PARIS", ["patient", "paris"]),
        ("Il y ait une toux", ["toux"]),
    ],
)
def test_an_abbreviation_in_capitals_is_no_stop_word(text, words):
    for abbreviations in (False, True):
        found = FrenchAnalyzer(abbreviations=abbreviations)([text])[0]
        assert [word for word in found if word != "y"][: len(words)] == words
