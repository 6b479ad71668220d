from doctobert_hf.drbenchmark import Predictor
from huggingface_hub import snapshot_download

predictor = Predictor.from_pretrained(snapshot_download("{{ repo_id }}"))
for entity in predictor(["Traitement par amoxicilline pour une pneumopathie."])[0]:
    print(entity["text"], entity["type"], entity["start"], entity["end"])
