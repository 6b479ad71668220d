"""Medicines, diseases and germs of a text by their word forms, and which are lost or invented."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from doctobert_hf.chunking.sentences import split_sentences
from doctobert_hf.corpus.clinical_abbreviations import EXPANSIONS
from doctobert_hf.finemed.rephrase.brands import BRANDS, other_names
from doctobert_hf.finemed.rephrase.drug_classes import (
    class_of,
    has_member,
    is_class,
    new_classes,
    of_regimens,
)
from doctobert_hf.finemed.rephrase.slips import is_slip, is_value, swapped, value_told
from doctobert_hf.finemed.rephrase.treatments import lost_treatments, new_treatments
from doctobert_hf.finemed.words import WORD, fold

CONTENT = 5
"""Letters that a word has which tells something."""
_DRUG = re.compile(
    r"\w{2,}(?:cilline|mycine|micine|floxacine|cycline|azole|prazole|olol|pril|prilat|sartan|statine|"
    r"mab|tinib|nib|azepam|zolam|zepam|triptan|parine|gliptine|glutide|caine|dipine|oxetine|pramine|"
    r"setron|vir|vudine|bactam|penem|cef\w+|platine|taxel|rubicine|trexate|nisone|nisolone|methasone|"
    r"asone|onide|terol|tropium|formine|glitazone|grel|xaban|gatran|semide|thiazide|lactone|niazide|ionamide|"
    r"picine|butol|zinamide|codone|morphine|fentanil|curium|thymidine|barbital|toine|trigine|"
    r"peridol|apine|peridone|zodone|faxine|adrenaline|amine|aspirine|cetamol|profene|fenac|coxib|(?:glulis|insul)ine|gliflozine|mumab|ximab|zumab|dronate|"
    r"limus|oprost|sporine|thioprine|vastatine|cyclovir|conazole|oxacine|thromycine|trexed|lukast|setron|tidine|tropine|peridol)s?"
    r"|glargine|detemir|lispro|asparte?|degludec|lithium|digoxine|warfarine|fluindione|heparine|"
    r"theophylline|colchicine|allopurinol|quinine|ivermectine|tramadol|codeine|nefopam|valproate|"
    r"mycophenol\w+|valproique|buprenorphine|methadone|naloxone|flumazenil|propofol|ketamine|etomidate"
)
_DISEASE = re.compile(
    r"\w{3,}(?:ites?|oses?|omes?|emies?|uries?|algies?|pathies?|plegies?|penies?|rragies?|rrhees?|dermies?|plasies?|"
    r"ectomies?|otomies?|ostomies?|megalies?|phagies?|pnees?|phobies?|trophies?|sclerose|necrose|oedemes?|"
    r"septiques?|coccus|coque|infarctus|embolies?|thromboses?|cancers?|metastases?|tumeurs?|"
    r"diabete|epilepsie|fractures?|hernies?)"
    r"|lupus|gangrenes?|cholera|obesite|cachexie"
)
_ORDINARY = frozenset(
    """retroperitoine chromosome chromosomes genome genomes
    suite suites visite limite limites petite petites droite droites faite faites dites ensuite
    conduite inedite reussite merite invite habite evite profite proximite bonhomme homme hommes
    symptome symptomes diplome atome dose doses chose choses cause causes pause rose prose
    propose repose expose oppose suppose compose impose depose disposee accademie academie
    anatomie medecine routine origine vitamine vitamines semaine semaines urine urines poitrine
    vaccine machine cuisine bassine racine examine termine determine diminue hormone zone
    personne ordonne donne carbone axone telephone gene genes hygiene oxygene azote proteine
    proteines hemoglobine glycemie creatinine albumine bilirubine insuline parcours amines
    famine examine contamine elimine lamine dopamine histamine glutamine chronique clinique
    graphique traitement traitements medicament medicaments antalgique antalgiques antibiotique
    antibiotiques comprime comprimes vaccin vaccins maladie maladies pathologie pathologies
    syndrome syndromes lesion lesions affection affections trouble troubles douleur douleurs
    fievre signe signes gene infection infections inflammation complication complications
    anomalie anomalies crise crises posologie posologies poursuite poursuites dispose servir
    desservir ravir gravir souhaite marguerite parfaite parfaites sympathie antipathie retraite
    retraites etroite etroites visites epidemie epidemies necessite necessites traite traites
    explicite implicite precipite subite subites favorite favorites decrite decrites ecrite ecrites
    hesite exploite excite facilite incite interdite interdites satisfaite satisfaites distraite
    extraite extraites abstraite prescrite prescrites fortuite fortuites cohabite composite tacite
    gravite transite autonome autonomes deposes supposes recompose suscites irrite palpite abrite
    inscrite inscrites proscrite proscrites gratuite gratuites reduite construite conduites produite
    produites introduite introduites detruite detruites orbite orbites satellites opposite dites
    maladroite adroite sympathies ladite susdite predite redite merites heritee evites hypocrite
    debite debites delimite credite edite edites medite repose reposes exposes opposes imposes
    proposes composes indisposee superpose transpose interpose appose depots diagnose bonhomie
    electrolyte electrolytes mitose mitoses peritoine peritoines normochrome normochromes
    hypochrome hypochromes polychrome polychromes monochrome
    economie economies autonomie taxonomie academies""".split()
)


_GERMS = re.compile(
    r"(?:klebsiella|escherichia|staphylococcus|streptococcus|enterococcus|pseudomonas|salmonella|shigella|"
    r"listeria|legionella|neisseria|haemophilus|clostridium|clostridioides|candida|aspergillus|"
    r"mycobacterium|helicobacter|campylobacter|proteus|enterobacter|serratia|acinetobacter|bacteroides|"
    r"plasmodium|toxoplasma|cryptococcus|pneumocystis|chlamydia|mycoplasma|brucella|bartonella|borrelia|"
    r"leptospira|treponema|rickettsia|coxiella|nocardia|actinomyces|echinococcus|leishmania|"
    r"cytomegalovirus|rotavirus|adenovirus|norovirus|parvovirus|enterovirus|coronavirus)"
)


@lru_cache(maxsize=256)  # several looks at one document fold it once
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded."""
    return tuple(fold(word) for word in WORD.findall(text))


