"""Batches computed in parts: few tokens at once, the loss and the gradients of the whole."""

from dataclasses import replace

import pytest
import torch

from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.families.multilabel import MultilabelClassification
from doctobert_hf.drbenchmark.families.text import Classification
from doctobert_hf.drbenchmark.families.token import TokenClassification
from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters
from doctobert_hf.drbenchmark.finetuning.parts import PartwiseLoss
from doctobert_hf.drbenchmark.finetuning.trainer import Split, TaskTrainer
from doctobert_hf.drbenchmark.tasks import get_task

MOST = 64
LENGTH = 32
SIZES = (1, 9, 2, 3, 1, 60, 2, 1, 5, 14, 1, 2, 3)
"""Sentences of each document: some are one short sequence, some many chunks."""
NONE = {"attention_probs_dropout_prob": 0.0}
SENTENCE = "De la fièvre. "


def rows_of(task):
    """Rows of very different lengths for any family."""
    for number, size in enumerate(SIZES):
        text, label = SENTENCE * size, number % len(task.labels or "x")
        words = text.split()
        tags = [(number + at) % 3 for at in range(len(words))]
        layers = [tags] * (len(task.labels) // 3)
        made = {
            "token-classification": {"tokens": words, "ner_tags": tags},
            "nested-token-classification": {"tokens": words, "ner_tags": layers},
            "classification": {"text": text, "label": label},
            "multilabel-classification": {"text": text, "labels": [label, 0]},
            "similarity": {"text_1": text, "text_2": SENTENCE, "score": float(number % 6)},
            "multiple-choice": {"question": text, "correct_answers": [number % 5]}
            | {f"answer_{letter}": f"{letter} {text}" for letter in "abcde"},
            "parallel-sentence": {"source": text, "label": label}
            | {f"candidate_{name}": f"{name} {text}" for name in task.labels},
        }
        yield made[task.kind]


@pytest.fixture
def tune(make_encoder, tokenizer, tmp_path):
    """Train a tiny model on rows of a task and return the trainer, losses and forward shapes."""

    def run(name, most, dropout=0.0, steps=None, double=True, epochs=2):
        task = get_task(name)
        items = ExampleEncoder(task, tokenizer, LENGTH)(list(rows_of(task)))
        encoder = make_encoder("bert", **NONE)
        torch.manual_seed(3)
        model = encoder.load(task, dropout)
        if double:  # Adam divides by a gradient's size: rounding would be steps of full size
            model.double()
        trainer = TaskTrainer(
            *(task, model, tokenizer, Split(items), Split(items)),
            HyperParameters(1e-3, epochs=epochs, batch_size=6, gradient_accumulation_steps=2),
            *(1, str(tmp_path)),
            tokens_at_once=most,
        )
        trainer.evaluate = lambda *_, **__: {}
        shapes, losses = [], []
        model.register_forward_pre_hook(
            lambda _, __, given: shapes.append(tuple(given["input_ids"].shape)), with_kwargs=True
        )
        step = trainer.training_step
        trainer.training_step = lambda *given: losses.append(step(*given)) or losses[-1]
        trainer.train()
        return trainer, torch.stack(losses), shapes

    return run


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize(
    "name",
    ["quaero_emea", "quaero_emea_nested", "diamed", "morfitt", "clister",
     "frenchmedmcqa_mcqa", "deft2020_cls"],
)  # fmt: skip
def test_every_family_learns_the_same_in_parts(name, tune):
    # One epoch: Transformers 5.3 orders the second by the noise that was drawn until then.
    whole, expected, shapes = tune(name, 10**6, epochs=1)
    parts, losses, cut = tune(name, MOST, epochs=1)
    assert len(expected) == len(shapes) > 2 and len(cut) > len(shapes)
    assert max(map(_tokens, shapes)) > MOST >= max(map(_tokens, cut))
    assert torch.allclose(losses.double(), expected.double(), atol=1e-6)
    for (key, mine), other in zip(
        parts.model.named_parameters(), whole.model.parameters(), strict=True
    ):
        assert torch.allclose(mine, other, atol=2e-6), key


def _tokens(shape):
    return shape[0] * shape[1]


@pytest.mark.long
@pytest.mark.versions
def test_tokens_of_short_rows_are_not_padded_to_the_longest(tune):
    """Rows of one sequence are computed once, and fewer tokens than the padded batch has."""
    _, _, shapes = tune("clister", 10**6)
    _, _, cut = tune("clister", MOST)
    assert sum(n for n, _ in cut) == sum(n for n, _ in shapes)
    assert sum(map(_tokens, cut)) < sum(map(_tokens, shapes))


@pytest.mark.long
def test_a_batch_that_fits_draws_the_same_dropout_as_before(tune):
    """Results of seeds change only where a batch is larger than the bound."""
    bounded, losses, _ = tune("clister", 6 * LENGTH, dropout=0.3, double=False)
    free, others, _ = tune("clister", 10**6, dropout=0.3, double=False)
    assert torch.equal(losses, others)
    for mine, other in zip(bounded.model.parameters(), free.model.parameters(), strict=True):
        assert torch.equal(mine, other)


def gradients(family, task, model, batch, most):
    model.zero_grad()
    loss = float(PartwiseLoss(model, family, task, most).backward(dict(batch), 0.5))
    return loss, {
        name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None
    }


def assert_same(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    assert found[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        assert torch.allclose(found[1][name], gradient, atol=1e-6), name


def made(make_encoder, tokenizer, name, dropout=0.0):
    task = get_task(name)
    family = family_of(task)
    items = ExampleEncoder(task, tokenizer, LENGTH)(list(rows_of(task)))
    encoder = make_encoder("bert", **NONE)
    torch.manual_seed(3)
    model = encoder.load(task, dropout).train()
    return task, model, family.collate(task, tokenizer, family.training_items(items))


@pytest.mark.parametrize("name", ["quaero_emea", "diamed"])
def test_padding_at_the_left_and_a_tokenizer_without_mask(name, make_encoder, tokenizer):
    task, model, batch = made(make_encoder, tokenizer, name)
    family = family_of(task)
    left = {key: value.flip(1) for key, value in batch.items() if key not in ("owner", "labels")}
    labels = batch["labels"].flip(1) if batch["labels"].ndim > 1 else batch["labels"]
    left |= {"owner": batch["owner"], "labels": labels}
    bare = {key: value for key, value in batch.items() if key != "attention_mask"}
    for each in (left, bare):
        expected = gradients(family, task, model, each, 10**6)
        assert_same(gradients(family, task, model, each, MOST), expected)


def test_a_document_longer_than_a_part_draws_its_dropout_once(make_encoder, tokenizer):
    """It is computed twice, and both passes must be of the same thinned network."""
    task, model, batch = made(make_encoder, tokenizer, "diamed", dropout=0.4)
    chosen = {key: value[batch["owner"] == 5] for key, value in batch.items() if key != "labels"}
    chosen |= {"owner": torch.zeros_like(chosen["owner"]), "labels": batch["labels"][5:6]}
    seen = []
    model.classifier.register_forward_hook(lambda _, given, out: seen.append(out.detach()))
    gradients(family_of(task), task, model, chosen, MOST)
    half = len(seen) // 2
    assert half > 3 and len(seen) == 2 * half
    for first, again in zip(seen[:half], seen[half:], strict=True):
        assert torch.equal(first, again)


class Squared(TokenClassification):
    """A loss that is no mean over tokens, of somebody who knows nothing of parts."""

    kind = "token-classification"

    def loss(self, task, outputs, labels):
        return super().loss(task, outputs, labels) ** 2


class Weighted(Classification):
    """Classes that count differently: a mean with its own divisor."""

    kind = "classification"

    def loss(self, task, outputs, labels):
        weight = torch.arange(1.0, outputs.shape[1] + 1)
        return torch.nn.functional.cross_entropy(outputs.float(), labels, weight=weight)


class Silent(MultilabelClassification):
    """Only another name."""


@pytest.mark.parametrize(("family", "name"), [(Squared(), "quaero_emea"), (Weighted(), "diamed")])
def test_a_loss_of_ones_own_is_never_split(family, name, make_encoder, tokenizer):
    task, model, batch = made(make_encoder, tokenizer, name)
    expected = gradients(family, task, model, batch, 10**6)
    shapes = []
    model.register_forward_pre_hook(
        lambda _, __, given: shapes.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    assert_same(gradients(family, task, model, batch, MOST), expected)
    assert max(map(_tokens, shapes)) <= MOST
    assert sum(n for n, _ in shapes) == 2 * len(batch["owner"])
    loss = PartwiseLoss(model, family, task, MOST)
    assert not loss._is_mean() and replace(loss, family=Silent())._is_mean()


def test_a_batch_without_labelled_tokens_has_no_loss(make_encoder, tokenizer):
    task, model, batch = made(make_encoder, tokenizer, "quaero_emea")
    batch["labels"] = torch.full_like(batch["labels"], -100)
    loss, found = gradients(family_of(task), task, model, batch, MOST)
    assert loss == 0.0 and found and not any(gradient.any() for gradient in found.values())
