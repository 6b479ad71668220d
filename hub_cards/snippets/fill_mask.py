import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{{ repo_id }}")
model = AutoModelForMaskedLM.from_pretrained("{{ repo_id }}")
inputs = tokenizer("La {{ mask_token }} artérielle est normale.", return_tensors="pt")
with torch.no_grad():
    logits = model(**inputs).logits
place = (inputs["input_ids"] == tokenizer.mask_token_id).nonzero()[0, 1]
print(tokenizer.decode(logits[0, place].argmax()))