_COMMON_WORDS = """
    asthme eczema psoriasis grippe paludisme rougeole varicelle zona gale lepre variole
    alzheimer parkinson huntington autisme schizophrenie migraine goutte diabete hypertension
    hypotension insuffisance ictere purpura coqueluche rubeole tetanos typhoide dengue ebola covid
    hemophilie mucoviscidose drepanocytose glaucome cataracte demence alcoolisme colique ulcere
    abces anevrisme avortement allergie choc coma meningiome paralysie cecite surdite polype kyste
    suicide suicides adenopathie adenopathies hemorragie hemorragies confusion
    convulsions convulsion"""


@lru_cache(maxsize=1)
def _lexicon() -> tuple[frozenset[str], frozenset[str]]:
    """Single-word medicines, and single-word diseases, of the lexicons that are installed."""
    from doctobert_hf.finemed.annotators.lexicon import lexicon_words

    return lexicon_words()


@lru_cache(maxsize=1 << 16)
def kind_of(raw: str, wide: bool = False) -> str | None:
    """Return ``drug``, ``disease`` or ``germ`` for a word that names one.

    Args:
        raw: The word as it stands.
        wide: Also the diseases whose form does not tell ("asthme"), and general ones.
    """
    word = fold(raw)
    if re.search(r"(?:ités?|[dr]uites?|[ée]es?|és?)\Z", raw.lower()) and not raw.lower().endswith(
        "émie"
    ):
        return None  # "totalité", "traité": folded they would end as diseases do
    if wide and stem(word) in _COMMON | (_FINDINGS if len(word) > 3 else frozenset()):
        return "disease"
    if len(word) < 5 or word in _ORDINARY:
        return None
    if _GERMS.fullmatch(word):
        return "germ"
    drugs, diseases = _lexicon()
    if word in drugs or word in BRANDS or _DRUG.fullmatch(word):
        return "drug"
    if word in diseases or _DISEASE.fullmatch(word):
        return "disease"
    return None


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Return what the forms of a folded word share."""
    return re.sub(
        r"(?:aux|eux|euses?|ives?|ifs?|elles?|els?|ales?|als?|iques?|ies?|ez|es?|s|x)\Z", "", word
    )[:9]


def surface(root: str, text: str) -> str:
    """Return the first word of a text that has this stem, as it is written."""
    return next(word for word in WORD.findall(text) if stem(fold(word)) == root)


def allowed(words: Iterable[str]) -> set[str]:
    """Stems of words, and of what their abbreviations stand for, and the reverse."""
    found: set[str] = set()
    known = set(words)
    for short, parts in EXPANSIONS.items():
        if short in known:
            found |= {stem(part) for part in parts}
        if set(parts) <= known or (len(parts) == 1 and parts[0] in known):
            found.add(short)
            found |= {stem(part) for part in parts}
    return found | {stem(word) for word in known}


_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011](?=[^\W\d_])")


def term_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield medicines, diseases and germs that are new, and medicines that are lost."""
    old, new = (dict.fromkeys(words_of(text)) for text in (source, rewrite))
    old_stems, new_stems = allowed(old), allowed(new)
    in_old, in_new = _Relatives(old), _Relatives(new)
    joined = set(WORD.findall(_HYPHEN.sub("", fold(source))))
    therapies = [word for word in old if word.endswith("therapie")]
    values = [word for word in old if _VALUE.search(word)]
    kinds = {fold(word): kind_of(word) for text in (source, rewrite) for word in WORD.findall(text)}
    for word in dict.fromkeys(new):
        kind = kinds[word] or ("disease" if _is_finding(word, rewrite) else None)
        if word in ("allergie", "allergies") and _RUBRIC.search(rewrite):
            continue
        if told_otherwise(stem(word) if len(stem(word)) > 2 else word, old):
            continue
        if kind and told_otherwise(word, old):
            continue
        if kind == "drug" and any(other in old for other in other_names(word)):
            continue
        if kind == "drug" and (has_member(word, _medicines(source)) or word in of_regimens(source)):
            continue
        if kind == "drug" and any(told.startswith(word[:-1]) for told in therapies):
            continue  # "héparine" of "héparinothérapie"
        if kind == "drug" and any(word[:8] in told for told in values) and is_value(word, rewrite):
            continue  # "cholestérol" of "hypocholestérolémie"
        if kind is None or stem(word) in old_stems:
            continue
        if in_old.of_one_root(word) or in_old.whole_of(word) or in_old.misspelt(word, kind):
            continue
        if word in joined:
            continue  # "acido-cétose", now "acidocétose"
        if kind == "disease" and (value_told(word, source) or word in _spelt_out(rewrite, source)):
            continue
        if kind == "disease" and _is_in_short(word, source):
            continue
        yield f"{kind} invented: {word}"
    yield from _eponyms(source, rewrite)
    yield from new_classes([*old, *joined], new, _medicines(source))
    lost = []
    glued = [word for word in new if word in joined]
    for word in dict.fromkeys(old):
        kind = kinds[word] or ("drug" if word.startswith("anti") and is_class(word) else None)
        if kind is None or stem(word) in new_stems or in_new.of_one_root(word):
            continue
        if stem(word) in _SALTS and told_otherwise(stem(word), new):
            continue
        if kind == "disease" and told_otherwise(word, new):
            continue
        if word.startswith("chimio") and any("chimio" in other for other in new):
            continue  # "radiochimiothérapie"
        if kind == "drug" and any(other.endswith(word) for other in glued):
            continue  # "methyl-prednisolone", now in one word
        if kind == "drug":
            if in_new.corrects(word, kind) or _is_medicine_kept(word, source, rewrite, new):
                continue
            yield f"drug lost: {word}"
        lost.append(word)
    meant, also = ([p for short in of for p in EXPANSIONS.get(short, ())] for of in (new, old))
    some_drug = any(kind_of(word) == "drug" for word in new)
    yield from lost_treatments([*old], [*new, *meant], some_drug)
    yield from new_treatments([*new], [*old, *also])
    for start, end in split_sentences(source) if len(lost) > 1 else ():
        within = dict.fromkeys(words_of(source[start:end]))
        named = [w for w in within if kinds[w] == "disease" and not _VALUE.search(w)]
        if len(named) > 1 and set(named) <= set(lost):
            yield f"terms lost: {', '.join(named[:5])}"
    told = [word for word in dict.fromkeys(old) if kinds[word]]
    if len(lost) > 3 and len(lost) > 0.6 * len(told):
        yield f"terms lost: {', '.join(lost[:5])}"


