"""Spans to tags: the benchmark's rules one by one, and the strict ones."""

from doctobert_hf.drbenchmark.iob import (
    Span,
    iob2,
    sentences,
    strict_tags,
    without_nested,
    word_offsets,
    write_first_come,
)
from doctobert_hf.drbenchmark.readers.brat import BratDocument, TextBound
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.drbenchmark.tasks._deft_cases import deft_words


def span(start, end, first, count, label="A", identity="T1", surface=""):
    return Span(start, end, first, count, label, identity, surface, "f:1")


def test_only_a_later_and_longer_span_drops_one():
    short, long = span(0, 4, 0, 1), span(0, 9, 0, 2)
    assert without_nested([short, long]) == [long]
    assert without_nested([long, short]) == [long, short]
    same = span(2, 6, 0, 1)
    assert without_nested([short, same]) == [short, same]
    touching = span(4, 20, 1, 3)
    assert without_nested([short, touching]) == [short, touching]


def test_first_come_writes_and_the_last_word_takes_what_falls_before_the_first():
    words = ["postopératoire", "a", "été"]
    spans = [span(4, 14, 0, 2, surface="opératoire")]
    cells = write_first_come(words, spans, Report(), step_back=True)
    # word 0 is no substring of the surface: its tag goes to the last word; "a" is one by accident
    assert cells == [None, ("A", "T1"), ("A", "T1")]
    report = Report()
    assert write_first_come(["x"], [span(0, 1, 0, 3)], report) == [("A", "T1")]
    assert "behind the last word" in report.lines()[0]


def test_iob2_goes_on_only_in_the_same_annotation():
    cells = [("A", "T1"), ("A", "T1"), ("A", "T2"), None, ("B", "T2"), ("A", "T2")]
    assert iob2(cells) == ["B-A", "I-A", "B-A", "O", "B-B", "B-A"]


def test_deft_words():
    assert deft_words("12, 5 mg") == ["12,5", "mg"]
    assert deft_words("1.2.3") == ["1.2", ".", "3"]
    assert deft_words("en 2015. 3 mois") == ["en", "2015.3", "mois"]
    assert deft_words("kg/m². 30 ans") == ["kg", "/", "m².30", "ans"]
    assert deft_words("l'os; (a-b)*") == ["l'", "os", ";", "(", "a", "-", "b", ")", "*"]
    assert deft_words("a\u00a0b\u2028c\u3000d") == ["a", "b", "c", "d"]


def test_words_are_placed_in_their_text():
    text = " 12, 5\u00a0mg de\nparacétamol."
    words = deft_words(text)
    places = word_offsets(text, words)
    assert ["".join(text[a:b].split()) for a, b in places] == words
    assert word_offsets("", []) == []


def document(text, *mentions):
    bound = tuple(
        TextBound(f"T{n}", label, fragments, tuple(text[a:b] for a, b in fragments), f"f:{n}")
        for n, (label, *fragments) in enumerate(mentions, 1)
        for fragments in [tuple(fragments)]
    )
    return BratDocument("d", text, bound)


def test_strict_keeps_the_outermost_and_counts_the_rest():
    text = "cancer du foie droit"
    report = Report()
    tags = strict_tags(
        document(text, ("ANAT", (10, 14)), ("DISO", (0, 14)), ("ANAT", (10, 20))),
        text.split(),
        ("ANAT", "DISO"),
        report,
    )
    assert tags == ["B-DISO", "I-DISO", "I-DISO", "O"]
    assert report.counts["annotation nested in or crossing another left out"] == 2
    assert report.annotations == {"DISO": {"kept": 1}, "ANAT": {"nested in or crossing another": 2}}


def test_strict_aligns_characters():
    text = "hépato-rénal l'os"
    words = deft_words(text)
    tags = strict_tags(document(text, ("A", (7, 12)), ("B", (15, 17))), words, ("A", "B"), Report())
    assert list(zip(words, tags, strict=True)) == [
        ("hépato", "O"), ("-", "O"), ("rénal", "B-A"), ("l'", "O"), ("os", "B-B")
    ]  # fmt: skip
    text = "fracture ouverte du bras"
    tags = strict_tags(document(text, ("A", (0, 8), (20, 24))), text.split(), ("A",), Report())
    assert tags == ["B-A", "O", "O", "B-A"]


def test_sentences_end_at_full_stops():
    pieces = sentences(["a", ".", ".", "b"], ["O", "O", "B-x", "O"])
    assert pieces == [(["a", "."], ["O", "O"]), (["."], ["B-x"]), (["b"], ["O"])]
    assert sentences(["a", "."], ["O", "O"])[-1] == ([], [])
