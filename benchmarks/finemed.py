"""FineMed's CPU steps on real documents: rates, densities side by side, separation, a plan.

python benchmarks/finemed.py --medical medical.parquet --general general.parquet --data-dir raw \
    --lexicons base cim10 drugs --json benchmarks/results/finemed.json

Rates are megabytes of UTF-8 text by second of processor time on one core, medians of repeats. The
plan multiplies them by the size of the published pool (21.1 M documents, 19.2 B words).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common import add_output_argument, finish, load_or_train_tokenizer
from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.finemed.annotate import store_terms
from doctobert_hf.finemed.annotators import light
from doctobert_hf.finemed.annotators.lexicon import LexiconMatcher, load_lexicons
from doctobert_hf.finemed.config import DecontaminateConfig, RephraseConfig
from doctobert_hf.finemed.density import medical_term_density
from doctobert_hf.finemed.filters import parse
from doctobert_hf.finemed.statistics import calibration
from doctobert_hf.reporting.tables import text_table

POOL_DOCUMENTS, POOL_WORDS = 21_100_000, 19_200_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--medical", type=Path, required=True, help="Parquet with id and text")
    parser.add_argument("--general", type=Path, required=True, help="the same, not medical")
    parser.add_argument("--data-dir", type=Path, help="raw corpora, for decontamination")
    parser.add_argument("--lexicons", nargs="+", default=["base"])
    parser.add_argument("--tokenizer", help="tokenizer of the chunking step")
    parser.add_argument("--documents", type=int, default=300, help="documents to measure rates on")
    parser.add_argument("--repeats", type=int, default=5)
    add_output_argument(parser)
    args = parser.parse_args()

    matcher = load_lexicons(args.lexicons)
    medical, general = (pq.read_table(p).to_pylist() for p in (args.medical, args.general))
    step = max(1, len(medical) // args.documents)
    texts = [row["text"] for row in medical[::step]]
    results: dict[str, Any] = {"lexicons": args.lexicons, "terms": matcher.size}
    with tempfile.TemporaryDirectory() as scratch:
        results["rates_mb_per_s"] = rates(args, texts, matcher, scratch)
        results["stored_share"] = stored_share(texts, scratch)
    results["density"] = densities(texts, matcher)
    results["filter"] = filter_speed(args.repeats)
    results["separation"] = separation(medical, general, matcher)
    results["plan"] = plan(results["rates_mb_per_s"], texts, results["stored_share"])
    finish(args, "finemed", results)


def rates(
    args: argparse.Namespace, texts: list[str], matcher: LexiconMatcher, scratch: str
) -> dict[str, float]:
    """Megabytes a second of each step."""
    terms = [matcher.find(text) for text in texts]
    both = list(zip(texts, terms, strict=True))
    steps: dict[str, Callable[[], Any]] = {
        "lexicon terms": lambda: [matcher.find(text) for text in texts],
        "union density and columns": lambda: [
            store_terms({}, text, found, "union") for text, found in both
        ],
        "light domain": lambda: [light.domain_scores(*pair) for pair in both],
        "light subdomain": lambda: [light.subdomain_scores(*pair) for pair in both],
        "light quality": lambda: [light.quality_score(*pair) for pair in both],
        **cleaning_steps(texts, scratch),
        **text_steps(args, texts, matcher, scratch),
    }
    size = sum(len(text.encode()) for text in texts) / 1e6
    found = {name: size / median(work, args.repeats) for name, work in steps.items()}
    rows = [[name, f"{rate:.2f}"] for name, rate in found.items()]
    print(f"{len(texts)} documents, {size:.1f} MB, one core\n")
    print(text_table(["step", "MB/s"], rows))
    return found


def cleaning_steps(texts: list[str], scratch: str) -> dict[str, Callable[[], Any]]:
    """Reading and writing, repair, language, repetition, personal data, duplicates."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashConfig
    from datatrove.utils.hashing import HashConfig

    from doctobert_hf.finemed.cleaning import FRENCH_WORDS, LanguageIdentifier, Signatures
    from doctobert_hf.finemed.exact_duplicates import fingerprint_of
    from doctobert_hf.finemed.masking import deidentify
    from doctobert_hf.finemed.reading import CorpusReader
    from doctobert_hf.finemed.repair import repair
    from doctobert_hf.finemed.repetition import Repetition
    from doctobert_hf.finemed.signature import Signature
    from doctobert_hf.finemed.writing import Exclusions, TableWriter

    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    path = Path(scratch) / "texts.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    reader = CorpusReader(str(path), "text", "id", Exclusions(scratch))
    language = LanguageIdentifier()
    settings = MinhashConfig(hash_config=HashConfig(hash_fc="sha1"))
    signature = Signatures(scratch, settings, FRENCH_WORDS)
    repetition = Repetition(language=FRENCH_WORDS)
    documents = [Document(text=row["text"], id=row["id"]) for row in rows]

    def write() -> None:
        writer = TableWriter(str(Path(scratch) / "written"), pa.schema([]))
        with writer:
            for row in rows:
                writer.write(Document(text=row["text"], id=row["id"]), 0)

    return {
        "read Parquet": lambda: list(reader.run()),
        "write Parquet": write,
        "repair": lambda: [repair(text) for text in texts],
        "language": lambda: [language(text) for text in texts],
        "repetition": lambda: [repetition.filter(document) for document in documents],
        "personal data": lambda: [deidentify(text) for text in texts],
        "digests": lambda: [fingerprint_of(text) for text in texts],
        "MinHash signatures": lambda: [
            signature.get_signature(signature.get_shingles(text)) for text in texts
        ],
        "candidates' hashes": lambda: [Signature.of(text, 5).pack() for text in texts],
    }


