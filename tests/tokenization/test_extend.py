"""Extended vocabularies: old ids stay, words of the new text become shorter, nothing is lost."""

import json
import shlex

import pytest

from doctobert_hf.cli import main
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.tokenization import evaluate_tokenizer, extend_tokenizer
from doctobert_hf.tokenization.extend import EXTENSION, _byte_letters, fingerprint

TEXTS = [
    f"Éréthisme cardiovasculaire, hypokaliémie à {i % 5} mmol/L, azathioprine {i} mg." for i in
    range(40)
]  # fmt: skip


@pytest.fixture
def kinds(tokenizer, other_tokenizers):
    return {"ours": tokenizer, **other_tokenizers}


@pytest.mark.parametrize("kind", ["ours", "byte-level", "wordpiece", "unigram", "unsplit"])
def test_every_kind(kind, kinds, tmp_path):
    base = kinds[kind]
    made = extend_tokenizer(base, TEXTS, tmp_path / "out", add=60)
    before, after = base.get_vocab(), made.get_vocab()
    assert all(after[token] == number for token, number in before.items())
    assert len(made) > len(base) + 20
    was, now = evaluate_tokenizer(base, TEXTS), evaluate_tokenizer(made, TEXTS)
    assert now["fertility"] < 0.75 * was["fertility"]
    if kind != "wordpiece":  # which lowercases and strips
        assert now["round_trip_rate"] == was["round_trip_rate"]
    text = "azathioprine 12 mg"
    assert len(made.tokenize(text)) < len(base.tokenize(text))
    new = [token for token, number in after.items() if number >= len(base)]
    if kind == "byte-level":
        table = _byte_letters()
        new = [bytes(table[letter] for letter in token).decode() for token in new]
    decoded = [token.strip("# ▁") for token in new]
    assert all(piece.isalpha() for piece in decoded), decoded
    assert made.mask_token_id == base.mask_token_id and made("a")["input_ids"][0] == 2
    record = json.loads((tmp_path / "out" / EXTENSION).read_text())
    assert record["first_id"] == len(base) and len(record["pieces"]) == len(new)
    assert record["base"] == fingerprint(json.loads(base.backend_tokenizer.to_str()))
    for number, old in enumerate(record["pieces"], len(base)):  # what it is made of, is it
        parts = [base.convert_ids_to_tokens(one).replace("##", "") for one in old]
        assert "".join(parts) == made.convert_ids_to_tokens(number).replace("##", "")


def test_the_same_text_gives_the_same_pieces(kinds, tmp_path):
    for name in ("a", "b"):
        extend_tokenizer(kinds["unigram"], TEXTS, tmp_path / name, add=30)
    made = [(tmp_path / name / "tokenizer.json").read_bytes() for name in ("a", "b")]
    assert made[0] == made[1]


def test_too_little_text_and_other_models(kinds, tmp_path, caplog):
    with pytest.raises(DataError, match="10 times"):
        extend_tokenizer(kinds["ours"], ["Une phrase."], tmp_path / "a")
    assert not (tmp_path / "a").exists()
    extend_tokenizer(kinds["ours"], TEXTS, tmp_path / "b", add=5000)
    assert "of 5000: the others are rarer" in caplog.text
    with pytest.raises(UsageError, match="add 0"):
        extend_tokenizer(kinds["ours"], TEXTS, tmp_path / "c", add=0)
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    other = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
    with pytest.raises(UsageError, match="kind WordLevel cannot be extended"):
        extend_tokenizer(other, TEXTS, tmp_path / "d")


def test_the_command(tokenizer_dir, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("\n".join(TEXTS))
    out = tmp_path / "out"
    words = ["tokenizer", "extend", str(tokenizer_dir), str(tmp_path / "notes.txt")]
    assert main([*words, "--output", str(out), "--add", "20"]) == 0
    printed = capsys.readouterr()
    assert "20 of them new" in printed.out
    assert main(shlex.split(printed.err.split("next: ")[1].splitlines()[0])[1:]) == 0
    assert main([*words, "--output", str(out), "--add", "21"]) == 2


def test_added_tokens_are_not_learned_and_keep_their_ids(kinds, tmp_path):
    base = kinds["wordpiece"]
    import copy

    base = copy.deepcopy(base)
    base.add_tokens(["|||PATIENT|||", "<date>"])
    texts = [f"|||PATIENT||| vu le <date> pour hypokaliémie {i}." for i in range(30)]
    made = extend_tokenizer(base, texts, tmp_path / "out", add=30)
    before, after = base.get_vocab(), made.get_vocab()
    assert all(after[token] == number for token, number in before.items())
    new = [token for token, number in after.items() if number >= len(base)]
    assert new and not any("patient" in token.lower() or "date" in token for token in new)
