"""Numbers and frequencies in words, written in the one form that quantities are read from.

"vingt" becomes 20 (text2num), "un jour et demi" 1,5 jour, "deux prises quotidiennes" and "x 2/j"
2 fois/jour, "tension 12/8" 12 cmHg and 8 cmHg.
"""

from __future__ import annotations

import re
import unicodedata

from doctobert_hf.errors import UsageError

IMPLIED = "\u2063"
"""Stands behind a number that the text hardly tells: "un" of "un jour", "chaque"."""
_TIME = r"(?:ans?|ann[ée]es?|mois|semaines?|jours?|heures?|minutes?|j|h|min)"
_S = "[ \\t\u00a0\u202f]"
_ATTACHED = re.compile(r"(?<!\w)((?:[SP][ap]|p)?C?O|mm|cm|m|H)[ ]?[23](?!\w)")
"""Digits that belong to a name or a unit: "O 2", "mm 3"."""
_MULTIPLIED = re.compile(r"(\d)[ ]?[x×*][ ]?(?=\d)")
_FIGURE = re.compile(
    r"(?<!\w)(?:fig(?:ure|\.)?|tableau|tab\.|(?:question|qcm|qcs|exercice|dossier|cas(?:\s+clinique)?|"
    r"observation|obs\.?|item)(?:\s+n[°o])?)\s*\d+|"
    r"(?<!\w)(?:fig(?:ure)?s?|tableau)x?\.?\s+(?:(?:\d+|une?|deux|trois|quatre|cinq|six|sept|huit)(?:\s*,\s*|\s+et\s+)?)+"
    r"(?!\w)", re.I,
)  # fmt: skip
"""Numbers that name a part of a text, and tell nothing of the patient."""
_ONE = re.compile(
    r"(?<!\w)(?<!et )(?<!-)(?<!virgule )(?<!vingt )(?<!ante )(?<!cent )(?<!mille )(u)(ne?)"
    r"(?= (?!virgule|mill|cent))",
    re.I,
)
_HIDDEN = "\u2060"
"""Inside an article: text2num reads "deux (0,8 %) une embolie" as 2 and 1."""
_ALONE = (
    "".join(
        f"(?<!{tens}{end})"
        for tens in ("vingt", "trente", "quarante", "cinquante", "soixante")
        for end in (" et ", "-et-")
    )
    + "(?<!vingt-)(?<!cent )(?<!mille )"
)
"""What stands before a one that is no part of "vingt et un"."""
_ARTICLE = re.compile(
    rf"(?<!\w){_ALONE}une?(?=\s+(?:comprim|g[ée]lule|sachet|ampoule|cp|injection|goutte(?!s?\s+[ée]pais)|bouff"
    r"|prise(?!\s+(?:en\s|d['’]|de\s+(?:poids|sang|conscience|contraste|masse|m[ée]dic|toxi|drog|alcool|substan|produit|anti|plante|\d+(?:[.,]\d+)?\s*kg)))))",
    re.I,
)
_ONE_OF = re.compile(
    rf"(?<!\w){_ALONE}une?(?=\s+(?:[mcdµk]?g|[mcd]?l|[mc]m|[mµn]?mol|[MK]?UI|(?:milli|micro|kilo|centi)?gramme|"
    r"kilo|(?:milli|centi|d[ée]ci)?(?:litre|m[èe]tre))(?!\w))",
    re.I,
)
"""A measure of which there is one: "d'un mg/kg/j", "un litre"."""
_NO_MORE = (
    r"(?![\w.,]*\d|\w|[ \t\u00a0\u202f]+\d|[ \t]*(?:à|ou|-)[ \t]*\d|"
    r"[ \t]+(?:mille|cents?|millions?|milliards?)\b)"
)
"""Behind a number that goes no further: "sur 10", and not "sur 10 000" or "sur dix mille"."""
_ONE_PERSON = (
    r"(?<!\w)(?:une?|1)\s+(?P<who>enfant|patiente?|malade|cas|femme|homme|sujet|personne|adulte|"
    r"nourrisson|nouveau-né|grossesse)"
)
_BEFORE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.I), new)
    for pattern, new in (
        (r"\btrois[ -]quarts\s+d['’]heure", "45 min"),
        (r"\b(?:un\s+)?quarts?\s+d['’]heure", "15 min"),
        (r"\bune\s+dizaine\s+d['’e]\s*", "10 "),
        (r"\bune\s+douzaine\s+d['’e]\s*", "12 "),
        (r"\bune\s+quinzaine\s+d['’e]\s*", "15 "),
        (r"\bune\s+vingtaine\s+d['’e]\s*", "20 "),
        (r"\bune\s+trentaine\s+d['’e]\s*", "30 "),
        (r"\bune\s+centaine\s+d['’e]\s*", "100 "),
        (r"\b(?:une\s+)?demi[ -]heure", "30 min"),
        (r"\b(?:une\s+)?demi[ -](?:année|annee)", "6 mois"),
        (r"\bpour[ -]cent(?=\s+(?:milli(?:litre|gramme)s?|m[lg]|grammes?)\b)", "pour 100"),
        (r"\bpour[ -]cents?\b", "%"),
        (r"(?<=\d)\s?cpm\b", " bpm"),
        (
            r"(?<=entre\s)(?:deux|2)(?=\s+(?:prises|doses|injections|administrations|applications)\b)",
            "les",
        ),
        (rf"{_ONE_PERSON}\s+sur\s+(?:2|deux){_NO_MORE}", r"50 % \g<who>"),
        (rf"{_ONE_PERSON}\s+sur\s+(?:4|quatre){_NO_MORE}", r"25 % \g<who>"),
        (rf"{_ONE_PERSON}\s+sur\s+(?:5|cinq){_NO_MORE}", r"20 % \g<who>"),
        (rf"{_ONE_PERSON}\s+sur\s+(?:10|dix){_NO_MORE}", r"10 % \g<who>"),
        (
            r"\b(?:trois|3)\s+premiers\s+mois(?=\s+de\s+(?:la\s+|sa\s+)?grossesse)",
            "premier trimestre",
        ),
        (
            r"\b(?:trois|3)\s+derniers\s+mois(?=\s+de\s+(?:la\s+|sa\s+)?grossesse)",
            "troisième trimestre",
        ),
        (
            rf"(?<=\d){_S}?(?:(?-i:MUI|M{_S}UI)|millions?{_S}(?:d['’]{_S}?)?(?:unit[ée]s?(?:{_S}internationales?)?|UI))"
            rf"(?!\w|{_S}?/{_S}?(?:[mdµ]?l|litre)\b)",
            " megaui",
        ),
        (r"(?<!\w)deux(?=\s+par\s+(?:jour|semaine|mois)\b)", "2 fois"),
        (r"\bune\s+fois\s+et\s+demie?\b", "1,5 fois"),
        (r"\b(\d+)\s+fois\s+et\s+demie?\b", r"\1,5 fois"),
        (
            rf"(\d{_S}*(?:[mµu]?g|mcg|ml|ui)(?:{_S}?/{_S}?kg)?){_S}+en{_S}+24{_S}*h(?:eures)?\b",
            r"\1/jour",
        ),
        (r"\bdeux(?=\s+(?:à|ou|et)\s+(?:trois|quatre|cinq|six|sept|huit|dix|quinze|\d))", "2"),
        (r"\btou(?:te)?s\s+(?:deux|trois|quatre)\b", "tous"),
        (r"\bun\s+trimestre", "3 mois"),
        (r"\bune?\s+demie?[ -](?=milligramme|gramme|mg|g\b|comprim|ampoule|dose)", "0,5 "),
        (
            rf"\b{_ALONE}une(?=\s+(?:seule\s+)?(?:fois|injection|"
            r"prise(?!\s+(?:en\s|d['’]|de\s+(?:poids|sang|conscience|contraste|masse|m[ée]dic|toxi|drog|alcool|substan|produit|anti|plante|\d+(?:[.,]\d+)?\s*kg)))))",
            "1",
        ),
        (r"\bun\s+semestre", "6 mois"),
        (r"(?<![\w.,])(3[4-9]|4[0-3])\s?°\s?C?(\d)(?!\d)(?:\s?°?C\b)?", r"\1,\2 °C"),
        (
            rf"\b(\d{{1,2}}){_S}?kg{_S}?(\d{{3}})(?![\d/]|[.,]\d|{_S}?(?:[mµc]g|[mc]?[lm]|/|UI)\b)(?:{_S}?g\b)?",
            r"\1,\2 kg",
        ),
        (rf"\b(?:un|1){_S}+quart{_S}+de{_S}+(?=comprim|cp\b)", "0,25 "),
        (
            rf"(?<![\w/.,])(?:un|le|1){_S}+(tiers|quart)(?={_S}+(?:d[eu]s?{_S}|d['’]))(?!{_S}+d['’]heure)",
            r"1 \1",
        ),
        (rf"(?<![\d/.,])1/3(?={_S}+(?:d[eu]s?{_S}|d['’]))", "1 tiers"),
        (rf"(?<![\d/.,])1/4(?={_S}+(?:d[eu]s?{_S}|d['’]))", "1 quart"),
        (
            rf"(?<!\w)(?:la|une){_S}+moiti[ée](?={_S}+des{_S}+(?:cas|patient|malade|sujet|enfant|femme|homme))",
            f"50{IMPLIED} %",
        ),
        (
            r"(?<!\w)(?P<of>les?|des|aux?|du|sur|ses|leurs)\s+(?:2|deux)(?:/3|\s+tiers)(?![\w/])",
            r"\g<of> 2 tiers",
        ),
        (
            r"(?<!\w)(?P<of>les?|des|aux?|du|sur|ses|leurs)\s+(?:3/4|(?:3|trois)\s+quarts)(?![\w/])(?!\s+d'heure)",
            r"\g<of> 3 quarts",
        ),
        (
            rf"((?<!\w)(\d[\d.,]*|deux|une?|trois)(?:{_S}\w+){{0,4}}?{_S}+(?:le{_S}+)?matin){_S}*,{_S}*"
            rf"\2(?:{_S}\w+){{0,2}}?{_S}+(?:à{_S}+|le{_S}+)?midi{_S}*(?:et|,){_S}*"
            rf"\2(?:{_S}\w+){{0,2}}?{_S}+(?:le{_S}+|au{_S}+)?(?:soir|coucher)",
            r"\1, midi et le soir",
        ),
        (
            rf"((?<!\w)(\d[\d.,]*|deux|une?|trois)((?:{_S}\w+){{0,4}}?){_S}+(?:le{_S}+)?(?:matin|midi)){_S}*(?:et|,)"
            rf"{_S}*\2(?:{_S}\w+){{0,2}}?{_S}+(?:le{_S}+|à{_S}+|au{_S}+)?(soir|midi|coucher)",
            r"\1 et \4",
        ),
        (r"\bmatin,?\s+midi\s+et\s+(?:le\s+)?soir", "3 fois/jour"),
        (r"\b(?:le\s+)?matin\s*(?:et|/|\+)\s*(?:le\s+)?soir", "2 fois/jour"),
        (
            r"\b(?:le\s+)?matin\s*(?:et|/|\+)\s*(?:à\s+)?midi\b(?!\s*(?:et|,|/|\+)\s*(?:le\s+|au\s+)?(?:soir|coucher))",
            "2 fois/jour",
        ),
        (r"\bJ\s?\+?(\d{1,3})\b", r"jour \1"),
        (r"\b(?:un\s+)?demi[ -]litre", "0,5 l"),
        (r"\bun\s+jour\s+sur\s+deux", "tous les 2 jours"),
        (
            rf"(\d{_S}*(?:[mµu]?g|mcg|ml|ui)){_S}?/{_S}?(\d{{1,2}}){_S}?h(?:eures?)?\b",
            r"\1 toutes les \2 h",
        ),
        (
            rf"(?<=[a-zµ%]){_S}?/{_S}?(\d{{1,2}}){_S}?(h(?:eures?)?|mois|sem(?:aines)?|j(?:ours)?)\b",
            r" toutes les \1 \2",
        ),
        (rf"\bcm{_S}?(?:H2O|H₂O|d['’]eau)\b", "cmho"),
        (rf"\bcentim[èe]tres?{_S}+d['’]eau\b", "cmho"),
        (rf"(?<![^\W\d])(?:millim[èe]tres?|mm){_S}+(?:de{_S}+)?(?:mercure|Hg)\b", "mmHg"),
        (rf"(?<![^\W\d])(?:centim[èe]tres?|cm){_S}+(?:de{_S}+)?(?:mercure|Hg)\b", "cmHg"),
        (rf"(?<=par{_S})(kilo(?:gramme)?|kg){_S}+de{_S}+poids(?:{_S}+corporel)?\b", r"\1"),
        (
            rf"\bunit[ée]s?{_S}+internationales?\b",
            "UI",
        ),
        (
            rf"\bmm{_S}?/{_S}?h(?:eure)?\b(?:{_S}?\(1{_S}?(?:[èe]?re){_S}+heure\))?",
            "mm",
        ),
        (r"\b(?:(?:une|1)\s+fois\s+)?(?:par|chaque)\s+trimestre", "tous les 3 mois"),
        (r"\b(?:(?:une|1)\s+fois\s+)?(?:par|chaque)\s+semestre", "tous les 6 mois"),
        (rf"{_S}par{_S}(?:24{_S}*h(?:eures)?|vingt-quatre{_S}heures)\b", " par jour"),
        (r"(?<=\w)/\s?prise\b", " par prise"),
        (
            rf"\b(\d{{1,2}}){_S}?h(?:eures?)?{_S}?(\d\d)(?!\d|[.,]\d|{_S}?(?:[mµ]?[gl]|ui|%))\b",
            r"\1 h \2 min",
        ),
    )
)
_DONE = (
    r"(comptage|application|contr[ôo]le|dosage|bilan|consultation|num[ée]ration|pansement|visite|"
    r"pr[ée]l[èe]vement|mesure|toilette|instillation|lavage|n[ée]bulisation|perfusion|brossage|"
    r"t[ée]t[ée]e|biberon)s?"
)
"""What is done so many times a day or a week."""
_DOSE = r"(?:[mµu]?g|mcg|ml|ui|(?:milli|micro)?grammes?|unit[ée]s?)"
_PER = r"(?:par|/|tou(?:te)?s\s+les)"
_AFTER: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.I), new)
    for pattern, new in (
        (rf"(\d{_S}*(?:[mµu]?g|mcg|m?l|ui|(?:milli|micro)?grammes?|unit[ée]s?))({_S}(?:de{_S}(?:la{_S})?|d['’])[^\W\d][\w-]*"
         rf"(?:{_S}[\w-]+)?)((?:{_S}(?:et{_S})?par{_S}"
         rf"(?:jour|semaine|heure|(?:d[ée]ci|centi|milli|micro)?litre|[dm]?l|kilo(?:gramme)?|kg|m2)\b)+)",
         r"\1\3\2"),
        (rf"(\d{_S}*((?:centi|milli)m[èe]tres?|[cm]m)){_S}+sur{_S}+(\d+(?:[.,]\d+)?|deux){IMPLIED}?(?!{_S}*[cm]|\d|[.,]\d)",
         r"\1 x \3 \2"),
        (rf"\bpar{_S}(\d{{1,2}}{IMPLIED}?{_S}?h(?:eures?)?)\b", r"toutes les \1"),
        (rf"(?<!\w)(\d+|deux){_S}+{_DONE}(?={_S}+(?:par{_S}(?:jour|semaine|mois)|quotidien|hebdo))",
         r"\1 fois \2"),
        (rf"\bfois{_S}{_DONE}{_S}+(?:par{_S}|/)(jour|semaine|mois)\b", r"fois/\2"),
        (rf"\bfois{_S}{_DONE}{_S}+hebdomadaires?\b", "fois/semaine"),
        (rf"\bfois{_S}{_DONE}{_S}+quotidienne?s?\b", "fois/jour"),
        (rf"\b(\d+|deux){_S}+(?:reprises|occasions)\b", r"\1 fois"),
        (rf"\bchaque{_S}+(?=\d+{_S}*{_TIME}\b)", "tous les "),
        (rf"{_S}*(?:{_PER}){_S}*(?:24{_S}*h(?:eures?)?|vingt-quatre heures)\b", "/jour"),
        (rf"\b1{_S}+(?:fois|prise|injection){_S}+unique", "1 fois"),
        (rf"\bdeux(?={_S}+(?:{_TIME}|fois|prise|injection|comprim|g[ée]lule|sachet|bouff|goutte|"
         rf"(?:milli|micro)?gramme|milligramme|unit[ée]|"
         rf"ampoule|cp)\w*)", "2"),
        (rf"\b(\d+){_S}+(?:prises?|injections?|administrations?|applications?|inhalations?)"
         rf"(?:{_S}+(?:sous[- ]cutan|intra|oral|unique|inhal|local)[\w-]*)?{_S}*(?:quotidienne?s?|"
         rf"journali[eè]re?s?|par{_S}jour|/{_S}?j(?:our)?\b)",
         r"\1 fois/jour"),
        (rf"\b(\d+){_S}+(?:prises?|injections?|administrations?|applications?)"
         rf"{_S}*(?:hebdomadaires?|par{_S}semaine)", r"\1 fois/semaine"),
        (rf"[x×]{_S}?(\d+){_S}?(?:/|par){_S}?(?:j|jour|d)\b", r" \1 fois/jour"),
        (rf"[x×]{_S}?(\d+){_S}?(?:/|par){_S}?(?:sem|semaine)\b", r" \1 fois/semaine"),
        (rf"\b(\d+){_S}?[x×]{_S}?(?:/|par){_S}?(?:j|jour)\b", r"\1 fois/jour"),
        (rf"(\d{_S}*[a-zµ]+){_S}+(?:quotidien(?:ne)?s?|par{_S}jour)\b", r"\1/jour"),
        (rf"(\d{_S}*[a-zµ]+){_S}+hebdomadaires?\b", r"\1/semaine"),
        (rf"(\d{_S}*[a-zµ]+){_S}+mensuel(?:le)?s?\b", r"\1/mois"),
        (rf"\b(?:hebdomadaire){_S}+(?:de{_S}+|:{_S}*)(\d+(?:[.,]\d+)?{_S}*{_DOSE})\b",
         r"\1/semaine"),
        (rf"\b(?:quotidienne|journali[èe]re){_S}+(?:de{_S}+|:{_S}*)(\d+(?:[.,]\d+)?{_S}*{_DOSE})\b",
         r"\1/jour"),
        (rf"\b(?:mensuelle){_S}+(?:de{_S}+|:{_S}*)(\d+(?:[.,]\d+)?{_S}*{_DOSE})\b", r"\1/mois"),
        (rf"(\d{_S}*{_DOSE}/jour)((?:{_S}*,)?{_S}(?:(?:puis|ensuite|et){_S})?(?:{_S}?\w+{_S})?(?:port|augment|major|r[ée]dui|diminu|"
         rf"abaiss|pass)[ée]?\w*{_S}(?:ensuite{_S}|puis{_S}|progressivement{_S})?à{_S}\d+(?:[.,]\d+)?{_S}*{_DOSE})"
         rf"(?![\w/]|{_S}*(?:par|x|×|,?{_S}*tou(?:te)?s{_S}les|(?:le{_S})?(?:matin|midi|soir)|\d+{_S}*fois|deux{_S}fois))",
         r"\1\2/jour"),
        (rf"\b(\d+){_S}+(?:derni[eè]re?s?|premi[eè]re?s?){_S}+(?={_TIME}\b)", r"\1 "),
        (rf"(?<!\w)une?(?={_S}+{_TIME}\b)", f"1{IMPLIED}"),
        (rf"(?<!\w)l['’](?:an|ann[ée]e){_S}+(?:[ée]coul[ée]e|pr[ée]c[ée]dente?|derni[èe]re)|"
         rf"(?<!\w)la{_S}+derni[èe]re{_S}+ann[ée]e", f"1{IMPLIED} an"),
        (rf"(?<=num[ée]ro )(\d+){_S}+et{_S}+demie?\b", r"\1,5"),
        (rf"\b(\d+){IMPLIED}?({_S}*{_TIME}){_S}+et{_S}+demie?\b", rf"\1,5{IMPLIED}\2"),
        (rf"\b(\d+)({_S}+(?:(?:milli)?litres?|(?:milli|micro|kilo)?grammes?|kilos?|(?:centi|milli)?m[èe]tres?|"
         rf"comprim[ée]s?|[mkµc]?g|[mcd]?l|[cm]?m)){_S}+et"
         rf"{_S}+demie?\b", r"\1,5\2"),
        (rf"\bchaque{_S}+(?=matin|soir|midi|nuit)", f" 1{IMPLIED} fois/jour "),
        (rf"(?<![\d.,])(3[4-9]|4[0-3]){_S}degr[ée]s{_S}deux(?!\w)", r"\1,2 °C"),
        (rf"(?<![\d.,])(3[4-9]|4[0-3]){_S}degr[ée]s{_S}(\d)(?!\d|[.,]\d)", r"\1,\2 °C"),
        (rf"(?<![\d.,])((?:3[4-9]|4[0-3])(?:[.,]\d)?){_S}degr[ée]s(?:{_S}Celsius)?\b", r"\1 °C"),
        (rf"\bchaque{_S}+(jour|semaine|mois|heure)\b", rf" 1{IMPLIED} fois/\1 "),
        (rf"\btou(?:te)?s{_S}+les{_S}+(jour|semaine|heure)s\b", rf" 1{IMPLIED} fois/\1 "),
        (rf"\btous{_S}+les{_S}+mois\b", f" 1{IMPLIED} fois/mois "),
        (r"\bbi-?hebdomadaires?\b", " 2 fois/semaine "), (r"\bbi-?quotidien\w*", " 2 fois/jour "),
        (r"\bhebdomadaire(?:s|ment)?\b", f" 1{IMPLIED} fois/semaine "),
        (r"\bmensuel(?:le)?(?:s|ment)?\b", f" 1{IMPLIED} fois/mois "),
        (r"\btrimestriel(?:le)?(?:s|ment)?\b", " tous les 3 mois "),
        (r"\bsemestriel(?:le)?(?:s|ment)?\b", " tous les 6 mois "),
        (rf"\bune?{_S}+(?=(?:injection|prise|s[ée]ance)s?{_S}+par{_S}+(?:jour|semaine|mois)\b)",
         ""),
        (rf"\b1(?={_S}+(?:injection|prise|s[ée]ance)s?(?:/|{_S}+par{_S}+)(?:jour|semaine|mois)\b)",
         f"1{IMPLIED}"),
        (r"\b(?:quotidien(?:ne)?(?:s|ment)?|journali[eè]re?s?)\b", f" 1{IMPLIED} fois/jour "),
        (rf"(?<![\d\w%])((?!fois|prise)[^\W\d]{{4,}}){_S}+par{_S}+(jour|semaine|mois)\b",
         rf"\1 1{IMPLIED} fois/\2"),
        (
            rf"\b(suivi|surveillance|contr[ôo]le|rythme|fr[ée]quence|diur[èe]se|protocole{_S}de{_S}\w+){_S}"
            rf"horaires?\b",
            rf"\1 1{IMPLIED} fois/heure",
        ),
        (rf"(?<=\d){_S}?(?:fois|batt?(?:ements?|s)?|puls(?:ations?)?|cycles?|cyc|mouvements?|mvts?|"
         rf"coups|cps?|resp(?:irations?)?|c|b)?\.?{_S}?"
         rf"(?:par|/){_S}?(?:min(?:utes?)?|mn)\b", " bpm"),
        (rf"\bdes{_S}+24{_S}*h(?:eures)?\b([^.;\d]{{0,25}}\d+(?:[.,]\d+)?{_S}*{_DOSE})\b",
         r"\1/jour"),
        (rf"(\d{_S}*{_DOSE}(?:{_S}+(?:de{_S}|d['’])[\w-]+(?:{_S}[\w-]+)?)?){_S}+(?=(?:le{_S}+(?:matin|soir)|au{_S}+coucher)\b)",
         rf"\1 1{IMPLIED} fois/jour "),
        (rf"\b([2-9]){_S}+(?=(?:autres{_S}+)?(?:mol[ée]cules|m[ée]dicaments|produits|l[ée]sions|"
         r"traitements|antibiotiques|lignes|examens|crit[èe]res|[ée]l[ée]ments|points|[ée]tapes|"
         r"raisons|facteurs|types|cat[ée]gories|signes|sympt[ôo]mes|parties|situations|mesures|volets|"
         r"temps|phases|principes|options|groupes|diagnostics|probl[èe]mes|complications|maladies|"
         r"sortes|formes)\b)", rf"\1{IMPLIED} "),
        (r"(?<![\w.,-])deux(?!\w)", f"2{IMPLIED}"),
        (r"(?<![\w.,-])deuxi(?=[èe]mes?\b)", f"2{IMPLIED}"),
        (r"(?<![\w%])(verres?|s[ée]ances?|selles?|cigarettes?|repas|crises?|[ée]pisodes?|visites?)"
         r"/(jour|j|semaine|sem|mois)\b", rf"\1 1{IMPLIED} fois/\2"),
        (rf"{_S}+(?:et{_S}+)?{_PER}{_S}+"
         r"(?=(?:jour|j|semaine|mois|heure|h|kg|kilo|kilogramme|minute|min|an|litre|millilitre|d[ée]cilitre|"
         r"centilitre|microlitre|gramme|m[èe]tre)s?\b)",
         "/"),
    )
)  # fmt: skip
_PRESSURE = re.compile(
    rf"(?P<cue>\b(?:TA|PA|T\.A\.|(?:tension|pression)(?:{_S}art[ée]rielle)?)\b[^\d.;\n]{{0,25}})?"
    rf"(?<![\d/])(?P<high>\d{{1,3}}(?:[.,]\d)?)(?:{_S}?/{_S}?|{_S}sur{_S})(?P<low>\d{{1,3}}(?:[.,]\d)?)"
    rf"(?:{_S}*(?P<unit>[mc]mHg|[mc]m{_S}Hg))?(?![\d/])",
    re.I,
)


