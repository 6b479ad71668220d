"""Entities from annotated notes: JSON lines here; BRAT, CAS, spaCy and others are read as well."""

from pathlib import Path

from doctobert_hf.cli import main
from doctobert_hf.corpus.sample_notes import write_notes

write_notes(Path("notes"))  # made-up annotated notes; yours: a folder of .txt and .ann
# For this tiny encoder; yours: leave --space out, or name one with values to search.
Path("space.yaml").write_text("untuned: {learning_rate: 2.0e-3, epochs: 15, batch_size: 8}\n")
line = ["finetune", "encoder", "--corpus", "notes", "--space", "space.yaml"]
assert main([*line, "--max-length", "128", "--output", "entities"]) == 0
