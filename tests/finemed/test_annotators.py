"""Annotators with models: tiny ones that are built here, over whole documents."""

import json

import pytest
import torch
from finemed_helpers import medical_text, rows_of

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.annotate import annotate
from doctobert_hf.finemed.annotators.classifier import TextClassifier
from doctobert_hf.finemed.config import AnnotateConfig, DistilConfig
from doctobert_hf.finemed.distillation import distil
from doctobert_hf.finemed.taxonomy import SUBDOMAINS


def test_a_short_document_is_judged_as_the_model_judges_it(make_classifier):
    from transformers import pipeline

    name = make_classifier("short", SUBDOMAINS)
    text = medical_text(1, 2)
    ours = TextClassifier(name, SUBDOMAINS).judge([text])[0]
    theirs = {
        item["label"]: item["score"]
        for item in pipeline("text-classification", name, top_k=None)([text])[0]
    }
    assert ours == pytest.approx([theirs[label] for label in SUBDOMAINS], abs=1e-6)


def test_a_long_document_is_judged_to_its_end(make_classifier):
    classifier = TextClassifier(make_classifier("long", SUBDOMAINS), SUBDOMAINS, max_length=64)
    text = medical_text(1, 60)
    pieces = classifier.chunker.split(text)
    assert len(pieces) > 5
    alone = classifier.judge(pieces)
    weights = torch.tensor([float(len(piece)) for piece in pieces])
    mean = (torch.tensor(alone) * weights[:, None]).sum(0) / weights.sum()
    assert classifier.judge([text])[0] == pytest.approx(mean.tolist(), abs=1e-5)
    other_end = classifier.judge([text[:-200] + medical_text(99, 2)])[0]
    assert other_end != pytest.approx(mean.tolist(), abs=1e-6)


def test_labels_in_another_order_and_spelling(make_classifier):
    labels = [label.lower().replace("&", "and") for label in reversed(SUBDOMAINS)]
    name, same = make_classifier("order", labels), make_classifier("same", SUBDOMAINS)
    text = medical_text(2, 2)
    found = TextClassifier(name, SUBDOMAINS).judge([text])[0]
    assert found[::-1] == pytest.approx(TextClassifier(same, SUBDOMAINS).judge([text])[0])


def test_other_labels_are_refused(make_classifier, tmp_path):
    with pytest.raises(UsageError, match="are not the taxonomy's: cardiologie"):
        TextClassifier(make_classifier("own", ["cardiologie", *SUBDOMAINS[1:]]), SUBDOMAINS)
    with pytest.raises(UsageError, match="gives 15 values"):
        TextClassifier(make_classifier("many", SUBDOMAINS), ())
    with pytest.raises(UsageError, match="cannot be loaded.*choose 'light'"):
        TextClassifier("nobody/no-such-model", SUBDOMAINS)


