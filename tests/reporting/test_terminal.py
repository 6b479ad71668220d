"""Terminal output: lines break between words, and a message is not glued to a bar."""

import io

from doctobert_hf.reporting.terminal import TerminalStream


def written(*pieces, columns=20):
    sink = io.StringIO()
    stream = TerminalStream(sink, columns)
    for piece in pieces:
        assert stream.write(piece) == len(piece)
    return sink.getvalue()


def test_long_lines_break_between_words_and_keep_their_indent():
    assert written("f1 95.82 on test, 100.00 on validation", "\n") == (
        "f1 95.82 on test,\n100.00 on validation\n"
    )
    assert written("  one two three four five\n") == "  one two three four\n  five\n"
    assert written("x" * 30 + "\n") == "x" * 30 + "\n"


def test_a_command_stays_whole_so_that_it_can_be_copied():
    line = "next: doctobert-hf hub verify hub-dry-run/OWNER/ner\n"
    assert written(line) == line


def test_a_message_clears_the_bar_before_it_and_a_closing_line_does_not():
    bar = "\rtraining: 100%|####|"
    assert written(bar, "step 100\n", bar, "\n") == f"{bar}\r{' ' * 19}\rstep 100\n{bar}\n"


def test_pieces_of_one_line_stay_one_line():
    assert written("abc ", "def\n", "ghi\n") == "abc def\nghi\n"