def text_steps(
    args: argparse.Namespace, texts: list[str], matcher: LexiconMatcher, scratch: str
) -> dict[str, Callable[[], Any]]:
    """Chunking, the rephrasing gates, decontamination."""
    from doctobert_hf.finemed.decontamination import TestIndex, read_units
    from doctobert_hf.finemed.rephrase.gates import rejections

    chunker = HierarchicalChunker(load_or_train_tokenizer(args.tokenizer, scratch), 512)
    gates = RephraseConfig(copy_share=1.0)
    steps: dict[str, Callable[[], Any]] = {
        "chunks of 512 tokens": lambda: chunker.encode(texts),
        "gates of a rewrite": lambda: [
            rejections(text, text, gates, matcher, "fr") for text in texts
        ],
    }
    if args.data_dir:
        settings = DecontaminateConfig(input=("x",), data_dir=args.data_dir)
        index = TestIndex(settings.words)
        for task, text in read_units(settings):
            index.add(task, text, settings.least_words)
        steps[f"decontamination, {len(index.units):,} units"] = lambda: [
            index.hits(text) for text in texts
        ]
    return steps


def densities(texts: list[str], matcher: LexiconMatcher) -> dict[str, Any]:
    """Union beside legacy on the same surfaces: values and processor time."""
    surfaces = [{text[t.start : t.end] for t in matcher.find(text)} for text in texts]
    pairs = list(zip(texts, surfaces, strict=True))
    sample = [
        (medical_term_density(text, terms, "union"), medical_term_density(text, terms, "legacy"))
        for text, terms in pairs
    ]
    spans = [[(t.start, t.end) for t in matcher.find(text)] for text in texts]
    ours = median(
        lambda: [medical_term_density(t, s) for t, s in zip(texts, spans, strict=True)], 3
    )
    legacy = median(lambda: [medical_term_density(t, s, "legacy") for t, s in pairs], 3)
    found = calibration(sample) or {}
    found["seconds_union_from_offsets"], found["seconds_legacy"] = ours, legacy
    rows = [
        ["mean", f"{found['union_mean']:.4f}", f"{found['legacy_mean']:.4f}"],
        ["largest", f"{max(u for u, _ in sample):.4f}", f"{found['legacy_max']:.4f}"],
        ["seconds", f"{ours:.3f}", f"{legacy:.3f}"],
    ]
    print("\n" + text_table(["density", "union", "legacy"], rows))
    return found


