"""A uniform sample of documents within a number of characters."""

from collections import Counter

from doctobert_hf.corpus.subset import draw_characters


def rows(lengths):
    return [{"id": i, "text": "a" * n} for i, n in enumerate(lengths)]


def test_it_stays_within_the_characters_and_counts_what_it_read():
    drawn = draw_characters(iter(rows([50] * 100 + [0])), most=1000, seed=3)
    assert len(drawn.rows) == 20 and drawn.read == 101 and drawn.empty == 1
    assert drawn.characters == 5000
    ids = [row["id"] for row in drawn.rows]
    assert ids == sorted(ids)
    assert draw_characters(rows([50] * 100 + [0]), most=1000, seed=3).rows == drawn.rows
    assert draw_characters(rows([50] * 100 + [0]), most=1000, seed=4).rows != drawn.rows


def test_first_and_last_have_the_same_chance():
    seen = Counter(
        row["id"] for seed in range(400) for row in draw_characters(rows([10] * 20), 50, seed).rows
    )
    assert set(seen) == set(range(20))
    assert all(60 < count < 150 for count in seen.values())  # 100 expected


def test_everything_where_it_fits_and_one_where_nothing_does():
    assert len(draw_characters(rows([10] * 5), 50, 0).rows) == 5
    assert len(draw_characters(rows([100] * 5), 50, 0).rows) == 1
