"""CoNLL-like tables: tab-separated columns, one word a line, blocks between blank lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from doctobert_hf.drbenchmark.source import RawFolder, text_lines
from doctobert_hf.drbenchmark.spec import Report


@dataclass(frozen=True)
class Line:
    r"""A line of a table: its columns (the last one with its ``\n``) and where it stands."""

    columns: list[str]
    where: str


def table_lines(folder: RawFolder, name: str, least: int, report: Report) -> Iterator[Line]:
    """Lines of a file with at least so many columns, blocks ignored; shorter ones are counted."""
    for number, line in enumerate(text_lines(folder.read_text(name)), 1):
        columns = line.split("\t")
        if len(columns) >= least:
            yield Line(columns, folder.where(name, number))
        elif line.strip():
            report.add(f"line of fewer than {least} columns not read", folder.where(name, number))


def table_blocks(folder: RawFolder, name: str) -> Iterator[list[Line]]:
    r"""Blocks of a file, cut at exactly two line ends; a block may be empty or hold empty lines.

    Cut as ``text.split("\n\n")`` does it, so that a third line end begins the next block.
    """
    number = 1
    for block in folder.read_text(name).split("\n\n"):
        lines = block.split("\n")
        yield [
            Line(line.split("\t"), folder.where(name, number + index))
            for index, line in enumerate(lines)
        ]
        number += len(lines) + 1
