"""What once gave a wrong score without a word: each is mended, refused or told."""

import json
import unicodedata

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import set_seed

from doctobert_hf.cli import main
from doctobert_hf.drbenchmark.families import family_of
from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
from doctobert_hf.drbenchmark.finetuning.encoder import ModelRef
from doctobert_hf.drbenchmark.finetuning.encoding import ExampleEncoder
from doctobert_hf.drbenchmark.finetuning.private import list_private_tasks, read_corpus
from doctobert_hf.drbenchmark.finetuning.runner import Benchmark
from doctobert_hf.drbenchmark.finetuning.workbench import Workbench
from doctobert_hf.drbenchmark.readers.folder import split_documents
from doctobert_hf.drbenchmark.scoring import score_predictions
from doctobert_hf.drbenchmark.tasks import get_task
from doctobert_hf.errors import DataError, UsageError


@pytest.fixture(autouse=True)
def fresh():
    split_documents.cache_clear()


def note(number, text="Pas de fièvre ce jour.", surface="fièvre", label="X", **more):
    start = text.index(surface)
    entity = {"start": start, "end": start + len(surface), "label": label}
    return {"id": str(number), "text": text, "entities": [entity], **more}


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


# ------------------------------------------------------------------------------------- encoders


@pytest.mark.parametrize("prefix", ["encoder.", "module.", "_orig_mod.", "model.bert."])
def test_weights_under_other_names_are_no_encoder(prefix, make_encoder, tmp_path):
    import shutil

    folder = tmp_path / "m"
    shutil.copytree(make_encoder().source, folder)
    weights = load_file(folder / "model.safetensors")
    save_file({prefix + k: v for k, v in weights.items()}, folder / "model.safetensors",
              {"format": "pt"})  # fmt: skip
    with pytest.raises(DataError, match=rf"were not found.*there are {prefix}"):
        ModelRef.find(str(folder)).load(get_task("quaero_emea"), None)


def test_a_checkpoints_old_head_is_not_kept(make_encoder, tokenizer, tmp_path):
    task = get_task("quaero_emea")
    model = make_encoder().load(task, None)
    with torch.no_grad():
        model.classifier.weight.fill_(9.0)
    model.save_pretrained(tmp_path / "tuned")
    tokenizer.save_pretrained(tmp_path / "tuned")
    set_seed(1)
    again = ModelRef.find(str(tmp_path / "tuned")).load(task, None)
    assert again.classifier.weight.abs().max() < 1.0
    kept = "bert.encoder.layer.0.output.dense.weight"
    assert torch.equal(again.state_dict()[kept], model.state_dict()[kept])


def test_every_file_of_a_tokenizer_is_part_of_a_models_identity(make_encoder, tmp_path):
    import shutil

    folder = tmp_path / "m"
    shutil.copytree(make_encoder().source, folder)
    before = ModelRef.find(str(folder)).fingerprint
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps({**settings, "do_lower_case": True}))
    changed = ModelRef.find(str(folder)).fingerprint
    (folder / "vocab.txt").write_text("[PAD]\n")
    assert len({before, changed, ModelRef.find(str(folder)).fingerprint}) == 3


def test_a_setting_that_an_architecture_lacks_is_left_out_and_told(tokenizer, tmp_path, caplog):
    """EuroBERT has no dropout of hidden states: every trial failed once."""
    from transformers import AutoConfig, AutoModel

    from doctobert_hf.drbenchmark.finetuning import encoder

    config = AutoConfig.for_model(
        "eurobert", vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, intermediate_size=32,
        pad_token_id=tokenizer.pad_token_id, bos_token_id=2, eos_token_id=3, mask_token_id=4,
    )  # fmt: skip
    AutoModel.from_config(config).save_pretrained(tmp_path / "m")
    tokenizer.save_pretrained(tmp_path / "m")
    encoder._tell_of_dropout.cache_clear()
    for _ in range(2):
        ModelRef.find(str(tmp_path / "m")).load(get_task("quaero_emea"), 0.1)
    assert caplog.text.count("has no dropout of hidden states") == 1


# ---------------------------------------------------------------------------------------- words


