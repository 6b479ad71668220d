"""Words that exclude each other: a rewrite that has one where its source has another.

Positive and negative, acute and chronic, by mouth and by vein, father and mother: nothing
is lost and no disease is new where one of them stands for the other, and the fact is turned round.
Told by number (one kind is new and another has become rarer) and by the word that they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from doctobert_hf.finemed.rephrase.polarity import LIGHT, segments
from doctobert_hf.finemed.rephrase.reach import Reach
from doctobert_hf.finemed.rephrase.terms import CONTENT, stem, surface
from doctobert_hf.finemed.words import WORD, fold

_ALONE = r"(?=\s*[;,.)\n]|\s*\Z|\s+(?:à|aux?)\s)"
"""Behind a sign that is a result by itself: "anti GAD +, anti IA2 -"."""
_TURNED = {"fever": (1, 2), "state": (2, 1)}
"""By group, the kind that is the other one where it is denied."""
_GROUPS: dict[str, dict[str, str]] = {
    "result": {
        "positive": rf"positi(?:fs?|ves?|vit[ée])|pos(?=\W|\Z)|\+{{1,3}}{_ALONE}",
        "negative": rf"n[ée]gati(?:fs?|ves?|vit[ée])|n[ée]g(?=\W|\Z)|(?<=\s)[-–−]{_ALONE}",
    },
    "normal or not": {
        "normal": r"(?<!a)normal\w*|normaux|inchang[ée]\w*|RAS"
        r"|(?:sans|aucune)\s+(?:anomalies?|particularit[ée]s?)|rien\s+(?:[^.;,]{0,25}\s)?d['’]anormal"
        r"|n['’](?:est|sont|[ée]tai(?:t|ent)|a|ont)\s+(?:pas\s+)?(?:[ée]t[ée]\s+)?"
        r"(?:perturb|alt[ée]r|modifi)[ée]e?s?",
        "abnormal": r"anormal\w*|anormaux|perturb[ée]e?s?|alt[ée]r[ée]e?s?",
    },
    "course": {
        "acute": r"aigu[eëè]?s?|aiguës?",
        "subacute": r"sub-?aigu[eëè]?s?",
        "chronic": r"chroniques?",
    },
    "malignity": {"benign": r"b[ée]nin\w*|b[ée]nignes?", "malignant": r"mali(?:n|ns|gnes?)"},
    "severity": {
        "severe": r"s[ée]v[èe]res?|graves?|majeure?s?|intenses?|profonde?s?|importante?s?",
        "mild": r"l[ée]g[èe]re?s?|l[ée]gers?|mod[ée]r[ée]e?s?|minimes?|mineure?s?|discr[èe]te?s?",
    },
    "order": {"primary": r"primaires?|primitive?s?|primitifs?", "secondary": r"secondaires?"},
    "age of onset": {"early": r"pr[ée]coces?", "late": r"tardi(?:fs?|ves?)"},
    "state": {
        "kept": r"(?:conserv|pr[ée]serv)(?:[ée]e?s?|ation)|intacte?s?"
        r"|(?:sans|aucune|ni|pas\s+d['’]|ni\s+d['’])\s*alt[ée]ration",
        "impaired": r"alt[ée]r[ée]e?s?|s['’]alt[èée]r\w+|alt[ée]ration|d[ée]grad[ée]e?s?",
    },
    "whole or part": {
        "whole": r"total(?:e|es|ement)?|totaux|totalit[ée]|compl[èe]t\w*|enti[èe]re\w*",
        "part": r"partiel\w*|incompl[èe]t\w*|en\s+partie",
    },
    "exertion": {"rest": r"au\s+repos|de\s+repos", "effort": r"(?:à\s+l['’]|d['’])efforts?"},
    "cause": {
        "spontaneous": r"spontan[ée]\w*|idiopathiques?|essentiel(?:le|les|s)?",
        "injury": r"(?<!non )traumatiques?",
    },
    "presence": {"present": r"pr[ée]sente?s?(?=[.,;:)]|\s*\Z)", "absent": r"absente?s?"},
    "pace": {
        "fast": r"tachycard\w+|tachypn\w+|rapides?|acc[ée]l[ée]r\w+",
        "slow": r"bradycard\w+|bradypn\w+|lente?s?|ralenti\w*",
    },
    "segment": {"raised": r"sus[- ]d[ée]calage\w*", "lowered": r"sous[- ]d[ée]calage\w*"},
    "outcome": {
        "good": r"(?<!d[ée])favorables?(?!\s+(?:à|au|aux))|bonne\s+[ée]volution",
        "bad": r"d[ée]favorables?|mauvaise\s+[ée]volution|fatale?s?",
    },
    "control": {
        "good": r"(?:bien|correctement)\s+(?:contr[ôo]l|[ée]quilibr|tol[ée]r)\w+",
        "bad": r"(?:mal|non|insuffisamment|pas)\s+(?:contr[ôo]l|[ée]quilibr|tol[ée]r)\w+",
    },
    "sensitivity": {"sensitive": r"(?:multi-?)?sensibles?\s+(?:à|au|aux)",
        "resistant": r"r[ée]sist(?:ante?s?|ance)"},
    "reaction": {
        "reactive": r"(?<!non )(?<!pas )(?<!non-)r[ée]acti(?:fs?|ves?)",
        "unreactive": r"ar[ée]acti(?:fs?|ves?)|(?:non|pas)[ -]r[ée]acti(?:fs?|ves?)",
    },
    "medication": {
        "stopped": r"arr[êe]t\w*|stopp\w+|interromp\w+|suspend\w*|suspendus?",
        "continued": r"poursui\w+|(?<!en )continu(?:e|é|ée|és|er|ation)|maint(?:enu|ien)\w*"
        r"|reconduit\w*",
    },
    "weight": {
        "gain": r"pris\s+\d+|prise\s+de\s+poids|grossi\w*",
        "loss": r"perdu\s+\d+|perte\s+de\s+poids|amaigri\w*|maigri\w*",
    },
    "direction": {
        "up": r"augment\w+|accrue?s?|accro[îi]\w+|major\w+|[ée]lev[ée]e?s?|[ée]l[ée]vation",
        "down": r"diminu\w+|r[ée]dui(?:t|te|ts|re|sant)\b(?!\s+à)|r[ée]duction|a?baiss\w+"
        r"|(?<!voie )(?<!voies )basse?s?|effondr\w+",
    },
    "half or double": {
        "half": r"(?<!et de )moiti[ée]|divis[ée]\w*\s+par\s+(?:deux|2)",
        "double": r"doubl(?:e|er|ée?s?|ement)|multipli\w+\s+par\s+(?:deux|2)",
    },
    "limit": {"most": r"maxim(?:um|al|ale|ales|aux)", "least": r"minim(?:um|al|ale|ales|aux)"},
    "height": {
        "upper": r"sup[ée]rieure?s?(?!\s+(?:à|a|au|aux|ou\s+[ée]gal))",
        "lower": r"inf[ée]rieure?s?(?!\s+(?:à|a|au|aux|ou\s+[ée]gal))",
    },
    "face": {"front": r"ant[ée]r(?:ieure?s?|o-?\w*)", "back": r"post[ée]r(?:ieure?s?|o-?\w*)"},
    "side of a limb": {
        "inner": r"m[ée]dia(?:l|le|les|ux)",
        "outer": r"lat[ée]ra(?:l|le|les|ux)",
    },
    "depth": {"inner": r"internes?(?!\s+de)", "outer": r"externes?"},
    "lie": {"level": r"horizonta\w+", "upright": r"vertica\w+"},
    "end": {"near": r"proxima(?:l|le|les|ux)", "far": r"dista(?:l|le|les|ux)"},
    "route": {
        "by mouth": r"per\s?os|par\s+(?:la\s+)?bouche|voie\s+orale|oralement|(?-i:PO)|orale",
        "by vein": r"intra-?veineu\w+|(?-i:IVD|IVL|IVSE|IV)|i\.v\.|perfusions?|perfus[ée]e?s?",
        "under the skin": r"sous[ -]cutan[ée]e?s?|(?-i:SC)|s\.c\.",
        "into the muscle": r"intra-?musculaires?|(?-i:IM)|i\.m\.",
        "rectal": r"intra-?rectale?s?|voie\s+rectale|suppositoires?",
    },
    "delivery": {
        "vaginal": r"voies?\s+(?:basses?|vaginales?|naturelles?)",
        "caesarean": r"c[ée]sariennes?",
    },
    "time of day": {"morning": r"matins?", "noon": r"midi", "evening": r"soirs?|coucher"},
    "meals": {
        "with food": r"(?:au\s+cours|pendant|durant|milieu|lors)\s+(?:des?|du|les?)\s+repas",
        "without food": r"à\s+jeun|en\s+dehors\s+des\s+repas|à\s+distance\s+des\s+repas",
    },
    "around an operation": {
        "before": r"pr[ée]-?op[ée]ratoires?"
        r"|avant\s+(?:l['’]op[ée]ration|l['’]intervention|la\s+chirurgie)",
        "after": r"post-?op[ée]ratoires?"
        r"|apr[èe]s\s+(?:l['’]op[ée]ration|l['’]intervention|la\s+chirurgie)",
    },
    "size": {
        "small": r"(?:de\s+)?petite\s+taille|petite?(?=\s*(?:[,;.(]|et\s))",
        "normal": r"taille\s+normale",
        "large": r"(?:de\s+)?grande\s+taille",
    },
    "timing": {"at once": r"urgences?", "later": r"à\s+distance(?!\s+d)|programm[ée]e?s?"},
    "sex": {
        "male": r"gar[çc]on|hommes?|monsieur|(?-i:M\.)|masculin(?:e|s|es)?"
        r"|(?:un|du|ce|le)\s+patient|(?-i:(?:^|(?<=[.\n] ))Patient)(?=\s+(?:de\s+\d|âgé))",
        "female": r"fille|fillette|femmes?|(?-i:Mme|Mlle)|madame|f[ée]minin(?:e|s|es)?|patientes?",
    },
    "relative": {
        "father": r"p[èe]res?|paterne\w+",
        "mother": r"m[èe]res?|materne(?:l|lle|lles|ls)",
        "brother": r"fr[èe]res?",
        "sister": r"s(?:œ|oe)urs?",
    },
    "advice": {
        "indicated": r"(?<!contre-)(?<!contre )indiqu[ée]e?s?|(?<!contre-)(?<!contre )indications?",
        "contraindicated": r"contre[- ]indi(?:qu|ca)\w+",
    },
    "permission": {
        "forbidden": r"contre[- ]indi(?:qu|ca)\w+|interdi\w+|proscri\w+|d[ée]conseill\w+"
        r"|ne\s+(?:pas|jamais)\s+\w+(?:er|ir|re)|(?:ne\s+|n['’])\w+ez\s+(?:pas|jamais)"
        r"|(?:ne\s+|n['’])(?:fau|doi|peu|dev|pouv)\w+\s+(?:pas|jamais)",
        "allowed": r"(?<!ne )(?:on|vous|il|elle|patiente?s?)\s+(?:peut|pouvez|peuvent)\s+"
        r"(?:associer|prendre|utiliser|donner|prescrire|administrer|recevoir|employer|consommer)"
        r"|(?<!ne )(?:peut|peuvent)\s+[êe]tre\s+(?:associ|pris|utilis|donn|prescri|administr|"
        r"employ)\w*"
        r"|(?<!ne )(?:doit|doivent)\s+(?:recevoir|prendre|utiliser|employer)"
        r"|(?<!non )(?<!pas )(?:autoris[ée]e?s?|permise?s?)",
    },
    "lasting": {
        "short": r"(?:de\s+)?courtes?\s+dur[ée]es?",
        "long": r"(?<!affection )(?<!affections )(?:de\s+)?longues?\s+dur[ée]es?",
    },
    "fitness": {"fit": r"apt(?:es?|itudes?)", "unfit": r"inapt(?:es?|itudes?)"},
    "recommendation": {
        "for": r"(?<!non )(?<!non-)(?<!pas )(?<!jamais )(?<!g[ée]n[ée]ralement )(?:recommand|"
        r"conseill|pr[ée]conis)[ée]e?s?",
        "against": r"(?:non|pas|jamais)[ -](?:g[ée]n[ée]ralement\s+|syst[ée]matiquement\s+)?"
        r"(?:recommand|conseill|pr[ée]conis)[ée]e?s?|d[ée]conseill\w+|mieux\s+vaut\s+ne\s+pas|[ée]viter",
    },
    "risk": {
        "high": r"risque[^.;,\n]{0,60}?(?:[ée]lev[ée]|fort|majeur|important)",
        "low": r"risque[^.;,\n]{0,60}?(?:faible|minime|mod[ée]r[ée]|bas)",
    },
    "permit": {
        "forbidden": r"interdi\w+|proscri\w+",
        "allowed": r"(?<!non )(?<!pas )(?:autoris[ée]e?s?|permise?s?)",
    },
    "position": {
        "on the back": r"sur\s+le\s+dos|d[ée]cubitus\s+dorsal|supination",
        "on the belly": r"sur\s+le\s+ventre|d[ée]cubitus\s+ventral|procubitus",
        "on the side": r"sur\s+le\s+c[ôo]t[ée]|d[ée]cubitus\s+lat[ée]ral",
    },
    "aperture": {"open": r"ouverte?s?", "closed": r"ferm[ée]e?s?"},
    "exception": {
        "left out": r"sauf|except[ée]\w*|hormis|à\s+l['’]exception|fait\s+exception",
        "included": r"y\s+compris|inclus\w*",
    },
    "evolution": {
        "worse": r"aggrav\w+|progress(?:[ée]|[ée]e|ion)|empir\w+|d[ée]t[ée]rior\w+|rechut\w+",
        "better": r"r[ée]gress\w+|am[ée]lior\w+|r[ée]solu\w*|gu[ée]ri(?:e|son)?",
    },
    "stroke": {
        "ischaemic": r"(?:AVC|vasculaires?\s+c[ée]r[ée]bra(?:l|ux))\s+isch[ée]mi\w+",
        "haemorrhagic": r"(?:AVC|vasculaires?\s+c[ée]r[ée]bra(?:l|ux))\s+h[ée]morragi\w+",
    },
    "smoking": {
        "smoker": r"(?<!non-)(?<!non )(?<!ex-)fumeu(?:r|rs|se|ses)"
        r"|(?<!ni )tabagi(?:que|sme)s?(?!\s+(?:est\s+)?(?:ni[ée]|absent)|\s*:\s*non)"
        r"|(?<!ne )fum(?:e|ait|ant)(?!\s+pas|-t-)|(?<!pas )(?<!de )fumer(?!\s+pas)",
        "none": r"non[ -]fumeu\w+|ne\s+fum\w+\s+pas|non\s+tabagique"
        r"|(?:pas|absence|aucun|sans)\s+(?:de\s+)?tabagisme|ni\s+tabagiques?|ne\s+pas\s+fumer"
        r"|ni(?:e|ent|ant|ait)\s+(?:tout\s+|le\s+|un\s+)?tabagisme"
        r"|tabagisme\s+(?:est\s+)?(?:ni[ée]|absent)|tabagisme\s*:\s*non|tabac\s*:\s*non",
    },
    "fever": {
        "fever": r"(?<!non )f[ée]briles?|hyperthermi\w+"
        r"|(?<!hors )(?<!toute )fi[èe]vre(?![^.;]{0,40}\babsente?s?\b)",
        "none": r"(?:en\s+dehors\s+de\s+toute|hors)\s+fi[èe]vre"
        r"|apyr[ée](?:tique|xie)s?|af[ée]briles?|non\s+f[ée]briles?"
        r"|fi[èe]vre(?=[^.;]{0,40}\babsente?s?\b)|d[ée]fervescence"
        r"|(?:disparition|normalisation|r[ée]gression)\s+de\s+la\s+(?:fi[èe]vre|temp[ée]rature)"
        r"|(?:sans|(?:pas|plus|jamais)\s+(?:(?:[ée]t[ée]\s+)?(?:accompagn|associ|suivi)\w+\s+)?(?:de|à)"
        r"|ni(?:\s+de)?|aucune|absence\s+de)\s+fi[èe]vre",
    },
    "how often": {
        "rare": r"rares?|rarement|(?:peu|moins)\s+fr[ée]quen\w+",
        "common": r"fr[ée]quen(?:te?s?|mment)",
    },
    "sense": {"for": r"en\s+faveur", "against": r"en\s+d[ée]faveur"},
    "content": {"poor": r"pauvres?\s+en|hypo\w+iques?", "rich": r"riches?\s+en"},
    "histology": {
        "squamous": r"[ée]pidermo[ïi]des?|malpighien\w*|spinocellulaires?",
        "small cells": r"à\s+petites\s+cellules", "glandular": r"ad[ée]nocarcinom\w+",
    },
    "with or without": {"with": r"avec\s+(?:aura)", "without": r"sans\s+(?:aura)"},
    "organ": {
        "heart": r"cardi\w+|c(?:œ|oe)urs?|myocard\w*|coron\w+",
        "kidney": r"r[ée]na(?:l|le|les|ux)|reins?|n[ée]phr\w+|surr[ée]nal\w+",
        "liver": r"h[ée]pat\w+|foie",
        "lung": r"pulmonaires?|poumons?|pneum\w+|bronch\w+|respirat\w+|thora\w+",
        "brain": r"c[ée]r[ée]br\w+|cerveau|enc[ée]phal\w+|intracr[âa]nien\w*|neuro\w*",
        "stomach": r"gastri\w+|estomac|gastro\w*",
        "colon": r"coli(?:que|ques)|c[ôo]lon",
        "bladder": r"(?:r[ée]tro|inter|sous|sus|p[ée]ri|endo)?-?v[ée]sical\w*|vessie",
        "spleen": r"spl[ée]n\w+|rate",
        "pancreas": r"pancr[ée]a\w+",
        "thyroid": r"thyro[ïi]d\w+",
        "prostate": r"prostat\w+",
        "uterus": r"ut[ée]r\w+",
        "ovary": r"ovari\w+|ovaires?",
        "breast": r"mammaires?|seins?",
        "hip": r"hanches?", "knee": r"genoux?", "shoulder": r"[ée]paules?", "elbow": r"coudes?",
        "wrist": r"poignets?", "ankle": r"chevilles?", "femur": r"f[ée]mur\w*|f[ée]mora\w+",
        "hand": r"mains?", "foot": r"pieds?",
        "eye": r"yeux|oculaires?|ophtalm\w+|oeil",
        "tibia": r"tibia\w*", "humerus": r"hum[ée]r\w+",
    },
    "extent": {
        "both": r"bilat[ée]ra\w+|(?:(?:l|d|c|s)es|aux)\s+(?:deux|2)\s+\w+|de\s+chaque\s+c[ôo]t[ée]"
        r"|de\s+part\s+et\s+d['’]autre|d['’]un\s+c[ôo]t[ée]\s+comme\s+de\s+l['’]autre",
        "one": r"une?\s+seule?\s+(?:ovaire|rein|poumon|sein|oeil|testicule|surr[ée]nale"
        r"|membre|jambe|bras)"
        r"|unilat[ée]ra\w+|d['’]un\s+seul\s+c[ôo]t[ée]"
        r"|(?:d['’]un|du)\s+c[ôo]t[ée]\s+(?:droit|gauche)",
    },
    "layer": {
        "subdural": r"sous[- ]dura(?:l|le|ux)", "extradural": r"extra[- ]?dura(?:l|le|ux)",
        "subarachnoid": r"sous[- ]arachno[ïi]d\w+",
    },
}  # fmt: skip
_PATTERNS = {
    group: re.compile(
        "(?<!\\w)(?:" + "|".join(f"({told})" for told in kinds.values()) + ")(?!\\w)", re.IGNORECASE
    )
    for group, kinds in _GROUPS.items()
}
"""By group one pattern, with a numbered group for each kind."""
ORGAN = _PATTERNS["organ"]
_RESULTS = ("result", "sensitivity")
_LOOSE = ("time of day", "relative", "severity", "direction", "medication", "extent", "limit",
          "sex", "smoking", "permission", "evolution", "position", "recommendation", "permit",
          "fever", "pace", "presence", "state", "meals", "advice",
          "timing")  # fmt: skip
"""Told too often by chance to compare how often each is told."""
_PLACES = ("height", "face", "end", "side of a limb", "depth")
_QUALIFIES = (*_PLACES, "course", "malignity", "severity", "order", "age of onset", "sex")
"""Groups of adjectives, which stand behind their noun."""
_NAMED = 4
"""Letters of what has a result: "test", "TPHA"."""
_Kinds = dict[tuple[str, str], set[int]]
"""By group and stem, which of the group belong to it."""
_LEVEL = re.compile(
    r"(?<!\w)(?:(augment(?:[ée]e?s?|ation)|[ée]l(?:ev[ée]e?s?|[ée]vation)|accrue?s?)|(?<!a)(normale?s?|normaux)|"
    r"(diminu(?:[ée]e?s?|tion)|abaiss[ée]e?s?|baisse|"
    r"(?<!voie )(?<!voies )(?<!dose )(?<!partie )basse?s?|"
    r"effondr[ée]e?s?))(?!\w)",
    re.IGNORECASE,
)
"""How high a value is: "l'enzyme est augmentée", now "normale"."""
_DENIED = re.compile(r"(?<!\w)(?:ne|pas|sans|non|ni|aucune?)(?!\w)|n['’]", re.IGNORECASE)
_LAST_PARTS = re.compile(r"[,:()]|(?<!\w)(?:et|mais|ou|tandis|alors)(?!\w)")


def opposite_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what stands for its opposite, or for another of its kind."""
    for group in _GROUPS:
        new = _told(rewrite, group)
        if not new:
            continue
        old = _told(source, group)
        # "synovite bilatérale des deux poignets" is told twice: of sides all must be gone.
        enough = 1 if group == "extent" else None
        fewer = [k for k in old if len(new.get(k, ())) < (enough or len(old[k]))]
        told = len(_GROUPS[group]) == 2 or (group == "route" and not set(fewer) <= set(new))
        for kind in new:
            more = told and len(new[kind]) > len(old.get(kind, ()))
            if fewer and fewer != [kind] and (kind not in old or (more and group not in _LOOSE)):
                yield f"{group} changed: {old[fewer[0]][0]}, now {new[kind][0]}"
    yield from _bound(_belonging(source), _belonging(rewrite), source)
    yield from _bound(_qualified(source), _qualified(rewrite), source)
    yield from _prefixes(source, rewrite)


