"""Abbreviations, initials and labels of French text, and the words that begin sentences.

A full stop behind one of them ends a sentence only where the next word shows it.
"""

from __future__ import annotations

import re
import unicodedata

LOOKBACK = 40
LAST_WORD = re.compile(r"[^\s(\[«\"“'’]+\Z")
_WORD = re.compile(r"[^\W\d_]+")
LETTERED = re.compile(
    r"\b(?:vitamines?|(?:vit|bât|esc|gr|gpe|hép|hépat|prot|fact|ig|strepto)\.|hépatites?|groupes?|"
    r"types?|virus|points?|classes?|formes?|streptocoques?|h[ée]moglobines?|immunoglobulines?|ig|"
    r"antigènes?|anticorps|compléments?|hémophilies?|influenza|ciclosporine|cyclosporine|"
    r"amphotéricine|polymyxine|troponine|toxines?|lymphocytes?|cellules|sérogroupes?|sérotypes?|"
    r"clusters?|options?|lignes?|ailes?|portes?|zones?|questions?|parties?|niveaux?|entrées?|"
    r"chambres?|box|escaliers?|forrest|weber|stanford|bclc|apolipoprotéines?|rhésus|ondes?|"
    r"gènes?|facteurs?|protéines?|grippes?|sanguins?|scores?|child|pugh|stades?|grades?|"
    r"catégories?|bébés?|jumeaux?|jumelles?|bras|cohortes?|annexes?|salles?|bâtiments?|plans?|"
    r"blocs?|pavillons?|secteurs?|mallampati|cormack|"
    r"(?:hépatites?|protéines?|hémophilies?|grippes?|streptocoques?|toxines?|hémoglobines?)"
    r"(?:\s[^\W\d_]+(?:al|iqu|iv|èr|eus|ell|air|guë?|ant|eur|ré)e?s?){1,2})\s*\Z",
    re.IGNORECASE,
)
"""What a letter belongs to: "hépatite B", "hépatite virale C", "bloc A"."""
_PROTEIN = re.compile(r"\b(?:immunoglobulines?|ig\.?|protéine|composante)\s\Z", re.IGNORECASE)
"""Here an M is no Monsieur: "Pic de protéine M. Bilan"."""
# "fémur D.", "œil G.": a side, and no initial.
_SIDED = re.compile(
    r"\b(?:œil|oeil|yeux|oreille|épaule|coude|poignet|main|membre|hanche|fémur|genou|tibia|jambe|"
    r"cuisse|cheville|pied|sein|poumon|rein|côté|lobe|hémicorps|hémithorax|MI|MS|sup|inf|carpien|"
    r"clavicule|humérus|radius|ovaire|testicule|carotide|iliaque|cataracte|PT[HGE])\s*\Z",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.[-‑]?)+[^\W\d_]{1,2}|c\.-à-d")
