"""A small training run as a script, for tests that kill it or run it on several processes.

usage: run_training.py OPTIONS.json   (tokenizer, store, eval, output, and arguments)
"""

import json
import sys
from pathlib import Path

from transformers import AutoModelForMaskedLM, AutoTokenizer, set_seed

from doctobert_hf.models import preset_config
from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments, TokenStore

if __name__ == "__main__":
    options = json.loads(Path(sys.argv[1]).read_text())
    tokenizer = AutoTokenizer.from_pretrained(options["tokenizer"])
    set_seed(1)
    config = preset_config(options["preset"], tokenizer, initializer_range=0.06)
    if not options.get("dropout", True):
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    trainer = MLMTrainer(
        AutoModelForMaskedLM.from_config(config),
        MLMTrainingArguments(
            output_dir=options["output"],
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            logging_steps=1,
            **options["arguments"],
        ),
        TokenStore(options["store"], tokenizer),
        tokenizer,
        TokenStore(options["eval"], tokenizer),
    )
    checkpoints = list(Path(options["output"]).glob("checkpoint-*"))
    trainer.train(resume_from_checkpoint=True if checkpoints else None)
    if trainer.is_world_process_zero() and trainer.tokens_seen >= trainer.args.max_tokens:
        trainer.save_model(str(Path(options["output"]) / "final"))
