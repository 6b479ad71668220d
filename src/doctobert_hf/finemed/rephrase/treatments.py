"""What is done to a patient: transfusions, operations, rays; each has a few names, all folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_ANTIBIOTICS = "antibio atb bi-antibio triantibio biantibio"
_TREATMENTS = {
    "transfus": "transfus culot cgr sang. erythrocytair",
    "radiother": "radioth rayon irradi curieth radioch",
    "dialys": "dialys hemodialy epuration rein", "hemodialys": "dialys hemodialy epuration rein",
    "greff": "greff transplant autogreff allogreff", "drainage": "drain redon evacu ponct",
    "intub": "intub ventil respirat vm vi reanim", "amput": "amput", "lavage": "lav nettoy rinc",
    "reeducat": "reeduc kine readapt", "kinesither": "kine reeduc", "vaccinat": "vaccin",
    "cesarienne": "cesar voie", "antibiot": _ANTIBIOTICS, "curiether": "curieth",
    "corticother": "cortic cortiso predni methylpred dexameth betameth hydrocort steroid bolus",
    "oxygenoth": "oxyg o2 lunettes", "plastie": "plasti repar reconstr lambeau",
}  # fmt: skip
"""What is done to a patient, and what else a text may call it: a rewrite tells it in some way."""
_OPERATIONS = {
    "ectomie": "ectom ablat abla retir enlev resec reseq exeres opera operee opere chirurg curage",
    "plastie": "plasti repar reconstr prothes opera opere chirurg",
}
"""By the end of an operation's name, what else it may be called."""


_NEVER_UNSAID = (
    *("transfus", "radiother", "dialys", "hemodialys", "greff", "amput", "curiether"),
    *("chimiother", "hormonother", "immunother", "intub"),
)
_ALSO_NEW = {
    "transfus": "transfus culot cgr poche erythrocytair",
    "chimiother": "chimio cure cytosta protocol antimitot polychim radioch folfo folfi",
    "hormonother": "hormon castrat tamox letroz anastroz analog lhrh",
    "immunother": "immuno mab.",
}


def lost_treatments(old: Sequence[str], new: Sequence[str], some_drug: bool) -> Iterator[str]:
    """Yield what is done to the patient and is told by no word of the rewrite.

    Args:
        old: Folded words of the source.
        new: Folded words of the rewrite, those of its abbreviations too.
        some_drug: Whether the rewrite names a medicine: it may be the antibiotic.
    """
    names = [word for word in new if word not in old]  # one that both have is another operation
    for word in old:
        for start, others in _TREATMENTS.items():
            if not word.startswith(start) or _is_told(others.split(), new):
                continue
            if any(start[:6] in told for told in names):  # "clitoroplastie" is a "plastie"
                continue
            if others is not _ANTIBIOTICS or not some_drug:
                yield f"treatment lost: {word}"
        for end, others in _OPERATIONS.items():
            compound = word.startswith(end) and any(end in told for told in names)
            if end in word and not compound and not _is_told([word[:5], *others.split()], new):
                yield f"treatment lost: {word}"


def new_treatments(new: Sequence[str], old: Sequence[str]) -> Iterator[str]:
    """Yield what is done to the patient by the rewrite only.

    Args:
        new: Folded words of the rewrite.
        old: Folded words of the source, those of its abbreviations too.
    """
    for word in dict.fromkeys(new):
        for start in _NEVER_UNSAID:
            if word.startswith(start):
                others = _ALSO_NEW.get(start) or _TREATMENTS[start]
                if not _is_told(others.split(), old) and not any(start[:7] in w for w in old):
                    yield f"treatment invented: {word}"


def _is_told(others: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether a word begins as one of others does, or is one that ends in a full stop."""
    whole = {other[:-1] for other in others if other.endswith(".")}
    return any(word.startswith(tuple(others)) or word in whole for word in words)
