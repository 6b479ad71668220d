"""A continued model averaged with its start: every weight both have, nothing else, told."""

import copy
import json

import pytest
import torch
from encoders import small
from transformers import AutoModel, AutoModelForMaskedLM

from doctobert_hf.cli import main
from doctobert_hf.errors import OutputError, UsageError
from doctobert_hf.hub.cards.phases import read_pretraining
from doctobert_hf.models.averaging import average_into, average_models
from doctobert_hf.pretraining.checkpoints import list_checkpoints
from doctobert_hf.tokenization import extend_tokenizer

KINDS = [
    ("bert", {}),
    ("roberta", {}),
    ("electra", {"embedding_size": 16}),
    ("distilbert", {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}),
    ("deberta-v2", {}),
    ("modernbert", {"global_attn_every_n_layers": 2, "local_attention": 8}),
]


def weights_in(folder):
    """Weights by the names of today: Transformers 5.3 saves BERT's as `gamma`, `beta`."""
    return AutoModelForMaskedLM.from_pretrained(folder, dtype="float32").state_dict()


def saved(model, tokenizer, folder):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(("kind", "more"), KINDS)
def test_every_weight_is_the_weighted_mean(kind, more, tokenizer, tmp_path):
    start, model = small(tokenizer, kind, 1, **more), small(tokenizer, kind, 2, **more)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    count = average_into(model, saved(start, tokenizer, tmp_path / "start"), 0.25)
    old = dict(start.named_parameters())
    assert count == len(before) > 10
    for name, weight in model.named_parameters():
        assert torch.allclose(weight, 0.75 * before[name] + 0.25 * old[name], atol=1e-6), name


def test_a_head_that_the_start_has_not_stays(tokenizer, tmp_path):
    start, model = small(tokenizer, "bert", 1), small(tokenizer, "bert", 2)
    torch.manual_seed(0)
    body = AutoModel.from_config(start.config)
    head = {n: w.detach().clone() for n, w in model.cls.named_parameters() if "decoder" not in n}
    average_into(model, saved(body, tokenizer, tmp_path / "start"), 0.5)
    now = dict(model.cls.named_parameters())
    assert head and all(torch.equal(now[name], weight) for name, weight in head.items())


def test_what_does_not_fit_is_refused(tokenizer, tmp_path):
    model = small(tokenizer, "bert")
    place = saved(small(tokenizer, "bert"), tokenizer, tmp_path / "start")
    for share in (0.0, 1.0, -0.5, float("nan")):
        with pytest.raises(UsageError, match="between 0 and 1"):
            average_into(model, place, share)
    wide = small(tokenizer, "bert")
    wide.config.intermediate_size = 128
    wide = AutoModelForMaskedLM.from_config(wide.config)
    before = {name: weight.detach().clone() for name, weight in wide.named_parameters()}
    with pytest.raises(UsageError, match=r"\(128, 32\) here and \(64, 32\)"):
        average_into(wide, place, 0.5)
    assert all(torch.equal(before[name], weight) for name, weight in wide.named_parameters())
    with pytest.raises(UsageError, match="No weight in common"):
        average_into(small(tokenizer, "modernbert"), place, 0.5)


def test_two_folders(tokenizer, tmp_path):
    first = saved(small(tokenizer, "bert", 1), tokenizer, tmp_path / "first")
    second = saved(small(tokenizer, "bert", 2), tokenizer, tmp_path / "second")
    place = average_models(first, second, tmp_path / "mean", share=0.5)
    weights = [weights_in(folder) for folder in (first, second, place)]
    for one, other, mean in zip(*(w.values() for w in weights), strict=True):
        assert torch.allclose(mean, (one + other) / 2, atol=1e-6)
    with pytest.raises(OutputError, match="there already"):
        average_models(first, second, place)
    other = copy.deepcopy(tokenizer)  # the fixture is shared
    other.add_tokens(["amoxicilline-clavulanate"])
    other.save_pretrained(second)
    with pytest.raises(UsageError, match="another vocabulary"):
        average_models(first, second, tmp_path / "other")


@pytest.fixture
def texts(tmp_path):
    place = tmp_path / "texts.jsonl"
    rows = ({"text": f"Le patient a {n} ans. Traitement : amoxicilline {n} g."} for n in range(80))
    place.write_text("\n".join(json.dumps(row) for row in rows))
    return str(place)


