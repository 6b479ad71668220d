"""Steps traced on meta tensors: the path of a GPU, whole models, and what they keep."""

import json

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoConfig, AutoModelForMaskedLM

from doctobert_hf.cli import main
from doctobert_hf.models import preset_config
from doctobert_hf.pretraining.memory import _MetaAutocast, meta_model, meta_step, step_memory

WHOLE = [
    ("doctobert-base", 512, 81_920),
    ("doctomodernbert-base", 1024, 98_304),
    ("doctomodernbert-large", 8192, 57_344),
]


def skip_untraceable(kind):
    """Skip where this Transformers cannot run a ModernBERT without a device."""
    from transformers import __version__

    if kind == "modernbert" and tuple(map(int, __version__.split(".")[:2])) < (5, 4):
        pytest.skip(f"Transformers {__version__} asks for autocast of meta tensors")


class Recorded(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.calls.append((str(function), args, kwargs or {}))
        return function(*args, **(kwargs or {}))


@pytest.mark.long
@pytest.mark.parametrize(("preset", "longest", "row"), WHOLE)
def test_flash_operators_forward_and_backward_of_whole_models(preset, longest, row):
    config = preset_config(preset)
    skip_untraceable(config.model_type)
    model = meta_model(config).to(torch.bfloat16)
    with Recorded() as seen:
        loss = meta_step(model, row, longest, 0.15)
        loss.backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in model.parameters())
    forward = [
        (name, args, kwargs) for name, args, kwargs in seen.calls
        if ("flash_attention_forward" in name or "varlen_attn" in name) and "backward" not in name
    ]  # fmt: skip
    assert len(forward) == config.num_hidden_layers
    assert any("backward" in name and ("flash" in name or "varlen" in name)
               for name, *_ in seen.calls)  # fmt: skip
    for name, args, _ in forward:
        assert args[0].shape == (row, config.num_attention_heads, 64) and args[5] == longest
        assert args[0].dtype == args[2].dtype == torch.bfloat16
        if config.model_type == "roberta":
            assert "_flash_attention_forward" in name and args[7] == 0.1  # its dropout is kept
    if config.model_type == "modernbert":
        windows = [str(args[6:]) + str(kwargs) for _, args, kwargs in forward]
        local = sum("64" in window for window in windows)
        assert local == sum(kind == "sliding_attention" for kind in config.layer_types) > 0


def saved_bytes(model, run):
    own = {p.untyped_storage()._cdata for p in (*model.parameters(), *model.buffers())}
    kept, held = {}, []

    def keep(tensor):
        held.append(tensor)
        if tensor.untyped_storage()._cdata not in own:
            kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run()
    return sum(kept.values())


@pytest.mark.parametrize("kind", ["roberta", "modernbert", "bert"])
def test_mixed_precision_on_meta_keeps_what_torch_keeps(kind):
    skip_untraceable(kind)
    config = AutoConfig.for_model(
        kind, vocab_size=300, hidden_size=64, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=128, max_position_embeddings=130, pad_token_id=1, bos_token_id=None,
        eos_token_id=None, attn_implementation="eager",
    )  # fmt: skip
    ids = torch.randint(5, 300, (4, 128))
    real = AutoModelForMaskedLM.from_config(config).train()
    with torch.device("meta"):
        traced = AutoModelForMaskedLM.from_config(config).train()

    def on_processor():
        with torch.autocast("cpu", torch.bfloat16):
            real.base_model(ids)

    def on_meta():
        with _MetaAutocast():
            traced.base_model(ids.to("meta"))

    assert saved_bytes(traced, on_meta) == pytest.approx(saved_bytes(real, on_processor), rel=0.1)


@pytest.mark.long
def test_what_a_step_keeps():
    half = step_memory(preset_config("doctobert-base"), 81_920, 512, 0.15, True)
    full = step_memory(preset_config("doctobert-base"), 81_920, 512, 0.15, False)
    assert half.weights == full.weights == 16 * 111_242_240
    assert 33e9 < half.activations < 35e9 and 1.5 < full.activations / half.activations < 2
    less = step_memory(preset_config("doctobert-base"), 40_960, 512, 0.15, True)
    assert less.activations == pytest.approx(half.activations / 2, rel=0.02)
    saved = step_memory(
        preset_config("doctobert-base"), 81_920, 512, 0.15, True,
        prepare=lambda model: model.gradient_checkpointing_enable(),
    )  # fmt: skip
    assert saved.activations < half.activations / 5


def test_attention_of_its_own_is_estimated():
    config = AutoConfig.for_model(
        "deberta-v2", vocab_size=300, hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=128, max_position_embeddings=130, pad_token_id=1,
    )  # fmt: skip
    few = step_memory(config, 1024, 128, 0.15, False).activations
    assert step_memory(config, 2048, 128, 0.15, False).activations == pytest.approx(
        2 * few, rel=0.1
    )


def test_a_plan_refuses_devices_that_do_not_divide(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "7")
    assert main(["pretrain", "doctobert-base/pretrain", "--dry-run"]) == 2
    assert "7 devices share out evenly" in capsys.readouterr().err
    monkeypatch.setenv("WORLD_SIZE", "16")
    assert main(["pretrain", "doctobert-base/pretrain", "--dry-run"]) == 0
    assert "37." in capsys.readouterr().out


def test_what_stays_as_it_is_has_neither_gradient_nor_means():
    small = preset_config("doctobert-tiny")

    def freeze(model):
        model.base_model.embeddings.requires_grad_(False)

    whole = step_memory(small, 512, 64, 0.15, half=False)
    frozen = step_memory(small, 512, 64, 0.15, half=False, prepare=freeze)
    assert whole.weights == 16 * whole.parameters and frozen.parameters == whole.parameters
    table = sum(p.numel() for p in meta_model(small).base_model.embeddings.parameters())
    assert whole.weights - frozen.weights == 12 * table
    assert frozen.activations <= whole.activations


def test_a_plan_counts_adapters_and_what_they_freeze(tokenizer, tmp_path, capsys):
    pytest.importorskip("peft")
    config = preset_config("doctobert-tiny", tokenizer)
    AutoModelForMaskedLM.from_config(config).save_pretrained(tmp_path / "m")
    tokenizer.save_pretrained(tmp_path / "m")
    words = ["pretrain", "adapt/any-tiny", "--init-from", str(tmp_path / "m"), "--dry-run"]
    planned = []
    corpus = tmp_path / "texts.txt"
    corpus.write_text("Toux sèche.")
    words += ["--corpus", str(corpus)]
    for more in ([], ["--lora-rank", "4"]):
        assert main([*words, "--json", *more]) == 0
        planned.append(json.loads(capsys.readouterr().out)["parameters"])
    assert planned[0] < planned[1]
    assert main([*words, "--freeze", "nothing*"]) == 2
