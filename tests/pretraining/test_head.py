"""The sparse head gives the dense head's loss, in pieces or whole, and leaves the model plain."""

import json
from itertools import islice

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, BertConfig

from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining import prepare_model
from doctobert_hf.pretraining.head import summed_loss

FAMILIES = ("doctobert-tiny", "doctomodernbert-tiny")


@pytest.mark.parametrize("family", FAMILIES)
def test_chunks_change_neither_loss_nor_gradients(family, make_model):
    results = []
    for chunk in (1000, 7):
        model = make_model(family)
        torch.manual_seed(2)
        rows = torch.randn(30, model.config.hidden_size, requires_grad=True)
        labels = torch.randint(0, 50, (30,))
        labels[5] = -100
        loss, right = summed_loss(model, rows, labels, chunk)
        loss.backward()
        results.append((loss.item(), int(right), rows.grad))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-6)
    assert results[0][1] == results[1][1]
    assert torch.allclose(results[0][2], results[1][2], atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_saved_models_are_plain(family, make_model, tmp_path):
    model = prepare_model(make_model(family).eval())
    ids = torch.arange(5, 60)[None]
    before = model(input_ids=ids).logits
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == [type(model).__name__]
    assert "doctobert" not in json.dumps(config)
    loaded = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert not getattr(type(loaded), "sparse_head", False)
    assert torch.allclose(loaded(input_ids=ids).logits, before, atol=1e-6)
    assert prepare_model(model) is model


def test_a_model_without_an_encoder_below_a_head_is_refused():
    body = AutoModel.from_config(
        BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    )
    with pytest.raises(UsageError, match="no encoder below a head"):
        prepare_model(body)


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("family", FAMILIES)
def test_one_graph_over_many_packings(family, make_model, make_store, tokenizer, monkeypatch):
    """The kernel itself needs a GPU; a mask that can be traced stands in its place."""
    from doctobert_hf.models import first_position
    from doctobert_hf.pretraining import PackedMLMDataset, attention
    from doctobert_hf.pretraining.objectives import ObjectiveSchedule

    def traced(query, key, value, borders, dropout, scale, window, past_only=False):
        places = torch.arange(query.shape[2])
        document = torch.searchsorted(borders.long(), places, right=True)
        allowed = document[:, None] == document[None, :]
        if window is not None:
            allowed = allowed & ((places[:, None] - places[None, :]).abs() <= window)
        if past_only:
            allowed = allowed & (places[:, None] >= places[None, :])
        return attention._attend(query, key, value, allowed, dropout, scale).transpose(1, 2)

    monkeypatch.setattr(attention, "_by_document", traced)
    model = prepare_model(make_model(family), chunk=32).train()
    stream = PackedMLMDataset(
        make_store(), tokenizer, 512, pad_rows=True, first_position=first_position(model.config)
    )
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    model.compile(dynamic=False, fullgraph=True, backend="eager")
    for item in islice(stream, 20):
        model(**item["rows"][0], num_items=torch.tensor(70.0))["loss"].backward()
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    detour = PackedMLMDataset(
        make_store(),
        tokenizer,
        512,
        pad_rows=True,
        first_position=first_position(model.config),
        objective=ObjectiveSchedule.read("clm:5000 mlm"),
    )
    objectives = set()
    for item in islice(detour, 20):
        objectives.add(item["objective"])
        model(**item["rows"][0], num_items=torch.tensor(70.0))["loss"].backward()
    assert objectives == {"clm", "mlm"}
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2  # one for each objective
