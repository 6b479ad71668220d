"""Continued pretraining of any masked-LM encoder: exact, isolated, with its own tokenizer."""

import copy
import json
import re
import shutil

import numpy as np
import pytest
import tokenizers
import torch
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoTokenizer

from doctobert_hf.cli import main
from doctobert_hf.config import read_yaml
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.models import first_position
from doctobert_hf.models.isolation import _groups, find_layout
from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments, prepare_model
from doctobert_hf.pretraining.attention import use_attention
from doctobert_hf.pretraining.checkpoints import list_checkpoints
from doctobert_hf.pretraining.data.dataset import pack_row
from doctobert_hf.pretraining.initial_model import make_model
from doctobert_hf.pretraining.recipe import PretrainConfig
from doctobert_hf.recipes import find_recipe

KINDS = {
    "bert": {},
    "roberta": {},
    "camembert": {},
    "xlm-roberta": {},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    "electra": {"embedding_size": 16},
    "deberta-v2": {
        "relative_attention": True,
        "position_biased_input": False,
        "pos_att_type": ["p2c", "c2p"],
    },
    "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 8},
    "eurobert": {"num_key_value_heads": 2},
    "eurobert, grouped queries": {"num_attention_heads": 4, "num_key_value_heads": 2},
}
PADDED = ("deberta-v2",)


@pytest.fixture
def encoder(tokenizer):
    def make(kind, **more):
        torch.manual_seed(0)
        usual = {
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 130,
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": None,
            "eos_token_id": None,
        }
        config = AutoConfig.for_model(kind.split(",")[0], **(usual | KINDS[kind] | more))
        return AutoModelForMaskedLM.from_config(config)

    return make


def packed_row(config, size):
    rng = np.random.default_rng(0)
    lengths = np.array([7, 20, 3, 11])
    ids = rng.integers(10, size, lengths.sum())
    positions = np.array([2, 9, 15, 28, 33])
    labels = rng.integers(10, size, 5)
    row = pack_row(ids, lengths, positions, labels, 1, first_position=first_position(config))
    return row, ids, lengths, positions, labels


@pytest.mark.parametrize("kind", KINDS)
def test_packed_is_as_separate_in_loss_and_gradients(kind, encoder, tokenizer):
    model = encoder(kind).eval()
    plain = type(model)
    assert use_attention(model) == (kind not in PADDED)
    prepare_model(model, chunk=2)
    assert (
        json.loads(model.config.to_json_string(use_diff=False))["model_type"] == kind.split(",")[0]
    )
    row, ids, lengths, positions, labels = packed_row(model.config, len(tokenizer))
    output = model(**row, num_items=5)
    output["loss"].backward()
    ours = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    total, at = 0.0, 0
    for length in lengths:
        wanted = torch.full((1, length), -100)
        for position, label in zip(positions, labels, strict=True):
            if at <= position < at + length:
                wanted[0, position - at] = int(label)
        if (wanted != -100).any():
            logits = plain.forward(model, input_ids=torch.from_numpy(ids[at : at + length])[None])
            total = total + torch.nn.functional.cross_entropy(
                logits.logits[0], wanted[0], ignore_index=-100, reduction="sum"
            )
        at += length
    (total / 5).backward()
    assert float(output["loss"]) == pytest.approx(float(total) / 5, abs=1e-5)
    theirs = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    assert set(ours) == set(theirs)
    for name, gradient in theirs.items():
        assert torch.allclose(ours[name], gradient, atol=1e-5), name


@pytest.mark.parametrize("kind", KINDS)
def test_no_document_sees_another(kind, encoder):
    model = encoder(kind)
    use_attention(model)
    assert find_layout(model) == ("padded" if kind in PADDED else "packed")
    assert model.training  # as it was


def test_a_model_that_mixes_documents_in_every_layout_is_refused(encoder):
    model = encoder("bert")
    use_attention(model)
    body = model.base_model
    real = body.forward

    def mixing(*args, **kwargs):
        found = real(*args, **kwargs)
        found["last_hidden_state"] = found[0] + found[0].mean(dim=(0, 1), keepdim=True)
        return found

    body.forward = mixing
    with pytest.raises(UsageError, match="lets documents of a row see each other"):
        prepare_model(model)


