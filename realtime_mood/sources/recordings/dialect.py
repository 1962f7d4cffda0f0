"""How a text table writes its cells: what separates them, the decimal mark, and quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_PLAIN = re.compile(r"[+-]?\d+(,\d+([eE][+-]?\d+)?)?|\d+:\d\d(:\d\d)?([.,]\d+)?|")
"""A cell of a table that writes decimal commas: a number, a time of day, or nothing."""
NAN = float("nan")


class Dialect(NamedTuple):
    """The delimiter and the decimal mark of a table."""

    delimiter: str = ","
    comma: bool = False  # whether numbers have a decimal comma

    def cells(self, line: str) -> list[str]:
        """The cells of a line; empty where a quote is never closed."""
        if '"' not in line:
            return line.split(self.delimiter)
        try:
            return next(csv.reader([line], delimiter=self.delimiter[0], skipinitialspace=True, strict=True), [])
        except csv.Error:
            return []

    def number(self, cell: str) -> float:
        """The number in a cell; NaN where there is none."""
        if self.comma and "," in cell:
            cell = "" if "." in cell else cell.replace(",", ".")
        elif self.comma and _POINT.fullmatch(cell.strip()):
            return NAN  # a point between thousands, in a table that has commas for decimals
        try:
            return NAN if "_" in cell else float(cell)
        except ValueError:
            return NAN

    def is_number(self, cell: str) -> bool:
        """Whether a cell holds a number, or says that it has none (``nan``)."""
        return cell.strip().lower() == "nan" or self.number(cell) == self.number(cell)


def dialect_of(first: str, rows: Sequence[str]) -> Dialect:
    """How a table writes its cells.

    Parameters
    ----------
    first : str
        The line of column names; a table without one, its first row.
    rows : sequence of str
        Some of the rows that follow.
    """
    row = rows[0] if rows else first
    if "\t" in first:
        delimiter = "\t"
    elif ";" in first and (first.count(";") > first.count(",") or ";" in row):
        delimiter = ";"
    elif _spaced(row.split(", "), first):
        delimiter = ", "
    else:
        delimiter = ","
    cells = [cell.strip() for line in rows or [first] for cell in Dialect(delimiter).cells(line)]
    comma = any(map(_COMMA.fullmatch, cells)) and not any(map(_POINT.fullmatch, cells))
    return Dialect(delimiter, comma)


def _spaced(cells: Sequence[str], first: str) -> bool:
    """Whether cells are set apart by a comma and a space, and have decimal commas: ``0, -11,60, 4,69``."""
    fits = len(cells) in (len(first.split(", ")), first.count(",") + 1)
    return fits and any("," in cell for cell in cells) and all(_PLAIN.fullmatch(cell.strip()) for cell in cells)
