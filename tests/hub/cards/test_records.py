"""Records: a run says of itself what cards show; the Hub's code knows no command's files."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

import doctobert_hf
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.records import ModelFolder, locate_model, read_model, read_results
from doctobert_hf.hub.cards.render import front_matter
from doctobert_hf.hub.publish.preview import render_path
from doctobert_hf.runs.record import vocabulary_of, weights_of

FACTS = CardFacts(license="mit")


@pytest.fixture
def run(run_dir, tmp_path):
    return shutil.copytree(run_dir, tmp_path / "run")


def amend(path, **values):
    content = json.loads(path.read_text()) if path.is_file() else {"schema_version": 1}
    path.write_text(json.dumps(content | values))


def test_what_a_run_says_of_itself_is_what_a_card_is_given(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"architectures": ["BertForMaskedLM"]}')
    (tmp_path / "resolved_config.yaml").write_text("")
    results = {"corpus": {"source": "notes", "generated": False}, "held_out": {"accuracy": 0.5}}
    record = {"schema_version": 1, "kind": "of-tomorrow", "settings": {}}
    (tmp_path / "run.json").write_text(json.dumps(record | {"results": results}))
    assert read_results(tmp_path) == results
    found = read_model(ModelFolder(model, tmp_path))
    assert found["corpus"]["source"] == "notes" and found["held_out"] == {"accuracy": 0.5}


def test_results_lie_in_the_run_and_nowhere_else(tmp_path):
    for name in ("mine", "benchmark"):
        (tmp_path / name).mkdir()
    run = tmp_path / "mine"
    record = {"schema_version": 1, "kind": "k", "settings": {}}
    (run / "run.json").write_text(json.dumps(record | {"results": {"benchmark": "../benchmark"}}))
    assert ModelFolder(run / "model", run).benchmark is None


def test_the_hub_knows_no_command_by_name():
    folder = Path(doctobert_hf.__file__).with_name("hub")
    told = [
        path.name
        for path in folder.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("quickstart", '"state.json"'))
    ]
    assert told == []


def test_a_run_of_before_that_says_nothing_is_refused_and_not_guessed(tmp_path):
    from doctobert_hf.errors import UsageError

    record = {"schema_version": 1, "settings": {}}
    (tmp_path / "run.json").write_text(json.dumps(record | {"kind": "quickstart"}))
    with pytest.raises(UsageError, match="once more with --resume"):
        read_results(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(record | {"kind": "pretrain"}))
    assert read_results(tmp_path) == {}


def test_a_models_copy_named_as_a_checkpoint_gets_no_figure_of_the_run(run):
    own = sorted(run.glob("checkpoint-*"))[0]
    assert read_model(locate_model(own))["phases"]
    for name in ("checkpoint-3000", "checkpoint-3001"):
        shutil.copytree(run / "model", run / name)
    amend(run / "checkpoint-3001" / "trainer_state.json", log_history=[{"step": 2, "loss": 0.1}])
    for name in ("checkpoint-3000", "checkpoint-3001"):
        place = locate_model(run / name)
        assert place.other == run and "phases" not in read_model(place)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, None),
        ({"objective": ["mlm@0.3:2000", "mlm@0.15"]}, "30 % up to 2,000 tokens, then 15 %"),
        (
            {"objective": ["clm:2000", "mlm"], "mlm_probability": 0.2},
            "next tokens up to 2,000 tokens, then 20 %",
        ),
        ({"mlm_probability_end": 0.05, "mlm_probability": 0.4}, "40 % to 5 %"),
    ],
)
def test_a_card_says_what_share_each_part_masks(run, settings, said):
    path = run / "resolved_config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | settings))
    assert read_model(locate_model(run))["phases"][-1]["masked"] == said
    shown = "| 15 % |" if said is None else f"| {said} |"
    assert shown in render_path(run, "me/x", FACTS).text


def test_the_folder_one_stands_in_and_a_link_are_the_runs_model(run, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(run / "model")
    assert read_model(locate_model(tmp_path / "link"))["phases"]
    monkeypatch.chdir(run / "model")
    assert read_model(locate_model(Path(".")))["phases"]
    monkeypatch.chdir(tmp_path)
    os.rename(run / "model", tmp_path / "elsewhere")
    (run / "model").symlink_to(tmp_path / "elsewhere")
    assert read_model(locate_model(Path("run")))["phases"]


def test_scores_beside_other_weights_than_the_run_wrote_are_left_out(run, tmp_path):
    note = {"recipe": {"data": "pairs"}, "results": []}
    amend(run / "model" / "retrieval.json", **note)
    assert read_model(locate_model(run))["retrieval"]
    record = json.loads((run / "run.json").read_text())
    record["outputs"]["model"]["weights"] = "0" * 64
    (run / "run.json").write_text(json.dumps(record))
    assert "retrieval" not in read_model(locate_model(run))


def test_a_run_says_of_its_own_retriever_and_tokenizer_that_their_text_is_made_up(run, tmp_path):
    """Not of others' that were put beside them: real people may stand in what those read."""
    outer = {"kind": "of-tomorrow", "settings": {}, "results": {"corpus": {"generated": True}}}
    for name in ("tokenizer", "others"):
        (tmp_path / name).mkdir()
        for file in (run / "model").glob("tokenizer*"):
            shutil.copy(file, tmp_path / name)
    changed = json.loads((tmp_path / "others" / "tokenizer.json").read_text())
    ids = changed["model"]["vocab"]
    one, two = [token for token, i in ids.items() if i in (700, 701)]
    ids[one], ids[two] = ids[two], ids[one]
    (tmp_path / "others" / "tokenizer.json").write_text(json.dumps(changed))
    amend(run / "model" / "retrieval.json", recipe={"data": "pairs"}, data={}, results=[])
    amend(run / "model" / "modules.json")
    (run / "model" / "modules.json").write_text("[]")
    said = "no person in it is real"
    outputs = {
        "run/model": {"weights": weights_of(run / "model")},
        "tokenizer": {"vocabulary": vocabulary_of(tmp_path / "tokenizer")},
    }
    amend(tmp_path / "run.json", **outer, outputs=outputs)
    assert said in render_path(run, "me/x", FACTS).text
    assert said in render_path(tmp_path / "tokenizer", "me/x", FACTS).text
    assert said not in render_path(tmp_path / "others", "me/x", FACTS).text
    os.rename(tmp_path / "others", tmp_path / "tokenizer" / "x")
    shutil.copy(tmp_path / "tokenizer" / "x" / "tokenizer.json", tmp_path / "tokenizer")
    assert said not in render_path(tmp_path / "tokenizer", "me/x", FACTS).text
    amend(tmp_path / "run.json", outputs={})
    assert said not in render_path(run, "me/x", FACTS).text