@pytest.mark.parametrize(
    ("kind", "more"),
    [("longformer", {"attention_window": 8}), ("luke", {"entity_vocab_size": 5}), ("xlm", {})],
)
def test_a_forward_that_hands_on_more_than_hidden_states(kind, more, tokenizer):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 64, "max_position_embeddings": 130}
    if kind == "xlm":
        sizes = {"emb_dim": 32, "n_layers": 2, "n_heads": 2, "n_words": len(tokenizer)}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), pad_token_id=1, **sizes, **more)
    model = AutoModelForMaskedLM.from_config(config).eval()
    use_attention(model)
    plain = type(model)
    prepare_model(model)
    row, ids, lengths, positions, labels = packed_row(model.config, len(tokenizer))
    ours = model(**row, num_items=1)["loss"].detach()
    total, at = 0.0, 0
    for length in lengths:
        logits = plain.forward(model, input_ids=torch.from_numpy(ids[at : at + length])[None])
        for position, label in zip(positions, labels, strict=True):
            if at <= position < at + length:
                total -= float(logits.logits[0, position - at].log_softmax(-1)[label])
        at += length
    assert float(ours) == pytest.approx(total, abs=1e-4)


def test_padding_stays_small():
    spans, at = [], 0
    for size in np.random.default_rng(0).integers(3, 128, 200):
        spans.append((at, at + int(size)))
        at += int(size)
    groups = _groups(spans)
    assert sorted(span for group in groups for span in group) == spans
    computed = sum(len(g) * max(b - a for a, b in g) for g in groups)
    assert computed <= 1.25 * at and len(groups) < 15


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("kind", ["bert", "distilbert", "deberta-v2"])
def test_resume_is_bit_identical_and_the_saved_model_is_plain(
    kind, encoder, tokenizer, make_store, tmp_path
):
    store = make_store()

    def trainer(folder):
        arguments = MLMTrainingArguments(
            output_dir=str(tmp_path / folder),
            max_tokens=3000,
            micro_batch_tokens=512,
            save_tokens=1000,
            report_to="none",
            use_cpu=True,
        )
        return MLMTrainer(encoder(kind), arguments, store, tokenizer)

    whole = trainer("whole")
    whole.train()
    first, *_ = list_checkpoints(tmp_path / "whole")
    shutil.copytree(first, tmp_path / "stopped" / first.name)
    again = trainer("stopped")
    again.train(resume_from_checkpoint=True)
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[name]), name
    again.save_model(str(tmp_path / "final"))
    saved, report = AutoModelForMaskedLM.from_pretrained(
        tmp_path / "final", output_loading_info=True
    )
    assert type(saved).__name__ == type(encoder(kind)).__name__
    assert not report["missing_keys"] and not getattr(type(saved), "sparse_head", False)


@pytest.fixture
def saved(encoder, tokenizer, tmp_path):
    def make(kind="bert", dtype=torch.float32, headless=False):
        folder = tmp_path / f"{kind}-{headless}"
        model = encoder(kind).to(dtype)
        (model.base_model if headless else model).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.mark.parametrize("kind", ["bert", "roberta", "camembert", "xlm-roberta", "electra"])
def test_frozen_embeddings_are_frozen_by_either_name(kind, saved, tokenizer):
    config = PretrainConfig(init_from=str(saved(kind)), freeze=("*embeddings*",))
    model = make_model(config, tokenizer)
    frozen = [p for n, p in model.base_model.named_parameters() if "embeddings" in n]
    assert len(frozen) > 3 and not any(parameter.requires_grad for parameter in frozen)
    assert any(parameter.requires_grad for parameter in model.parameters())


def test_what_is_frozen_by_its_other_name_is_told(saved, tokenizer, caplog):
    """A head's decoder is the embeddings: by either name both are frozen, and it is said."""
    config = PretrainConfig(init_from=str(saved("bert")), freeze=("cls.predictions.decoder*",))
    make_model(config, tokenizer)
    assert "'bert.embeddings.word_embeddings.weight' is frozen too" in caplog.text


def test_special_tokens_and_rules_of_another_tokenizer(saved, tokenizer, caplog):
    folder = saved("bert")
    config = PretrainConfig(init_from=str(folder))
    other = copy.deepcopy(tokenizer)
    other.mask_token = other.unk_token
    with pytest.raises(UsageError, match="The mask token has id"):
        make_model(config, other)
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    backend["normalizer"] = {"type": "Lowercase"}
    folded = copy.deepcopy(tokenizer)
    folded._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(backend))
    make_model(config, copy.deepcopy(tokenizer))
    assert "other rules" not in caplog.text
    make_model(config, folded)
    assert "other rules" in caplog.text