def continued(start, texts, output, *more):
    return main(
        ["pretrain", "adapt/any-tiny", "--init-from", start, "--corpus", texts, "--max-tokens",
         "4000", "--dataloader-num-workers", "0", "--output", str(output), *more]
    )  # fmt: skip


def test_a_run_saves_the_average_and_measures_it(tokenizer, texts, tmp_path, capsys):
    start = saved(small(tokenizer, "bert", 1), tokenizer, tmp_path / "start")
    assert continued(start, texts, tmp_path / "plain", "--average-share", "0") == 0
    plain_loss = float(capsys.readouterr().out.split("eval_loss: ")[1].split()[0])
    assert continued(start, texts, tmp_path / "mean") == 0  # the recipe's own
    told = capsys.readouterr()
    assert "an average: 0.5 of" in told.err and "averaged_loss: " in told.out
    paths = (start, tmp_path / "plain" / "model", tmp_path / "mean" / "model")
    old, plain, mean = map(weights_in, paths)
    assert set(plain) == set(mean)
    for name, weight in mean.items():
        assert torch.allclose(weight, (plain[name] + old[name]) / 2, atol=1e-6), name
    logged = map(json.loads, (tmp_path / "mean" / "metrics.jsonl").read_text().splitlines())
    losses = {key: row[key] for row in logged for key in row if key.endswith("_loss")}
    assert losses["eval_loss"] == pytest.approx(plain_loss, rel=1e-3)
    assert losses["averaged_loss"] != losses["eval_loss"]
    record = json.loads((tmp_path / "mean" / "run.json").read_text())
    assert record["settings"]["average_share"] == 0.5
    made = read_pretraining(tmp_path / "mean")
    assert made["held_out"]["loss"] == losses["averaged_loss"]
    assert made["phases"][0]["averaged"] == {"share": 0.5, "with": "start"}
    step = max(int(place.name.split("-")[1]) for place in list_checkpoints(tmp_path / "mean"))
    checkpoint = read_pretraining(tmp_path / "mean", step)  # whose weights are no average
    assert checkpoint["held_out"]["loss"] == losses["eval_loss"]
    assert "averaged" not in checkpoint["phases"][0]
    rows = (tmp_path / "mean" / "fill_mask.jsonl").read_text().splitlines()
    assert [json.loads(row).get("averaged", False) for row in rows][-2:] == [False, True]


def test_of_an_extended_vocabulary_the_new_rows_stay(tokenizer, texts, tmp_path):
    start = saved(small(tokenizer, "bert", 1, padded=3), tokenizer, tmp_path / "start")
    words = [f"Hypokaliémie et azathioprine {i} mg." for i in range(30)]
    extend_tokenizer(tokenizer, words, tmp_path / "more", add=20)
    keys = ("--tokenizer", str(tmp_path / "more"))
    assert continued(start, texts, tmp_path / "plain", *keys, "--average-share", "0") == 0
    assert continued(start, texts, tmp_path / "mean", *keys, "--average-share", "0.5") == 0
    paths = (start, tmp_path / "plain" / "model", tmp_path / "mean" / "model")
    name, size = "bert.embeddings.word_embeddings.weight", len(tokenizer)
    old, plain, mean = (weights_in(path)[name] for path in paths)
    assert torch.allclose(mean[:size], (plain[:size] + old[:size]) / 2, atol=1e-6)
    assert len(mean) > size and torch.equal(mean[size:], plain[size:])


def test_it_is_refused_before_the_training(tokenizer, texts, tmp_path, capsys):
    start = saved(small(tokenizer, "bert", 1), tokenizer, tmp_path / "start")
    other = saved(small(tokenizer, "roberta", 1), tokenizer, tmp_path / "other")
    both = ("--average-share", "0.5", "--average-with")
    for more, said in (
        (("--average-share", "0", "--average-with", start), "average_with without average_share"),
        (("--average-share", "1.5"), "average_share"),
        ((*both, str(tmp_path / "nowhere")), "does not exist"),
        ((*both, other), "No weight in common"),
    ):
        assert continued(start, texts, tmp_path / "run", *more) == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "run").exists()
