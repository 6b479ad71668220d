"""Names of people in French text: behind a title, or behind a field's name."""

from __future__ import annotations

import re

from doctobert_hf.finemed.personal_places import SPACE as _S, Spans
from doctobert_hf.finemed.rephrase.terms import kind_of

_TITLE = (
    r"(?:Dr|DR|Drs|Docteur|DOCTEUR|Docteure|Dre|Pr|PR|Prof|Professeure?|PROFESSEUR|M|Mr|MR|MM|"
    r"Mme|MME|Mmes|Mlle|MLLE|Monsieur|MONSIEUR|Madame|MADAME|Mademoiselle|Me|Ma[îi]tre|Interne|IDE|Sœur|"
    r"madame|monsieur|mademoiselle|mme|mlle|docteure?|professeure?|dr|pr)"
)
_FIELD_NAME = (
    r"(?:NOM|PR[ÉE]NOM|SEXE|DDN|N[ÉE]E?|DATE|ADRESSE|[ÂA]GE|IPP|T[ÉE]L|"
    r"Pr[ée]nom|Nom|Sexe|N[ée]e?)(?!\w)"
)
_PART = (
    rf"(?:(?!{_FIELD_NAME})(?:[A-ZÀ-Ý]['’][A-ZÀ-Ý]\w+(?:-[A-ZÀ-Ý]\w+)*"
    r"|[A-ZÀ-Ý][a-zà-ÿœæ]+(?:[-'’][A-ZÀ-Ý]?[a-zà-ÿ]+)*|[A-ZÀ-Ý]{2,}(?:[-'’][A-ZÀ-Ý]{2,})*"
    r"|[DLdl]['’][A-ZÀ-Ý]\w+))"
)
_PARTICLE = (
    r"(?:de|du|des|la|le|el|ben|van|von|da|der|den|Le|La|De|Du|El|Ben|Van|Von|"
    r"DE|DU|LE|LA|VAN|VON|DER|DEN)"
)
_PERSON = (
    rf"(?:[A-ZÀ-Ý]\.{_S}?-?)*(?:{_PARTICLE}{_S})*{_PART}(?:{_S}(?:{_PARTICLE}{_S})*{_PART}){{0,3}}"
)
_NAMED = re.compile(rf"(?<![\w.'’-])(?<!JJ )(?P<title>{_TITLE})\.?{_S}+(?P<name>{_PERSON})")
_FIELD = re.compile(
    rf"(?<!\w)(?:(?:Nom|NOM)(?:{_S}(?:de{_S}naissance|marital|d['’]usage|de{_S}famille|usuel|de{_S}jeune{_S}fille))?|"
    rf"Pr[ée]nom|PR[ÉE]NOM|(?:Nom|NOM)(?:{_S}et{_S}|,{_S}?|{_S}?/{_S}?)(?:pr[ée]nom|PR[ÉE]NOM|Pr[ée]nom)|"
    rf"Patiente?|PATIENTE?|M[ée]decin(?:{_S}traitant)?|Personne{_S}(?:de{_S}confiance|à{_S}pr[ée]venir))"
    rf"{_S}?:{_S}?(?P<name>{_PERSON}(?:,{_S}?{_PART})?)"
)
_ROLE = re.compile(
    rf"(?<!\w)(?:[Ii]nterne|[Oo]p[ée]rateur|[Aa]nesth[ée]siste|[Ss]ignataire|[Ss]age-femme|[Ii]nfirmi(?:er|[èe]re)|"
    rf"[Cc]hirurgien(?:ne)?|[Aa]ssistante?|[Pp]rescripteur|[Rr][ée]dacteur|[Cc]orrespondant|[Dd]estinataire|"
    rf"[Rr]adiologue|[Pp]athologiste|[Cc]ardiologue|[Ss]ecr[ée]taire|[Kk]in[ée]sith[ée]rapeute|[Aa]ssur[ée]e?|"
    rf"[Cc]onjointe?){_S}?:{_S}?(?P<name>{_PART}(?:{_S}(?:{_PARTICLE}{_S})*{_PART}){{1,3}})"
)
"""Who did what: with two names at least, for "Interne : Garde" is none."""
_BY = re.compile(
    rf"(?<!\w)(?:(?:[Rr][ée]dig|[Vv]alid|[Dd]ict|[Ss]ign|[Aa]dress|[Rr]elu)[ée]?e?{_S}par)"
    rf"{_S}?:?{_S}?(?P<name>{_PART}(?:{_S}(?:{_PARTICLE}{_S})*{_PART}){{1,3}})"
)
_BORN_AS = re.compile(
    rf"{_PART},?{_S}+(?:n[ée]e|N[ÉE]E|[ée]pouse|[ÉE]POUSE|veuve|VEUVE|[ée]p\.){_S}+(?P<name>{_PERSON})"
)
_SECOND = re.compile(
    rf"(?<!\w)(?:Drs|MM|Mmes|Prs|Docteurs|Professeurs)\.?{_S}+{_PERSON}{_S}+et{_S}+(?P<name>{_PERSON})"
)
_STREET_OF = re.compile(
    r"(?:rue|avenue|av\.?|boulevard|bd\.?|place|quai|all[ée]e|impasse|chemin|square|cours|esplanade|h[ôo]pital|"
    r"clinique|centre|institut|fondation)\s+(?:du|de\s+la|de)?\s*\Z",
    re.IGNORECASE,
)
"""A street has the name of somebody long dead."""
_AUTHOR = re.compile(
    r"(?<![\w-])(?!Chers?|Ch[èe]re|Bonjour|Pour|Avec|De|Par|Chez|Et|Que|Selon|Vu|Patient|Objet|Concernant|Suivi)"
    r"[A-ZÀ-Ý][a-zà-ÿ]+(?:-[A-ZÀ-Ý][a-zà-ÿ]+)*\s+\Z"
)
"""An author in a list of references: "Nattrass M. Diabetic"."""
_MAKES = re.compile(r"(?:fabricant|titulaire|exploitant|laboratoires?)[^.]*\Z", re.IGNORECASE)
_MAKER = re.compile(
    r"\b(?:GmbH|Ltd|Inc|AG|SAS|SARL|S\.A\.?|B\.?V\.?|PHARMA\w*|CHEM\w*|Pharma\w*|Arzneimittel)\b"
)
_NO_NAME = frozenset(
    """le la les l un une des du de je il elle nous vous ce cette son sa ses et ou où a est sont
    en au aux par pour sur dans avec sans pas ne si que qui lors suite selon traitement examen
    patient
    patiente âgé âgée président directeur médecin présidente directrice ministre maire docteur
    professeur monsieur madame honoris vétérinaire""".split()
)


