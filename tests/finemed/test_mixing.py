"""Mixing: shares, determinism, context extension, and a model trained on the result."""

import json

import pytest
from finemed_helpers import excluded_of, medical_text, rows_of

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.config import MixConfig
from doctobert_hf.finemed.mixing import Source, draw, mix, rates_of


@pytest.fixture
def sources(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = []
    for name, first, count, length in (("raw", 0, 40, 60), ("rewritten", 500, 60, 12)):
        path = tmp_path / f"{name}.parquet"
        texts = [medical_text(first + i, length) for i in range(count)]
        ids = [f"{name}{i}" for i in range(count)]
        pq.write_table(pa.table({"id": ids, "text": texts}), path)
        made.append({"name": name, "input": [str(path)]})
    return made


def settings(sources, tokenizer_dir, output, **more):
    return MixConfig(
        sources=tuple(sources), tokenizer=str(tokenizer_dir), output=output, max_length=64, **more
    )


@pytest.mark.long
def test_without_shares_every_chunk_is_there_and_the_text_whole(sources, tokenizer_dir, tmp_path):
    manifest = mix(settings(sources, tokenizer_dir, tmp_path / "mix"))
    rows = rows_of(tmp_path / "mix")
    assert manifest["documents"] == len(rows) == sum(s["chunks"] for s in manifest["sources"])
    assert all(row["num_tokens"] <= 64 for row in rows)
    parts: dict[str, list[dict]] = {}
    for row in rows:
        parts.setdefault(row["parent_id"], []).append(row)
    for i in range(40):
        pieces = sorted(parts[f"raw{i}"], key=lambda row: row["chunk_index"])
        assert "".join(row["text"] for row in pieces) == medical_text(i, 60)
        assert pieces[0]["char_start"] == 0 and pieces[-1]["char_end"] == len(medical_text(i, 60))
    assert not excluded_of(tmp_path / "mix")


@pytest.mark.long
def test_shares_of_tokens(sources, tokenizer_dir, tmp_path):
    sources[0]["share"], sources[1]["share"] = 1, 1
    config = settings(sources, tokenizer_dir, tmp_path / "mix", total=20_000)
    manifest = mix(config)
    kept = {s["name"]: s["kept_tokens"] for s in manifest["sources"]}
    # Drawn chunk by chunk: about 180 of each, so within some standard errors of 10,000.
    assert kept["raw"] == pytest.approx(10_000, rel=0.25)
    assert kept["rewritten"] == pytest.approx(10_000, rel=0.25)
    rows, out = rows_of(tmp_path / "mix"), excluded_of(tmp_path / "mix")
    assert len(rows) + len(out) == sum(s["chunks"] for s in manifest["sources"])
    assert {row["reason"] for row in out} == {"not drawn"}
    card = (tmp_path / "mix" / "README.md").read_text()
    assert f"{manifest['tokens']:,}" in card and "rewritten" in card
    assert str(tmp_path) not in card


@pytest.mark.long
def test_documents_are_drawn_whole(sources, tokenizer_dir, tmp_path):
    sources[0]["share"], sources[1]["share"] = 1, 1
    config = settings(sources, tokenizer_dir, tmp_path / "mix", unit="documents", total=40)
    mix(config)
    kept = {(row["source"], row["parent_id"]) for row in rows_of(tmp_path / "mix")}
    out = {row["id"].rsplit("#", 1)[0] for row in excluded_of(tmp_path / "mix")}
    assert 25 < len(kept) < 55  # 40 in the mean
    assert not out & {f"{source}:{parent}" for source, parent in kept}


@pytest.mark.long
def test_ids_go_into_a_store_as_the_texts_would(sources, tokenizer_dir, tokenizer, tmp_path):
    from doctobert_hf.pretraining.data.parts import StoreConfig, make_store

    mix(settings(sources, tokenizer_dir, tmp_path / "mix", ids=True))
    rows = rows_of(tmp_path / "mix")
    assert [tokenizer(row["text"])["input_ids"] for row in rows] == [r["input_ids"] for r in rows]
    stores = [
        make_store(StoreConfig(tmp_path / "mix" / "data", tmp_path / name, str(tokenizer_dir),
                               max_length=64, ids_column=column))
        for name, column in (("ids", "input_ids"), ("texts", None))
    ]  # fmt: skip
    assert stores[0].manifest.tokens == sum(row["num_tokens"] for row in rows)
    made = [(store.folder / "tokens.bin").read_bytes() for store in stores]
    assert made[0] == made[1]
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    ids = content["model"]["vocab"]  # the same size, two pieces changed places
    one, two = list(ids)[100:102]
    ids[one], ids[two] = ids[two], ids[one]
    tokenizer.save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "tokenizer.json").write_text(json.dumps(content))
    for place in (tmp_path / "mix", tmp_path / "mix" / "data"):
        wrong = StoreConfig(place, tmp_path / "w", str(tmp_path / "other"), ids_column="input_ids")
        with pytest.raises(UsageError, match="those of another tokenizer"):
            make_store(wrong)
    assert "--ids-column input_ids" in (tmp_path / "mix" / "README.md").read_text()