_GOES_ON = re.compile(r"c\.-à-d|c\.à\.d|p\.[ \u00a0\u202f]?ex|i\.e|e\.g|n\.b|a\.k\.a")
"""Dotted abbreviations that announce what follows: they end no sentence."""
_NOTES = frozenset("nb ps p.s".split())
"""They announce what follows where they begin a sentence: "NB. Le patient fume"."""
_SPACED_NOTE = re.compile(r"(?:\A|[.!?…\n\r]\s*)(?:P\.\sS|N\.\sB)\Z")
# Dotted nouns that no name follows, unlike "C.H.U. Pellegrin" and "J.R.R. Tolkien".
_DOTTED_NOUNS = frozenset(
    """acfa aeg ag ains al ansm aomi avc avk avp bav bcg bpco cpam crp did dnid ecbu ecg eeg ehpad
    eva had has hbpm hdj hta iec imc imv inr irc irm ist nfs ocb oms orl pa ras rcp rgo samu sau
    sida smur sos ssr tca tdm tvp usi usic vih""".split()
)
# "1 g p.o. Repos", "1 cp b.i.d. Contrôle".
_ROUTES = frozenset(
    "iv ivd ivl ivse im sc po sl id vo ev bid tid qid qd hs ac pc prn sos am pm".split()
)
_DOSED = re.compile(
    r"\d\s?(?:[µm]?g|kg|[mc]?l|UI|U|MUI|mmol|mEq|cps?|cpr|gél|amp|comprimés?|gélules?|ampoules?|fois|"
    r"bouffées?|gouttes?|inj|injections?|h|%)(?:[./][^\W\d_]+)*\b[^.!?\n]{0,16}\Z"
)
_AFTER_ROUTE = re.compile(
    r"[A-ZÀ-Ý][^\W\d_]+(?:ol|ine|am|ide|one|ate|ium|mab|il|pril|azole|ane|ac)\b"
)
"""What a route may stand before: "injection i.v. Paracétamol"."""
# What notes begin sentences with and no one is called: "Mme B. Bilan normal", "C.H.U. Retour".
_NOTE_WORDS = frozenset(
    """ablation absence accouchement aggravation alcool allergie allergies amélioration
    antibiothérapie antécédents apparition apyrétique arrivée arrêt auscultation avis bilan
    biologie bonne bonnes conclusion consultation contrôle cordialement césarienne discrète
    disparition dosage dossier douleur douleurs durée début examen excellente fin fièvre
    grossesse histoire hospitalisation importante introduction légère mauvaise merci motif
    normalisation nouvelle nouvelles patient patiente persistance plaie poids poursuite
    prescription pression présence radiographie rapport relais rendez repos reprise retour
    récidive régression résultat résultats scanner sortie suites suivi surveillance tabac taille
    température tension tolérance toux traitement transfert échographie évolution conserver tenir
    lire date dates fabricant titulaire exploitant notice siège adresse""".split()
)
# "par voie i.v. Tolérance bonne", but "1 g i.v. Paracétamol".
_ROUTE = re.compile(r"\b(?:voie|prise|relais|en|par)\s*\Z", re.IGNORECASE)
_AGE = re.compile(r"\b(?:av|apr|avant|après)\.?\s*\Z", re.IGNORECASE)
_ACRONYM = re.compile(r"[A-Z]{2,}\b")
_PARTICLE_NAME = re.compile(r"(?:Le|La|Du|De|Des|Les)\s+[A-ZÀ-Ý][^\W\d_]+")
# "hépatite B. Dans", but "J. Dupont": a capital is an initial unless such a word follows.
_STARTERS = frozenset(
    """a à afin ainsi alors après au aucun aucune aussi autre autres aux avant avec bien bref car ce
    cela celle celui certains ces cet cette ceux chaque chez ci comme contre dans de depuis des
    deux devant donc du durant elle elles en enfin ensuite entre et ici il ils je jusque la le les
    leur leurs lors lorsque lui mais malgré même ne ni non notre nous on or où par parmi pas pendant
    plus plusieurs pour pourtant puis quand que quel quelle qui sa sans selon ses si son sous sur
    ta toute tous tout toutes trois tu un une vers voici voir vos votre vous y""".split()
)

