"""A small training in one of several processes, for a test: what this one saw and ended with.

usage: run_several.py OPTIONS.json REPORT    (keys of a recipe; REPORT gets the process's number)
"""

import hashlib
import json
import sys
from pathlib import Path

from doctobert_hf.processes import rank
from doctobert_hf.retrieval import RetrievalConfig, RetrievalRun

if __name__ == "__main__":
    config = RetrievalConfig(**json.loads(Path(sys.argv[1]).read_text()))
    run = RetrievalRun(config)
    steps = []
    step = run.trainer.training_step

    def seen(model, inputs, *args, **kwargs):
        texts = run.model.tokenizer.batch_decode(
            inputs["anchor_input_ids"], skip_special_tokens=True
        )
        steps.append(texts)
        return step(model, inputs, *args, **kwargs)

    run.trainer.training_step = seen
    run.train()
    weights = hashlib.sha256()
    for _, value in sorted(run.model.state_dict().items()):
        weights.update(value.numpy().tobytes())
    run.write_record([])
    Path(f"{sys.argv[2]}{rank()}.json").write_text(
        json.dumps({"steps": steps, "weights": weights.hexdigest()})
    )
