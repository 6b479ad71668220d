"""Packed documents are the documents alone, in logits and gradients."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from doctobert_hf.chunking import DataCollatorForHierarchicalChunking
from doctobert_hf.errors import UsageError
from doctobert_hf.models import first_position
from doctobert_hf.pretraining import prepare_model
from doctobert_hf.pretraining.attention import (
    check_isolating,
    use_attention,
    varlen_attention_forward,
)
from doctobert_hf.pretraining.data.dataset import StaticShape, pack_row

FAMILIES = ("doctobert-tiny", "doctomodernbert-tiny")
LENGTHS = (140, 116, 7, 1, 90)


@pytest.fixture
def documents(tokenizer):
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(5, len(tokenizer), (n,), generator=generator) for n in LENGTHS]


def packed(documents, model, positions=(3, 150, 260, 300), static=None):
    ids = torch.cat(documents)
    lengths = np.array([len(d) for d in documents])
    positions = np.array(positions)
    labels = (ids.numpy()[positions] + 1) % 400 + 5
    return pack_row(
        ids.numpy(), lengths, positions, labels, 1, static, first_position(model.config)
    )


def inputs(row):
    return {k: v for k, v in row.items() if not k.startswith("masked")}


@pytest.mark.parametrize("family", FAMILIES)
def test_packed_logits_equal_separate_ones(family, make_model, documents):
    model = make_model(family).eval()
    plain = make_model(family, attention="sdpa").eval()
    with torch.no_grad():
        together = model(**inputs(packed(documents, model))).logits[0]
        apart = torch.cat([plain(input_ids=d[None]).logits[0] for d in documents])
    assert (together - apart).abs().max() < 1e-5
    if family == "doctomodernbert-tiny":  # the local window is narrower than a document
        assert model.config.local_attention < max(LENGTHS)


@pytest.mark.parametrize("family", FAMILIES)
def test_packed_gradients_equal_those_of_a_padded_batch(family, make_model, documents):
    model, plain = make_model(family), make_model(family, attention="sdpa")
    prepare_model(model, chunk=3)
    row = packed(documents, model)
    loss = model(**row, num_items=4)["loss"]
    loss.backward()
    width = max(LENGTHS)
    ids = torch.ones(len(documents), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    flat = torch.full((sum(LENGTHS),), -100)
    flat[row["masked_positions"]] = row["masked_labels"]
    for number, (document, wanted) in enumerate(zip(documents, flat.split(LENGTHS), strict=True)):
        ids[number, : len(document)], mask[number, : len(document)] = document, 1
        labels[number, : len(document)] = wanted
    logits = plain(input_ids=ids, attention_mask=mask).logits
    reference = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), abs=1e-5)
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert (ours.grad - theirs.grad).abs().max() < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_static_padding_changes_nothing(family, make_model, documents):
    model = prepare_model(make_model(family).eval())
    with torch.no_grad():
        bare = model(**packed(documents, model), num_items=4)["loss"]
        filled = model(
            **packed(documents, model, static=StaticShape(500, 12, 9, 140)), num_items=4
        )["loss"]
    assert filled.item() == pytest.approx(bare.item(), abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_padded_batches_work_too(family, make_model, documents):
    model, plain = make_model(family).eval(), make_model(family, attention="sdpa").eval()
    ids = torch.ones(2, LENGTHS[0], dtype=torch.long)
    ids[0], ids[1, : LENGTHS[1]] = documents[0], documents[1]
    mask = (torch.arange(LENGTHS[0])[None] < torch.tensor(LENGTHS[:2])[:, None]).long()
    with torch.no_grad():
        ours = model(input_ids=ids, attention_mask=mask).logits
        theirs = plain(input_ids=ids, attention_mask=mask).logits
    assert ((ours - theirs) * mask[..., None]).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["sdpa", "eager"])
def test_what_would_leak_is_unpacked_or_raises(name, make_model, documents, tokenizer):
    right = prepare_model(make_model().eval())
    model = prepare_model(make_model(attention=name).eval())  # tried, not told by its name
    row = packed(documents, model)
    assert float(model(**row)["loss"]) == pytest.approx(float(right(**row)["loss"]), abs=1e-5)
    with pytest.raises(UsageError, match="which would mix"):
        DataCollatorForHierarchicalChunking(tokenizer, packing=True, model=model)
    with pytest.raises(UsageError, match="without a model"):
        DataCollatorForHierarchicalChunking(tokenizer, packing=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_built_with_another_attention_is_switched(family, make_model, documents):
    switched, built = make_model(family, attention="sdpa").eval(), make_model(family).eval()
    use_attention(switched)
    row = inputs(packed(documents, built))
    with torch.no_grad():
        assert torch.equal(switched(**row).logits, built(**row).logits)


def test_a_model_without_dispatch_stays_as_it_is(make_model):
    """Its class lives in this module, whose source names no attention functions."""
    kind = type(make_model())
    model = make_model(attention="sdpa")
    model.__class__ = type("Fixed", (kind,), {"_can_set_attn_implementation": lambda *_: False})
    assert not use_attention(model) and model.config._attn_implementation == "sdpa"


def test_dropout_with_a_kernel_that_lacks_it(make_model):
    model = make_model(dropout=0.1)
    check_isolating(model)
    model.config._attn_implementation = "flash_attention_3"
    with pytest.raises(UsageError, match=r"Attention dropout 0\.1 with flash_attention_3"):
        check_isolating(model)


def test_misuse_of_the_function():
    q = torch.zeros(1, 2, 6, 4)
    borders = torch.tensor([0, 4], dtype=torch.int32)
    module = torch.nn.Identity()
    with pytest.raises(UsageError, match="from 0 to 4.*from 0 to 6"):
        varlen_attention_forward(module, q, q, q, None, cu_seq_lens_q=borders)
    with pytest.raises(UsageError, match="2 rows"):
        two = q.repeat(2, 1, 1, 1)
        varlen_attention_forward(module, two, two, two, None, cu_seq_lens_q=borders)
    module.is_causal = True
    with pytest.raises(UsageError, match="causal"):
        varlen_attention_forward(module, q, q, q, None)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_the_packing_collator_with_a_plain_model(family, make_model, tokenizer, sample_texts):
    model = make_model(family).eval()
    collator = DataCollatorForHierarchicalChunking(
        tokenizer, max_length=64, packing=True, model=model, seed=3
    )
    features = [{"text": text} for text in sample_texts[:3]]
    batch = collator(features)
    assert batch["input_ids"].shape[0] == 1
    assert batch["cu_seq_lens_q"][-1] == batch["input_ids"].shape[1]
    logits = model(**{k: v for k, v in batch.items() if k != "labels"}).logits[0]
    plain = make_model(family, attention="sdpa").eval()
    ids = batch["input_ids"][0].split(torch.diff(batch["cu_seq_lens_q"]).tolist())
    apart = torch.cat([plain(input_ids=d[None]).logits[0] for d in ids])
    assert (logits - apart).abs().max() < 1e-5
    assert torch.isfinite(model(**batch).loss)


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize(
    "imports",
    ["import doctobert_hf\nimport transformers", "import transformers\nimport doctobert_hf"],
)
def test_registered_on_import_in_either_order(imports, tmp_path):
    code = f"""{imports}