@pytest.mark.long
def test_seed_and_parts(sources, tokenizer_dir, tmp_path):
    sources[0]["share"], sources[1]["share"] = 3, 1
    made = {}
    for name, more in (
        ("one", {}),
        ("parts", {"parts": 3, "workers": 2}),
        ("other", {"seed": 4}),
    ):
        mix(settings(sources, tokenizer_dir, tmp_path / name, **more))
        made[name] = {row["chunk_id"] for row in rows_of(tmp_path / name)}
    assert made["one"] == made["parts"] != made["other"]


def test_rates_of_context_extension():
    config = MixConfig(
        tokenizer="t", unit="chunks", long_tokens=4096, context_share=0.2, long_share=0.8
    )
    sources = [Source("a", ("x",)), Source("b", ("y",))]
    counts = {"a": {"short": 700.0, "long": 100.0}, "b": {"short": 200.0, "long": 0.0}}
    rates = rates_of(config, sources, counts)
    kept_long = 100 * rates["a"]["long"]
    kept_short = 700 * rates["a"]["short"] + 200 * rates["b"]["short"]
    assert kept_long == pytest.approx(100)  # all: fewer than four fifths of 200
    assert kept_long + kept_short == pytest.approx(200)
    counts["a"]["long"] = 9100.0
    rates = rates_of(config, sources, counts)
    assert 9100 * rates["a"]["long"] == pytest.approx(0.8 * 2000)


def test_draws_are_even_and_depend_on_the_seed():
    values = [draw(f"d{i}", 1) for i in range(20_000)]
    assert all(0 <= v < 1 for v in values)
    assert sum(v < 0.3 for v in values) / 20_000 == pytest.approx(0.3, abs=0.02)
    assert draw("d1", 1) != draw("d1", 2)


@pytest.mark.long
def test_wrong_mixes(sources, tokenizer_dir, tmp_path):
    def run(changed, match, error=UsageError, **more):
        with pytest.raises(error, match=match):
            mix(settings(changed, tokenizer_dir, tmp_path / "wrong", **more))

    run([], "without sources")
    run([{**sources[0], "filter": "x"}], "Unknown key 'filter'")
    run([sources[0], {**sources[1], "name": "raw"}], "a name for each")
    run([{**sources[0], "share": 1}, sources[1]], "for some sources only")
    run([{**sources[0], "share": 0}], "share of 0")
    run([{**sources[0], "where": "edu >= 4"}], "no column", DataError)
    run([{**sources[0], "where": "__import__('os')"}], "in the filter")
    run(sources, "which no source of the mix is", input=("more.parquet",))
    run(sources, "long ones are chunks", unit="documents", long_tokens=40)
    big = [{**sources[0], "share": 9}, {**sources[1], "share": 1}]
    run(big, "'raw' has .* at most", DataError, total=10**9)


@pytest.mark.long
def test_a_recipe_trains_on_a_mix(sources, tokenizer_dir, tmp_path):
    from doctobert_hf.cli import main

    mix(settings(sources, tokenizer_dir, tmp_path / "mix"))
    command = ["pretrain", "doctobert-tiny/pretrain", "--corpus", str(tmp_path / "mix" / "data")]
    command += ["--tokenizer", str(tokenizer_dir), "--output", str(tmp_path / "run")]
    assert main([*command, "--max-tokens", "20000", "--warmup-tokens", "1000"]) == 0
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
