import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{{ repo_id }}")
model = AutoModel.from_pretrained("{{ repo_id }}")
letter = "Le patient est hospitalisé pour une pneumopathie. " * 40
inputs = tokenizer(letter, truncation=True, return_tensors="pt")
with torch.no_grad():
    vectors = model(**inputs).last_hidden_state
print(vectors.shape)  # texts, tokens, width
