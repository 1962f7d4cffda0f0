"""Places of the words beside markers: in rows, so that no word lies over another."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

SPACE = 8.0  # px between two words of a row
LEAST = 48.0  # px that a word is given, if it is so long, before the next one may begin in its row


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
        self._rows: dict[Hashable, int | None] = {}

    @property
    def n_used(self) -> int:
        """How many rows the words of the last call needed."""
        return 1 + max((row for row in self._rows.values() if row is not None), default=-1)

    def place(self, words: Sequence[tuple[Hashable, float, float]], right: float) -> list[PlacedWord]:
        """Place words, oldest first: the key, the marker's x and the full width (px) of each; `right` is the edge.

        A word begins at its marker, or ends at the edge. It is shortened where the next one of its row begins. A word
        that would leave hardly anything of another in every row is left out for good.
        """
        before, self._rows = self._rows, {}
        last: list[tuple[float, float]] = [(-1e9, 0.0)] * self._n_rows  # x and width of the last word of each row
        for key, x, width in words:
            self._rows[key] = row = before[key] if key in before else _free_row(last, x)
            if row is not None:
                last[row] = x, width
        placed, limits = list[PlacedWord](), [right + SPACE] * self._n_rows
        for at in reversed(range(len(words))):
            key, x, full = words[at]
            if (row := self._rows[key]) is None:
                continue
            start = max(0.0, min(x, right - full))
            width = min(full, limits[row] - SPACE - start)
            limits[row] = min(limits[row], start)
            if width >= min(LEAST / 2, full):
                placed.append(PlacedWord(at, row, start, width))
        return placed[::-1]


def _free_row(last: Sequence[tuple[float, float]], x: float) -> int | None:
    """The first row where the last word (its x and width) ends before `x`, or the one where it has the most room."""
    room = [x - SPACE - begin for begin, _width in last]
    whole = next((k for k, (_begin, width) in enumerate(last) if width <= room[k]), None)
    if whole is not None:
        return whole
    most = max(range(len(last)), key=lambda k: room[k])
    return most if room[most] >= LEAST else None