@pytest.mark.parametrize("kind", ["roberta", "bert"])
def test_an_extended_head_of_its_own_is_read_back_or_refused(kind, encoder, tokenizer, tmp_path):
    from doctobert_hf.tokenization import extend_tokenizer

    model = encoder(kind, tie_word_embeddings=False)
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    texts = [f"Hypokaliémie et azathioprine {i} mg." for i in range(30)]
    made = extend_tokenizer(tokenizer, texts, tmp_path / "more", add=20)
    given = PretrainConfig(init_from=str(tmp_path / "base"), tokenizer=str(tmp_path / "more"))
    try:
        extended = make_model(given, made)
    except UsageError as refused:
        assert "tables of its own" in str(refused)
        return
    extended.save_pretrained(tmp_path / "again")
    again = AutoModelForMaskedLM.from_pretrained(tmp_path / "again").state_dict()
    assert all(torch.equal(weight, again[name]) for name, weight in extended.state_dict().items())


def test_half_precision_weights_are_trained_in_float32(saved, tokenizer):
    folder = saved(dtype=torch.bfloat16)
    model = make_model(PretrainConfig(init_from=str(folder)), tokenizer)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.long
def test_the_trainer_itself_takes_no_half_precision_weights(
    encoder, tokenizer, make_store, tmp_path, caplog
):
    model = encoder("bert").to(torch.bfloat16)  # as from_pretrained loads a bf16 checkpoint
    arguments = MLMTrainingArguments(str(tmp_path / "run"), report_to="none", use_cpu=True)
    trainer = MLMTrainer(model, arguments, make_store(), tokenizer)
    assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}
    assert "a model in bfloat16: it is trained in float32" in caplog.text
    other = encoder("bert")
    other.config.pad_token_id = 7
    with pytest.raises(UsageError, match="Padding id"):
        MLMTrainer(other, arguments, make_store(), tokenizer)


def test_an_encoder_without_a_head_gets_one_with_a_word(saved, tokenizer, caplog):
    folder = saved(headless=True)
    AutoModel.from_pretrained(folder)  # an encoder, as those of Sentence Transformers
    make_model(PretrainConfig(init_from=str(folder)), tokenizer)
    assert "has no masked-LM head" in caplog.text


def test_weights_under_other_names_are_refused(saved, tokenizer):
    from safetensors.torch import load_file, save_file

    folder = saved()
    weights = load_file(folder / "model.safetensors")
    renamed = {f"module.{name}": value for name, value in weights.items()}
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError, match="weights of the encoder in"):
        make_model(PretrainConfig(init_from=str(folder)), tokenizer)


def test_another_tokenizer_is_refused_before_any_work(saved, tokenizer, tmp_path, capsys):
    folder = saved()
    content = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    first, second = list(vocabulary)[100:102]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    other = tmp_path / "other"
    tokenizer.save_pretrained(other)
    (other / "tokenizer.json").write_text(json.dumps(content))
    assert len(AutoTokenizer.from_pretrained(other)) == len(tokenizer)  # the same size
    words = ["pretrain", "adapt/any-tiny", "--init-from", str(folder), "--tokenizer", str(other)]
    assert main([*words, "--output", str(tmp_path / "out")]) == 2
    assert "has another id" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    config = AutoConfig.from_pretrained(folder)
    config.pad_token_id = 7
    config.save_pretrained(folder)
    assert main([*words[:4], "--output", str(tmp_path / "out")]) == 2
    assert "Padding id" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["bert", "roberta", "camembert", "deberta-v2"])
def test_a_model_saved_without_its_tokenizer(kind, encoder, tokenizer, tmp_path, capsys, caplog):
    folder, own = tmp_path / kind, tmp_path / "own"
    encoder(kind).save_pretrained(folder)
    tokenizer.save_pretrained(own)
    words = ["pretrain", "adapt/any-tiny", "--init-from", str(folder), "--output"]
    assert main([*words, str(tmp_path / "out")]) == 2  # not with an empty one that is made of air
    assert "no files of one" in capsys.readouterr().err
    texts = tmp_path / "texts.txt"
    texts.write_text("Toux sèche depuis trois jours.")
    words = ["pretrain", "store", str(texts), "--tokenizer", str(folder), "--output"]
    assert main([*words, str(tmp_path / "store")]) == 2
    config = PretrainConfig(init_from=str(folder), tokenizer=str(own))
    make_model(config, tokenizer)
    assert "no tokenizer of its own" in caplog.text


