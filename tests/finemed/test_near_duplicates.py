"""Near-duplicates: compared, with their numbers, and dropped only for a twin that stays."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finemed_helpers import excluded_of, rows_of

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.cleaning import clean
from doctobert_hf.finemed.config import CleanConfig
from doctobert_hf.finemed.near_duplicates import COLUMN
from doctobert_hf.finemed.words import ngrams, plain_words

WORDS = [f"mot{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}{'uvwxyz'[i // 100]}"
         for i in range(600)]  # fmt: skip


def run(rows, tmp_path, **more):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.Table.from_pylist([{"id": i, "text": t} for i, t in rows]), path)
    options = {"language": None, "repetition": False, **more}
    clean(CleanConfig(input=(str(path),), output=tmp_path / "out", **options))
    return rows_of(tmp_path / "out"), excluded_of(tmp_path / "out")


def report(draw):
    value = draw.uniform
    return (
        f"Bilan biologique du patient. Sodium {value(130, 145):.0f} mmol/L, potassium "
        f"{value(3, 6):.1f} mmol/L, chlore {value(95, 110):.0f} mmol/L, urée {value(2, 20):.1f} "
        f"mmol/L, créatinine {value(50, 300):.0f} µmol/L, calcium {value(2, 3):.2f} mmol/L, "
        f"hémoglobine {value(7, 16):.1f} g/dL, leucocytes {value(3, 20):.1f} G/L, plaquettes "
        f"{value(90, 500):.0f} G/L, CRP {value(1, 200):.0f} mg/L, ASAT {value(10, 300):.0f} UI/L."
    )


@pytest.mark.long
def test_reports_with_other_values_stay(tmp_path):
    draw = random.Random(0)
    rows = [(f"r{i}", report(draw)) for i in range(60)]
    rows.append(("again", rows[7][1].replace("du patient", "de la patiente")))
    kept, out = run(rows, tmp_path, exact=False)
    assert {row["id"] for row in kept} == {f"r{i}" for i in range(60)}
    assert [(row["id"], row["reason"], row["of"]) for row in out] == [
        ("again", "near-duplicate", "r7")
    ]


@pytest.mark.long
@pytest.mark.parametrize("tasks", [1, 3])
def test_each_that_is_dropped_has_a_twin_that_stays(tmp_path, tasks):
    """A chain: each text is near the one before, the ends have nothing in common."""
    draw = random.Random(1)
    words = [draw.choice(WORDS) for _ in range(300)]
    chain = []
    for number in range(40):
        chain.append((f"c{number:02d}", " ".join(words)))
        for place in range(number * 15 % 300, number * 15 % 300 + 15):
            words[place % 300] = draw.choice(WORDS)
    kept, out = run(chain, tmp_path, parts=tasks, duplicates_column=True)
    assert 5 < len(kept) < 40 and len(kept) + len(out) == 40
    texts = dict(chain)
    stay = {row["id"] for row in kept}
    for row in out:
        one, twin = (set(ngrams(plain_words(texts[i]), 5)) for i in (row["id"], row["of"]))
        assert row["of"] in stay and len(one & twin) >= 0.7 * len(one | twin)
    assert sum(row[COLUMN] for row in kept) == len(out)


@pytest.mark.long
@pytest.mark.parametrize("tasks", [1, 3])
def test_marked_instead_of_dropped(tmp_path, tasks):
    """Of what dropping leaves one, marking keeps all; 'cluster_rank < 1' is the same choice."""
    draw = random.Random(5)
    rows = []
    for group, copies in enumerate((1, 3, 2)):
        words = [draw.choice(WORDS) for _ in range(120)]
        for copy in range(copies):
            words[copy * 7] = "ajout"
            rows.append((f"g{group}c{copy}", " ".join(words)))
    (tmp_path / "drop").mkdir()
    (tmp_path / "mark").mkdir()
    kept, out = run(rows, tmp_path / "drop", parts=tasks)
    marked, none = run(rows, tmp_path / "mark", parts=tasks, mark_near_duplicates=True)
    assert len(kept) == 3 and len(out) == 3 and len(marked) == 6 and none == []
    first = {row["id"] for row in marked if row["cluster_rank"] == 0}
    assert first == {row["id"] for row in kept}
    twins = {row["id"]: row["of"] for row in out}
    for row in marked:
        assert row["cluster_id"] == twins.get(row["id"], row["id"])
        assert row["cluster_size"] == {"0": 1, "1": 3, "2": 2}[row["id"][1]]
    ranks = {}
    for row in marked:
        ranks.setdefault(row["cluster_id"], []).append(row["cluster_rank"])
    assert sorted(map(sorted, ranks.values())) == [[0], [0, 1], [0, 1, 2]]


@pytest.mark.long
def test_a_cluster_gives_no_more_than_is_asked_for(tmp_path):
    """What is marked is chosen from by an expression, in any stage."""
    from doctobert_hf.finemed.config import FilterConfig
    from doctobert_hf.finemed.selection import select

    words = random.Random(2).choices(WORDS, k=100)
    rows = [(f"r{n}", " ".join([*words[:50], *["essai"] * n, *words[50:]])) for n in range(5)]
    run([*rows, ("alone", "Toux et fièvre depuis trois jours, sans dyspnée.")], tmp_path,
        mark_near_duplicates=True)  # fmt: skip
    chosen = FilterConfig(
        input=(str(tmp_path / "out"),), output=tmp_path / "chosen", where="cluster_rank < 2"
    )
    select(chosen)
    assert [row["id"] for row in rows_of(tmp_path / "chosen")] == ["r0", "r1", "alone"]


@pytest.mark.long
def test_columns_of_an_earlier_run_are_replaced_and_told(tmp_path, caplog):
    rows = [{"id": str(n), "text": f"Toux, fièvre {n}.", COLUMN: 7} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    options = {"language": None, "duplicates_column": True, "output": tmp_path / "out"}
    clean(CleanConfig(input=(str(tmp_path / "in.parquet"),), **options))
    assert [row[COLUMN] for row in rows_of(tmp_path / "out")] == [0, 0, 0]
    assert f"column {COLUMN} is replaced" in caplog.text


@pytest.mark.parametrize(
    "more", [{"minhash": False}, {"duplicates_column": True}], ids=["minhash", "column"]
)
def test_marks_that_cannot_be(more):
    with pytest.raises(UsageError, match="mark_near_duplicates"):
        CleanConfig(mark_near_duplicates=True, **more)


@pytest.mark.long
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Potassium < 3,5 mmol/L chez ce malade.", "Potassium > 3,5 mmol/L chez ce malade."),
        ("Sérologies : VIH +, toxoplasmose -.", "Sérologies : VIH -, toxoplasmose +."),
        ("Excès de base -5 mmol/L ce matin.", "Excès de base +5 mmol/L ce matin."),
        ("Captopril 12,5 mg par jour, le soir.", "Captopril 12 5 mg par jour, le soir."),
    ],
)
def test_signs_that_belong_to_values_are_no_punctuation(tmp_path, one, other):
    kept, out = run([("a", one), ("b", other), ("c", one.upper() + " !")], tmp_path)
    assert [row["id"] for row in kept] == ["a", "b"]
    assert [(row["id"], row["reason"], row["of"]) for row in out] == [("c", "exact duplicate", "a")]


@pytest.mark.long
def test_punctuation_is_none_of_a_text(tmp_path):
    one = "Fièvre - toux ; dyspnée (stade 2) : surveillance, 3 jours."
    other = "Fièvre – toux, dyspnée – stade 2 – surveillance 3 jours"
    kept, out = run([("a", one), ("b", other)], tmp_path)
    assert len(kept) == 1 and out[0]["reason"] == "exact duplicate"


@pytest.mark.long
def test_a_run_from_before_they_could_be_marked_goes_on(tmp_path):
    import json

    rows = [(str(n), f"Toux, fièvre {n}.") for n in range(3)]
    run(rows, tmp_path)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    del record["settings"]["mark_near_duplicates"]
    (tmp_path / "out" / "run.json").write_text(json.dumps(record))
    kept, _ = run(rows, tmp_path)
    assert len(kept) == 3
