"""Whether a rewrite says what its source says: every fact, none more, none turned round.

Quantities with their units, medicines and diseases, polarity, side, and that no sentence is left
out. Each reason names the fact.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from doctobert_hf.chunking.sentences import split_sentences
from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.rephrase.abbreviations import EXPANSIONS
from doctobert_hf.finemed.rephrase.quantities import Quantity, quantities_of
from doctobert_hf.finemed.words import WORD, fold

_REMNANT = re.compile(
    r"\[/?INST\]|<\|[\w ]{1,30}\|>|</?s>|<<SYS>>|\ufffd|\|\|\||(?-i:\[[A-ZÀ-Ý_ ]{3,40}\])"
    r"|\{\{?[^{}\n]{1,40}\}\}?|(?-i:\bX{3,}\b)|_{3,}|lorem ipsum|```"
    r"|(?<!\w)(?:voici|voilà)\s+(?:(?:une?|le|la|votre)\s+)?(?:\w+\s+){0,2}"
    r"(?:r[ée][ée]cri\w*|reformul\w*|version|texte|document|r[ée]sum[ée])"
    r"|je\s+(?:suis\s+d[ée]sol[ée]e?|ne\s+(?:peux|suis)\s+pas|m['’]excuse)|d[ée]sol[ée]e?,\s"
    r"|en\s+tant\s+qu(?:e\s+(?:mod[èe]le|ia|assistant)|['’](?:ia|assistant|intelligence))"
    r"|n['’]h[ée]sitez\s+pas\s+[àa]|j['’]esp[èe]re\s+que|bien\s+s[ûu]r\s*[!,]|certainement\s*!"
    r"|(?<!\w)(?:assistant|user|system)\s*:|as an ai|i (?:cannot|can't|am sorry)",
    re.IGNORECASE,
)
_OTHER_SCRIPT = re.compile(
    "[\u0400-\u04ff\u0530-\u05ff\u0600-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff"
    "\u3400-\u9fff\uac00-\ud7af]"
)
_FRENCH = frozenset("le la les des du un une et en au aux est dans pour par sur avec sans".split())
_ENGLISH = frozenset("the of and with was were is at for no from to had his her that this".split())

_DRUG = re.compile(
    r"\w{2,}(?:cilline|mycine|micine|floxacine|cycline|azole|prazole|olol|pril|prilat|sartan|statine|"
    r"mab|tinib|nib|azepam|zolam|zepam|triptan|parine|gliptine|glutide|caine|dipine|oxetine|pramine|"
    r"setron|vir|vudine|bactam|penem|cef\w+|platine|taxel|rubicine|trexate|nisone|nisolone|methasone|"
    r"asone|onide|terol|tropium|formine|glitazone|grel|xaban|gatran|semide|thiazide|lactone|niazide|"
    r"picine|butol|zinamide|codone|morphine|fentanil|curium|thymidine|barbital|toine|trigine|"
    r"peridol|apine|peridone|zodone|faxine|adrenaline|amine|aspirine|cetamol|profene|fenac|coxib)s?"
)
_DISEASE = re.compile(
    r"\w{3,}(?:ites?|oses?|omes?|emies?|uries?|algies?|pathies?|plegies?|penies?|rragies?|rrhees?|dermies?|plasies?|"
    r"ectomies?|otomies?|ostomies?|megalies?|phagies?|pnees?|trophies?|sclerose|necrose|oedemes?|"
    r"septiques?|coccus|coque|infarctus|embolies?|thromboses?|cancers?|metastases?|tumeurs?|"
    r"diabete|epilepsie|fractures?|hernies?)"
    r"|lupus|gangrenes?|cholera|obesite|cachexie"
)
_ORDINARY = frozenset(
    """suite suites visite limite limites petite petites droite droites faite faites dites ensuite
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
    anomalie anomalies crise crises""".split()
)
_LAST_RESORT = 5


def check_rewrite(source: str, rewrite: str) -> list[str]:
    """Check that a rewrite keeps its source's facts and brings none.

    Args:
        source: The text that was rewritten.
        rewrite: What became of it.

    Returns:
        Reasons for rejecting it, each naming the fact; empty where it passes.

    Raises:
        UsageError: Not two strings, or the extra ``finemed`` is missing.

    Example:
        >>> check_rewrite("Bisoprolol 5 mg par jour.", "Sous bisoprolol, 50 mg/j.")
        ['quantity invented: 50 mg/j', 'quantity lost: 5 mg/jour']
    """
    for text in (source, rewrite):
        if not isinstance(text, str):
            raise UsageError(f"A {type(text).__name__}", "two strings: source and rewrite")
    if not rewrite.strip():
        return ["empty rewrite"]
    return [*_form(source, rewrite), *dict.fromkeys(fact_reasons(source, rewrite))]


def fact_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what of the facts is lost, invented or turned round."""
    yield from _quantities(quantities_of(source), quantities_of(rewrite))
    yield from _terms(source, rewrite)
    yield from _polarity(source, rewrite)
    yield from _sides(source, rewrite)
    yield from _dropped(source, rewrite)


