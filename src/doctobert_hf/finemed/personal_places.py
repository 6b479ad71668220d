"""Postal addresses in French text: by street and postcode, or by what stands before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctobert_hf.finemed.scanning import DIGITS_START, around, scan

Spans = Iterator[tuple[int, int]]
SPACE = "[ \\t\\n\\r\\u00a0\\u2007\\u2009\\u202f]"
"""White space as French typography has it."""
LINE = "[ \\t\\u00a0\\u2007\\u2009\\u202f]"
DASH = "[-\\u00ad\\u2010-\\u2015\\u2043\\u2212\\ufe58\\ufe63\\uff0d]"
"""Hyphens, dashes and the minus sign: texts copied from a page have any of them."""
_S = SPACE
STREET = (
    r"(?:(?:grande?[- ])?rue|avenue|av\.?|ave\.?|boulevard|boul\.?|bd\.?|blvd\.?|bld\.?|bvd\.?|"
    r"place|pl\.?|all[ée]es?|all\.|chauss[ée]e|chemin|chem\.?|che\.?|ch\.|impasse|imp\.?|quai|route|rte\.?|square|sq\.?|passage|pass\.?|cours|villa|cit[ée]|"
    r"r[ée]sidence|r[ée]s\.?|lotissement|lot\.|hameau|lieu-dit|faubourg|fg\.?|esplanade|sente|"
    r"sentier|ruelle|venelle|mail|parvis|promenade|traverse|mont[ée]e|rond-point|voie|clos)"
)
_ZIP = rf"(?:(?:F{_S}?-{_S}?)?\d{{2}}{_S}?\d{{3}}|(?:B|L|CH){_S}?-{_S}?\d{{4}})(?!\d)"
_INSIDE = (
    rf"(?:(?:appt?|appartement|b[âa]t(?:iment)?|esc(?:alier)?|r[ée]s(?:idence)?|porte|[ée]tage)\.?{_S}"
    rf"[^\n,;:.]{{0,30}}(?:,{_S}{{0,40}}|\n))"
)
"""What stands before the street: "Appt 12, ", "Bâtiment C, "."""
_PLACE = (
    r"(?:r[ée]sidence|lieu[ -]dit|hameau|lotissement|Z\.?A\.?C?\.?|Z\.?I\.?|"
    r"zone\s+(?:artisanale|industrielle)|(?:grande?[- ])?rue|avenue|chemin|all[ée]e|impasse|"
    r"boulevard|route|quartier|domaine|ferme)"
)
_NO_CITY = r"(?:T[EÉ]L|FAX|MAIL|RPPS|ADELI|FINESS|IPP|N[EÉ]E?|NIR|DDN)(?!\w)"
_ADDRESS = re.compile(
    rf"(?<![\w,.])(?P<whole>(?:{_INSIDE}{{0,2}}\d{{1,4}}(?:{_S}?(?:bis|ter|quater|[A-D]))?{_S}?,?{_S}"
    rf"(?:{STREET}(?:{_S}[^\n;]{{2,70}}?)?|r\.{_S}[^\W\d_][^\n;]{{2,40}}?)"
    rf"|{_PLACE}{_S}(?-i:[A-ZÀ-Ý]|d[eu]s?{_S}|l[ea]s?{_S})[^\n;:]{{2,60}}?"
    rf"|(?:BP|B\.P\.|CS|TSA){_S}?\d{{1,6}}|(?-i:L[ea]s?{_S}(?:[Gg]rand{_S}|[Pp]etit{_S})?(?:[Bb]ourg|[Vv]illage|[Hh]ameau)))"
    rf"(?P<gap>{LINE}{{0,40}}[,\n\r(\u2013\u2014-]{_S}{{0,80}}[,(-]?{_S}{{0,2}}|{LINE}{{1,40}})"
    rf"(?:(?:BP|B\.P\.|CS|TSA){_S}?\d{{1,6}}{_S}{{0,9}}(?:,{_S}{{0,9}})?)?{_ZIP}{_S}{{1,9}}(?:(?-i:L[ea]s?|Saint|Sainte|Ste?){_S})?[^\W\d_][\w'’-]*"
    rf"(?-i:(?:{LINE}|-)(?:(?:[Ss]ur|sous|en|les|l[èe]s|le|la)(?:{LINE}|-)[A-ZÀ-Ý][\w'’-]*|(?!{_NO_CITY})[A-ZÀ-Ý]{{2,}}(?!\w)|[Cc]edex)|{_S}(?:CEDEX|[Cc]edex))*"
    rf"(?:{LINE}\d{{1,2}}(?![\d/-]|\.\d|{LINE}?\d))?\)?)",
    re.IGNORECASE,
)
_LIVES = re.compile(
    rf"(?<!\w)(?:habit\w+|demeur\w+|domicili\w+|r[ée]sid(?:e|ant|ait)|adresse(?:{_S}(?:du|de{_S}la){_S}patiente?)?{_S}*:)"
    rf"{_S}*(?:au{_S}+)?(?P<whole>\d{{1,4}}(?:{_S}?(?:bis|ter|quater))?{_S}?,?{_S}{STREET}{_S}[^\n;.,]{{2,50}}"
    rf"(?:,{_S}(?-i:[A-ZÀ-Ý])[\w'’-]+)?)",
    re.IGNORECASE,
)
_SURE = (
    r"(?:(?:grande?[- ])?rue|avenue|ave?\.?(?!\s*J)|boulevard|boul\.|bd\.?|blvd\.?|bld\.?|"
    r"bvd\.?|all[ée]es?|all\.|chemin|chem\.|impasse|imp\.|ruelle|venelle|chauss[ée]e|faubourg|fbg?\.)"
)
"""What a number stands before in nothing but an address."""
_PERHAPS = (
    r"(?:place|quai|square|sq\.|route|rte\.?|cours|passage|mont[ée]e|esplanade|promenade|villa|"
    r"sentier)"
)
"""Streets that are words of other things as well: "4 cours du soir", "5 place du traitement"."""
_OF = rf"(?:(?:d[eu]s?|l[ea]s?|de{LINE}la){LINE}|(?:de{LINE})?[dl]['’])"
_NAME_OF = rf"(?-i:[A-ZÀ-Ý][\w.'’-]*)(?:{LINE}{_OF}?(?-i:[A-ZÀ-Ý][\w'’-]*)){{0,4}}"
_STREET_ALONE = re.compile(
    rf"(?<![\w,./-])\d{{1,4}}(?:{LINE}?(?:bis|ter|quater|[A-D](?=[ ,])))?"
    rf"(?:-\d{{1,4}})?{LINE}?,?{LINE}"
    rf"(?:{_SURE}{LINE}(?:{_OF}{{0,2}}{_NAME_OF}|{_OF}{{1,2}}[^\W\d_]{{3,20}})"
    rf"|(?-i:(?i:{_PERHAPS}(?={LINE}(?:{_OF}|[A-ZÀ-Ý][a-zà-ÿ])))(?<![A-Z]{{3}})){LINE}{_OF}{{0,2}}{_NAME_OF})(?!\w)"
    rf"(?:,?{LINE}(?-i:[A-ZÀ-Ý][\w'’-]{{2,}})(?:{LINE}\d{{1,2}}[eè](?:r|me)?|{LINE}(?:cedex|CEDEX|Cedex))(?!\w))?",
    re.IGNORECASE,
)
_PERHAPS_ONLY = re.compile(rf"\d{{1,4}}{LINE}(?:{_PERHAPS}|voie|mail){LINE}", re.IGNORECASE)
_PERHAPS_OF = re.compile(rf"\d{{1,4}}{LINE}{_PERHAPS}{LINE}d[^,]*", re.IGNORECASE)
_USED = re.compile(
    rf"{LINE}(?:dans|en|chez|lors|pour|par|après|avant|comme|versus|vs|contre|avec|au{LINE}cours)(?!\w)"
)
"""Of a treatment: "5 place de l'Aspirine dans la prévention", "3 cours de Yoga par semaine"."""
_NUMBER_BEHIND = re.compile(
    rf"(?<!\w)(?:{_SURE}|{_PERHAPS}){LINE}{_OF}{{0,2}}{_NAME_OF},?{LINE}\d{{1,4}}[a-zA-Z]?,?{_S}"
    rf"(?:(?:B|L|CH){_S}?-{_S}?)?[1-9]\d{{3}}{LINE}(?-i:[A-ZÀ-Ý][\w'’-]{{2,}})",
    re.IGNORECASE,
)
"""As Belgium, Luxembourg and Switzerland write it: "rue de la Loi 16, 1000 Bruxelles"."""
_ZIP_BEHIND = re.compile(
    rf"\d{{1,4}}[a-zA-Z]?,?{_S}(?:(?:B|L|CH|b|l|ch){_S}?-{_S}?)?[1-9]\d{{3}}{LINE}[A-ZÀ-Ý]"
)
_POSTCODE = re.compile(rf"(?:\d\d{_S}?\d{{3}}|[BLCHblch]{_S}?-{_S}?\d{{4}})(?!\d)")
_POSTCODE_START = re.compile(r"[\dBLHblh][\d \t\n\r\u00a0\u2007\u2009\u202f-](?<!\d\d\d)")
_LIVES_START = re.compile(r"[hHdDrRaA][aAeEoOéÉdD](?<!\w..)")
_UNIT = re.compile(
    r"(?:[MG]?UI|[MG]?IU|UFC|[mcdkµμ]?[gl]|[mM][LlgG]|K?G|MG|mol|[mµ]mol|[kMGm]?B[qQ]|c?Gy|CGY|GY|[kM]cal|kcal|KCAL|eur(?:os)?|EUR(?:OS)?|€|"
    r"(?i:unit[ée]s?|patient(?:e?s|s)?|cas|comprim[ée]s?|g[ée]lules?|doses?|fois|s[ée]ances?|jours?|heures?|mois|ans|cellules?|copies|"
    r"personnes?|habitants?|malades?|enfants?|femmes|hommes|sujets?|participants?|francs?))(?![\w'’-])"
)
"""Behind a number of five digits: an amount and no town."""
_CAPITALS = "(?-i:[A-ZÀ-Ý]{2})"
_COMPANY = re.compile(
    rf"(?:\b(?:titulaire|fabricant|exploitant)s?(?=\s*(?::|de\s+l|{_CAPITALS}))"
    r"|(?<!\w)(?:pfizer|sanofi|novartis|astrazeneca|glaxosmithkline|gsk|janssen[- ]cilag|"
    r"biogaran|sandoz|mylan|viatris|zentiva|cristers|teva\s+sant[ée]|healthcare|boehringer|"
    r"bristol[- ]myers|lilly\s+france|ipsen|upsa|abbvie|amgen|takeda|novo\s+nordisk|"
    r"msd\s+france|merck\s+(?:sant[ée]|serono)|servier|pierre\s+fabre|bayer\s+sant[ée]|"
    r"arrow\s+g[ée]n[ée]riques)(?!\w)"
    r"|\b(?:laboratoires?|soci[ée]t[ée])(?=\s+(?-i:[A-ZÀ-Ý]))|(?<!\w)pharma(?!\w)|(?<!\w)pharmaceuti\w*"
    r"|(?-i:\b(?:SASU?|(?<!\d)(?<!\d[ \u00a0])SA|S\.A\.(?:S\.)?|SARL|G[Mm][Bb]H|L(?:td|TD)|"
    r"Limited|LIMITED|Inc|AG(?!\W{0,3}\d)|B\.?V\.?|N\.?V\.?|S\.p\.A|SpA|plc|PLC|Co)(?!\w)))"
    r"(?:(?!\.\s+(?-i:(?!T[ée]l|T[ÉE]L|Fax|FAX)[A-ZÀ-Ý])|(?<!\w)(?:habit|demeur|domicili|r[ée]sid(?:e|ant|ait)(?!\w)|vit(?!\w)|"
    r"patient|n[ée]e?(?!\w)|(?-i:M\.|Mr|Mme|Mlle|MME|MLLE|Monsieur|Madame|MONSIEUR|MADAME)(?!\w)))"
    r"[\s\S])*\Z",
    re.IGNORECASE,
)
"""A company, and between it and the address neither a sentence's end nor a person."""
_LEAFLET = re.compile(
    r"titulaire de l['’]autorisation|autorisation de mise sur|exploitant de l['’]a|(?-i:FABRICANT)|"
    rf"(?-i:F)abricant(?=\s*(?::|(?-i:[A-ZÀ-Ý])))|(?-i:E)xploitant(?=\s*(?::|{_CAPITALS}))|"
    r"noms du m[ée]dicament|m[ée]dicament est autoris",
    re.IGNORECASE,
)


