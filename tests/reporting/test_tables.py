"""Tables read the same in a terminal and in Markdown."""

from doctobert_hf.reporting.tables import markdown_table, text_table


def test_alignment():
    table = text_table(["name", "score"], [["a", "1.5"], ["longer", "10.25"]])
    assert table.splitlines() == [
        "name    score",
        "------  -----",
        "a         1.5",
        "longer  10.25",
    ]


def test_markdown_is_escaped():
    table = markdown_table(["a", "n"], [["x|y\nz", 3]])
    assert table == "| a | n |\n| --- | ---: |\n| x\\|y z | 3 |"


def test_words_that_are_too_wide_go_on_below():
    rows = [["the model loads with Transformers and its tokenizer", "passed", "a " * 60 + "end"]]
    table = text_table(["check", "status", "detail"], rows, width=80)
    assert max(map(len, table.splitlines())) <= 80
    assert "passed" in table and table.rstrip().endswith("end")
    assert text_table(["check", "n"], [["word", "12"]], width=80) == (
        text_table(["check", "n"], [["word", "12"]])
    )