# ---------------------------------------------------------------------------------------- form


def _form(source: str, rewrite: str) -> Iterator[str]:
    for match in _REMNANT.finditer(rewrite):
        if match[0].lower() not in source.lower():
            yield f"remnant of a chat or template: '{match[0]}'"
    strange = _OTHER_SCRIPT.search(rewrite)
    if strange and not _OTHER_SCRIPT.search(source):
        yield f"another script: '{strange[0]}'"
    words = [word.lower() for word in WORD.findall(rewrite)]
    french, english = (sum(word in known for word in words) for known in (_FRENCH, _ENGLISH))
    if english > french and english >= _LAST_RESORT:
        yield "not French"


# ---------------------------------------------------------------------------------- quantities


def _quantities(old: list[Quantity], new: list[Quantity]) -> Iterator[str]:
    invented = [q for q in new if not any(q.equals(known) for known in old)]
    lost = [q for q in old if not any(q.equals(known) for known in new)]
    for quantity in invented:  # "4 ml" may be told as "4", where that number is not another's
        if not any(quantity.may_equal(known) for known in lost):
            yield f"quantity invented: {quantity.surface}"
    for quantity in lost:
        if _matters(quantity) and not any(quantity.may_equal(known) for known in invented):
            yield f"quantity lost: {quantity.surface}"
    yield from _swapped(old, new)


def _matters(quantity: Quantity) -> bool:
    """Bare small numbers may be said otherwise: "les 2 ovaires"."""
    return bool(quantity.unit) or quantity.bare >= 10 or quantity.bare % 1 != 0


def _swapped(old: list[Quantity], new: list[Quantity]) -> Iterator[str]:
    """Two values that changed places: each stands where the other one stood."""
    pairs = []
    for quantity in old:
        same = [other for other in new if quantity.equals(other)]
        again = [other for other in old if quantity.equals(other)]
        if len(same) == len(again) == 1:
            pairs.append((quantity, same[0]))
    for number, (first, first_now) in enumerate(pairs):
        for second, second_now in pairs[number + 1 :]:
            own = len(first.around & first_now.around) + len(second.around & second_now.around)
            crossed = [
                len(first.around & second_now.around - second.around),
                len(second.around & first_now.around - first.around),
            ]
            if min(crossed) > 0 and sum(crossed) > own - len(first.around & second.around):
                yield f"values exchanged: {first.surface} and {second.surface}"


# --------------------------------------------------------------------------------------- terms


def _words(text: str) -> list[str]:
    return [fold(word) for word in WORD.findall(text)]


@lru_cache(maxsize=1)
def _lexicon() -> tuple[frozenset[str], frozenset[str]]:
    """Single-word medicines, and single-word diseases, of the lexicons that are installed."""
    from doctobert_hf.finemed.annotators.lexicon import lexicon_words

    return lexicon_words()


def kind_of(raw: str) -> str | None:
    """Return ``drug`` or ``disease`` for a word that names one."""
    word = fold(raw)
    if re.search(r"(?:ités?|[ée]es?|és?)\Z", raw.lower()) and not raw.lower().endswith("émie"):
        return None  # "totalité", "traité": folded they would end as diseases do
    if len(word) < 5 or word in _ORDINARY:
        return None
    drugs, diseases = _lexicon()
    if word in drugs or _DRUG.fullmatch(word):
        return "drug"
    if word in diseases or _DISEASE.fullmatch(word):
        return "disease"
    return None


def _stem(word: str) -> str:
    return re.sub(
        r"(?:aux|eux|euses?|ives?|ifs?|elles?|els?|ales?|als?|iques?|es?|s|x)\Z", "", word
    )[:9]


def _surface(stem: str, text: str) -> str:
    """Return the first word of a text that has this stem, as it is written."""
    return next(word for word in WORD.findall(text) if _stem(fold(word)) == stem)


def _allowed(words: Iterable[str]) -> set[str]:
    """Stems of words, and of what their abbreviations stand for, and the reverse."""
    found: set[str] = set()
    known = set(words)
    for short, parts in EXPANSIONS.items():
        if short in known:
            found |= {_stem(part) for part in parts}
        if set(parts) <= known or (len(parts) == 1 and parts[0] in known):
            found.add(short)
            found |= {_stem(part) for part in parts}
    return found | {_stem(word) for word in known}


