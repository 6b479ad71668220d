"""Two encoders compared on the same task, with the same values and seeds, and a report."""

from doctobert_hf.cli import main

# Yours: --data-dir RAW with DrBenchmark's corpora and --tasks, and no --trials 0 (it tunes then).
for model in ("encoder", "adapted/model"):
    line = ["benchmark", "run", model, "--corpus", "notes", "--trials", "0", "--seeds", "1"]
    line += ["--space", "space.yaml", "--max-length", "128", "--max-train-rows", "60"]
    assert main([*line, "--output", "results"]) == 0
assert main(["benchmark", "report", "results", "--output", "report"]) == 0