# Abbreviations that end with a full stop and are followed by what they abbreviate for.
_ABBREVIATIONS = frozenset(
    """abd al amp ann anat ant antéc apr atcd atcds av bât bd biblio boul bull c-à-d ca cf ch
    chap chir cit clin co coll comp cons consult cp cpr cps cs dept diag dir dr dre drs ed éd
    cie juill melle melles vve ets éts ex exam fasc fax fig figs gél hab hist hosp hospit hôp ibid
    id inf inj interv janv fév févr avr inc juil jr lab lat loc m me mgr mlle mlles mm mme mmes mr
    mrs n° nb no nos num obs oct op orig pag par pat pl post pr prs prof rad rdv réf ref resp rev
    rx sc sect sept ser
    sér serv sgt ss st ste sté suiv sup suppl susp syn tab tabl tél tel trad trait trt tt
    ttt univ var vit vol vs zool lt cdt cne adj""".split()
)
_UNACCENTED = frozenset(
    unicodedata.normalize("NFD", word).encode("ascii", "ignore").decode()
    for word in _ABBREVIATIONS - {"lab"}
)
# Of these, what may be followed by a capitalised "Le", "La", "Du" and still go on: names, "cf. La".
_ALWAYS_ABBREVIATED = frozenset(
    """cf chap dr dre drs ex fig figs m me mgr mlle mlles mm mme mmes mr mrs n° no pr prof prs sect
    st ste tab tabl vol""".split()
)
_CAPITAL_TITLES = frozenset("DR DRS PR PRS M MM MME MMES MLLE ME PROF".split())
_TITLES = frozenset("dr dre m me mgr mlle mme mr pr prof".split())
_PRONOUN = re.compile(r"(?:Ils?|Elles?|On|Nous|Je)\s")
# After a number these are units or forms, not abbreviations of what follows: "5 mm. Le bilan".
_UNITS = frozenset("amp cp cpr cps m mm inj gél".split())
_AFTER_NUMBER = re.compile(r"\d\s?\Z")
_DOSE_GOES_ON = re.compile(
    r"(?:IV[DL]?|IVSE|IM|SC|PO|[Mm]atin|[Mm]idi|[Ss]oir|[Ll]e (?:matin|midi|soir)\b|par jour)\b"
)
_YEAR_AND_VOLUME = re.compile(r"(?:19|20)\d\d\s?;")
"""A journal's year: "N Engl J Med. 2010;362:123"."""
# Abbreviations only when a number follows ("max. 4 g"); else they are units or words.
_BEFORE_NUMBER = frozenset(
    """art créat env approx glyc hb max min moy n p pds pdt plaq pp page pages puls nov déc dec
    éq equiv qq qqs sat sir temp amox kiné phy perf bol lun ven sam dim card buv fréq freq tens
    syst diast diam clair fract éject séc sécab eff pell gtt sach suppos flac pdre collut appt
    apt appart esc ét leuco hémogl ferrit alb triglyc chol kal natr prot périm épais larg""".split()
)
# Short words that end sentences where other words of their length are short for longer ones.
_NOT_CUT = frozenset(
    """bien bon clair fait fois hier jour là matin midi mieux non nul ok oui plat sain soir
    vu""".split()
)
_CUT_BEFORE = re.compile(r"(?:\A|(?<![\d\s])\s|[(«])[^\W\d_]{2,7}\.\s\Z")
"""An abbreviation before: "Fréq. card. 72", "Sol. buv. 10 ml"; not "1 cp. midi. 2 le soir"."""
_WEEKDAYS = frozenset("lun mar mer jeu ven sam dim".split())
_DAY = re.compile(
    r"\d{1,2}(?:er)?\s?(?:[/.-]\d|(?:janv|f[ée]v|mars|avr|mai|juin|juil|ao[uû]t|sept|oct|nov|d[ée]c)|h\b|à\s\d)"
    r"|(?:Lun|Mar|Mer|Jeu|Ven|Sam|Dim)\."
)
"""What follows a weekday, and neither "la mer" nor "le jeu"."""
# "hép. B guérie", "Ig. G normales": a letter that a short word goes on with.
_LABELLED = frozenset(
    """bât esc fact gpe gr grpe hép hépat hém ig immunoglob inf prot rhés str staph strepto vacc vir
    vit""".split()
)
_LABEL_LETTER = re.compile(r"(?:[A-Z]|[IVX]{1,5})(?:[\s,;:)/+-]|\.(?:\s|\Z)|\Z)")
_ANTI = re.compile(r"(?:HB|Hb|[A-Z][a-z]?[A-Z0-9]|[Aa]nti)")
"""What "Ag." and "Ac." stand before: "Ag. HBs", "Ac. anti-TPO"."""
_GERMAN = frozenset("med méd rer nat phil sc dent vet vét hon habil h c pharm jur".split())
_DOCTOR = re.compile(r"\b(?:Dre?s?|Prs?|Prof|PD)\.?\s(?:[^\W\d_]{1,6}\.\s?)*\Z")
"""A doctor's title in German: "Dr. med. Weber", "Prof. Dr. rer. nat. Kunz"."""
_ARTICLE_BEFORE = re.compile(r"(?:\b(?:l[ae]s?|du|des?|une?|au)\s|\b[ld]['’])\Z", re.IGNORECASE)


_ITEM = re.compile(r"\d{1,2}[.)]\s+[A-ZÀ-Ý]")
"""What follows an end: "les étapes 3 à 6. 8. Après l'emploi"."""


