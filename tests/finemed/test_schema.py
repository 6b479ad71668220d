"""The declared columns are the published ones, and what the stages write fits them."""

import re

import pytest
from finemed_helpers import LIGHT, rows_of

from doctobert_hf.errors import DataError
from doctobert_hf.finemed.annotate import annotate
from doctobert_hf.finemed.config import AnnotateConfig
from doctobert_hf.finemed.schema import features, require
from doctobert_hf.hub.cards.columns import FINEMED, REPHRASED


@pytest.mark.parametrize(("kind", "published"), [("finemed", FINEMED), ("rephrased", REPHRASED)])
def test_every_published_column_is_declared(kind, published):
    schema = features(kind).arrow_schema
    for name, (type_of, _) in published.items():
        found = str(schema.field(name).type).replace("large_", "")
        assert re.fullmatch(type_of, found), (name, found)


def test_a_fineweb_row_keeps_its_columns_and_fits(write_corpus, tmp_path):
    from datasets import load_dataset

    upstream = {
        "dump": lambda row: "CC-MAIN-2024-10",
        "url": lambda row: f"https://chu.fr/{row['id']}",
        "date": lambda row: "2024-03-01T10:00:00Z",
        "file_path": lambda row: "s3://commoncrawl/x.warc.gz",
        "language": lambda row: "fra",
        "language_score": lambda row: 0.99,
        "language_script": lambda row: "Latn",
        "minhash_cluster_size": lambda row: 3,
        "top_langs": lambda row: '{"fra_Latn_score": 0.99}',
    }
    corpus = write_corpus(**upstream)
    annotate(AnnotateConfig(input=(str(corpus),), output=tmp_path / "out", **LIGHT))
    row = rows_of(tmp_path / "out")[0]
    assert row["url"] == f"https://chu.fr/{row['id']}" and row["minhash_cluster_size"] == 3
    loaded = load_dataset("parquet", data_dir=str(tmp_path / "out" / "data"), split="train")
    assert set(features("finemed")) <= {*loaded.features}
    loaded.select_columns(list(features("finemed"))).cast(features("finemed"))


def test_required_columns():
    import pyarrow as pa

    schema = pa.schema([("edu", pa.int64()), ("name", pa.string())])
    require(schema, ["edu"], "number")
    with pytest.raises(DataError, match="of type string"):
        require(schema, ["name"], "number")
    with pytest.raises(DataError, match="no column 'nam'.*Did you mean 'name'"):
        require(schema, ["nam"])
