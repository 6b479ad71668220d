"""The causal detour: what is predicted when, and that no token sees what it is to predict."""

import json

import numpy as np
import pytest
import torch

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.models import first_position
from doctobert_hf.models.isolation import looks_back_only
from doctobert_hf.pretraining import MLMTrainingArguments, prepare_model
from doctobert_hf.pretraining.attention import use_attention
from doctobert_hf.pretraining.checkpoints import STREAM
from doctobert_hf.pretraining.data.dataset import causal_row
from doctobert_hf.pretraining.head import require_causal
from doctobert_hf.pretraining.objectives import ObjectiveSchedule, next_tokens

from .test_any_encoder import KINDS, PADDED, encoder  # noqa: F401


def test_a_schedule_says_what_holds_when():
    schedule = ObjectiveSchedule.read("mlm:100 clm:900 mlm")
    assert [schedule.at(n) for n in (0, 99, 100, 899, 900, 10**9)] == (
        ["mlm", "mlm", "clm", "clm", "mlm", "mlm"]
    )
    assert schedule.is_causal_somewhere and not ObjectiveSchedule().is_causal_somewhere


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("clm:100 mlm:200", "e.g. 'mlm'"),
        ("clm mlm", "e.g. 'mlm'"),
        ("clm:1e5 mlm", "e.g. 'mlm'"),
        ("clm:100 mlm:50 mlm", "an end after 100"),
        ("cml:100 mlm", "Expected mlm or clm"),
        ((), "An empty objective"),
        ("clm@0.3:100 mlm", "a share between 0 and 1"),
        ("mlm@1.5", "a share between 0 and 1"),
        ("mlm@beaucoup", "a share between 0 and 1"),
    ],
)
def test_wrong_schedules(given, message):
    with pytest.raises(UsageError, match=message):
        ObjectiveSchedule.read(given)


def test_a_share_for_each_part():
    schedule = ObjectiveSchedule.read("mlm@0.3:100 clm:200 mlm:300 mlm@0.15")
    assert [schedule.share_at(n) for n in (0, 99, 100, 200, 300)] == [0.3, 0.3, None, None, 0.15]
    assert schedule.highest_share == 0.3 and ObjectiveSchedule().share_at(0) is None
    with pytest.raises(UsageError, match="shares in one of the two"):
        MLMTrainingArguments.check_values(
            objective=("mlm@0.3:10", "mlm"), mlm_probability_end=0.1, mlm_decay_tokens=5,
            max_tokens=100, micro_batch_tokens=10,
        )  # fmt: skip


def test_a_part_that_would_never_begin_is_refused():
    with pytest.raises(UsageError, match="before max_tokens, 1,000"):
        ObjectiveSchedule.read("clm:1000 mlm").check_length(1000)


def test_labels_are_the_next_tokens_of_the_same_document():
    ids = np.array([5, 6, 7, 8, 9, 10])
    positions, labels = next_tokens(ids, np.array([3, 0, 1, 2]))
    assert positions.tolist() == [0, 1, 4] and labels.tolist() == [6, 7, 10]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in PADDED])