def _pressure(match: re.Match[str]) -> str:
    unit = (match["unit"] or "").replace(" ", "")
    high, low = (float(match[name].replace(",", ".")) for name in ("high", "low"))
    if not unit:
        if match["cue"] is None or not low < high:
            return match[0]
        unit = "cmHg" if high < 30 else "mmHg"
    return f"{match['cue'] or ''}{match['high']} {unit} / {match['low']} {unit}"


def digits_for_words(text: str) -> str:
    """Write number words as digits: "vingt minutes", "sixième jour".

    Raises:
        UsageError: The extra ``finemed`` is missing.
    """
    try:
        from text_to_num import alpha2digit
    except ImportError as error:
        raise UsageError(
            "Numbers in words need text2num", "it installed",
            "Install it: pip install 'doctobert-hf[finemed]'",
        ) from error  # fmt: skip
    text = _ONE.sub(rf"\1{_HIDDEN}\2", _ONE_OF.sub("1", _ARTICLE.sub("1", text)))
    lines = (alpha2digit(line, "fr") for line in text.split("\n"))
    return "\n".join(lines).replace(_HIDDEN, "")


_ROMAN = re.compile(r"\b((?:stade|grade|type|classe|degr[ée])s?\s+)(VI|IV|V|I{1,3})(?!\w)")
ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5", "VI": "6"}


