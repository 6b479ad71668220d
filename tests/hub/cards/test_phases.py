"""Phases: a card says of each what it read, what it was begun from and what was measured then."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.phases import name_of, read_pretraining
from doctobert_hf.hub.cards.records import locate_model, read_model
from doctobert_hf.hub.publish.preview import render_path
from doctobert_hf.runs.record import weights_of

FACTS = CardFacts(license="mit")


@pytest.fixture
def run(run_dir, tmp_path):
    return shutil.copytree(run_dir, tmp_path / "run")


def configure(run, **settings):
    path = run / "resolved_config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | settings))


def card(path):
    return render_path(path, "me/x", FACTS).text


@pytest.mark.parametrize("real_first", [True, False])
def test_text_is_generated_only_where_every_phase_read_generated_text(run, tmp_path, real_first):
    earlier = shutil.copytree(run, tmp_path / "earlier")
    configure(earlier if real_first else run, corpus="notes/hospital.parquet")
    configure(run if real_first else earlier, corpus=None)
    configure(run, init_from=str(earlier / "model"))
    text = card(run)
    assert "no document in" not in text and "no person in it is real" not in text
    assert "aucun document n'est réel" not in text
    parts = ["`hospital.parquet` (`{}`)", "templates (`{}`)"][:: 1 if real_first else -1]
    first, second = (part.format(name) for part, name in zip(parts, ("earlier", "run")))
    assert text.index(first) < text.index(second)
    configure(earlier, corpus=None)
    configure(run, corpus=None)
    assert "**no document in" in card(run)


def test_earlier_phases_are_found_from_any_directory(run, tmp_path, monkeypatch):
    earlier = shutil.copytree(run, tmp_path / "earlier")
    configure(earlier, corpus="notes/hospital.parquet")
    configure(run, init_from="earlier/model")  # as it was given where the run was started
    for place in (tmp_path, tmp_path.parent, None):
        if place is None:  # moved as a whole
            moved = shutil.move(tmp_path, tmp_path.parent / f"{tmp_path.name}-moved")
            run, place = Path(moved) / "run", tmp_path.parent
        monkeypatch.chdir(place)
        assert [phase["name"] for phase in read_model(locate_model(run))["phases"]] == [
            *("earlier", "run"),
        ]


def test_generated_text_behind_a_model_of_others_is_not_all_it_read(run, tmp_path):
    shutil.copytree(run / "model", tmp_path / "theirs")
    configure(run, corpus=None, init_from=str(tmp_path / "theirs"))
    found = read_model(locate_model(run))
    assert found["begun_from"] == "theirs" and not found["corpus"]["generated"]
    made = render_path(run, "me/x", FACTS)
    assert "begun from `theirs`" in made.text and "base model" in made.gaps
    assert "no document in" not in made.text and "à partir de theirs" in made.text
    assert "of documents that this training did not see" in made.text or (
        "held-out evaluation" in made.gaps
    )


def test_a_checkpoint_has_what_was_measured_at_its_step_alone(run):
    log = run / "metrics.jsonl"
    step = int(sorted(run.glob("checkpoint-*"))[-1].name.split("-")[1])
    row = {"eval_loss": 9.0, "eval_accuracy": 0.125, "eval_perplexity": 8103.1}
    row |= {"eval_masked_tokens": 77, "tokens": 1}
    kept = [r for r in map(json.loads, log.read_text().splitlines()) if "eval_loss" not in r]
    asked = {"answers": {"Le patient est traité par [MASK].": ["a"] * 5}}

    def written(at):
        rows = [*kept[:1], row | {"step": at}, *kept[1:]]
        log.write_text("".join(json.dumps(line) + "\n" for line in rows))
        (run / "fill_mask.jsonl").write_text(json.dumps(asked | {"step": at}) + "\n")
        return read_model(locate_model(run / f"checkpoint-{step}"))

    found = written(step)
    assert found["held_out"]["accuracy"] == 0.125 and found["fill_mask"]
    found = written(1)
    assert "held_out" not in found and "fill_mask" not in found
    assert "not measured at this step" in card(run / f"checkpoint-{step}")


def test_a_checkpoint_of_a_run_that_has_not_ended_tells_of_no_final_model(run):
    path = run / "run.json"
    checkpoint = sorted(run.glob("checkpoint-*"))[0]
    assert "scores of the final model are not of it" in card(checkpoint)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"status": "running"}))
    text = card(checkpoint)
    assert "which has not ended" in text and "final model" not in text
    assert "modèle final" not in text


def test_tiling_and_the_causal_part_are_told(run, tmp_path):
    earlier = shutil.copytree(run, tmp_path / "narrow")
    configure(run, init_from=str(earlier / "model"), init_mode="tile")
    configure(run, objective=["clm:2000", "mlm"])
    text = card(run)
    assert "begun by tiling those of `narrow`, a model of" in text
    assert "en répétant ceux de `narrow`" in text
    assert "Language modelling of masked, then of next, then of masked tokens" in text
    assert "prédiction de tokens masqués, puis du token suivant, puis de tokens masqués" in text
    configure(run, objective=["mlm:2000", "clm"], init_from=None, init_mode="weights")
    assert "Language modelling of masked, then of next tokens" in card(run)


def test_an_untrained_twin_says_that_it_learned_nothing(run, tmp_path):
    from doctobert_hf.runs.record import weights_of

    shutil.copytree(run / "model", run / "untrained")
    path = run / "run.json"
    record = json.loads(path.read_text())
    record["results"] = {"untrained": "untrained", "corpus": {"generated": True}, "phases": []}
    record["outputs"]["untrained"] = {"weights": weights_of(run / "untrained")}
    path.write_text(json.dumps(record))
    text = card(run / "untrained")
    assert "Random weights" in text and "n'a rien appris" in text
    for word in ("Trained on", "*not recorded*. With codecarbon", "as trained", "masked word"):
        assert word not in text, word
    assert read_model(locate_model(run)).get("untrained") is None


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/data/x/notes.parquet", "notes.parquet"),
        ("qs/data/train.parquet", "train.parquet"),
        ("qs/train.parquet", "train.parquet"),
        ("./model", "model"),
        ("C:\\notes\\a.txt", "a.txt"),
        ("almanach/camembert-base", "almanach/camembert-base"),
        ("hf://datasets/me/x", "hf://datasets/me/x"),
        ("labforsims2", "labforsims2"),
    ],
)
def test_a_path_is_known_by_its_last_part_and_an_id_stays(place, name):
    assert name_of(place) == name


def test_a_session_that_was_killed_is_named(run):
    """Its time is logged nowhere: the table's is of the others."""
    record = json.loads((run / "run.json").read_text())
    assert "killed" not in card(run).lower()
    (run / "run.json").write_text(json.dumps({**record, "killed": 2}))
    text = card(run)
    assert "2 sessions of phase" in text and "ended without a word (killed)" in text


def test_a_run_that_was_replaced_tells_no_story_of_others(run, tmp_path):
    """What a run was begun from is known by its weights, not by where they stood."""
    earlier = tmp_path / "earlier"
    shutil.copytree(run, earlier)
    configure(run, init_from=str(earlier / "model"))
    record = json.loads((run / "run.json").read_text())
    record["results"] = {"begun_from": {"weights": weights_of(earlier / "model")}}
    (run / "run.json").write_text(json.dumps(record))
    assert [phase["name"] for phase in read_pretraining(run)["phases"]] == ["earlier", run.name]
    [file] = (earlier / "model").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"0")
    made = read_pretraining(run)
    assert [phase["name"] for phase in made["phases"]] == [run.name]
    assert made["begun_from"] == "model"