def test_tiles_have_the_same_tokenizer_too(saved, tokenizer, tmp_path):
    base = saved("modernbert", dtype=torch.bfloat16)
    config = PretrainConfig(init_from=str(base), init_mode="tile", preset="doctomodernbert-tiny")
    assert {p.dtype for p in make_model(config, tokenizer).parameters()} == {torch.float32}
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    ids = content["model"]["vocab"]
    first, second = list(ids)[100:102]
    ids[first], ids[second] = ids[second], ids[first]
    tokenizer.save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match="has another id"):
        make_model(config, AutoTokenizer.from_pretrained(tmp_path / "other"))


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("kind", ["distilbert", "deberta-v2"])
def test_the_recipe_adapts_an_encoder_from_the_command_line(
    kind, saved, sample_texts, tmp_path, capsys
):
    from datasets import Dataset

    folder = saved(kind)
    texts = [{"text": text} for text in sample_texts]
    Dataset.from_list(texts[:100]).to_parquet(tmp_path / "ours.parquet")
    Dataset.from_list(texts[100:]).to_parquet(tmp_path / "general.parquet")
    words = ["pretrain", "adapt/any-tiny", "--init-from", str(folder)]
    words += ["--corpus", str(tmp_path / "ours.parquet"), "--output", str(tmp_path / "out")]
    words += ["--replay", str(tmp_path / "general.parquet"), "--replay-share", "0.2"]
    words += ["--freeze", "*embeddings*", "--max-tokens", "6000", "--run-name", "2024-01-01"]
    words += ["--adam-beta2", "0.95"]
    assert main(words) == 0
    assert "model:" in capsys.readouterr().out
    before = AutoModelForMaskedLM.from_pretrained(folder).state_dict()
    after = AutoModelForMaskedLM.from_pretrained(tmp_path / "out" / "model").state_dict()
    name = next(n for n in before if "word_embeddings" in n)
    assert torch.equal(before[name], after[name])
    assert any(not torch.equal(before[n], after[n]) for n in before if "layer.1" in n)
    settings = json.loads((tmp_path / "out" / "run.json").read_text())["settings"]
    assert settings["training"] == {"run_name": "2024-01-01", "adam_beta2": 0.95}
    assert main(["pretrain", "--resume", "--output", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--gradient-chekpointing"], "Did you mean 'gradient_checkpointing'?"),
        (["--adam-beta2", "high"], "adam_beta2"),
        (["--output-dir", "x"], "Expected output"),
        (["--push-to-hub"], "hub push-model"),
        (["--num-train-epochs", "2"], "Expected max_tokens"),
        (["--label-smoothing-factor", "0.1"], "does nothing"),
        (["--lr-scheduler-type", "cosine"], "Expected lr_schedule"),
        (["--resume-from-checkpoint", "x"], "--resume"),
        (["--per-device-train-batch", "8"], "Unknown key"),
        (["--skip-steps", "3", "5"], "[[3, 5]]"),
        (["--skip-steps", "[[5, 3]]"], "[[3, 5]]"),
        (["--freeze", "nothing*"], "names no weight"),
        (["--freeze", "*"], "leaves nothing to train"),
        (["--replay", "nowhere.parquet"], "nowhere.parquet"),
    ],
)
def test_wrong_options_are_told(words, told, saved, tmp_path, capsys):
    start = ["pretrain", "adapt/any-tiny", "--init-from", str(saved()), "--output"]
    assert main([*start, str(tmp_path / "o"), *words]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--max-tokens", "1000"], "warm-up"),
        (["--gradient-accumulation-steps", "4"], "gradient_accumulation_steps 4"),
        (["--optim", "adafactor"], "StableAdamW alone"),
        (["--max-length", "400"], "a model of 130 positions"),
        (["--micro-batch-tokens", "32", "--global-batch-tokens", "32"], "rows that hold a chunk"),
    ],
)
def test_a_plan_and_a_run_tell_the_same_before_any_work(
    words, told, saved, tmp_path, capsys, caplog
):
    start = ["pretrain", "adapt/any-tiny", "--init-from", str(saved()), *words]
    assert main([*start, "--dry-run"]) == (0 if "rows" in told or "positions" in told else 2)
    assert told in capsys.readouterr().err + caplog.text
    assert main([*start, "--output", str(tmp_path / "o")]) == 2
    heard = capsys.readouterr().err
    assert told in heard and "tokenising" not in heard