_EYES = re.compile(r"(?<!\w)(?:acuit[ée]\w*|(?-i:AV)|oeil|œil|yeux|visuel\w*|vision)(?!\w)", re.I)
_TENTHS = re.compile(r"(?<![\d/.,])(\d{1,2})/10(?![\d/.,]\d|\w|/)")
"""An acuity is one number, and stands where eyes are told of: "OD 10/10, OG 3/10"."""
_NUMBERS = {
    word: number
    for number, word in enumerate("un deux trois quatre cinq six sept huit neuf dix".split(), 1)
}
_TENTHS_SAID = re.compile(rf"(?<!\w)({'|'.join(_NUMBERS)})\s+dixi[èe]mes?(?!\w)", re.I)
_BLANKS = re.compile(_S + "{2,}")


def as_digits(text: str) -> str:
    """Return a text whose numbers, units and frequencies have one form."""
    text = unicodedata.normalize("NFC", text).replace("μ", "µ")
    text = _BLANKS.sub(" ", text)  # rules that begin with blanks would try each of a long run
    text = _MULTIPLIED.sub(r"\1 × ", _ATTACHED.sub(r"\1", text))
    text = _ROMAN.sub(lambda match: match[1] + ROMAN[match[2]], text)
    if _EYES.search(text):
        text = _TENTHS_SAID.sub(lambda match: f"{_NUMBERS[match[1].lower()]}/10", text)
        text = _TENTHS.sub(r"\1 dixiemes ", text)
    text = _replaced(text, _BEFORE)
    text = _PRESSURE.sub(_pressure, digits_for_words(_FIGURE.sub(" ", text)))
    return _replaced(text, _AFTER)


