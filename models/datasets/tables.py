"""Tables and sidecars of data sets: rows of TSV and CSV files as text, fields of JSON files, columns of numbers."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.errors import MoodError

from .bids import text_of_sidecar


def rows(path: Path, delimiter: str = "\t", needs: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of a table with a head, as text without spaces around it; a cell that a row lacks is empty.

    Parameters
    ----------
    path : Path
    delimiter : str
    needs : sequence of str
        Columns that it must have.

    Raises
    ------
    MoodError
        It cannot be read, or lacks a column.
    """
    columns, *body = _cells(path, delimiter, needs)
    return [dict(zip_longest(columns, map(str.strip, row[: len(columns)]), fillvalue="")) for row in body]


def number(text: str | None) -> float:
    """The number in a cell; NaN where there is none."""
    try:
        value = float(text or "nan")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def ratings(row: dict[str, str], scales: Sequence[str], low: float, high: float) -> dict[str, float]:
    """The answers in a row by scale, in lower case; those that are absent or outside ``[low, high]`` are left out."""
    found = {scale.lower(): number(row.get(scale)) for scale in scales}
    return {scale: value for scale, value in found.items() if low <= value <= high}


def sidecar(path: Path) -> dict[str, Any]:
    """The fields of a JSON file; none where there is no such file.

    Raises
    ------
    MoodError
        It is no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        fields = json.loads(text_of_sidecar(path))
    except (OSError, ValueError, RecursionError) as error:
        raise MoodError(f"sidecar {path.name}", f"unreadable: {error}"[:160], "download it again") from None
    if not isinstance(fields, dict):
        raise MoodError(f"sidecar {path.name}", "no JSON object", "download it again")
    return fields


def header(path: Path, delimiter: str = ",") -> list[str]:
    """The names of a table's columns.

    Raises
    ------
    MoodError
        It cannot be read, or is empty.
    """
    return _cells(path, delimiter)[0]


def columns(path: Path, names: Sequence[str], delimiter: str = ",") -> np.ndarray:
    """Some columns of a table of numbers: (n_rows, n_names) float64; NaN where a cell holds none.

    Raises
    ------
    MoodError
        It cannot be read, has no such columns, or no rows.
    """
    head, *body = _cells(path, delimiter, names)
    if not body:
        raise MoodError(f"table {path.name}", "it has no rows", "download it again")
    at = [head.index(name) for name in names]
    last = max(at)
    return np.array([[number(row[i]) for i in at] if last < len(row) else [math.nan] * len(at) for row in body])


def _cells(path: Path, delimiter: str, needs: Sequence[str] = ()) -> list[list[str]]:
    """The rows of a table, the head first, which must name what it `needs`."""
    try:
        lines = [line for line in text_of_sidecar(path).splitlines() if line.strip()]
        plain = delimiter == "\t"
        cells = list(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL))
    except OSError as error:
        raise MoodError(f"table {path.name}", f"cannot be read: {error.strerror}", "download it again") from None
    except csv.Error as error:
        raise MoodError(f"table {path.name}", " ".join(str(error).split())[:80], "download it again") from None
    if not cells:
        raise MoodError(f"table {path.name}", "it is empty", "download it again")
    head = [cell.strip() for cell in cells[0]]
    if missing := [name for name in needs if name not in head]:
        found = f"it has no column {', '.join(missing)}; it has {', '.join(head[:12])}"
        raise MoodError(f"table {path.name}", found[:200], "download it again, or check that it belongs to this set")
    return [head, *cells[1:]]