@lru_cache(maxsize=256)
def _places(text: str, group: str) -> tuple[tuple[int, int, str], ...]:
    """Where one of a group stands in a text, which of its kinds it is, and how it is written."""
    found = [(m.start(), m.lastindex or 0, m[0]) for m in _PATTERNS[group].finditer(text)]
    turned = _TURNED.get(group)
    denied = _denied_at(text) if turned and any(kind == turned[0] for _, kind, _ in found) else ()
    return tuple((at, turned[1] if turned and at in denied else kind, w) for at, kind, w in found)


@lru_cache(maxsize=8)
def _denied_at(text: str) -> frozenset[int]:
    """Return where words stand that a cue denies, however far before: "ni toux, ni fièvre"."""
    places: set[int] = set()
    start = 0
    for part in segments(text):
        at = text.index(part, start)
        start = at + len(part)
        places.update(at + place for place in Reach(part).negated)
    return frozenset(places)


def _told(text: str, group: str) -> dict[int, list[str]]:
    """By kind, each place where it is told."""
    found: dict[int, list[str]] = {}
    for _, kind, written in _places(text, group):
        found.setdefault(kind, []).append(written)
    return found


def _bound(old: _Kinds, new: _Kinds, source: str) -> Iterator[str]:
    """Yield words that a different one of a group now belongs to."""
    changed: dict[str, list[str]] = {}
    for (group, root), kinds in old.items():
        now = new.get((group, root), set())
        if len(kinds) == len(now) == 1 and kinds != now:
            changed.setdefault(group, []).append(root)
    for group, roots in changed.items():
        if group != "level" or len(roots) > 1:  # one word beside "élevé" may be of something else
            yield from (f"{group} changed: {surface(root, source)}" for root in roots)