def _terms(source: str, rewrite: str) -> Iterator[str]:
    old, new = _words(source), _words(rewrite)
    old_stems, new_stems = _allowed(old), _allowed(new)
    kinds = {fold(word): kind_of(word) for text in (source, rewrite) for word in WORD.findall(text)}
    for word in dict.fromkeys(new):
        kind = kinds[word]
        if kind and _stem(word) not in old_stems and not _kin(word, old):
            yield f"{kind} invented: {word}"
    lost = []
    for word in dict.fromkeys(old):
        kind = kinds[word]
        if kind is None or _stem(word) in new_stems or _kin(word, new):
            continue
        if kind == "drug":
            yield f"drug lost: {word}"
        lost.append(word)
    told = [word for word in dict.fromkeys(old) if kinds[word]]
    if len(lost) > 2 and len(lost) > 0.4 * len(told):
        yield f"terms lost: {', '.join(lost[:5])}"


def _kin(word: str, others: Iterable[str]) -> bool:
    """Return whether a word of the same root is there: "splénectomie", "splénique"; no sibling."""
    if _DRUG.fullmatch(word):
        return False
    return any(len(other) > 7 and other[:8] == word[:8] for other in others)


# ------------------------------------------------------------------------------------ polarity

_CUE = re.compile(
    r"(?<!\w)(?:pas\s+(?:d['’]|de\s|non\s+plus)|(?:sans|aucune?s?|ni)(?!\w)|absences?\s+d[e'’]|"
    r"absences?\s+(?:du|des)|jamais\s+d[e'’]|faute\s+d[e'’]|indemnes?\s+d[e'’]|"
    r"d[ée]pourvue?s?\s+d[e'’]|n[ée]gatif\s+pour|exclu\w*|[ée]limin\w+|infirm\w+)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?<!\w)(?:absente?s?|[ée]limin[ée]e?s?|exclue?s?|infirm[ée]e?s?|nie|ni[ée]e?s?)(?!\w)",
    re.IGNORECASE,
)
_BEFORE_ANY = re.compile(
    r"(?<!\w)(?:pas|sans|aucune?s?|ni|non|jamais|rien|absen\w+|n[ée]gati\w+|exclu\w*|[ée]limin\w+|nie|"
    r"faute|indemne\w*|infirm\w+)(?!\w)",
    re.IGNORECASE,
)
_BEHIND_ANY = re.compile(
    r"(?<!\w)(?:absen\w+|n[ée]gati\w+|exclu\w*|[ée]limin\w+|nie|ni[ée]e?s?|disparu\w*|libres?|infirm\w+|"
    r"n['’]|ne(?!\w))",
    re.IGNORECASE,
)
_RULED_OUT = re.compile(r"(?<!\w)(?:[ée]limin|exclu|infirm|n[ée]gati)", re.IGNORECASE)
_SEGMENT = re.compile(r"[.;!?\n]|(?<!\w)(?:mais|cependant|toutefois)(?!\w)", re.IGNORECASE)
_CONTENT = 5
_LIGHT = frozenset(
    """autre autres signe signes notion aussi retrouve retrouvee objective notee revele particuliers
    particuliere particularite avait etait patient patiente examen clinique faire cette celui celle
    aucun aucune encore pouvant ayant comme avoir entre apres avant depuis contexte
    suite suites
    votre notre leurs""".split()
)


_INFINITIVE = re.compile(r"(?:er|ir|dre)\Z")
_FINDINGS = frozenset("signe signes notion particularite particuliers particuliere".split())
"""Light where sentences are compared, yet what "sans signe", "sans particularité" denies."""


def _segments(text: str) -> Iterator[str]:
    at = 0
    for stop in _SEGMENT.finditer(text):
        if stop[0] == "." and text[stop.end() : stop.end() + 1].isdigit():
            continue
        yield text[at : stop.start()]
        at = stop.end()
    yield text[at:]


def _polarities(text: str) -> dict[str, Counter[str]]:
    """By stem, how often it is ``negated``, ``affirmed`` or ``unclear``."""
    found: dict[str, Counter[str]] = {}
    for segment in _segments(text):
        negated = set(_negated_places(segment))
        before = [match.end() for match in _BEFORE_ANY.finditer(segment)]
        behind = [match.start() for match in _BEHIND_ANY.finditer(segment)]
        ruled_out = min((m.start() for m in _RULED_OUT.finditer(segment)), default=len(segment))
        for match in WORD.finditer(segment):
            word, at = fold(match[0]), match.start()
            if len(word) < _CONTENT or not word.isalpha() or word in _LIGHT - _FINDINGS:
                continue
            if _BEFORE_ANY.fullmatch(match[0]) or _BEHIND_ANY.fullmatch(match[0]):
                continue  # a cue is no fact
            if _INFINITIVE.search(word) and kind_of(match[0]) is None:
                continue  # "ne pas prendre si": what is denied stands elsewhere
            unclear = at > ruled_out or any(
                at < cue < at + 90 and not _TURN.search(segment, at, cue) for cue in behind
            )
            unclear = unclear or any(
                at - 60 < cue <= at and not _TURN.search(segment, cue, at) for cue in before
            )
            polarity = "negated" if at in negated else "unclear" if unclear else "affirmed"
            found.setdefault(_stem(word), Counter())[polarity] += 1
    return found


