"""A key that stands twice in a row is told with file and row, wherever documents are read."""

import json

import pytest

from doctobert_hf.corpus import iter_documents
from doctobert_hf.corpus.json_rows import RepeatedKey, load_json, row_with_repeated_key
from doctobert_hf.corpus.sections import section_texts, sections_of
from doctobert_hf.drbenchmark.readers.exports import export_rows
from doctobert_hf.drbenchmark.readers.records import read_json
from doctobert_hf.drbenchmark.source import open_folder
from doctobert_hf.errors import DataError

GOOD = '{"id": "à", "text": "Le patient tousse.", "more": {"text": 1, "id": [{"id": 2}]}}'
BAD = [
    '{"id": "b", "text": "Toux.", "text": ""}',
    '{"text": "Toux.", "more": {"é": 1, "\\u00e9": 1}}',  # the same key, written otherwise
    '{"text": "Toux.", "more": [[{"a": null, "a": null}]]}',
]


def test_what_is_right_is_read_as_json_reads_it():
    for text in (GOOD, "[]", "3", '"a"', "[{}, {}]", f"[{GOOD}, {GOOD}]"):
        assert load_json(text) == json.loads(text)
    with pytest.raises(json.JSONDecodeError):
        load_json('{"text": ')


@pytest.mark.parametrize("bad", BAD)
def test_rows(bad, tmp_path):
    with pytest.raises(RepeatedKey):
        load_json(bad)
    assert row_with_repeated_key(bad) is None
    assert row_with_repeated_key(f"[{GOOD}, {GOOD}, {bad}, {bad}]") == 2
    (tmp_path / "a.jsonl").write_text(f"{GOOD}\n\n{bad}\n", encoding="utf-8")
    (tmp_path / "b.json").write_text(f"[{GOOD},\n{bad}]", encoding="utf-8")
    (tmp_path / "c.json").write_text(bad, encoding="utf-8")
    for name, where in (("a.jsonl", "line 3"), ("b.json", "row 1"), ("c.json", "line 1")):
        with pytest.raises(DataError, match=rf"{name}', {where} has the key '\w+' twice"):
            list(iter_documents(tmp_path / name))
    with pytest.raises(DataError, match=r"a.jsonl', line 3 has the key"):
        [list(section_texts(part)) for part in sections_of(tmp_path / "a.jsonl", size=1)]
    for name, where in (("a.jsonl", ", line 3"), ("b.json", ", document 2"), ("c.json", "")):
        with pytest.raises(DataError, match=rf"^{name}{where} has the key '\w+' twice"):
            list(export_rows(tmp_path / name))
    with pytest.raises(DataError, match=r"b.json record 1 has the key '\w+' twice"):
        read_json(open_folder(tmp_path), "b.json")