def _replaced(text: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    """Apply the rules whose words the text has: to look for them is cheaper than the patterns."""
    lower = text.lower()
    for pattern, new in rules:
        needed = _NEEDED.get(pattern.pattern, ())
        if not needed or any(part in lower for part in needed):
            text = pattern.sub(new, text)
    return text


def _needed(pattern: str) -> tuple[str, ...]:
    """One word of the list below that a pattern cannot do without."""
    return next((words for told, words in _HINTS if told in pattern), ())


_HINTS = (
    ("(comptage", ()), ("mensuel", ("mensuel",)), (r"b(?:hebdomadaire)", ("hebdo",)),
    (r"\bhebdomadaire", ("hebdo",)),
    (r"\btrimestriel", ("trimestr",)), (r"\bsemestriel", ("semestr",)), ("litre\"", ("litre",)),
    (r"sur\s+deux", ("sur",)), (rf"les{_S}+mois", ("mois",)),
    ("premiers\\s", ("premiers",)), ("derniers\\s", ("derniers",)),
    ("MUI", ("mui", "m ui", "million")),
    ("enfant|patiente?|malade", ("sur",)),
    ("trimestre", ("trimestre",)), ("semestre", ("semestre",)),
    ("moiti", ("moiti",)), ("(tiers|quart)", ("tiers", "quart")),
    ("quarts)", ("quart", "3/4")), ("quarts", ("quart",)),
    ("demi", ("demi",)), ("midi\\s", ("midi",)), ("matin)", ("matin",)), ("matin\\s", ("matin",)),
    ("unique", ("unique",)), ("derni[eè]re?s?|premi", ("derni", "premi")),
    ("derni[èe]re", ("derni", "coul", "dent")),
    ("reprises", ("reprise", "occasion")), ("tiers", ("tiers", "2/3")),
    ("bdeux", ("deux",)), ("chaque", ("chaque",)),
    ("hebdomadaires", ("hebdo", "semaine")), ("[x×]", ("x", "×")),
    (r"\b(?:quotidien(?:ne)?(?:s|ment)?|", ("quotidien", "journali")),
    ("vingt-quatre", ("24", "vingt-quatre")), ("bune(?=", ("fois", "prise", "injection")),
    ("administrations", ("prise", "injection", "administr", "applic", "inhal")),
    ("[a-zµ]+)", ("quotidien", "jour")), ("[^\\W\\d]{4,}", ("par",)),
)  # fmt: skip
_NEEDED = {rule[0].pattern: _needed(rule[0].pattern) for rule in (*_BEFORE, *_AFTER)}
