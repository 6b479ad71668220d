"""Hierarchical chunking in a stock Trainer: rows are chunks, never cut-off documents."""

from datasets import Dataset
from transformers import AutoModelForMaskedLM, AutoTokenizer, Trainer, TrainingArguments

from doctobert_hf.chunking import DataCollatorForHierarchicalChunking
from doctobert_hf.corpus.sample import sample_documents
from doctobert_hf.models import preset_config

tokenizer = AutoTokenizer.from_pretrained("tokenizer")  # of 01_chunk.py, or your model's
dataset = Dataset.from_list([{"text": document.text} for document in sample_documents(200)])
model = AutoModelForMaskedLM.from_config(preset_config("doctobert-tiny", tokenizer))
trainer = Trainer(
    model=model,
    args=TrainingArguments(
        output_dir="stock",
        max_steps=10,
        per_device_train_batch_size=8,
        remove_unused_columns=False,  # the collator needs the text
        report_to="none",
        save_strategy="no",
    ),
    train_dataset=dataset,
    processing_class=tokenizer,
    data_collator=DataCollatorForHierarchicalChunking(tokenizer, max_length=64),
)
print(f"loss {trainer.train().training_loss:.2f}")
