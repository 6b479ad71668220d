"""What others put on the Hub is not lost: configurations, sections, licences, older weights."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.render import front_matter
from doctobert_hf.hub.stage.merging import Remote, card_fingerprint, merge_card

LICENSE = ("--license", "cc-by-4.0")


def folder_of(tmp_path, config, rows=3):
    folder = tmp_path / f"source-{config}" / config
    folder.mkdir(parents=True)
    texts = [f"Compte rendu {i} de {config}." for i in range(rows)]
    pq.write_table(pa.table({"id": list(map(str, range(rows))), "text": texts}),
                   folder / "train.parquet")  # fmt: skip
    return folder.parent


def push(command, folder, *more, **options):
    return command("push-dataset", folder, "me/corpus", *more, **options)


def card_of(hub, kind="dataset", name="me/corpus"):
    return hub.files(kind, name)["README.md"].decode()


@pytest.mark.long
def test_a_second_configuration_leaves_the_first(hub, command, tmp_path):
    push(command, folder_of(tmp_path, "a"), *LICENSE)
    first = hub.files("dataset", "me/corpus")
    done = push(command, folder_of(tmp_path, "b", 5), *LICENSE)
    assert "configurations that stay: a" in done.stderr
    both = hub.files("dataset", "me/corpus")
    name = "data/a/train-00000-of-00001.parquet"
    assert both[name] == first[name] and "data/b/train-00000-of-00001.parquet" in both
    front = front_matter(both["README.md"].decode())
    assert [c["config_name"] for c in front["configs"]] == ["a", "b"]
    sizes = {i["config_name"]: i["splits"][0]["num_examples"] for i in front["dataset_info"]}
    assert sizes == {"a": 3, "b": 5}
    assert sum(bool(c.get("default")) for c in front["configs"]) == 1
    card = both["README.md"].decode()  # tells of all that stands there
    assert "8 rows in 2 configurations" in card
    assert "| a | train | 3 |" in card and "| b | train | 5 |" in card
    assert "What follows describes `b`;" in card
    manifest = json.loads(both["publication.json"])
    assert manifest["files"][name]["kept"]
    # Again the first, with other rows: its own shards are replaced, the second stays.
    (tmp_path / "new").mkdir()
    push(command, folder_of(tmp_path / "new", "a", 4), *LICENSE)
    front = front_matter(card_of(hub))
    assert {i["config_name"] for i in front["dataset_info"]} == {"a", "b"}
    assert command("verify", "me/corpus", check=False).returncode == 0
    dry = tmp_path / "dry"
    push(command, tmp_path / "source-b", *LICENSE, "--dry-run", "--output", dry)
    checked = command("verify", dry, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.long
def test_a_configuration_goes_where_it_is_named(hub, command, tmp_path):
    push(command, folder_of(tmp_path, "a"), *LICENSE)
    done = push(command, folder_of(tmp_path, "b"), *LICENSE, "--replace", "a")
    assert "files that are removed: data/a/" in done.stderr
    assert not any(name.startswith("data/a/") for name in hub.files("dataset", "me/corpus"))
    assert [c["config_name"] for c in front_matter(card_of(hub))["configs"]] == ["b"]
    assert "in 1 configuration." in card_of(hub) and "| a | train |" not in card_of(hub)


def test_configurations_that_datasets_pushed_stay_in_the_front_matter(hub, command, tmp_path):
    hub.create("dataset", "me/corpus")
    front = {
        "license": "cc-by-4.0",
        "configs": [{"config_name": "old", "data_files": [{"split": "train", "path": "old/*"}]}],
        "dataset_info": {"config_name": "old", "splits": [{"name": "train", "num_examples": 7}]},
    }
    hub.write("dataset", "me/corpus", "README.md", f"---\n{yaml.safe_dump(front)}---\n".encode())
    hub.write("dataset", "me/corpus", "old/x.parquet", b"rows")
    push(command, folder_of(tmp_path, "b"), *LICENSE)
    found = front_matter(card_of(hub))
    assert [c["config_name"] for c in found["configs"]] == ["old", "b"]
    assert hub.files("dataset", "me/corpus")["old/x.parquet"] == b"rows"
    assert "| old | train | 7 |" in card_of(hub)


@pytest.mark.long
def test_a_card_that_is_not_ours_stays_as_a_section(hub, command, documents):
    hub.create("dataset", "me/corpus")
    hub.write("dataset", "me/corpus", "README.md", b"---\npretty_name: X\n---\n# Theirs\n\nMot.\n")
    done = push_documents(command, documents)
    assert "'Earlier card' of the card on the Hub stays" in done.stderr
    assert "-# Theirs" not in done.stderr or "# Theirs" in card_of(hub)
    card = card_of(hub)
    assert "## Earlier card" in card and "# Theirs\n\nMot." in card
    push_documents(command, documents)
    assert card_of(hub).count("# Theirs") == 1


def push_documents(command, documents, *more, **options):
    return command("push-dataset", documents, "me/corpus", *LICENSE, *more, **options)


@pytest.mark.long
def test_a_section_added_on_the_hub_stays_and_a_changed_one_stops(hub, command, documents):
    push_documents(command, documents)
    card = card_of(hub)
    more = card + "\n## Erratum\n\nLa ligne 3 est fausse.\n"
    hub.write("dataset", "me/corpus", "README.md", more.encode())
    push_documents(command, documents)
    assert card_of(hub).count("La ligne 3 est fausse.") == 1
    push_documents(command, documents)
    assert card_of(hub).count("La ligne 3 est fausse.") == 1
    changed = card_of(hub).replace("## ", "Phrase glissée.\n\n## ", 1)
    hub.write("dataset", "me/corpus", "README.md", changed.encode())
    done = push_documents(command, documents, check=False)
    assert done.returncode == 2 and "Phrase glissée." in done.stderr
    assert "--replace README.md" in done.stderr and card_of(hub) == changed
    push_documents(command, documents, "--replace", "README.md")
    assert "Phrase glissée." not in card_of(hub)


@pytest.mark.long
def test_another_licence_must_be_said(hub, command, documents):
    push_documents(command, documents)
    (documents.parent / "card.yaml").write_text("license: mit\n")
    done = command("push-dataset", documents, "me/corpus", check=False)
    assert done.returncode == 2 and "--license mit" in done.stderr
    command("push-dataset", documents, "me/corpus", "--license", "mit")
    assert front_matter(card_of(hub))["license"] == "mit"


@pytest.mark.long
def test_older_weights_go_and_are_told(hub, command, model_dir):
    hub.create("model", "me/model")
    old = ("pytorch_model.bin", "model-00001-of-00002.safetensors", "notes.txt", "modules.json")
    for name in old:
        hub.write("model", "me/model", name, b"old")
    done = command("push-model", model_dir, "me/model", "--license", "mit")
    assert "Older weights are removed: model-00001" in done.stderr
    assert "stays, though loaders read it: modules.json" in done.stderr
    left = hub.files("model", "me/model")
    assert "pytorch_model.bin" not in left and left["notes.txt"] == b"old"
    assert "model.safetensors" in left


@pytest.mark.long
def test_a_dry_run_shows_what_a_push_would_change(hub, command, documents, tmp_path):
    push_documents(command, documents)
    hub.requests.clear()
    done = push_documents(command, documents, "--title", "Nouveau", "--dry-run",
                          "--output", tmp_path / "dry")  # fmt: skip
    assert "+# Nouveau" in done.stderr and "README.md (Hub)" in done.stderr
    assert {method for method, *_ in hub.requests} == {"GET", "HEAD"}


@pytest.mark.long
def test_a_stalled_server_ends(hub, command, documents):
    import time

    hub.create("dataset", "me/corpus")
    hub.fail("GET", "/api/datasets/me/corpus", before=lambda: time.sleep(1.0), times=99)
    done = push_documents(command, documents, check=False, DOCTOBERT_HUB_TIMEOUT="0.2")
    assert done.returncode == 1 and "run the same command again" in done.stderr
    assert not hub.count("POST", "/commit/")


def test_merging_without_a_hub():
    ours = "---\nlicense: mit\n---\n\n# Title\n\nText.\n"
    same = Remote("h", ours, {"card": card_fingerprint(ours), "files": {}}, {"README.md": "x"})
    text, changes = merge_card(ours, same, "model", (), False, "me/x")
    assert text == ours and not changes.told and not changes.diff
    with pytest.raises(UsageError, match="under the licence mit"):
        merge_card(ours.replace("mit", "gpl"), same, "model", (), False, "me/x")


def test_licences_in_another_order_are_the_same():
    ours = "---\nlicense:\n- mit\n- cc-by-4.0\nconfigs:\n- config_name: a\n---\n\n# Title\n"
    theirs = ours.replace("- mit\n- cc-by-4.0", "- cc-by-4.0\n- mit")
    known = {"a": ["cc-by-4.0", "mit"]}
    manifest = {
        "card": card_fingerprint(theirs),
        "files": {"data/a/train.parquet": {}},
        "licences": known,
    }
    there = Remote("h", theirs, manifest, {"README.md": "x"})
    now = {"a": ["mit", "cc-by-4.0"]}
    text, _ = merge_card(ours, there, "dataset", (), False, "me/x", licences=now)
    assert front_matter(text)["license"] == ["mit", "cc-by-4.0"]
    with pytest.raises(UsageError, match="under the licence"):
        merge_card(ours, there, "dataset", (), False, "me/x", licences={"a": ["mit"]})


def ours_with(card):
    """What stands on the Hub after a push of ours, and what people made of it."""
    from doctobert_hf.hub.stage.merging import headings_of

    base = "---\nlicense: mit\n---\n\n# Title\n\nText.\n\n## Use\n\nLike this.\n"
    manifest = {"card": card_fingerprint(base), "headings": headings_of(base), "files": {}}
    return base, Remote("h", card(base), manifest, {"README.md": "x"})


def merged(card):
    base, remote = ours_with(card)
    return merge_card(base, remote, "model", (), False, "me/x")[0]


def test_regions_and_sections_of_people_never_stop_a_push():
    note = "\n<!-- keep:my-note -->\nMot.\n<!-- /keep -->\n"
    assert merged(lambda t: t.replace("Like this.", f"Like this.{note}"))
    twice = merged(lambda t: t + "\n## Notes\n\nUn.\n\n## Notes\n\nDeux.\n")
    assert twice.count("Un.") == twice.count("Deux.") == 1
    fenced = "\n## Setup\n\n```bash\n# install\npip install x\n# install\nmake\n```\n\nFin.\n"
    kept = merged(lambda t: t + fenced)
    assert fenced.strip() in kept
    before = merged(lambda t: t.replace("## Use", f"## Before\n\nAvant.\n{note}\n## Use"))
    assert before.count("Avant.") == 1


def test_a_new_title_of_ours_is_no_section_of_others():
    base, remote = ours_with(lambda t: t + "\n## Notes\n\nUn.\n")
    text, changes = merge_card(
        base.replace("# Title", "# Other"), remote, "model", (), False, "me/x"
    )
    assert "# Title" not in text and text.count("Un.") == 1 and len(changes.told) == 1


@pytest.mark.long
def test_a_configuration_of_others_with_our_name_is_not_hidden(hub, command, documents):
    hub.create("dataset", "me/corpus")
    front = {"configs": [{"config_name": "default", "data_files": "data/train-*"}]}
    hub.write("dataset", "me/corpus", "README.md", f"---\n{yaml.safe_dump(front)}---\n".encode())
    hub.write("dataset", "me/corpus", "data/train-00000.parquet", b"rows")
    done = push_documents(command, documents, check=False)
    assert done.returncode == 2 and "--replace default" in done.stderr
    push_documents(command, documents, "--replace", "default")
    assert "data/train-00000.parquet" not in hub.files("dataset", "me/corpus")


def test_data_without_a_card_is_not_hidden(hub, command, documents):
    hub.create("dataset", "me/corpus")
    hub.write("dataset", "me/corpus", "train.csv", b"a,b")
    hub.write("dataset", "me/corpus", "README.md", b"---\nlicense: cc-by-4.0\n---\n")
    done = push_documents(command, documents, check=False)
    assert done.returncode == 2 and "which this push would hide" in done.stderr


@pytest.mark.long
def test_configurations_under_other_licences_keep_theirs(hub, command, tmp_path):
    push(command, folder_of(tmp_path, "a"), *LICENSE)
    push(command, folder_of(tmp_path, "b"), "--license", "mit")
    assert front_matter(card_of(hub))["license"] == ["cc-by-4.0", "mit"]
    section = card_of(hub).split("Licence\n")[1].split("\n## ")[0]
    assert "`mit`" in section and "`cc-by-4.0`" in section


@pytest.mark.long
def test_checkpoints_leave_the_final_model(hub, command, run_dir):
    hub.create("model", "me/run")
    hub.write("model", "me/run", "model.safetensors", b"theirs")
    command("push-model", run_dir, "me/run", "--license", "mit", "--checkpoints")
    assert hub.files("model", "me/run")["model.safetensors"] == b"theirs"
