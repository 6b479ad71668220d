from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{{ repo_id }}", subfolder="{{ checkpoint }}")
model = AutoModelForMaskedLM.from_pretrained("{{ repo_id }}", subfolder="{{ checkpoint }}")
print(model.num_parameters())
