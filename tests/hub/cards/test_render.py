"""Cards: complete, made of records alone, with visible gaps, and human edits that stay."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.kinds import KINDS
from doctobert_hf.hub.cards.metadata import license_ids, metadata_errors, size_category
from doctobert_hf.hub.cards.render import front_matter, render_card, snippets
from doctobert_hf.hub.cards.templates import template_environment
from doctobert_hf.hub.publish.preview import render_path
from doctobert_hf.hub.publish.push import Target, push_model

FACTS = CardFacts(
    license="apache-2.0",
    authors=("Anne Martin",),
    contact="contact@example.org",
    datasets=("doctolib-lab/finemed-fr",),
    year=2026,
)
BARE = {
    "repo_id": "me/it",
    "name": "it",
    "title": "it",
    "facts": CardFacts(),
    "upstream": [],
    "unknown_datasets": [],
    "citation": None,
    "version": "0",
    "record": {"architecture": {"classes": [], "labels": []}},
    "scores": None,
    "mask_token": "[MASK]",
    "checkpoints": [{"folder": "checkpoint-1"}],
    "special": {},
    "configs": [],
    "fields": [],
    "classes": {},
    "corpora": [],
    "tasks": (),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_renders_without_records(kind):
    card = render_card(kind, ModelCardData(language="fr"), BARE)
    assert card.gaps
    assert "*not recorded*" in card.text
    words = " ".join(card.text.split())
    assert "medical device" in words and "dispositif médical" in words
    assert "## 🇫🇷 En français" in card.text
    assert not re.search(r"\bNone\b|{{|{%|Undefined", card.text.split("---", 2)[2])


@pytest.mark.long
def test_card_of_a_run_has_the_sections_of_the_published_one(run_dir):
    card = render_path(run_dir, "me/petit", FACTS)
    headings = re.findall(r"^## .*?([A-Z].*)$", card.text, re.MULTILINE)
    assert headings == [
        *("Introduction", "How to use", "Training", "Evaluation", "Intended use and limits"),
        *("Environmental impact", "Licence", "Acknowledgements", "Citation", "En français"),
    ]
    assert len(snippets(card.text)) == 4
    for line in ("FineWeb-2", "ODC-BY 1.0", "FineWiki", "CC BY-SA 4.0", "contact@example.org"):
        assert line in card.text
    assert "@misc{petit," in card.text
    assert card.gaps == ["DrBenchmark scores", "energy"]


def test_figures_are_those_of_the_records(run_dir):
    card = render_path(run_dir, "me/petit", FACTS).text
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    evaluation = [row for row in rows if "eval_loss" in row][-1]
    assert f"| {100 * evaluation['eval_accuracy']:.1f} % |" in card
    assert f"{evaluation['eval_masked_tokens']:,} masked tokens" in card
    assert f"| run | {rows[-1]['tokens']:,} |" in card
    assert "`leaflets.parquet`" in card and str(run_dir) not in card


def test_energy_becomes_grams(run_dir, tmp_path):
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy, ignore=shutil.ignore_patterns("checkpoint-*", "stores"))
    session = {"energy_kwh": 0.5, "emissions_kg": 0.02, "country": "FRA", "cpu": "X", "gpu": ""}
    (copy / "energy.json").write_text(json.dumps([session | {"codecarbon": "3"}] * 2))
    front = front_matter(render_path(copy, "me/petit", FACTS).text)
    assert front["co2_eq_emissions"]["emissions"] == 40.0
    assert front["co2_eq_emissions"]["hardware_used"] == "X"
    nowhere = session | {"codecarbon": "3", "emissions_kg": None, "country": None}
    (copy / "energy.json").write_text(json.dumps([session | {"codecarbon": "3"}, nowhere]))
    card = render_path(copy, "me/petit", FACTS).text
    assert "co2_eq_emissions" not in front_matter(card)
    assert "1 kWh; CO₂e is left out, as it was not recorded where" in " ".join(card.split())


def test_results_become_table_and_model_index(run_dir, tmp_path):
    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef

    ours = ModelRef.find(str(run_dir / "model"))
    for model, revision, base in ((ours.name, ours.version, 0.5), ("org/other", "a" * 40, 0.4)):
        for seed in (1, 2):
            _result(model, revision, seed, base + seed / 100).write(tmp_path)
    card = render_path(run_dir, "me/petit", FACTS, results=tmp_path)
    assert "| **petit** | 51.50 ± 0.71 (2) |\n" in card.text
    assert "| org/other | 41.50 ± 0.71 (2) |\n" in card.text
    assert "Min-Max" not in card.text  # of two models it says nothing
    (result,) = ModelCard(card.text).data.eval_results
    assert (result.dataset_config, result.metric_value) == ("quaero_emea", 51.5)
    named = CardFacts(license="mit", benchmark="owner/bench", benchmark_revision="v2")
    (result,) = ModelCard(
        render_path(run_dir, "me/petit", named, results=tmp_path).text
    ).data.eval_results
    assert (result.dataset_type, result.dataset_revision) == ("owner/bench", "v2")
    _result("me/petit", "c" * 40, 1, 0.9).write(tmp_path / "namesake")  # an older model's
    with pytest.raises(UsageError, match=r"No result is of these weights .local-"):
        render_path(run_dir, "me/petit", FACTS, results=tmp_path / "namesake")
    with pytest.raises(UsageError, match=r"No result is of these weights .local-"):
        _result("org/third", "b" * 40, 1, 0.1).write(tmp_path / "others")
        render_path(run_dir, "me/petit", FACTS, results=tmp_path / "others")


def test_a_quickstarts_own_results_are_found(run_dir, tmp_path):
    import shutil

    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
    from doctobert_hf.hub.stage.package import model_context, package_model

    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy, ignore=shutil.ignore_patterns("checkpoint-*", "stores"))
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(record | {"results": {"benchmark": "benchmark"}}))
    ours = ModelRef.find(str(copy / "model"))
    _result(ours.name, ours.version, 1, 0.5).write(copy / "benchmark")
    for path in (copy, copy / "model"):
        card = render_path(path, "me/petit", FACTS)
        assert "| **petit** | 50.00 (1) |" in card.text
        assert ModelCard(card.text).data.eval_results[0].metric_value == 50.0
    package_model(copy, "me/petit", tmp_path / "staged", FACTS)
    assert "quaero_emea" in (tmp_path / "staged/.eval_results/drbenchmark.yaml").read_text()
    shutil.rmtree(copy / "benchmark")
    _result("org/other", "a" * 40, 1, 0.5).write(copy / "benchmark")
    context, warnings = model_context(copy, "me/petit", FACTS)
    assert context["scores"] is None and "No result is of these weights" in warnings[0]


def test_results_of_a_private_corpus_are_no_entries_of_drbenchmark(run_dir, tmp_path):
    from dataclasses import replace

    from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
    from doctobert_hf.hub.stage.package import package_model

    ours = ModelRef.find(str(run_dir / "model"))
    result = _result(ours.name, ours.version, 1, 0.5)
    private = replace(result, cell=replace(result.cell, task="notes_entities"))
    private.write(tmp_path / "results")
    made = package_model(run_dir, "me/petit", tmp_path / "staged", FACTS, tmp_path / "results")
    card = made.render(None)
    assert "`notes_entities` is not of DrBenchmark: a corpus of its own." in card.text
    assert "model-index" not in front_matter(card.text)
    assert not (tmp_path / "staged" / ".eval_results").exists()


def _result(model, revision, seed, score):
    from doctobert_hf.drbenchmark.results import Cell, Result

    cell = Cell(model, revision, "quaero_emea", "strict", "standard", seed)
    kind = "token-classification"
    empty: dict = {}
    return Result(
        *(cell, kind, "f1", score, empty, score, empty, None, {"fingerprint": "f"}),
        *(empty, empty, empty, 1.0, None, "2026-11-20", "p"),
    )


def edited(text, name, words):
    return re.sub(
        rf"(<!-- keep:{name}[^>]*-->).*?(<!-- /keep -->)",
        lambda match: f"{match[1]}\n{words}\n{match[2]}",
        text,
        flags=re.DOTALL,
    )


@pytest.mark.long
def test_human_edits_stay(run_dir):
    first = render_path(run_dir, "me/petit", FACTS).text
    changed = edited(first, "intended-use", "Écrit par une personne.")
    own = "<!-- keep:mine -->À moi.<!-- /keep -->"
    changed = changed.replace("## 📊 Evaluation\n", f"## 📊 Evaluation\n\n{own}\n")
    changed = changed.replace("tags:\n", "thumbnail: t.png\ntags:\n- mine\n", 1)
    card = _again(run_dir, [changed])
    assert "Écrit par une personne." in card.text
    at = [card.text.index(part) for part in ("## 📊 Evaluation", own, "### Held-out")]
    assert at == sorted(at)
    front = front_matter(card.text)
    assert front["thumbnail"] == "t.png" and "mine" in front["tags"]
    assert _again(run_dir, [card.text]).text == card.text
    orphan = _again(run_dir, [changed.replace("## 📊 Evaluation", "## Gone")])
    assert orphan.moved == ["mine"] and own in orphan.text


@pytest.mark.long
def test_a_region_without_text_is_not_written_and_has_its_place(run_dir):
    first = render_path(run_dir, "me/petit", FACTS).text
    assert not re.search(r"<!-- keep:[^>]*-->\s*<!-- /keep -->", first)
    written = "<!-- keep:introduction -->\nPour les urgences.\n<!-- /keep -->\n"
    card = _again(run_dir, [first + written])  # wherever its owner put it
    assert "Pour les urgences." in card.text and card.kept == ["introduction"]
    at = [card.text.index(part) for part in ("## 📚 Intro", "Pour les urgences.", "## 🚀 How to")]
    assert at == sorted(at)
    emptied = edited(card.text, "introduction", "")
    assert "keep:introduction" not in _again(run_dir, [emptied]).text
    # A text of ours that its owner took out does not come back.
    silent = edited(first, "intended-use", "")
    again = _again(run_dir, [silent]).text
    assert "Intended for research" not in again and again == _again(run_dir, [again]).text


@pytest.mark.long
def test_text_of_an_older_template_is_replaced_and_edits_on_both_sides_stop(run_dir):
    first = render_path(run_dir, "me/petit", FACTS).text
    import hashlib

    old = "Ancien texte du modèle."
    digest = hashlib.sha256(old.encode()).hexdigest()[:8]
    older = re.sub(
        r"<!-- keep:intended-use \w+ -->.*?<!-- /keep -->",
        f"<!-- keep:intended-use {digest} -->\n{old}\n<!-- /keep -->",
        first,
        flags=re.DOTALL,
    )
    assert old in older and old not in _again(run_dir, [older]).text
    here, there = (edited(first, "intended-use", words) for words in ("ici", "là"))
    with pytest.raises(UsageError, match="keep:intended-use was edited both here and on the Hub"):
        _again(run_dir, [here, there])
    with pytest.raises(DataError, match="front matter"):
        _again(run_dir, ["---\na: [\n---\n"])


def _again(run_dir, previous):
    from doctobert_hf.hub.cards.front import model_metadata
    from doctobert_hf.hub.stage.package import model_context

    context, _ = model_context(run_dir, "me/petit", FACTS)
    return render_card("encoder", model_metadata("encoder", context), context, previous)


def test_local_card_with_edits_is_read(model_dir, tmp_path):
    import shutil

    copy = shutil.copytree(model_dir, tmp_path / "model")
    card = render_path(copy, "me/petit", FACTS).text
    (copy / "README.md").write_text(edited(card, "intended-use", "Voilà."), encoding="utf-8")
    assert "Voilà." in render_path(copy, "me/petit", FACTS).text


@pytest.mark.parametrize(
    ("front", "found"),
    [
        ({}, "no licence"),
        ({"license": "apache2"}, "licence 'apache2'"),
        ({"license": "other"}, "without its name"),
        ({"license": "mit", "language": "français"}, "language"),
        ({"license": "mit", "tags": [1]}, "'tags'"),
        ({"license": "mit", "datasets": ["a b"]}, "dataset 'a b'"),
        ({"license": "mit", "pipeline_tag": "fill"}, "pipeline_tag"),
        ({"license": "mit", "size_categories": "big"}, "size_categories"),
        ({"license": "mit", "model-index": [{"name": "x", "results": [{}]}]}, "model-index"),
    ],
)
def test_metadata_errors(front, found):
    errors = [what for what, _ in metadata_errors(front, "model")]
    assert any(found in what for what in errors), errors


def test_metadata_of_datasets():
    front = yaml.safe_load("license: mit\nconfigs:\n- config_name: a\n  data_files: x.parquet\n")
    assert not list(metadata_errors(front, "dataset"))
    front["dataset_info"] = {"features": [{"name": "x", "dtype": "no such"}]}
    assert any("dataset_info" in what for what, _ in metadata_errors(front, "dataset"))
    assert any("configs" in what for what, _ in metadata_errors({"license": "mit"}, "dataset"))


def test_licences_and_sizes():
    assert license_ids("CC-BY-4.0, per record") == ["cc-by-4.0"]
    assert license_ids("GFDL-1.3") == ["gfdl"]
    assert license_ids("Data-use agreement") == ["other"]
    assert [size_category(n) for n in (999, 1000, 20_000_000)] == [
        *("n<1K", "1K<n<10K", "10M<n<100M")
    ]


def test_records_are_true_of_their_weights_only(run_dir, tmp_path):
    """A model beside the run's own, another's weights, a checkpoint: none gets its figures."""
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    from doctobert_hf.hub.stage.package import model_context

    run = tmp_path / "run"
    shutil.copytree(run_dir, run)
    shutil.copytree(run / "model", run / "untrained")
    file = run / "untrained" / "model.safetensors"
    weights = load_file(file)
    save_file({n: torch.zeros_like(w) for n, w in weights.items()}, file, {"format": "pt"})
    final, _ = model_context(run / "model", "me/x", CardFacts(license="mit"))
    assert final["record"]["phases"][-1]["tokens"] >= 4000 and final["record"]["held_out"]
    beside, told = model_context(run / "untrained", "me/x", CardFacts(license="mit"))
    assert "phases" not in beside["record"] and "held_out" not in beside["record"]
    assert "are of other weights than 'untrained'" in told[-1]
    first = sorted(run.glob("checkpoint-*"), key=lambda p: int(p.name[11:]))[0]
    early, _ = model_context(first, "me/x", CardFacts(license="mit"))
    assert early["record"]["phases"][-1]["tokens"] < 4000
    assert early["record"]["phases"][-1]["steps"] <= int(first.name[11:])
    assert "seconds" not in early["record"]["phases"][-1] and "energy" not in early["record"]
    step = int(first.name[11:])
    assert early["record"]["phases"][-1]["steps"] == early["record"]["checkpoint"]["steps"] == step
    shutil.copytree(run / "untrained", run / "model", dirs_exist_ok=True)  # somebody's weights
    swapped, told = model_context(run, "me/x", CardFacts(license="mit"))
    assert "phases" not in swapped["record"] and "other weights than 'model'" in told[-1]


@pytest.mark.long
def test_a_checkpoints_card_says_in_words_that_it_is_one(run_dir, tmp_path):
    """After which step and tokens, of how many; what was logged behind it does not leave."""
    first, last = sorted(run_dir.glob("checkpoint-*"), key=lambda p: int(p.name[11:]))
    step, end = int(first.name[11:]), int(last.name[11:])
    seen = json.loads((first / "data_state.json").read_text())["stream"]["tokens"]
    target = Target("me/x", dry_run=tmp_path / "first")
    report = push_model(first, target, CardFacts(license="mit"))
    card = (tmp_path / "first" / "README.md").read_text()
    told = f"after step {step} ({seen:,} tokens) of a run that went to step {end} ("
    assert "**An intermediate checkpoint**, " + told in card
    assert f"| run | {seen:,} | {step} |" in card and "seconds" not in " ".join(report.warnings)
    assert f"point de reprise intermédiaire, pris après {step} pas" in card
    assert "Energy is measured over whole runs" in card
    rows = (tmp_path / "first" / "training" / "metrics.jsonl").read_text().splitlines()
    assert rows and all(json.loads(row)["step"] <= step for row in rows)
    assert not [w for w in report.warnings if "checkpoint.json" in w]
    push_model(run_dir, Target("me/x", dry_run=tmp_path / "whole"), CardFacts(license="mit"))
    assert "intermediate" not in (tmp_path / "whole" / "README.md").read_text()


def test_the_french_part_tells_what_the_records_hold():
    record = {
        "phases": [{"name": "a", "tokens": 1_200_000}, {"name": "b", "tokens": 300_000}],
        "held_out": {"accuracy": 0.417, "perplexity": 12.0, "masked_tokens": 900},
    }
    told = _story({"record": record, "facts": {"base_model": "o/m"}})
    assert "à partir de o/m, sur 1\u202f500\u202f000 tokens en 2 phases." in told
    assert "que la dernière phase n'a pas vus, il retrouve 41,7\u202f% des tokens masqués." in told
    assert not _story({"record": {}, "facts": {}}).strip()


def _story(context):
    return template_environment().get_template("parts/story_fr.md").render(context)
