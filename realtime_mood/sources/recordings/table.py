"""Rows of a text table as numbers, with NaN where a cell or a row cannot be read."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ...errors import StreamMismatch
from .head import Dialect, HeaderLine

LONGEST_LINE = 1 << 16  # characters; no table of EEG has longer rows
MOST_CHARACTERS = 4 << 30  # of one table unpacked
BLOCK = 4096  # rows read at once
_CODE = re.compile(r"\s*\d*(\.0*)?\s*")  # a cell of a column of marker codes
# A password, and a way of packing that is not known, are runtime errors.
_ZIP_TROUBLES = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Columns(NamedTuple):
    """What to read of each row."""

    n_columns: int  # how many cells a row has
    numbers: tuple[int, ...]  # columns wanted as numbers; the samples first
    texts: tuple[int, ...]  # columns wanted as they stand; one that is not there is empty
    n_samples: int  # how many of `numbers` are samples
    last_may_lack: bool = False  # whether the last cell may be left out, with its delimiter
    has_word_rows: bool = False  # whether rows that hold a word and no sample may have a cell more than others
    one_more: bool = False  # whether rows may have one more cell than names, from some row on: a marker without a name


class Cells(NamedTuple):
    """The wanted columns of a table, by column number, and which rows had the length of none."""

    numbers: dict[int, np.ndarray]
    texts: dict[int, list[str]]
    lines: np.ndarray  # the number of each row's line in the file
    widths: np.ndarray  # how many cells each row has
    torn: np.ndarray  # whether that is a wrong number: none of its cells is believed


@contextmanager
def lines_of(path: Path, asked: str) -> Iterator[Iterator[HeaderLine]]:
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
    tables = [file for file in archive.infolist() if file.filename.lower().endswith((".csv", ".txt", ".tsv"))]
    if len(tables) != 1:
        raise StreamMismatch(asked, f"a zip with {len(tables)} tables", "unpack it and give one of its files")
    return tables[0]


def _lines(f: IO[bytes], asked: str) -> Iterator[HeaderLine]:
    start = f.read(64)
    f.seek(0)
    read = number = 0
    with io.TextIOWrapper(f, _encoding(start), errors="replace") as text:
        while line := text.readline(LONGEST_LINE):
            read += len(line)
            number += 1
            if len(line) >= LONGEST_LINE or read > MOST_CHARACTERS:
                raise StreamMismatch(asked, "no table of a size that EEG has", "give a recording that holds EEG")
            yield HeaderLine(number, line.lstrip("\ufeff").rstrip("\n"))


def _encoding(start: bytes) -> str:
    """How a text is encoded, by its first bytes."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    zeros = [start[k::2].count(0) > len(start) / 4 for k in (0, 1)]  # Latin letters in UTF-16 without its mark
    return {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get((zeros[0], zeros[1]), "utf-8")


def read_cells(lines: Iterable[HeaderLine], dialect: Dialect, columns: Columns) -> Cells:
    """Read the rows of a table; empty lines and those that begin with ``%`` are no rows."""
    rows = (line for line in lines if line.text.strip() and not line.text.startswith("%"))
    blocks = [np.empty((0, len(columns.numbers)))]
    texts: dict[int, list[str]] = {column: [] for column in columns.texts}
    numbers, widths, whole = list[int](), list[int](), list[bool]()
    while block := list(islice(rows, BLOCK)):
        block_widths = _widths(block, dialect)
        blocks.append(_numbers(block, block_widths, dialect, columns))
        for line in block if texts else ():
            cells = dialect.cells(line.text)
            for column, words in texts.items():
                words.append(cells[column].strip() if column < len(cells) else "")
        numbers += [line.number for line in block]
        widths += block_widths
        whole += [_ends_whole(line.text, dialect) for line in block]
    values, wide = np.concatenate(blocks), np.array(widths, np.int64)
    torn = _torn(wide, np.array(whole, bool), values[:, : columns.n_samples], columns)
    if columns.one_more:
        torn |= np.array([not _CODE.fullmatch(text) for text in texts[columns.n_columns]], bool)
    values[torn] = np.nan
    for column, words in texts.items():
        texts[column] = ["" if bad else word for word, bad in zip(words, torn.tolist(), strict=True)]
    return Cells(dict(zip(columns.numbers, values.T, strict=True)), texts, np.array(numbers), wide, torn)


def _widths(block: list[HeaderLine], dialect: Dialect) -> list[int]:
    return [
        len(dialect.cells(line.text)) if '"' in line.text else line.text.count(dialect.delimiter) + 1 for line in block
    ]


def _numbers(block: list[HeaderLine], widths: list[int], dialect: Dialect, columns: Columns) -> np.ndarray:
    texts, width = [line.text for line in block], widths[0]
    plain = width > max(columns.numbers) and len(dialect.delimiter) == 1 and set(widths) == {width}
    if plain and not any('"' in text or (dialect.comma and "." in text) for text in texts):
        points = [text.replace(",", ".") for text in texts] if dialect.comma else texts
        try:
            return np.loadtxt(points, comments=None, delimiter=dialect.delimiter, usecols=columns.numbers, ndmin=2)
        except ValueError:
            pass
    out = np.full((len(block), len(columns.numbers)), np.nan)
    for row, text, width in zip(out, texts, widths, strict=True):
        if abs(width - columns.n_columns) > 1:
            continue
        cells = dialect.cells(text)
        for k, column in enumerate(columns.numbers):
            row[k] = dialect.number(cells[column]) if column < width else np.nan
    return out


def _ends_whole(text: str, dialect: Dialect) -> bool:
    """Whether the last cell holds a whole number or nothing, as codes are written and EEG is not."""
    return ("," if dialect.comma else ".") not in text.rpartition(dialect.delimiter)[2]


def _torn(widths: np.ndarray, whole: np.ndarray, samples: np.ndarray, columns: Columns) -> np.ndarray:
    """Whether each row has a wrong number of cells.

    Where the last cell may lack, or may be one more, all rows before some row have the lower number and all from there
    on the higher, so that no single row with shifted cells is accepted. The last cells of the rows beside that change
    must be written as those of their neighbours.
    """
    n = columns.n_columns
    pairs = [(n, n)] + [(n - 1, n)] * columns.last_may_lack + [(n, n + 1)] * columns.one_more
    fits = np.zeros(len(widths), bool)
    for few, many in pairs:
        narrow, wide = widths == few, widths == many
        agree = np.r_[0, np.cumsum(narrow)] + np.r_[0, np.cumsum(wide[::-1])][::-1]
        begin, end = np.flatnonzero(agree == agree.max())[[0, -1]] if few != many else (0, 0)
        if begin == 0 or end < 2:  # as well explained without a change
            begin = end = 0
        elif end == len(widths) or len(widths) - begin < 2:
            begin = end = len(widths)
        here = np.concatenate((narrow[:begin], np.zeros(end - begin, bool), wide[end:]))
        if begin >= 2 and end <= len(widths) - 2:
            here[begin - 1] &= whole[begin - 1] == whole[begin - 2]
            here[end] &= whole[end] == whole[end + 1]
        fits = here if here.sum() > fits.sum() else fits
    if columns.has_word_rows:
        fits = fits | ((widths == n) & np.isnan(samples).all(axis=1))
    return ~fits
