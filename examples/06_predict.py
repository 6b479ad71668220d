"""Entities in new notes, of any length."""

from doctobert_hf.drbenchmark import Predictor

predictor = Predictor.from_pretrained("entities/model")  # of 05_entities.py
notes = ["Patiente de 45 ans, fièvre et toux depuis trois jours. Traitement par amoxicilline."]
for note, entities in zip(notes, predictor(notes), strict=True):
    print(note)
    for entity in entities:
        print(f"  {entity['type']}: {entity['text']!r} at {entity['start']}, {entity['score']:.2f}")