def test_a_model_that_cannot_take_the_detour_is_refused_before_the_corpus_is_read(
    saved, tmp_path, capsys
):
    (tmp_path / "texts.jsonl").write_text("this would be told when it is read")
    words = ["pretrain", "adapt/detour-tiny", "--init-from", str(saved("deberta-v2"))]
    words += ["--corpus", str(tmp_path / "texts.jsonl"), "--output", str(tmp_path / "o")]
    assert main(words) == 2
    assert "cannot see the past only" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("name", ["any", "camembert-base", "moderncamembert-base", "detour"])
def test_each_route_has_a_tiny_twin(name, saved, tmp_path, capsys):
    twin, whole = (read_yaml(find_recipe(f"adapt/{name}{tail}")) for tail in ("-tiny", ""))
    same = ("lr_schedule", "mlm_probability", "lr_final_ratio", "whole_word_masking")
    assert [twin.get(key) for key in same] == [whole.get(key) for key in same]
    assert ("objective" in twin) == ("objective" in whole)
    assert twin["decay_tokens"] / twin["max_tokens"] == pytest.approx(
        whole["decay_tokens"] / whole["max_tokens"]
    )
    words = ["pretrain", f"adapt/{name}-tiny", "--init-from", str(saved()), "--eval-documents", "5"]
    words += ["--max-tokens", "6000", "--warmup-tokens", "100", "--decay-tokens", "600"]
    words += ["--output", str(tmp_path / "o")]
    if "objective" in twin:  # the same parts, at this test's length
        assert [part.split(":")[0] for part in twin["objective"]] == (
            [part.split(":")[0] for part in whole["objective"]]
        )
        words += ["--objective", *(re.sub(r":\d+", ":3000", part) for part in twin["objective"])]
    assert main(words) == 0
    assert "eval_loss" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.versions
def test_keys_of_the_trainer_stand_in_a_recipe(saved, tmp_path, capsys):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"init_from: {saved()}\nmax_tokens: 2000\nmax_length: 64\n"
                      "micro_batch_tokens: 512\neval_documents: 5\nadam_beta1: 0.8\n"
                      "gradient_checkpointing: true\n")  # fmt: skip
    assert main(["pretrain", str(recipe), "--output", str(tmp_path / "o")]) == 0
    saved_settings = json.loads((tmp_path / "o" / "run.json").read_text())["settings"]
    assert saved_settings["training"] == {"adam_beta1": 0.8, "gradient_checkpointing": True}
    again = ["pretrain", "--resume", "--output", str(tmp_path / "o"), "--adam-beta1"]
    assert main([*again, "0.8"]) == 0  # one of its keys, as it was
    assert main([*again, "0.7"]) == 2
    assert "'adam_beta1': 0.7" in capsys.readouterr().err
    recipe.write_text("adam_beta7: 1\n")
    assert main(["pretrain", str(recipe), "--output", str(tmp_path / "p")]) == 2
    assert "Did you mean 'adam_beta" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.versions
def test_a_run_that_ends_by_steps_is_finished(saved, tmp_path, capsys):
    words = ["pretrain", "adapt/any-tiny", "--init-from", str(saved()), "--max-steps", "1"]
    words += ["--output", str(tmp_path / "o")]
    assert main(words) == 0 and (tmp_path / "o" / "model" / "config.json").is_file()
    assert "steps: 1" in capsys.readouterr().out
    assert main(["pretrain", "--resume", "--output", str(tmp_path / "o")]) == 0  # not 143 for ever
    assert "steps: 1" in capsys.readouterr().out


def test_the_collator_packs_for_no_model_that_would_mix(encoder, tokenizer):
    from doctobert_hf.chunking import DataCollatorForHierarchicalChunking

    model = encoder("deberta-v2")
    model.config._attn_implementation = "doctobert_varlen"  # a name that it does not read
    with pytest.raises(UsageError, match="mixes documents of a row"):
        DataCollatorForHierarchicalChunking(tokenizer, packing=True, model=model)
