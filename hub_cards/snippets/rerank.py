from sentence_transformers import CrossEncoder

model = CrossEncoder("{{ repo_id }}")
passages = ["Prendre du paracétamol.", "Le cœur a quatre cavités."]
print(model.rank("Que faire en cas de fièvre ?", passages, return_documents=True))
