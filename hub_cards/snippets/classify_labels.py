from transformers import pipeline

classify = pipeline("text-classification", "{{ repo_id }}")
print(classify("Le patient est admis pour une douleur thoracique.", top_k=None))
