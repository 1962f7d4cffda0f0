"""Timeline of a recording: stored samples and the breaks that the file states."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

UNKNOWN_S = 1.0
"""A break of unknown length counts as this long: more than the filters bridge, so that they settle again."""
LONGEST_S = 366 * 86_400.0  # a longer break is a clock that was set, and its length is unknown


@dataclass(frozen=True, slots=True)
class Break:
    """An interruption just before stored sample `at`.

    Parameters
    ----------
    at : int
    lost : int | None
        Samples that were not stored; None where the file does not say how many.
    filler : int
        Stored samples from `at` on that only fill the break.
    """

    at: int
    lost: int | None
    filler: int = 0


class Timeline:
    """Maps stored samples to the sample indices of the recording, which count lost samples too.

    Parameters
    ----------
    n_stored : int
        Samples in the file.
    sfreq : float
        Sampling rate (Hz).
    breaks : iterable of Break
        In any order; those at one place are one break.
    """

    def __init__(self, n_stored: int, sfreq: float, breaks: Iterable[Break] = ()) -> None:
        self.unknown = 0  # how many breaks are of unknown length
        self._begins: list[int] = []
        self._places: list[int] = []
        runs: list[tuple[int, int]] = []
        stored = place = 0
        for at, lost, filler in [*self._merged(breaks, n_stored, sfreq), (n_stored, 0, 0)]:
            if at > stored:
                self._begins.append(stored)
                self._places.append(place)
                runs.append((place, place + at - stored))
            end = max(stored, at + filler)
            place += end - stored + lost
            stored = end
        self.runs = tuple(runs)  # ``[first, end)`` of each unbroken stretch

    def _merged(self, breaks: Iterable[Break], n_stored: int, sfreq: float) -> list[tuple[int, int, int]]:
        found: dict[int, tuple[int, int, bool]] = {}
        for b in breaks:
            if not 0 <= b.at < n_stored:
                continue
            lost, filler, known = found.get(b.at, (0, 0, False))
            if b.lost is not None and 0 <= b.lost <= LONGEST_S * sfreq:
                lost, known = lost + b.lost, known or b.lost > 0 or b.filler > 0
            found[b.at] = lost, max(filler, min(b.filler, n_stored - b.at)), known
        merged = []
        for at, (lost, filler, known) in sorted(found.items()):
            if at and not known:
                self.unknown += 1
                lost = round(UNKNOWN_S * sfreq)
            merged.append((at, lost if at else 0, filler))
        return merged

    def stored(self, index: int) -> int:
        """The stored sample at `index` of the recording; of a lost one, the next that is stored."""
        i = max(0, bisect_right(self._places, index) - 1)
        after = self._begins[i + 1] if i + 1 < len(self._begins) else np.inf
        return int(min(self._begins[i] + max(0, index - self._places[i]), after))

    def until(self, stored: int) -> int:
        """Where the unbroken stretch with stored sample `stored` ends in the file."""
        i = max(0, bisect_right(self._begins, stored) - 1)
        return self._begins[i] + self.runs[i][1] - self.runs[i][0]

    def index(self, stored: int) -> int:
        """Where stored sample `stored` stands in the recording."""
        i = max(0, bisect_right(self._begins, stored) - 1)
        return self._places[i] + stored - self._begins[i]

    def notes(self) -> tuple[str, ...]:
        """What of this is no fact of the file, in words."""
        if not self.unknown:
            return ()
        what = "break" if self.unknown == 1 else "breaks"
        return (f"{self.unknown} {what} of unknown length: each counts as {UNKNOWN_S:g} s",)
