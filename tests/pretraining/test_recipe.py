"""Recipes: the eight published phases as declared, their tiny twins trained in order."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from doctobert_hf.cli import main
from doctobert_hf.config import build_config, read_yaml
from doctobert_hf.models.opening import open_tokenizer
from doctobert_hf.pretraining.planning import plan
from doctobert_hf.pretraining.recipe import PretrainConfig
from doctobert_hf.pretraining.recipe_stores import stores
from doctobert_hf.recipes import find_recipe

BILLION = 10**9
PUBLISHED = {
    # tokens, length, mask rate, peak rate, schedule, warm-up, sequences, micro, batch warm-up
    "doctobert-base/pretrain": (500, 512, 0.15, 3e-4, "linear", 25, 5120, 160, 0),
    "doctobert-base/anneal": (200, 512, 0.15, 2e-4, "linear", 10, 5120, 160, 0),
    "doctomodernbert-base/pretrain": (
        *(200, 1024, 0.30, 8e-4, "warmup_stable_decay", 2, 4608, 96, 6),
    ),
    "doctomodernbert-base/context": (20, 8192, 0.30, 3e-4, "constant", 0, 576, 12, 0),
    "doctomodernbert-base/anneal": (20, 8192, 0.15, 3e-4, "one_minus_sqrt", 0, 576, 12, 0),
    "doctomodernbert-large/pretrain": (
        *(100, 1024, 0.30, 3e-4, "warmup_stable_decay", 1, 4928, 56, 3),
    ),
    "doctomodernbert-large/context": (20, 8192, 0.30, 5e-5, "constant", 0, 672, 7, 0),
    "doctomodernbert-large/anneal": (20, 8192, 0.15, 5e-5, "one_minus_sqrt", 0, 672, 6, 0),
}


def load(name):
    return build_config(PretrainConfig, read_yaml(find_recipe(name)), source=name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_figures(name):
    tokens, length, mask, rate, schedule, warmup, sequences, micro, growth = PUBLISHED[name]
    config = load(name)
    assert config.max_tokens == tokens * BILLION
    assert config.max_length == length
    assert config.mlm_probability == mask
    assert config.learning_rate == rate
    assert config.lr_schedule == schedule
    assert config.warmup_tokens == warmup * BILLION
    assert config.global_batch_tokens == sequences * length
    assert config.micro_batch_tokens == micro * length
    assert config.batch_warmup_tokens == growth * BILLION
    large_later = name.startswith("doctomodernbert-large") and not name.endswith("pretrain")
    assert config.weight_decay == (1e-6 if large_later else 1e-5)
    assert config.seed == (314 if "large" in name else 17)
    if "modernbert" in name:
        assert config.rope_theta_local == 10_000
        assert config.rope_theta_global == (10_000 if length == 1024 else 160_000)
        assert config.attention_out_dropout == 0.1
    if schedule == "one_minus_sqrt":
        assert config.lr_final_ratio == 0.001


def test_every_key_has_a_comment():
    for path in find_recipe("doctobert-base/pretrain").parents[1].rglob("*.yaml"):
        lines = path.read_text().splitlines()
        for before, line in zip(lines, lines[1:], strict=False):
            if line and not line.startswith("#") and "pretrain" in path.name:
                assert before.startswith("#"), f"{path.name}: {line}"


@pytest.mark.long
def test_dry_run(capsys):
    assert main(["pretrain", "doctobert-base/pretrain", "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["parameters"] == 111_242_240
    assert planned["steps"] == -(-500 * BILLION // (5120 * 512))
    assert planned["hours"] == pytest.approx(500e9 / 670_000 / 3600, rel=0.01)
    assert plan(load("doctomodernbert-large/pretrain"), 16)["parameters"] > 390e6
    assert main(["pretrain", "doctobert-bas/pretrain", "--dry-run"]) == 2
    assert main(["pretrain", "doctobert-base/pretrain", "--lr-schedul", "x"]) == 2


def test_a_recipe_that_begins_with_something_does_not_begin_without_it(tmp_path, capsys):
    output = ["--output", str(tmp_path / "run")]
    assert main(["pretrain", "adapt/any", *output]) == 2
    assert "No --init-from" in capsys.readouterr().err
    assert main(["pretrain", "adapt/camembert-base", *output]) == 2
    assert "No --corpus" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_a_store_to_evaluate_on_beside_a_corpus(make_store, tokenizer_dir, sample_texts, tmp_path):
    """It is used, and then no document of the corpus is held out."""
    (tmp_path / "c").mkdir()
    for number, text in enumerate(sample_texts[:30]):
        (tmp_path / "c" / f"{number:02d}.txt").write_text(text)
    held = make_store(part="eval")
    config = PretrainConfig(
        output=tmp_path / "run",
        corpus=tmp_path / "c",
        eval_store=held.folder,
        tokenizer=str(tokenizer_dir),
        max_length=64,
    )
    train, found = stores(config, open_tokenizer(tokenizer_dir))
    assert found.folder == held.folder
    assert train.manifest.source_documents == 30
    assert not (tmp_path / "run" / "stores" / "eval").exists()


def test_a_length_that_a_store_does_not_have_is_told(make_store, tokenizer_dir, caplog):
    config = PretrainConfig(train_store=make_store().folder, max_length=32)
    stores(config, open_tokenizer(tokenizer_dir))
    assert "made with max_length 64: max_length 32 does nothing" in caplog.text


@pytest.mark.long
def test_all_tiny_phases_train_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in (
        *("doctobert-tiny/pretrain", "doctobert-tiny/anneal"),
        *("doctomodernbert-tiny/pretrain", "doctomodernbert-tiny/context"),
        *("doctomodernbert-tiny/anneal", "doctomodernbert-large-tiny/pretrain"),
        *("doctomodernbert-large-tiny/context", "doctomodernbert-large-tiny/anneal"),
    ):
        output = name.replace("/", "-")
        short = ["--max-tokens", "24000", "--warmup-tokens", "500", "--decay-tokens", "0"]
        short += ["--batch-warmup-tokens", "0"]
        assert main(["pretrain", name, "--output", output, *short]) == 0, name
        out = capsys.readouterr().out
        assert "eval_loss" in out and f"model: {output}/model" in out
        for file in ("resolved_config.yaml", "environment.json", "metrics.jsonl"):
            assert (Path(output) / file).is_file()
    assert main(["pretrain", "doctobert-tiny/pretrain", "--output", "doctobert-tiny-pretrain"]) == 2
    assert "holds a run" in capsys.readouterr().err
    model = AutoModelForMaskedLM.from_pretrained("doctomodernbert-large-tiny-anneal/model")
    tokenizer = AutoTokenizer.from_pretrained("doctomodernbert-large-tiny-anneal/model")
    assert model.config.hidden_size == 96 and len(tokenizer) == 1200
    rope = model.config.rope_parameters
    assert rope["full_attention"]["rope_theta"] == 160_000
    assert not any(isinstance(m, torch.nn.Dropout) and m.p for m in model.modules())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"replay_share": 0.3}, "replay_share without replay"),
        ({"long_tokens": 64}, "long_tokens without long_share"),
        ({"mlm_probability_end": 0.1}, "mlm_decay_tokens"),
        ({"mlm_decay_tokens": 1000}, "mlm_probability_end"),
        ({"decay_tokens": 1000}, "lr_schedule 'linear'"),
        ({"lr_schedule": "constant", "lr_final_ratio": 0.3}, "lr_schedule 'constant'"),
        ({"text_column": "note"}, "text_column without corpus"),
        ({"store_workers": 3}, "store_workers without corpus"),
        ({"train_store": "st", "store_workers": 3}, "store_workers with train_store"),
        ({"new_head_tokens": 300}, "new_head_tokens without init_from"),
    ],
)
def test_what_would_do_nothing_is_refused(given, told, capsys):
    words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    assert main(["pretrain", "doctobert-tiny/pretrain", "--dry-run", *words]) == 2
    assert told in capsys.readouterr().err
