"""LoRA: the encoder stays, adapters learn, and what is saved is the plain model with both."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForMaskedLM

from doctobert_hf.cli import main
from doctobert_hf.errors import UsageError
from doctobert_hf.models.adapters import add_adapters, has_adapters, merge_adapters

KINDS = {
    "bert": {},
    "camembert": {},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    "electra": {"embedding_size": 16},
    "deberta-v2": {},
    "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 8},
    "eurobert": {"num_key_value_heads": 2},
}


def small(tokenizer, kind):
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=130,
        pad_token_id=tokenizer.pad_token_id, bos_token_id=None, eos_token_id=None, **KINDS[kind],
    )  # fmt: skip
    return AutoModelForMaskedLM.from_config(config)


@pytest.mark.parametrize("kind", KINDS)
def test_added_trained_and_merged(kind, tokenizer):
    model = small(tokenizer, kind).eval()
    plain = {name: value.clone() for name, value in model.state_dict().items()}
    ids = torch.randint(10, len(tokenizer), (2, 12))
    before = model(ids).logits
    layers = add_adapters(model, rank=4)
    assert has_adapters(model) and len(layers) >= 8
    assert torch.equal(model(ids).logits, before)  # B is 0 at first
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    body = {name for name in trained if name.startswith(model.base_model_prefix)}
    assert body and all("lora_" in name for name in body)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01)
    for _ in range(3):
        model(ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    learned = model(ids).logits
    assert not torch.allclose(learned, before, atol=1e-3)
    assert merge_adapters(model) == len(layers) and not has_adapters(model)
    assert torch.allclose(model(ids).logits, learned, atol=1e-5)
    assert set(model.state_dict()) == set(plain)
    assert type(model) is type(small(tokenizer, kind))
    assert merge_adapters(model) == 0


def named(weights):
    """Transformers 5.3 writes a loaded BERT's norms under their names of old."""
    pairs = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))
    found = {}
    for name, value in weights.items():
        for old, new in pairs:
            name = name.replace(old, new)
        found[name] = value
    return found


@pytest.mark.long
@pytest.mark.versions
def test_from_a_recipe_killed_and_saved_as_a_plain_model(tokenizer, tmp_path, capsys, caplog):
    caplog.set_level("INFO")
    small(tokenizer, "bert").save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    words = ["pretrain", "adapt/any-tiny", "--init-from", str(tmp_path / "base"), "--max-length"]
    words += ["64", "--max-tokens", "6000", "--save-tokens", "3000", "--lora-rank", "4"]
    words += ["--output", str(tmp_path / "run"), "--dataloader-num-workers", "0", "--json"]
    assert main(words) == 0
    assert "million weights are trained" in caplog.text
    made = named(load_file(tmp_path / "run" / "model" / "model.safetensors"))
    base = named(load_file(tmp_path / "base" / "model.safetensors"))
    assert set(made) == set(base)
    same = [name for name in base if torch.equal(base[name], made[name])]
    assert any("word_embeddings" in name for name in same)
    assert not any("query.weight" in name for name in same)
    assert json.loads((tmp_path / "run" / "model" / "config.json").read_text())[
        "architectures"
    ] == ["BertForMaskedLM"]
    begun = ["pretrain", "adapt/any-tiny", "--init-from", str(tmp_path / "run" / "checkpoint-2")]
    assert main([*begun, "--output", str(tmp_path / "next")]) == 2
    assert "LoRA adapters" in capsys.readouterr().err
    # From its checkpoint on it ends with the same weights.
    import shutil

    shutil.copytree(tmp_path / "run", tmp_path / "again")
    last = sorted((tmp_path / "again").glob("checkpoint-*"), key=lambda p: int(p.name[11:]))[-1]
    shutil.rmtree(last)
    shutil.rmtree(tmp_path / "again" / "model")
    assert main(["pretrain", "--resume", "--output", str(tmp_path / "again")]) == 0
    resumed = named(load_file(tmp_path / "again" / "model" / "model.safetensors"))
    assert all(torch.equal(made[name], resumed[name]) for name in made)


def test_what_does_not_fit_is_refused(tokenizer, tmp_path, capsys):
    model = small(tokenizer, "bert")
    with pytest.raises(UsageError, match="'nothing' names no linear layer.*names such as 'bert"):
        add_adapters(model, 4, targets=("nothing",))
    assert len(add_adapters(model, 4, targets=("*query", "*value"))) == 4
    assert main(["pretrain", "doctobert-tiny/pretrain", "--lora-rank", "4", "--dry-run"]) == 2
    assert "init_from" in capsys.readouterr().err


def test_new_pieces_are_trained_beside_adapters(tokenizer, tmp_path):
    from doctobert_hf.pretraining.initial_model import make_model
    from doctobert_hf.pretraining.recipe import PretrainConfig
    from doctobert_hf.tokenization import extend_tokenizer

    small(tokenizer, "bert").save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    texts = [f"Hypokaliémie et azathioprine {i} mg." for i in range(30)]
    made = extend_tokenizer(tokenizer, texts, tmp_path / "more", add=20)
    given = {"init_from": str(tmp_path / "base"), "lora_rank": 4}
    plain = make_model(PretrainConfig(**given), tokenizer)
    assert not plain.get_input_embeddings().weight.requires_grad
    extended = make_model(PretrainConfig(**given, tokenizer=str(tmp_path / "more")), made)
    assert extended.get_input_embeddings().weight.requires_grad
