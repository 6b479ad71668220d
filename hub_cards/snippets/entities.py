from transformers import pipeline

find = pipeline("token-classification", "{{ repo_id }}", aggregation_strategy="simple")
for entity in find("Traitement par amoxicilline pour une pneumopathie."):
    print(entity["word"], entity["entity_group"], round(float(entity["score"]), 3))