def _belonging(text: str) -> _Kinds:
    """Words that stand in one part of a sentence with "positif" or "négatif"."""
    found: _Kinds = {}
    for group in _RESULTS:
        if _places(text, group):
            _results(text, group, _PATTERNS[group], found)
    _results(text, "level", _LEVEL, found)
    return found


def _results(text: str, group: str, pattern: re.Pattern[str], found: _Kinds) -> None:
    for segment in segments(text):
        for part in _LAST_PARTS.split(segment) if pattern.search(segment) else ():
            kinds = {match.lastindex or 0 for match in pattern.finditer(part)}
            if group == "level" and _DENIED.search(part):
                continue  # "la CRP n'est pas élevée" is normal
            for raw in WORD.findall(part) if len(kinds) == 1 else ():
                word = fold(raw)
                if word.startswith("recherch"):
                    continue  # of several things, each with a result of its own
                if (len(word) >= _NAMED or raw.isupper()) and word not in LIGHT:
                    found.setdefault((group, stem(word)), set()).update(kinds)


def _qualified(text: str) -> _Kinds:
    """Words that one of a group stands directly behind: "territoire antérieur"."""
    found: _Kinds = {}
    for group in _QUALIFIES:
        for start, kind, _ in _places(text, group):
            before = re.search(r"(\w+)\s+\Z", text[max(0, start - 40) : start])
            word = fold(before[1]) if before else ""
            if len(word) >= CONTENT and word not in LIGHT:
                place = "place" if group in _PLACES else group
                told = kind + (10 * _PLACES.index(group) if group in _PLACES else 0)
                found.setdefault((place, stem(word)), set()).add(told)
    return found


_PREFIXES = (
    ("hypo", "hyper"), ("tachy", "brady"), ("micro", "macro"), ("mono", "poly"), ("uni", "bi"),
    ("intra", "extra"), ("pre", "post"), ("endo", "exo"), ("supra", "infra"), ("oligo", "poly"),
)  # fmt: skip
_PREFIXED = re.compile(
    rf"(?<!\w)({'|'.join(sorted({p for pair in _PREFIXES for p in pair}))})-?(\w{{4,}})"
)


def _prefixes(source: str, rewrite: str) -> Iterator[str]:
    """Yield words with the opposite prefix: "hyperkaliémie" where the source has "hypokaliémie"."""
    old, new = ({m.groups() for m in _PREFIXED.finditer(fold(t))} for t in (source, rewrite))
    for pair in _PREFIXES:
        for one, other in (pair, pair[::-1]):
            for prefix, root in old - new:
                if prefix == one and (other, root) in new - old:
                    yield f"opposite: {one}{root}, now {other}{root}"
