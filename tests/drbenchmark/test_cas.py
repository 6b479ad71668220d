"""UIMA CAS as INCEpTION exports it, as JSON and as XMI."""

import json

import pytest

from doctobert_hf.drbenchmark.finetuning.private import list_private_tasks, read_corpus
from doctobert_hf.drbenchmark.readers.exports import read_export
from doctobert_hf.drbenchmark.readers.folder import split_documents
from doctobert_hf.drbenchmark.spec import Report
from doctobert_hf.errors import DataError

TEXT = "Pas de 😀 fièvre ni de toux."
NER = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
TOKEN = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token"


def units(surface):
    """Offsets in UTF-16 units, as Java counts."""
    before = TEXT[: TEXT.index(surface)]
    start = len(before.encode("utf-16-le")) // 2
    return start, start + len(surface.encode("utf-16-le")) // 2


def as_json():
    structures = [{"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaString": TEXT}]
    for number, (surface, label, negated) in enumerate(
        [("fièvre", "DISO", True), ("toux", "DISO", False)], 2
    ):
        begin, end = units(surface)
        structures.append(
            {"%ID": number, "%TYPE": NER, "@sofa": 1, "begin": begin, "end": end, "value": label,
             "negation": negated}
        )  # fmt: skip
        structures.append(
            {"%ID": number + 10, "%TYPE": TOKEN, "@sofa": 1, "begin": begin, "end": end}
        )
    return json.dumps({"%TYPES": {}, "%FEATURE_STRUCTURES": structures, "%VIEWS": {}})


def as_xmi():
    lines = []
    for number, (surface, negated) in enumerate([("fièvre", "true"), ("toux", "false")], 2):
        begin, end = units(surface)
        lines.append(
            f'<type:NamedEntity xmi:id="{number}" sofa="1" begin="{begin}" end="{end}" '
            f'value="DISO" negation="{negated}"/>'
            f'<seg:Token xmi:id="{number + 10}" sofa="1" begin="{begin}" end="{end}"/>'
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><xmi:XMI xmlns:xmi="http://www.omg.org/XMI" '
        'xmlns:cas="http:///uima/cas.ecore" xmlns:seg="http:///segmentation.ecore" '
        'xmlns:type="http:///ner.ecore" xmi:version="2.0"><cas:NULL xmi:id="0"/>'
        f"{''.join(lines)}"
        f'<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" sofaString="{TEXT}"/></xmi:XMI>'
    )


@pytest.mark.parametrize(("name", "content"), [("n.json", as_json()), ("n.xmi", as_xmi())])
def test_annotations_are_read_and_segments_are_not(name, content, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    [document] = read_export(tmp_path / name, Report())
    assert document.text == TEXT and document.name == "n"
    assert [(m.label, m.surfaces[0]) for m in document.mentions] == [
        ("DISO", "fièvre"), ("DISO", "toux")
    ]  # fmt: skip
    assert document.attributes["T0"] == [("T0", "negation", "")]
    assert document.attributes["T1"] == []


def test_a_folder_of_them_is_a_corpus(tmp_path):
    place = tmp_path / "service"
    place.mkdir()
    for number in range(20):
        (place / f"{number:02}.xmi").write_text(as_xmi(), encoding="utf-8")
    split_documents.cache_clear()
    names = [task.name for task in list_private_tasks(str(place))]
    assert names == ["service_entities", "service_negation"]
    _, rows = read_corpus(str(place), "service_entities")
    assert sum(map(len, rows.values())) == 20


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("n.xmi", "<xmi:XMI xmlns:xmi='x'/>", "has no text"),
        ("n.xmi", "<a", "not well-formed"),
        ("n.json", '{"%FEATURE_STRUCTURES": []}', "has no text"),
        ("n.json", as_json().replace(f'"end": {units("toux")[1]}', '"end": 999'), "999"),
    ],
)
def test_damaged_files_are_told_by_name(name, content, words, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        list(read_export(tmp_path / name, Report()))
