"""The completion script knows every command, option and recipe, and a shell reads it."""

import shutil
import subprocess

import pytest

from doctobert_hf.cli import COMMANDS, main

pytest.importorskip("shtab")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_script_is_read_by_its_shell(shell, capsys, tmp_path):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "--section-mb" in script and "--gradient-accumulation-steps" in script
    for word in (*COMMANDS, "--init-from", "push-model", "adapt/any", "finemed/light"):
        assert word in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True)


def test_a_stage_is_offered_its_own_recipes():
    import shtab

    from doctobert_hf.cli.completion import whole_parser

    def subcommands(parser):
        return next(a.choices for a in parser._actions if hasattr(a.choices, "values"))

    stages = subcommands(subcommands(whole_parser(shtab))["finemed"])
    offered = {
        name: next(a.choices for a in stage._actions if a.dest == "recipe")
        for name, stage in stages.items()
    }
    assert "finemed/light" in offered["annotate"] and "finemed/mix" not in offered["annotate"]
    assert "finemed/rephrase" in offered["rephrase"]
    assert "finemed/rephrase" not in offered["annotate"]


def test_bash_completes(capsys, tmp_path):
    main(["completion", "bash"])
    ask = """
COMP_WORDS=(doctobert-hf hub push-m); COMP_CWORD=2; COMP_LINE="doctobert-hf hub push-m"
COMP_POINT=${#COMP_LINE}
_shtab_doctobert_hf
printf '%s\\n' "${COMPREPLY[@]}"
"""
    (tmp_path / "script").write_text(capsys.readouterr().out + ask)
    done = subprocess.run(["bash", tmp_path / "script"], capture_output=True, text=True)
    assert done.stdout.split() == ["push-model"], done.stderr


def test_values_of_a_key_and_tasks_are_offered():
    import shtab

    from doctobert_hf.cli.completion import whole_parser

    def offered(parser, *words):
        for word in words[:-1]:
            parser = next(a.choices[word] for a in parser._actions if hasattr(a.choices, "values"))
        return next(a.choices for a in parser._actions if words[-1] in a.option_strings)

    whole = whole_parser(shtab)
    assert offered(whole, "finemed", "clean", "--executor") == ["local", "slurm", "ray"]
    assert "strict" in offered(whole, "benchmark", "run", "--protocol")
    assert "tiny/benchmark" in offered(whole, "finetune", "--space")
    assert "morfitt" in offered(whole, "benchmark", "run", "--tasks")
