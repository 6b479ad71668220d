"""Cut documents along their structure, so that each piece fits and nothing is lost."""

from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.corpus.sample import sample_documents
from doctobert_hf.tokenization import train_tokenizer

# Yours: any fast tokenizer, and your own texts.
texts = [document.text for document in sample_documents(200)]
tokenizer = train_tokenizer(texts, "tokenizer", vocab_size=1200, max_length=128)

chunker = HierarchicalChunker(tokenizer, max_length=64)
text = max(texts, key=len)
for start, end in chunker.spans(text):
    print(f"{start:5}-{end:5} {text[start:end].strip()[:70]!r}")
assert "".join(chunker.split(text)) == text
