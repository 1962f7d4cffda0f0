"""Places of the words beside markers: in rows, so that no word lies over another."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

SPACE = 8.0  # px between two words of a row
LEAST = 26.0  # px; a word that has less room is not written


class Mark(NamedTuple):
    """A marker on a time axis. The `key` is the same as long as it is shown."""

    key: Hashable
    t: float  # seconds before the right edge (negative)
    text: str


class PlacedWord(NamedTuple):
    """Where a word is written, in px; it is shortened to its `width`."""

    at: int  # which of the words
    row: int
    x: float
    width: float


class MarkRows:
    """Rows of words above a picture that scrolls: a word keeps its row for as long as it is shown."""

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._rows: dict[Hashable, int] = {}

    @property
    def n_used(self) -> int:
        """How many rows the words of the last call needed."""
        return 1 + max(self._rows.values(), default=-1)

    def place(self, words: Sequence[tuple[Hashable, float, float]], right: float) -> list[PlacedWord]:
        """Place words, oldest first: the key, the marker's x and the full width (px) of each; `right` is the edge.

        A word begins at its marker, or ends at the edge. It is shortened where the next one of its row begins, and left
        out where hardly anything of it would remain.
        """
        before, self._rows = self._rows, {}
        last: list[tuple[float, float]] = [(-1e9, -1e9)] * self._n_rows  # of each row: where the last word begins, ends
        starts = list[float]()
        for key, x, width in words:
            start = max(0.0, min(x, right - width))
            row = before.get(key, -1)
            if row < 0:
                free = (k for k, (_begin, end) in enumerate(last) if end + SPACE <= start)
                row = next(free, min(range(self._n_rows), key=lambda k: last[k][0]))
            self._rows[key], last[row] = row, (start, start + width)
            starts.append(start)
        placed, limits = list[PlacedWord](), [right + SPACE] * self._n_rows
        for at in reversed(range(len(words))):
            row, start = self._rows[words[at][0]], starts[at]
            width = min(words[at][2], limits[row] - SPACE - start)
            limits[row] = min(limits[row], start)
            if width >= min(LEAST, words[at][2]):
                placed.append(PlacedWord(at, row, start, width))
        return placed[::-1]