def find_names(text: str) -> Spans:
    """Yield where names stand."""
    for pattern in (_NAMED, _FIELD, _ROLE, _BY, _BORN_AS, _SECOND):
        for match in pattern.finditer(text):
            if _is_name(match["name"], strict=pattern in (_BORN_AS, _ROLE, _BY)) and not _is_place(
                text, match, pattern is _NAMED
            ):
                yield match.span("name")


def _is_name(name: str, strict: bool) -> bool:
    if re.match(r"[A-ZÀ-Ý]\.", name) and re.search(r"\w{2}", name):
        return True  # "B. de La Tour"
    parts = [part for part in re.split(r"[\s.]+", name) if len(part) > 1] or [name]
    first = parts[0]
    if first.lower() not in _NO_NAME or (not strict and first.isupper() and len(first) > 1):
        return True
    if len(parts) > 1 and first.lower() in ("le", "la", "de", "du") and first[0].isupper():
        return parts[1].lower() not in _NO_NAME and not strict  # "Mme Le Gall"
    return False


def _is_place(text: str, match: re.Match[str], titled: bool) -> bool:
    """Return whether a street, or a maker of medicines, has the name."""
    if not titled:
        return False
    if _STREET_OF.search(text, max(0, match.start() - 25), match.start()):
        return True
    if match["title"] == "M" and _AUTHOR.search(text, max(0, match.start() - 30), match.start()):
        return True
    if match["name"].isupper() and _MAKES.search(text, max(0, match.start() - 60), match.start()):
        return True
    after = text[match.end() : match.end() + 30].split("\n")[0]
    if match["title"].isupper() and _MAKER.search(match["name"] + after):
        return True
    return match["title"] == "M" and kind_of(match["name"].split()[0]) == "drug"
