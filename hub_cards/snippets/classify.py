from transformers import pipeline

classify = pipeline("text-classification", "{{ repo_id }}")
print(classify("Le patient est admis pour une douleur thoracique."{% if record.architecture.problem_type == "multi_label_classification" %}, top_k=None{% endif %}))