_TURN = re.compile(
    r"(?:[,(]\s*(?:notamment\s)?|\set\s|\snotamment\s)(?:une?|les?|la|l['’]|il|elle|on|puis|avec|cette|ce|cet|son|sa|ses|dont|qui)"
    r"(?!\w)",
    re.IGNORECASE,
)
"""A comma, or "et la", behind which something else is told than what was denied before it."""


def _negated_places(segment: str) -> Iterator[int]:
    """Where words stand that a cue surely negates: its first two, and the heads of a list."""
    for cue in _CUE.finditer(segment):
        rest = segment[cue.end() :]
        taken = 0
        at = cue.end()
        for part in re.split(
            r"(,\s*(?:ni\s|ou\s|et\s)?(?=d['’e]|ni|ou|une?\s)|\sni\s|\sou\s)", rest
        ):
            if part is None:
                continue
            limit = re.search(
                r"[,:()]|(?<!\w)(?:avec|puis|donc|qui|pour|consultant|car)(?!\w)", part
            )
            inside = part[: limit.start()] if limit else part
            words = [m for m in WORD.finditer(inside) if len(m[0]) >= _CONTENT]
            for match in words[: 2 if taken == 0 else 1]:
                yield at + match.start()
            taken += bool(words)
            at += len(part)
            if limit:
                break
    for cue in _AFTER.finditer(segment):
        before = re.split(r"[,:]", segment[: cue.start()])[-1]
        offset = cue.start() - len(before)
        for match in [m for m in WORD.finditer(before) if len(m[0]) >= _CONTENT][-3:]:
            yield offset + match.start()


def _polarity(source: str, rewrite: str) -> Iterator[str]:
    old, new = _polarities(source), _polarities(rewrite)
    for stem, before in old.items():
        after = new.get(stem, Counter())
        if after["negated"] < before["negated"] and after["affirmed"] > before["affirmed"]:
            yield f"negation lost: {_surface(stem, source)}"
        elif (
            after["negated"] > before["negated"] + before["unclear"]
            and after["affirmed"] < before["affirmed"]
        ):
            yield f"negation added: {_surface(stem, source)}"


# ---------------------------------------------------------------------------------------- side

_SIDE = re.compile(r"(?<!\w)(?:(droite?s?|dext\w+)|(gauches?|senestr\w+))(?!\w)", re.IGNORECASE)


def _sided(text: str) -> dict[str, set[str]]:
    """By stem, on which sides it stands."""
    found: dict[str, set[str]] = {}
    for segment in _segments(text):
        for match in _SIDE.finditer(segment):
            side = "right" if match[1] else "left"
            before = WORD.findall(re.split(r"[,:(]", segment[: match.start()])[-1])
            for word in [w for w in map(fold, before) if len(w) >= _CONTENT][-2:]:
                found.setdefault(_stem(word), set()).add(side)
    return found


def _sides(source: str, rewrite: str) -> Iterator[str]:
    old, new = _sided(source), _sided(rewrite)
    for stem, sides in old.items():
        if len(sides) == 1 and len(new.get(stem, ())) == 1 and new[stem] != sides:
            yield f"side changed: {_surface(stem, source)}"
    counts = [
        (sum(bool(m[1]) for m in _SIDE.finditer(t)), sum(bool(m[2]) for m in _SIDE.finditer(t)))
        for t in (source, rewrite)
    ]
    (right, left), (right_now, left_now) = counts
    if (right == 0 and right_now) or (left == 0 and left_now):
        yield "side invented"
    if (
        right
        and left
        and ((right_now > right and left_now < left) or (right_now < right and left_now > left))
    ):
        yield "sides exchanged"
    elif (right and not right_now) or (left and not left_now):
        yield "side lost"


# ---------------------------------------------------------------------------------- left out


def _dropped(source: str, rewrite: str) -> Iterator[str]:
    known = _allowed(_words(rewrite))
    roots = {word[:5] for word in _words(rewrite) if len(word) >= _CONTENT}
    for start, end in split_sentences(source):
        words = [w for w in _words(source[start:end]) if len(w) >= _CONTENT and w not in _LIGHT]
        kept = sum(_stem(word) in known or word[:5] in roots for word in words)
        if len(words) >= 5 and kept < 0.2 * len(words):
            yield f"sentence left out: {source[start:end][:60]}"
