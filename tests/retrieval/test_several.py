"""Training in two processes: all rows are seen, both end with the same weights, one writes."""

import json
from collections import Counter
from pathlib import Path

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval import PairSet, open_model
from doctobert_hf.retrieval.batches import Conflicts, make_sampler
from doctobert_hf.retrieval.pairs import Pair

SCRIPT = Path(__file__).with_name("run_several.py")
QUICK = dict(batch_size=16, query_length=32, max_length=48, evaluations=2, patience=0, report_to=[])


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dense", "late-interaction"])
def test_the_command_evaluates_writes_and_tells_once(
    kind, encoder, pairs_file, two_processes, tmp_path
):
    words = ["retrieval", "train", f"retrieval/{kind}", "--base-model", encoder]
    words += ["--data", pairs_file, "--max-steps", 4, "--evaluations", 2, "--batch-size", 16]
    words += ["--query-length", 32, "--max-length", 48, "--output", tmp_path / "run"]
    codes, printed, said = two_processes("-m", "doctobert_hf", *words, "--json")
    assert codes == [0, 0], said
    systems = [row["system"] for row in json.loads(printed[0])]
    assert systems == ["BM25", "before training", "after training"] and printed[1] == ""
    assert said[0].count("step 2: validation ndcg@10") == 1
    assert "questions" not in said[1] and "ndcg" not in said[1]
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    measured = [line["step"] for line in lines if "eval_validation_ndcg@10" in line]
    assert measured == [2, 4]
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "finished"
    open_model(str(tmp_path / "run" / "model"))

    again = ["retrieval", "train", "--resume", "--output", tmp_path / "run", "--json"]
    codes, printed_again, said = two_processes("-m", "doctobert_hf", *again)
    assert codes == [0, 0], said
    assert json.loads(printed_again[0]) == json.loads(printed[0]) and printed_again[1] == ""


@pytest.mark.long
@pytest.mark.parametrize("mini_batch_size", [0, 4])
def test_each_row_once_an_epoch_and_the_same_weights(
    mini_batch_size, encoder, pairs_file, rows, two_processes, tmp_path
):
    """Batches are of 2 to 10 rows here: Accelerate took smaller ones for the last of an epoch."""
    keys = {**QUICK, "base_model": encoder, "data": str(pairs_file), "epochs": 2.0}
    keys |= {"output": str(tmp_path / "run"), "mini_batch_size": mini_batch_size}
    (tmp_path / "options.json").write_text(json.dumps(keys))
    codes, _, said = two_processes(SCRIPT, tmp_path / "options.json", tmp_path / "report")
    assert codes == [0, 0], said
    both = [json.loads((tmp_path / f"report{rank}.json").read_text()) for rank in range(2)]
    assert both[0]["weights"] == both[1]["weights"]
    assert len(both[0]["steps"]) == len(both[1]["steps"])
    half = len(both[0]["steps"]) // 2
    for part in (slice(half), slice(half, None)):
        seen = Counter(text for one in both for step in one["steps"][part] for text in step)
        assert set(seen.values()) == {1} and len(seen) == 80
    assert both[0]["steps"][:half] != both[0]["steps"][half:], "each epoch has its own order"


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_processes_have_as_many_batches_each(processes):
    pairs = PairSet.from_pairs("p", [Pair(f"q {n}", (f"a {n % 4}",)) for n in range(50)])
    sampler = make_sampler(Conflicts(pairs, pairs.pairs()), 8, seed=0, processes=processes)
    batches = list(sampler)
    assert len(batches) == len(sampler) and len(batches) % processes == 0
    assert sorted(row for batch in batches for row in batch) == list(range(50))


def test_more_processes_than_rows_are_refused():
    pairs = PairSet.from_pairs("p", [Pair("q", ("a",))])
    with pytest.raises(UsageError, match="1 training rows for 2 processes"):
        make_sampler(Conflicts(pairs, pairs.pairs()), 8, seed=0, processes=2)


def test_pylate_in_several_processes_is_refused(encoder, monkeypatch):
    from doctobert_hf.retrieval import RetrievalConfig
    from doctobert_hf.retrieval.pylate import run_script

    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="in 2 processes"):
        run_script(RetrievalConfig(encoder, kind="pylate"), "retrieval/pylate")


@pytest.mark.parametrize("processes", [2, 3])
def test_where_no_batch_can_be_split_rows_are_left_out_and_told(processes, caplog):
    pairs = PairSet.from_pairs("p", [Pair(f"q {n}", ("the same",)) for n in range(7)])
    sampler = make_sampler(Conflicts(pairs, pairs.pairs()), 1, seed=0, processes=processes)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 6 and len(batches) % processes == 0
    assert "1 rows are not trained on" in caplog.text
