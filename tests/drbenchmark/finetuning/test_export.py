"""ONNX: the same answers, on long documents too, and refused where it cannot be."""

import json

import pytest

from doctobert_hf.cli import main
from doctobert_hf.drbenchmark import Predictor
from doctobert_hf.errors import UsageError

for needed in ("onnx", "onnxruntime", "onnxscript"):
    pytest.importorskip(needed)

TEXT = "Jour 1 : il reçoit aspirine 5 mg.\n" + "Le patient dort. " * 60 + "Il reçoit insuline 5 mg."


@pytest.fixture(scope="module", params=["bert", "modernbert"])
def tuned(request, make_encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    (folder / "notes").mkdir()
    rows = []
    for number in range(30):
        drug = ("aspirine", "insuline", "warfarine")[number % 3]
        text = f"Jour {number} : il reçoit {drug} 5 mg."
        at = text.index(drug)
        entity = {"start": at, "end": at + len(drug), "label": "DRUG"}
        rows.append({"id": str(number), "text": text, "entities": [entity]})
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "notes" / "n.jsonl").write_text(lines)
    (folder / "space.yaml").write_text(
        "untuned: {learning_rate: 5.0e-3, epochs: 6, batch_size: 4}\n"
    )
    more = (
        {"num_hidden_layers": 2} if request.param == "bert" else {"global_attn_every_n_layers": 2}
    )
    words = [
        "finetune",
        make_encoder(request.param, **more).source,
        "--corpus",
        str(folder / "notes"),
    ]
    words += ["--max-length", "64", "--space", str(folder / "space.yaml")]
    assert main([*words, "--output", str(folder / "run")]) == 0
    return folder


@pytest.mark.long
def test_the_same_answers(tuned, capsys):
    model = str(tuned / "run" / "model")
    assert main(["export", model, "--onnx", "--output", str(tuned / "whole"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["largest_difference"] < 1e-3 and record["same_labels"] == 1.0
    before = Predictor.from_pretrained(model)([TEXT, "", "Jour 2."])
    after = Predictor.from_pretrained(tuned / "whole", onnx=True)([TEXT, "", "Jour 2."])
    assert [[e["text"] for e in found] for found in before] == [
        [e["text"] for e in found] for found in after
    ]
    assert before[0]
    for one, two in zip(before[0], after[0], strict=True):
        assert (one["start"], one["end"], one["type"]) == (two["start"], two["end"], two["type"])
        assert one["score"] == pytest.approx(two["score"], abs=1e-4)
    score = ["--corpus", str(tuned / "notes"), "--json"]
    assert main(["predict", model, *score]) == 0
    first = json.loads(capsys.readouterr().out)["score"]
    assert main(["predict", str(tuned / "whole"), "--onnx", *score]) == 0
    assert json.loads(capsys.readouterr().out)["score"] == first


@pytest.mark.long
def test_eight_bits_are_smaller(tuned, capsys):
    model = str(tuned / "run" / "model")
    assert main(["export", model, "--onnx", "--int8", "--output", str(tuned / "small")]) == 0
    small = json.loads((tuned / "small" / "onnx.json").read_text())
    assert small["int8"] and small["same_labels"] > 0.9
    (tuned / "new.txt").write_text(TEXT)
    words = ["predict", str(tuned / "small"), str(tuned / "new.txt"), "--onnx"]
    assert main([*words, "--output", str(tuned / "found.jsonl")]) == 0
    [row] = map(json.loads, (tuned / "found.jsonl").read_text().splitlines())
    assert row["text"] == TEXT
    with pytest.raises(UsageError, match="--onnx"):
        Predictor.from_pretrained(tuned / "small")
    with pytest.raises(UsageError, match="no export"):
        Predictor.from_pretrained(model, onnx=True)
