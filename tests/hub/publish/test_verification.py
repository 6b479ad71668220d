"""``hub verify``: a folder as a newcomer uses it, and no code that is not ours."""

from __future__ import annotations

from itertools import islice

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.render import snippets
from doctobert_hf.hub.publish.push import Target, push_dataset, push_model, push_tokenizer
from doctobert_hf.hub.publish.verification import _known_snippets, _shape, run_codes, verify

FACTS = CardFacts(license="mit", contact="a@example.org", authors=("A",))


def by_name(place, **options):
    return {check.what: check for check in verify(str(place), **options)}


@pytest.fixture(scope="module")
def published(model_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dry") / "model"
    push_model(model_dir, Target("me/petit", dry_run=folder), FACTS)
    return folder


@pytest.mark.long
def test_the_four_snippets_of_a_model_card_run_without_this_package(published):
    checks = by_name(published)
    assert [check.status for check in checks.values()] == ["ok"] * 7, checks
    assert "RobertaForMaskedLM" in checks["load by path"].detail
    assert checks["snippet 3 of the card"].detail.startswith("torch.Size([2, ")


@pytest.mark.long
def test_tokenizer_and_dataset(tokenizer_dir, documents, tmp_path):
    push_tokenizer(tokenizer_dir, Target("me/tok", dry_run=tmp_path / "tok"), FACTS)
    push_dataset(documents, Target("me/data", dry_run=tmp_path / "data"), FACTS)
    for name in ("tok", "data"):
        checks = by_name(tmp_path / name)
        assert {check.status for check in checks.values()} == {"ok"}, checks


def test_each_code_is_reported_and_the_package_is_not_there():
    codes = [
        ("package", "import doctobert_hf\n"),
        ("ours", "# needs doctobert-hf\nimport doctobert_hf.drbenchmark\nprint('ja')\n"),
        ("again", "import doctobert_hf\n"),
        ("word", "print('oui')\n"),
        ("death", "import os\nos._exit(3)\n"),
        ("after", "print('non')\n"),
    ]
    checks = {check.what: check for check in run_codes(codes)}
    assert checks["package"].status == "failed"
    assert "ModuleNotFoundError" in checks["package"].detail
    assert (checks["ours"].status, checks["again"].status) == ("ok", "failed")
    assert (checks["word"].status, checks["word"].detail) == ("ok", "oui")
    assert checks["death"].status == checks["after"].status == "failed"


@pytest.mark.long
@pytest.mark.versions
def test_code_that_never_ends_is_stopped():
    codes = [("first", "print(1)\n"), ("endless", "while True: pass\n")]
    first, endless = run_codes(codes, timeout=5)
    assert first.status == "ok" and "longer than 5 s" in endless.detail


@pytest.mark.long
@pytest.mark.versions
def test_what_was_changed_is_told(tokenizer_dir, tmp_path):
    folder = tmp_path / "tok"
    push_tokenizer(tokenizer_dir, Target("me/tok", dry_run=folder), FACTS)
    file = folder / "tokenizer_config.json"
    file.write_text(file.read_text() + "\n")
    preflight, fingerprints = islice(verify(str(folder)), 2)
    assert (preflight.status, fingerprints.status) == ("ok", "failed")
    assert "tokenizer_config.json" in fingerprints.detail
    card = (folder / "README.md").read_text().replace("license: mit", "license: none")
    (folder / "README.md").write_text(card)
    first = next(verify(str(folder)))
    assert (first.what, first.status) == ("pre-flight: README.md", "failed")


@pytest.mark.long
def test_code_that_others_put_into_a_card_is_not_run(tokenizer_dir, tmp_path):
    folder, mark = tmp_path / "tok", tmp_path / "ran"
    push_tokenizer(tokenizer_dir, Target("me/tok", dry_run=folder), FACTS)
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text(
        card.replace("print(tokenizer", f"open({str(mark)!r}, 'w'); print(tokenizer", 1)
    )
    checks = by_name(folder)
    assert checks["snippet 1 of the card"].status == "not run"
    assert checks["snippet 2 of the card"].status == "ok"
    assert not mark.exists()


@pytest.mark.parametrize(
    "code",
    [
        'from transformers import pipeline\nfill = pipeline("a", "x", trust_remote_code=True)',
        "import os\n",
        "not python (",
    ],
)
def test_code_of_another_shape_is_not_ours(code):
    assert _shape(code) not in _known_snippets()


@pytest.mark.long
def test_every_snippet_of_a_rendered_card_is_ours(published):
    codes = snippets((published / "README.md").read_text())
    assert len(codes) == 4 and {_shape(code) for code in codes} <= _known_snippets()


def test_nothing_there():
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE"):
        by_name("me/nothing")
