"""Counts of a dataset for its card, gathered while it is streamed; never a second reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from doctobert_hf.hub.stage import packed
from doctobert_hf.hub.stage.escapes import undone_column
from doctobert_hf.hub.stage.secrets import SECRET_NAMES, SUSPICIOUS, find_secrets

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
        self.secrets: dict[str, dict[str, Any]] = {}

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
            self._scan(name, column)
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                if name == "text":
                    words = self._count_text(column)
            elif name == "num_tokens":
                self._sum("tokens", column)
        for kind, names in CLASSES.items():
            nested = _licence_fields(table) if kind == "licence" else []
            for values in (*(_nested(table, name) for name in names), *nested):
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
        """Find rows that hold a secret; only suspicious columns are looked at row by row."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = list(leaves(column))
        hits = [_suspicious(leaf, self.tokens) for leaf in found]
        self._scan_packed(name, column, found)
        named = _has_secret_name(name, column.type)
        if not named and not any(pc.any(hit).as_py() for hit in hits):
            return
        # Of a nested column the places of hits are not those of its rows.
        flat = not named and not column.type.num_fields and len(hits) == column.num_chunks
        rows = (
            pc.indices_nonzero(pa.chunked_array(hits)).to_pylist() if flat else range(len(column))
        )
        for index in rows:
            for word in _words_in(column[index].as_py(), name):
                for secret in find_secrets(word, self.tokens):
                    self._found(name, self.rows + index, vars(secret))

    def _scan_packed(self, name: str, column: pa.ChunkedArray, found: list[pa.Array]) -> None:
        """Find rows of binary columns whose values are packed and hold a secret."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kinds = (pa.binary(), pa.large_binary())
        heads = [pc.binary_slice(leaf, 0, 64) for leaf in found if leaf.type in kinds]
        if not any(head and packed.is_packed(head) for leaf in heads for head in leaf.to_pylist()):
            return
        for index, value in enumerate(column.to_pylist()):
            for content in _binary_in(value):
                if not packed.is_packed(content[:64]):
                    continue
                try:
                    for part in packed.unpacked(content):
                        for secret in find_secrets(part, self.tokens):
                            self._found(name, self.rows + index, vars(secret))
                except packed.PackedError as error:
                    kind = f"packed values that cannot be searched ({error})"
                    known = sha256(content).hexdigest()[:12]
                    entry = {"kind": kind, "masked": "", "fingerprint": known}
                    self._found(name, self.rows + index, entry)

    def _found(self, column: str, row: int, secret: dict[str, Any]) -> None:
        key = f"{secret['fingerprint']} {column}"
        if key in self.secrets:
            self.secrets[key]["rows"] += 1
        elif len(self.secrets) < _MOST:
            self.secrets[key] = {**secret, "column": column, "rows": 1, "first": row}
        else:  # no fingerprint: what is not told apart is not allowed either
            more = {
                "kind": f"more than {_MOST:,} different secrets",
                "masked": "",
                "fingerprint": "",
            }
            entry = {**more, "column": column, "rows": 0, "first": row}
            self.secrets.setdefault("more", entry)["rows"] += 1


_MOST = 1000
"""Different secrets that are told of one by one."""


def leaves(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yield the arrays of words that a column is made of, nested ones flattened.

    Strings, JSON and binary of every width, in lists, structs, maps and dictionaries.
    """
    import pyarrow as pa

    types = pa.types
    for chunk in column.chunks:
        kind = chunk.type
        if kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
            yield chunk
        elif types.is_string_view(kind):
            yield chunk.cast(pa.string())
        elif types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
            yield chunk.cast(pa.binary())
        elif isinstance(kind, pa.BaseExtensionType):  # JSON, among others
            yield from leaves(pa.chunked_array([chunk.storage]))
        elif types.is_dictionary(kind):
            yield from leaves(pa.chunked_array([chunk.dictionary_decode()]))
        elif types.is_struct(kind):
            for part in chunk.flatten():
                yield from leaves(pa.chunked_array([part]))
        elif types.is_map(kind):
            yield from leaves(pa.chunked_array([chunk.keys]))
            yield from leaves(pa.chunked_array([chunk.items]))
        elif types.is_run_end_encoded(kind):
            yield from leaves(pa.chunked_array([chunk.values]))
        elif kind.num_fields:  # lists of every kind, views too
            yield from leaves(pa.chunked_array([chunk.flatten()]))


def _suspicious(leaf: pa.Array, tokens: tuple[str, ...]) -> pa.Array:
    """Return which of the words may hold a secret."""
    import pyarrow.compute as pc

    plain = undone_column(leaf)
    found = [pc.match_substring_regex(plain, pattern) for pattern in SUSPICIOUS]
    found += [pc.match_substring(leaf, token) for token in tokens if token]
    return reduce(pc.or_, found)


def _binary_in(value: Any) -> Iterator[bytes]:
    """Yield the binary values of a value."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _binary_in(part)


def _words_in(value: Any, name: str = "") -> Iterator[bytes]:
    """Yield the words of a value; behind a name for a password, with the name."""
    if isinstance(value, str | bytes):
        word = value.encode("utf-8", "replace") if isinstance(value, str) else value
        named = SECRET_NAMES.fullmatch(name)
        yield f"{name}=".encode() + word if named and b" " not in word else word
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _words_in(key)
            yield from _words_in(part, str(key))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _words_in(part, name)


def _has_secret_name(name: str, kind: pa.DataType) -> bool:
    """Return whether a column of words, or a field in it, is named as passwords are."""
    import pyarrow as pa

    inner = [kind.field(number) for number in range(kind.num_fields)]
    if any(_has_secret_name(part.name, part.type) for part in inner):
        return True
    words = kind.num_fields or not (pa.types.is_primitive(kind) or pa.types.is_null(kind))
    return bool(words and SECRET_NAMES.fullmatch(name))


def _licence_fields(table: pa.Table) -> list[pa.ChunkedArray]:
    """Return fields of struct columns that name a row's licence: ``metadata.license``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = (pa.string(), pa.large_string())
    found = []
    for column in table.schema:
        for field in column.type if pa.types.is_struct(column.type) else ():
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            if field.name.lower() in CLASSES["licence"] and kind in kinds:
                found.append(pc.struct_field(table[column.name], field.name))
    return found


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
