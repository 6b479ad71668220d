"""Sections of a corpus: together they are the corpus, wherever they are cut."""

import gzip
import json

import pytest

from doctobert_hf.corpus import iter_texts
from doctobert_hf.corpus.sections import section_texts, sections_of
from doctobert_hf.errors import DataError, UsageError

TEXTS = [f"Compte rendu n° {i} : « fièvre à {38 + i % 3} °C »\n" * (1 + i % 7) for i in range(53)]


def write(folder, kind):
    path = folder / f"corpus{kind}"
    rows = [{"id": None if i % 2 else f"d{i}", "text": text} for i, text in enumerate(TEXTS)]
    if kind == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=20)
    elif kind == ".csv":
        import pandas as pd

        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        lines = "\ufeff" + "\r\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        data = lines.encode()
        path.write_bytes(gzip.compress(data) if kind.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("kind", [".parquet", ".jsonl", ".jsonl.gz", ".csv"])
@pytest.mark.parametrize("size", [1, 37, 500, 1 << 20])
def test_together_they_are_the_corpus(kind, size, tmp_path):
    path = write(tmp_path, kind)
    sections = sections_of(path, size=size)
    found = [text for section in sections for text in section_texts(section)]
    assert found == TEXTS == list(iter_texts(path))
    if size == 500 and kind in (".parquet", ".jsonl"):
        assert len(sections) > 10  # else nothing could be shared out


def test_a_folder_keeps_its_order(tmp_path):
    for name in ("b.jsonl", "a.parquet", "c.csv"):
        (tmp_path / "in").mkdir(exist_ok=True)
        write(tmp_path, name[1:]).rename(tmp_path / "in" / name)
    sections = sections_of(tmp_path / "in", size=300)
    found = [text for section in sections for text in section_texts(section)]
    assert found == list(iter_texts(tmp_path / "in")) == TEXTS * 3


def test_what_is_wrong_is_told_with_its_place(tmp_path):
    path = tmp_path / "corpus.jsonl"
    lines = ['{"text": "un"}', '{"text": "deux"}', '{"text": 3}', '{"text": ']
    path.write_text("\n".join(lines[:3]))
    with pytest.raises(DataError, match=r"'corpus.jsonl', byte 32 has 3 as 'text'"):
        list(section_texts(sections_of(path, size=16)[2]))
    path.write_text("\n".join((*lines[:2], lines[3])))
    with pytest.raises(DataError, match=r"line 3 is not JSON"):
        list(section_texts(sections_of(path, size=16)[2]))
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"texte": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"Name yours .*Did you mean 'texte'"):
        sections_of(tmp_path / "x.parquet")
    with pytest.raises(UsageError, match="nothing"):
        sections_of(tmp_path / "nothing")
