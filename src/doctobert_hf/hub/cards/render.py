"""Cards: rendered from templates of ``hub_cards/`` and records; human edits stay.

A figure without a record is a visible gap ("not recorded") and is named in :attr:`Card.gaps`. Text
between ``<!-- keep:NAME -->`` and ``<!-- /keep -->`` belongs to people: it is taken over from the
card that was there before, and so is front matter that the renderer does not write. The marker of a
region that the template fills bears a hash of what the template wrote, which tells edited text from
an older template's.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.cards.kinds import find_kind
from doctobert_hf.hub.cards.templates import template_environment

if TYPE_CHECKING:
    from huggingface_hub import CardData

KEEP = re.compile(r"<!-- keep:([\w-]+)(?: ([0-9a-f]{8}))? -->(.*?)<!-- /keep -->", re.DOTALL)
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.DOTALL)


@dataclass(frozen=True)
class Card:
    """A rendered card.

    Attributes:
        text: The README, front matter first.
        gaps: Names of records that were not there, in order, each once.
        kept: Names of the regions taken over from an earlier card.
        moved: Regions whose section is gone; they stand at the end.
        dropped: Keys of an earlier card that are left out, as they hold text.
    """

    text: str
    gaps: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def render_card(
    kind: str, metadata: CardData, context: dict[str, Any], previous: list[str] | None = None
) -> Card:
    """Render a card.

    Args:
        kind: Name of a kind, and of its template.
        metadata: Front matter.
        context: What the template shows.
        previous: Earlier texts of the card whose human edits stay: the local one, that of the Hub.

    Raises:
        UsageError: Unknown kind, or a region was edited both here and on the Hub.
        DataError: The front matter of an earlier card is no YAML.
    """
    find_kind(kind)
    gaps: list[str] = []
    environment = template_environment(gaps)
    body = environment.get_template(f"{kind}.md").render(kind=kind, **context)
    # Markdown wants a blank line before a heading and before a table.
    body = re.sub(r"([^\n])\n(##+ )", r"\1\n\n\2", body)
    body = re.sub(r"^([^|\n].*)\n(?=\|)", r"\1\n\n", body, flags=re.MULTILINE)
    body = re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"
    body = KEEP.sub(lambda match: _region(match[1], match[3], _hash(match[3])), body)
    front = metadata.to_dict()
    edits: dict[str, str] = {}
    dropped: list[str] = []
    for text in previous or []:
        earlier = front_matter(text)
        dropped += [key for key in TEXTS if key in earlier and key not in front]
        front = _merge_front(front, earlier)
        edits = _merge_edits(edits, _edits(text, body))
    body, moved = _take_over(body, edits, "\n".join(previous or []))
    body = _without_empty(body)
    text = f"---\n{dump_front(front)}---\n\n{body}"
    return Card(text, list(dict.fromkeys(gaps)), sorted(edits), moved, sorted(set(dropped)))


def front_matter(text: str) -> dict[str, Any]:
    """Read the metadata of a card; empty without front matter.

    Raises:
        DataError: It is no YAML mapping.
    """
    import yaml

    found = _FRONT.match(text)
    if found is None:
        return {}
    try:
        content = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        raise DataError("The front matter of the card is no YAML", "'key: value' lines") from error
    if not isinstance(content, dict):
        raise DataError(f"The front matter of the card is a {type(content).__name__}", "a mapping")
    return content


def body_of(text: str) -> str:
    """The card without its front matter."""
    return _FRONT.sub("", text, count=1)


def snippets(text: str) -> list[str]:
    """The Python blocks of a card, in order."""
    return re.findall(r"^```python\n(.*?)^```", body_of(text), re.DOTALL | re.MULTILINE)


def dump_front(front: dict[str, Any]) -> str:
    """Write metadata as YAML."""
    import yaml

    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)


TEXTS = ("widget",)
"""Keys in which other libraries put rows of the training text; never taken over, and told."""
OWNED = ("model-index", "dataset_info", "configs", "license", "co2_eq_emissions", "size_categories")


def _merge_front(ours: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """Keep keys that people added, and their tags; what is ours is written anew.

    No key that holds rows of a training set: Sentence Transformers writes such into its README.
    """
    merged = dict(ours)
    for key, value in earlier.items():
        if key not in merged and key not in OWNED and key not in TEXTS:
            merged[key] = value
    if isinstance(earlier.get("tags"), list):
        merged["tags"] = [*ours.get("tags", []), *earlier["tags"]]
        merged["tags"] = list(dict.fromkeys(merged["tags"]))
    return merged


def _edits(text: str, body: str) -> dict[str, str]:
    """Regions of an earlier card that people changed, or made."""
    fresh = {name: content.strip() for name, _, content in KEEP.findall(body)}
    return {
        name: content
        for name, known, content in KEEP.findall(body_of(text))
        if _hash(content) != known and content.strip() != fresh.get(name)
    }


def _merge_edits(known: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    for name in known.keys() & more.keys():
        if known[name].strip() != more[name].strip():
            raise UsageError(
                f"The text between the markers keep:{name} was edited both here and on the Hub",
                "one text",
                "Copy the Hub's text into the local README.md, or delete the local region",
            )
    return known | more


def _take_over(body: str, edits: dict[str, str], earlier: str) -> tuple[str, list[str]]:
    """Put edits into their regions; regions that people made go where they were."""

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        return _region(name, edits[name], match[2]) if name in edits else match[0]

    body = KEEP.sub(replaced, body)
    there = {name for name, _, _ in KEEP.findall(body)}
    moved = []
    for name in (name for name in edits if name not in there):
        heading = _heading_before(earlier, name)
        region = _region(name, edits[name])
        start = re.search(rf"^{re.escape(heading)}$", body, re.MULTILINE) if heading else None
        if start is None:
            moved.append(name)
            body = f"{body}\n{region}\n"
        else:
            following = re.compile(r"^#{1,6} ", re.MULTILINE).search(body, start.end())
            place = following.start() if following else len(body)
            body = f"{body[:place].rstrip()}\n\n{region}\n\n{body[place:]}"
    return body, moved


def _without_empty(body: str) -> str:
    """Leave out regions that have no text of ours and that nobody wrote into."""

    def kept(match: re.Match[str]) -> str:
        return match[0] if match[3].strip() or match[2] != _hash("") else ""

    return re.sub(r"\n{3,}", "\n\n", KEEP.sub(kept, body)).strip() + "\n"


def _region(name: str, content: str, written: str | None = None) -> str:
    return f"<!-- keep:{name}{' ' + written if written else ''} -->{content}<!-- /keep -->"


def _hash(content: str) -> str:
    return hashlib.sha256(content.strip().encode()).hexdigest()[:8]


def _heading_before(text: str, name: str) -> str | None:
    before = re.split(rf"<!-- keep:{re.escape(name)}[ >]", text)[0]
    headings = re.findall(r"^#{1,6} .+$", before, re.MULTILINE)
    return headings[-1] if headings else None
