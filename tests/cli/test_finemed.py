"""The command ``finemed``: data on stdout, words on stderr, exit codes."""

import json
import subprocess
import sys

import pytest

from doctobert_hf.cli import main

pytest.importorskip("datatrove")


@pytest.fixture
def corpus(tmp_path):
    lines = [
        {
            "id": f"d{i}",
            "text": f"Patient {i} : fièvre, toux et pneumonie, traitement par insuline.",
        }
        for i in range(5)
    ]
    lines.append({"id": "d5", "text": "La marquise sortit à cinq heures et prit la route."})
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


@pytest.mark.long
def test_annotate_filter_and_stats(corpus, tmp_path, capsys):
    annotated, kept = str(tmp_path / "annotated"), str(tmp_path / "kept")
    one = ["--parts", "1", "--workers", "1", "--lexicons", "base"]
    command = ["finemed", "annotate", "finemed/light", "--input", str(corpus)]
    assert main([*command, "--output", annotated, *one]) == 0
    out = capsys.readouterr()
    assert "domain: Other" in out.out and f"output: {annotated}\nnext: " in out.err
    command = ["finemed", "filter", "--input", annotated, "--where", "density > 0.3", "--json"]
    assert main([*command, "--output", kept]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["documents"] + sum(manifest["excluded"].values()) == 5
    assert main(["finemed", "stats", "--input", annotated, "--output", str(tmp_path / "s")]) == 0
    assert "What each published mix keeps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["filter", "--input", "nowhere"], "No input 'nowhere'"),
        (["filter"], "No input."),
        (["filter", "--where", "__import__('os').system('ls')"], "in the filter"),
        (["annotate", "finemed/lihgt"], "Did you mean 'finemed/light'"),
        (["mix"], "without sources"),
        (["annotate", "--threshold", "3"], "between 0 and 1"),
        (["annotate", "--parts", "0"], "at least 1"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, said, capsys):
    assert main(["finemed", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err and len(err.splitlines()) == 1


@pytest.mark.long
def test_help_loads_neither_torch_nor_datatrove():
    code = (
        "import sys\nfrom doctobert_hf.cli import main\n"
        "assert main(['finemed', 'annotate', '--help']) == 0\n"
        "assert not {'torch', 'datatrove', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_manifest_of_an_older_version_is_shown(corpus, tmp_path, capsys):
    held, output = tmp_path / "held.jsonl", tmp_path / "out"
    held.write_text('{"text": "Une toux sèche depuis trois jours, sans fièvre ni frissons ?"}')
    command = ["finemed", "decontaminate", "--input", str(corpus), "--benchmark", str(held)]
    command += ["--output", str(output), "--parts", "1", "--workers", "1"]
    assert main(command) == 0
    manifest = json.loads((output / "manifest.json").read_text())
    for task in manifest["tasks"]:
        del task["with_answers_only"]
    (output / "manifest.json").write_text(json.dumps(manifest))
    capsys.readouterr()
    assert main(command) == 0
    assert "–" in capsys.readouterr().out


def test_an_option_whose_earlier_name_means_another_thing_now_is_refused(capsys):
    assert main(["finemed", "annotate", "--tasks", "2"]) == 2
    told = capsys.readouterr().err
    assert "--tasks are DrBenchmark's" in told and "what it was here is --parts" in told
    assert main(["finemed", "annotate", "-h"]) == 0
    assert "--tasks" not in capsys.readouterr().out


def test_a_misspelt_short_name_of_a_column_is_suggested(corpus, tmp_path, capsys):
    rows = [{"id": "a", "text": "x", "edu_quality_normalized_score": 3.0}]
    path = tmp_path / "rated.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    command = ["finemed", "filter", "--input", str(path), "--output", str(tmp_path / "out")]
    assert main([*command, "--where", "edo >= 2"]) == 1
    assert "Did you mean 'edu'?" in capsys.readouterr().err


def test_raw_corpora_that_are_not_there_are_told_once(corpus, tmp_path, capsys):
    command = ["finemed", "decontaminate", "--input", str(corpus)]
    command += ["--output", str(tmp_path / "out"), "--data-dir"]
    assert main([*command, str(tmp_path / "no-raw")]) == 2
    assert "no-raw' does not exist" in capsys.readouterr().err
    assert main([*command, str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "No test units to look for" in err and "not at hand" not in err


def test_a_stage_begun_under_the_earlier_name_of_a_setting_is_gone_on_with(
    corpus, tmp_path, capsys
):
    command = ["finemed", "deidentify", "--input", str(corpus), "--output", str(tmp_path / "out")]
    assert main([*command, "--parts", "2"]) == 0
    record = tmp_path / "out" / "run.json"
    content = json.loads(record.read_text())
    content["settings"]["tasks"] = content["settings"].pop("parts")
    record.write_text(json.dumps(content))
    assert main([*command, "--parts", "2"]) == 0
    assert main([*command, "--parts", "3"]) == 2
    assert "was started with parts 2, not 3" in capsys.readouterr().err
