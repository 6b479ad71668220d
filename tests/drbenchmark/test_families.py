"""Losses and predictions of the families on logits that are known."""

import pytest
import torch

from doctobert_hf.drbenchmark.families import Item, family_of
from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
from doctobert_hf.drbenchmark.tasks import get_task


def test_chunks_of_a_row_are_averaged_and_padding_changes_nothing(make_encoder, tokenizer):
    task = get_task("diamed")
    encoder = ExampleEncoder(task, tokenizer, 32)
    texts = ["Le patient a de la fièvre et une toux sèche. " * n for n in (1, 5, 9)]
    items = encoder([{"text": text, "label": i} for i, text in enumerate(texts)])
    assert next(len(item.inputs) for item in items) == 1 < len(items[2].inputs)
    torch.manual_seed(3)
    model = make_encoder().load(task, None).eval()

    def outputs(rows):
        batch = family_of(task).collate(task, tokenizer, rows)
        batch.pop("labels")
        owner = batch.pop("owner")
        with torch.no_grad():
            return family_of(task).outputs(task, model(**batch).logits, owner)

    together = outputs(items)
    for number, item in enumerate(items):
        assert torch.allclose(together[number], outputs([item])[0], atol=1e-5)
        each = [outputs([Item([sequence], 0)])[0] for sequence in item.inputs]
        assert torch.allclose(together[number], torch.stack(each).mean(0), atol=1e-5)


def test_token_loss_is_the_mean_over_labelled_tokens():
    task = get_task("quaero_emea")
    logits = torch.randn(2, 4, len(task.labels))
    labels = torch.tensor([[-100, 1, -100, 2], [-100, -100, 0, -100]])
    wanted = torch.stack(
        [
            -logits[0, 1].log_softmax(-1)[1],
            -logits[0, 3].log_softmax(-1)[2],
            -logits[1, 2].log_softmax(-1)[0],
        ]
    ).mean()
    assert family_of(task).loss(task, logits, labels) == pytest.approx(float(wanted), abs=1e-6)
    nothing = family_of(task).loss(task, logits, torch.full((2, 4), -100))
    assert float(nothing) == 0.0


def test_words_without_a_token_are_outside():
    task = get_task("quaero_emea")
    logits = torch.zeros(2, 3, len(task.labels))
    logits[0, 1, 3] = logits[1, 2, 4] = 5.0
    items = [Item([{}, {}], [], [(0, 1), (-1, -1), (1, 2)])]
    assert family_of(task).decode(task, items, logits) == [[task.labels[3], "O", task.labels[4]]]


@pytest.mark.parametrize(
    "kind", ["bert", "roberta", "camembert", "modernbert", "deberta-v2", "electra", "distilbert"]
)
def test_dropout_is_really_applied_on_every_architecture(kind, make_encoder):
    names = {"distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}}
    encoder = make_encoder(kind, **names.get(kind, {}))
    for task in ("quaero_emea", "morfitt"):
        model = encoder.load(get_task(task), 0.37)
        rates = [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)]
        assert rates.count(0.37) >= 2
        assert model.config.num_labels == len(get_task(task).labels)


def test_positions_limit_the_length(make_encoder):
    assert make_encoder("bert", max_position_embeddings=128).max_length(512) == 128
    roberta = make_encoder("roberta", max_position_embeddings=130)
    assert roberta.max_length(512) == 128  # its positions begin behind the padding id, 1
    assert make_encoder("bert").max_length(100) == 100
