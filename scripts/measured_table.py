"""Write the README's table of what is measured, from the committed records.

python scripts/measured_table.py
"""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
START, END = "<!-- measured -->\n", "<!-- /measured -->"


def record(name: str) -> dict[str, Any]:
    """Return the results of a committed record."""
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["results"]


def rows() -> list[tuple[str, str, str, str]]:
    """Return for each line: page, what is measured, ours, and what stands beside it."""
    return [_sentences(), _chunks(), _packing(), *_finemed(), _search(), _metrics()]


def _sentences() -> tuple[str, str, str, str]:
    found = {name.split()[0]: row["emea-dev"] for name, row in record("sentences").items()}
    shown = {
        name: f"{row['precision']:.1f}/{row['recall']:.1f}" for name, row in found.items()
    }  # fmt: skip
    beside = f"punkt {shown['nltk']}, eds.sentences {shown['edsnlp']}, syntok {shown['syntok']}"
    return (
        "chunking",
        "sentence ends in leaflets (Sequoia EMEA, development part), precision/recall",
        shown["ours"],
        f"{beside}, pysbd {shown['pysbd']}",
    )


def _chunks() -> tuple[str, str, str, str]:
    found = record("chunk_peers")["general"]
    ours = found.pop("ours")
    others = {
        name.split(" (")[0].replace(", ", " "): f"{row['fill']:.3f}"
        for name, row in found.items()
        if not name.startswith("ours") and row["good"] > 0.9
    }
    return (
        "chunking",
        "fill of chunks of 512 tokens that end where sentences do, general text",
        f"{ours['fill']:.3f}",
        ", ".join(f"{name} {fill}" for name, fill in others.items()),
    )


def _packing() -> tuple[str, str, str, str]:
    row = record("pretraining")["doctobert-base, 128"]
    return (
        "pretraining",
        "RoBERTa at 128, real tokens a second on a processor",
        f"{row['ours']:,.0f}",
        f"stock Trainer padded {row['padded']:,.0f}, in blocks {row['blocks']:,.0f}",
    )


def _finemed() -> list[tuple[str, str, str, str]]:
    gates, personal = record("gates"), record("personal_data")
    copies, domain = record("decontamination")["morfitt"], record("domain")
    forms = ("unaccented", "soft hyphens", "typos in 5 %")
    ours, grams = (
        ", ".join(f"{100 * copies[form][who]:.0f} %" for form in forms)
        for who in ("ours", "exact 12-grams")
    )
    altered = [row for row in gates.values() if "caught" in row]
    caught, tried = (sum(row[key] for row in altered) for key in ("caught", "tried"))
    same = [row for row in gates.values() if "refused" in row]
    refused, faithful = (sum(row[key] for row in same) for key in ("refused", "tried"))
    kinds = personal["kinds"].values()
    clean = personal["texts without any"]
    return [
        (
            "finemed",
            "gates of a rewrite: seven kinds of single corruptions of 120 case reports",
            f"{caught} of {tried} caught, {refused} of {faithful} faithful refused",
            "no known tool",
        ),
        (
            "finemed",
            f"test abstracts found in a corpus: {', '.join(forms)}",
            ours,
            f"exact 12-grams {grams}",
        ),
        (
            "finemed",
            f"personal data of {len(kinds)} kinds in known forms, replaced whole; leaflets with a "
            "false one",
            f"{sum(row['found'] for row in kinds):,} of {sum(row['made'] for row in kinds):,}; "
            f"{clean['hit']} of {clean['documents']:,}",
            "not measured",
        ),
        (
            "finemed",
            "kept as health: abstracts, notes; horoscopes, cooking, animals",
            f"{100 * domain['abstracts']['kept']:.0f} %, {100 * domain['notes']['kept']:.0f} %; "
            f"{100 * domain['horoscope, cooking, animals, cosmetics']['kept']:.0f} %",
            "not measured",
        ),
    ]


def _search() -> tuple[str, str, str, str]:
    table = record("searching")["terms"]["table"]
    scores = {(typed, who): value for typed, who, value, *_ in table}
    return (
        "retrieval",
        "BM25 on Mantra's wordings typed without accents, nDCG@10",
        scores["without accents", "ours"],
        f"bm25s {scores['without accents', 'bm25s, French words']}",
    )


def _metrics() -> tuple[str, str, str, str]:
    found = record("metrics")
    row = found["modes"]["strict"]
    return (
        "metrics",
        "entity F1 of 100,000 tags, strict, the same to the last digit",
        f"{row['ours_ms']:.0f} ms",
        f"seqeval {row['seqeval_ms']:,.0f} ms",
    )


def filled(page: str) -> str:
    """Return a page with the table between its marks."""
    lines = ["| what | ours | beside it |", "| --- | --- | --- |"]
    lines += [f"| [{what}](docs/{name}.md) | {ours} | {beside} |"
              for name, what, ours, beside in rows()]  # fmt: skip
    before, rest = page.split(START)
    table = "\n".join(lines)
    return f"{before}{START}\n{table}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