def is_abbreviation(text: str, stop: int, after: int) -> bool:
    """Return whether the full stop at ``stop`` belongs to an abbreviation or an initial.

    Args:
        text: The document.
        stop: Position of the full stop.
        after: Position of the first character after the whitespace that follows.
    """
    left = text[max(0, stop - LOOKBACK) : stop]
    found = LAST_WORD.search(left, left.rfind(" ") + 1)  # from near: fast
    if not found:
        return False
    raw, word = found[0], found[0].lower()
    lead = left[: found.start()]
    if _GOES_ON.fullmatch(word) or (word in _NOTES and _begins(lead)):
        return True
    if raw in ("S", "B") and _SPACED_NOTE.search(lead + raw):
        return True
    if _DOTTED.fullmatch(word):
        return _dotted_goes_on(text, raw, lead, after)
    if _goes_with(text, raw, lead, after):
        return True
    if lead.endswith("(") and word in _ABBREVIATIONS and text[stop + 1].isspace():
        return True  # "(resp. A et B)": nothing ends right behind a parenthesis
    if len(raw) == 1 and lead.rstrip().endswith(":") and _LABEL.match(text, after):
        return False
    if word == "h" and _HOUR.search(lead) and _MINUTES.match(text, after):
        return True
    if raw in _SHORT_FIRST_NAMES or (_JOURNAL.search(lead) and raw.istitle()):
        return not starts_sentence(text, after)
    if word in _UNITS and _AFTER_NUMBER.search(lead):
        return _DOSE_GOES_ON.match(text, after) is not None
    if text[after] == "(" and (word in _BEFORE_BRACKET or _CUT_SHORT.fullmatch(word)):
        return True  # "aux Urg. (CHU Nord)"
    short = word in _UNACCENTED or word in _SHORT_IN_CAPITALS
    capitals = len(raw) > 1 and raw.isupper() and short
    numbered = text[after].isdigit() or text[after : after + 2] in ("N°", "Nº")
    if capitals and (_in_capitals(text, after) or numbered):
        return True  # "HOSP. EN 2012": such text has no other capitals to tell a beginning by
    if raw == "M" and _PROTEIN.search(lead):
        return False
    if word in _ABBREVIATIONS and raw != "m" and (not raw.isupper() or raw in _CAPITAL_TITLES):
        if word in _COMPANIES and begins_note(text, after):
            return False  # "Pfizer Inc. Conserver à l'abri"
        if word in _TITLES and _PRONOUN.match(text, after):
            return False  # "vu par son Dr. Il va mieux"
        return word in _ALWAYS_ABBREVIATED or not starts_sentence(text, after)
    if word == "art" and _ARTICLE.match(text, after):
        return True
    if word in _RANKS and _AT_BEGINNING.search(lead) and text[after].isupper():
        return not starts_sentence(text, after)
    if word in _BEFORE_NUMBER and (text[after].isdigit() or text[stop + 1 : stop + 2].isdigit()):
        return True
    if len(word) <= 2 and word.isdigit() and text[after].isdigit():
        return not _ITEM.match(text, after)  # a decimal point with a space behind it
    if len(raw) == 1 and raw.isupper():
        return _is_initial(text, raw, lead, after)
    if raw in _JOURNAL_WORDS and _NAME_GOES_ON.match(text, after):
        return True
    return _YEAR_AND_VOLUME.match(text, after) is not None


_COMPANIES = frozenset("inc ets ste".split())
_BEFORE_BRACKET = frozenset("urg méd med sp spp serv dép dépt réf env max min approx".split())
_SHORT_IN_CAPITALS = frozenset(
    "fam pulm card abdo neuro cardio pneumo digest gyneco ophtalmo dermato pers chir med".split()
)
"""Short in notes in capitals: "ATCD FAM. SANS", "RADIO PULM. NORMALE"."""
_HOUR = re.compile(r"\b(?:à|vers|dès|de|et|pour|avant|après|entre|jusqu'à)\s\d{1,2}\s?\Z")
_MINUTES = re.compile(r"[0-5]\d\b")
_SHORT_FIRST_NAMES = frozenset("Ph Th Chr Ch Cl Fr Gr Col Gal".split())
"""First names of two consonants and ranks in short: "Ph. Martin", "le Lt. Col. Moreau"."""
_JOURNAL = re.compile(
    r"\b(?:Rev|Ann|Arch|Bull|Soc|Am|Eur|Br|Int|Clin|Med|Méd|Chir|Acad|Fr|Can|J)\.\s\Z"
)
"""The name of a journal goes on: "Rev. Med. Interne", "Bull. Soc. Fr. Dermatol"."""
_JOURNAL_WORDS = frozenset(
    """Acad Acta Allergy Am Anaesth Anesth Ann Antimicrob Appl Arch Assoc Aust Biochem Biol Br Brit
    Bull Can Cardiol Cell Chem Chir Circ Clin Comp Contemp Crit Curr Dermatol Dev Dis Emerg
    Endocrinol Engl Environ Epidemiol Eur Exp Fr Gastroenterol Gen Genet Geriatr Gynecol Haematol
    Haemost Hematol Hepatol Hosp Hum Hyg Immunol Infect Int Intern Invest Mal Med Méd Metab
    Microbiol Mol Nat Natl Nephrol Neurol Neurosci Neurosurg Nutr Obstet Oncol Ophthalmol Ophtalmol
    Opin Orthop Otolaryngol Parasitol Pathol Pediatr Pharm Pharmacol Philos Phys Physiol Prat Proc
    Psychiatr Psychiatry Psychol Pulm Radiol Rean Réanim Reanim Res Respir Rev Rheum Rheumatol Scand
    Sci Soc Surg Ther Thorac Thromb Toxicol Traumatol Trop Urol Vasc Venereol Virol""".split()
)
_NAME_GOES_ON = re.compile(
    r"(?:[A-Z][a-z]{3,} )?([A-Z][^\W\d_]*)\.|(?:19|20)\d\d\s?[;,:]|\d{1,4}\s?[(:;]"
)
"""The next short word of a journal's name, its year or its volume."""


