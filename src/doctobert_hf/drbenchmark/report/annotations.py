"""What became of a private corpus's annotations: how many were kept, how many lost and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doctobert_hf.drbenchmark.results import Result

KEPT = ("kept", "kept as fragments")
HEADER = ("type", "annotated", "kept", "lost", "why lost")


def account_rows(accounts: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    """Return one row for each type, then their sum; fragments of one annotation are told.

    Args:
        accounts: By type, numbers by what became of them.

    Returns:
        Cells as :data:`HEADER` names them; empty without an annotation.
    """
    if not accounts:
        return []
    total: dict[str, int] = {}
    for fates in accounts.values():
        for fate, number in fates.items():
            total[fate] = total.get(fate, 0) + number
    return [_row(kind, fates) for kind, fates in accounts.items()] + [_row("all", total)]


def _row(kind: str, fates: Mapping[str, int]) -> list[str]:
    kept = sum(fates.get(name, 0) for name in KEPT)
    annotated = sum(fates.values())
    told = f"{kept:,}"
    if fates.get(KEPT[1]):
        told += f" ({fates[KEPT[1]]:,} in fragments)"
    why = "; ".join(f"{n:,} {fate}" for fate, n in fates.items() if fate not in KEPT)
    return [kind, f"{annotated:,}", told, f"{annotated - kept:,}", why or "–"]


def accounts_of(results: Sequence[Result], task: str) -> dict[str, dict[str, int]]:
    """Return the accounts of a task's corpus; empty for a task of the benchmark."""
    return next(
        (r.data["annotations"] for r in results if r.cell.task == task and "annotations" in r.data),
        {},
    )