def test_no_token_sees_what_stands_behind_it(kind, encoder, tokenizer):  # noqa: F811
    """Loss and gradients are those of each document alone under a causal mask."""
    model = encoder(kind).eval()
    use_attention(model)
    prepare_model(model, chunk=8)
    require_causal(model)
    rng = np.random.default_rng(0)
    lengths = np.array([7, 40, 3, 11])
    ids = rng.integers(10, len(tokenizer), lengths.sum())
    row = causal_row(ids, lengths, 1, None, first_position(model.config))
    packed = model(**row)
    packed.loss.backward()
    gradient = model.get_input_embeddings().weight.grad.clone()
    model.zero_grad()
    total, first = 0.0, 0
    for length in lengths:
        alone = causal_row(
            ids[first : first + length], np.array([length]), 1, None, first_position(model.config)
        )
        loss = model(**alone).loss
        loss.backward()
        total += float(loss)
        first += length
    assert float(packed.loss) == pytest.approx(total, rel=1e-5)
    torch.testing.assert_close(
        gradient, model.get_input_embeddings().weight.grad, atol=1e-5, rtol=1e-4
    )
    with torch.no_grad():
        whole = model.base_model(**{k: v for k, v in row.items() if "masked" not in k})[0]
        cut = causal_row(ids[:20], np.array([7, 13]), 1, None, first_position(model.config))
        part = model.base_model(**{k: v for k, v in cut.items() if "masked" not in k})[0]
    torch.testing.assert_close(whole[:, :20], part, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", PADDED)
def test_an_attention_of_its_own_is_refused(kind, encoder):  # noqa: F811
    model = encoder(kind)
    use_attention(model)
    prepare_model(model)
    with pytest.raises(UsageError, match="cannot see the past only"):
        require_causal(model)


def test_an_encoder_without_the_keyword_looks_ahead(encoder):  # noqa: F811
    model = encoder("bert")  # stock attention takes no notice of past_only
    assert not looks_back_only(model)


RECIPE = [
    *("pretrain", "doctobert-tiny/pretrain", "--max-tokens", "6000", "--micro-batch-tokens"),
    *("512", "--global-batch-tokens", "512", "--logging-steps", "1", "--save-tokens", "2000"),
    *("--eval-tokens", "3000", "--dataloader-num-workers", "0", "--warmup-tokens", "0"),
    *("--batch-warmup-tokens", "0", "--decay-tokens", "0", "--lr-schedule", "constant"),
]


@pytest.mark.long
@pytest.mark.versions
def test_the_share_steps_between_parts(tmp_path, capsys):
    """One value a part, also after a resume inside the second."""
    shares = ["--objective", "mlm@0.3:3000", "mlm@0.1"]
    assert main([*RECIPE, *shares, "--output", str(tmp_path / "run")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    steps = [(line["tokens"], line["mlm_probability"]) for line in lines if "loss" in line]
    # A step's tokens are told behind it: its share is that of its beginning.
    assert {share for tokens, share in steps if tokens <= 3000} == {0.3}
    assert {share for tokens, share in steps if tokens > 3000 + 512} == {0.1}
    with pytest.raises(UsageError, match="mlm@SHARE"):
        ObjectiveSchedule.read("mlm@0:10 mlm")
    capsys.readouterr()


@pytest.mark.long
def test_a_detour_trains_resumes_and_saves_a_plain_model(tmp_path, capsys):
    from transformers import AutoModelForMaskedLM

    assert main([*RECIPE, "--objective", "clm:3000", "mlm", "--output", str(tmp_path / "run")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    losses = {line["tokens"]: line["loss"] for line in lines if "loss" in line}
    assert len(losses) > 8
    evaluations = [line for line in lines if "eval_loss" in line]
    assert all(line["eval_clm_loss"] > 0 for line in evaluations)
    assert AutoModelForMaskedLM.from_pretrained(tmp_path / "run" / "model").config.architectures
    checkpoints = sorted(
        (tmp_path / "run").glob("checkpoint-*"), key=lambda path: int(path.name[11:])
    )
    import shutil

    for path in checkpoints[1:]:
        shutil.rmtree(path)
    before = {p.name: p.read_bytes() for p in (tmp_path / "run" / "model").glob("*.safetensors")}
    assert main(["pretrain", "--resume", "--output", str(tmp_path / "run")]) == 0
    after = {p.name: p.read_bytes() for p in (tmp_path / "run" / "model").glob("*.safetensors")}
    assert after == before, "resumed inside the detour, bit for bit"
    capsys.readouterr()
    resume = ["pretrain", "--resume", "--output", str(tmp_path / "run"), "--objective", "mlm"]
    assert main(resume) == 2
    assert "objective" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.versions
def test_the_default_is_what_it_was(tmp_path):
    assert main([*RECIPE, "--max-tokens", "2000", "--output", str(tmp_path / "run")]) == 0
    states = list((tmp_path / "run").glob(f"checkpoint-*/{STREAM}"))
    assert states
    assert all("objective" not in json.loads(path.read_text())["run"] for path in states)
