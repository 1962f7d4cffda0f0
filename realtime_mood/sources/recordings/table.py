"""Turns the lines of a text table into numbers, row by row, with NaN where a cell cannot be read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ...errors import StreamMismatch

LONGEST_LINE = 1 << 16
"""Bytes; no table of EEG has longer rows."""
MOST_BYTES = 4 << 30
"""Of one table unpacked."""
BLOCK = 4096
"""Rows read at once."""
# A password, and a way of packing that is not known, are runtime errors.
_ZIP_TROUBLES = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError)


class Cells(NamedTuple):
    """The wanted columns of a table, by column number."""

    numbers: dict[int, np.ndarray]
    texts: dict[int, list[str]]


@contextmanager
def lines_of(path: Path, asked: str) -> Iterator[Iterator[str]]:
    """The lines of a text file, or of the one table in a zip."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as f:
            yield _lines(f, asked)
        return
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_only_table(archive, asked)) as f:
            yield _lines(f, asked)
    except _ZIP_TROUBLES as error:
        found = f"a zip that cannot be unpacked: {' '.join(str(error).split())[:80]}"
        raise StreamMismatch(asked, found, "the file may be damaged") from error


def _only_table(archive: zipfile.ZipFile, asked: str) -> zipfile.ZipInfo:
    tables = [it for it in archive.infolist() if it.filename.lower().endswith((".csv", ".txt", ".tsv"))]
    if len(tables) != 1:
        raise StreamMismatch(asked, f"a zip with {len(tables)} tables", "unpack it and give one of its files")
    return tables[0]


def _lines(f: IO[bytes], asked: str) -> Iterator[str]:
    read = 0
    while line := f.readline(LONGEST_LINE):
        read += len(line)
        if len(line) == LONGEST_LINE or read > MOST_BYTES:
            raise StreamMismatch(asked, "no table of a size that EEG has", "give a recording that holds EEG")
        yield line.decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r\n")


def read_cells(
    lines: Iterable[str],
    delimiter: str,
    n_columns: int,
    numbers: Sequence[int],
    texts: Sequence[int],
    *,
    last_may_lack: bool = False,
) -> Cells:
    """Read the rows of a table.

    Parameters
    ----------
    lines : iterable of str
        Empty ones and those that begin with ``%`` are no rows.
    delimiter : str
    n_columns : int
        A row with another number of cells is torn: none of its cells is believed.
    numbers : sequence of int
        Columns wanted as numbers; a cell that is none is NaN.
    texts : sequence of int
        Columns wanted as they stand.
    last_may_lack : bool
        Whether a row may end without its last cell.
    """
    blocks, words = [np.empty((0, len(numbers)))], {column: list[str]() for column in texts}
    rows = (line for line in lines if line.strip() and not line.startswith("%"))
    if last_may_lack:
        rows = (line + delimiter * (line.count(delimiter) == n_columns - 2) for line in rows)
    while block := list(islice(rows, BLOCK)):
        whole = [line.count(delimiter) == n_columns - 1 for line in block]
        blocks.append(_numbers(block, whole, delimiter, numbers))
        for line, good in zip(block, whole, strict=True) if texts else ():
            cells = line.split(delimiter) if good else [""] * n_columns
            for column in texts:
                words[column].append(cells[column].strip())
    return Cells(dict(zip(numbers, np.concatenate(blocks).T, strict=True)), words)


def _numbers(block: list[str], whole: list[bool], delimiter: str, columns: Sequence[int]) -> np.ndarray:
    if all(whole):
        try:
            return np.loadtxt(block, np.float64, delimiter=delimiter, usecols=columns, ndmin=2, comments=None)
        except ValueError:
            pass
    out = np.full((len(block), len(columns)), np.nan)
    for row, line, good in zip(out, block, whole, strict=True):
        cells = line.split(delimiter) if good else []
        for k, column in enumerate(columns if good else ()):
            row[k] = _number(cells[column])
    return out


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")
