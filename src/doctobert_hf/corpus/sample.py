"""A sample corpus of French text, generated from a template grammar.

No document describes a real patient, product or event: every text is assembled at random from
``sample_grammar.yaml``, to exercise the pipeline end to end and not to teach a model medicine.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

_SLOT = re.compile(
    r"\{(?:n:(?P<low>[\d.]+)-(?P<high>[\d.]+)"
    r"|(?P<cap>\^)?(?P<keep>=)?(?:(?P<form>de|à|nu) )?(?P<name>\w+)"
    r"(?:\*(?P<min>\d+)(?:-(?P<max>\d+))?)?(?:\|(?P<sep>[^}]+))?)\}"
)
_SEPARATORS = {"·": "\n· ", "-": "\n- ", "¶": "\n\n", ",": ", "}
ARTICLE = re.compile(r"^(?:les? |la |l'|une? |des |du |de la |de l')")
"""The article, or the preposition contracted with it, that a noun of the grammar begins with."""
_PARTITIVE = re.compile(r"^(?:des |du |de la |de l')")
# Words in h- are elided unless they start like the aspirated ones of the grammar.
_ELIDED = re.compile(r"(?i)[aeiouàâéèêëîïôûœ]|h(?!ern|aut|anch|êtr|éron|ibou|aric|aie)")
_CONTRACTIONS = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
_Lists = dict[str, list[str]]  # alternatives by list name, or by record field


@dataclass(frozen=True)
class SampleDocument:
    """One generated document.

    Attributes:
        id: Identifier, unique within a sample, that starts with the kind of document.
        text: Plain text with headings, blank lines and lists.
        domain: ``"medical"`` or ``"general"``.
    """

    id: str
    text: str
    domain: str


@dataclass(frozen=True)
class Grammar:
    """The template grammar, read.

    Attributes:
        lists: Alternatives by list name.
        records: Records by name of their set; each hides the lists of its fields' names.
        kinds: By domain, kinds of document: template name, then record sets.
    """

    lists: _Lists
    records: dict[str, list[_Lists]]
    kinds: dict[str, list[list[str]]]


def sample_documents(num_documents: int = 1200, seed: int = 17) -> list[SampleDocument]:
    """Generates the sample corpus: two medical documents, then a general one, and so on.

    Args:
        num_documents: How many documents to generate.
        seed: Equal seeds give equal documents, and a smaller sample is a prefix of a larger one.

    Returns:
        The documents in generation order.
    """
    return [make_document(index, seed) for index in range(num_documents)]


def make_document(index: int, seed: int) -> SampleDocument:
    """Generates the document of that number in the sample of a seed."""
    # One generator per document keeps each text independent of how many come before it.
    rng = random.Random(f"{seed}:{index}")
    grammar = read_grammar()
    domain = "general" if index % 3 == 2 else "medical"
    kind, *record_sets = rng.choice(grammar.kinds[domain])
    lists = dict(grammar.lists)
    for record_set in record_sets:
        lists |= rng.choice(grammar.records[record_set])
    text = _polish(_Expander(lists, rng).take(kind)[0])
    return SampleDocument(id=f"{kind}-{index:05d}", text=text, domain=domain)


class _Expander:
    """Expands templates for one document, without repeating an alternative before it must."""

    def __init__(self, lists: Mapping[str, list[str]], rng: random.Random) -> None:
        self._lists, self._rng = lists, rng
        self._bags: dict[str, list[str]] = {}
        self._kept: dict[str, str] = {}
        self._active: list[str] = []

    def take(self, name: str, count: int = 1) -> list[str]:
        """Draws and expands up to ``count`` different alternatives of the list ``name``."""
        if name in self._active:
            raise ValueError(f"cycle in the sample grammar: {' > '.join([*self._active, name])}")
        options = self._lists[name]
        count = min(count, len(options))
        if len(self._bags.get(name, ())) < count:
            self._bags[name] = self._rng.sample(options, len(options))
        drawn = [self._bags[name].pop() for _ in range(count)]
        self._active.append(name)
        texts = [_SLOT.sub(self._slot, template) for template in drawn]
        self._active.pop()
        return texts

    def _slot(self, slot: re.Match[str]) -> str:
        if slot["low"]:
            return self._number(slot["low"], slot["high"])
        name, low = slot["name"], int(slot["min"] or 1)
        if slot["keep"] and name in self._kept:
            texts = [self._kept[name]]
        else:
            texts = self.take(name, self._rng.randint(low, int(slot["max"] or low)))
        if slot["keep"]:
            self._kept[name] = texts[0]
        joined = _join([_inflect(text, slot["form"]) for text in texts], slot["sep"])
        return joined[:1].upper() + joined[1:] if slot["cap"] else joined

    def _number(self, low: str, high: str) -> str:
        decimals = len(low.partition(".")[2])
        bounds = (round(float(bound) * 10**decimals) for bound in (low, high))
        value = self._rng.randint(*bounds) / 10**decimals
        return f"{value:.{decimals}f}".replace(".", ",")


def _join(texts: list[str], separator: str | None) -> str:
    if separator == "et":
        return " et ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
    return _SEPARATORS.get(separator or "", " ").join(texts)


def _inflect(noun: str, form: str | None) -> str:
    """Contracts ``de`` or ``à`` with the article of ``noun``, or drops the article (``nu``)."""
    article, _, rest = noun.partition(" ")
    if form == "nu":
        return ARTICLE.sub("", noun)
    if form and (form, article) in _CONTRACTIONS:
        return f"{_CONTRACTIONS[form, article]} {rest}"
    if form == "de":
        noun = _PARTITIVE.sub("", noun)
        return f"d'{noun}" if _ELIDED.match(noun) else f"de {noun}"
    return f"à {noun}" if form else noun


def _polish(text: str) -> str:
    """Removes what empty alternatives leave behind and sets French non-breaking spaces."""
    text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text))
    text = re.sub(r"\n{3,}", "\n\n", text).replace("..", ".").strip()
    return re.sub(r" (?=[:;?!»%])|(?<=«) ", "\u00a0", text)


@cache
def read_grammar() -> Grammar:
    """Reads ``sample_grammar.yaml``, once."""
    source = files(__package__).joinpath("sample_grammar.yaml").read_text(encoding="utf-8")
    # The base loader keeps every scalar a string: "on" or "1.50" must not become a typed value.
    data = yaml.load(source, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    records = {name: [_lists(one) for one in many] for name, many in data["records"].items()}
    return Grammar(_lists(data["lists"]), records, data["kinds"])


def _lists(raw: Mapping[str, str | list[str]]) -> _Lists:
    """Splits each text on lines and on `` | ``; a YAML list keeps its items whole."""
    split = {k: v if isinstance(v, list) else re.split(r"\n| \| ", v) for k, v in raw.items()}
    return {k: [one.strip().replace("∅", "") for one in v if one] for k, v in split.items()}
