from doctobert_hf.drbenchmark import Predictor

predictor = Predictor.from_pretrained("{{ repo_id }}")
for entity in predictor(["Traitement par amoxicilline pour une pneumopathie."])[0]:
    print(entity["text"], entity["type"], entity["start"], entity["end"])