def _is_medicine_kept(word: str, source: str, rewrite: str, new: Collection[str]) -> bool:
    """Return whether a medicine, or a class of them, is told by another name or shorter."""
    if is_class(word) and _class_kept(word, rewrite, new):
        return True
    if is_class(word) and any(other[:7] == word[:7] for other in new):
        return True  # "corticoïdes", now "corticothérapie"
    return (
        any(other in new for other in other_names(word))
        or word in of_regimens(rewrite)
        or _only_described(word, source)  # "bloc analgésique"
        or any(word[:length] in new for length in range(4, 8))  # "amox" for "amoxicilline"
    )


BETWEEN = r"\W+(?:\w{1,3}\W+){0,2}"
"""What stands between the words that an abbreviation is made of."""
_INITIALS = re.compile(r"(?<![\w-])(?<!\d )[A-Z]{2,5}(?![\w-])")
_SEVERAL = frozenset("sa im ra pr ic ar is ai da dt".split())
"""Abbreviations that stand for several things: "SA" is not always "semaines d'aménorrhée"."""


@lru_cache(maxsize=4)  # asked for each new disease of a text
def _spelt_out(rewrite: str, source: str) -> frozenset[str]:
    """Return words of a rewrite that follow each other and begin as letters of the source do."""
    found: set[str] = set()
    for raw in dict.fromkeys(_INITIALS.findall(source)):
        short = fold(raw)
        if short in EXPANSIONS and short not in _SEVERAL:
            continue
        spelt = BETWEEN.join(rf"{letter}\w{{2,}}" for letter in short)
        for match in re.finditer(rf"\b{spelt}", fold(rewrite)):
            found |= set(words_of(match[0]))
    return frozenset(found)


