from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{{ repo_id }}")
print(tokenizer.tokenize("Douleur thoracique, HTA 140/90."))
