"""Whether a rewrite says what its source says: every fact, none more, none turned round.

Dates, quantities with their units, codes, medicines and diseases, polarity, who has a disease and
how sure it is, side and other opposites, and that no sentence is left out. Each reason names the
fact.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice, pairwise

from doctobert_hf.chunking.sentences import split_sentences
from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.rephrase.attribution import attribution_reasons
from doctobert_hf.finemed.rephrase.codes import code_reasons, name_in_code
from doctobert_hf.finemed.rephrase.compounds import with_compounds
from doctobert_hf.finemed.rephrase.course import course_reasons
from doctobert_hf.finemed.rephrase.dates import date_reasons, take_dates
from doctobert_hf.finemed.rephrase.dosing import dose_reasons, time_reasons
from doctobert_hf.finemed.rephrase.examined import examination_reasons, outcome_reasons
from doctobert_hf.finemed.rephrase.exchanged import exchange_reasons
from doctobert_hf.finemed.rephrase.findings import finding_reasons
from doctobert_hf.finemed.rephrase.known_quantities import KnownQuantities
from doctobert_hf.finemed.rephrase.loose import (
    as_often,
    in_months,
    ordinals,
    parted,
    without_list_numbers,
)
from doctobert_hf.finemed.rephrase.opposites import opposite_reasons
from doctobert_hf.finemed.rephrase.plain import plain
from doctobert_hf.finemed.rephrase.polarity import LIGHT, polarity_reasons
from doctobert_hf.finemed.rephrase.quantities import DOSES, Quantity, quantities_of
from doctobert_hf.finemed.rephrase.ranges import range_reasons
from doctobert_hf.finemed.rephrase.remnants import form_reasons
from doctobert_hf.finemed.rephrase.short_names import short_name_reasons
from doctobert_hf.finemed.rephrase.sides import side_reasons
from doctobert_hf.finemed.rephrase.species import answer_reasons, species_reasons
from doctobert_hf.finemed.rephrase.spelled import as_digits
from doctobert_hf.finemed.rephrase.terms import (
    CONTENT,
    allowed,
    kind_of,
    stem,
    term_reasons,
    told_otherwise,
    words_of,
)
from doctobert_hf.finemed.words import WORD


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
    facts = dict.fromkeys(fact_reasons(plain(source), plain(rewrite)))
    return [*form_reasons(source, rewrite), *facts]


def fact_reasons(source: str, rewrite: str) -> Iterator[str]:
    """Yield what of the facts is lost, invented or turned round."""
    source, rewrite = parted(source), parted(rewrite)
    source, rewrite = with_compounds(source, rewrite), with_compounds(rewrite, source)
    listed = without_list_numbers(source), without_list_numbers(rewrite)
    (old, old_dates), (new, new_dates) = take_dates(*listed), take_dates(listed[1], listed[0])
    old, new = in_months(old, new), in_months(new, old)
    old, new = as_often(old, new), as_often(new, old)
    quantities, again = quantities_of(old), quantities_of(new)
    quantities, again = _with_days(quantities, new, old), _with_days(again, old, new)
    yield from date_reasons(old_dates, new_dates, {q.bare for q in quantities})
    years = {date.year for date in (*old_dates, *new_dates)}
    told = list(_quantities(quantities, again, *listed))
    for reason in told:
        if not any(reason.endswith(f": {year}") for year in years):  # "en 2019": its date is there
            yield reason
    if not told:  # where no number is new or lost, two may have changed places
        yield from dose_reasons(quantities, again, source, rewrite)
    yield from time_reasons(source, rewrite)
    yield from _reversed(source, rewrite)
    yield from code_reasons(*listed)
    yield from term_reasons(source, rewrite)
    yield from short_name_reasons(source, rewrite)
    yield from species_reasons(source, rewrite)
    yield from answer_reasons(source, rewrite)
    yield from polarity_reasons(source, rewrite)
    yield from attribution_reasons(source, rewrite)
    yield from side_reasons(source, rewrite)
    yield from opposite_reasons(source, rewrite)
    yield from exchange_reasons(source, rewrite)
    yield from examination_reasons(source, rewrite)
    yield from outcome_reasons(source, rewrite)
    yield from course_reasons(source, rewrite)
    yield from range_reasons(source, rewrite)
    yield from finding_reasons(source, rewrite)
    yield from _dropped(source, rewrite)


# ---------------------------------------------------------------------------------- quantities

_SINCE = {"H": "heures", "J": "jours", "S": "semaines", "M": "mois"}
_CODES = re.compile(
    r"(?<![\w-])(?:(?P<since>[HJSM])\s?[+-]?)?(?P<code>(?:[A-Z]\d){2,}|\d{1,2})(?!\w|[.,]\d)"
)


_THERAPIES = {
    str(count): re.compile(rf"(?<!\w){prefix}-?(?:th[ée]rapie|antibioth)", re.IGNORECASE)
    for count, prefix in ((2, "bi"), (3, "tri"), (4, "quadri"))
}


def _with_days(quantities: list[Quantity], other: str, text: str) -> list[Quantity]:
    """Add what codes tell of the time since: "J3" is 3 days, where the other text has 3 days."""
    found = _implied(text)
    known = KnownQuantities([*quantities_of(other), *_implied(other)]) if found else None
    told = [q for q in found if known is not None and any(known.equal(q))]
    bare = {quantity.bare for quantity in told if quantity.unit}
    return [
        replace(q, implied=q.implied or (not q.unit and q.bare in bare)) for q in quantities
    ] + told


def _implied(text: str) -> list[Quantity]:
    """Return the quantities that codes, names of therapies and ordinals tell."""
    found = []
    for match in _CODES.finditer(text):
        if match["since"] and match["code"].isdigit():
            told = quantities_of(f"{match['code']} {_SINCE[match['since']]}")
        elif not match["code"].isdigit():  # "G3P2" is "troisième geste, deuxième part"
            told = quantities_of(" ".join(re.findall(r"\d", match["code"])))
        else:
            continue
        found += [replace(quantity, implied=True) for quantity in told]
    for count, named in _THERAPIES.items():  # "quadrithérapie" is "quatre antituberculeux"
        if named.search(text):
            found += [replace(quantity, implied=True) for quantity in quantities_of(count)]
    for time in ordinals(text):  # "à la quatrième heure" is "à 4 heures"
        found += [replace(quantity, implied=True) for quantity in quantities_of(time)]
    return found


def _quantities(
    before: list[Quantity], after: list[Quantity], source: str, rewrite: str
) -> Iterator[str]:
    old, new = KnownQuantities(before), KnownQuantities(after)
    invented = KnownQuantities([q for q in after if not old.has(q)])
    lost = KnownQuantities([q for q in before if not new.has(q)])
    counted = _enumerated(rewrite) if invented.all else set()
    for quantity in invented.all:  # "4 ml" may be told as "4", where that number is not another's
        known = lost.may_have(quantity) or _mere_one(quantity, lost.all)
        if (
            not known
            and not _named(quantity, rewrite, source)
            and not (not quantity.unit and quantity.bare in counted)
            and not _summed(quantity, before, new)
            and not _multiplied(quantity, before)
        ):
            yield f"quantity invented: {quantity.surface}"
    for quantity in lost.all:
        if not _matters(quantity) or invented.may_have(quantity):
            continue
        if _told_at_once(quantity, before, after):
            continue
        if quantity.bare == 1 and quantity.unit in _TIMES and _ONE_TIME.search(rewrite):
            continue
        if not _named(quantity, source, rewrite) and not _summed(quantity, after, old):
            yield f"quantity lost: {quantity.surface}"
    for hardly in (_hardly, _counts):
        gone = [q for q in before if hardly(q) and not any(new.equal(q))]
        come = [q for q in after if hardly(q) and not any(old.equal(q))]
        if gone and come:
            yield f"quantity changed: {gone[0].surface}, now {come[0].surface}"
    yield from _turned(old, new)
    yield from _swapped(old, new)
    yield from _other_sides(old, new)


_COUNTED = (
    "hypoth[èe]ses|diagnostics|possibilit[ée]s|[ée]ventualit[ée]s|causes|options|[ée]tiologies|pistes|arguments|"
    "examens|gestes|temps|[ée]tapes|[ée]l[ée]ments|signes|points|raisons|facteurs|mol[ée]cules|m[ée]dicaments|traitements"
)
_ENUMERATED = re.compile(
    rf"(?<!\w)(?P<count>\d)\s+(?:{_COUNTED})(?!\w)[^.:;\d]{{0,60}}:\s*(?P<what>[^.;:]+)", re.I
)


_DAYS = re.compile(r"(?<!\w)[JMHS]\s?\d+(?:\s*(?:,|;|et|puis|/)\s*[JMHS]\s?\d+)+(?!\w)")


def _enumerated(text: str) -> set[float]:
    """Return the numbers that only count what a text lists: "trois hypothèses : a, b et c"."""
    days = {float(len(re.findall(r"[JMHS]\s?\d", match[0]))) for match in _DAYS.finditer(text)}
    if not re.search(_COUNTED, text, re.I):
        return days
    plain = re.sub("[\u2060\u2063]", "", as_digits(text))
    return days | {
        float(match["count"])
        for match in _ENUMERATED.finditer(plain)
        if len(re.split(r",|(?<!\w)(?:et|ou|puis)(?!\w)", match["what"])) == int(match["count"])
    }


_FROM_TO = re.compile(
    r"(?<!\w)de\s+(?P<a>\d+(?:[.,]\d+)?)(?:\s*[^\W\d][\w/%]*)?\s+à\s+(?P<b>\d+(?:[.,]\d+)?)"
    r"|(?P<c>\d+)\s?°\s?/\s?(?P<d>\d+)\s?°"
)


def _reversed(source: str, rewrite: str) -> Iterator[str]:
    """Yield courses that run the other way: "de 3 à 9" where the source has "de 9 à 3"."""
    old, new = (
        {tuple(n.replace(",", ".") for n in m.groups() if n) for m in _FROM_TO.finditer(text)}
        for text in (source, rewrite)
    )
    for first, last in sorted(new - old):
        if first != last and (last, first) in old - new:
            yield f"values exchanged: {last} and {first}"


_TIMES = ("h", "mois", "fois/h", "fois/mois")
_ONE_TIME = re.compile(
    r"(?<!\w)(?:l[ea]|ce|cette|du|au|l'|d'un|un)\s*(?:mois|semaine|journ[ée]e|ann[ée]e|an|heure)(?!\w)",
    re.I,
)
"""What may stand for one of them: "pendant le mois passé ici"."""


def _hardly(quantity: Quantity) -> bool:
    """Return whether the text hardly tells a quantity: "un jour", "chaque matin"."""
    return quantity.implied and quantity.bare == 1 and quantity.unit in _TIMES


def _counts(quantity: Quantity) -> bool:
    """Return whether a text counts what it lists: "deux molécules"."""
    return quantity.implied and 1 < quantity.bare < 10 and not quantity.unit


def _named(quantity: Quantity, text: str, other: str) -> bool:
    """Return whether a bare number is part of a name that the other text has as a code."""
    return not quantity.unit and name_in_code(quantity.surface, text, other)


_MOST_SUMMED = 3


def _summed(quantity: Quantity, other: list[Quantity], own: KnownQuantities) -> bool:
    """Return whether a text counts what the other tells one by one: "opéré deux fois".

    Only where the other has as many years, counts nothing so, and no dose stands beside.
    """
    if quantity.unit != "fois" or not 1 < quantity.bare <= _MOST_SUMMED or quantity.bare % 1:
        return False
    if any(q.unit.startswith("fois") and not q.implied for q in other):
        return False
    doses = [q for q in own.all if q.unit.split("/")[0] in DOSES]
    if any(abs(dose.start - quantity.start) < _BESIDE for dose in doses):
        return False
    years = {q.bare for q in other if not q.unit and 1900 <= q.bare < 2100 and q.bare % 1 == 0}
    return len(years) >= quantity.bare


def _multiplied(quantity: Quantity, other: list[Quantity]) -> bool:
    """Return whether a dose is what the other text counts out: "4cp de 75mg" is 300 mg."""
    return any(_makes(count, dose, quantity) for count, dose in _counted_out(other))


def _told_at_once(quantity: Quantity, own: list[Quantity], other: list[Quantity]) -> bool:
    """Return whether a text counts out with a quantity what the other tells as one dose."""
    return any(
        quantity in (count, dose) and any(_makes(count, dose, whole) for whole in other)
        for count, dose in _counted_out(own)
    )


def _counted_out(quantities: list[Quantity]) -> Iterator[tuple[Quantity, Quantity]]:
    """Yield numbers of tablets and the dose of each: "4cp de 75mg"."""
    for count, dose in pairwise(quantities):
        near = 0 < dose.start - count.start <= _COUNTED_OUT
        if near and count.unit in _PIECES and dose.unit in DOSES:
            yield count, dose


def _makes(count: Quantity, dose: Quantity, whole: Quantity) -> bool:
    product = count.bare * dose.value
    return whole.unit == dose.unit and abs(product - whole.value) <= 1e-6 * product


_PIECES = ("cp", "gel", "sachet", "amp")
_COUNTED_OUT = 18
_BESIDE = 60


def _mere_one(quantity: Quantity, lost: list[Quantity]) -> bool:
    """Return whether a "1" is an article, or "dose unique": nothing of its kind is lost for it."""
    if quantity.bare != 1 or quantity.unit not in ("", "fois", "cp", "gel", "sachet", "amp"):
        return False
    return not any(other.unit == quantity.unit for other in lost)


def _matters(quantity: Quantity) -> bool:
    """Bare small numbers may be said otherwise: "les 2 ovaires"."""
    return bool(quantity.unit) or quantity.bare >= 10 or quantity.bare % 1 != 0


def _turned(old: KnownQuantities, new: KnownQuantities) -> Iterator[str]:
    """Yield limits that are the other way round: "< 30" where the source has "> 30"."""
    for quantity in old.all:
        if not quantity.sign:
            continue
        now = {q.sign for q in new.near(quantity) if q.equals(quantity) or q.may_equal(quantity)}
        if -quantity.sign not in now or quantity.sign in now:
            continue
        if -quantity.sign not in {q.sign for q in old.equal(quantity)}:
            yield f"limit turned round: {quantity.surface}"


def _swapped(old: KnownQuantities, new: KnownQuantities) -> Iterator[str]:
    """Two values that changed places: each stands where the other one stood."""
    pairs = []
    for quantity in old.all:
        same, again = (list(islice(known.equal(quantity), 2)) for known in (new, old))
        if not same:  # "OD 14, OG 28 mmHg": the unit of a list stands at its end
            same = list(islice((q for q in new.near(quantity) if quantity.may_equal(q)), 2))
        if len(same) == len(again) == 1:
            pairs.append((quantity, same[0]))
    stood = defaultdict(list)  # where each word stands beside a value now
    for number, (_, now) in enumerate(pairs):
        for word in now.around:
            stood[word].append(number)
    for number, (first, first_now) in enumerate(pairs):
        beside = {other for word in first.around for other in stood[word] if other > number}
        for second, second_now in (pairs[other] for other in sorted(beside)):
            alike = _dimension(first) == _dimension(second) and bool(first.unit) == bool(
                first_now.unit or second_now.unit
            )
            if alike and _crossed(first, second, first_now, second_now):
                yield f"values exchanged: {first.surface} and {second.surface}"


def _other_sides(old: KnownQuantities, new: KnownQuantities) -> Iterator[str]:
    """Yield two values of which each is told of the side that the other one had."""
    moved: dict[tuple[str, int], Quantity] = {}
    for quantity in old.all:
        if not quantity.side or not quantity.unit:
            continue
        same, now = list(islice(old.equal(quantity), 2)), list(islice(new.equal(quantity), 2))
        if len(same) == len(now) == 1 and now[0].side == 3 - quantity.side:
            moved[_dimension(quantity), quantity.side] = quantity
            if first := moved.get((_dimension(quantity), now[0].side)):
                yield f"values exchanged: {first.surface} and {quantity.surface}"


def _dimension(quantity: Quantity) -> str:
    return quantity.unit.split("/")[0]


def _crossed(first: Quantity, second: Quantity, first_now: Quantity, second_now: Quantity) -> bool:
    own, other = first.around - second.around, second.around - first.around
    own_now = first_now.around - second_now.around
    other_now = second_now.around - first_now.around
    kept = len(own & own_now) + len(other & other_now)
    crossed = len(own & other_now), len(other & own_now)
    return min(crossed) > 0 and sum(crossed) > kept


# ---------------------------------------------------------------------------------- left out


_DIGITS = re.compile(r"\d+")


_WHAT_IS_DONE = re.compile(
    r"\w*(?:trait|operat|opere|chirurg|therap|antibio|scop|graph|ectomi|plasti|exerese|resect|suivi|"
    r"surveil|hospital|admis|transfer|deced|deces|evolu|diagnos|lesion|lave|lavage|biops)\w*"
)


def _told_in(words: list[str]) -> bool:
    """Return whether a sentence tells what is done or found; "bon état général" tells little."""
    return any(map(_WHAT_IS_DONE.match, words))


_OWN_WORDS = 5
"""Of a sentence, that stand in no other of its source: hardly one kept, and it is left out."""


def _is_kept(word: str, known: set[str], roots: set[str], written: Iterable[str]) -> bool:
    return stem(word) in known or word[:5] in roots or told_otherwise(word, written)


_CLAUSE = re.compile(r"[,;:()]|(?<!\w)(?:mais|puis)(?!\w)", re.IGNORECASE)
_CLAUSE_WORDS = 3


def _clause_gone(
    sentence: str, stems: Counter[str], known: set[str], roots: set[str], written: Iterable[str]
) -> str | None:
    """Return a clause that names a disease, and of whose words none is kept."""
    for clause in _CLAUSE.split(sentence):
        words = [w for w in words_of(clause) if len(w) >= CONTENT and w not in LIGHT]
        own = [word for word in words if stems[stem(word)] == 1]
        if len(own) < _CLAUSE_WORDS or any(_is_kept(w, known, roots, written) for w in words):
            continue
        if sum(kind_of(raw, wide=True) == "disease" for raw in WORD.findall(clause)) > 1:
            return clause.strip()
    return None


_LAY, _ALL_LAY, _TELLING = 0.56, 0.45, 20
"""Of a source's other words, where it has as many, the share that its rewrite has: with fewer it is
told in a patient's words. A sentence is then found gone only where not one word of it is kept, or
not by its words at all.
"""


def _dropped(source: str, rewrite: str) -> Iterator[str]:
    told = set(_DIGITS.findall(f"{rewrite} {as_digits(rewrite)}"))
    written = dict.fromkeys(words_of(rewrite))
    known = allowed(written)
    roots = {word[:5] for word in written if len(word) >= CONTENT}
    stems = Counter(map(stem, words_of(source)))
    telling = [w for w in words_of(source) if len(w) >= CONTENT and w not in LIGHT]
    all_kept = sum(_is_kept(w, known, roots, written) for w in telling)
    for start, end in split_sentences(source):
        words = [w for w in words_of(source[start:end]) if len(w) >= CONTENT and w not in LIGHT]
        kept = sum(_is_kept(word, known, roots, written) for word in words)
        others = len(telling) - len(words)
        told_share = (all_kept - kept) / others if others >= _TELLING else 1.0
        if told_share < _ALL_LAY:
            continue
        numbers = set(_DIGITS.findall(source[start:end]))
        if numbers and numbers <= told and kept + len(numbers) > 1:
            continue  # "VG non dilaté, FEVG 62 %" in other words
        own = [word for word, n in Counter(words).items() if stems[stem(word)] == n]
        told_of = sum(_is_kept(word, known, roots, written) for word in own)
        lay = told_share < _LAY
        gone = len(own) >= _OWN_WORDS and told_of <= (0 if lay else len(own) // 8)
        if gone and (numbered := set(_DIGITS.findall(as_digits(source[start:end])))):
            gone = not numbered <= told  # "vingt minutes", now "20 min"
        if not gone and (len(words) < 5 or kept >= (1 if lay else 0.2 * len(words))):
            if clause := _clause_gone(source[start:end], stems, known, roots, written):
                yield f"clause left out: {clause[:60]}"
            continue
        if gone or numbers or any(map(kind_of, WORD.findall(source[start:end]))) or _told_in(words):
            yield f"sentence left out: {source[start:end][:60]}"
