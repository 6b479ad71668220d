"""Personal data: what is found of each kind in letters, and what is called so in leaflets.

python benchmarks/personal_data.py [--each 200] [--data leaflets.parquet] [--json FILE]

Made-up values (no one's) are written in the forms of :data:`FORMS` and put into lines as hospital
letters have them; one counts as found where everything of it would be replaced. The forms were
known when the rules were written, so this says what is held, not what texts of another hand give
(the page of FineMed says that). With ``--data``, documents without personal data: the share in
which something is found. Nothing but this package takes part: the models that find names
(eds-pseudo) are not to be had without an agreement.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable

from stdnum.fr import nir

from common import add_output_argument, finish
from doctobert_hf.finemed import deidentify

_FIRST = ("Jean", "Marie-Claude", "Amélie", "Mohamed", "Benoît", "Léa", "Françoise", "Yann")
_LAST = ("DUPONT", "Lefèvre", "Le Goff", "MARTIN-PETIT", "Benali", "N'Guyen", "De La Tour")
_STREETS = ("rue de la République", "avenue Jean-Jaurès", "bd Voltaire", "chemin des Vignes")
_TOWNS = ("59000 LILLE", "75013 Paris", "29200 Brest", "13005 Marseille CEDEX 05")
_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "octobre")
_AROUND = (
    "{}",
    "Compte rendu d'hospitalisation\n{}\nMotif : toux depuis trois jours.",
    "Vu en consultation ce jour. {}. Pas de fièvre, TA 12/8.",
)
_DIGITS = "0123456789"


def _number(draw: random.Random, length: int) -> str:
    return "".join(draw.choice(_DIGITS) for _ in range(length))


def _grouped(digits: str, sizes: tuple[int, ...], gap: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return gap.join(parts)


def phone(draw: random.Random) -> str:
    """A French number, from here or abroad."""
    rest = draw.choice("12345679") + _number(draw, 8)
    gap = draw.choice((" ", ".", "-", "", "\u00a0", "\u202f"))
    if draw.random() < 0.3:
        return f"+33 {_grouped(rest, (1, 2, 2, 2, 2), ' ')}"
    return _grouped("0" + rest, (2, 2, 2, 2, 2), gap)


def social_security(draw: random.Random) -> str:
    """A NIR with its key, as cards and forms group it."""
    body = f"{draw.choice('12')}{_number(draw, 2)}{draw.randint(1, 12):02d}"
    body += f"{draw.randint(1, 95):02d}{draw.randint(1, 900):03d}{draw.randint(1, 900):03d}"
    whole = body + nir.calc_check_digits(body)
    return draw.choice((whole, _grouped(whole, (1, 2, 2, 2, 3, 3, 2), " ")))


def birth_date(draw: random.Random) -> str:
    """A day of birth in digits or words."""
    day, month, year = draw.randint(1, 28), draw.randint(1, 9), draw.randint(1930, 2015)
    digits = draw.choice(".-//").join((f"{day:02d}", f"{month:02d}", str(year)))
    return draw.choice((digits, digits, f"{day} {_MONTHS[month - 1]} {year}"))


def mail(draw: random.Random) -> str:
    """An address, spelt out at times."""
    name = f"{draw.choice(('jean', 'm.claude', 'lea_b'))}.{draw.choice(('dupont', 'martin'))}"
    at = draw.choice(("@", "@", " [at] ", " (arobase) "))
    return f"{name}{at}{draw.choice(('orange.fr', 'chu-lille.fr', 'gmail.com'))}"


def address(draw: random.Random) -> str:
    """A street and a town, on one line or two."""
    number = f"{draw.randint(1, 180)}{draw.choice(('', ' bis', ' ter'))}"
    gap = draw.choice((" ", ", ", "\n"))
    return f"{number}{draw.choice((' ', ', '))}{draw.choice(_STREETS)}{gap}{draw.choice(_TOWNS)}"


def bank(draw: random.Random) -> str:
    """A French IBAN with its key."""
    body = _number(draw, 23)
    key = 98 - int(f"{body}152700") % 97
    whole = f"FR{key:02d}{body}"
    return draw.choice((whole, _grouped(whole, (4, 4, 4, 4, 4, 4, 3), " ")))


def name(draw: random.Random) -> str:
    """A first and a last name, or the last alone."""
    last = draw.choice(_LAST)
    first = draw.choice(_FIRST)
    return draw.choice((last, f"{first} {last}", f"{last} {first}", f"L. {last}"))


FORMS: dict[str, tuple[Callable[[random.Random], str], tuple[str, ...]]] = {
    "phone": (phone, ("Tél. : {}", "Téléphone {}", "joignable au {}", "Fax : {}", "{}")),
    "e-mail": (mail, ("Courriel : {}", "Mail : {}", "écrire à {}", "{}")),
    "social security": (
        social_security,
        ("N° SS : {}", "NIR {}", "N° de sécurité sociale : {}", "Matricule {}", "{}"),
    ),
    "birth date": (
        birth_date,
        ("Né le {}", "née le : {}", "NÉE LE {}", "Date de naissance : {}", "DDN : {}"),
    ),
    "address": (address, ("Adresse : {}", "demeurant {}", "domicilié au {}", "{}")),
    "IBAN": (bank, ("IBAN : {}", "RIB {}", "{}")),
    "RPPS": (lambda draw: f"10{_number(draw, 9)}", ("RPPS : {}", "N° RPPS {}")),
    "IPP": (lambda draw: _number(draw, 10), ("IPP : {}", "N° IPP {}", "Identifiant patient : {}")),
    "name": (name, ("M. {}", "Mme {}", "Dr {}", "Pr {}", "Patient : {}", "Nom : {}")),
}


def whole(text: str, value: str) -> bool:
    """Return whether everything of a value would be replaced."""
    start = text.index(value)
    places = {place for item in deidentify(text)[1] for place in range(item["start"], item["end"])}
    return all(place in places for place, letter in enumerate(value, start) if letter.isalnum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=200, help="values of each kind")
    parser.add_argument("--data", nargs="*", default=[], help="texts without personal data")
    parser.add_argument("--documents", type=int, default=500, help="drawn of --data")
    parser.add_argument("--seed", type=int, default=1)
    add_output_argument(parser)
    args = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    for kind, (make, forms) in FORMS.items():
        draw = random.Random(f"{args.seed} {kind}")
        held = 0
        for _ in range(args.each):
            value = make(draw)
            text = draw.choice(_AROUND).format(draw.choice(forms).format(value))
            held += whole(text, value)
        found[kind] = {"made": args.each, "found": held, "percent": 100 * held / args.each}
        print(f"{kind:16} {held:4} of {args.each}  {found[kind]['percent']:.1f} %")
    results: dict[str, object] = {"kinds": found}
    if args.data:
        results["texts without any"] = clean(args)
    finish(args, "personal_data", results)


def clean(args: argparse.Namespace) -> dict[str, float]:
    """Count documents without personal data in which something is found."""
    from doctobert_hf.corpus import iter_texts

    texts = [text for place in args.data for text in iter_texts(place)]
    drawn = random.Random(args.seed).sample(texts, min(args.documents, len(texts)))
    hit = sum(bool(deidentify(text)[1]) for text in drawn)
    print(f"{hit} of {len(drawn)} documents without personal data hold something called so")
    return {"documents": len(drawn), "hit": hit, "percent": 100 * hit / len(drawn)}


if __name__ == "__main__":
    main()
