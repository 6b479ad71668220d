"""Folding of words and the values of a text."""

import random

from doctobert_hf.finemed import words


def of_the_whole(text):
    """The values as they are found when the whole text is looked at."""
    joined = " ".join(text.replace("\u2212", "-").lower().split())
    return [
        match["found"] or (match["limit"] or "") + match["word"].replace(",", ".")
        for match in words._VALUE.finditer(joined)
        if match["found"] or words._DIGIT.search(match["word"])
    ]


def test_values_looked_for_near_signs_are_those_of_the_whole():
    parts = ["a", "b ", " ", "1", "2,", "-", " - ", "+", "<", "> ", ". ", ")", "(", "vih", "\n"]
    draw = random.Random(3)
    for _ in range(20_000):
        text = "".join(draw.choice(parts) for _ in range(draw.randint(1, 16)))
        assert words.values(text) == of_the_whole(text), text


def test_values_that_stand_far_apart_keep_their_signs():
    text = f"K < 3,5 {'mot ' * 30}VIH + {'mot ' * 30}base -2 {'mot ' * 30}toxo -"
    assert words.values(text) == ["<3.5", "+", "-2", "-"]
    assert words.values("") == words.values("rien du tout") == []
