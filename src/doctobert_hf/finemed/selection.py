"""The filter stage: documents by an expression over their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

from doctobert_hf.finemed.filters import Comparison, Filter, Group, parse
from doctobert_hf.finemed.schema import require

if TYPE_CHECKING:
    import pyarrow as pa

    from doctobert_hf.finemed.config import FilterConfig
    from doctobert_hf.finemed.stage import Stage
    from doctobert_hf.finemed.writing import Exclusions


class Select(PipelineStep):
    """datatrove step that keeps what an expression keeps.

    Args:
        where: Parsed expression.
        exclusions: Where the others go, with the comparisons they failed.
        step: What its exclusion file is called.
    """

    name = "filter"
    type = "FineMed"

    def __init__(self, where: Filter, exclusions: Exclusions, step: str = "filter") -> None:
        super().__init__()
        self.where, self.exclusions, self.step = where, exclusions, step

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Yield the documents kept."""
        with self.exclusions.writer(self.step, rank) as excluded:
            for document in data:
                words = len(document.text.split())
                self.stat_update("words_in", value=words)
                if self.where(document.metadata):
                    self.stat_update("words_out", value=words)
                    yield document
                else:
                    reason = failed(self.where.condition, document.metadata)
                    excluded.write(document.id, reason, document.text)


def failed(condition: Comparison | Group, row: dict[str, Any]) -> str:
    """The first comparison that drops a row, as text; of alternatives all."""
    if isinstance(condition, Comparison):
        value = condition.value
        if isinstance(value, tuple):
            value = f"({len(value)} values)"
        return f"not {condition.column} {condition.operator} {value}"
    if condition.all:
        return next(failed(part, row) for part in condition.parts if not part(row))
    return "; ".join(failed(part, row) for part in condition.parts)


def check_filter(where: Filter, schema: pa.Schema) -> None:
    """Check that a schema has the filter's columns, numbers where it compares with numbers.

    Raises:
        DataError: A column is missing or of another type.
    """
    from doctobert_hf.finemed.filters import leaves

    for leaf in leaves(where.condition):
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        strings = all(isinstance(v, str) for v in values)
        require(schema, [leaf.column], "number" if numbers else "string" if strings else "any")


def parse_where(where: str, nulls: str = "published") -> Filter:
    """Parse a stage's expression with its null policy."""
    return parse(where, None if nulls == "published" else nulls)


def select(config: FilterConfig, overwrite: bool = False) -> dict[str, Any]:
    """Run the stage and return its manifest.

    Raises:
        UsageError: No such expression.
        DataError: A column is missing or of another type.
    """
    from doctobert_hf.finemed.input_columns import input_schema
    from doctobert_hf.finemed.stage import Stage

    where = parse_where(config.where, config.nulls)
    config.check_input()
    schema = input_schema(config)
    check_filter(where, schema)
    with Stage("filter", config, overwrite=overwrite) as stage:
        return stage.finished() or _select(stage, where, schema, config)


def _select(stage: Stage, where: Filter, schema: pa.Schema, config: FilterConfig) -> dict[str, Any]:
    step = Select(where, stage.exclusions)
    if not stage.run([*stage.readers(), step, stage.writer(schema)]):
        return {}
    return stage.close(
        read=stage.counted("rows"),
        expression=where.source,
        words={"in": stage.counted("words_in"), "out": stage.counted("words_out")},
    )