def _goes_with(text: str, raw: str, lead: str, after: int) -> bool:
    """Tell the short words that go on only with what they are made for: a letter, a day, a name."""
    word = raw.lower()
    cut = word.rpartition("-")[2]
    if text[after].isdigit():
        if word in _WEEKDAYS and _DAY.match(text, after):
            return True
        return is_cut_word(raw, lead)
    if cut in _LABELLED and _LABEL_LETTER.match(text, after):
        return True
    if word in _WEEKDAYS and raw.istitle() and _DAY.match(text, after):
        return True
    if raw in ("Ag", "Ac", "Atg", "Atc") and _ANTI.match(text, after):
        return True
    if word in _GERMAN and raw.islower() and text[after].isupper() and _DOCTOR.search(lead):
        return not starts_sentence(text, after)
    if raw in ("a", "m", "n", "v") and _ARTICLE_BEFORE.search(lead):
        return True  # "le n. Médian", "l'a. Carotide": an article and a letter end no sentence
    if raw in _JOURNAL_WORDS:
        following = _NAME_GOES_ON.match(text, after)
        name = following[1] if following else None
        return bool(name and (len(name) == 1 or name in _JOURNAL_WORDS) and name not in "AÀY")
    return False


def is_cut_word(raw: str, lead: str) -> bool:
    """Return whether a word of small letters is short for another, as the one before it is."""
    if not (raw.islower() and 2 <= len(raw) <= 5 and raw not in _NOT_CUT and raw[-1] not in "eés"):
        return False
    return _CUT_BEFORE.search(lead) is not None


def _begins(lead: str) -> bool:
    """Return whether a sentence begins behind ``lead``."""
    stripped = lead.rstrip(" \t\u00a0\u202f(")
    return not stripped or stripped[-1] in ".!?…\n\r"


_ONLY_A_DATE = re.compile(
    r"(?:\A|[.!?]\s)(?:Vers|En|Dès|Depuis|Avant|Après)\s(?:l['’]an\s)?\d+\s(?:av|apr|avant|après)\.?\s\Z"
)


def _dotted_goes_on(text: str, raw: str, lead: str, after: int) -> bool:
    """Tell "J.-P. Le Goff" and "C.H.U. Pellegrin" from "i.v. Le patient" and "A.V.K. INR"."""
    if raw in ("J.-C", "J.C", "J.‑C") and _AGE.search(lead):
        if not text[after].isupper():
            return True
        # No name follows: "50 av. J.-C. Les Grecs", unless no more than the date was said.
        return _ONLY_A_DATE.search(lead) is not None and not starts_sentence(text, after)
    bare = raw.replace(".", "").replace("-", "").replace("‑", "")
    if len(bare) == 2 and _PARTICLE_NAME.match(text, after):
        return True
    if starts_sentence(text, after):
        return False
    if not text[after].isupper():
        return True
    if "-" not in raw and (begins_note(text, after) or _AFTER_NUMBER.search(lead)):
        return False  # "Né à 39 S.A. Poids 3200 g"
    if bare.lower() in _ROUTES and (raw.islower() or _DOSED.search(lead)):
        return not _DOSED.search(lead) and _AFTER_ROUTE.match(text, after) is not None
    acronym = len(bare) > 2 and _ACRONYM.match(text, after) is not None
    routed = raw.islower() and _ROUTE.search(lead)
    return not (routed or acronym or bare.lower() in _DOTTED_NOUNS)


def _is_initial(text: str, letter: str, lead: str, after: int) -> bool:
    """Tell "J. Dupont" from "vitamine C.", "fémur D." and "3 N."."""
    if starts_sentence(text, after) or begins_note(text, after) or LETTERED.search(lead):
        return False
    if letter in "DG" and _SIDED.search(lead):
        return False
    return not (letter in "NCFULGV" and _AFTER_NUMBER.search(lead))


