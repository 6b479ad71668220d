"""From text to an encoder: tokens once, then training by tokens with resume."""

from transformers import AutoModelForMaskedLM, AutoTokenizer, set_seed

from doctobert_hf.corpus.sample import sample_documents
from doctobert_hf.models import preset_config
from doctobert_hf.pretraining import MLMTrainer, MLMTrainingArguments, build_store

tokenizer = AutoTokenizer.from_pretrained("tokenizer")  # of 01_chunk.py
texts = [document.text for document in sample_documents(600)]
train = build_store(texts[50:], tokenizer, "stores/train", max_length=128)
held_out = build_store(texts[:50], tokenizer, "stores/held_out", max_length=128)

set_seed(17)
model = AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer))
arguments = MLMTrainingArguments(
    "from-scratch",
    max_tokens=60_000,  # yours: as many as you have, some times over
    micro_batch_tokens=1024,
    learning_rate=2e-3,
    warmup_tokens=5_000,
    save_tokens=30_000,  # trainer.train(resume_from_checkpoint=True) goes on from the last
    report_to="none",
)
trainer = MLMTrainer(model, arguments, train, tokenizer, held_out)
before = trainer.evaluate()["eval_accuracy"]
trainer.train()
trainer.save_model("encoder")  # plain Transformers
after = trainer.evaluate()["eval_accuracy"]
print(f"masked tokens right: {before:.1%} before, {after:.1%} after")
