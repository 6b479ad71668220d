"""The collator in a stock Trainer: no text lost, both families, with and without workers."""

import pytest
import torch
import warm
from datasets import Dataset, IterableDataset
from transformers import AutoModelForMaskedLM, Trainer, TrainingArguments

from doctobert_hf.chunking import DataCollatorForHierarchicalChunking, HierarchicalChunker
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.models import preset_config


@pytest.fixture(scope="module")
def rows(sample_texts):
    return [{"text": text, "id": f"d{i}"} for i, text in enumerate(sample_texts)]


def unmasked(batch):
    """Return each row's ids with the masked ones put back and padding left out."""
    ids = torch.where(batch["labels"] != -100, batch["labels"], batch["input_ids"])
    return [row[mask.bool()].tolist() for row, mask in zip(ids, batch["attention_mask"])]


def test_rows_are_the_chunks_and_no_text_is_lost(tokenizer, rows):
    collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=64, seed=0)
    batch = collator(rows[:8])
    chunker = HierarchicalChunker(tokenizer, 64)
    chunks = [chunk for row in rows[:8] for chunk in chunker.split(row["text"])]
    assert unmasked(batch) == tokenizer(chunks)["input_ids"]
    normalize = tokenizer.backend_tokenizer.normalizer.normalize_str
    back = "".join(tokenizer.decode(ids, skip_special_tokens=True) for ids in unmasked(batch))
    assert back == normalize("".join(row["text"] for row in rows[:8])).replace("▁", " ")


def test_shapes_types_and_padding(tokenizer, rows):
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=0, pad_to_multiple_of=16)
    batch = collator(rows[:3])
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    assert all(t.dtype == torch.int64 and t.shape == batch["labels"].shape for t in batch.values())
    assert batch["labels"].shape[1] % 16 == 0
    padded = batch["attention_mask"] == 0
    assert (batch["input_ids"][padded] == tokenizer.pad_token_id).all()
    assert (batch["labels"][padded] == -100).all()
    short = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=0)([{"text": "Oui."}])
    assert short["input_ids"].shape[1] == len(tokenizer("Oui.")["input_ids"])


def test_tokenised_rows_are_taken_as_they_are(tokenizer, rows):
    chunks = HierarchicalChunker(tokenizer, 64).split(rows[0]["text"])
    tokenised = tokenizer(chunks)["input_ids"]
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=0)
    for kind in (list, torch.tensor):
        assert unmasked(collator([{"input_ids": kind(ids)} for ids in tokenised])) == tokenised
    padded = tokenizer("Un texte.", padding="max_length", max_length=20)
    batch = collator([padded])
    assert unmasked(batch) == [tokenizer("Un texte.")["input_ids"]]
    with pytest.raises(DataError, match="65 tokens"):
        collator([{"input_ids": [5] * 65}])


def test_seeds(tokenizer, rows):
    def labels(seed):
        return DataCollatorForHierarchicalChunking(tokenizer, 64, seed=seed)(rows[:4])["labels"]

    assert torch.equal(labels(3), labels(3)) and not torch.equal(labels(3), labels(4))
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
    assert not torch.equal(collator(rows[:4])["labels"], collator(rows[:4])["labels"])


@pytest.mark.long
def test_workers_and_epochs_draw_differently(tokenizer, rows):
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
    same = [rows[0]] * 4
    loader = torch.utils.data.DataLoader(same, batch_size=1, num_workers=2, collate_fn=collator)
    drawn = [batch["labels"] for _ in range(2) for batch in loader]
    assert len({tuple(labels.flatten().tolist()) for labels in drawn}) == 8
    collator = DataCollatorForHierarchicalChunking(tokenizer, 64, seed=3)
    loader = torch.utils.data.DataLoader(same, batch_size=1, num_workers=2, collate_fn=collator)
    again = [batch["labels"] for _ in range(2) for batch in loader]
    assert all(torch.equal(a, b) for a, b in zip(drawn, again))


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize("preset", ["doctobert-tiny", "doctomodernbert-tiny"])
@pytest.mark.parametrize("workers", [0, 2])
def test_stock_trainer(preset, workers, tokenizer, rows, tmp_path):
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(preset_config(preset, tokenizer))
    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=12,
        per_device_train_batch_size=8,
        learning_rate=5e-3,
        logging_steps=4,
        report_to="none",
        remove_unused_columns=False,
        dataloader_num_workers=workers,
        dataloader_pin_memory=False,
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        data_collator=DataCollatorForHierarchicalChunking(tokenizer, max_length=64),
    )
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert losses[-1] < losses[0] - 0.3


@pytest.mark.long
def test_evaluation_sees_every_chunk_once_documents_are_chunked(tokenizer, rows, tmp_path):
    documents = Dataset.from_list(rows[:5])
    chunker = HierarchicalChunker(tokenizer, 64)
    chunks = documents.map(chunker, batched=True, remove_columns=documents.column_names)
    seen = []
    trainer = Trainer(
        model=AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer)),
        args=TrainingArguments(
            output_dir=str(tmp_path),
            per_device_eval_batch_size=4,
            report_to="none",
            remove_unused_columns=False,
            disable_tqdm=True,
        ),
        eval_dataset=chunks,
        data_collator=DataCollatorForHierarchicalChunking(tokenizer, max_length=64),
        compute_metrics=lambda prediction: seen.append(len(prediction.label_ids)) or {},
    )
    trainer.evaluate()
    assert seen == [len(chunks)]


