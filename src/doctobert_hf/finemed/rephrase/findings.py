"""Symptoms that are left out, markers whose results change places, vessels and bones renamed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.finemed.rephrase.polarity import segments
from doctobert_hf.finemed.words import fold

_SYMPTOMS = {
    r"h[ée]maturies?": r"h[ée]matur|sang|urin|rouge",
    r"dyspn[ée]es?": r"dyspn|essouff|souffl|respir|polypn|orthopn|(?-i:NYHA)",
    r"toux": r"tou[xs]|quinte",
    r"vomissements?": r"vomi|rejet|[ée]m[èe]se|h[ée]mat[ée]m",
    r"diarrh[ée]es?": r"diarrh|selles|transit|glairo|dysent",
    r"ict[èe]res?": r"ict[ée]r|ict[èe]r|jaun|bilirub|cholesta",
    r"prurits?": r"prurit|prurig|d[ée]mang|gratt",
    r"c[ée]phal[ée]es?": r"c[ée]phal|t[êe]te|migrain|cr[âa]n",
    r"h[ée]moptysies?": r"h[ée]mopt|crach|sang|expector",
    r"h[ée]mat[ée]m[èe]ses?": r"h[ée]mat[ée]m|vomi|sang|digest",
    r"m[ée]l[ée]nas?|mel[æa]e?nas?": r"m[ée]l[ée]|mel[æa]|selles|sang|digest",
    r"dysphagies?": r"dysphag|aval|d[ée]glut|aphag",
    r"syncopes?": r"syncop|malais|connaiss|[ée]vanou|lipothym",
    r"spl[ée]nom[ée]galies?": r"spl[ée]n|rate",
    r"h[ée]patom[ée]galies?": r"h[ée]pat|foie",
    r"ascites?": r"ascit|liquid|[ée]panch|p[ée]riton",
    r"amaigrissements?": r"amaigri|maigr|poids|perdu|perte|kilo|kg|cachex",
    r"asth[ée]nies?": r"asth[ée]n|fatig|[ée]puis|faibl|(?-i:AEG)|las",
    r"anorexies?": r"anorex|app[ée]tit|inapp|aliment",
    r"paresth[ée]sies?": r"paresth|fourmi|picot|engourd|sensi",
    r"diplopies?": r"diplop|double",
    r"convulsions?": r"convuls|crise|comit|[ée]pilep|secous|clon",
    r"fractures?": r"fractur|bris|cass|f[êe]lur|trait|rupt",
}  # fmt: skip
"""What a patient has, and by what a rewrite may tell of it."""
_TOLD = tuple(
    (re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE), re.compile(told, re.IGNORECASE))
    for names, told in _SYMPTOMS.items()
)
_DENIED = re.compile(
    r"(?<!\w)(?:sans|pas|ni|aucune?|absence|non|jamais|plus|ant[ée]c[ée]dent\w*|risque\w*|pr[ée]v\w+|[ée]vit\w+|"
    r"peut|peuvent|si)(?!\w)[^.;:]{0,50}\Z",
    re.IGNORECASE,
)
_RESULTS = re.compile(
    r"(?<!\w)(?:(?P<yes>positi\w+|exprim\w+|expression)|(?P<no>n[ée]gati\w+)|"
    r"(?P<marker>(?-i:CD\s?\d{1,3}[a-z]?|DBA\s?\d+|Bcl-?\d|[Kk]i-?67|[Pp]\d{2}|PS\s?100|HMB\s?-?45|CK\s?\d+|"
    r"AgHBs|VIH|VHB|VHC|TPHA|VDRL|ANCA|HLA\s?-?\w+)))(?!\w)",
    re.IGNORECASE,
)
_NOT = re.compile(r"(?<!\w)(?:non|pas|absence\s+d['’e]|n['’e]\s?\w*)\s*\Z", re.IGNORECASE)
_PLACES = {
    "vessel": "carotid sous-clav femoral iliaque renale mesenteri jugulaire coronaire axillair "
    "brachial radial ulnaire tibial poplit splenique hepatique pulmonaire interventric circonflex "
    "basilair cerebral communicant ophtalmi vertebral porte cave azygos saphen",
    "nerve": "sciatique median ulnaire radial facial trijumeau vague recurrent optique fibulaire "
    "phrenique hypogloss obturateur axillaire sural saphene femoral",
    "bone": "humerus femur tibia radius cubitus ulna clavicul omoplat scapula perone fibula rotule "
    "calcaneu astragal sternum patell",
}  # fmt: skip
_VESSEL = re.compile(
    r"(?<!\w)(?:(?:art[èe]res?|veines?)\s+(?:coronaires?\s+(?=inter|circonf))?|(?=circonflexe))"
    r"(?P<vessel>[\w-]+)|(?<!\w)nerfs?\s+(?P<nerve>[\w-]+)|"
    r"(?<!\w)(?P<bone>[hHfFtTrRcCuUoOpPsSaA]\w{4,10})(?!\w)"
)


_OPPOSITE = {
    **{"interne": "externe", "superieur": "inferieur", "proxima": "distal", "nasal": "temporal"},
    **{"anterieur": "posterieur"},
}
_SHARE = re.compile(
    r"(?<!\w)(?:tiers|[23]/3|moiti[ée]s?|quarts?)\s+(?P<part>[^\W\d_]{5,})", re.IGNORECASE
)
"""Which part of a bone or a limb: "les deux tiers internes"."""


def _other_part(source: str, rewrite: str) -> Iterator[str]:
    old, new = ({fold(m["part"]) for m in _SHARE.finditer(text)} for text in (source, rewrite))
    both = {**_OPPOSITE, **{other: one for one, other in _OPPOSITE.items()}}
    for one, other in both.items():
        had, has = (any(part.startswith(one) for part in parts) for parts in (old, new))
        instead = any(part.startswith(other) for part in new)
        if had and not has and instead and not any(part.startswith(other) for part in old):
            yield f"part changed: {one}, now {other}"


_PAIRED = re.compile(
    r"(?<!\w)(?:les\s+)?(?:2|deux)\s+(?P<organ>ovair|testicul|rein|poumon|ur[ée]t[èe]r|surr[ée]nal|sein)\w*",
    re.IGNORECASE,
)
_ALSO_CALLED = {"ovair": "annex", "rein": "renal", "poumon": "pulmon", "sein": "mamm"}


def _pairs(source: str, rewrite: str) -> Iterator[str]:
    """Yield paired organs that the source counts, and of which the rewrite has one, or none."""
    told = fold(rewrite)
    for match in _PAIRED.finditer(source):
        organ = fold(match["organ"])
        one = re.compile(rf"(?<!\w)(?:un\s+seul|l'unique|un)\s+{organ}\w*|{organ}\w*\s+unique")
        if organ not in told and _ALSO_CALLED.get(organ, organ) not in told:
            yield f"finding lost: {match[0]}"
        elif one.search(fold(source)) or _PAIRED.search(rewrite):
            continue
        elif alone := one.search(told):
            yield f"count changed: {match[0]}, now {alone[0]}"


def finding_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield symptoms that no word of the rewrite tells, results turned round, places renamed.

    Example:
        >>> list(finding_reasons("Douleurs lombaires et hématurie.", "Douleurs lombaires."))
        ['finding lost: hématurie']
        >>> list(finding_reasons("CD20 positif, CD5 négatif.", "CD5 positif, CD20 négatif."))
        ['result turned round: CD20, CD5']
    """
    for names, told in _TOLD:
        if told.search(rewrite):
            continue
        for match in names.finditer(source):
            if not _DENIED.search(source, max(0, match.start() - 80), match.start()):
                yield f"finding lost: {match[0]}"
                break
    old, new = _results(source), _results(rewrite)
    turned = [
        place
        for place, states in _specimens(source).items()
        if len(states) == 1 and _specimens(rewrite).get(place) == {not next(iter(states))}
    ]
    if turned:
        yield f"result turned round: {', '.join(sorted(turned))}"
    turned = [
        marker
        for marker, states in old.items()
        if len(states) == 1 and new.get(marker) == {not next(iter(states))}
    ]
    if turned:
        yield f"result turned round: {', '.join(sorted(turned))}"
    yield from _other_part(source, rewrite)
    yield from _pairs(source, rewrite)
    for kind, known in _PLACES.items():
        before, after = (_places(text, kind, tuple(known.split())) for text in (source, rewrite))
        gone, come = before - after, after - before
        for was, now in zip(gone, come, strict=False) if len(gone) == len(come) == 1 else ():
            if (was, now) not in _GENERAL:
                yield f"{kind} changed: {was}, now {now}"


