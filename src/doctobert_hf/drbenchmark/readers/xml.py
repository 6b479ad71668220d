"""XML without its dangers: entity declarations, hence external and exploding ones, are refused.

Names are kept as written, prefix included (``custom:CLINENTITY``), as the original scripts used
them. UIMA XMI is a flat list of annotations with offsets into one ``sofaString``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from doctobert_hf.errors import DataError


@dataclass
class Element:
    """An element: its text is all character data directly inside it, in order."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        """Children of a name, in order."""
        return [child for child in self.children if child.name == name]


def parse_xml(text: str, where: str) -> Element:
    """Parse a document into a tree.

    Raises:
        DataError: Not well-formed (with line and column), or it declares entities.
    """
    top = Element("", {})
    stack = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        stack[-1].children.append(Element(name, attributes))
        stack.append(stack[-1].children[-1])

    def characters(data: str) -> None:
        stack[-1].text += data

    _run(text, where, start, lambda _: stack.pop(), characters)
    return top.children[0]


def _run(text: str, where: str, start: Any, end: Any, characters: Any) -> None:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters

    def refuse(name: str, *_: Any) -> None:
        raise DataError(
            f"{where}:{parser.CurrentLineNumber}: declares the entity '{name}'",
            "XML without entity declarations",
            "They can read other files or grow without bound; remove the DOCTYPE",
        )

    def doctype(name: str, system: str | None, public: str | None, subset: int) -> None:
        # An outer or inner subset can declare entities and default attributes; expat would leave
        # out what it does not know, and every offset behind it would shift.
        if system or public or subset:
            raise DataError(
                f"{where}:{parser.CurrentLineNumber}: a DOCTYPE with declarations",
                "XML without entity declarations or an external DTD",
                "They can read other files or grow without bound; remove the DOCTYPE",
            )

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text.removeprefix("\ufeff").encode(), True)
    except expat.ExpatError as error:
        raise DataError(
            f"{where}:{error.lineno}: not well-formed XML, column {error.offset + 1} "
            f"({expat.errors.messages[error.code]})",
            "XML; '&' is written '&amp;'",
        ) from None


@dataclass
class Xmi:
    """A UIMA document.

    Attributes:
        text: Its ``sofaString``; offsets count its characters.
        spans: Offsets ``(begin, end)`` of every annotation, by type as written, in file order.
    """

    text: str
    spans: dict[str, list[tuple[int, int]]]


def parse_xmi(text: str, where: str) -> Xmi:
    """Read a UIMA CAS in XMI.

    Raises:
        DataError: Not well-formed, entities declared, no text, or an offset that is no number.
    """
    sofa: list[str] = []
    spans: dict[str, list[tuple[int, int]]] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "cas:Sofa" and not sofa:
            sofa.append(attributes.get("sofaString", ""))
        elif "begin" in attributes and "end" in attributes:
            try:
                span = (int(attributes["begin"]), int(attributes["end"]))
            except ValueError:
                raise DataError(
                    f"{where}: {name} from '{attributes['begin']}' to '{attributes['end']}'",
                    "numbers",
                ) from None
            spans.setdefault(name, []).append(span)

    _run(text, where, start, lambda _: None, lambda _: None)
    if not sofa:
        raise DataError(f"{where}: no cas:Sofa", "a UIMA document with its sofaString")
    return Xmi(sofa[0], spans)


def plain_text(element: Element, where: str) -> str:
    """Return an element's text.

    Raises:
        DataError: It has elements inside, whose text would be lost.
    """
    if element.children:
        raise DataError(
            f"{where}: <{element.children[0].name}> inside <{element.name}>", "text only"
        )
    return element.text


def required(element: Element, name: str, where: str) -> str:
    """Return an attribute.

    Raises:
        DataError: It is missing.
    """
    if name not in element.attributes:
        have = ", ".join(element.attributes) or "none"
        raise DataError(f"{where}: <{element.name}> without '{name}' (has: {have})")
    return element.attributes[name]


def documents(root: Element, name: str, where: str) -> Iterator[Element]:
    """Children of a name, at least one.

    Raises:
        DataError: The root has none.
    """
    found = root.all(name)
    if not found:
        inside = ", ".join(sorted({child.name for child in root.children})) or "nothing"
        raise DataError(f"{where}: no <{name}> in <{root.name}> (found {inside})")
    yield from found
