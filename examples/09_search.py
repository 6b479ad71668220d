"""An index of documents, searched by words; with a retriever also by meaning."""

from doctobert_hf.cli import main

# Yours: a folder of notes, PDF and office files too; --model RETRIEVER for dense or hybrid search.
assert main(["retrieval", "index", "build", "documents.parquet", "--output", "index"]) == 0
assert main(["retrieval", "search", "index", "fievre et toux", "--top", "3"]) == 0
