"""From annotated notes to a model in use: what is printed is what predicting gives again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import warm

from doctobert_hf.cli import main
from doctobert_hf.drbenchmark import Predictor
from doctobert_hf.drbenchmark.families.token import entities_of
from doctobert_hf.drbenchmark.formats import Predicted, brat_name, conll, page
from doctobert_hf.drbenchmark.readers.folder import split_documents
from doctobert_hf.drbenchmark.words import word_spans
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.publish.push import Target, push_model
from doctobert_hf.metrics import entity_f1
from doctobert_hf.runs.record import weights_of

SPACE = "untuned: {learning_rate: 5.0e-3, epochs: 4, batch_size: 4}\n"
DRUGS = ("aspirine", "warfarine", "insuline", "bisoprolol")
FILLER = "Le patient va bien et il rentre à domicile après une nuit calme. "


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """Notes of very different lengths; the longest have thousands of words."""
    folder = tmp_path_factory.mktemp("corpus") / "notes"
    folder.mkdir()
    rows = []
    for number in range(40):
        text, entities = "", []
        for part in range(1 if number % 8 else 60):
            drug = DRUGS[(number + part) % 4]
            text += f"Jour {part} : il reçoit {drug} 5 mg.\n"
            at = text.rindex(drug)
            entities.append({"start": at, "end": at + len(drug), "label": "DRUG"})
            text += FILLER * (part % 3)
        rows.append({"id": f"note{number}", "text": text, "entities": entities})
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "n.jsonl").write_text(lines)
    return folder


@pytest.fixture(scope="module")
def tuned(notes, make_encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    (folder / "space.yaml").write_text(SPACE)
    words = ["finetune", make_encoder().source, "--corpus", str(notes), "--max-length", "64"]
    words += ["--space", str(folder / "space.yaml"), "--output", str(folder / "run")]
    assert main(words) == 0
    return folder / "run"


@pytest.mark.long
@pytest.mark.versions
def test_a_run_leaves_a_plain_model_with_its_card_and_score(tuned):
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    result = json.loads((tuned / "result.json").read_text())
    assert {"task", "metric", "score", "validation_score"} <= result.keys()
    assert result["task"] == "notes_entities" and result["score"] > 0.5
    model = AutoModelForTokenClassification.from_pretrained(tuned / "model")
    assert model.config.id2label == {0: "O", 1: "B-DRUG", 2: "I-DRUG"}
    assert AutoTokenizer.from_pretrained(tuned / "model").model_max_length == 64
    card = (tuned / "model" / "README.md").read_text()
    assert f"{100 * result['score']:.2f} %" in card and "Predictor.from_pretrained" in card
    record = json.loads((tuned / "run.json").read_text())
    assert record["kind"] == "finetune" and record["status"] == "finished"


@pytest.mark.long
def test_what_is_published_predicts_and_names_no_model_of_others(tuned, tmp_path):
    facts = CardFacts(license="mit", contact="a@example.org", authors=("A",))
    report = push_model(tuned, Target("me/ner", dry_run=tmp_path / "dry"), facts)
    assert not any("other weights" in warning for warning in report.warnings)
    [found] = Predictor.from_pretrained(tmp_path / "dry")(["Jour 1 : il reçoit amoxicilline."])
    [expected] = Predictor.from_pretrained(tuned)(["Jour 1 : il reçoit amoxicilline."])
    assert found == expected
    for card in (tuned / "model" / "README.md", tmp_path / "dry" / "README.md"):
        text = card.read_text()  # it was fine-tuned from a folder of this machine
        assert "base_model:" not in text and "Base model" not in text
    record = json.loads((tmp_path / "dry" / "doctobert_task.json").read_text())
    assert record["weights"] == weights_of(tmp_path / "dry")
    assert record["base_model_id"] is None


@pytest.mark.long
def test_a_base_model_of_the_hub_is_named_by_itself(tuned, tmp_path):
    run = shutil.copytree(tuned, tmp_path / "run")
    path = run / "model" / "doctobert_task.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_id": "big/encoder"}))
    facts = CardFacts(license="mit", contact="a@example.org", authors=("A",))
    push_model(run, Target("me/ner", dry_run=tmp_path / "dry"), facts)
    assert "base_model: big/encoder" in (tmp_path / "dry" / "README.md").read_text()


def test_scoring_again_gives_the_printed_score(tuned, notes, capsys):
    assert main(["predict", str(tuned), "--corpus", str(notes), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    result = json.loads((tuned / "result.json").read_text())
    assert abs(again["score"] - result["score"]) < 1e-9 and again["scores"] == result["scores"]


def test_predicted_files_of_the_test_split_give_the_printed_score(tuned, notes, tmp_path):
    """Through text files, and by characters: long notes are not cut off at the first chunk."""
    documents = [d for split, d in split_documents(str(notes)) if split == "test"]
    assert max(len(d.text.split()) for d in documents) > 1000
    rows = "".join(json.dumps({"id": d.name, "text": d.text}) + "\n" for d in documents)
    (tmp_path / "test.jsonl").write_text(rows)
    output = tmp_path / "found.jsonl"
    assert main(["predict", str(tuned), str(tmp_path / "test.jsonl"), "--output", str(output)]) == 0
    found = [json.loads(line) for line in output.read_text().splitlines()]
    predictions, references = [], []
    for document, row in zip(documents, found, strict=True):
        assert row["text"] == document.text and row["id"] == document.name
        for entity in row["entities"]:
            assert document.text[entity["start"] : entity["end"]] == entity["text"]
            assert set(entity) == {"start", "end", "type", "text", "score"}
            assert 0 < entity["score"] <= 1
        gold = [{"start": a, "end": b, "type": m.label}
                for m in document.mentions for a, b in m.fragments]  # fmt: skip
        spans = word_spans(document.text)
        predictions.append(tags_of(spans, row["entities"]))
        references.append(tags_of(spans, gold))
    result = json.loads((tuned / "result.json").read_text())
    assert abs(entity_f1(predictions, references)["f1"] - result["score"]) < 1e-9
    last = found[[len(d.text) for d in documents].index(max(len(d.text) for d in documents))]
    assert last["entities"][-1]["start"] > 0.8 * len(last["text"])


def tags_of(spans, entities):
    tags = []
    for start, _ in spans:
        inside = [e for e in entities if e["start"] <= start < e["end"]]
        first = inside and inside[0]["start"] == start
        tags.append(("B-" if first else "I-") + inside[0]["type"] if inside else "O")
    return tags


def test_from_python(tuned):
    predictor = Predictor.from_pretrained(tuned / "model")
    assert predictor([]) == [] and predictor(["", " \n"]) == [[], []]
    [entities] = predictor(["Jour 1 : il reçoit aspirine 5 mg."])
    assert [(e["type"], e["text"]) for e in entities] == [("DRUG", "aspirine")]
    with pytest.raises(UsageError, match="list of texts"):
        predictor("Jour 1 : il reçoit aspirine 5 mg.")
    with pytest.raises(UsageError, match="Text 1 is a NoneType"):
        predictor(["a", None])
    with pytest.raises(UsageError, match="similarity"):
        predictor.similarity([("a", "b")])


def test_formats(tuned, tmp_path, capsys):
    (tmp_path / "new").mkdir()
    text = "Jour 1 : il reçoit aspirine 5 mg.\nJour 2 : il reçoit insuline 5 mg.\n"
    for name in ("à lire", "b"):
        (tmp_path / "new" / f"{name}.txt").write_text(text)
    words = ["predict", str(tuned / "model"), str(tmp_path / "new"), "--output"]
    assert main([*words, str(tmp_path / "brat"), "--format", "brat"]) == 0
    names = {"à lire.ann", "à lire.txt", "b.ann", "b.txt", "run.json"}
    assert set(os.listdir(tmp_path / "brat")) == names
    assert (tmp_path / "brat" / "b.txt").read_text() == text
    # BRAT that comes out is BRAT that goes in.
    from doctobert_hf.drbenchmark.readers.brat import read_brat
    from doctobert_hf.drbenchmark.source import open_folder
    from doctobert_hf.drbenchmark.spec import Report

    documents = list(read_brat(open_folder(tmp_path), "brat", report := Report()))
    [expected] = Predictor.from_pretrained(tuned)([text])
    surfaces = [(entity["text"],) for entity in expected]
    assert surfaces and [m.surfaces for d in documents for m in d.mentions] == surfaces * 2
    assert not report.counts
    assert main([*words, str(tmp_path / "x.conll"), "--format", "conll"]) == 0
    lines = (tmp_path / "x.conll").read_text().splitlines()
    assert "aspirine\tB-DRUG" in lines and "Jour\tO" in lines
    assert main([*words, str(tmp_path / "x.html"), "--format", "html"]) == 0
    html = (tmp_path / "x.html").read_text()
    assert (
        'lang="fr"' in html and "Légende" in html and html.count("<small>DRUG") == 2 * len(surfaces)
    )
    assert "<script" not in html and "http" not in html.split("</head>")[1]
    # What is there is not replaced.
    capsys.readouterr()
    assert main([*words, str(tmp_path / "x.html"), "--format", "html"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "new"), "--format", "brat"]) == 2
    assert sorted(os.listdir(tmp_path / "new")) == ["b.txt", "à lire.txt"]


def test_options_that_predict_would_not_use_and_devices_that_are_not_there(tuned, tmp_path, capsys):
    words = ["predict", str(tuned / "model"), str(tmp_path), "--output", str(tmp_path / "o")]
    assert main([*words, "--split", "train"]) == 2
    assert "--split without --task or --corpus" in capsys.readouterr().err
    with pytest.raises(UsageError, match="device 'nowhere' cannot be used"):
        Predictor.from_pretrained(tuned / "model", "nowhere")


def test_hostile_text_in_a_page_and_in_names():
    found = [{"start": 0, "end": 8, "type": "<b>", "text": "<script>", "score": 1.0}]
    document = Predicted("<x>", "<script>alert(1)</script>", found)
    made = page([document], ["<b>"], "m")
    assert "<script" not in made and "&lt;script&gt;" in made
    taken: set[str] = set()
    names = [brat_name(n, taken) for n in ("../../etc/passwd", "a/b", "a:b", "", "A_B", "x.txt")]
    assert len(set(names)) == 6 and not any("/" in n or n.startswith(".") for n in names)
    assert "B-<b>" in conll(document)


def test_entities_of_tags_are_those_that_the_f1_counts():
    text = "a b c d e"
    spans = word_spans(text)
    tags = ["I-X", "I-X", "B-X", "I-Y", "O"]
    made = entities_of(text, spans, tags, [1, 0.5, 1, 1, 1])
    assert [(e["text"], e["type"], e["score"]) for e in made] == [
        ("a b", "X", 0.75), ("c", "X", 1.0), ("d", "Y", 1.0)
    ]  # fmt: skip
    assert entity_f1([tags], [["B-X", "I-X", "B-X", "B-Y", "O"]])["f1"] == 1.0


def test_folders_that_are_no_fine_tuned_model(make_encoder, tuned, tmp_path):
    with pytest.raises(UsageError, match="finetune"):
        Predictor.from_pretrained(make_encoder().source)
    import shutil

    shutil.copytree(tuned / "model", tmp_path / "m")
    (tmp_path / "m" / "doctobert_task.json").write_text("{}")
    with pytest.raises(DataError, match=r"doctobert_task\.json' is damaged"):
        Predictor.from_pretrained(tmp_path / "m")


@pytest.mark.long
@pytest.mark.versions
@pytest.mark.parametrize(
    ("task", "key"),
    [("diamed", "label"), ("morfitt", "labels"), ("deft2020_sts", "similarity"),
     ("frenchmedmcqa_mcqa", "choice")],
)  # fmt: skip
def test_every_family_is_kept_and_scored_again(
    task, key, make_encoder, made_up, tmp_path, capsys, monkeypatch
):
    (tmp_path / "space.yaml").write_text(SPACE.replace("epochs: 4", "epochs: 1"))
    words = ["finetune", make_encoder().source, "--task", task, "--data-dir", str(made_up)]
    words += ["--max-length", "64", "--space", str(tmp_path / "space.yaml")]
    assert main([*words, "--output", str(tmp_path / "run"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    again = ["predict", str(tmp_path / "run" / "model"), "--task", task]
    assert main([*again, "--data-dir", str(made_up), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    # A correlation is of float32 outputs, and the batches of the two are padded otherwise: the last
    # digits of a float32 may differ. Counted scores are the same number.
    tolerance = 1e-6 if key == "similarity" else 1e-9
    assert abs(found["score"] - result["score"]) < tolerance
    predictor = Predictor.from_pretrained(tmp_path / "run")
    if key in ("label", "labels"):
        [made] = predictor(["Le patient tousse."])
        assert key == "labels" or abs(sum(c["score"] for c in made) - 1) < 1e-5
    elif key == "similarity":
        assert len(predictor.similarity([("Il tousse.", "Il va bien.")])) == 1
    else:
        with pytest.raises(UsageError, match="multiple-choice"):
            predictor(["Le patient tousse."])
    assert main([*again[:2], "--task", "quaero_emea", "--data-dir", str(made_up)]) == 2
    assert "was trained for" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.versions
def test_of_several_seeds_the_best_on_validation_is_kept(notes, make_encoder, tmp_path, capsys):
    (tmp_path / "space.yaml").write_text(SPACE.replace("epochs: 4", "epochs: 1"))
    words = ["finetune", make_encoder().source, "--corpus", str(notes), "--max-length", "64",
             "--space", str(tmp_path / "space.yaml"), "--seeds", "1", "2", "3",
             "--output", str(tmp_path / "run"), "--json"]  # fmt: skip
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    files = (tmp_path / "run" / "runs").glob("*/*/*/seed-?.json")
    found = {r["cell"]["seed"]: r for r in (json.loads(path.read_text()) for path in files)}
    best = max(found.values(), key=lambda r: r["validation_score"])
    assert len(found) == 3 and result["validation_score"] == best["validation_score"]
    assert len(list((tmp_path / "run" / "runs").glob("*/*/*/seed-*-model"))) == 1
    # The same command again does nothing; other settings are refused.
    before = (tmp_path / "run" / "model" / "model.safetensors").stat().st_mtime_ns
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == result and before
    assert main([*words, "--max-train-rows", "5"]) == 2


@pytest.mark.long
def test_own_tasks_from_a_file(make_encoder, tmp_path, capsys):
    """One file, nothing else: declared, read, trained, predicted."""
    (tmp_path / "mine.py").write_text("""
