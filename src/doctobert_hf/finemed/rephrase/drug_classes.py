"""Names of classes of medicines, and which medicines are of them.

A rewrite may call tacrolimus an immunosuppressant: nothing is invented where the source has a
member.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_CLASSES = {
    "immunosuppress": "tacrolimus|ciclosporine|mycophenol|azathioprine|everolimus|sirolimus|"
    "predniso",
    "antirejet": "tacrolimus|ciclosporine|mycophenol|azathioprine|everolimus|sirolimus",
    "antidote": r"acetylcysteine|flumazenil|naloxone|nac$|protamine|vitamine|hydroxocobal|"
    r"idarucizumab",
    "anticoagul": r"\w+xaban|\w+gatran|\w*parine|warfarine|fluindione|acenocoum|avk|aod|hbpm|hnf",
    "antiagreg": "aspirine|clopidogrel|prasugrel|ticagrelor|kardegic|acetylsalicyl",
    "antiplaquett": "aspirine|clopidogrel|prasugrel|ticagrelor|kardegic|acetylsalicyl",
    "betabloqu": r"\w+olol$", "statine": r"\w+statine", "hypolipem": r"\w+statine|ezetimibe|"
    r"\w+fibrate",
    "diuret": r"\w+semide|\w+thiazide|\w+lactone|bumetanide|indapamide|amiloride",
    "antihypertens": r"\w+pril$|\w+sartan|\w+dipine|\w+olol$|indapamide|\w+thiazide|urapidil",
    "antiepilept": r"lamotrigine|levetirac|valpro|carbamaz|topiram|gabapent|pregabal|pheny|"
    r"\w+zepam|lacosam",
    "anticonvuls": r"lamotrigine|levetirac|valpro|carbamaz|topiram|gabapent|pregabal|pheny|"
    r"\w+zepam",
    "anxiolyt": r"\w+zepam|\w+zolam|hydroxyzine|bzd", "benzodiaz": r"\w+zepam|\w+zolam|bzd",
    "neurolept": r"\w+apine|\w+peridone|haloperidol|aripipr|chlorpromaz|amisulpride|loxapine",
    "antipsychot": r"\w+apine|\w+peridone|haloperidol|aripipr|chlorpromaz|amisulpride",
    "antidepress": r"\w+oxetine|\w*citalopram|venlafax|sertral|mirtaz|\w+triptyline|\w+pramine|"
    r"isrs",
    "opio": r"morphin|\w+codone|\w*fentanyl|tramadol|codeine|methadone|buprenorph",
    "morphin": r"morphin|\w+codone|\w*fentanyl|tramadol|codeine",
    "antipyret": "paracetamol|ibuprofene|aspirine", "antipaludeen": r"\w*quine|artem\w+|"
    r"lumefantrine",
    "corticoid": r"predniso|\w*methasone|hydrocortisone|\w+onide$|\w+casone|cortico",
    "corticother": r"predniso|\w*methasone|hydrocortisone|cortico",
    "antibio": r"\w+cilline|cef\w+|\w+mycine|\w+micine|\w+floxacine|\w+cycline|\w+penem|metronid|"
    r"cotrimox|"
    r"fosfomyc|rifamp|linezol|\w*quinolone|\w+mikacine|amikacine",
    "macrolid": r"\w*thromycine|spiramycine|josamycine", "penicill": r"\w+cilline",
    "quinolon": r"\w+floxacine", "fluoroquinol": r"\w+floxacine", "cephalospor": r"cef\w+",
    "aminosid": r"\w+micine|amikacine|tobramycine|streptomycine",
    "antihistamin": r"\w+etirizine|\w*loratadine|hydroxyzine|fexofenad|bilastine|dexchlor",
    "antiemet": r"\w+setron|domperidone|metoclopramide|metopimaz",
    "chimiother": r"\w+platine|\w+taxel|fluorouracile|\w+rubicine|folf\w+|cyclophosph|gemcitab|"
    r"\w+poside|"
    r"vin\w+stine|methotrexate|capecitab|temozolom",
    "antiinflammat": r"\w+profene|\w+fenac|\w+coxib|\w+oxicam|aspirine|ains|colchicine",
    "laxat": "macrogol|lactulose|sorbitol", "antifong": r"\w+conazole|\w+fungine|amphotericine|"
    r"nystatine",
    "antivir": r"\w+vir$", "antiretrovir": r"\w+vir$|\w+vudine|emtricitab",
    "hypnot": r"zolpidem|zopiclone|midazolam|propofol", "sedat": r"midazolam|propofol|\w*fentanil",
    "bronchodilat": r"\w*terol|salbutamol|\w+tropium|terbutaline",
    "vasopress": r"\w*adrenaline|vasopressine|nad$", "catechol": r"\w*adrenaline|dobutamine|nad$",
    "antidiabet": r"metformine|\w+gliptine|\w+glutide|\w+gliflozine|gli\w+ide|insuline",
    "insulin": "glargine|aspart|lispro|detemir|degludec|lantus|novorapid|humalog",
    "antalg": ".+", "analges": ".+", "collyre": "latanoprost|timolol|tobram|dexameth|cicloplé",
    "anesthes": r"\w+caine|propofol|ketamine|etomidate|\w+flurane|thiopental",
    "tocoly": "atosiban|nifedipine|salbutamol", "antispasmod": "phloroglucinol|trimebutine|spasfon",
    "antituberc": "isoniazide|rifampicine|ethambutol|pyrazinamide",
    "antiparkinson": "levodopa|modopar|sinemet|pramipexole|ropinirole",
}  # fmt: skip
"""How a class is called, by the beginning of the word, and how its members read, all folded."""
_PATTERNS = {start: re.compile(f"(?:{members})") for start, members in _CLASSES.items()}
_THERAPY = re.compile(r"\w+therapies?")


@lru_cache(maxsize=1 << 14)
def class_of(word: str) -> str | None:
    """Return the beginning of the class that a folded word names; none for a member."""
    starts = [start for start in _CLASSES if word.startswith(start)]
    if not starts or word.startswith("insuline") or _PATTERNS[starts[0]].fullmatch(word):
        return None
    return max(starts, key=len)


def has_member(word: str, others: Iterable[str]) -> bool:
    """Return whether a word names a class, and another a medicine of it."""
    name = class_of(word)
    return name is not None and any(
        len(other) > 2 and class_of(other) is None and _PATTERNS[name].match(other)
        for other in others
    )


_NARROW = frozenset(
    """macrolid penicill quinolon fluoroquinol cephalospor aminosid statine betabloqu benzodiaz
    neurolept antidepress antifong antiepilept anticoagul antiagreg diuret""".split()
)
"""Classes that are no general word for a treatment."""
_OF_ANOTHER = {"fluoroquinol": "quinolon", "quinolon": "fluoroquinol"}


def new_classes(old: Iterable[str], new: Iterable[str], medicines: Iterable[str]) -> Iterator[str]:
    """Yield classes that a rewrite names, and of which its source has neither name nor medicine.

    Args:
        old: Folded words of the source.
        new: Folded words of the rewrite.
        medicines: Folded words of the source that may be medicines.

    Example:
        >>> list(new_classes(["aminoside"], ["fluoroquinolone"], ["aminoside"]))
        ['drug invented: fluoroquinolone']
    """
    known = {class_of(word) for word in old} - {None}
    medicines = tuple(medicines)
    for word in new:
        name = class_of(word)
        if name not in _NARROW or name in known or _OF_ANOTHER.get(name) in known:
            continue
        if name == "betabloqu" and "bb" in old:
            continue
        if not has_member(word, (*medicines, *old)):
            yield f"drug invented: {word}"


def is_class(word: str) -> bool:
    """Return whether a word names a class, or a kind of treatment, and no medicine."""
    return class_of(word) is not None or _THERAPY.fullmatch(word) is not None


_REGIMEN = re.compile(r"(?<![\w-])\d{0,2}(?=[RHZES]*H)(?=[RHZES]*R)[RHZES]{2,5}(?![a-zà-ÿ])")
_IN_REGIMEN = dict(
    R="rifampicine", H="isoniazide", Z="pyrazinamide", E="ethambutol", S="streptomycine"
)


@lru_cache(maxsize=4)  # asked for each medicine of a text
def of_regimens(text: str) -> frozenset[str]:
    """Return the medicines that a text names by letters: "2RHZE/4RH" of a tuberculosis."""
    letters = {letter for match in _REGIMEN.finditer(text) for letter in match[0]}
    return frozenset(_IN_REGIMEN[letter] for letter in letters & _IN_REGIMEN.keys())
