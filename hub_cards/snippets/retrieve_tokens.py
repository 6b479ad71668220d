from sentence_transformers import MultiVectorEncoder

model = MultiVectorEncoder("{{ repo_id }}")
question = model.encode_query(["Que faire en cas de fièvre ?"])
passages = model.encode_document(["Prendre du paracétamol.", "Le cœur a quatre cavités."])
print(model.similarity(question, passages))