_COMPOUND = re.compile(r"\w{3,}o\w{5,}")


def _is_in_short(word: str, source: str) -> bool:
    """Return whether a source has the letters of a compound's parts: "SPM" of "splénomégalie"."""
    if not _COMPOUND.fullmatch(word):
        return False
    for short in _unknown_shorts(source):
        letters = iter(word)
        if short[0] == word[0] and all(letter in letters for letter in short):
            return True
    return False


@lru_cache(maxsize=4)  # asked for each new disease of a text
def _unknown_shorts(source: str) -> tuple[str, ...]:
    """Return the abbreviations of three letters and more of which nobody knows what they are."""
    shorts = map(fold, dict.fromkeys(_INITIALS.findall(source)))
    return tuple(short for short in shorts if len(short) > 2 and short not in EXPANSIONS)


_VALUE = re.compile(r"(?:emie|urie)s?\Z")
"""What a number may tell instead: "hypercalcémie"."""
_NO_FINDING = re.compile(r"insuffisante?s?|suffisan\w*|retreciss(?:ante?s?|ent|e|ait)")
_SHOCKS = re.compile(
    r"(?<!\w)chocs?\s+(?:[ée]lectriques?|d[ée]livr|rotulien|de\s+pointe|minimes?|directs?|violents?|"
    r"sur\s|(?:à|contre)\s+l)|(?:apr[èe]s|suite\s+à|lors\s+d)[^.;,]{0,8}(?<!\w)choc(?=\s*[.,;)]|\s*\Z)",
    re.IGNORECASE,
)


def _is_finding(word: str, text: str) -> bool:
    """Return whether a word names a finding whose form does not tell: no "prise insuffisante"."""
    if len(word) < 4 or stem(word) not in _FINDINGS or _NO_FINDING.fullmatch(word):
        return False
    return not (word.startswith("choc") and _SHOCKS.search(text))


