"""The probe on made-up corpora, by itself and during pretraining."""

import json

import pytest
import torch

from doctobert_hf.drbenchmark.finetuning import probe as probing
from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters
from doctobert_hf.drbenchmark.finetuning.probe import BenchmarkProbeCallback, probe
from doctobert_hf.errors import UsageError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(probing, "PARAMETERS", HyperParameters(1e-3, epochs=1))
    monkeypatch.setattr(probing, "ROWS", 16)
    monkeypatch.setattr(probing, "TASKS", ("quaero_medline",))


@pytest.mark.long
@pytest.mark.versions
def test_scores_and_the_same_again(make_encoder, made_up):
    first = probe(make_encoder(), made_up)
    assert set(first) == {"quaero_medline"} and 0.0 <= first["quaero_medline"]["score"] <= 1.0
    told = {}
    again = probe(make_encoder(), made_up, tell=told.__setitem__)
    assert told == again and again["quaero_medline"]["score"] == first["quaero_medline"]["score"]


def test_nothing_to_probe_on(make_encoder, tmp_path):
    with pytest.raises(UsageError, match="None of quaero_medline"):
        probe(make_encoder(), tmp_path)


@pytest.mark.long
def test_pretraining_does_not_notice(made_up, tokenizer, sample_texts, tmp_path):
    from transformers import AutoModelForMaskedLM, set_seed

    from doctobert_hf.models import preset_config
    from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments, build_store

    store = build_store(sample_texts[:60], tokenizer, tmp_path / "store", max_length=64)

    def train(name, callbacks):
        set_seed(5)
        model = AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer))
        arguments = MLMTrainingArguments(
            str(tmp_path / name),
            max_tokens=6000,
            micro_batch_tokens=512,
            save_tokens=2000,
            report_to="none",
            disable_tqdm=True,
        )
        trainer = MLMTrainer(model, arguments, store, tokenizer, callbacks=callbacks)
        trainer.train()
        return trainer.model

    plain = train("plain", [])
    probed = train("probed", [BenchmarkProbeCallback(made_up, every=2)])
    lines = (tmp_path / "probed" / "probe.jsonl").read_text().splitlines()
    assert len(lines) == 1 and "quaero_medline" in json.loads(lines[0])
    for ours, theirs in zip(plain.parameters(), probed.parameters(), strict=True):
        assert torch.equal(ours, theirs)
