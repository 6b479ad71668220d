"""Masks that a seed makes again: loader workers, epochs, and a run that goes on in mid-epoch."""

import pickle
from functools import partial

import pytest
import torch
from datasets import Dataset, IterableDataset
from packaging.version import Version
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForMaskedLM,
    Trainer,
    TrainingArguments,
    __version__,
    default_data_collator,
)

from doctobert_hf.chunking import DataCollatorForHierarchicalChunking
from doctobert_hf.models import preset_config


@pytest.fixture(scope="module")
def rows(sample_texts):
    return [{"text": text[:300]} for text in sample_texts[:22]]


class Recording(Trainer):
    """Keeps the labels and the tokens of each step."""

    def training_step(self, model, inputs, *args, **kwargs):
        self.__dict__.setdefault("masks", []).append(inputs["labels"].tolist())
        self.__dict__.setdefault("lengths", []).append(inputs["attention_mask"].sum(1).tolist())
        return super().training_step(model, inputs, *args, **kwargs)


def trained(tokenizer, dataset, folder, resume=None, trainer=False, **settings):
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer))
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=14,
        per_device_train_batch_size=4,
        report_to="none",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        save_steps=8,
        disable_tqdm=True,
        **settings,
    )
    collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=64, seed=3)
    made = Recording(model, arguments, collator, dataset)
    made.train(resume_from_checkpoint=resume)
    return made if trainer else made.masks


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dataloader_num_workers": 2},
        {"dataloader_num_workers": 2, "dataloader_persistent_workers": True},
    ],
    ids=["none", "workers", "persistent"],
)
def test_a_resumed_trainer_makes_the_same_masks(settings, tokenizer, rows, tmp_path):
    dataset = Dataset.from_list(rows)  # 6 batches an epoch: step 8 is in mid-epoch
    run = trained(tokenizer, dataset, tmp_path, trainer=True, **settings)
    whole = run.masks
    assert len(whole) == 14 and len({str(masks) for masks in whole}) == 14
    checkpoint = str(tmp_path / "checkpoint-8")
    resumed = trained(tokenizer, dataset, tmp_path, checkpoint, trainer=True, **settings)
    if resumed.lengths == run.lengths[8:]:
        assert resumed.masks == whole[8:]
    else:  # Trainer's own order of rows was another after a resume
        assert Version(__version__) < Version("5.20")
    if settings:
        assert whole == trained(tokenizer, dataset, tmp_path / "alone")  # workers change nothing


@pytest.mark.long
@pytest.mark.versions
def test_a_resumed_stream_makes_the_same_masks(tokenizer, rows, tmp_path):
    long = [{"text": f"{i} {row['text']}"} for i, row in enumerate(rows * 3)]
    dataset = IterableDataset.from_generator(lambda: iter(long))
    whole = trained(tokenizer, dataset, tmp_path)
    assert trained(tokenizer, dataset, tmp_path, str(tmp_path / "checkpoint-8")) == whole[8:]


def passes(tokenizer, rows, epochs=2, **settings):
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
    loader = DataLoader(rows, batch_size=4, num_workers=2, collate_fn=collator, **settings)
    return [[batch["labels"].tolist() for batch in loader] for _ in range(epochs)]


@pytest.mark.long
@pytest.mark.parametrize("persistent", [False, True])
def test_a_plain_loader_with_workers_needs_no_seed_of_torch(persistent, tokenizer, rows):
    first, second = passes(tokenizer, rows, persistent_workers=persistent)
    assert first != second
    torch.manual_seed(5)
    assert [first, second] == passes(tokenizer, rows, persistent_workers=persistent)


@pytest.mark.long
@pytest.mark.versions
def test_spawned_workers_make_the_same_masks(tokenizer, rows):
    assert passes(tokenizer, rows[:8], 1) == passes(
        tokenizer, rows[:8], 1, multiprocessing_context="spawn"
    )


def test_a_loop_of_ones_own_says_its_epoch(tokenizer, rows):
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
    collator.set_epoch(1)
    whole = [collator(rows[i : i + 4])["labels"].tolist() for i in (0, 4, 8)]
    again = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
    again.set_epoch(1)
    assert again(rows[8:12])["labels"].tolist() == whole[2]
    again.set_epoch(2)
    assert again(rows[8:12])["labels"].tolist() != whole[2]
    copied = pickle.loads(pickle.dumps(collator))
    assert copied(rows[:4])["labels"].tolist() == whole[0]


@pytest.mark.long
@pytest.mark.versions
def test_a_run_left_in_mid_epoch_does_not_freeze_masks(tokenizer, rows, tmp_path):
    trainer = trained(tokenizer, Dataset.from_list(rows), tmp_path, trainer=True)
    assert trainer.masks
    first, second = passes(tokenizer, rows, persistent_workers=True)
    assert first != second


@pytest.mark.long
def test_a_loader_left_by_others_does_not_freeze_masks(tokenizer, rows, tmp_path):
    """Its function is one that cannot call the collator."""
    left = Trainer(
        AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer)),
        TrainingArguments(str(tmp_path), max_steps=1, report_to="none", disable_tqdm=True,
                          per_device_train_batch_size=2, remove_unused_columns=False),
        train_dataset=[{"input_ids": [5, 6, 7], "labels": [5, 6, 7]}] * 8,
        data_collator=default_data_collator,
    )  # fmt: skip
    left.train()
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
    assert not torch.equal(collator(rows[:4])["labels"], collator(rows[:4])["labels"])


WRAPPED = {
    "partial": lambda collator: partial(given, 1, collator=collator),
    "closure": lambda collator: lambda batch: collator(batch),
    "method": lambda collator: Holder(collator).collate,
    "object": lambda collator: Holder(collator),
    "table": lambda collator: partial(chosen, {"mlm": collator}),
}


def given(_, batch, collator):
    return collator(batch)


def chosen(table, batch):
    return table["mlm"](batch)


class Holder:
    def __init__(self, collator):
        self.inner = collator

    def collate(self, batch):
        return self.inner(batch)

    __call__ = collate


@pytest.mark.parametrize("way", WRAPPED)
def test_a_collator_is_found_in_what_wraps_it(way, tokenizer, rows):
    from accelerate import Accelerator

    def masks(epoch):
        collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
        loader = DataLoader(rows[:8], batch_size=4, collate_fn=WRAPPED[way](collator))
        loader = Accelerator(cpu=True).prepare(loader)
        loader.iteration = epoch
        return [batch["labels"].tolist() for batch in loader]

    assert masks(2) == masks(2) != masks(3)
