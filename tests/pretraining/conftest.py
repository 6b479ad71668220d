"""Small stores and models for the pretraining engine."""

import pytest


@pytest.fixture(scope="session")
def make_store(sample_texts, tokenizer, tmp_path_factory):
    from doctobert_hf.pretraining import build_store

    made = {}

    def make(max_length=64, part="train"):
        if (max_length, part) not in made:
            texts = sample_texts[:120] if part == "train" else sample_texts[120:]
            folder = tmp_path_factory.mktemp("store")
            made[max_length, part] = build_store(texts, tokenizer, folder, max_length)
        return made[max_length, part]

    return make


@pytest.fixture
def make_model(tokenizer):
    import torch
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models import preset_config
    from doctobert_hf.pretraining import register_attention

    register_attention()

    def make(preset="doctobert-tiny", dropout=0.0, attention="doctobert_varlen", **overrides):
        torch.manual_seed(0)
        config = preset_config(preset, tokenizer, initializer_range=0.06, **overrides)
        for key in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if hasattr(config, key):
                setattr(config, key, dropout)
        return AutoModelForMaskedLM.from_config(config, attn_implementation=attention)

    return make


@pytest.fixture
def run_arguments():
    """Of a small run that saves now and then."""
    return {
        "max_tokens": 24_000,
        "micro_batch_tokens": 512,
        "global_batch_tokens": 2048,
        "learning_rate": 3e-3,
        "warmup_tokens": 4000,
        "batch_warmup_tokens": 9000,
        "mlm_probability": 0.3,
        "mlm_probability_end": 0.15,
        "mlm_decay_tokens": 20_000,
        "save_tokens": 5000,
    }


@pytest.fixture
def make_trainer(make_store, make_model, tokenizer, tmp_path, run_arguments):
    from transformers import set_seed

    from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments

    def make(preset="doctobert-tiny", dropout=0.1, callbacks=None, output=None, **options):
        model = make_model(preset, dropout=dropout)
        set_seed(1)
        arguments = MLMTrainingArguments(
            output_dir=str(output or tmp_path / "run"),
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            **{"logging_steps": 2, **run_arguments, **options},
        )
        held_out = make_store(part="eval")
        return MLMTrainer(model, arguments, make_store(), tokenizer, held_out, callbacks)

    return make
