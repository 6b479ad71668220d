"""Continue an encoder on your own text, with its own tokenizer: the usual French route."""

from datasets import Dataset

from doctobert_hf.cli import main
from doctobert_hf.corpus.sample import sample_documents

documents = [{"id": document.id, "text": document.text} for document in sample_documents(300)]
Dataset.from_list(documents).to_parquet("documents.parquet")

# Yours: adapt/any, --init-from almanach/camembert-base or any masked-LM encoder, --corpus NOTES.
line = ["pretrain", "adapt/any-tiny", "--init-from", "encoder", "--corpus", "documents.parquet"]
assert main([*line, "--dry-run"]) == 0
assert main([*line, "--output", "adapted"]) == 0
