"""The lexicon matcher against a plain search, and its readers."""

import random
import zipfile

import pytest

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.annotators.lexicon import LexiconMatcher, load_lexicons
from doctobert_hf.finemed.density import find_terms


def found(matcher, text):
    return [text[term.start : term.end] for term in matcher.find(text)]


def test_whole_words_longest_first_case_and_accents_aside():
    matcher = LexiconMatcher(
        [("insuffisance cardiaque", "disease"), ("insuffisance", "disease"), ("Foie", "body_part")]
    )
    text = "INSUFFISANCE  cardiaque, Insuffisance cardiaque; insuffisances du foie."
    assert found(matcher, text) == ["INSUFFISANCE", "Insuffisance cardiaque", "foie"]
    assert [t.kind for t in matcher.find(text)] == ["disease", "disease", "body_part"]


def test_joints():
    matcher = LexiconMatcher([("maladie d'Alzheimer", "disease"), ("anti inflammatoire", "drug")])
    assert found(matcher, "maladie d’Alzheimer et anti-inflammatoire") == [
        "maladie d’Alzheimer",
        "anti-inflammatoire",
    ]
    assert found(matcher, "anti. Inflammatoire") == []
    assert found(matcher, "la maladie\nd'alzheimer") == ["maladie\nd'alzheimer"]


def test_agrees_with_a_plain_search():
    """On single-spaced text without accents both see the same terms."""
    draw = random.Random(3)
    letters = [f"mot{i}" for i in range(30)]
    terms = {" ".join(draw.sample(letters, draw.randint(1, 3))) for _ in range(60)}
    matcher = LexiconMatcher([(term, "disease") for term in terms])
    for _ in range(50):
        text = " ".join(draw.choice([*letters, "rien", "autre"]) for _ in range(80))
        assert [(t.start, t.end) for t in matcher.find(text)] == find_terms(text, list(terms))


def test_files_and_the_drug_database(tmp_path):
    (tmp_path / "mine.tsv").write_text("polypharmacie\n\nglibenclamide\tdrug\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "bdpm.zip", "w") as archive:
        names = "6\tDOLIPRÂNE 1000 mg, comprimé\tcomprimé\n".encode("windows-1252")
        archive.writestr("CIS_bdpm.txt", names)
        archive.writestr("CIS_COMPO_bdpm.txt", b"6\tcomprim\t2202\tPARACETAMOL\t1000 mg\tSA\t1\t\n")
    matcher = load_lexicons((str(tmp_path / "mine.tsv"), str(tmp_path / "bdpm.zip")))
    text = "Polypharmacie : doliprane, paracétamol, Glibenclamide."
    assert [(text[t.start : t.end], t.kind) for t in matcher.find(text)] == [
        ("Polypharmacie", "disease"),
        ("doliprane", "drug"),
        ("paracétamol", "drug"),
        ("Glibenclamide", "drug"),
    ]


def test_wrong_lexicons(tmp_path):
    with pytest.raises(UsageError, match="No lexicon 'bse'.*Did you mean 'base'"):
        load_lexicons(("bse",))
    (tmp_path / "bad.tsv").write_text("fièvre\tillness\n", encoding="utf-8")
    with pytest.raises(DataError, match="of type 'illness'"):
        load_lexicons((str(tmp_path / "bad.tsv"),))
    with pytest.raises(DataError, match="no usable term"):
        LexiconMatcher([("à", "disease"), ("12", "drug")])


@pytest.mark.long
def test_a_ten_megabyte_document_without_a_space():
    matcher = load_lexicons(("base",))
    assert matcher.find("a" * 10_000_000) == []
    long = "fièvre " * 1_500_000
    assert len(matcher.find(long)) == 1_500_000
