"""Search by words: French words beside plain ones, and opening an index.

python benchmarks/searching.py --mantra Mantra-GSC.zip --leaflets leaflets.parquet \
    --json benchmarks/results/searching.json

Terms: every wording of a concept in Mantra's French units asks for the units that name the concept,
as it is written and as it is typed without accents; ours beside bm25s with its own French words
(words of two letters and more, accents as they are). Engines
beside exact search: `benchmarks/retrieval.py --sizes 10000`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from common import add_output_argument, finish
from doctobert_hf.reporting.tables import text_table
from doctobert_hf.retrieval.bm25 import BM25
from doctobert_hf.retrieval.evaluation import per_query
from doctobert_hf.retrieval.lexical import fold

TOP = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mantra", type=Path, help="archive with DERIVED_GSC's XML")
    parser.add_argument("--leaflets", type=Path, help="Parquet of documents to index")
    parser.add_argument("--documents", type=int, default=4000)
    add_output_argument(parser)
    args = parser.parse_args()
    results: dict[str, Any] = {}
    if args.mantra:
        results["terms"] = terms(args.mantra)
    if args.leaflets:
        results["leaflets"] = leaflets(args.leaflets, args.documents)
    finish(args, "searching", results)


def terms(archive: Path) -> dict[str, Any]:
    """Measure nDCG@10 of terminology queries."""
    from doctobert_hf.statistics import bootstrap_mean, paired_significance

    texts, concepts = units(archive)
    queries = sorted({(term, cui) for found in concepts.values() for term, cui in found})
    relevant = {
        cui: [u for u, f in concepts.items() if cui in {c for _, c in f}] for _, cui in queries
    }
    systems = {
        "bm25s, French words": plain_scores(list(texts.values())),
        "ours": BM25(list(texts.values())).scores,
    }
    rows, table = {}, []
    for typed, write in (("as written", str), ("without accents", fold)):
        for name, score in systems.items():
            found = score([write(term) for term, _ in queries])
            ranked = {
                str(n): [
                    (list(texts)[i], float(row[i]))
                    for i in np.argsort(-row, kind="stable")[:TOP]
                    if row[i] > 0
                ]
                for n, row in enumerate(found)
            }
            values = per_query(
                ranked, {str(n): relevant[cui] for n, (_, cui) in enumerate(queries)}
            )["ndcg@10"]
            interval = bootstrap_mean(values)
            rows[typed, name] = values
            table.append(
                [typed, name, f"{np.mean(values):.3f}", f"{interval.low:.3f} - {interval.high:.3f}"]
            )
        before, after = rows[typed, "bm25s, French words"], rows[typed, "ours"]
        table[-1].append(
            f"{np.mean(after) - np.mean(before):+.3f}, p {paired_significance(after, before):.2g}"
        )
        table[-2].append("")
    print(f"{len(queries):,} wordings of {len(relevant):,} concepts, {len(texts):,} units")
    print(text_table(["typed", "words", "nDCG@10", "95 %", "gain"], table))
    return {"queries": len(queries), "documents": len(texts), "table": table}


def units(archive: Path) -> tuple[dict[str, str], dict[str, set[tuple[str, str]]]]:
    """Return Mantra's French units, and the (wording, concept) pairs of each."""
    texts, concepts = {}, {}
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            if not name.endswith("_fr_man.xml"):
                continue
            for unit in ElementTree.fromstring(files.read(name)).iter("unit"):
                text = unit.findtext("text") or ""
                spans = [
                    (int(e.get("offset", 0)), int(e.get("len", 0)), e.get("cui"))
                    for e in unit.iter("e")
                ]
                texts[unit.get("id", "")] = text
                concepts[unit.get("id", "")] = {(text[a : a + n], cui or "") for a, n, cui in spans}
    return texts, concepts


def plain_scores(texts: list[str]) -> Any:
    """Return bm25s with its own French stop words and stemmer, as it was used before folding."""
    import bm25s
    import Stemmer

    stem = Stemmer.Stemmer("french")

    def words(texts: list[str]) -> Any:
        return bm25s.tokenize(
            texts, stopwords="fr", stemmer=stem, return_ids=False, show_progress=False
        )

    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    index.index(words(texts), show_progress=False)

    def scores(queries: list[str]) -> Any:
        found = np.zeros((len(queries), len(texts)), np.float32)
        for row, query in zip(found, words(queries), strict=True):
            known = [word for word in query if word in index.vocab_dict]
            if known:
                row[:] = index.get_scores(known)
        return found

    return scores


def leaflets(source: Path, count: int) -> dict[str, Any]:
    """Time building an index of words, opening it, and a first search."""
    import pyarrow.parquet as pq

    from doctobert_hf.retrieval.index import Index
    from doctobert_hf.retrieval.search import build_index

    with tempfile.TemporaryDirectory() as scratch:
        part = Path(scratch) / "part.parquet"
        pq.write_table(pq.read_table(source).slice(0, count), part)
        begin = time.perf_counter()
        built = build_index(part, Path(scratch) / "index")
        seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        index = Index.load(Path(scratch) / "index")
        opened = time.perf_counter() - begin
        begin = time.perf_counter()
        index.search("hépatite C")
        searched = time.perf_counter() - begin
    row = {"documents": len(built), "passages": len(built.passages), "build_seconds": seconds,
           "open_seconds": opened, "first_search_seconds": searched}  # fmt: skip
    print(
        text_table(
            list(row), [[f"{v:,.3f}" if isinstance(v, float) else f"{v:,}" for v in row.values()]]
        )
    )
    return row


if __name__ == "__main__":
    main()
