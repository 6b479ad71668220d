"""The prompts, in versioned files, and the choices of style that depend on a document's id only."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from doctobert_hf.errors import UsageError

REGISTERS = {
    "formal": "phrases complètes, style soutenu et neutre",
    "telegraphic": "style télégraphique des notes de service : phrases courtes, verbes omis",
}
ABBREVIATIONS = {
    "expanded": "aucune : tous les sigles et abréviations sont développés",
    "moderate": "celles qui sont d'usage courant dans ce genre",
    "heavy": "nombreuses, comme les soignants en écrivent entre eux",
}
PLAN_SCHEMA = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string"},
        "has_medical_content": {"type": "boolean"},
        "proposals": {
            "type": "array",
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {"genre": {"type": "string"}, "audience": {"type": "string"}},
                "required": ["genre", "audience"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["reasoning", "has_medical_content", "proposals"],
    "additionalProperties": False,
}

VERDICT_SCHEMA = {
    "type": "object",
    "properties": {"faithful": {"type": "boolean"}, "problem": {"type": "string"}},
    "required": ["faithful", "problem"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Prompts:
    """A version of the prompts.

    Attributes:
        plan: First request; ``${text}``.
        rewrite: Second request; ``${text}``, ``${genre}``, ``${audience}``, ``${register}``,
            ``${abbreviation}``.
        fingerprint: Version and hash of those that are used, for the record.
        judge: Third request, where one is wanted; ``${text}``, ``${rewrite}``.
    """

    plan: str
    rewrite: str
    fingerprint: str
    judge: str = ""

    @classmethod
    def read(cls, version: str, judge: bool = False) -> Prompts:
        """Read a version of the package's, or a folder with ``plan.md`` and ``rewrite.md``.

        Args:
            version: Name or folder.
            judge: Whether ``judge.md`` is needed too.

        Raises:
            UsageError: No such version or folder, or a prompt without the text's place.
        """
        if Path(version).is_dir():
            place = Path(version)
        else:
            place = Path(str(resources.files("doctobert_hf.finemed.rephrase") / "prompts"))
            place /= version
        names = ("plan", "rewrite", *(("judge",) if judge else ()))
        files = " and ".join(f"{name}.md" for name in names)
        try:
            texts = {n: (place / f"{n}.md").read_text(encoding="utf-8") for n in names}
        except OSError as error:
            raise UsageError(f"No prompts '{version}'", f"v1, or a folder with {files}") from error
        for name, text in texts.items():
            for slot in ("text", "rewrite") if name == "judge" else ("text",):
                if f"${{{slot}}}" not in text:
                    raise UsageError(
                        f"'{name}.md' of '{version}' has no ${{{slot}}}", "it where the text goes"
                    )
        digest = hashlib.sha256("\0".join(texts.values()).encode()).hexdigest()[:12]
        return cls(
            texts["plan"],
            texts["rewrite"],
            f"{Path(version).name}-{digest}",
            texts.get("judge", ""),
        )

    def for_plan(self, text: str) -> str:
        """The first request's prompt."""
        return Template(self.plan).safe_substitute(text=text)

    def for_judge(self, text: str, rewrite: str) -> str:
        """The third request's prompt."""
        return Template(self.judge).safe_substitute(text=text, rewrite=rewrite)

    def for_rewrite(self, text: str, style: Style) -> str:
        """The second request's prompt."""
        return Template(self.rewrite).safe_substitute(
            text=text,
            genre=style.genre,
            audience=style.audience,
            register=REGISTERS[style.register],
            abbreviation=ABBREVIATIONS[style.abbreviation],
        )


@dataclass(frozen=True)
class Style:
    """How a chunk is rewritten."""

    genre: str
    audience: str
    register: str
    abbreviation: str


def choose(proposals: list[dict[str, str]], chunk_id: str, seed: int) -> Style:
    """Draw a style: one of the proposals, register and abbreviations evenly.

    The draw depends on seed and chunk alone, so another order, a restart or other parts change
    nothing (the published code's draws shifted after a restart).
    """
    draw = random.Random(seed_of(chunk_id, seed))
    proposal = draw.choice(proposals)
    return Style(
        proposal["genre"],
        proposal["audience"],
        draw.choice(list(REGISTERS)),
        draw.choice(list(ABBREVIATIONS)),
    )


def seed_of(chunk_id: str, seed: int, step: str = "") -> int:
    """A seed of 31 bits from a chunk, a run's seed and a step."""
    digest = hashlib.blake2b(f"{seed}\0{step}\0{chunk_id}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def proposals_of(answer: object) -> tuple[bool, list[dict[str, str]]]:
    """Read a plan that was parsed from JSON.

    Returns:
        Whether the document is medical, and at most three distinct usable proposals.

    Raises:
        ValueError: It is not of the schema.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("has_medical_content"), bool):
        raise ValueError("no has_medical_content")
    raw = answer.get("proposals")
    if not isinstance(raw, list):
        raise ValueError("no list of proposals")
    found: list[dict[str, str]] = []
    for item in raw:
        if not isinstance(item, dict):
            raise ValueError("a proposal is no object")
        genre, audience = (_label(item.get(key)) for key in ("genre", "audience"))
        pair = {"genre": genre, "audience": audience}
        if genre and audience and pair not in found:
            found.append(pair)
    return answer["has_medical_content"], found[:3]


def verdict_of(answer: object) -> str:
    """Read a judge's verdict that was parsed from JSON.

    Returns:
        What is wrong; empty where the rewrite is faithful.

    Raises:
        ValueError: It is not of the schema.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("faithful"), bool):
        raise ValueError("no verdict")
    if answer["faithful"]:
        return ""
    return " ".join(str(answer.get("problem") or "").split())[:160] or "not faithful"


def _label(value: object) -> str:
    """A label in snake case, at most 60 characters; empty where it is none."""
    if not isinstance(value, str):
        return ""
    return "_".join(value.lower().replace("-", " ").replace("_", " ").split())[:60]