_SAME = {
    **{"occlus": "occlu", "retreciss": "steno"},
    **{"hypotens": "hypotend collaps"},
    **{"adenopath": "gangl adenomeg polyadeno lymph", "carcinom": "cancer neoplas adenocarc"},
    **{"cephale": "maux mal tete", "dyspnee": "essouffl souffle", "ictere": "jauniss subicter"},
    **{
        "prurit": "demange gratte prurig",
        "vomissem": "vomi emese hematem",
        "hemorrag": "saign",
        "asthm": "asthm",
    },
    **{"diarrh": "selles", "hypertens": "tension hta", "paralys": "paraly plegi pares"},
    **{
        "tumeur": "tumor cancer carcin adenocarc neoplas lymphom sarcom melanom gliom metasta masse"
    },
    **{"cancer": "tumeur tumor carcin adenocarc neoplas lymphom metasta leucem melanom mali"},
    **{"parasit": "hydat echinoc paludis amib helminth leishman bilharz toxoplasm"},
    **{"neoplas": "tumeur tumor carcin adenocarc cancer lymphom metasta"},
    **{
        "hemoptys": "crach sang",
        "dysphag": "avaler degluti",
        "hemipleg": "paralys",
        "parapleg": "paralys",
        "lithias": "calcul pierr alithias",
        "oedem": "gonfl oap omi enfl",
    },
    **{"lombalg": "lomb dos", "arthralg": "articul", "myalg": "muscul", "gastralg": "epigastr"},
    **{"tachycard": "pouls frequence battem", "fractur": "cass", "apyrex": "apyret fievre"},
    **{"apyrexie": "apyret fievre", "hematem": "vomi sang", "melaena": "selles", "oligur": "urin"},
    **{"infarct": "idm", "pyrosis": "brulure", "dysurie": "urin mictio", "anorexi": "appetit"},
    **{"potassi": "kalie kaliu hypokal hyperkal", "sodium": "natre hyponat hypernat"},
    **{"calcium": "calce calcif hypocal hypercal", "magnesiu": "magnes", "corticoid": "cortico"},
    **{
        "icter": "anicter",
        "rales": "crepit sibil ronch siffl",
        "crepit": "rale",
        "zona": "zoster",
        "hydatidos": "hydat",
    },
    **{"sibil": "rale siffl"},
    **{
        "jauniss": "icter subicter cholesta",
        "saignem": "sang hemorrag metrorr menorr menometr epistax gingivorr rectorr",
        "phlebit": "thrombo tvp",
    },
    **{"natrem": "sodium hyponat hypernat", "kaliem": "potassi hypokal hyperkal"},
    **{"calcem": "calcium hypocal hypercal", "cholester": "ldl hdl"},
    **{"insuffis": "insuffis irc ira ic icc defaillan dysfonct altere alterat"},
    **{"catechol": "noradren adrenal dobutam dopamin", "alcool": "ethyli alcool"},
    **{
        "plaie": "erosion ulcer lacerat escar coup incis morsur dehisc bless",
        "creatinin": "creatin",
    },
    **{
        "malformat": "malform dysmorph",
        "laparotom": "incision",
        "cortison": "cortico corticoth",
    },
    **{"chimioth": "prechimioth postchimioth chimio radiochimio"},
    **{"avortem": "fausse grossesse", "vertig": "vertig", "nause": "nause", "ascit": "epanchem"},
}
"""What else a source may call a finding, by the beginning of the word for it."""


@lru_cache(maxsize=1 << 14)
def _other_ways(root: str) -> tuple[str, ...] | None:
    for start, others in _SAME.items():
        if root.startswith(start):
            return tuple(others.split())
    return None


_IN_BLOOD = re.compile(r"(?!hypo|hyper)(\w{5,})em(?:ies?)?")


def told_otherwise(root: str, words: Iterable[str]) -> bool:
    """Return whether another name of a finding is among folded words: "jaunisse" of "ictère"."""
    others = _other_ways(root)
    if others is None and (blood := _IN_BLOOD.fullmatch(root)):
        others = (blood[1],)  # "lactatémie" is a value of lactates
    return others is not None and any(word.startswith(others) for word in words)


_SALTS = frozenset(stem(word) for word in ("potassium", "sodium", "calcium", "magnesium"))
_EPONYM = re.compile(
    r"(?<!\w)(?:maladies?|syndromes?|sarcomes?|tumeurs?|purpura|an[ée]mies?|thyro[ïi]dite|chor[ée]e)"
    r"\s+(?:de\s+la\s|d['’e]\s?|du\s)(?P<name>[A-Z][\w-]{2,})"
)


def _eponyms(source: str, rewrite: str) -> Iterator[str]:
    """Yield diseases that are named after somebody whom the source does not name."""
    known = fold(source)
    for match in _EPONYM.finditer(rewrite):
        if fold(match["name"]) not in known:
            yield f"disease invented: {match[0]}"


@lru_cache(maxsize=4)  # asked for each medicine of a text, which it would read each time
def _medicines(text: str) -> tuple[str, ...]:
    """Return the words that may be medicines, each once: those in capitals too."""
    words = dict.fromkeys(WORD.findall(text))
    return tuple(fold(raw) for raw in words if kind_of(raw) == "drug" or raw.isupper())


