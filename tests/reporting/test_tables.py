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
