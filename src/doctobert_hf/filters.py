"""Filters over columns as expressions: ``year >= 2020 and source in ['hal', 'theses']``.

An expression is parsed, never evaluated: comparisons of a column with numbers, strings, lists or
named sets, joined by ``and``, ``or``, ``not`` and brackets. What a missing value does is said by
the null policy, comparison by comparison, also under ``not``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.errors import DataError, UsageError, nearest

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.compute import Expression

NullPolicy = Literal["pass", "fail", "error"]
MAX_CHARACTERS, MAX_COMPARISONS, MAX_DEPTH = 100_000, 1_000, 50
"""Bounds of an expression: what a person writes is far below, and recursion stays shallow."""
_NEGATED = {">=": "<", "<": ">=", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_NEGATED |= {"in": "not in", "not in": "in"}
_OPERATORS: dict[type, str] = {
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.Gt: ">",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
}


@dataclass(frozen=True)
class Comparison:
    """A column against a value.

    Attributes:
        column: Full name of the column.
        operator: ``>= > <= < == != in`` or ``not in``.
        value: Number, string, or tuple of these.
        nulls: What a missing value does.
        short: Short names of columns, for the advice where this one is missing.

    Example:
        >>> from doctobert_hf.finemed.filters import parse
        >>> found = parse("density >= 0.1").condition
        >>> found.column, found.operator, found.value
        ('medical_entity_density', '>=', 0.1)
    """

    column: str
    operator: str
    value: Any
    nulls: NullPolicy
    short: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)

    def __call__(self, row: Mapping[str, Any]) -> bool:
        """Decide a row.

        Raises:
            DataError: The column is missing, or its value is, or they cannot be compared.
        """
        if self.column not in row:
            raise self.missing(list(row))
        value = row[self.column]
        if value is None or value != value:
            if self.nulls == "error":
                raise DataError(f"A row without {self.column}", "a value (nulls='error')")
            return self.nulls == "pass"
        try:
            return _TESTS[self.operator](value, self.value)
        except TypeError as error:
            raise DataError(
                f"{self.column} is {value!r}", f"comparable to {self.value!r}"
            ) from error

    def missing(self, columns: list[str]) -> DataError:
        """Return the error that the column is not there, with the nearest name or all of them."""
        names = [*filter(None, columns), *(name for name, of in self.short if of in columns)]
        return DataError(f"There is no column '{self.column}'", fix=nearest(self.column, names))

    def expression(self) -> Expression:
        """The same for Arrow: whole columns at once."""
        import pyarrow.compute as pc

        column = pc.field(self.column)
        if self.operator in ("in", "not in"):
            test = column.isin(list(self.value))
            test = ~test if self.operator == "not in" else test
        else:
            test = _TESTS[self.operator](column, self.value)
        known = column.is_valid() & ~column.is_null(nan_is_null=True)
        return (test & known) if self.nulls == "fail" else (test | ~known)


@dataclass(frozen=True)
class Group:
    """Parts joined by ``and`` (all) or ``or``.

    Example:
        >>> from doctobert_hf.finemed.filters import parse
        >>> group = parse("edu >= 4 or density >= 0.1").condition
        >>> group.all, len(group.parts)
        (False, 2)
    """

    all: bool
    parts: tuple[Comparison | Group, ...]

    def __call__(self, row: Mapping[str, Any]) -> bool:
        """Decide a row."""
        decide = all if self.all else any
        return decide(part(row) for part in self.parts)

    def expression(self) -> Expression:
        """The same for Arrow."""
        level = [part.expression() for part in self.parts]
        while len(level) > 1:  # a balanced tree: Arrow walks it by recursion
            pairs = zip(level[::2], level[1::2])
            odd = level[len(level) - len(level) % 2 :]
            level = [(a & b) if self.all else (a | b) for a, b in pairs] + odd
        return level[0]


@dataclass(frozen=True)
class Filter:
    """A parsed filter.

    Attributes:
        source: The expression it was parsed from.
        condition: The tree of comparisons.
        columns: Columns it reads, in order of appearance.

    Example:
        >>> from doctobert_hf.finemed.filters import parse
        >>> parse("edu >= 4 and density >= 0.1").columns
        ('edu_quality_normalized_score', 'medical_entity_density')
        >>> import pyarrow as pa
        >>> parse("pages >= 4", nulls="fail").apply(pa.table({"pages": [3, 5]})).num_rows
        1
    """

    source: str
    condition: Comparison | Group
    columns: tuple[str, ...] = field(default=())

    def __call__(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is kept.

        Raises:
            DataError: A column is missing or has values that cannot be compared.
        """
        return self.condition(row)

    def apply(self, table: pa.Table) -> pa.Table:
        """Keep the rows of an Arrow table.

        Raises:
            DataError: A column is missing, of another type, or has nulls where the policy is
                ``error``.
        """
        import pyarrow as pa

        for comparison in leaves(self.condition):
            if comparison.column not in table.column_names:
                raise comparison.missing(table.column_names)
            nulls = table.column(comparison.column).null_count
            if comparison.nulls == "error" and nulls:
                raise DataError(f"{nulls} rows without {comparison.column}", "none (nulls='error')")
        try:
            return table.filter(self.condition.expression())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            types = {name: str(table.schema.field(name).type) for name in self.columns}
            text = [name for name, kind in types.items() if "string" in kind]
            raise DataError(
                f"'{self.source}' does not fit columns of types {types}",
                "values of the columns' types",
                f"'{text[0]}' holds text (all of a CSV file does): compare it with text in quotes, "
                "or give the documents as JSON lines or Parquet, where numbers are numbers"
                if text
                else "",
            ) from error


