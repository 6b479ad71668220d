"""Entities from notes annotated in BRAT; JSON lines and other tools' exports are read as well."""

import json
from pathlib import Path

from doctobert_hf.cli import main
from doctobert_hf.corpus.sample_notes import write_notes

write_notes(Path("made-up"))  # annotated notes, as BRAT would save them; yours take their place
for lines in Path("made-up").glob("*/*.jsonl"):
    folder = Path("notes") / lines.parent.name  # train, validation, test
    folder.mkdir(parents=True)
    for number, line in enumerate(lines.read_text(encoding="utf-8").splitlines()):
        name, note = f"{folder.name}-{number}", json.loads(line)
        (folder / f"{name}.txt").write_text(note["text"], encoding="utf-8")
        marks = [
            f"T{n}\t{e['label']} {e['start']} {e['end']}\t{note['text'][e['start'] : e['end']]}\n"
            for n, e in enumerate(note["entities"], 1)
        ]
        (folder / f"{name}.ann").write_text("".join(marks), encoding="utf-8")
# For this tiny encoder; yours: leave --space out, or name one with values to search.
Path("space.yaml").write_text("untuned: {learning_rate: 2.0e-3, epochs: 15, batch_size: 8}\n")
line = ["finetune", "encoder", "--corpus", "notes", "--space", "space.yaml"]
assert main([*line, "--max-length", "128", "--output", "entities"]) == 0
