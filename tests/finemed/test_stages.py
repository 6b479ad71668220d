"""Annotate, filter, stats: every document accounted for, settings and inputs guarded."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from finemed_helpers import LIGHT, excluded_of, medical_text, rows_of

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.annotate import annotate, normalized
from doctobert_hf.finemed.config import AnnotateConfig, FilterConfig, StatsConfig, read_stage
from doctobert_hf.finemed.density import medical_term_density
from doctobert_hf.finemed.reading import input_files
from doctobert_hf.finemed.selection import select
from doctobert_hf.finemed.statistics import calibration, statistics
from doctobert_hf.finemed.taxonomy import ENTITY_TYPES, SUBDOMAINS


def test_medical_is_kept_and_the_rest_excluded(annotated):
    rows, out = rows_of(annotated), excluded_of(annotated)
    assert {row["id"] for row in rows} == {f"m{i}" for i in range(24)}
    assert {row["id"] for row in out} == {f"o{i}" for i in range(8)}
    assert {row["reason"] for row in out} == {"domain: Other"}
    manifest = json.loads((annotated / "manifest.json").read_text())
    assert manifest["documents"] == 24 and manifest["excluded"] == {"domain: Other": 8}
    assert manifest["read"] == 32


def test_columns(annotated):
    row = rows_of(annotated)[0]
    assert row["num_words"] == len(row["text"].split())
    assert row["health_domain_classification_best_class"] in SUBDOMAINS
    assert len(row["health_domain_classification_scores"]) == 15
    assert sum(row["health_domain_classification_scores"]) == pytest.approx(1, abs=1e-5)
    assert row["edu_quality_normalized_score"] == normalized(row["edu_quality_score"])
    assert list(row["medical_entities"]) == list(ENTITY_TYPES)
    surfaces = [term for terms in row["medical_entities"].values() for term in terms]
    assert surfaces and all(term in row["text"] for term in surfaces)
    assert 0 < row["medical_entity_density"] < 1
    assert row["annotators"]["terms"] == "lexicon"


def test_legacy_density_is_the_published_formula(write_corpus, tmp_path):
    config = AnnotateConfig(
        input=(str(write_corpus()),), output=tmp_path / "legacy", density="legacy", **LIGHT
    )
    annotate(config)
    for row in rows_of(tmp_path / "legacy")[:5]:
        surfaces = [term for terms in row["medical_entities"].values() for term in terms]
        expected = medical_term_density(row["text"], surfaces, "legacy")
        assert row["medical_entity_density"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.long
def test_parts_and_workers_change_nothing(write_corpus, tmp_path, annotated):
    corpus = str(tmp_path / "corpus")
    for name, more in (("four", {"parts": 4, "workers": 2}), ("one", {})):
        annotate(AnnotateConfig(input=(corpus,), output=tmp_path / name, **more, **LIGHT))
    key = lambda row: row["id"]  # noqa: E731
    four, one = (sorted(rows_of(tmp_path / name), key=key) for name in ("four", "one"))
    assert four == one == sorted(rows_of(annotated), key=key)


def test_rounding_is_half_to_even():
    assert [normalized(score) for score in (-1, 0.5, 1.5, 2.5, 4.51, 7)] == [0, 0, 2, 2, 5, 5]


def test_rows_that_are_no_documents(tmp_path):
    rows = [
        {"id": "a", "text": medical_text(1)},
        {"id": "b", "text": None},
        {"id": "c", "text": "  \n"},
        {"id": None, "text": medical_text(2)},
        {"id": "e", "text": 12},
        {"id": "f", "text": "\ud800 fièvre"},
    ]
    lines = [json.dumps(row) for row in rows]
    lines.insert(2, '{"id": "broken", "text": ')
    lines.append('{"id": "g", "text": "Toux.", "text": "Fièvre."}')
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    annotate(AnnotateConfig(input=(str(tmp_path / "in.jsonl"),), output=out, **LIGHT))
    assert [row["id"] for row in rows_of(out)] == ["a", "in.jsonl:4"]
    assert sorted((row["id"], row["reason"]) for row in excluded_of(out)) == [
        ("b", "no_text"),
        ("c", "empty_text"),
        ("e", "text_is_no_string"),
        ("f", "half_a_character"),
        ("in.jsonl:2", "broken_json"),
        ("in.jsonl:7", "repeated_key"),
    ]


def test_columns_that_the_first_row_lacks_are_kept(tmp_path):
    rows = [
        {"id": 0, "text": medical_text(1)},
        {"id": 1, "text": medical_text(2), "source": "hal", "year": 2020},
        {"id": 2, "text": medical_text(3), "source": None, "lang": "fr"},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    annotate(AnnotateConfig(input=(str(tmp_path / "in.jsonl"),), output=out, **LIGHT))
    found = {row["id"]: row for row in rows_of(out)}
    assert set(found) == {"0", "1", "2"}, "an id of 0 is an id"
    assert (found["1"]["source"], found["1"]["year"]) == ("hal", 2020)
    assert found["2"]["lang"] == "fr" and found["0"]["source"] is None


def test_a_shard_cut_short_stops_and_the_rest_goes_on_later(write_corpus, tmp_path):
    corpus = write_corpus(files=2)
    whole = (corpus / "1.parquet").read_bytes()
    schema_intact = whole[:200] + b"\0" * 900 + whole[1100:]
    (corpus / "1.parquet").write_bytes(schema_intact)
    config = AnnotateConfig(input=(str(corpus),), output=tmp_path / "out", parts=2, **LIGHT)
    with pytest.raises(DataError, match="1.parquet.*cannot be read to its end"):
        annotate(config)
    assert (tmp_path / "out" / "logs" / "completions" / "00000").is_file()
    with pytest.raises(UsageError, match="a stage that is not finished"):
        select(FilterConfig(input=(str(tmp_path / "out"),), output=tmp_path / "kept"))
    (corpus / "1.parquet").write_bytes(whole)
    assert annotate(config)["documents"] == 24
    (corpus / "1.parquet").write_bytes(whole[:-100])
    with pytest.raises(DataError, match="cannot be read"):
        annotate(AnnotateConfig(input=(str(corpus),), output=tmp_path / "other", **LIGHT))


def test_missing_and_mistyped_columns(annotated, write_corpus, tmp_path):
    plain = write_corpus("plain")
    with pytest.raises(DataError, match="no column 'num_words'.*finemed annotate"):
        select(FilterConfig(input=(str(plain),), output=tmp_path / "a"))
    words = write_corpus("words", edu_quality_normalized_score=lambda row: "four")
    config = FilterConfig(input=(str(words),), output=tmp_path / "b", where="edu >= 4")
    with pytest.raises(DataError, match="is of type string"):
        select(config)
    with pytest.raises(DataError, match="a column 'texte'.*Did you mean 'text'"):
        config = AnnotateConfig(
            input=(str(plain),), output=tmp_path / "c", text_column="texte", **LIGHT
        )
        annotate(config)
    numbered = write_corpus("numbered", files=1)
    pq.write_table(pa.table({"id": [1], "text": [7]}), numbered / "z.parquet")
    with pytest.raises(DataError, match="z.parquet.*int64"):
        annotate(AnnotateConfig(input=(str(numbered),), output=tmp_path / "d", **LIGHT))


def test_another_configuration_or_input_is_refused(annotated, tmp_path):
    corpus = tmp_path / "corpus"
    again = AnnotateConfig(input=(str(corpus),), output=annotated, **LIGHT)
    assert annotate(again)["documents"] == 24
    again.density = "legacy"
    with pytest.raises(UsageError, match="started with density 'union'"):
        annotate(again)
    again.density = "union"
    pq.write_table(pa.table({"id": ["x"], "text": ["fièvre"]}), corpus / "9.parquet")
    with pytest.raises(UsageError, match="have changed"):
        annotate(again)
    half = tmp_path / "half"  # killed while the folder was made
    half.mkdir()
    (half / ".incomplete-abc_1234").mkdir()
    assert annotate(AnnotateConfig(input=(str(corpus),), output=half, **LIGHT))["documents"] == 25
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="in use"):
        annotate(AnnotateConfig(input=(str(corpus),), output=tmp_path / "used", **LIGHT))


def test_changed_term_files_are_refused(write_corpus, tmp_path):
    terms = tmp_path / "terms.txt"
    terms.write_text("douleur\n")
    keys = {**LIGHT, "lexicons": ("base", str(terms))}
    config = AnnotateConfig(input=(str(write_corpus()),), output=tmp_path / "terms", **keys)
    made = annotate(config)
    assert annotate(config) == made
    terms.write_text("toux\n")
    with pytest.raises(UsageError, match="have changed since it was started"):
        annotate(config)


def test_filter_keeps_what_the_expression_keeps_and_says_why(annotated, tmp_path):
    out = tmp_path / "kept"
    where = "edu >= 4 and density >= 0.25"
    manifest = select(FilterConfig(input=(str(annotated),), output=out, where=where))
    wanted = {
        row["id"]
        for row in rows_of(annotated)
        if row["edu_quality_normalized_score"] >= 4 and row["medical_entity_density"] >= 0.25
    }
    assert 0 < len(wanted) < 24
    assert {row["id"] for row in rows_of(out)} == wanted
    assert manifest["words"]["out"] == sum(len(row["text"].split()) for row in rows_of(out))
    for row in excluded_of(out):
        assert row["reason"] in (
            "not edu_quality_normalized_score >= 4",
            "not medical_entity_density >= 0.25",
        )


@pytest.mark.long
def test_stats(annotated, tmp_path):
    found = statistics(StatsConfig(input=(str(annotated),), output=tmp_path / "stats"))
    source = found["sources"]["annotated"]
    rows = rows_of(annotated)
    assert source["documents"] == 24
    assert source["words"] == sum(row["num_words"] for row in rows)
    assert sum(source["density_histogram"]) == sum(source["subdomains"].values()) == 24
    kept = source["kept"]["med02"]["documents"]
    assert kept == sum(row["medical_entity_density"] >= 0.2 for row in rows)
    assert found["calibration"]["documents"] == 24
    page = (tmp_path / "stats" / "STATISTICS.md").read_text()
    assert "What each published mix keeps" in page
    for figure in ("density", "quality", "subdomains"):
        assert (tmp_path / "stats" / f"{figure}.png").stat().st_size > 5000


def test_stats_of_a_table_say_what_to_do(tmp_path):
    (tmp_path / "a.csv").write_text("text,n\nToux,1\n")
    config = StatsConfig(input=(str(tmp_path / "a.csv"),), output=tmp_path / "stats")
    with pytest.raises(DataError, match="'a.csv' of .* no typed columns.*Run a stage"):
        statistics(config)


@pytest.mark.long
def test_stats_do_not_depend_on_parts(annotated, tmp_path):
    """Files are counted by parts, on any executor, and added in their order."""
    import pyarrow.parquet as pq

    table = pq.read_table(annotated / "data")
    (tmp_path / "files").mkdir()
    for number in range(5):
        part = table.slice(5 * number, 5)
        pq.write_table(part, tmp_path / "files" / f"{number}.parquet")
    options = {"input": (str(tmp_path / "files"),), "calibration": 7, "plots": False}
    found = [
        statistics(StatsConfig(output=tmp_path / f"stats{tasks}", parts=tasks, **options))
        for tasks in (1, 3)
    ]
    assert found[0]["sources"] == found[1]["sources"]
    assert found[0]["sources"]["files"]["documents"] == 24
    assert found[0]["calibration"] == found[1]["calibration"]
    assert found[0]["calibration"]["documents"] == 7
    again = statistics(StatsConfig(output=tmp_path / "stats3", parts=3, **options))
    assert again["sources"] == found[1]["sources"]
    pq.write_table(table, tmp_path / "files" / "5.parquet")
    with pytest.raises(UsageError, match="--overwrite"):  # never the old counts in silence
        statistics(StatsConfig(output=tmp_path / "stats3", parts=3, **options))


def test_inputs_of_one_name_are_counted_apart(annotated, tmp_path):
    shard = next((annotated / "data").glob("*.parquet"))
    for name in ("web", "wiki"):
        (tmp_path / name / "data").mkdir(parents=True)
        shutil.copy(shard, tmp_path / name / "data" / "UP.PARQUET")
    inputs = tuple(str(tmp_path / name / "data") for name in ("web", "wiki"))
    found = statistics(StatsConfig(input=inputs, output=tmp_path / "stats", plots=False))
    assert set(found["sources"]) == set(inputs)


@pytest.mark.long
def test_stats_of_another_tokenizer_and_of_a_mended_file(annotated, tokenizer_dir, tmp_path):
    import shutil

    import pyarrow.parquet as pq

    shutil.copytree(tokenizer_dir, tmp_path / "tok")
    shutil.copytree(annotated / "data", tmp_path / "files")
    table = pq.read_table(annotated / "data")
    broken = tmp_path / "files" / "z.parquet"
    broken.write_bytes(b"PAR1 cut")
    config = StatsConfig(
        input=(str(tmp_path / "files"),),
        output=tmp_path / "stats",
        tokenizer=str(tmp_path / "tok"),
        plots=False,
    )
    with pytest.raises(DataError, match=r"'z.parquet' of .* cannot be read to its end"):
        statistics(config)
    pq.write_table(table, broken)
    assert statistics(config)["sources"]["files"]["documents"] == 48  # mended: it goes on
    text = (tmp_path / "tok" / "tokenizer.json").read_text()
    (tmp_path / "tok" / "tokenizer.json").write_text(text + " ")
    with pytest.raises(UsageError, match="--overwrite"):
        statistics(config)
    config.output, config.text_column = tmp_path / "other", "body"
    with pytest.raises(DataError, match="has no column 'body'"):
        statistics(config)


def test_calibration_finds_the_threshold_that_keeps_as_many():
    sample = [(value / 100, 2 * value / 100) for value in range(100)]
    found = calibration(sample)
    row = next(row for row in found["thresholds"] if row["legacy"] == 0.2)
    assert row["kept"] == pytest.approx(0.9) and row["union"] == pytest.approx(0.1)
    assert found["spearman"] == pytest.approx(1)
    assert calibration([]) is None


def test_recipes_and_unknown_keys():
    assert read_stage("annotate", "finemed/light", {}).terms == "lexicon"
    assert read_stage("rephrase", "finemed/rephrase", {"seed": 3}).seed == 3
    assert read_stage("mix", "finemed/context", {}).long_tokens == 4096
    with pytest.raises(UsageError, match="Unknown key 'lexicon'"):
        read_stage("annotate", None, {"lexicon": "base"})


def test_a_packed_file_that_is_cut_and_one_in_latin_1_are_told(tmp_path):
    import gzip

    rows = (json.dumps({"text": medical_text(i)}) for i in range(9))
    whole = gzip.compress("\n".join(rows).encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[:-20])
    latin = json.dumps({"text": "Fièvre"}, ensure_ascii=False).encode("latin-1")
    (tmp_path / "latin.jsonl").write_bytes(latin)
    for name, words in {"cut.jsonl.gz": "a whole file", "latin.jsonl": "iconv"}.items():
        config = AnnotateConfig(input=(str(tmp_path / name),), output=tmp_path / "o", **LIGHT)
        with pytest.raises(DataError, match=words):
            annotate(config)
        assert not (tmp_path / "o").exists()


def test_a_stage_below_an_input_is_not_read(write_corpus, tmp_path, caplog):
    corpus = write_corpus()
    shutil.copytree(corpus, tmp_path / "in")
    before = input_files(str(tmp_path / "in"))
    annotate(AnnotateConfig(input=(str(corpus),), output=tmp_path / "in" / "stage", **LIGHT))
    assert input_files(str(tmp_path / "in")) == before
    assert "stage holds another stage" in caplog.text
    assert input_files(str(tmp_path / "in" / "stage"))  # named itself it is read


def test_files_of_other_kinds_in_an_input_are_told(tmp_path, caplog):
    for name in ("a.jsonl", "b.doc", "c.DOC", "._a.jsonl"):
        (tmp_path / name).write_text('{"text": "a"}\n')
    assert [file.name for file in input_files(str(tmp_path))] == ["a.jsonl"]
    assert "files that are not read: 1 hidden, 2 .doc" in caplog.text
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(UsageError, match="There are 1 hidden, 2 .doc"):
        input_files(str(tmp_path))