def filter_speed(repeats: int) -> dict[str, float]:
    """Rows a second of a parsed filter beside Arrow called by hand, on a million made-up rows."""
    import numpy as np

    draw = np.random.default_rng(0)
    count = 1_000_000
    names = np.array(["Drugs, trials & regulation", "Others", "Other health"])
    table = pa.table(
        {
            "num_words": draw.integers(1, 5000, count),
            "edu_quality_normalized_score": draw.integers(0, 6, count),
            "medical_entity_density": draw.random(count).astype("float32"),
            "health_domain_classification_best_class": names[draw.integers(0, 3, count)],
        }
    )
    where = parse("main")
    field = pc.field
    plain = (
        (field("num_words") >= 10)
        & (field("health_domain_classification_best_class") != "Others")
        & (field("edu_quality_normalized_score") >= 4)
        & (field("medical_entity_density") >= 0.1)
    )
    assert where.apply(table).num_rows == table.filter(plain).num_rows
    ours = count / median(lambda: where.apply(table), repeats)
    arrow = count / median(lambda: table.filter(plain), repeats)
    print(f"\nfilter: {ours:,.0f} rows/s, Arrow by hand {arrow:,.0f}, ratio {ours / arrow:.2f}")
    return {"rows_per_s": ours, "arrow_rows_per_s": arrow, "ratio": ours / arrow}


def separation(
    medical: list[dict[str, Any]], general: list[dict[str, Any]], matcher: LexiconMatcher
) -> dict[str, Any]:
    """Precision and recall of the light domain rule.

    Half of the general documents were looked at when the list of ordinary words was made; the
    figures are on the other half.
    """
    held = [row for row in general if zlib.crc32(row["id"].encode()) % 2]

    def health(rows: list[dict[str, Any]]) -> int:
        return sum(
            light.domain_scores(row["text"], matcher.find(row["text"]))[0] >= 0.5 for row in rows
        )

    hits, false = health(medical), health(held)
    found = {
        "medical": len(medical),
        "general_held_out": len(held),
        "recall": hits / len(medical),
        "false_positive_rate": false / len(held),
        # With as many documents of each kind, so that the sizes of the two sets do not decide.
        "precision_balanced": (hits / len(medical)) / (hits / len(medical) + false / len(held)),
    }
    rows = [[key, f"{value:,.4f}" if isinstance(value, float) else f"{value:,}"]
            for key, value in found.items()]  # fmt: skip
    print("\n" + text_table(["separation", ""], rows))
    return found


def stored_share(texts: list[str], scratch: str) -> float:
    """Bytes of the Parquet written by bytes of its text."""
    written = sum(path.stat().st_size for path in Path(scratch, "written").glob("*.parquet"))
    return written / sum(len(text.encode()) for text in texts)


def plan(measured: dict[str, float], texts: list[str], share: float) -> dict[str, Any]:
    """Core hours and storage for the published pool, from the rates measured."""
    words = sum(len(text.split()) for text in texts)
    size = sum(len(text.encode()) for text in texts)
    megabytes = POOL_WORDS * size / words / 1e6
    stored = {name: megabytes / rate / 3600 for name, rate in measured.items()}
    rows = [[name, f"{hours:,.1f}"] for name, hours in stored.items()]
    print(f"\n{POOL_DOCUMENTS:,} documents, {POOL_WORDS:,} words, {megabytes / 1000:,.0f} GB\n")
    print(text_table(["step", "core hours"], [*rows, ["all", f"{sum(stored.values()):,.1f}"]]))
    print(f"stored by each stage: {share * megabytes / 1000:,.0f} GB")
    return {
        "gigabytes": megabytes / 1000,
        "stored_gigabytes": share * megabytes / 1000,
        "core_hours": stored,
    }


def median(work: Callable[[], Any], repeats: int) -> float:
    """Median seconds of processor time."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
