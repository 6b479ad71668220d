"""A training corpus: annotated, cleaned, filtered, and cut to the training's length."""

from pathlib import Path

from doctobert_hf.cli import main

# Yours: Parquet or JSON lines with id and text; every stage goes on where it was stopped.
STAGES = (
    "annotate finemed/light --lexicons base --input documents.parquet --output annotated",
    "clean --repair --input annotated --output clean",
    "filter --input clean --where density>=0.02 --output kept",
    "stats --input kept --output statistics",
)
MIX = "sources:\n  - {name: kept, input: [kept]}\ntokenizer: tokenizer\nmax_length: 128\n"

if __name__ == "__main__":  # the stages' processes import this file
    for line in STAGES:
        assert main(["finemed", *line.split()]) == 0
    Path("mix.yaml").write_text(MIX)
    assert main(["finemed", "mix", "mix.yaml", "--output", "mix"]) == 0