def perfect(task, tokenizer, rows):
    """The score of a model that gives every token its right label."""
    items = ExampleEncoder(task, tokenizer, 64)(rows)
    predictions = []
    for item in items:
        width = max(len(labels) for labels in item.labels)
        outputs = torch.zeros(len(item.labels), width, len(task.labels))
        for number, labels in enumerate(item.labels):
            for position, label in enumerate(labels):
                outputs[number, position, max(label, 0)] = 1.0
        predictions += family_of(task).decode(task, [item], outputs)
    references = [[task.labels[tag] for tag in row["ner_tags"]] for row in rows]
    return score_predictions(task, predictions, references)["f1"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_of_their_own_do_not_cut_words(form, tokenizer, tmp_path):
    text = unicodedata.normalize(form, "Le fiévreux a une hépatite sévère à l'hôpital.")
    surface = unicodedata.normalize(form, "hépatite sévère")
    write(tmp_path / "notes" / "n.jsonl", [note(n, text, surface) for n in range(20)])
    task, rows = read_corpus(str(tmp_path / "notes"), "notes_entities")
    words = rows["train"][0]["tokens"]
    assert len(words) == 11 and unicodedata.normalize("NFC", words[1]) == "fiévreux"
    assert perfect(task, tokenizer, rows["train"]) == 1.0


def test_words_that_share_a_token_are_one_entity(tmp_path):
    """XLM-R's vocabulary has ``++`` and ``+/-`` as one piece: the ceiling was 22."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = [
        "[UNK]",
        "[PAD]",
        "[CLS]",
        "[SEP]",
        "▁",
        "▁++",
        "▁+/-",
        "▁a",
        "▁douleur",
        "▁39",
        "▁°C",
    ]
    backend = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], 0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]",
                                   cls_token="[CLS]", sep_token="[SEP]")  # fmt: skip
    rows = [note(n, "a douleur ++ a +/- a 39 °C", "++") for n in range(20)]
    for row in rows:
        for surface in ("+/-", "°C"):
            at = row["text"].index(surface)
            row["entities"].append({"start": at, "end": at + len(surface), "label": "X"})
    write(tmp_path / "notes" / "n.jsonl", rows)
    task, splits = read_corpus(str(tmp_path / "notes"), "notes_entities")
    assert perfect(task, made, splits["train"]) == 1.0


# ----------------------------------------------------------------------------------- line ends


def brat(folder, text, mentions, name="a"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    lines = (f"T{n}\tX {a} {b}\t{s}\n" for n, (a, b, s) in enumerate(mentions))
    (folder / f"{name}.ann").write_text("".join(lines))


@pytest.mark.parametrize("counts_cr", [True, False])
def test_offsets_that_count_cr_or_do_not(counts_cr, tmp_path, caplog):
    raw = "Le patient.\r\nPas de fièvre.\r\nUne toux sèche.\r\nFin.\r\n"
    counted = raw if counts_cr else raw.replace("\r\n", "\n")
    mentions = [(counted.index(s), counted.index(s) + len(s), s)
                for s in ("patient", "fièvre", "toux sèche", "Fin")]  # fmt: skip
    for number in range(10):
        brat(tmp_path / "notes", raw, mentions, f"n{number}")
    _, rows = read_corpus(str(tmp_path / "notes"), "notes_entities")
    row = rows["train"][0]
    found = [w for w, tag in zip(row["tokens"], row["ner_tags"], strict=True) if tag]
    assert found == ["patient", "fièvre", "toux", "sèche", "Fin"]
    assert ("offsets count the CR" in caplog.text) == counts_cr


def test_offsets_that_fit_no_reading_are_refused(tmp_path):
    text = "Le patient.\r\nPas de fièvre.\r\nUne toux sèche.\r\n"
    brat(tmp_path / "notes", text, [(at, at + 4, "toux") for at in (1, 9, 15)])
    with pytest.raises(DataError, match=r"a\.txt: 3 of 3 annotations have another surface"):
        read_corpus(str(tmp_path / "notes"), "notes_entities")


# --------------------------------------------------------------------------------------- splits


@pytest.mark.parametrize(
    "names",
    [
        ("train.jsonl", "dev.jsonl", "test.jsonl"),
        ("Train/n.jsonl", "val/n.jsonl", "Testing/n.jsonl"),
        ("training/n.jsonl", "valid/n.jsonl", "eval/n.jsonl"),
        ("notes-train.jsonl", "notes-validation.jsonl", "notes-test.jsonl"),
    ],
)
def test_splits_are_found_by_the_names_that_datasets_knows(names, tmp_path):
    for count, (name, first) in enumerate(zip(names, (0, 100, 200)), 3):
        write(tmp_path / "notes" / name, [note(first + n) for n in range(count)])
    _, rows = read_corpus(str(tmp_path / "notes"), "notes_entities")
    assert {split: len(found) for split, found in rows.items()} == {
        "train": 3, "validation": 4, "test": 5
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("train.jsonl", "dev.jsonl", "others.jsonl"), "beside them others.jsonl"),
        (("train.jsonl", "dev.jsonl"), "no split test"),
        (("train/a.jsonl", "dev/a.jsonl", "test/a.jsonl", "more.jsonl"), "beside them more.jsonl"),
    ],
)
def test_a_mixture_of_splits_and_others_is_refused(names, words, tmp_path):
    for number, name in enumerate(names):
        write(tmp_path / "notes" / name, [note(10 * number + n) for n in range(5)])
    with pytest.raises(DataError, match=words):
        list_private_tasks(str(tmp_path / "notes"))


def test_documents_of_one_patient_stay_together(tmp_path, caplog):
    rows = [note(n, f"Jour {n} : fièvre.", patient_id=f"p{n % 10}") for n in range(40)]
    write(tmp_path / "notes" / "n.jsonl", rows)
    _, splits = read_corpus(str(tmp_path / "notes"), "notes_entities")
    patients = {s: {int(r["document_id"]) % 10 for r in found} for s, found in splits.items()}
    assert sum(map(len, patients.values())) == 10 and all(patients.values())
    assert "40 documents of 10 patients" in caplog.text


def test_texts_that_stand_in_two_splits_are_told(tmp_path, caplog):
    for split, first in (("train", 0), ("dev", 10), ("test", 20)):
        write(tmp_path / "notes" / f"{split}.jsonl", [note(first + n) for n in range(3)])
    list_private_tasks(str(tmp_path / "notes"))
    assert "1 texts stand in more than one split" in caplog.text


@pytest.mark.long
def test_batches_are_of_chunks_not_of_documents(make_encoder, tmp_path):
    text = "Le patient a de la fièvre et une toux sèche depuis deux jours. " * 60
    write(tmp_path / "notes" / "n.jsonl", [note(n, f"{n} {text}") for n in range(20)])
    config = BenchmarkConfig(corpus=tmp_path / "notes", trials=0, max_length=64)
    made = Benchmark(make_encoder(), config, lambda line: None)
    bench = Workbench(made.context(made.tasks[0]))
    chunks = sum(len(item.inputs) for item in bench.splits["train"].items)
    from doctobert_hf.drbenchmark.finetuning.hyperparameters import HyperParameters
    from doctobert_hf.drbenchmark.finetuning.trainer import TaskTrainer

    tuner = TaskTrainer(
        bench.task, make_encoder().load(bench.task, None), bench.tokenizer, bench.splits["train"],
        bench.splits["validation"], HyperParameters(1e-3, epochs=1, batch_size=8), 1,
        str(tmp_path / "o"),
    )  # fmt: skip
    assert chunks > 14 * 10 and tuner.args.max_steps == -(-chunks // 8)
    batch = next(iter(tuner.get_train_dataloader()))
    assert batch["input_ids"].shape[0] <= 8 and batch["input_ids"].shape[1] <= 64


# -------------------------------------------------------------------------------- small things


@pytest.mark.parametrize("other", ["NEGATION", "entities"])
def test_qualifiers_that_would_be_one_task(other, tmp_path):
    rows = [note(n) for n in range(10)]
    for row in rows:
        row["entities"][0]["qualifiers"] = {"negation": True, other: True}
    write(tmp_path / "notes" / "n.jsonl", rows)
    with pytest.raises(DataError, match=f"would be one task: .*{other}"):
        list_private_tasks(str(tmp_path / "notes"))


def test_tasks_beside_a_corpus_are_its_own(make_encoder, tmp_path):
    write(tmp_path / "notes" / "n.jsonl", [note(n) for n in range(10)])
    config = BenchmarkConfig(corpus=tmp_path / "notes", tasks=("quaero_emea",), trials=0)
    with pytest.raises(UsageError, match="No task 'quaero_emea' in the corpus"):
        Benchmark(make_encoder(), config)


def test_a_plan_that_cannot_be_made_fails(make_encoder, tmp_path, capsys):
    words = ["benchmark", "run", make_encoder().source, "--tasks", "cas_pos", "--trials", "0"]
    words += ["--data-dir", str(tmp_path), "--output", str(tmp_path / "o")]
    assert main([*words, "--dry-run"]) == 1
    assert "CAS needs a personal data-use agreement" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_sentence_of_the_first_file_is_not_read_again_for_pos(made_up, tmp_path):
    """In the second file, columns of sentences that were read already may be anything."""
    from doctobert_hf.drbenchmark.conversion import convert
    from doctobert_hf.drbenchmark.source import open_folder

    task = get_task("cas_pos")
    lines = [f"{n}\t{i}\tmot\tmot\tNOM\t\t\n" for n in range(10) for i in range(2)]
    folder = tmp_path / "cas"
    folder.mkdir()
    (folder / "CAS_neg.txt").write_text("".join(lines))
    more = ["3\t0\tmot\t***\t***\n", *(f"{n}\t0\tmot\tmot\tNOM\t\t\n" for n in range(10, 20))]
    (folder / "CAS_spec.txt").write_text("".join(more))
    converted = convert(task, open_folder(folder), "drbenchmark")
    assert sum(map(len, converted.splits.values())) == 20


def test_names_that_a_spreadsheet_would_compute(tmp_path):
    from doctobert_hf.drbenchmark.report.tables import _cell

    assert [_cell(n) for n in ("=1+1", "@x", "-x", "bert")] == ["'=1+1", "'@x", "'-x", "bert"]


# --------------------------------------------------------------------------------- other tools

TEXT = "Pas de fièvre."
EXPORTS = {
    "prodigy.jsonl": {"text": TEXT, "spans": [{"start": 7, "end": 13, "label": "X"}],
                      "answer": "accept"},
    "doccano.jsonl": {"id": 3, "text": TEXT, "label": [[7, 13, "X"]]},
    "doccano-relations.jsonl": {"text": TEXT, "entities": [
        {"id": 1, "start_offset": 7, "end_offset": 13, "label": "X"}]},
    "spacy.jsonl": {"text": TEXT, "entities": [[7, 13, "X"]]},
    "edsnlp.jsonl": {"note_id": "a", "text": TEXT, "entities": [
        {"fragments": [{"begin": 7, "end": 13}], "label": "X",
         "attributes": [{"label": "negation", "value": True}]}]},
    "label-studio.json": [{"id": 1, "data": {"text": TEXT}, "annotations": [{"result": [
        {"value": {"start": 7, "end": 13, "text": "fièvre", "labels": ["X"]}}]}]}],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_annotation_tools(name, tmp_path):
    from doctobert_hf.drbenchmark.readers.exports import read_export
    from doctobert_hf.drbenchmark.spec import Report

    path = tmp_path / name
    path.write_text(json.dumps(EXPORTS[name]))
    (document,) = read_export(path, Report())
    (mention,) = document.mentions
    assert document.text == TEXT and mention.label == "X" and mention.surfaces == ("fièvre",)
    if name == "edsnlp.jsonl":
        assert document.attributes["T0"] == [("T0", "negation", "")]


def test_an_export_of_no_known_shape_says_where(tmp_path):
    from doctobert_hf.drbenchmark.readers.exports import read_export
    from doctobert_hf.drbenchmark.spec import Report

    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "a", "entities": []}\n{"text": "a", "marks": []}\n')
    with pytest.raises(DataError, match=r"x\.jsonl, line 2"):
        list(read_export(path, Report()))