_LABEL = re.compile(r"[A-ZÀ-Ý][^\W\d_]*(?: [^\W\d_]+){0,2}\s?:")
"""What the next field of a form begins with: "Sexe : F. Poids : 65 kg"."""
_NO_END = _ABBREVIATIONS | _BEFORE_NUMBER | {"etc"}


# Lower case that begins a sentence: "à domicile" (the capital's accent is hard to type), "pH",
# "iPhone", "β-bloquants", "b. Repos".
_LOWER_BEGINNING = re.compile(
    r"à\s|[a-z][A-Z]|[α-ω]-|(?:[a-h]|[ivx]{1,4})[.)]\s+[A-ZÀ-Ý]"
    r"|(?:ils?|elles?|on|pas|aucune?|absence)\s"
)
# Wards and the like, cut short: "suivi en neuro. à Lyon", "hospitalisé en endocrinol. à Lille".
_CUT_SHORT = re.compile(
    r"(?:cardi|neur|pneum|néphr|nephr|ur|hémat|onc|dermat|rhumat|endocrin|ophtalm|gynéc|infecti|diabét|"
    r"stomat|géront|hépat|gastr|psych|toxic|traumat|orth|ech|éch|abd|gastro-?ent[ée]r)(?:ol?|olog)?"
    r"|(?:chir|card|réa|réanim|kiné|p[ée]d|p[ée]diatr?|psy|rhum|gyn|obst|anesth|chirurg|orthop|biol|"
    r"lun|ven|sam|dim|hém|hosp|urg|consult)"
    r"|\S*(?:é[bcdfghjklmnpqtv]+|[bcdfgptv][lr]|ph|gn|rv|lm|sp|nn)"
)
"""Also words of letters that no French word ends with: "fréq", "endocr", "anat. path"."""


# What is no abbreviation before any lower case: "Cicatrice propre. ablation des fils".
_WHOLE_WORD = re.compile(
    r"(?:^|(?<=[\s'’(«]))(?:[^\W\d_A-Z]{4,}(?:[eéë]|[eéë]s|tions?)|[^\W\d_A-Z]{3,}ments?"
    r"|\S*\w{3,}\))\Z"
)


def begins_in_lower_case(text: str, start: int, last: int, end: int) -> bool:
    """Return whether a sentence begins in lower case after the white space ``text[start:end]``.

    Args:
        text: The document.
        start: Where the white space begins.
        last: Position of the mark before it.
        end: Where the white space ends.
    """
    if text[last] != "." or last != start - 1:
        return False
    left = text[max(0, last - LOOKBACK) : last]
    if _WHOLE_WORD.search(left):
        return True
    if not _LOWER_BEGINNING.match(text, end):
        return False
    word = LAST_WORD.search(left)
    if word is None or ("." in word[0] and not word[0].replace(".", "").isdigit()):
        return False
    letters = word[0].strip("()[]«»\"'’").lower()
    cut = letters.rpartition("-")[2]
    if _CUT_SHORT.fullmatch(cut) or cut in _LABELLED:
        return False
    if is_cut_word(word[0], left[: word.start()]):
        return False
    if len(letters) == 2 and letters.isalpha() and text[end] not in "àabcdefgh":
        return False
    return letters not in _NO_END and (len(letters) > 1 or word[0].endswith(")"))


_RANKS = frozenset("col cap gén".split())
_AT_BEGINNING = re.compile(r"(?:\A|[.!?\n]\s*)Le\s\Z")
"""Here a rank is no part of the body: "Le col. Fournier", but "fracture du col. Fièvre"."""
_ARTICLE = re.compile(r"[LRDA]\.\s?\d")


def _in_capitals(text: str, position: int) -> bool:
    """Return whether the word there is in capitals, of two letters at least."""
    word = _WORD.match(text, position)
    return bool(word and len(word[0]) > 1 and word[0].isupper())


def starts_sentence(text: str, position: int) -> bool:
    """Return whether a word that mostly begins sentences stands there: "Le", "L'", "Dans"."""
    word = _WORD.match(text, position)
    if word is None:
        return False
    elided = len(word[0]) <= 2 and text[word.end() : word.end() + 1] in ("'", "’")
    return elided or word[0].lower() in _STARTERS


def begins_note(text: str, position: int) -> bool:
    """Return whether a word stands there that notes begin sentences with: "Bilan", "Repos"."""
    word = _WORD.match(text, position)
    return word is not None and word[0].istitle() and word[0].lower() in _NOTE_WORDS
