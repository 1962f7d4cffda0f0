"""The first lines of a text table (comments, column names, some rows), and how the table writes its cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from ...errors import StreamMismatch

SOME_ROWS = 64  # rows from which the dialect of a table is found
_METADATA = re.compile(r"\W*title\s*:", re.I)  # the beginning of EmotivPRO's tables
_LABELS = re.compile(r"labels\s*:\s*([^,;\"]+)", re.I)
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
        """Whether a cell holds a number, or states that there is none (``nan``)."""
        return cell.strip().lower() == "nan" or self.number(cell) == self.number(cell)


class HeaderLine(NamedTuple):
    """A line of a file."""

    number: int  # 1 for the first
    text: str


class TableHead(NamedTuple):
    """The lines before the rows of a table, and the first rows."""

    comments: tuple[str, ...]  # lines that begin with ``%`` and the like, without that
    names: tuple[str, ...]  # of the columns; empty where the table has none
    dialect: Dialect
    rows: tuple[HeaderLine, ...]

    @property
    def first(self) -> list[str]:
        """The cells of the first row."""
        return self.dialect.cells(self.rows[0].text) if self.rows else []

    @property
    def fields(self) -> dict[str, str]:
        """``key = value`` and ``key: value`` among the comments, keys in lower case."""
        pairs = [re.split(r"\s*[=:]\s*", part, maxsplit=1) for line in self.comments for part in _parts(line)]
        return {pair[0].strip().lower(): pair[1].strip(' ,;\t"') for pair in pairs if len(pair) == 2}


def read_head(lines: Iterator[HeaderLine], asked: str) -> TableHead:
    """Take the first lines from `lines`; raises `StreamMismatch` where there is no row."""
    comments: list[str] = []
    for line in lines:
        text = line.text.lstrip(' "')
        if text.startswith("%") or _METADATA.match(text):
            comments.append(text.lstrip("%"))
        elif text.strip(' ",;\t'):
            break
    else:
        raise StreamMismatch(asked, "a table without a row", "give a recording that holds EEG")
    rows = tuple(islice((row for row in lines if row.text.strip() and not row.text.startswith("%")), SOME_ROWS))
    dialect = _dialect_of(line.text, [row.text for row in rows])
    cells = [cell.strip() for cell in dialect.cells(line.text)] or [""]  # a quote that is never closed
    numbered = len(cells) > 2 and cells == [str(i) for i in range(len(cells))]  # as pandas names columns without names
    if numbered or not dialect.is_number(cells[0]):
        return TableHead(tuple(comments), _with_index(cells, dialect, rows), dialect, rows)
    labels = [found[1].split() for text in comments if (found := _LABELS.search(text))]
    # Only zeros, time included, stand where a program left the names out.
    whole = rows if rows and not any(map(dialect.number, cells)) else (line, *rows)
    return TableHead(tuple(comments), tuple(labels[0]) if labels else (), dialect, whole)


def _with_index(names: list[str], dialect: Dialect, rows: tuple[HeaderLine, ...]) -> tuple[str, ...]:
    """`names` with an empty one before them where each row begins with its number, which R leaves unnamed."""
    cells = [dialect.cells(row.text) for row in rows]
    begins = [dialect.number(row[0]) for row in cells if len(row) == len(names) + 1]
    counted = len(begins) > 2 and begins == [begins[0] + i for i in range(len(begins))] and begins[0] in (0, 1)
    stamped = names[0].lower() in ("timestamp", "timestamps")
    return ("", *names) if stamped and counted and len(begins) == len(cells) else tuple(names)


def _parts(comment: str) -> list[str]:
    """The fields of a comment: one, or those of EmotivPRO between commas."""
    return re.split(r"[,;](?=[\w ]+:)", comment) if _METADATA.match(comment) else [comment]


def _dialect_of(first: str, rows: Sequence[str]) -> Dialect:
    """How a table writes its cells, by its `first` line and some of the rows that follow."""
    row = rows[0] if rows else first
    delimiter = ","
    if "\t" in first:
        delimiter = "\t"
    elif ";" in first and (first.count(";") > first.count(",") or ";" in row):
        delimiter = ";"
    elif _is_spaced(row.split(", "), first):
        delimiter = ", "
    cells = [cell.strip() for line in rows or [first] for cell in Dialect(delimiter).cells(line)]
    comma = any(map(_COMMA.fullmatch, cells)) and not any(map(_POINT.fullmatch, cells))
    return Dialect(delimiter, comma)


def _is_spaced(cells: Sequence[str], first: str) -> bool:
    """Whether cells are set apart by a comma and a space, and have decimal commas: ``0, -11,60, 4,69``."""
    fits = len(cells) in (len(first.split(", ")), first.count(",") + 1)
    return fits and any("," in cell for cell in cells) and all(_PLAIN.fullmatch(cell.strip()) for cell in cells)
