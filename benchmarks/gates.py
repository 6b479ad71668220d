"""Gates of rewriting: which single corruptions of real documents are caught, and what is refused.

python benchmarks/gates.py --data case_reports.parquet [--documents 120] [--json FILE]

Every document is corrupted once in each way (a dose times ten, another unit, a decimal mark left
out, a negation left out, the other side, another medicine, an invented disease) and compared with
itself before. A negation counts where its sentence is affirmed afterwards: "sans aucun" still
denies without "sans". Faithful are the document itself and one with linking words between its own
(`local_endpoint.py`). Nothing but this package takes part: no peer checks rewrites in French.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Callable

from common import add_output_argument, finish
from doctobert_hf.finemed import check_rewrite
from local_endpoint import rewrite_by_rule

_DRUGS = ("amoxicilline", "métoprolol", "ramipril", "atorvastatine", "ciprofloxacine")
_DISEASES = ("péritonite", "méningite", "embolie pulmonaire", "sclérodermie", "pancréatite")
_UNITS = {"mg": "g", "ml": "l", "cm": "mm", "mm": "cm"}
_DENIED = re.compile(
    r"(?<!\w)(?<!sans )(?:sans|pas d(?:e\s|['’])|aucune?|absence d(?:e\s|['’]))\s?"
    r"(?!aucune?|autres?\s)(?=\w{5,})(?![^.;,]*n['’])"
)
_OUT = re.compile(r"(?<!\w)(droite?|gauche)(?!\w)")
Corruption = Callable[[str, random.Random], "str | None"]


def _replaced(
    pattern: re.Pattern[str], text: str, rng: random.Random, new: Callable[[re.Match[str]], str]
) -> str | None:
    places = list(pattern.finditer(text))
    if not places:
        return None
    place = rng.choice(places)
    return text[: place.start()] + new(place) + text[place.end() :]


def dose(text: str, rng: random.Random) -> str | None:
    """A number with a unit, times ten."""
    pattern = re.compile(r"(?<![\w.,/])(\d+)(?=\s?(?:mg|g|ml|µg|UI|mm|cm|ans|jours|mois|%))")
    return _replaced(pattern, text, rng, lambda m: str(int(m[1]) * 10))


def unit(text: str, rng: random.Random) -> str | None:
    """Another unit."""
    pattern = re.compile(r"(?<=\d)\s?(mg|ml|cm|mm)(?!\w)")
    return _replaced(pattern, text, rng, lambda m: f" {_UNITS[m[1]]}")


def decimal(text: str, rng: random.Random) -> str | None:
    """The decimal mark left out."""
    pattern = re.compile(r"(?<![\w.,(])(\d+)[,.](\d)(?=\s\w)")
    return _replaced(pattern, text, rng, lambda m: m[1] + m[2])


def negation(text: str, rng: random.Random) -> str | None:
    """A negation turned round."""
    return _replaced(_DENIED, text, rng, lambda m: "présence de " if "absence" in m[0] else "une ")


def side(text: str, rng: random.Random) -> str | None:
    """The other side."""
    return _replaced(_OUT, text, rng, lambda m: "gauche" if m[1].startswith("d") else "droite")


def drug(text: str, rng: random.Random) -> str | None:
    """Another medicine."""
    from doctobert_hf.finemed.rephrase.terms import kind_of

    named = [m for m in re.finditer(r"\w+", text) if kind_of(m[0]) == "drug"]
    if not named:
        return None
    place = rng.choice(named)
    other = rng.choice([name for name in _DRUGS if name not in text.lower()])
    return text[: place.start()] + other + text[place.end() :]


def disease(text: str, rng: random.Random) -> str | None:
    """A disease that the document does not name."""
    new = [name for name in _DISEASES if name.split()[0] not in text.lower()]
    place = text.rfind(". ") + 2
    return f"{text[:place]}On découvre aussi une {rng.choice(new)}. {text[place:]}"


CORRUPTIONS: tuple[Corruption, ...] = (dose, unit, decimal, negation, side, drug, disease)


def documents(path: str, most: int) -> list[str]:
    """Case reports of 600 to 4,000 characters with numbers in them, drawn once."""
    import pyarrow.parquet as pq

    texts = pq.read_table(path, columns=["text"])["text"].to_pylist()
    fit = [t for t in texts if 600 < len(t) < 4000 and "patient" in t and re.search(r"\d", t)]
    random.Random(1).shuffle(fit)
    return fit[:most]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="Parquet file with a column text")
    parser.add_argument("--documents", type=int, default=120)
    add_output_argument(parser)
    args = parser.parse_args()
    texts = documents(args.data, args.documents)
    rng, results = random.Random(2), {}
    print(f"{len(texts)} documents, {sum(map(len, texts)):,} characters\n")
    for corrupt in CORRUPTIONS:
        tried = [(text, corrupt(text, rng)) for text in texts]
        changed = [(old, new) for old, new in tried if new is not None and new != old]
        caught = sum(bool(check_rewrite(old, new)) for old, new in changed)
        share = 100 * caught / max(1, len(changed))
        results[corrupt.__name__] = {"tried": len(changed), "caught": caught, "percent": share}
        print(f"{corrupt.__name__:10} caught  {caught:4} of {len(changed):4}  {share:6.1f} %")
    for name, made in (("itself", lambda text: text), ("linking words", rewrite_by_rule)):
        start = time.perf_counter()
        reasons = [check_rewrite(text, made(text)) for text in texts]
        seconds = time.perf_counter() - start
        refused = sum(map(bool, reasons))
        why = Counter(reason.split(":")[0] for found in reasons for reason in found)
        rate = sum(map(len, texts)) / seconds / 1e6
        results[name] = {"tried": len(texts), "refused": refused, "megacharacters_a_second": rate}
        print(f"{name:14} refused {refused:4} of {len(texts):4}  {rate:.2f} MB/s  {dict(why)}")
    finish(args, "gates", results)


if __name__ == "__main__":
    main()
