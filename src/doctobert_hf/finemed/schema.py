"""Declared columns: what the stages add, and what they ask of their input.

Source: the published FineMed-fr and its rephrased sibling. Beside their columns, chunks and
rewrites keep where they are from (``chunk_id, parent_id, char_start, char_end``) and who made them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from doctobert_hf.errors import DataError, nearest
from doctobert_hf.finemed.taxonomy import ENTITY_TYPES

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Features


def annotation_fields(domain: bool, subdomain: bool, quality: bool, terms: bool) -> list[pa.Field]:
    """Columns of the chosen annotators, with ``num_words`` and ``annotators``."""
    import pyarrow as pa

    names = ("domain", "subdomain", "quality", "terms")
    made = [pa.field("num_words", pa.int64())]
    made.append(pa.field("annotators", pa.struct([(name, pa.string()) for name in names])))
    for prefix, wanted in (
        ("domain_classification", domain),
        ("health_domain_classification", subdomain),
    ):
        if wanted:
            made += [
                pa.field(f"{prefix}_scores", pa.list_(pa.float32())),
                pa.field(f"{prefix}_best_class", pa.string()),
                pa.field(f"{prefix}_best_score", pa.float64()),
            ]
    if quality:
        made += [
            pa.field("edu_quality_score", pa.float64()),
            pa.field("edu_quality_normalized_score", pa.int64()),
        ]
    if terms:
        made += term_fields()
    return made


def term_fields(prefix: str = "") -> list[pa.Field]:
    """``medical_entities`` and their density."""
    import pyarrow as pa

    entities = pa.struct([(kind, pa.list_(pa.string())) for kind in ENTITY_TYPES])
    return [
        pa.field(f"{prefix}medical_entities", entities),
        pa.field(f"{prefix}medical_entity_density", pa.float32()),
    ]


def chunk_fields() -> list[pa.Field]:
    """Where a chunk is from: its own id, its document's, and characters within it."""
    import pyarrow as pa

    return [
        pa.field("chunk_id", pa.string()),
        pa.field("parent_id", pa.string()),
        pa.field("chunk_index", pa.int64()),
        pa.field("char_start", pa.int64()),
        pa.field("char_end", pa.int64()),
    ]


def rewriting_fields() -> list[pa.Field]:
    """How a rewrite was made, and what it was made from."""
    import pyarrow as pa

    text = ("model", "model_revision", "genre", "audience", "abbreviation", "register", "prompts")
    config = pa.struct([(name, pa.string()) for name in text] + [("seed", pa.int64())])
    return [
        pa.field("original_text", pa.string()),
        pa.field("original_num_words", pa.int64()),
        pa.field("rewriting_config", config),
        *chunk_fields(),
        *term_fields("original_"),
        pa.field("original_edu_quality_score", pa.float64()),
        pa.field("original_edu_quality_normalized_score", pa.int64()),
    ]


UPSTREAM = {
    **dict.fromkeys(("text", "id", "dump", "url", "date", "file_path", "language"), "string"),
    **{"language_score": "double", "language_script": "string"},
    **{"minhash_cluster_size": "int64", "top_langs": "string"},
}
"""FineWeb-2's columns; FinePDFs and FineWiki have others of their own, which pass through."""


def features(kind: Literal["finemed", "rephrased"]) -> Features:
    """The columns of FineMed-fr or of its rephrased sibling, for ``datasets``.

    Args:
        kind: ``finemed``: upstream columns and the three axes; ``rephrased``: these and how each
            text was rewritten, and from what.
    """
    import pyarrow as pa
    from datasets import Features

    schema = pa.schema([(name, pa.type_for_alias(kind_of)) for name, kind_of in UPSTREAM.items()])
    schema = with_fields(schema, annotation_fields(True, True, True, True))
    if kind == "rephrased":
        schema = with_fields(schema, rewriting_fields())
    return Features.from_arrow_schema(schema)


def with_fields(schema: pa.Schema, added: Iterable[pa.Field]) -> pa.Schema:
    """A schema with fields added, those of the same name replaced where they stand."""
    for item in added:
        place = schema.get_field_index(item.name)
        schema = schema.append(item) if place < 0 else schema.set(place, item)
    return schema


def require(schema: pa.Schema, columns: Iterable[str], kind: str = "any") -> None:
    """Check that columns are there and of a kind: ``number``, ``string`` or ``any``.

    Raises:
        DataError: One is missing, with the nearest name, or of another type.
    """
    import pyarrow as pa

    from doctobert_hf.finemed.filters import ALIASES

    for name in columns:
        if name not in schema.names:
            short = [key for key, column in ALIASES.items() if column in schema.names]
            close = nearest(name, [*schema.names, *short]) if schema.names else ""
            raise DataError(
                f"The input has no column '{name}'",
                fix=f"{close} The axes' columns come from 'doctobert-hf finemed annotate'",
            )
        found = schema.field(name).type
        number = pa.types.is_integer(found) or pa.types.is_floating(found)
        string = pa.types.is_string(found) or pa.types.is_large_string(found)
        if (kind == "number" and not number) or (kind == "string" and not string):
            raise DataError(f"The column '{name}' is of type {found}", f"a {kind}")
