"""The made-up notes: few labels, and terms that no label shows; what pretraining brings on them."""

import json
import re
import statistics

import pytest

from doctobert_hf.corpus.sample_notes import divided_terms, write_notes
from doctobert_hf.quickstart.config import QuickstartConfig
from doctobert_hf.quickstart.report import gain_sentence
from doctobert_hf.quickstart.run import open_quickstart, run_quickstart


def _read(folder):
    return {
        split: [json.loads(line) for line in (folder / split / "notes.jsonl").open()]
        for split in ("train", "validation", "test")
    }


@pytest.mark.parametrize("seed", [17, 3])
def test_terms_of_the_test_notes_stand_in_no_other_note(tmp_path, seed):
    sizes = write_notes(tmp_path, seed)
    notes = _read(tmp_path)
    assert {split: len(rows) for split, rows in notes.items()} == sizes
    terms = {
        split: {n["text"][e["start"] : e["end"]].lower() for n in rows for e in n["entities"]}
        for split, rows in notes.items()
    }  # fmt: skip
    assert not terms["test"] & (terms["train"] | terms["validation"])
    assert not terms["train"] & terms["validation"]
    # Nor unlabelled, as part of a text.
    texts = " ".join(note["text"].lower() for note in notes["train"])
    assert not [t for t in terms["test"] if re.search(rf"(?<!\w){re.escape(t)}(?!\w)", texts)]
    labels = {e["label"] for note in notes["test"] for e in note["entities"]}
    assert labels == {"disease", "drug", "operation"}
    every = [note["text"] for rows in notes.values() for note in rows]
    assert len(every) == len(set(every))


def test_terms_are_divided_by_kind_and_seed():
    first, second = divided_terms(1), divided_terms(2)
    assert set(first) == set(second) and first != second
    assert set(first.values()) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("scores", "twin", "said"),
    [
        ([30.0, 31.0, 32.0], [10.0, 11.0, 12.0], r"\+20\.0 points.*every seed is above"),
        ([30.0, 31.0, 11.5], [10.0, 11.0, 12.0], "a hint, not a proof"),
        ([9.0, 9.0, 9.0], [10.0, 11.0, 12.0], "did not help here"),
    ],
)
def test_the_gain_is_said_in_words_whatever_it_is(scores, twin, said):
    means = {"quickstart": statistics.mean(scores), "untrained": statistics.mean(twin)}
    sentence = gain_sentence({"means": means, "scores": {"quickstart": scores, "untrained": twin}})
    assert re.search(said, sentence)


@pytest.mark.long
@pytest.mark.timeout(1200)  # a whole quickstart: minutes, and more beside other work
def test_pretraining_brings_ten_points(tmp_path):
    config = QuickstartConfig(output=tmp_path / "run", retrieval_steps=1)  # of another stage
    records = run_quickstart(config, open_quickstart(config, overwrite=False, resume=False))
    means = records["benchmark"]["means"]
    assert means["quickstart"] >= means["quickstart, untrained"] + 10
