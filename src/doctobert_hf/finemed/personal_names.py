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
    rf"(?:(?!{_FIELD_NAME})(?:[A-ZÀ-Ý]['’][A-ZÀ-Ý]\w+(?:-[A-ZÀ-Ý]\w+){{0,4}}"
    r"|[A-ZÀ-Ý][a-zà-ÿœæ]+(?:[-'’][A-ZÀ-Ý]?[a-zà-ÿ]+){0,4}|[A-ZÀ-Ý]{2,}(?:[-'’][A-ZÀ-Ý]{2,}){0,4}"
    r"|[DLdl]['’][A-ZÀ-Ý]\w+))"
)
"""Repetitions have limits, here and below, so that time grows with the length of a text only."""
_PARTICLE = (
    r"(?:de|du|des|la|le|el|ben|van|von|da|der|den|Le|La|De|Du|El|Ben|Van|Von|"
    r"DE|DU|LE|LA|VAN|VON|DER|DEN)"
)
_PARTICLES = rf"(?:{_PARTICLE}{_S}){{0,4}}"
_PERSON = rf"(?:[A-ZÀ-Ý]\.{_S}?-?){{0,4}}{_PARTICLES}{_PART}(?:{_S}{_PARTICLES}{_PART}){{0,3}}"
_NAMED = re.compile(
    rf"(?<![\w.'’-])(?<!JJ )(?P<title>{_TITLE})\.?{_S}+"
    rf"(?!(?:[Ll][ea]{_S})?(?:D(?:octeu)?re?|D(?:OCTEU)?R|P(?:rofesseu)?re?|P(?:ROFESSEU)?R)\.?{_S}+[A-ZÀ-Ýdl])"
    rf"(?P<name>{_PERSON})"
)
"""The title next to the name is the one that counts: "Monsieur le Docteur Martin"."""
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
    rf"IDE|IADE|IBODE|[Aa]ide-soignante?|[Dd]entiste|[Pp]harmacien(?:ne)?|[Pp]sychologue|[Ee]xternes?|"
    rf"[Cc]onjointe?){_S}?:{_S}?(?P<name>{_PART}(?:{_S}{_PARTICLES}{_PART}){{1,3}})"
)
"""Who did what: with two names at least, for "Interne : Garde" is none."""
_FIRST = r"[A-ZÀ-Ý][a-zà-ÿ]+(?:-[A-ZÀ-Ý][a-zà-ÿ]+)?"
_CALLED = re.compile(
    rf"(?<!\w)(?:(?:[Ll]['’](?:enfant|intéressée?)|[Ll][ea]{_S}patiente?,){_S}"
    rf"(?P<either>{_FIRST}{_S}{_PARTICLES}(?:[A-ZÀ-Ý]{{2,}}|[A-ZÀ-Ý][a-zà-ÿ]+)(?:-[A-ZÀ-Ý]\w+)?)"
    rf"|[Ll][ea]{_S}(?:jeune|petite?){_S}(?P<capitals>{_FIRST}{_S}{_PARTICLES}[A-ZÀ-Ý]{{2,}}))(?!\w)"
)
"""A child or patient with first and last name."""
_BY = re.compile(
    rf"(?<!\w)(?:(?:[Rr][ée]dig|[Vv]alid|[Dd]ict|[Ss]ign|[Aa]dress|[Rr]elu)[ée]?e?{_S}par)"
    rf"{_S}?:?{_S}?(?P<name>{_PART}(?:{_S}{_PARTICLES}{_PART}){{1,3}})"
)
_BORN_AS = re.compile(
    rf"(?<!\w){_PART},?{_S}+(?:n[ée]e|N[ÉE]E|[ée]pouse|[ÉE]POUSE|veuve|VEUVE|[ée]p\.){_S}+(?P<name>{_PERSON})"
)
_SECOND = re.compile(
    rf"(?<!\w)(?:Drs|MM|Mmes|Prs|Docteurs|Professeurs)\.?{_S}+{_PERSON}{_S}+et{_S}+(?P<name>{_PERSON})"
)
_GAP = r"[ \t\u00a0]"
"""No line ends: what stands on the line above has nothing to do with a name."""
_NUMBER = rf"\d{{1,4}}(?:{_GAP}?(?:bis|ter|quater))?{_GAP}?,?{_GAP}+"
_STREET_OF = re.compile(
    rf"(?<!\w)(?:(?:rue|avenue|boulevard|all[ée]es?|esplanade){_GAP}+(?:du|de{_GAP}la)"
    rf"|{_NUMBER}(?:rue|avenue|boulevard|all[ée]es?|esplanade|impasse|square)(?:{_GAP}+(?:du|de{_GAP}la))?"
    rf"|{_NUMBER}(?:av|bd|bld|blvd|place|pl|cours|quai|chemin|route)\.?{_GAP}+(?:du|de{_GAP}la)"
    rf"){_GAP}+\Z",
    re.IGNORECASE,
)
"""A street has the name of some doctor long dead; "en place" and "en cours" are no streets."""
_DOCTOR = re.compile(r"(?:Docteure?|Dre?|Professeure?|Pr|Prof)\Z", re.IGNORECASE)
_AUTHOR = re.compile(rf"(?<![\w-])[A-ZÀ-Ý][a-zà-ÿ]+(?:-[A-ZÀ-Ý][a-zà-ÿ]+){{0,2}}{_GAP}+\Z")
_AUTHORS = re.compile(
    rf"[A-ZÀ-Ý][a-zà-ÿ]+{_GAP}[A-ZÀ-Ý]{{1,2}}{_GAP}?[,;]{_GAP}*[A-ZÀ-Ý][\w-]+{_GAP}+\Z"
)
_REFERENCE = re.compile(
    rf"[^\n]{{0,250}}?(?<![\d/.-])(?:19|20)\d\d[^;\n]{{0,12}};{_GAP}?\d+{_GAP}?(?:\([^)\n]{{0,12}}\))?{_GAP}?:{_GAP}?\w?\d"
)
"""An author: in a list ("Keller U, Nattrass M."), or before year, volume, page ("2002;30:51")."""
_MAKES = re.compile(
    rf"(?:(?P<alone>fabricants?|sur{_GAP}le{_GAP}march[ée])|exploitants?|titulaires?){_GAP}*:?{_GAP}*"
    rf"(?P<laboratory>laboratoires?{_GAP}+)?\Z",
    re.IGNORECASE,
)
_MAKER = re.compile(
    r"[A-ZÀ-Ý.&'’ \t-]*?\b(?:G[Mm][Bb]H|L(?:td|TD)|Inc\.|B\.V\.|PHARMA(?!\w)|CHEM[-. ]{1,2}PHARM|"
    r"CHEMISCH-PHARM|Arzneimittel)"
)
"""Capitals and a maker's form behind the name; a doctor's practice is a SARL or SAS too."""
_PENICILLINS = re.compile(
    rf"(?P<group>groupe{_GAP})?des{_GAP}p[ée]nicillines{_GAP}+\Z", re.IGNORECASE
)
_NO_NAME = frozenset(
    """le la les l un une des du de je il elle nous vous ce cette son sa ses et ou où a est sont
    en au aux par pour sur dans avec sans pas ne si que qui lors suite selon traitement examen
    patient
    patiente âgé âgée président directeur médecin présidente directrice docteur
    professeur monsieur madame honoris vétérinaire""".split()
)


