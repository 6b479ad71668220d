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


def test_a_command_that_is_broken_can_be_copied():
    line = "next: doctobert-hf hub push-model my-run OWNER/ner --license apache-2.0 --dry-run\n"
    shown = written(line, columns=40)
    assert all(len(part) <= 40 for part in shown.splitlines())
    assert " ".join(shown.replace("\\\n", " ").split()) == line.strip()
    assert written("next: doctobert-hf hub verify x\n", columns=40).count("\n") == 1


def test_prose_that_names_a_command_breaks_between_words():
    line = "error: the following arguments are required: --output. See doctobert-hf export --help."
    shown = written(line + "\n", columns=60)
    assert shown.splitlines() == [
        "error: the following arguments are required: --output. See",
        "doctobert-hf export --help.",
    ]
    line = (
        "error: No run here. Start with doctobert-hf pretrain x. Then give the same options again."
    )
    first, *rest = written(line + "\n", columns=50).splitlines()
    assert first == "error: No run here. Start with doctobert-hf \\"
    assert rest == ["    pretrain x. Then give the same options again."]


def test_what_is_quoted_in_a_command_is_one_word():
    line = "next: doctobert-hf finemed filter --where 'edu >= 3 and density > 0.1' --input a"
    shown = written(line + "\n", columns=50)
    assert "'edu >= 3 and density > 0.1'" in shown
    import shlex

    command = shown.removeprefix("next: ").replace("\\\n", " ")
    assert shlex.split(command) == shlex.split(line.removeprefix("next: "))


def test_a_command_in_quotes_ends_with_them_and_a_folder_named_dot_ends_none():
    line = "error: Run 'doctobert-hf hub login' first and then run the same command again, please."
    assert "\\" not in written(line + "\n", columns=60)
    line = "next: doctobert-hf benchmark run model --data-dir . --output results --trials 0"
    shown = written(line + "\n", columns=50)
    assert shown.count("\\\n") == shown.count("\n") - 1 > 0


def test_a_no_break_space_is_no_place_to_break():
    line = "toux et fièvre\u00a0: oui"
    assert written(line + "\n", columns=15) == "toux et\nfièvre\u00a0: oui\n"


def test_bold_words_take_no_more_room_than_others():
    line = "Traitement de \x1b[1msortie\x1b[0m : réhydratation par sérum"
    assert written(line + "\n", columns=31) == (
        "Traitement de \x1b[1msortie\x1b[0m :\nréhydratation par sérum\n"
    )


def test_a_message_clears_the_bar_before_it_and_a_closing_line_does_not():
    bar = "\rtraining: 100%|####|"
    assert written(bar, "step 100\n", bar, "\n") == f"{bar}\r{' ' * 19}\rstep 100\n{bar}\n"


def test_pieces_of_one_line_stay_one_line():
    assert written("abc ", "def\n", "ghi\n") == "abc def\nghi\n"
