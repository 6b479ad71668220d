"""Decontamination: what a test unit is, when a document holds it, the real corpora."""

import html
import json
import re
import unicodedata
from pathlib import Path

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


def test_questions_that_are_looked_for_with_their_answers_only_are_told():
    index = TestIndex(8)
    stem = "Parmi les propositions suivantes, une seule est exacte, laquelle est-ce ?"
    own = "La vaccination contre la rage est recommandée chaque année aux vétérinaires de campagne"
    for question in (stem, own, "Cocher les bonnes réponses :"):
        for answers in range(1 if question == own else 4):
            index.add("t", question, 8)
            index.add("t", f"{question}\nréponse {answers} a\nautre réponse {answers} b", 8)
    index.finish()
    assert index.not_alone["t"] > 1 and own not in index.lines
    assert index.hits(own)


@pytest.mark.parametrize(
    "form",
    [
        lambda text: re.sub(r"(\w{4})(\w{3})", r"\1<wbr>\2", text),
        lambda text: re.sub(r"(\w{4})(\w{3})", r'\1<span class="x">\2</span>', text),
        lambda text: text.replace(" ", "_"),
        lambda text: re.sub(r"\b(\w{6,})\b", r"_\1_", text),
    ],
)
def test_what_pages_put_inside_words(corpus, tmp_path, form):
    text = form(medical_text(3))
    assert text != medical_text(3)
    path = tmp_path / "page.jsonl"
    path.write_text(json.dumps({"id": "page", "text": text}) + "\n")
    config = DecontaminateConfig(
        input=(str(path),), output=tmp_path / "out", benchmark=(corpus[1],)
    )
    decontaminate(config)
    assert [row["overlap"] for row in excluded_of(tmp_path / "out")] == [1.0]


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


ABSTRACT = (
    "L'éréthisme cardiovasculaire du sujet âgé reste mal décrit. Nous rapportons vingt-sept cas "
    "suivis de 2003 à 2011 dans un service de gériatrie aiguë. L'âge moyen était de 84,2 ans, la "
    "fréquence au repos de 112 battements. Dix-neuf malades recevaient de l'azathioprine pour une "
    "maladie cœliaque réfractaire ; huit présentaient une hypokaliémie profonde. L'évolution fut "
    "favorable après l'arrêt du traitement chez vingt-deux d'entre eux, sans séquelle à 6 mois."
)
HOST = "La marquise sortit à cinq heures et prit la route. " * 30


def index_of(*texts, near=0.3):
    index = TestIndex(8, near)
    for text in texts:
        index.add("t", text, 8)
    index.finish()
    return index


def is_found(index, text):
    hits = any(share >= 0.5 for share in index.hits(text).values())
    return hits or bool(index.whole_lines(text)) or bool(index.close_together(text))


@pytest.mark.parametrize(
    "form",
    [
        lambda t: unicodedata.normalize("NFD", t),
        lambda t: t.translate(str.maketrans("éèêàâùûîïôç", "eeeaauuiioc")).replace("œ", "oe"),
        str.upper,
        lambda t: t.encode("ascii", "xmlcharrefreplace").decode(),
        lambda t: html.escape(t.encode("ascii", "xmlcharrefreplace").decode()),  # twice
        lambda t: t.replace("cardio", "cardio\u00ad").replace("hypo", "hypo\u200b"),
        lambda t: t.replace("cardiovasculaire", "cardio-\nvasculaire").replace(", ", " — "),
        lambda t: t.replace(" ", "\u00a0").replace(".", "</p><p class='x'>"),
        lambda t: " ".join(t.split()[:40]),  # half of it
        lambda t: t.replace("malades", "malaxes").replace("moyen", "moyne").replace("service",
                                                                                   "servise"),
    ],
)  # fmt: skip
def test_forms_of_the_web_hide_nothing(form):
    index = index_of(ABSTRACT)
    assert is_found(index, HOST + form(ABSTRACT) + HOST)
    assert not is_found(index, HOST)


def test_a_form_filled_in_with_other_values_is_another_document():
    form = "Sodium {} mmol/L, potassium {} mmol/L, créatinine {} µmol/L, urée {} mmol/L, ".format
    first = form(138, 4.1, 88, 6.2) + "hémoglobine 13,4 g/dL, plaquettes 245 G/L, CRP 12 mg/L."
    second = form(129, 5.7, 140, 15.8) + "hémoglobine 9,1 g/dL, plaquettes 97 G/L, CRP 181 mg/L."
    index = index_of(first)
    assert is_found(index, HOST + first) and not is_found(index, HOST + second)


def test_a_question_with_its_answers_in_any_order():
    question = "Parmi les propositions suivantes, laquelle ou lesquelles sont exactes ?"
    answers = ["L'azathioprine est un antimétabolite de la série des purines",
               "Le méthotrexate inhibe la dihydrofolate réductase",
               "La ciclosporine se lie à la cyclophiline A cytosolique"]  # fmt: skip
    index = index_of("\n".join((question, *answers)))
    quiz = [question, *(f"{letter}. {a}" for letter, a in zip("ABC", reversed(answers)))]
    assert is_found(index, HOST + "\n" + "\n".join(quiz))
    assert not is_found(index, HOST + question + HOST)  # a phrase that many quizzes have


def test_a_short_document_is_a_line_of_its_own():
    index = index_of("Hépatite chronique active")
    assert is_found(index, f"{HOST}\n- HÉPATITE CHRONIQUE ACTIVE.\n{HOST}")
    assert not is_found(index, f"{HOST} une hépatite chronique active {HOST}")


def test_phrases_of_many_leaflets_are_no_document():
    phrase = "Si vous avez pris plus de {} que vous n'auriez dû, consultez votre médecin. " * 3
    own = "La substance {0} agit sur le récepteur {0}2 des cellules {0} du foie et du rein. "
    leaflets = [phrase.format(*[n] * 3) + own.format(n) for n in ("alpha", "beta", "gamma", "rho")]
    assert not is_found(index_of(*leaflets), HOST + phrase.format(*["zeta"] * 3))


def test_a_stem_that_many_questions_have_is_none_alone():
    stem = "Parmi les propositions suivantes, quelle est celle qui est exacte ?"
    answers = (
        "L'azathioprine est un antimétabolite",
        "La ciclosporine se lie à la cyclophiline",
        "Le méthotrexate inhibe la dihydrofolate réductase",
        "Le tacrolimus est un macrolide",
    )
    units = [f"{stem}\n{answer} numéro {n}" for n, answer in enumerate(answers)]
    own = "Quel antimétabolite de la série des purines inhibe la synthèse des lymphocytes T ?"
    index = index_of(stem, *units, own, f"{own}\nL'azathioprine\nLe tacrolimus")
    other = f"{stem}\nLe taux légal de la taxe est de 20 %\nIl est de 5,5 %\nIl est nul"
    assert not is_found(index, HOST + other)
    assert is_found(index, HOST + own + HOST)  # worded as no other: it is looked for alone


def test_a_finished_result_is_told_only_of_the_test_units_it_was_made_with(corpus, tmp_path):
    path, held = corpus
    config = DecontaminateConfig(input=(path,), output=tmp_path / "out", benchmark=(held,))
    manifest = decontaminate(config)
    before = Path(held).read_text()
    assert decontaminate(config) == manifest
    Path(held).write_text(json.dumps({"text": medical_text(1)}) + "\n")
    with pytest.raises(UsageError, match="have changed since it was started"):
        decontaminate(config)
    Path(held).write_text(before)
    assert decontaminate(config) == manifest
