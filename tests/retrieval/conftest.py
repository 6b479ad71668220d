"""Tiny encoders, and a small world of medical questions whose answers share no word with them."""

import importlib.metadata
import importlib.util
import json
import zipfile

import pytest


def _sentence_transformers():
    try:
        return int(importlib.metadata.version("sentence-transformers").split(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return 0


# Its place changed in 6: with an older one, in PyLate's environment, only what needs none is run.
collect_ignore = []
if _sentence_transformers() < 6:
    collect_ignore += [
        f"test_{name}.py"
        for name in (
            *(
                "batches",
                "cli",
                "evaluation",
                "index",
                "index_folder",
                "index_part",
                "mteb",
                "serve",
            ),
            *("onnx_export", "qdrant", "several", "sparse", "train"),
        )
    ]
elif importlib.util.find_spec("mteb") is None:
    collect_ignore += ["test_mteb.py"]

ORGANS = "coeur foie rein poumon rate estomac cerveau muscle nerf artère".split()
SIGNS = "douleur fièvre oedème rougeur fatigue vertige nausée toux perte crampe".split()


def answer_of(number: int) -> str:
    return f"réponse {number} : prendre le traitement {chr(97 + number % 26) * 3} chaque matin."


@pytest.fixture(scope="session")
def encoder(tokenizer, tmp_path_factory):
    """A masked language model with random weights, as pretraining leaves one."""
    import torch
    from transformers import AutoModelForMaskedLM

    from doctobert_hf.models import preset_config

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    config = preset_config("doctobert-tiny", tokenizer)
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def rows():
    """One hundred questions, one for each sign of each organ, to ten answers."""
    return [
        {"query": f"que faire pour {sign} du {organ} ?", "positive": answer_of(number)}
        for number, organ in enumerate(ORGANS)
        for sign in SIGNS
    ]


@pytest.fixture
def pairs_file(rows, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def write_labforsims2(folder, questions=60, as_archive=True):
    """Made-up files in the layout of LabForSims2: three questions lead to each answer."""
    files = {"doctor": [], "patient": [], "d_p": []}
    for number in range(questions):
        files["doctor"].append(f"Q{number} +++ avez-vous mal numéro {number} ?")
        files["patient"].append(f"P{number} +++ oui docteur, depuis {number // 3} jours.")
        files["d_p"].append(f"Q{number} +++ P{number}")
    texts = {f"single/{name}.txt": "\n".join(lines) + "\n" for name, lines in files.items()}
    folder.mkdir(parents=True, exist_ok=True)
    if as_archive:
        with zipfile.ZipFile(folder / "labforsims2.zip", "w") as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
    else:
        for name, text in texts.items():
            path = folder / "labforsims2" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def labforsims2(tmp_path):
    return write_labforsims2(tmp_path / "raw")


def write_frenchmedmcqa(folder, copied=0):
    """Made-up exam questions; ``copied`` of the test's are in training too."""
    folder.mkdir(parents=True, exist_ok=True)
    test = [_question("test", number) for number in range(12)]
    parts = {
        "train": [_question("train", number) for number in range(30)]
        + [{**row, "id": f"copy{n}"} for n, row in enumerate(test[:copied])],
        "dev": [_question("dev", number) for number in range(8)],
        "test": test,
    }
    for name, records in parts.items():
        (folder / f"{name}.json").write_text(json.dumps(records), encoding="utf-8")
    return folder.parent


def _question(part, number):
    answers = {letter: f"option {part} {number} {letter}" for letter in "abcde"}
    return {
        "id": f"{part}{number}",
        "question": f"Question {part} {number} : laquelle est exacte ?",
        "answers": answers,
        "correct_answers": ["a", "c"][: 1 + number % 2],
        "subject_name": "pharmacie",
        "nbr_correct_answers": 1 + number % 2,
    }


@pytest.fixture
def frenchmedmcqa(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return lambda copied=0: write_frenchmedmcqa(tmp_path / "raw" / "frenchmedmcqa", copied)