_PERSON = re.compile(
    r"(?<!\w)(?:patient|domicile|(?-i:M\.|Mr|Mme|Mlle|MME|MLLE|Monsieur|Madame|Dr|Docteur|DR|n[ée]e?)(?!\w))",
    re.IGNORECASE,
)
_MOBILE = re.compile(r"\(?(?:(?:\+|00)33\)?\W?(?:\(0\))?|0)\W?[67]")


def of_maker(text: str, start: int) -> bool:
    """Return whether a phone number stands behind a maker of medicines; a mobile is a person's."""
    if _MOBILE.match(text, start):
        return False
    if _COMPANY.search(text, max(0, start - 150), start):
        return True
    told = list(_LEAFLET.finditer(text, max(0, start - 400), start))
    return bool(told) and not _PERSON.search(text, told[-1].end(), start)


def find_addresses(text: str) -> Spans:
    """Yield where addresses stand; those of makers in leaflets are no personal data."""
    codes = (match.start() for match in scan(_POSTCODE, _POSTCODE_START, text))
    for match in around(_ADDRESS, codes, 500, 250, text):
        city = re.search(rf"{_ZIP}{_S}+(?P<city>\S)", match[0])
        if city is not None and _UNIT.match(match[0], city.start("city")):
            continue  # "3 cours de chimiothérapie 12000 UI"
        plain = not match["gap"].strip(" \t\u00a0\u202f") and "\n" not in match["gap"]
        lower = city is not None and not city["city"].isupper()
        if lower and (plain or _PERHAPS_ONLY.match(match["whole"])):
            continue  # "5 place du médicament dans la stratégie 12345 patients"
        if not _in_leaflet(text, match):
            yield match.span()
    yield from (match.span("whole") for match in scan(_LIVES, _LIVES_START, text))
    zips = (match.end() for match in scan(_ZIP_BEHIND, DIGITS_START, text))
    for match in around(_NUMBER_BEHIND, zips, 120, 60, text):
        if not _in_leaflet(text, match):
            yield match.span()
    for match in scan(_STREET_ALONE, DIGITS_START, text):
        if _PERHAPS_OF.fullmatch(match[0]) and _USED.match(text, match.end()):
            continue
        if not _in_leaflet(text, match):
            yield match.span()


def _in_leaflet(text: str, match: re.Match[str]) -> bool:
    """Return whether an address is of who makes a drug: no person."""
    return bool(
        _COMPANY.search(text, max(0, match.start() - 150), match.start())
        or _LEAFLET.search(text, max(0, match.start() - 1500), match.end() + 200)
    )
