from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{{ repo_id }}")
encoded = tokenizer("Amoxicilline 1 g.", return_offsets_mapping=True)
print(encoded["offset_mapping"])