from doctobert_hf.drbenchmark import CorpusSpec, TaskSpec


def read(task, folder, protocol, report):
    rows = [line.split("\\t") for line in folder.read_text("mine.tsv").splitlines()]
    made = [{"id": str(n), "document_id": str(n), "text": text, "label": label}
            for n, (text, label) in enumerate(rows)]
    return {"train": made[:20], "validation": made[20:25], "test": made[25:]}


CORPUS = CorpusSpec("mine", "Mine", "Own.", "", "private", False, "ask me", "", "mine.tsv")
TASKS = (TaskSpec(name="mine_cls", corpus=CORPUS, kind="classification", labels=("no", "yes"),
                  metric="weighted_f1", files=("mine.tsv",), read=read),)
""")
    lines = [f"Le patient {n} {'tousse' if n % 2 else 'dort'}.\t{'yes' if n % 2 else 'no'}\n"
             for n in range(30)]  # fmt: skip
    (tmp_path / "mine.tsv").write_text("".join(lines))
    (tmp_path / "space.yaml").write_text(SPACE)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home")}
    words = [sys.executable, "-m", "doctobert_hf", "finetune", make_encoder().source]
    words += ["--task", "mine_cls", "--task-file", "mine.py", "--data-dir", "."]
    words += ["--space", "space.yaml", "--output", "run", "--json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    again = [*words[:3], "predict", "run", "--task", "mine_cls", "--task-file", "mine.py"]
    found = subprocess.run([*again, "--data-dir", ".", "--json"], cwd=tmp_path,
                           capture_output=True, text=True, env=environment)  # fmt: skip
    assert found.returncode == 0, found.stderr[-2000:]
    assert json.loads(found.stdout)["score"] == json.loads(done.stdout)["score"]
    # Another version of the file: its rows are read anew, and the labels are other ones.
    changed = (tmp_path / "mine.py").read_text().replace("made[:20]", "made[:18]")
    (tmp_path / "mine.py").write_text(changed)
    other = [word if word != "run" else "other" for word in words]
    done = subprocess.run(other, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and json.loads(done.stdout)["rows"]["train"] == 18
    empty = Path(tmp_path / "empty.py")
    empty.write_text("x = 1\n")
    assert main(["benchmark", "run", "m", "--task-file", str(empty)]) == 2
    assert "registers no task" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.versions
def test_a_seed_that_another_process_holds_is_not_left_out(notes, make_encoder, tmp_path, capsys):
    """Of three seeds two would be told as the result of three."""
    import socket

    (tmp_path / "space.yaml").write_text(SPACE)
    words = ["finetune", make_encoder().source, "--corpus", str(notes), "--max-length", "64"]
    words += ["--space", str(tmp_path / "space.yaml"), "--output", str(tmp_path / "run")]
    assert main([*words, "--seeds", "1"]) == 0
    [result] = tmp_path.glob("run/runs/*/*/*/seed-1.json")
    result.unlink()
    (tmp_path / "run/result.json").unlink()
    (result.parent / ".seed-1.lock").write_text(f"{os.getppid()}\n{socket.gethostname()}\n")
    assert main([*words, "--seeds", "1"]) == 1
    assert "1 seed(s) were not trained, the first is 1" in capsys.readouterr().err
    assert not (tmp_path / "run/result.json").exists()


@pytest.mark.long
def test_killed_and_run_again(notes, make_encoder, tmp_path):
    (tmp_path / "space.yaml").write_text(SPACE)
    words = [sys.executable, "-m", "doctobert_hf", "finetune", make_encoder().source]
    words += ["--corpus", str(notes), "--max-length", "64", "--space", "space.yaml"]
    words += ["--seeds", "1", "2", "3"]
    alone = warm.run([*words, "--output", "alone"], cwd=tmp_path, capture_output=True)
    assert alone.returncode == 0
    for seeds in (0, 1, 2):  # by progress: so many seeds are done
        told = tmp_path / f"told-{seeds}.txt"
        with told.open("w") as stream:
            first = warm.Popen([*words, "--output", "killed"], cwd=tmp_path, stderr=stream)
        while (
            len(list(tmp_path.glob("killed/runs/*/*/*/seed-?.json"))) < seeds
            or not (tmp_path / "killed" / "runs").is_dir()
        ):
            assert first.poll() is None, told.read_text()[-2000:]
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.wait()
    last = warm.run([*words, "--output", "killed"], cwd=tmp_path, capture_output=True)
    assert last.returncode == 0, last.stderr[-2000:]
    results = [json.loads((tmp_path / n / "result.json").read_text()) for n in ("alone", "killed")]
    for result in results:
        for key in ("energy", "energy_kwh"):
            result.pop(key, None)  # measured, where codecarbon is installed: as time is
    assert results[0] == results[1]
    weights = [(tmp_path / name / "model" / "model.safetensors").read_bytes()
               for name in ("alone", "killed")]  # fmt: skip
    assert weights[0] == weights[1]


@pytest.mark.long
def test_a_transformers_pipeline_finds_the_same_entities(tuned):
    from transformers import pipeline

    from doctobert_hf.drbenchmark import Predictor

    place = tuned / "model"
    texts = ["Jour 2 : il reçoit du paracétamol 5 mg.\n" * 300, "Rien.", ""]
    find = pipeline("doctobert-entities", model=str(place))
    assert find(texts) == Predictor.from_pretrained(place)(texts)
    assert find(texts[0]) == find(texts)[0] and len(find(texts[0])) > 10
