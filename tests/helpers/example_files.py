"""The files that examples of docstrings speak of."""

from __future__ import annotations

import json
from pathlib import Path

PLAN = """
recipe: doctobert-tiny/pretrain
max_tokens: 2000
settings:
  {micro_batch_tokens: 512, global_batch_tokens: 512, warmup_tokens: 0, batch_warmup_tokens: 0,
   lr_schedule: constant, decay_tokens: 0, dataloader_num_workers: 0, train_store: store,
   tokenizer: encoder, max_length: 64}
corpus: notes
seeds: [1]
benchmark: {max_length: 64, space: space.yaml, trials: 0}
untrained: false
arms: {low: {mlm_probability: 0.15}, high: {mlm_probability: 0.4}}
"""
SPACE = "untuned: {learning_rate: 5.0e-3, epochs: 2, batch_size: 8}\n"


def lines(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def write_files(folder: Path) -> None:
    """Write ``asked.jsonl``, ``notes``, ``space.yaml`` and ``study.yaml`` into a folder."""
    organs = ("cœur", "foie", "rein", "genou", "poumon", "dos", "cou", "pied", "bras", "ventre")
    signs = ("douleur", "gêne", "plaie", "tumeur")
    pairs = [
        {"query": f"que faire pour une {sign} du {organ} ?", "positive": f"Conduite : {organ}."}
        for organ in organs
        for sign in signs
    ]
    lines(folder / "asked.jsonl", pairs)
    notes = []
    for number in range(30):
        drug = ("aspirine", "warfarine", "insuline")[number % 3]
        text = f"Jour {number} : il reçoit {drug} 5 mg."
        at = text.index(drug)
        entity = {"start": at, "end": at + len(drug), "label": "DRUG"}
        notes.append({"id": f"n{number}", "text": text, "entities": [entity]})
    lines(folder / "notes" / "notes.jsonl", notes)
    (folder / "space.yaml").write_text(SPACE, encoding="utf-8")
    (folder / "study.yaml").write_text(PLAN, encoding="utf-8")


def tune(folder: Path) -> None:
    """Fine-tune the folder's encoder on its notes, into ``my-ner``."""
    from doctobert_hf.cli import main

    keys = ("--max-length", "64", "--space", str(folder / "space.yaml"))
    words = ["finetune", str(folder / "encoder"), "--corpus", str(folder / "notes"), *keys]
    assert main([*words, "--output", str(folder / "my-ner")]) == 0