def _class_kept(word: str, rewrite: str, new: Collection[str]) -> bool:
    """Return whether a class of medicines is still told: by its name, or by a member."""
    name = class_of(word)
    return (
        name is None  # "chimiothérapie": what it consists of is told, or lost
        or any(class_of(other) == name for other in new)
        or has_member(word, _medicines(rewrite))
    )


_DESCRIBED = re.compile(
    r"(?<!\w)(?:blocs?|positions?|attitudes?|effets?|actions?|vis[ée]es?|buts?)\s+(\w+)",
    re.IGNORECASE,
)


def _only_described(word: str, source: str) -> bool:
    """Return whether a class only tells what something is for: "bloc analgésique"."""
    said = [match[1] for match in _DESCRIBED.finditer(source) if fold(match[1]) == word]
    return bool(said) and len(said) == words_of(source).count(word)


_RUBRIC = re.compile(r"(?<!\w)Allergies?\s*(?:connues?\s*)?:")
"""What it says stands behind it."""
_OF_ORGAN = re.compile(r"(\w{5,})opathies?")
_NOUN_OF = re.compile(r"(?:s(?:es?|ies?)|t(?:iques?))\Z")


class _Relatives:
    """The words of a text, by how they begin and end: looked up, not compared one by one."""

    def __init__(self, words: Iterable[str]) -> None:
        self._beginning: dict[str, list[str]] = {}
        self._ending: dict[str, list[str]] = {}
        for word in words:
            self._beginning.setdefault(word[:4], []).append(word)
            if (bare := word.removeprefix("anti")) != word:
                self._beginning.setdefault(bare[:4], []).append(bare)
            self._ending.setdefault(word.removesuffix("s")[-7:], []).append(word)

    def whole_of(self, word: str) -> bool:
        """Return whether a wider name is part of one of them: "arthrose" of "gonarthrose"."""
        told = word.removesuffix("s")
        return len(told) > 6 and any(
            len(other) > len(word) and other.removesuffix("s").endswith(told)
            for other in self._ending.get(told[-7:], ())
        )

    def misspelt(self, word: str, kind: str) -> bool:
        """Return whether one is the same word with a slip."""
        begun = (word[:4], swapped(word[:4]))
        return any(is_slip(o, word, kind) for key in begun for o in self._beginning.get(key, ()))

    def corrects(self, word: str, kind: str) -> bool:
        """Return whether a word is one of them with a slip."""
        begun = (word[:4], swapped(word[:4]))
        return any(is_slip(word, o, kind) for key in begun for o in self._beginning.get(key, ()))

    def of_one_root(self, word: str) -> bool:
        """Return whether one has the same root: "splénectomie", "splénique"; no sibling."""
        if _DRUG.fullmatch(word):
            return False
        root, noun = stem(word), _NOUN_OF.sub("", word)
        organ = _OF_ORGAN.fullmatch(word)
        if organ and any(o.startswith(organ[1]) for o in self._beginning.get(word[:4], ())):
            return True  # "coronaropathie" of "coronarien"
        return any(
            (other.endswith("prophylaxie") and other[:6] == word[:6])
            or (len(noun) > 4 and noun != word and _NOUN_OF.sub("", other) == noun)
            or (len(other) > 7 and other[:8] == word[:8])
            or (len(root) > 3 and other.startswith(root))
            or (3 < len(other) < 7 and other[-1] not in "aeio" and word.startswith(other))
            for other in self._beginning.get(word[:4], ())
        )


_FINDING_WORDS = """
    asthme eczema psoriasis grippe paludisme rougeole varicelle zona lepre alzheimer parkinson
    autisme schizophrenie migraine diabete diabetique epileptique asthmatique cirrhotique hernie
    insuffisance defaillance alcoolique ictere purpura coqueluche rubeole tetanos dengue glaucome
    cataracte demence interauriculaire coarctation agenesie fistule
    retrecissement prolapsus phlebite goitre luxation entorse torsion occlusion trisomie lithiase
    cirrhose ischemie delire hallucination hallucinations hemiplegique amputation gangreneux
    choc coma
    anevrisme rales crepitants sibilants ascite vomissements nausees prurit syncope convulsions
    petechies coeliaque celiaque"""
_FINDINGS = frozenset(stem(word) for word in _FINDING_WORDS.split())
_COMMON = frozenset(stem(word) for word in _COMMON_WORDS.split())
