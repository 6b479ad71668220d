import torch
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{{ repo_id }}")
model = AutoModel.from_pretrained("{{ repo_id }}")
inputs = tokenizer(["Fièvre à 39 °C.", "Pas de fièvre."], padding=True, return_tensors="pt")
with torch.no_grad():
    vectors = model(**inputs).last_hidden_state
print(vectors.shape)  # texts, tokens, width
