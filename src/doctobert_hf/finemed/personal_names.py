"""Names of people in French text: behind a title, or behind a field's name."""

from __future__ import annotations

import re
from functools import lru_cache

from doctobert_hf.finemed.personal_places import LINE as _LINE, SPACE as _S, Spans
from doctobert_hf.finemed.rephrase.terms import kind_of
from doctobert_hf.finemed.scanning import Matches, around, scan
from doctobert_hf.finemed.words import fold

_TITLE = (
    r"(?:Dr(?:\(e\))?|DR|Drs|Docteur|DOCTEUR|Docteurs|Docteure|Dre|Professeurs|Prs|Pr|PR|Prof|Professeure?|PROFESSEUR|M|Mr|MR|MM|"
    r"Mme|MME|Mmes|Mesdames|Messieurs|Mlle|MLLE|Monsieur|MONSIEUR|Madame|MADAME|Mademoiselle|Me|Ma[îi]tre|Interne|IDE|Sœur|"
    r"madame|monsieur|mademoiselle|mme|mlle|docteure?|professeure?|dr|pr)"
)
_FIELD_NAME = (
    r"(?:NOM|PR[ÉE]NOM|SEXE|DDN|N[ÉE]E?|DATE|ADRESSE|[ÂA]GE|IPP|T[ÉE]L|"
    r"Pr[ée]nom|Nom|Sexe|N[ée]e?)(?!\w)"
)
_NOT_OF_NAME = (
    rf"(?:(?!Ma[îi]tre(?!\w)){_TITLE}(?:\.|(?!\w))|(?i:"
    # what a letter's header, a signature or a field goes on with
    r"services?|chefs?|h[ôo]pital|h[ôo]pitaux|clinique|cabinet|centre|p[ôo]le|unit[ée]|chu|chru|chr|aphp|"
    r"t[ée]l|t[ée]l[ée]phone|fax|e?-?mail|courriel|rpps|adeli|finess|nir|nda|secr[ée]tariat|"
    r"adresse|nationalit[ée]|profession|motif|ant[ée]c[ée]dents?|conclusion|correspondants?|objet|"
    r"m[ée]decins?|m[ée]decine|chirurgiens?|chirurgie|internes?|anesth[ée]siste|sp[ée]cialiste|"
    r"praticien|pharmacien|infirmi[eè]re?|sage-femme|psychologue|dentiste|radiologie|"
    r"[a-zéè]{3,20}(?:ologues?|ologie|iatres?|iatrie|ologiste)|hospitalis[ée]e?s?|consultation)(?!\w))"
)
"""What no name is, nor goes on with: "Dr MARTIN Service de cardiologie", "Dr ROUX⏎Dr BLANC"."""
_NOT_BEHIND_NAME = (
    r"(?:(?!(?:Vu|Le|La|Au|Sur|Vit)(?!\w)|(?:VU|LE|LA)(?:\Z|[\n,;)]))(?i:"
    r"est|a|ont|et|ou|par|pour|au|aux|en|sur|sans|avec|dans|chez|qui|que|dont|le|la|les|des|"
    r"[ée]tait|sera|sort|sorti|sortie|vient|vit|vu|vue|[âa]g[ée]e?|pr[ée]sente|consulte|revient|"
    r"propose|demande|d[ée]cide|b[ée]n[ée]ficie|souffre|habite|demeurant|domicili[ée]e?|suivie?"
    r")(?!\w))"
)
"""What a text in capitals goes on with: "M. DUPONT EST SORTI"; "M. ET, 49 ans" is initials, and
"Dr Minh Vu" or "M. ANH LE," a name of Vietnam."""
_PART = (
    rf"(?:(?!{_FIELD_NAME}|{_NOT_OF_NAME})(?:[A-ZÀ-Ý]['’][A-ZÀ-Ý]\w+(?:-[A-ZÀ-Ý]\w+){{0,4}}"
    r"|[A-ZÀ-Ý][a-zà-ÿœæ]+(?:[-'’][A-ZÀ-Ý]?[a-zà-ÿ]+){0,4}|[A-ZÀ-Ý]{2,}(?:[-'’][A-ZÀ-Ý]{2,}){0,4}"
    r"|[DLdl]['’][A-ZÀ-Ý]\w+))"
)
"""Repetitions have limits, here and below, so that time grows with the length of a text only."""
_PARTICLE = (
    r"(?:de|du|des|la|le|el|ben|van|von|da|der|den|Le|La|De|Du|El|Ben|Van|Von|"
    r"DE|DU|LE|LA|VAN|VON|DER|DEN)"
)
_PARTICLES = rf"(?:{_PARTICLE}{_S}){{0,4}}"
_INITIALS = rf"(?:[A-ZÀ-Ý]\.{_S}?-?|[A-ZÀ-Ý]-[A-ZÀ-Ý]{_S}){{0,4}}"
_WITHIN = r"(?:[ \t\u00a0\u2007\u2009\u202f]|(?<=[^\n\r]{45})[\n\r])"
"""Between parts of a name a line ends only where a text is wrapped, not in a header."""
_PERSON = (
    rf"{_INITIALS}{_PARTICLES}{_PART}(?:{_WITHIN}{_PARTICLES}(?!{_NOT_BEHIND_NAME}){_PART}){{0,3}}"
    r"(?: [A-ZÀ-Ý]\.?(?=[\n,;)]|\s?-\s|\Z))?"  # "RICHARD P., endocrinologue"
)
_NAMED = re.compile(
    rf"(?<![\w.'’-])(?<!JJ )(?<!/\d )(?P<title>{_TITLE})"
    rf"(?:(?:(?<!\w{{5}})\.)?{_S}+|\.(?<!MM\.)(?=[A-ZÀ-Ý][\w'’]{{2}}))"
    rf"(?!(?:[Ll][ea]{_S})?(?:D(?:octeu)?re?|D(?:OCTEU)?R|P(?:rofesseu)?re?|P(?:ROFESSEU)?R)\.?{_S}+[A-ZÀ-Ýdl])"
    rf"(?P<name>{_PERSON})"
)
"""The title next to the name is the one that counts: "Monsieur le Docteur Martin". A word written
out has no full stop ("votre docteur. Allaitement"), and "1/6 M. Incompatibilités" is molar."""
_WHOSE = (
    rf"(?:{_S}(?:(?i:marital|usuel|patronymique)|(?i:d[eu]{_S}(?:la{_S})?|de{_S}l['’]|d['’])(?i:naissance|usage|"
    rf"famille|jeune{_S}fille|patiente?|malade|assur[ée]e?|b[ée]n[ée]ficiaire|enfant|p[èe]re|m[èe]re|[ée]poux|"
    rf"[ée]pouse|conjointe?|tuteur|m[ée]decin(?:{_S}traitant)?|praticien|prescripteur|chirurgien|op[ée]rateur)))?"
)
"""A name's field is somebody's: "Nom du médicament" is none."""
_FIELD = re.compile(
    rf"(?<!\w)(?:(?:(?:Nom|NOM)(?:(?:{_S}et{_S}|,{_S}?|{_S}?/{_S}?)(?:pr[ée]noms?|PR[ÉE]NOMS?|Pr[ée]noms?))?|"
    rf"Pr[ée]noms?|PR[ÉE]NOMS?|Identit[ée]|IDENTIT[ÉE]){_WHOSE}|"
    rf"Patiente?|PATIENTE?|M[ée]decin(?:{_S}traitant)?|Personne{_S}(?:de{_S}confiance|à{_S}pr[ée]venir))"
    rf"{_S}?:{_S}?(?P<name>{_PERSON}(?:,{_S}?{_PART})?)"
)
_BARE_FIELD = re.compile(
    rf"(?<!\w)(?:NOM|Nom|PR[ÉE]NOM|Pr[ée]nom){_S}+(?P<name>{_PART})(?={_S}+(?:PR[ÉE]NOM|Pr[ée]nom|DDN|N[ÉEée]{{1,2}}(?!\w)|SEXE|Sexe))"
    rf"|(?<=[\w-]{_S})(?:PR[ÉE]NOM|Pr[ée]nom){_S}+(?P<first>{_PART})"
)
"""A form's fields without colons: "NOM DURAND Prénom Anne"."""
_SMALL = re.compile(
    r"(?<![\w.'’-])(?<!votre )"
    rf"(?P<title>mme|mlle|mr|m(?=\.)|dr|madame|monsieur|mademoiselle|docteur)(?:\.{_S}?|{_S})"
    r"(?P<name>[a-zà-ÿ]{3,}(?:-[a-zà-ÿ]{2,})?)(?!\w)"
)
"""A note without capitals: "vu mme durand"; "m" and words of the language are no title, no name."""
_NO_SURNAME = re.compile(
    r"(?:[éèê]e?s?|antes?|iques?|euses?|ales?|aires?|trice|isante?|ologue|iatre|ien(?:ne)?|[dt]ue|(?<!\Acl)ement|[aei]ra|ront|[ea]it|aient)\Z|"
    r"\A(?:traitant|garde|r[ée]f[ée]rent|s[ée]nior|junior|avis|vu|lettre|courrier|rappel|qui|quand|ne)\Z"
)
_ROLE = re.compile(
    rf"(?<!\w)(?:[Ii]nterne|[Oo]p[ée]rateur|[Aa]nesth[ée]siste|[Ss]ignataire|[Ss]age-femme|[Ii]nfirmi(?:er|[èe]re)|"
    rf"[Cc]hirurgien(?:ne)?|[Aa]ssistante?|[Pp]rescripteur|[Rr][ée]dacteur|[Cc]orrespondant|[Dd]estinataire|"
    rf"[Rr]adiologue|[Pp]athologiste|[Cc]ardiologue|[Ss]ecr[ée]taire|[Kk]in[ée]sith[ée]rapeute|[Aa]ssur[ée]e?|"
    rf"[Ss]ign[ée]e?|IDE|IADE|IBODE|[Aa]ide-soignante?|[Dd]entiste|[Pp]harmacien(?:ne)?|[Pp]sychologue|[Ee]xternes?|"
    rf"[Cc]onjointe?){_S}?:{_S}?(?P<name>{_PART}(?:{_WITHIN}{_PARTICLES}{_PART}){{1,3}}"
    rf"|(?:[A-ZÀ-Ý]\.{_LINE}?-?){{1,3}}{_PARTICLES}{_PART})"
)
"""Who did what: with two names at least, for "Interne : Garde" is none."""
_FIRST = r"[A-ZÀ-Ý][a-zà-ÿ]+(?:-[A-ZÀ-Ý][a-zà-ÿ]+)?"
_CALLED = re.compile(
    rf"(?<!\w)(?:(?:[Ll]['’](?:enfant|intéressée?)|[Ll][ea]{_S}patiente?,){_S}"
    rf"(?P<either>{_FIRST}{_S}{_PARTICLES}(?:[A-ZÀ-Ý]{{2,}}|[A-ZÀ-Ý][a-zà-ÿ]+)(?:-[A-ZÀ-Ý]\w+)?)"
    rf"|[Ll][ea]{_S}(?:jeune|petite?|patiente?){_S}(?P<capitals>{_FIRST}{_S}{_PARTICLES}[A-ZÀ-Ý]{{2,}}"
    rf"|{_FIRST}{_S}{_PARTICLES}{_FIRST}(?=,?{_S}(?:\d{{1,2}}{_S}(?:ans|mois)|[âa]g[ée]e?|n[ée]e?)(?!\w))))(?!\w)"
)
"""A child or patient with first and last name."""
_BY = re.compile(
    rf"(?<!\w)(?:(?:[Rr][ée]dig|[Vv]alid|[Dd]ict|[Ss]ign|[Aa]dress|[Rr]elu)[ée]?e?{_S}par)"
    rf"{_S}?:?{_S}?(?P<name>{_PART}(?:{_WITHIN}{_PARTICLES}{_PART}){{1,3}})"
)
_BORN_AS = re.compile(
    rf"(?<!\w){_PART},?{_S}+(?:n[ée]e|N[ÉE]E|[ée]pouse|[ÉE]POUSE|veuve|VEUVE|[ée]p\.){_S}+(?P<name>{_PERSON})"
)
_SECOND = re.compile(
    rf"(?<!\w)(?:Drs|MM|Mmes|Mesdames|Messieurs|Prs|Docteurs|Professeurs)\.?{_S}+{_PERSON}{_S}+et{_S}+(?P<name>{_PERSON})"
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
_EPONYM = re.compile(
    rf"(?<!\w)(?:(?:syndrome|signe|score|[ée]chelle|classification|man[œo]e?uvre|crit[èe]res?|triade|r[ée]flexe|"
    rf"ph[ée]nom[èe]ne|tests?|[ée]preuve|formule|indice|loi){_S}|(?P<any>maladie|tumeur|sarcome|anémie|thyro[ïi]dite|"
    rf"chor[ée]e|op[ée]ration|intervention|m[ée]thode|technique|purpura|parkinson){_S})"
    rf"(?:\w{{3,12}}{_S})?(?:du|de{_S}la|de|selon(?:{_S}le)?){_S}+\Z",
    re.IGNORECASE,
)
"""What is named after a doctor of the past; of some things only where the name is known."""
_EPONYMS = frozenset(
    """addison alport alzheimer apgar babinski barlow basedow behcet bobath borg bouchard bright
    brown budd burkitt charcot coombs creutzfeldt crohn cushing down duchenne dupuytren ehlers ewing
    fabry fallot fanconi gaucher gilbert graves guillain hashimoto heberden hirschsprung
    hodgkin horton huntington kahler kaposi kawasaki koch ledderhose lyme marfan mcburney
    menetrier meniere murphy osgood paget parkinson peyronie pott quervain raynaud
    recklinghausen reiter rett scheuermann schonlein sjogren steinert still sydenham takayasu
    tourette turner verneuil waldenstrom wegener werlhof whipple widal willebrand
    wilms wilson""".split()
)
_DOCTOR = re.compile(r"(?:Docteure?|Dre?|Professeure?|Pr|Prof)\Z", re.IGNORECASE)
_CIVIL = re.compile(r"M|Mr|Mme|Mlle|Monsieur|Madame|Dr", re.IGNORECASE)
_AUTHOR = re.compile(rf"(?<![\w-])[A-ZÀ-Ý][a-zà-ÿ]+(?:-[A-ZÀ-Ý][a-zà-ÿ]+){{0,2}}{_GAP}+\Z")
_AUTHORS = re.compile(
    rf"[A-ZÀ-Ý][a-zà-ÿ]+{_GAP}[A-ZÀ-Ý]{{1,2}}{_GAP}?[,;]{_GAP}*[A-ZÀ-Ý][\w-]+{_GAP}+\Z"
)
_REFERENCE = re.compile(
    rf"[^\n]{{0,250}}?(?<![\d/.-])(?:19|20)\d\d[^;\n]{{0,12}};{_GAP}?\d+{_GAP}?(?:\([^)\n]{{0,12}}\))?{_GAP}?:{_GAP}?\w?\d"
)
"""An author: in a list ("Keller U, Nattrass M."), or before year, volume, page ("2002;30:51")."""
_ROAD_ABROAD = re.compile(
    rf"[\w-]*(?:-?(?:[Ss]tr(?:a[ßs]{{1,2}}e|\.?)|STR(?:ASSE)?|[Vv]ej|VEJ|[Gg]atan|[Ww]eg|WEG|[Gg]asse|[Pp]latz|[Aa]llee))(?!\w)"
    rf"|['’]S{_GAP}+LAB"
)
_ROAD_BEFORE = re.compile(rf"(?<!\w)(?:UL\.?|ul\.?|VIA|Via|CALLE|Calle|C/|AVDA\.?){_GAP}*\Z")
"""Makers abroad live in streets that have a doctor's name as well."""
_MAKES = re.compile(
    rf"(?:(?P<alone>fabricants?|sur{_GAP}le{_GAP}march[ée])|exploitants?|titulaires?){_GAP}*:?{_GAP}*"
    rf"(?P<laboratory>laboratoires?{_GAP}+)?\Z|(?-i:LABORATOIRES){_GAP}+\Z",
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


_A_SEX = re.compile(r":[ \t\u00a0\u202f]*M[ \t\u00a0]*[\n\r]\s*\Z")
"""A field's value on a line of its own: "Sexe : M⏎Adresse"."""
_FIELD_START = re.compile(r"[NP][oOrR](?<!\w..)")
_SMALL_START = re.compile(r"[md][mrlaoe.](?<![\w.'’-]..)")
_CALLED_START = re.compile(r"[Ll]['’ea](?<!\w..)")
_STARTS = {
    _NAMED: re.compile(r"[DPMISmdp](?<![\w.'’-].)"),
    _BY: re.compile(r"[RrVvDdSsAa][éeaid](?<!\w..)"),
    _SECOND: re.compile(r"[DMP](?<!\w.)"),
}
_SIGNS = {
    _BORN_AS: re.compile(r"[nNéÉeEvV](?<!\w.)(?:[ée]e|[ÉE]E|p\.|pouse|POUSE|euve|EUVE)(?!\w)"),
}
"""What stands inside a match, for patterns that could begin at any capital."""
_COLON = re.compile(":")


def _matches(pattern: re.Pattern[str], text: str) -> Matches:
    if pattern in _STARTS:
        return scan(pattern, _STARTS[pattern], text)
    signs = (match.start() for match in _SIGNS.get(pattern, _COLON).finditer(text))
    return around(pattern, signs, 100, 400, text)


def find_names(text: str) -> Spans:
    """Yield where names stand."""
    for match in scan(_CALLED, _CALLED_START, text):
        name = match["either"] or match["capitals"]
        if _is_name(name, strict=True):
            yield match.span("either" if match["either"] else "capitals")
    yield from _in_fields(text)
    yield from _in_small_letters(text)
    for pattern in (_NAMED, _FIELD, _ROLE, _BY, _BORN_AS, _SECOND):
        for match in _matches(pattern, text):
            titled = pattern is _NAMED
            noble = titled and _CIVIL.fullmatch(match["title"]) is not None
            if (
                titled
                and match["title"] == "M"
                and _A_SEX.search(text, max(0, match.start() - 4), match.start("name"))
            ):
                continue
            strict = pattern in (_BORN_AS, _ROLE, _BY)
            if _is_name(match["name"], strict, noble) and not _is_place(text, match, titled):
                yield match.span("name")


def _in_fields(text: str) -> Spans:
    if not any(word in text for word in ("NOM", "Nom", "Prénom", "Prenom")):
        return
    for match in scan(_BARE_FIELD, _FIELD_START, text):
        yield match.span("name" if match["name"] else "first")


def _in_small_letters(text: str) -> Spans:
    """Yield names of notes without capitals: of words that nothing tells to be others."""
    for match in scan(_SMALL, _SMALL_START, text):
        word = match["name"]
        around = text[max(0, match.start() - 80) : match.end() + 80]
        if any(map(str.isupper, around)) and match["title"] in ("m", "mr"):
            continue
        if word in _NO_NAME or _NO_SURNAME.search(word):
            continue
        if match["title"] != "dr" and fold(word) in _words():
            continue
        yield match.span("name")


_ARTICLES = frozenset(("le", "la", "de", "du", "des", "les"))
"""What names begin with, each part with a capital or not."""


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    from doctobert_hf.finemed.annotators.domain import known_words

    return known_words()


def _is_name(name: str, strict: bool, noble: bool = False) -> bool:
    if re.match(r"[A-ZÀ-Ý]\.", name) and re.search(r"\w{2}", name):
        return True  # "B. de La Tour"
    parts = [part for part in re.split(r"[\s.]+", name) if len(part) > 1] or [name]
    first = parts[0]
    if first.lower() not in _NO_NAME or (not strict and first.isupper() and len(first) > 1):
        return True
    if len(parts) == 1 or first.lower() not in _ARTICLES:
        return False
    if not (first[0].isupper() or (noble and first == "de")):
        return False
    # "Mme Le Gall", "Mme De La Tour", "M. de Villepin", "M. de La Rochefoucauld"
    behind = next((part for part in parts if part.lower() not in _ARTICLES), "")
    return behind[:1].isupper() and behind.lower() not in _NO_NAME and not strict


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
    if (eponym := before(_EPONYM, 50)) and (
        fold(name.split()[0]) in _EPONYMS or (eponym["any"] is None and doctor)
    ):
        return True
    if (
        before(_ROAD_BEFORE, 12)
        or _ROAD_ABROAD.match(text, match.end("name"))
        or (_ROAD_ABROAD.search(name))
    ):
        return True
    makes = before(_MAKES, 60) if name.isupper() or title == "M" else None
    if makes and (
        makes["laboratory"] or makes[0].startswith("LABORATOIRES") or (doctor and makes["alone"])
    ):
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
