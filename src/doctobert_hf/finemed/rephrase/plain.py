"""A text as facts are read from it: one spelling, no words that only look like a denial.

"cœur" is "coeur", "sans doute" is "probablement", "DT2" is "diabète de type 2", "genou G" is
"genou gauche", and "450 000/mm3" is "450 000 éléments/µl", which "450 G/l" is too.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from doctobert_hf.finemed.rephrase.spelled import IMPLIED

_S = "[ \u00a0\u202f]"
_LETTERS = str.maketrans({"œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae", "’": "'", "μ": "µ"})
_NOT_A_SIDE = (
    "vitamine hepatite groupe classe stade grade type reponse proposition facteur monsieur madame "
    "docteur patient patiente item question option vit rhésus hépatite "
    "réponse facteurs lettre"
).split()
_SIDE = re.compile(r"(?<=[^\W\d_])[ ](G|D|Gche|gche|Dte|dte|Drt|drt)(?![\w'’°-])")
_SIDES = {"g": " gauche", "d": " droit"}
_COUNTS = re.compile(
    rf"(?:(?<=\d)|(?<=mille)|(?<=cents)|(?<=cent)|(?<=dix)|(?<=onze)|(?<=ou[zr]e)|(?<=torze)|(?<=quinze)|(?<=seize)|"
    r"(?<=vingts)|(?<=vingt)|(?<=trente)|(?<=rante)|(?<=quante)|(?<=xante)|(?<=deux)|(?<=trois)|(?<=quatre)|(?<=cinq)|"
    rf"(?<=six)|(?<=sept)|(?<=huit)|(?<=neuf))(?:{_S}*(?:[éeÉE]l[ée]ments?|plaquettes|leucocytes|h[ée]maties|cellules|globules|elts?))?"
    rf"{_S}*(?:/|par{_S}){_S}?(?:mm{_S}?[3³]|µ[lL]|microlitre)"
)
_PER_LITRE = re.compile(rf"(?<=\d){_S}?/{_S}?[lL](?!\w)")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, flags), new)
    for pattern, flags, new in (
        (r"(?<!\w)sans\s+(?:aucun\s+|nul\s+)?doute(?!\w)", re.I, "probablement"),
        (r"(?<!\w)(?:n'|ne\s)\s*(\w+)\s+(?:donc\s+)?pas\s+sans(?!\w)", re.I, r"\1 avec"),
        (r"(?<!\w)(?:n'|ne\s)\s*(est|sont|[ée]tai\w+|semble\w*)\s+(?:donc\s+|toutefois\s+)?pas\s+"
         r"(?:[ée]t[ée]\s+)?(?:totalement\s+|compl[èe]tement\s+|formellement\s+)?"
         r"(?:exclue?s?|[ée]limin[ée]e?s?|[ée]cart[ée]e?s?)(?!\w)", re.I, r"\1 possible"),
        (r"(?<!\w)ne\s+(?:peu\w+|pouvai\w+|pourr\w+)\s+(?:donc\s+|pas\s+|toutefois\s+){0,2}"
         r"[êe]tre\s+(?:formellement\s+)?(?:exclue?s?|[ée]limin[ée]e?s?|"
         r"[ée]cart[ée]e?s?)(?!\w)", re.I,
         "est possible"),
        (r"(?<!\w)ne\s+(?:peu\w+|pouvai\w+|pourr\w+|permet\w*|suffi\w+)\s+"
         r"(?:donc\s+|pas\s+|toutefois\s+){0,2}(?:d'|de\s|[àa]\s)?"
         r"(?:formellement\s+)?(?:exclure|[ée]liminer|[ée]carter)(?!\w)", re.I, "suspecte"),
        (r"(?<!\w)non\s+(?:exclue?s?|[ée]limin[ée]e?s?|[ée]cart[ée]e?s?)(?!\w)", re.I, "possible"),
        (r"(?<!\w)(?:non|pas)\s+(?:seulement|uniquement|exclusivement|simplement)(?!\w)", re.I, ""),
        (r"(?<!\w)non[ -](?=st[ée]ro[ïi]dien|invasi|hodgkin|fractionn)", re.I, ""),
        (r"(?<!\w)sans\s+(?:cesse|d[ée]tour|encombre|transition|d[ée]lai|attendre|tarder)(?!\w)",
         re.I, "vite"),
        (r"\s(?:en\s+g[ée]n[ée]ral|g[ée]n[ée]ralement|habituellement|en\s+principe|à\s+ce\s+jour|encore|"
         r"formellement|strictement|actuellement)(?=\s)", re.I, ""),
        # "aucun antibiotique n'a eu d'effet": it was given
        (r"(?<!\w)aucune?\s+((?:(?!n[ei]\s)[\w-]+\s+){1,3}?)(?:ni\s+(?:aucune?\s+)?([\w-]+)\s+)?"
         r"n'(?:a|avait)\s+(?:eu\s+d'effets?|[ée]t[ée]\s+(?:efficace|utile|b[ée]n[ée]fique)|"
         r"rien\s+chang[ée]|am[ée]lior[ée]|apport[ée]|agi)(?!\w)", re.I, r"\1 et \2 en échec"),
        (r"(?<!\w)(?:aux|à\s+l['’])\s*heures?\s+(\d+(?:\s*(?:,|et|puis)\s*\d+)*)"
         r"(?![\d.,]*\s*(?:h|mg|g|ml)(?!\w))", re.I, r"à \1 heures"),
        # "sans extraction instrumentale, d'un garçon": what is born is no part of what is denied
        (r",\s+d'(une?\s+(?:gar[çc]on|fille|enfant|nouveau-n[ée]|nourrisson|b[ée]b[ée])(?!\w))",
         re.I, r". \1"),
        # "il ne le remplace pas" denies as "il ne remplace pas" does
        (r"(?<!\w)ne\s+(?:la|les|le|lui|leur)\s+(?=[^\W\d_]+\s+(?:\w+ment\s+)?(?:pas|plus|jamais)(?!\w))",
         re.I, "ne "),
        (r"(?<!\w)prises?\s+en\s+(?:charge|compte)(?!\w)", re.I, "soins"),
        (r"(?<!\w)ASP(?!\w)", 0, "abdomen sans préparation"),
        (r"(?<!\w)(?:faute|en\s+l'absence)\s+d(?:'une?|e)\s+([^.;,:]{3,40}?)\s+suffisante?s?(?!\w)",
         re.I,
         r"\1 insuffisant"),
        (r"(?<!\w)(?:pour|afin\s+d|de\s+(?:fa[çc]on|mani[èe]re)\s+à)\s*'?\s*[ée]viter(?!\w)", re.I,
         "contre"),
        (rf"(?<=\d)({_S}?[cm]m){_S}+sur{_S}+(\d+(?:[.,]\d+)?)(?!\d|{_S}?[cm]m|[.,]\d)", re.I,
         r"\1 x \2\1"),
        (r"(?<!\w)((?:Hb|h[ée]moglobine|albumin\w+|protides?)[^.;,\d]{0,20}\d+(?:[.,]\d+)?)\s?g/d(?![\w/])",
         re.I, r"\1 g/dl"),
        (r"(?<!\w)((?:Ttt|Traitement|Temps)s?)\s+\d\s*:", re.I, r"\1 :"),
        (r"(r[ée]cepteurs?[^.;]{0,50}?)progest[ée]rone(?!\w)", re.I, r"\1progestatifs"),
        (r"(?<!\w)OD(?=\s*:?\s*\d)", 0, "oeil droit"),
        (r"(?<!\w)OG(?=\s*:?\s*\d)", 0, "oeil gauche"),
        (r"(?<!\w)n'(?:est|[ée]tai(?:t|ent))\s+pas\s+envahie?s?(?!\w)", re.I, "sans envahissement"),
        (r"(?<!\w)non\s+envahie?s?(?!\w)", re.I, "sans envahissement"),
        (r"(?<!\w)non\s+prurigineu(?:x|ses?)(?!\w)", re.I, "sans prurit"),
        (r"(?<!\w)(?:DT|diab[èe]te\s+(?:sucr[ée]\s+)?(?:de\s+)?type)\s?([12])(?!\w)", re.I,
         r"diabète de type \1"),
        # letters and signs that stand for others, and what is glued
        (r"(?<=\d)\s?°\s[cC](?!\w)", 0, " °C"),
        (r"(?<=\d)\\(?=\d)", 0, "/"),
        (rf"(?<![\d.,])(\d{{1,3}})[.,]000(?={_S}*(?:[éeÉE]l[ée]?m?|plaq|leuco|/{_S}?(?:mm|µ)))", 0,
         r"\g<1>000"),
        (rf"(?<=\d)({_S}?[cm]m){_S}?[xX×](?={_S}?\d)", 0, r"\1 x "),
        (rf"(?<=\d){_S}?[X×]{_S}?(?=\d)", 0, " x "),
        (r"(?<!\w)([cpy]) (?=T[0-4x][a-d]?\s?N)", re.I, r"\1"),
        (r"(?<=N[0-3xX])([a-c]?)\s?M[oO](?![a-zà-ÿ])", 0, r"\1M0"),
        (r"(?<=\d)\s?IU(?!\w)", 0, " UI"),
        (r"(?<!\s)\s+par\s+m[èe]tre\s+carr[ée](?!\w)|(?<=[gGIi])\s+/\s?m\s?[2²](?!\d)", re.I,
         "/m2"),
        (r"n'(?:a|ont|avai(?:t|ent))\s+pas\s+chang[ée]\s+de\s+(\w+)(?:\s+ou\s+de\s+(\w+))?", re.I,
         r"\1 et \2 inchangées"),
        (r"(?<!\w)(micro|macro|hyper|hypo|poly|normo|pseudo)\s(?=[a-zéè]{5,})", re.I, r"\1"),
        (r"(?<=\d), (?=\d\s?(?:g/d?l|mmol))", re.I, ","),
        (r"(?<!\w)(de\s\d{1,3}), (\d)(?=\sà\s\d)", 0, r"\1,\2"),
        (r"(?<!\w)t\s?\((\w+)\s?[,;]\s?(\w+)\)", 0, r"t(\1;\2)"),
        (r"(?<!\w)absence\s+de\s+r[èe]gles(?!\w)", re.I, "aménorrhée"),
        (r"(?<!\w)(fractures?\s+ferm[ée]es?)(?!\w)", re.I, r"\1 sans plaie"),
        (r"(?<!\w)localisations?\s+secondaires?(?!\w)", re.I, "métastases"),
        (r"(x\s?\d+),\s(\d)(?=\s?[cm]m(?!\w))", 0, r"\1,\2"),
        (r"((?:(?<!\w)ne\s+|n')(?:est|sont|[ée]tai(?:t|ent)))\s+pas\s+positi(?=f|v)", re.I,
         r"est négati"),
        (r"(?<!\w)(?:ne\s+|n')(est|sont|[ée]tai(?:t|ent))\s+positi(fs?|ves?)\s+ni\s([^.;,]{2,60}?)\s+"
         r"ni\s", re.I, r"\1 négati\2 \3 et "),
        (r"(?<!\w)aucune?s?\s+(?:d[eu]s?\s+(?:(?:2|deux)\s+)?|d')?([^.;,]{3,60}?)\s+(?:ne\s+(?:faisai\w+|fait)\s+"
         r"d[ée]faut|ne\s+manqu\w+)", re.I, r"\1 présents"),
        (r"(?<!\w)aucune?s?\s+([^.;,]{3,60}?)\s+n'(?:est|[ée]tait)\s+positi(fs?|ves?)(?!\w)"
         r"(?:,?\s+ni\s([^.;,]{2,60}?)\s+ni\s)?", re.I, r"\1 négati\2 \3 et "),
        (r"(:\s*aucune?s?)\s+(?:en\s+particulier|particuli(?:er|[èe]re)|notables?|connue?s?|signal[ée]e?s?|"
         r"retrouv[ée]e?s?)(?=\s*(?:[.;,)\n]|\Z))", re.I, r"\1"),
        (r"(?<!EVA )(?<!OMS )(?<!ECOG )(?<!pgar )(?<!core )(?<!tade )(?<!rade ):\s0"
         r"(?=\s*(?:[;)\n]|[.,](?!\d))|\s*\Z)", 0, ": aucun"),
        (r"(?<=[a-zéè][a-zéè])(?<!stade)(?<!grade)(?<!score)(?<!groupe)(?<!classe)(?<!status)(?<!cotée)(?<!coté)"
         r"(?:\s*:)?\s0(?=\s*(?:[;)\n]|[.,](?!\d))|\s*\Z)", 0, " : aucun"),
        (r"(?<!\w)(VS[^.;\n]{0,20}?)\s[àa]\sH1(?!\w)", 0, r"\1 à la 1 ère heure"),
        (r"(?<!\w)ni\s([^.;,]{2,60}?)\s+ni\s([^.;,]{2,60}?)\s+ne\s+manqu\w+", re.I,
         r"\1 et \2 étaient là"),
        (r"(?<!\w)(?:ne\s+|n')(a|avait|est|[ée]tait|fut)\s+pas\s+((?:[ée]t[ée]\s+)?)favorable",
         re.I,
         r"\1 \2défavorable"),
        (r"(?<!\w)(?:ne\s+|n')(est|sont|[ée]tai(?:t|ent))\s+pas\s+alt[ée]r[ée](e?s?)(?!\w)", re.I,
         r"\1 conservé\2"),
        (r"(?<!\w)n'(a|ont|avai(?:t|ent))\s+pas\s+[ée]t[ée]\s+(?:interromp|arr[êe]t|suspend)[uée]+(s?)(?!\w)",
         re.I,
         r"\1 été poursuivi\2"),
        (r"(?<!\w)(ant[ée]c[ée]dents?|ATCDs?)(?:\s+(?:[ée]tai(?:t|ent)|est|sont)\s+nuls?"
         r"|\s*:\s*RAS)(?!\w)", re.I,
         r"\1 : aucun"),
        (r"(?<!\w)[Ss]at(?:uration)?\s?(?:en\s|d'|:)?\s?O\s?[2₂](?!\w)", 0, "saturation en O2"),
        (r"(?<!\w)17\s?-?\s?(?:alpha|α)?-?\s?(?:(?:OH|hydroxy)\s?-?\s?progest[ée]rone|OHP)(?!\w)",
         re.I,
         "17 OH progestérone"),
        (r"((?<!\w)(?:pas|sans|aucune?)\s[^.;:,]{0,60}),?\s+(?:notamment|en\s+particulier)\s+"
         r"(?=(?:tabag|alcool|[ée]thyl|cardi|famili|chirurg|m[ée]dic|allerg|toxi)\w*(?:iques?|aires?|aques?|aux|al)"
         r"(?!\w))", re.I, r"\1, ni "),
        (r"((?<!\w)aucune?\s+autre\s[^.;:]{0,60}?),?\s+notamment\s+(?:l'|l[ae]s?\s|une?\s|d'|de\s)?",
         re.I, r"\1, ni "),
        (r"(?<!\w)ampoule\s+rectale(?!\w)", re.I, "rectum"),
        (r"(?<=(?:TDF|3TC|EFV|NVP|AZT|FTC|DTG|LPV|ATV))[-/](?=[A-Z3][A-Z]{2}(?!\w))", 0, " + "),
        (r"(?<!\w)3TC(?!\w)", 0, "lamivudine"),
        (r"(?:(?<=\bde )|(?<=\bdu )|(?<=\bun )|(?<=\ble ))LES(?=[\s.,;)])", 0,
         "lupus érythémateux systémique"),
        (r"(?<!\w)HIV(?!\w)", 0, "VIH"),
        (r"(?<!\w)(contexte|[ée]tai(?:t|ent)|est|sont|patiente?|rest\w+)\s+[aà]\s+"
         r"(?=f[ée]brile|r[ée]acti|pyr[ée]t|symptomat)", re.I, r"\1 a"),
        (r"(?:(?<!\w)(?:ses|les|leurs?|aux)\s+)?(?<!\w)(ant[ée]c[ée]dents?(?:\s+[\w-]+){0,5}?)\s+"
         r"(?:(?:est|sont|[ée]tai(?:t|ent))\s+)?sans\s+particularit[ée]s?(?!\w)", re.I,
         r"aucun \1 particulier"),
        (r"(?<!\w)((?:stable|asymptomatique)s?)\s+sur\s+les?\s+plans?\s*:?\s+"
         r"(?:[^\W\d_]+(?:ique|aire|oire|al|el|if)(?:\s*,\s*|\s+et\s+)?){1,4}", re.I, r"\1 "),
        (r"(?<!\w)DID(?!\w)", 0, "diabète de type 1"),
        (r"(?<!\w)DNID(?!\w)", 0, "diabète de type 2"),
        (r"(?<![\w\d] )(?<!\d)(?<!\w)Mg(?!\w)|(?<=\bde )Mg(?!\w)", 0, "magnésium"),
        (rf"(?<=\d){_S}*(?:G|giga|Giga)/[lL](?!\w)", 0, " giga/l"),
        (rf"(?<=\d){_S}*(?:T|t[ée]ra|T[ée]ra)/[lL](?!\w)", 0, " tera/l"),
        (rf"(?<=\d){_S}*[.×xX*]?{_S}?10(?:\^9|⁹|9){_S}?/{_S}?[lL](?!\w)", 0, " giga/l"),
        (rf"(?<=\d){_S}*[.×xX*]?{_S}?10(?:\^3|³){_S}?/{_S}?(?:mm{_S}?[3³]|µ[lL])(?!\w)",
         0, " giga/l"),
        (r"(?<!\w)infarctus\s+c[ée]r[ée]bra(l|ux)(?!\w)", re.I, "AVC ischémique"),
        (r"(?<![\d/])1/3(?=\s+(?:sup|inf|moy|prox|dist|ext|int))", re.I, "tiers"),
        (r"(?<!\w)L-?\s?thyroxine(?!\w)", re.I, "lévothyroxine"),
        (r"(?<!\w)poids\s+(?:(?:est|reste|[ée]tait)\s+)?stable(?!\w)", re.I,
        "pas de perte de poids"),
        (r"(?<![\w.,])0\s+(?=ATCD|ant[ée]c[ée]dent)", re.I, "pas d'"),
        (r"(?<![\w.,/:+-])(?<![àa] )(?<!de )0\s+(?!(?:mois|jours?|heures?|comprim|fois|points?)\w*)"
         r"(?=[a-zéè]{4,}|FDR)", 0, "pas de "),
        (r"(?<=\d)\s?N(?=[.,;\s)]|\Z)", 0, " fois la normale"),
        (r"((?:satur|SpO2|SaO2)[^.;\n]{0,60})sans\s+(?:apport\s+d['e]\s*)?oxyg[èe]ne", re.I,
         r"\1en air ambiant"),
        (rf"(?<!\w)Na\+?(?={_S}*[:=]?{_S}*1[2-6]\d(?!\d))", 0, "sodium"),
        (rf"(?<!\w)K\+?(?={_S}*[:=]?{_S}*[1-9](?:[.,]\d)?(?![\d]))", 0, "potassium"),
        (rf"(?<!\w)Ca(?:\+\+|2\+)?(?={_S}*[:=]?{_S}*[1-3][.,]\d)", 0, "calcium"),
        (rf"(?<=\w){_S}[-–](?={_S}*[.,;)(\n]|{_S}*\Z)", 0, " négatif"),
        (rf"(?<=[A-Z]){_S}?\+(?={_S}*[.,;)(\n]|{_S}*\Z)", 0, " positif"),
        (r"(?<!\w)([^\W\d_]{5,})(gauches?|droites?)(?!\w)", 0, r"\1 \2"),
        (r"(?<!\w)([^\W\d_]{5,} )?(gauche|droite?)(?=qui(?!\w))", 0, r"\1\2 "),
        (r"(?<!\w)(dure|pie)[- ]m[èe]re(?!\w)", re.I, r"\1mère"),
        (r"indice\s+de\s+(?:la\s+)?masse\s+corporel(?:le)?(?!\w)", re.I, "IMC"),
        (r"centim[èe]tres?\s+cubes?(?!\w)", re.I, "cc"),
        (r"(?<=\d)\s?cm\s?[3³](?!\d)", 0, " cc"),
        (r"(?<!\w)C([1-4])G(?!\w)", 0, r"céphalosporine de \1 ème génération"),
        (r"(?<!\w)infra-?\s?centim[ée]triques?(?!\w)", re.I, f"de moins de 1{IMPLIED} cm"),
        (r"(?<!\w)en\s+particulier(?!\w)", re.I, "notamment"),
        (r"(?<!\w)((?:traumatismes?|contusions?|luxations?)\s+ferm[ée]e?s?)(?!\w)", re.I,
         r"\1 sans plaie"),
        (r"(?<!\w)amputation(?=[^.;,]{0,20}champs?(?!\w))", re.I, "perte"),
        (r"(?<!\w)(fille|fils|enfant)\s+d'un\s+homme(?!\w)", re.I, r"\1 d'un père"),
        (r"(?<=\d)\s(?=(?:[èe]me|[èe]re|eme)(?!\w))", 0, ""),
        (r"(?<!\w)une\s+(?:nouvelle\s+fois|fois\s+(?:de\s+plus|encore))(?!\w)", re.I, "à nouveau"),
        (r"(?<!\w)(?:1er|[23]\s?(?:e|[èe]me)|premier|second|deuxi[èe]me|troisi[èe]me)\s+temps"
         r"(?:\s+op[ée]ratoire)?(?!\w)", re.I, "temps"),
        (r"(?<!\w)non\s+connue?s?\s+(?=tabagi|alcool|diab|hypert|asthm|[ée]pilep)", re.I, "non "),
        (r"(?<!\w)((?:pas\s+d[e']|sans|aucune?s?|ni)\s?[^\W\d_]+)\s+anorma(?:l\w*|ux)(?!\w)", re.I,
         r"\1"),
        (r"(?<!\w)(ant[ée]c[ée]dents?|ATCDs?)\s*:\s*rien(?:\s+(?:de|à)\s+[^\W\d_]+)?(?=\s*[.;,\n]|\Z)",
         re.I, r"\1 : aucun"),
        (r"(?<!\w)(?:ne\s+|n')([^\W\d_]+)\s+(?:pas|plus)\s+(?:totale|compl[èe]te|enti[èe]re)ment"
         r"(?!\w)", re.I, r"\1 incomplètement"),
        (r"(?<!\w)(?:ne\s+|n')([^\W\d_]+)\s+(?:pas|plus)\s+([^\W\d_]+[ué]e?s?)\s+"
         r"(?:(?:totale|compl[èe]te|enti[èe]re)ment|en\s+totalit[ée])(?!\w)", re.I,
         r"\1 incomplètement \2"),
        (r"(?<!\w)(pendant|au\s+cours|lors)\s+(ou\s+en\s+dehors\s+des\s+repas)", re.I,
         r"pendant les repas \2"),
        (r"(?<=repas)\s+(?:ou|et|qu'|comme)\s*en\s+dehors(?:\s+de\s+ceux-ci|\s+des\s+repas)?(?!\w)",
         re.I, " ou en dehors des repas"),
        (r"(?<!\S)([^\s,]{1,12})\s+et\s+(?:à\s+)?([^\s,]{1,12})\s*,?\s+(?:au\s+niveau\s+de\s+|à\s+|pour\s+)?l'oeil\s+"
         r"(droit|gauche)\s+et\s+(?:l'oeil\s+)?(droit|gauche),?\s+respectivement", re.I,
         r"\1 à l'oeil \3 et \2 à l'oeil \4"),
        (r"(?<!\w)(lympho|histio|h[ée]pato|spl[ée]no|fibro|ad[ée]no|angio|chondro|ost[ée]o|rhabdo|ent[ée]ro|"
         r"p[ée]ri|r[ée]tro|supra|infra|n[ée]o|lat[ée]ro)\s(?=[a-zéè]{5,})", re.I, r"\1"),
        (r"(?<=[a-zéè])\s*=\s*0(?=\s*(?:[;+)\n]|[.,](?!\d))|\s*\Z)", 0, " : aucun"),
        (r"(?<!\d)(\d{1,3})\s?\.\s?103(?=\s?/\s?mm)", 0, r"\g<1>000"),
        (r"(?<=\d)\s?[.x×]\s?109\s?/\s?[lL](?!\w)", 0, " giga/l"),
        (r"(?<!\w)sans\s+que\s+(?:ne\s+)?(?:disparai\w+|cess\w+|c[èe]d\w+)(?!\w)", re.I,
         "avec persistance de"),
        (r"(?<!\w)sans\s+qu(?:e\s+l[ae]s?\s|e\s+l'|'une?\s|e\s)([^.;,]{3,60}?)\s+"
         r"(?:ne\s+)?puisse(?:nt)?\s+"
         r"[êe]tre\s+(?:formellement\s+)?(?:exclu|[ée]cart|[ée]limin)\w*", re.I, r"et \1 possible"),
        (r"((?<!\w)(?:sans|pas\s+d')\s*autres?\s[^.;:,]{0,40}),?\s+y\s+compris\s", re.I,
         r"\1, ni "),
        (r"(?<!\w)(ant[ée]c[ée]dents?|ATCDs?)\s*:\s*([^.;\n]{0,40}?),\s*rien\s+(?:de|à)\s+"
         r"[^\W\d_]+", re.I, r"\1 : aucun. \2"),
        (r"(?<!\w)pan\s(?=uv[ée]it)", re.I, "pan"),
        (r"(?<!\w)au\s+sein\s+d(?=[eu'])", re.I, "dans d"),
        (r"(?<!\w)(?:sans\s+(?:et|puis)\s+avec|avec\s+(?:et|puis)\s+sans)"
         r"(?=\s+(?:injection|contraste|produit))",
         re.I, "avec"),
        (r"(?<!\w)(?:[ée]tai(?:t|ent)|est|sont)\s+respect[ée]e?s?\s+(?=l[ae]s?\s|l')", re.I,
         "respectant "),
        (r"(?<!\w)respect\s+de\s+(la\s|l')", re.I, r"respectant \1"),
        (r"(?<!\w)respect\s+du(?!\w)", re.I, "respectant le"),
        (r"(?<!\w)sans\s+arr[êe]t(?!\w|\s+d)", re.I, "toujours"),
        (r"(?<!\w)(ant[ée]c[ée]dents?|ATCDs?)((?:\s[\w-]+){0,4})\s*:\s*(?:pas\s+de|sans)\s+particularit[ée]s?"
         r"(?!\w)", re.I, r"aucun \1\2 particulier"),
        (r"(?<![\d.,])(\d{1,3})\.(\d{3})\.(\d{3})(?![\d.,]\d|\d)", 0, r"\1\2\3"),
        (r"(?<!\w)(CD|CK|CA|PS)\s(?=\d{1,3}(?!\d))", 0, r"\1"),
        (r"(?<!\w)(?:B|β)[-\s]?[Bb]?(?=loquants?(?!\w))", 0, "bêtab"),
        (r"(?<!\w)b[êeé]ta[\s-](?=bloqu|lactam|thalass)", re.I, "bêta"),
        (r"(?<![\d.,])(\d{1,3}),\s(\d{1,2})(?=\s?[xX×]\s?\d)", 0, r"\1,\2"),
        (r"(?<!\w)ODG(?!\w)", 0, "des deux yeux"),
        (r"((?:examens?|bilans?|auscultation|palpation|inspection|segments?|fonds?|abdomen|toucher|"
         r"neuro\w*|cardio\w*|reste|touchers?|lampe|appareils?|syst[èe]mes?|aires|orifices|IRM|TDM|scanner|radiographie|[ée]chographie)"
         r"(?:[ -][^\W\d_]+){0,4})\s*:\s*RAS(?!\w)", re.I, r"\1 sans particularité"),
    )
)  # fmt: skip
_SEARCHED = re.compile(
    r"(?<!\w)(?:la\s+)?recherche\s+(?:d'une?\s+|d'|de\s+|des\s+)(?P<what>[^.;:]{3,80}?)\s*(?:s'est\s+"
    r"r[ée]v[ée]l[ée]e|est\s+revenue|[ée]tait|est|reste|:)\s+n[ée]gative(?!\w)",
    re.IGNORECASE,
)
_AND_OF = re.compile(r"\s(?:et|ou)\s+(?:d'une?\s|d'|de\s(?:la\s)?|des\s|du\s)", re.IGNORECASE)
_COUNT = (
    r"(?P<{0}>\d|une?|deux|trois|quatre|cinq|six|sept|premi[èe]|deuxi|troisi|quatri|cinqui|sixi|septi|huiti)"
    r"(?:\s?(?:[èe]?me|[èe]re|re|e))?"
)
_PARITY = re.compile(
    rf"(?<!\w){_COUNT.format('gravida')}\s+gestes?\s*[,;]?\s*(?:et\s+)?{_COUNT.format('para')}\s+par(?:e|t|it[ée])s?"
    r"(?!\w)",
    re.IGNORECASE,
)
"""Pregnancies and births: "cinquième geste, cinquième pare" is G5P5."""
_COUNTED = "un premi deux trois quatr cinq six sept huit".split()
_HEART = re.compile(r"(?<!\w)(?:ventric|cardia|FEVG|tricuspid|mitral|[ée]chocardio)", re.IGNORECASE)
_VENTRICLE = re.compile(r"(?<![\w-])V([DG])(?![\w-])")
_BREASTS = re.compile(r"(?<!\w)(?:mammo\w*|mammaires?|seins?)(?!\w)", re.IGNORECASE)
_BREAST = re.compile(r"(?<![\w-])S[DG](?![\w-])")
_EYES = re.compile(
    r"(?<!\w)(?:acuit[ée]|tonus|oeil|yeux|ocul\w+|visu\w+|vision|r[ée]tin\w+|corn[ée]\w*|pupill\w+|collyre\w*|"
    r"ophtalm\w+|(?-i:FO|AV|DR|PIO))(?!\w)",
    re.IGNORECASE,
)
_EYE = re.compile(r"(?<![\w-])O[DG](?![\w-])")
"""An eye in its letter, an atrium elsewhere."""
_PARTS = {"L": "lobe", "M": "membre"}
_PART = re.compile(r"(?<![\w-])([LM])([SI])([DG])(?![\w-])")
"""Lobes and limbs with their side: "LSD", "MIG"."""


@lru_cache(maxsize=4)
def plain(text: str) -> str:
    """Return a text in the one form that facts are read from.

    Args:
        text: As written.

    Returns:
        The same words, with abbreviations of sides, kinds of diabetes and units of counts written
        out, and without what denies nothing.
    """
    text = unicodedata.normalize("NFC", text).translate(_LETTERS)
    text = _PARITY.sub(_parity, _SEARCHED.sub(_not_found, text))
    for pattern, new in _RULES:
        text = pattern.sub(new, text)
    text = _PART.sub(_part, text)
    if _HEART.search(text):
        text = _VENTRICLE.sub(_ventricle, text)
    if _BREASTS.search(text):
        text = _BREAST.sub(lambda m: "sein droit" if m[0] == "SD" else "sein gauche", text)
    if _EYES.search(text):
        text = _EYE.sub(lambda m: "oeil droit" if m[0] == "OD" else "oeil gauche", text)
    text = _COUNTS.sub(" éléments/µl", text)
    return _SIDE.sub(_side, _PER_LITRE.sub(" éléments/l", text))


def _not_found(match: re.Match[str]) -> str:
    return f"pas de {_AND_OF.sub(' ni ', match['what'])}"


def _parity(match: re.Match[str]) -> str:
    return "G{}P{}".format(*(_counted(match[name]) for name in ("gravida", "para")))


def _counted(word: str) -> str:
    found = (n for n, start in enumerate(_COUNTED) if word.lower().startswith(start))
    return word if word.isdigit() else str(max(1, next(found, 0)))


def _ventricle(match: re.Match[str]) -> str:
    return f"ventricule {'droit' if match[1] == 'D' else 'gauche'}"


def _part(match: re.Match[str]) -> str:
    place = "supérieur" if match[2] == "S" else "inférieur"
    return f"{_PARTS[match[1]]} {place} {'droit' if match[3] == 'D' else 'gauche'}"


def _side(match: re.Match[str]) -> str:
    word = re.search(r"([^\W\d_]+)\Z", match.string[: match.start()])
    if word is None or len(word[1]) < 3 or word[1].lower() in _NOT_A_SIDE:
        return match[0]
    if (
        len(match[1]) == 1
        and word[1].istitle()
        and match.string[match.end() : match.end() + 1] == "."
    ):
        return match[0]  # "Madame Durand D."
    return _SIDES[match[1][0].lower()]