def test_the_domain_classifiers_own_layout(make_classifier, tmp_path):
    """Encoder under ``model``, linear layer ``fc`` over the first token, ``base_model`` named."""
    from safetensors.torch import save_file
    from transformers import AutoModel, AutoTokenizer

    base = make_classifier("base", ["x"])
    encoder = AutoModel.from_pretrained(base).eval()
    fc = torch.nn.Linear(encoder.config.hidden_size, 3)
    folder = tmp_path / "nvidia"
    folder.mkdir()
    weights = {f"model.{key}": value for key, value in encoder.state_dict().items()}
    weights |= {"fc.weight": fc.weight.detach().clone(), "fc.bias": fc.bias.detach().clone()}
    save_file(
        {key: value.contiguous() for key, value in weights.items()}, folder / "model.safetensors"
    )
    config = {"base_model": base, "fc_dropout": 0.2}
    config["id2label"] = {"0": "Arts", "1": "Health", "2": "Sports"}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config))
    text = medical_text(1, 2)
    classifier = TextClassifier(str(folder), None)
    with torch.no_grad():
        states = encoder(**tokenizer(text, return_tensors="pt")).last_hidden_state
        expected = fc(states[:, 0]).softmax(-1)[0].tolist()
    assert classifier.labels == ("Arts", "Health", "Sports")
    assert classifier.judge([text])[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.long
def test_all_axes_by_models(make_classifier, write_corpus, tmp_path):
    corpus = write_corpus(
        medical=4, other=0, files=1, url=lambda row: "https://chu.fr/" + row["id"]
    )
    config = AnnotateConfig(
        input=(str(corpus),),
        output=tmp_path / "out",
        domain="none",
        subdomain=make_classifier("sub", SUBDOMAINS),
        quality=make_classifier("edu", ["quality"], problem_type="regression"),
        terms="lexicon",
        lexicons=("base",),
    )
    annotate(config)
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 4 and all(row["edu_quality_score"] is not None for row in rows)
    assert "domain_classification_scores" not in rows[0]
    plain = AnnotateConfig(**{**vars(config), "output": tmp_path / "plain", "url_prefix": False})
    annotate(plain)
    key = "health_domain_classification_scores"
    assert rows_of(tmp_path / "plain")[0][key] != rows[0][key]


@pytest.mark.long
def test_distilled_annotators_are_taken(tokenizer_dir, make_classifier, tmp_path):
    """A student learns labels that a rule gives, and then annotates."""
    encoder = make_classifier("encoder", ["x"])
    labels = ("Clinical cases & vignettes", "Commercial & promotional")
    rows = []
    for i in range(120):
        text = medical_text(i, 3) if i % 2 else f"Achetez le produit {i} en promotion, prix réduit."
        rows.append({"text": text, "label": labels[(i + 1) % 2]})
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    config = DistilConfig(
        input=(str(path),),
        output=tmp_path / "student",
        model=encoder,
        learning_rate=2e-3,
        epochs=4,
        batch_size=8,
        eval_steps=10,
        max_length=64,
    )
    record = distil(config)
    assert record["scores"]["test"]["accuracy"] > 0.9
    assert sum(record["rows"].values()) == 120 and min(record["rows"].values()) > 0
    student = TextClassifier(str(tmp_path / "student" / "model"), SUBDOMAINS)
    scores = student.judge(["Achetez le produit 999 en promotion, prix réduit."])[0]
    assert SUBDOMAINS[scores.index(max(scores))] == "Commercial & promotional"
    scored = [{**row, "label": 4.0 if i % 2 else 1.0} for i, row in enumerate(rows)]
    path.write_text("\n".join(map(json.dumps, scored)))
    config.axis, config.output, config.epochs = "quality", tmp_path / "regressor", 12
    assert distil(config)["scores"]["test"]["mse"] < 1.0


def test_labels_that_are_not_of_the_taxonomy(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text('{"text": "a", "label": "Clinical case & vignettes"}\n')
    config = DistilConfig(input=(str(path),), output=tmp_path / "o", model="x")
    with pytest.raises(DataError, match="row 0.*Did you mean 'Clinical cases & vignettes'"):
        distil(config)
    path.write_text('{"text": "a", "label": 7}\n')
    config.axis = "quality"
    with pytest.raises(DataError, match="from 0 to 5"):
        distil(config)


def test_gliner_over_the_whole_document(tokenizer_dir, tmp_path):
    """A real, tiny, untrained GLiNER2: every term found is where it says, to the document's end."""
    gliner2 = pytest.importorskip("gliner2")
    from transformers import AutoTokenizer, BertConfig, BertModel

    from doctobert_hf.finemed.annotators.gliner import GlinerExtractor

    torch.manual_seed(0)
    encoder = tmp_path / "encoder"
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    tokenizer.save_pretrained(encoder)
    config = BertConfig(
        vocab_size=len(tokenizer) + 32,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=2048,  # the test's tokenizer has many tokens a word
    )
    BertModel(config).save_pretrained(encoder)
    config = gliner2.ExtractorConfig(model_name=str(encoder), max_width=4)
    model = gliner2.AutoExtractor.from_config(config, tokenizer=tokenizer)
    model.save_pretrained(tmp_path / "gliner")
    extractor = GlinerExtractor(str(tmp_path / "gliner"), threshold=0.45)
    text = medical_text(1, 80)
    (terms,) = extractor.find([text])
    assert terms and terms == sorted(terms)
    assert all(0 <= term.start < term.end <= len(text) for term in terms)
    assert all(text[t.start : t.end].strip() == text[t.start : t.end] for t in terms)
    assert max(term.end for term in terms) > 0.9 * len(text)