def _results(text: str) -> dict[str, set[bool]]:
    """By marker, whether it is positive: of the word before its list, or of the one behind it."""
    found: dict[str, set[bool]] = {}
    for part in segments(text):
        marks = list(_RESULTS.finditer(part))
        if not any(m["marker"] for m in marks) or not any(m["yes"] or m["no"] for m in marks):
            continue
        ahead = not marks[0]["marker"]
        state: bool | None = None
        for mark in marks if ahead else reversed(marks):
            if mark["marker"]:
                if state is not None:
                    found.setdefault(re.sub(r"[\s-]", "", mark["marker"]), set()).add(state)
            else:
                denied = _NOT.search(part, max(0, mark.start() - 14), mark.start())
                state = bool(mark["yes"]) != (denied is not None)
    return found


_SPECIMEN = re.compile(
    r"(?<!\w)(?:(?P<yes>positi(?:ve?|f))|n[ée]gati(?:ve?|f))s?\s+(?:(?:à\s+la\s+fois\s+)?(?P<where>dans\s+(?:l[ae]s?\s+|l['’])\w+"
    r"(?:(?:\s*,\s*|\s+et\s+|\s+comme\s+)(?:dans\s+)?(?:l[ae]s?\s+|l['’])\w+)*))",
    re.IGNORECASE,
)


def _specimens(text: str) -> dict[str, set[bool]]:
    """By what was examined, whether something in it is positive: "négative dans le LCR"."""
    found: dict[str, set[bool]] = {}
    for match in _SPECIMEN.finditer(text):
        for place in re.findall(r"(?:l[ae]s?\s+|l['’])(\w+)", match["where"], re.IGNORECASE):
            found.setdefault(fold(place), set()).add(match["yes"] is not None)
    return found


_OLD_NAMES = {
    **{"scapul": "omoplat", "fibula": "perone", "ulna": "cubitus", "patell": "rotul"},
    **{"ulnaire": "cubital", "femoral": "crural"},
}
_SPACED = {
    re.compile(r"(?:art[èe]re\s+)?(?<!\w)IVA(?!\w)"): "artère interventriculaire",
    re.compile(r"inter[ -]ventric", re.IGNORECASE): "interventric",
    re.compile(r"su(?:s|b|us)-?clav|sous[ -]clav", re.IGNORECASE): "sous-clav",
}
_GENERAL = {("interventric", "coronaire"), ("circonflex", "coronaire")}
"""A branch, and what it is a branch of."""


def _places(text: str, kind: str, known: tuple[str, ...]) -> set[str]:
    for written, name in _SPACED.items():
        text = written.sub(name, text)
    words = {fold(match[kind]) for match in _VESSEL.finditer(text) if match[kind]}
    for now, before in _OLD_NAMES.items():
        words = {word.replace(before, now) for word in words}
    return {start for word in words for start in known if word.startswith(start)}