@pytest.mark.long
def test_a_forgotten_setting_is_named(tokenizer, rows, tmp_path):
    model = AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer))
    collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=64)
    stream = IterableDataset.from_generator(lambda: iter(rows))
    for data in (Dataset.from_list(rows), stream):
        arguments = TrainingArguments(
            output_dir=str(tmp_path), max_steps=1, report_to="none", disable_tqdm=True
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=data, data_collator=collator)
        with pytest.raises(ValueError, match="remove_unused_columns=False"):
            trainer.train()
    with pytest.raises(DataError, match="columns texte.*text_column"):
        collator([{"texte": "a"}])
    with pytest.raises(DataError, match="remove_unused_columns=False"):
        collator([{}])


@pytest.mark.long
def test_a_document_too_long_for_a_batch_is_named_never_cut(tokenizer, rows):
    collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=128, max_rows=60)
    long = {"text": "Une phrase de plus. " * 2000, "id": "dossier-7"}
    with pytest.raises(DataError) as caught:
        collator([rows[0], long])
    for word in ("'dossier-7'", "max_rows", "HierarchicalChunker"):
        assert word in str(caught.value)
    with pytest.raises(DataError, match="per_device_train_batch_size"):
        collator(rows[:40] * 3)


def test_wrong_rows(tokenizer):
    collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=32)
    with pytest.raises(DataError, match="None"):
        collator([{"text": None}])
    with pytest.raises(DataError, match="empty batch"):
        collator([])
    assert collator([{"text": ""}])["input_ids"].tolist() == [[2, 3]]


def test_no_padding_token(tokenizer):
    from copy import deepcopy

    bare = deepcopy(tokenizer)
    bare.pad_token = None
    with pytest.raises(UsageError, match="padding"):
        DataCollatorForHierarchicalChunking(bare, 32)


PROCESS = """
import json, os, sys
from datasets import Dataset
from transformers import (AutoModelForMaskedLM, AutoTokenizer, Trainer, TrainerCallback,
                          TrainingArguments)
from doctobert_hf.chunking import DataCollatorForHierarchicalChunking
from doctobert_hf.models import preset_config

tokenizer_dir, texts, dispatch, out = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
data = Dataset.from_list([{"text": t} for t in json.load(open(texts))]).to_iterable_dataset()
seen = []


class Model(Trainer):
    def training_step(self, model, inputs, *more, **named):
        seen.append(int(inputs["attention_mask"].sum()))
        return super().training_step(model, inputs, *more, **named)


config = {"dispatch_batches": False} if dispatch == "own" else None
if dispatch == "tokenised":
    data = data.map(lambda row: {"input_ids": tokenizer(row["text"][:150])["input_ids"]},
                    remove_columns=["text"])
arguments = TrainingArguments(out, max_steps=9, per_device_train_batch_size=1, report_to="none",
                              remove_unused_columns=False, use_cpu=True, save_strategy="no",
                              accelerator_config=config, disable_tqdm=True, num_train_epochs=1)
model = AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer))
width = 8 if dispatch == "tokenised" else 64
collator = DataCollatorForHierarchicalChunking(tokenizer, max_length=64, pad_to_multiple_of=width)
trainer = Model(model, arguments, train_dataset=data, data_collator=collator)
trainer.train()
json.dump(seen, open(out + os.environ["RANK"] + ".json", "w"))
"""


def two_processes(tokenizer_dir, texts, dispatch, tmp_path):
    """Run a stock Trainer on an IterableDataset in two gloo processes; exit codes and errors."""
    import json
    import os
    import socket
    import subprocess
    import sys

    (tmp_path / "texts.json").write_text(json.dumps(texts))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (tmp_path / "process.py").write_text(PROCESS)
    command = [sys.executable, tmp_path / "process.py", tokenizer_dir, tmp_path / "texts.json"]
    command += [dispatch, tmp_path / dispatch]
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    common |= {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    ranks = [
        warm.Popen(
            command,
            env={**os.environ, **common, "RANK": str(r), "LOCAL_RANK": str(r)},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for r in range(2)
    ]
    first = ranks[0].communicate(timeout=240)[1]
    if ranks[0].returncode:
        ranks[1].kill()  # it waits for the first
    second = ranks[1].communicate(timeout=240)[1]
    return [rank.returncode for rank in ranks], first + second


@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_processes_and_a_stream_lose_no_row(tokenizer_dir, tokenizer, sample_texts, tmp_path):
    import json

    texts = [text[:900] for text in sample_texts[:18]]
    codes, errors = two_processes(tokenizer_dir, texts, "default", tmp_path)
    assert codes[0] != 0 and 'accelerator_config={"dispatch_batches": False}' in errors
    codes, errors = two_processes(tokenizer_dir, texts, "tokenised", tmp_path)
    assert codes[0] != 0 and 'accelerator_config={"dispatch_batches": False}' in errors
    codes, errors = two_processes(tokenizer_dir, texts, "own", tmp_path)
    assert codes == [0, 0], errors
    seen = [json.loads((tmp_path / f"own{rank}.json").read_text()) for rank in range(2)]
    chunker = HierarchicalChunker(tokenizer, 64)
    expected = sum(
        len(ids) for text in texts for ids in tokenizer(chunker.split(text))["input_ids"]
    )
    assert sum(map(sum, seen)) == expected
