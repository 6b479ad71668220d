"""Small corpora: medical and other French texts that are made here."""

import json
import random
import sys
from pathlib import Path

import pytest

pytest.importorskip("datatrove", reason="finemed's tests need datatrove")

LIGHT = {
    "domain": "light",
    "subdomain": "light",
    "quality": "light",
    "terms": "lexicon",
    "lexicons": ("base",),
}
_CASES = (
    "Un patient de {n} ans, sans antécédents, est hospitalisé pour une douleur thoracique.",
    "L'examen clinique retrouve une fièvre à 38,{d} °C et une pression artérielle de 1{n}/80 mmHg.",
    "La radiographie montre une pneumonie du lobe inférieur, pas d'épanchement ni de fracture.",
    "Un traitement par amoxicilline {d} g trois fois par jour est débuté.",
    "L'hémoglobine est à 1{d},4 g/dL, la créatinine à {n} µmol/L.",
    "L'évolution est favorable, sans hémorragie, avec une sortie au jour {d}.",
    "Le bilan sanguin et l'échographie du foie sont normaux chez ce malade, dossier {n}{d}.",
    "Une insuffisance cardiaque avec œdèmes est traitée par furosémide {n} mg par voie orale.",
)
_OTHER = (
    "La marquise sortit à cinq heures et prit la route de la forêt, page {n}.",
    "Le serveur lit son fichier de configuration au démarrage, version {n}.{d}.",
    "Il pensait à la mer, aux bateaux, à ces {n} soirs d'été où l'on chantait.",
    "Pour installer le paquet, tapez la commande puis redémarrez, étape {d}.",
    "Les enfants couraient dans le jardin sous les arbres du chemin {n}.",
)


def medical_text(number: int, sentences: int = 14) -> str:
    """A made-up clinical note; another for each number."""
    return _text(_CASES, number, sentences)


def other_text(number: int, sentences: int = 14) -> str:
    """A made-up text that is not medical."""
    return _text(_OTHER, number, sentences)


def _text(forms: tuple[str, ...], number: int, sentences: int) -> str:
    draw = random.Random(number)
    lines = [
        draw.choice(forms).format(n=draw.randint(20, 99), d=draw.randint(1, 9))
        for _ in range(sentences)
    ]
    return " ".join(lines)


@pytest.fixture
def write_corpus(tmp_path):
    """Write documents as Parquet, some files of them, and return the folder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(name="corpus", medical=24, other=8, files=2, **columns):
        rows = [{"id": f"m{i}", "text": medical_text(i)} for i in range(medical)]
        rows += [{"id": f"o{i}", "text": other_text(1000 + i)} for i in range(other)]
        random.Random(5).shuffle(rows)
        for key, make in columns.items():
            for row in rows:
                row[key] = make(row)
        folder = tmp_path / name
        folder.mkdir()
        for part in range(files):
            pq.write_table(pa.Table.from_pylist(rows[part::files]), folder / f"{part}.parquet")
        return folder

    return write


@pytest.fixture
def annotated(write_corpus, tmp_path):
    """The folder of an annotation stage."""
    from doctobert_hf.finemed.annotate import annotate
    from doctobert_hf.finemed.config import AnnotateConfig

    folder = tmp_path / "annotated"
    annotate(AnnotateConfig(input=(str(write_corpus()),), output=folder, **LIGHT))
    return folder


def rows_of(folder: Path) -> list[dict]:
    """Rows that a stage wrote, in order."""
    import pyarrow.parquet as pq

    rows = []
    for path in sorted((folder / "data").glob("*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return rows


def excluded_of(folder: Path) -> list[dict]:
    """What a stage left out."""
    lines = []
    for path in sorted((folder / "excluded").glob("*.jsonl")):
        lines += [json.loads(line) for line in path.read_text().splitlines()]
    return lines


sys.modules.setdefault("finemed_helpers", sys.modules[__name__])


@pytest.fixture
def make_classifier(tokenizer_dir, tmp_path):
    """A tiny RoBERTa classifier with random weights."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from doctobert_hf.models import preset_config

    def make(name, labels, **more):
        torch.manual_seed(0)
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
        config = preset_config("doctobert-tiny", tokenizer, initializer_range=0.3, **more)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: index for index, label in enumerate(labels)}
        model = AutoModelForSequenceClassification.from_config(config)
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
        return str(tmp_path / name)

    return make
