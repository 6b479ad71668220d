"""Counts of a dataset for its card, gathered while it is streamed; never a second reading."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from doctobert_hf.hub.preflight import SECRETS, secrets_in

if TYPE_CHECKING:
    import pyarrow as pa

EDU = "edu_quality_normalized_score"
DENSITY = "medical_entity_density"
EDU_STEPS = (0, 2, 4)
DENSITY_STEPS = (0.0, 0.1, 0.2)
CLASSES = {
    "source": ("source", "corpus"),
    "licence": ("licence", "license"),
    "subdomain": ("health_domain_classification_best_class",),
    "rewriter": ("rewriting_config.model",),
}


class Statistics:
    """Counts rows, words, characters, tokens, classes, thresholds and rows with secrets.

    Args:
        tokens: Tokens in use, sought as they are.
    """

    def __init__(self, tokens: tuple[str, ...] = ()) -> None:
        self.tokens = tokens
        self.rows = 0
        self.sums: Counter[str] = Counter()
        self.classes: dict[str, Counter[str]] = {}
        self.thresholds: dict[str, list[int]] = {}
        self.secrets: dict[str, list[Any]] = {}

    @classmethod
    def from_state(cls, state: dict[str, Any], tokens: tuple[str, ...] = ()) -> Statistics:
        """Go on counting where a stopped run was."""
        found = cls(tokens)
        found.rows = state.get("rows", 0)
        found.sums = Counter(state.get("sums", {}))
        found.classes = {k: Counter(v) for k, v in state.get("classes", {}).items()}
        found.thresholds = state.get("thresholds", {})
        found.secrets = state.get("secrets", {})
        return found

    def to_state(self) -> dict[str, Any]:
        """What :meth:`from_state` goes on from."""
        names = ("rows", "sums", "classes", "thresholds", "secrets")
        return {name: getattr(self, name) for name in names}

    def add(self, table: pa.Table) -> None:
        """Count a batch."""
        import pyarrow as pa

        words = None
        for name in table.column_names:
            column = table[name]
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                self._scan(name, column)
                if name == "text":
                    words = self._count_text(column)
            elif name == "num_tokens":
                self._sum("tokens", column)
        for kind, names in CLASSES.items():
            for name in names:
                values = _nested(table, name)
                if values is not None:
                    self.classes.setdefault(kind, Counter()).update(
                        str(value) for value in values.to_pylist() if value is not None
                    )
        if EDU in table.column_names and DENSITY in table.column_names:
            self._count_thresholds(table, words)
        self.rows += table.num_rows

    def _count_text(self, column: pa.ChunkedArray) -> list[int]:
        texts = column.to_pylist()
        words = [len(text.split()) if text else 0 for text in texts]
        self.sums["words"] += sum(words)
        self.sums["characters"] += sum(len(text) if text else 0 for text in texts)
        return words

    def _sum(self, name: str, column: pa.ChunkedArray) -> None:
        import pyarrow.compute as pc

        self.sums[name] += pc.sum(column).as_py() or 0

    def _count_thresholds(self, table: pa.Table, words: list[int] | None) -> None:
        """Rows and words that pass each pair of thresholds; a missing score passes none but 0."""
        edu, density = table[EDU].to_pylist(), table[DENSITY].to_pylist()
        counts = words or [0] * table.num_rows
        for least in EDU_STEPS:
            for share in DENSITY_STEPS:
                entry = self.thresholds.setdefault(f"{least}:{share}", [0, 0])
                for score, part, size in zip(edu, density, counts, strict=True):
                    if (score or 0) >= least and (part or 0.0) >= share:
                        entry[0] += 1
                        entry[1] += size

    def _scan(self, name: str, column: pa.ChunkedArray) -> None:
        """Find rows that hold a secret; only suspicious rows are looked at one by one."""
        import pyarrow.compute as pc

        pattern = "|".join(f"(?:{part})" for part in (*_RE2, *map(re.escape, self.tokens)))
        hits = pc.match_substring_regex(column, pattern)
        if not pc.any(hits).as_py():
            return
        for index in pc.indices_nonzero(hits).to_pylist():
            for what in secrets_in(column[index].as_py().encode(), self.tokens):
                entry = self.secrets.setdefault(f"{what} in column '{name}'", [0, -1])
                entry[0] += 1
                if entry[1] < 0:
                    entry[1] = self.rows + index


# For RE2, which has no look-around; a hit is looked at again with the whole pattern.
_RE2 = [re.sub(r"\(\?<?!.*?\)", "", pattern.decode()) for pattern in SECRETS.values()]


def _nested(table: pa.Table, name: str) -> pa.ChunkedArray | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    first, _, rest = name.partition(".")
    if first not in table.column_names:
        return None
    column = table[first]
    if not rest:
        return column
    if not pa.types.is_struct(column.type) or rest not in [f.name for f in column.type]:
        return None
    return pc.struct_field(column, rest)
