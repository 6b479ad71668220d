"""Looking only where a pattern can begin finds what looking everywhere finds."""

import re

from doctobert_hf.finemed.scanning import around, scan

PATTERN = re.compile(r"(?<![\w,])\d{1,3}(?: \d\d)+(?!\d)")
STARTS = re.compile(r"\d(?<![\w,].)")
TEXT = "12 34 56, 1 22 333 a1 22 4 55 66 77 88,9 10 11 \n9 99" * 3


def test_scan_is_finditer():
    wanted = [match.span() for match in PATTERN.finditer(TEXT)]
    assert wanted and [match.span() for match in scan(PATTERN, STARTS, TEXT)] == wanted


def test_around_places_that_are_near_each_is_found_once():
    word = re.compile(r"\w+@\w+")
    text = "a@b c@d " + "x " * 50 + "e@f"
    places = [match.start() for match in re.finditer("@", text)]
    found = [match[0] for match in around(word, places, 10, 10, text)]
    assert found == ["a@b", "c@d", "e@f"]