def parse(
    expression: str,
    nulls: NullPolicy | Mapping[str, NullPolicy] | str | None = None,
    aliases: Mapping[str, str] | None = None,
    sets: Mapping[str, tuple[Any, ...]] | None = None,
) -> Filter:
    """Parse a filter expression.

    Args:
        expression: Such as ``year >= 2020 and source in ['hal', 'theses']``.
        nulls: What a missing value does: ``pass``, ``fail`` or ``error`` for all columns, or by
            column; default: ``error``.
        aliases: Short names of columns.
        sets: Named sets.

    Raises:
        UsageError: Not such an expression; the message points at what it does not allow.

    Example:
        >>> kept = parse("year >= 2020 and language == 'fr'")
        >>> kept({"year": 2024, "language": "fr"})
        True
    """
    source = expression
    if len(source) > MAX_CHARACTERS:
        raise UsageError(
            f"A filter of {len(source):,} characters", f"at most {MAX_CHARACTERS:,} characters"
        )
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"'{_short(source)}' is no filter ({error})", _EXAMPLE) from error
    except (RecursionError, MemoryError) as error:
        raise UsageError(f"'{_short(source)}' is nested too deeply", _EXAMPLE) from error
    reader = _Reader(source, nulls, aliases or {}, sets or {})
    condition = reader.read(tree, negated=False)
    if (count := len(leaves(condition))) > MAX_COMPARISONS:
        raise UsageError(
            f"A filter of {count:,} comparisons",
            f"at most {MAX_COMPARISONS:,}",
            "Use 'column in [...]' for many values",
        )
    columns = tuple(dict.fromkeys(leaf.column for leaf in leaves(condition)))
    return Filter(source, condition, columns)


_EXAMPLE = "comparisons such as \"year >= 2020 and source in ['hal', 'theses']\""


@dataclass(frozen=True)
class _Reader:
    source: str
    nulls: Any
    aliases: Mapping[str, str]
    sets: Mapping[str, tuple[Any, ...]]

    def read(self, node: ast.expr, negated: bool, depth: int = 0) -> Comparison | Group:
        if depth > MAX_DEPTH:
            raise UsageError(
                f"'{_short(self.source)}' is nested more than {MAX_DEPTH} deep", _EXAMPLE
            )
        if isinstance(node, ast.BoolOp):
            parts = tuple(self.read(value, negated, depth + 1) for value in node.values)
            return Group(isinstance(node.op, ast.And) != negated, parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.read(node.operand, not negated, depth + 1)
        if isinstance(node, ast.Compare):
            return self._compare(node, negated)
        raise self._refuse(node)

    def _compare(self, node: ast.Compare, negated: bool) -> Comparison | Group:
        """A comparison, or a chain of them: ``1 <= edu < 4``."""
        operands = [node.left, *node.comparators]
        parts: list[Comparison | Group] = []
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            sign = _OPERATORS.get(type(operator))
            if sign is None:
                raise self._refuse(node)
            if not isinstance(left, ast.Name) and isinstance(right, ast.Name) and "in" not in sign:
                left, right, sign = right, left, _SWAPPED[sign]
            sign = _NEGATED[sign] if negated else sign
            parts.append(self._leaf(left, sign, right))
        return parts[0] if len(parts) == 1 else Group(not negated, tuple(parts))

    def _leaf(self, left: ast.expr, sign: str, right: ast.expr) -> Comparison:
        if not isinstance(left, ast.Name):
            raise self._refuse(left)
        column = self.aliases.get(left.id, left.id)
        value = self._value(right)
        if ("in" in sign) != isinstance(value, tuple):
            raise UsageError(
                f"'{self.source}': {left.id} {sign} {value!r}",
                "a list or a named set after 'in', one value after a comparison",
            )
        policy = self._policy(column)
        return Comparison(column, sign, value, policy, tuple(self.aliases.items()))

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            if node.id in self.sets:
                return tuple(self.sets[node.id])
            fix = nearest(node.id, list(self.sets)) if self.sets else _QUOTED
            raise UsageError(f"'{self.source}': no set '{node.id}'", fix=fix)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return tuple(self._value(item) for item in node.elts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self._value(node.operand)
            if isinstance(value, (int, float)):
                return -value
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str, bool)):
            if isinstance(node.value, (int, float)) and not abs(node.value) < 2**63:
                raise UsageError(f"The number {node.value:.40g} in a filter", "64 bits at most")
            return node.value
        raise self._refuse(node)

    def _policy(self, column: str) -> NullPolicy:
        policy = self.nulls
        if isinstance(policy, Mapping):
            policy = policy.get(column)
        policy = policy or "error"
        if policy not in ("pass", "fail", "error"):
            raise UsageError(f"nulls '{policy}'", "pass, fail or error")
        return policy  # type: ignore[return-value]

    def _refuse(self, node: ast.expr) -> UsageError:
        piece = ast.get_source_segment(self.source.strip(), node) or self.source
        return UsageError(f"'{_short(piece)}' in the filter '{_short(self.source)}'", _EXAMPLE)


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"


_QUOTED = "Strings stand in quotes; what is true or false is True or False"
_SWAPPED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "==": "==", "!=": "!="}


def leaves(condition: Comparison | Group) -> list[Comparison]:
    """The comparisons of a condition.

    Example:
        >>> from doctobert_hf.finemed.filters import parse
        >>> [leaf.value for leaf in leaves(parse("edu >= 4 and density >= 0.1").condition)]
        [4, 0.1]
    """
    if isinstance(condition, Comparison):
        return [condition]
    return [leaf for part in condition.parts for leaf in leaves(part)]
