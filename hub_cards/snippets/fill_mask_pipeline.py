from transformers import pipeline

fill = pipeline("fill-mask", "{{ repo_id }}")
for answer in fill("Le patient présente une douleur {{ mask_token }} depuis deux jours."):
    print(answer["token_str"], round(answer["score"], 3))
