"""Learn the weights of ``finemed/lexicons/domain.tsv``, and measure the domain rule with them.

python benchmarks/train_domain.py --data ../shared/data [--weights FILE] [--json FILE]

Without ``--weights`` the shipped ones are measured. Learned from: case reports and leaflets, the
training parts of MorFITT, FrenchMedMCQA and QUAERO, LabForSims2, the package's terms, notes and
pages on other subjects of ``benchmarks/data`` (written for this), novels and a manual; case reports
with an animal for the patient stand for veterinary pages. Measured on the test parts, on every 60th
document, on every third novel and on the pages and notes held out.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from common import add_output_argument, finish
from doctobert_hf.finemed.annotators import light
from doctobert_hf.finemed.annotators.lexicon import base_words, load_lexicons
from doctobert_hf.finemed.words import fold
from doctobert_hf.reporting.tables import text_table

HERE = Path(__file__).parent / "data"
WORD = re.compile(r"[^\W\d_]{2,}")
FUNCTION_WORDS = frozenset(
    "a au aux avec ce ces cet cette ceux comme dans de des du elle elles en et eux il ils je la "
    "le les leur leurs lui ma mais me meme mes moi mon ne nos notre nous on ou par pas pour qu "
    "que qui sa sans se ses si son sont sous sur ta te tes toi ton tu un une vos votre vous est "
    "etait etaient ete etre fut furent sera serait ont avait avaient avoir eu ai as avez avons "
    "suis sommes etes deja plus tres bien tout tous toute toutes rien jamais toujours encore "
    "aussi ainsi alors donc car lorsque quand puis y la ici deux trois quatre cinq six sept "
    "huit neuf dix fait faire dit dire autre autres quelque quelques chaque aucun aucune peu "
    "trop beaucoup moins entre vers chez contre depuis apres avant pendant".split()
)
"""Left out: they tell a novel's manner from a record's, not its subject."""
LEAST = 0.25
"""Weights nearer to 0 are left out of the table."""
ANIMALS = (
    *("chien", "chat", "cheval", "lapin", "chiot", "chaton", "labrador", "veau", "furet"),
    *("canard", "berger allemand", "jument", "félin"),
)
AS_ANIMAL = (
    (r"\b[Ll]e patient\b", "le {}"),
    (r"\b[Ll]a patiente\b", "la chienne"),
    (r"\bpatients?\b", "animaux"),
    (r"\b[Uu]n homme\b", "un {} mâle"),
    (r"\b[Uu]ne femme\b", "une chatte"),
    (r"\bmédecin\b", "vétérinaire"),
    (r"\b[Ll]'enfant\b", "le chiot"),
    (r"\bhôpital\b", "clinique vétérinaire"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="learn, and write the table here")
    add_output_argument(parser)
    args = parser.parse_args()
    random.seed(0)
    if args.weights:
        learn(args.data, args.weights)
    matcher = load_lexicons(("base", "cim10", "drugs"))
    found = {}
    for name, texts in held_out(args.data).items():
        scores = [light.domain_scores(text, matcher.find(text))[0] for text in texts]
        found[name] = {"texts": len(texts), "kept": float(np.mean([s >= 0.5 for s in scores]))}
    rows = [[name, f"{row['texts']:,}", f"{row['kept']:.1%}"] for name, row in found.items()]
    print(text_table(["kind of text", "texts", "kept as health"], rows))
    finish(args, "domain", found)


def abstracts(data: Path, part: str) -> list[str]:
    with open(data / "raw/morfitt" / f"{part}.tsv", encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))[1:]
    return [max(row, key=len) for row in rows if row]


def questions(data: Path, part: str) -> list[str]:
    rows = json.loads((data / "raw/frenchmedmcqa" / f"{part}.json").read_text(encoding="utf-8"))
    return [f"{row['question']} {' '.join(map(str, row['answers'].values()))}" for row in rows]


def titles(data: Path, corpus: str, part: str) -> list[str]:
    archive = zipfile.ZipFile(data / "raw/QUAERO_FrenchMed_brat.zip")
    return [
        archive.read(name).decode()
        for name in archive.namelist()
        if f"/{corpus}/" in name and part in name and name.endswith(".txt")
    ]


def spoken(data: Path) -> list[str]:
    """Every other longer line of doctors and patients."""
    archive = zipfile.ZipFile(data / "raw/labforsims2.zip")
    lines = [
        line
        for part in ("doctor", "patient")
        for line in archive.read(f"single/{part}.txt").decode().splitlines()
    ]
    return [line for line in lines[::2] if len(line) > 40]


def documents(data: Path, name: str, keep: int, of: int, inside: bool) -> list[str]:
    texts = pq.read_table(data / "corpora" / f"{name}.parquet")["text"].to_pylist()
    return [text for i, text in enumerate(texts) if (i % of == keep) == inside]


def ours(name: str) -> list[str]:
    content = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return [row["text"] if isinstance(row, dict) else row for row in content]


def held_out(data: Path) -> dict[str, list[str]]:
    novels = documents(data, "general_fr", 0, 3, True)
    return {
        "abstracts": abstracts(data, "test"),
        "exam questions": questions(data, "test"),
        "leaflets and case reports": documents(data, "e3c_layer3_fr", 0, 60, True),
        "titles": titles(data, "MEDLINE", "test"),
        "notes": ours("notes_held_out"),
        "horoscope, cooking, animals, cosmetics": ours("other_pages_held_out"),
        "novels, a manual": [t[i : i + 3000] for t in novels for i in range(0, len(t), 15000)],
    }


def learn(data: Path, place: Path) -> None:
    from scipy.sparse import diags
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    cases = random.sample(documents(data, "e3c_layer3_fr", 0, 60, False), 2500)
    terms = sorted(base_words())
    health = [*abstracts(data, "train"), *questions(data, "train")]
    health += [piece(text, (300, 800, 2000)) for text in cases]
    health += titles(data, "MEDLINE", "train")
    health += [" ".join(random.sample(terms, random.randint(1, 3))) for _ in range(1200)]
    health += [note for note in ours("notes") for _ in range(30)]
    health += spoken(data)
    novels = documents(data, "general_fr", 0, 3, False)
    other = [piece(random.choice(novels), (80, 300, 800, 2000)) for _ in range(7000)]
    near = [some_sentences(page) for page in ours("other_pages") for _ in range(80)]
    near += [some_words(words) for words in ours("other_words") for _ in range(150)]
    near += [as_animal(piece(text, (150, 300, 600))) for text in random.sample(cases, 1500)]
    counter = CountVectorizer(
        tokenizer=content_words,
        **{"lowercase": False, "token_pattern": None, "min_df": 6, "max_features": 12000},
    )
    counts = counter.fit_transform([*health, *other, *near]).astype(float)
    counts.data = 1 + np.log(counts.data)
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(1)).ravel())
    sizes = np.repeat([1.0, 0.0, 0.0], [len(health), len(other), len(near)])
    emphasis = np.repeat([1.0, 0.8, 1.5], [len(health), len(other), len(near)])
    model = LogisticRegression(C=4, max_iter=400)
    model.fit(diags(1 / np.maximum(lengths, 1)) @ counts, sizes, sample_weight=emphasis)
    lines = [
        "# Weights of folded words for a text about human health (benchmarks/train_domain.py),",
        "# learned from words' counts in open corpora, whose licences are in docs/finemed.md.",
        f"\t{model.intercept_[0]:.3f}",
    ]
    pairs = sorted(zip(counter.get_feature_names_out(), model.coef_[0], strict=True))
    lines += [f"{word}\t{weight:.2f}" for word, weight in pairs if abs(weight) >= LEAST]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines) - 3:,} of {len(pairs):,} words: {place}")


def content_words(text: str) -> list[str]:
    return [word for found in WORD.findall(text) if (word := fold(found)) not in FUNCTION_WORDS]


def piece(text: str, sizes: tuple[int, ...]) -> str:
    size = random.choice(sizes)
    start = random.randrange(max(1, len(text) - size))
    return text[start : start + size]


def some_sentences(page: str) -> str:
    sentences = re.split(r"(?<=[.!?]) ", page)
    count = random.randint(1, len(sentences))
    start = random.randrange(len(sentences) - count + 1)
    return " ".join(sentences[start : start + count])


def some_words(words: str) -> str:
    found = words.split()
    return " ".join(random.sample(found, random.randint(4, len(found))))


def as_animal(text: str) -> str:
    animal = random.choice(ANIMALS)
    for pattern, words in AS_ANIMAL:
        text = re.sub(pattern, words.format(animal), text)
    found = text.split()
    for _ in range(random.randint(1, 3)):
        more = (animal, "animal", "vétérinaire", "l'animal", "son maître", random.choice(ANIMALS))
        found.insert(random.randrange(len(found) + 1), random.choice(more))
    return " ".join(found)


if __name__ == "__main__":
    main()