from transformers import AutoModelForMaskedLM, BertConfig, Trainer, TrainingArguments
config = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                    intermediate_size=8, vocab_size=20)
model = AutoModelForMaskedLM.from_config(config, attn_implementation="doctobert_varlen")
trainer = Trainer(model, TrainingArguments("x", report_to=["doctobert"], use_cpu=True))
names = [type(c).__name__ for c in trainer.callback_handler.callbacks]
assert "DoctobertCallback" in names, names
print("fine")"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.endswith("fine\n"), done.stderr[-1500:]


@pytest.mark.parametrize("length", [40, 700])
def test_bfloat16_on_a_processor_is_as_exact_as_it_can_be(length):
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 2, length, 16) for _ in range(3))
    borders = torch.tensor([0, length // 3, length], dtype=torch.int32)
    layer = torch.nn.Module()
    exact, _ = varlen_attention_forward(layer, q, k, v, None, cu_seq_lens_q=borders)
    half = [x.bfloat16() for x in (q, k, v)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, _ = varlen_attention_forward(layer, *half, None, cu_seq_lens_q=borders)
        # rotary embeddings leave float32 behind
        mixed, _ = varlen_attention_forward(layer, q, k, half[2], None, cu_seq_lens_q=borders)
    assert ours.dtype == mixed.dtype == torch.bfloat16
    assert (ours.float() - exact).abs().max() < 0.02
    assert (mixed.float() - exact).abs().max() < 0.02
