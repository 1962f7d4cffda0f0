"""The first lines of a text table: comments, column names and some rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ...errors import StreamMismatch
from .dialect import Dialect, dialect_of

SOME_ROWS = 64  # rows that are looked at to tell how a table is written
_METADATA = re.compile(r"\W*title\s*:", re.I)  # what the first line of EmotivPRO's tables begins with
_LABELS = re.compile(r"labels\s*:\s*([^,;\"]+)", re.I)


class HeaderLine(NamedTuple):
    """A line of a file."""

    number: int  # 1 for the first
    text: str


class TableHead(NamedTuple):
    """The lines before the rows of a table, and the first rows."""

    comments: tuple[str, ...]  # lines that begin with ``%`` and the like, without that
    names: tuple[str, ...]  # of the columns; empty where the table does not say
    dialect: Dialect
    rows: tuple[HeaderLine, ...]

    @property
    def first(self) -> list[str]:
        """The cells of the first row."""
        return self.dialect.cells(self.rows[0].text) if self.rows else []

    @property
    def said(self) -> dict[str, str]:
        """``key = value`` and ``key: value`` among the comments, keys in lower case."""
        pairs = [re.split(r"\s*[=:]\s*", part, maxsplit=1) for line in self.comments for part in _parts(line)]
        return {pair[0].strip().lower(): pair[1].strip(' ,;\t"') for pair in pairs if len(pair) == 2}


def read_head(lines: Iterator[HeaderLine], asked: str) -> TableHead:
    """Take the first lines; `lines` goes on behind them.

    Raises
    ------
    StreamMismatch
        There is no row at all.
    """
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
    dialect = dialect_of(line.text, [row.text for row in rows])
    cells = [cell.strip() for cell in dialect.cells(line.text)] or [""]  # a quote that is never closed
    numbered = len(cells) > 2 and cells == [str(i) for i in range(len(cells))]  # as pandas names columns without names
    if numbered or not dialect.is_number(cells[0]):
        return TableHead(tuple(comments), _with_index(cells, dialect, rows), dialect, rows)
    labels = [found[1].split() for text in comments if (found := _LABELS.search(text))]
    # Nothing but zeros, time included, stands where a program left the names out.
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
    """The sayings of a comment: one, or those of EmotivPRO between commas."""
    return re.split(r"[,;](?=[\w ]+:)", comment) if _METADATA.match(comment) else [comment]