def find_names(text: str) -> Spans:
    """Yield where names stand."""
    for match in _CALLED.finditer(text):
        name = match["either"] or match["capitals"]
        if _is_name(name, strict=True):
            yield match.span("either" if match["either"] else "capitals")
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
    """Return whether a street, a maker of medicines or an author has the name.

    In doubt the name is a person's: one masked too many costs less than one that is left.
    """
    if not titled or "\n" in match[0] or "\r" in match[0]:
        return False

    def before(pattern: re.Pattern[str], length: int) -> re.Match[str] | None:
        return pattern.search(text, max(0, match.start() - length), match.start())

    title, name = match["title"], match["name"]
    doctor = _DOCTOR.match(title) is not None
    if doctor and before(_STREET_OF, 40):
        return True
    makes = before(_MAKES, 60) if name.isupper() else None
    if makes and (makes["laboratory"] or (doctor and makes["alone"])):
        return True
    if doctor and title.isupper() and _MAKER.match(text, match.start("name"), match.end() + 30):
        return True
    if title != "M":
        return False
    if (penicillins := before(_PENICILLINS, 40)) and (
        penicillins["group"] or kind_of(name.split()[0]) == "drug"
    ):
        return True
    return before(_AUTHOR, 40) is not None and (
        before(_AUTHORS, 60) is not None or _REFERENCE.match(text, match.end()) is not None
    )
