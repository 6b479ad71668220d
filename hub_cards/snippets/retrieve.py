from sentence_transformers import SentenceTransformer

model = SentenceTransformer("{{ repo_id }}")
question = model.encode(["Que faire en cas de fièvre ?"])
passages = model.encode(["Prendre du paracétamol.", "Le cœur a quatre cavités."])
print(model.similarity(question, passages))