def test_what_a_run_was_begun_from_on_the_hub_is_its_base_model(run, tmp_path):
    settings = json.loads((run / "run.json").read_text())["settings"]
    config = yaml.safe_load((run / "resolved_config.yaml").read_text())
    for given, base in (("owner/base", "owner/base"), ("/data/owner/base", None)):
        amend(run / "run.json", settings=settings | {"init_from": given})
        config["init_from"] = given.removeprefix("/data/")  # as it was typed
        (run / "resolved_config.yaml").write_text(yaml.safe_dump(config))
        card = render_path(run, "me/x", FACTS)
        assert front_matter(card.text).get("base_model") == base
        assert ("huggingface.co/owner/base" in card.text) == (base is not None)
        assert "steps" not in card.gaps if base else True
    amend(run / "run.json", settings={"base_model": "owner/base"})
    amend(run / "model" / "retrieval.json", recipe={"base_model": "base"}, data={}, results=[])
    (run / "model" / "modules.json").write_text("[]")
    assert front_matter(render_path(run, "me/x", FACTS).text)["base_model"] == "owner/base"


def test_the_name_of_a_folder_in_a_card_of_before_is_no_base_model(run):
    task = {"task": "t", "base_model": "runs/model", "result": {}}
    amend(run / "model" / "doctobert_task.json", **task)
    front = "---\nbase_model: runs/model\ntags:\n- mine\n---\n"
    (run / "model" / "README.md").write_text(front)
    written = front_matter(render_path(run / "model", "me/x", FACTS, kind="encoder").text)
    assert "base_model" not in written and "mine" in written["tags"]


def test_energy_is_that_of_every_phase_or_says_which_is_missing(run, tmp_path):
    first = shutil.copytree(run, tmp_path / "first")
    config = yaml.safe_load((run / "resolved_config.yaml").read_text())
    (run / "resolved_config.yaml").write_text(yaml.safe_dump(config | {"init_from": str(first)}))
    session = {"energy_kwh": 2.0, "emissions_kg": 0.5, "country": "FRA", "codecarbon": "3"}
    (run / "energy.json").write_text(json.dumps([session]))
    card = render_path(run, "me/x", FACTS)
    assert "without `first`, which was not measured" in card.text
    assert "co2_eq_emissions" not in front_matter(card.text)
    (first / "energy.json").write_text(json.dumps([session]))
    card = render_path(run, "me/x", FACTS)
    assert front_matter(card.text)["co2_eq_emissions"]["emissions"] == 1000.0
    assert ": 4 kWh" in card.text and "not measured" not in card.text
