"""Repair of extracted text, with counts."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finemed_helpers import rows_of

pytest.importorskip("ftfy")

from doctobert_hf.finemed.cleaning import clean
from doctobert_hf.finemed.config import CleanConfig
from doctobert_hf.finemed.repair import repair


@pytest.mark.parametrize(
    ("text", "wanted", "kinds"),
    [
        ("PÃ©nicilline et fiÃ¨vre Ã©levÃ©e.", "Pénicilline et fièvre élevée.", {"encoding"}),
        ("Fi&egrave;vre &gt; 39 &#233;lev&#xe9;e", "Fièvre > 39 élevée", {"entities"}),
        ("une hospi-\n  talisation longue", "une hospitalisation longue", {"cut_words"}),
        ("en post-\nopératoire", "en post-opératoire", {"cut_words"}),
        ("le bêta-bloquant, un bêta-\nbloquant", "le bêta-bloquant, un bêta-bloquant",
         {"cut_words"}),
        ("une sérologie VIH-\npositive", "une sérologie VIH-positive", {"cut_words"}),
        ("fie\u0300vre", "fièvre", {"unicode"}),
        ("do\u00adu\u200bleur\x00", "douleur", {"control_characters"}),
        ("Doses :\n- un comprimé\n- deux", "Doses :\n- un comprimé\n- deux", set()),
        ("de 10-\n20 mg, AT&T; R&D &dose; ", "de 10-\n20 mg, AT&T; R&D &dose; ", set()),
        ("Le patient va bien.", "Le patient va bien.", set()),
    ],
)  # fmt: skip
def test_what_is_repaired_and_what_stays(text, wanted, kinds):
    found, counts = repair(text)
    assert found == wanted and set(counts) == kinds
    assert repair(found)[0] == found


def test_a_word_keeps_the_hyphen_that_the_text_writes():
    text = (
        "Arrivé en semi-conscience. Un cœur-poumons. L'état de semi-\nconscience, le cœur-\npoumon."
    )
    assert repair(text)[0].endswith("L'état de semi-conscience, le cœur-poumon.")
    assert repair("Un broncho-pneumo-pathe. La pneumo-\npathe.")[0].endswith("La pneumo-pathe.")


@pytest.mark.parametrize("word", ["a" * 3_000_000, "hospi-\ntalisation abcd-ef " * 150_000])
def test_a_long_document_takes_time_by_its_length(word):
    """Quadratic, each of them takes hours."""
    repaired, found = repair(word)
    assert found.get("cut_words", 0) == word.count("-\n")
    assert repaired == word.replace("-\n", "")


@pytest.mark.long
def test_as_a_step_of_clean_with_counts(tmp_path):
    texts = ["Fi&egrave;vre du patient &gt; 39 depuis hier soir.", "Il est hospi-\ntalisé ce jour."]
    pq.write_table(pa.table({"id": ["a", "b"], "text": texts}), tmp_path / "c.parquet")
    options = {"input": (str(tmp_path / "c.parquet"),), "minhash": False, "language": None}
    clean(CleanConfig(output=tmp_path / "as-is", **options))
    assert [row["text"] for row in rows_of(tmp_path / "as-is")] == texts
    clean(CleanConfig(output=tmp_path / "repaired", repair=True, **options))
    assert [row["text"] for row in rows_of(tmp_path / "repaired")] == [
        "Fièvre du patient > 39 depuis hier soir.",
        "Il est hospitalisé ce jour.",
    ]
    told = json.loads((tmp_path / "repaired" / "manifest.json").read_text())["repaired"]
    assert told["entities"] == {"documents": 1, "matches": 2}
    assert told["cut_words"] == {"documents": 1, "matches": 1}
