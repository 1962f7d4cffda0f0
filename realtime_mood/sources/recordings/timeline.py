"""Timeline of a recording: stored samples and the breaks that the file states."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np

UNKNOWN_S = 1.0
"""A break of unknown length counts as this long: more than the filters bridge, so that they settle again."""
LONGEST_S = 366 * 86_400.0  # a longer break is a clock that was set, and its length is unknown


@dataclass(frozen=True, slots=True)
class Break:
    """An interruption just before stored sample `at`."""

    at: int
    lost: int | None  # samples that were not stored; None where the file does not state how many
    filler: int = 0  # stored samples from `at` on that only fill the break


class Timeline:
    """Maps the `n_stored` samples of a file to the sample indices of the recording, which count lost samples too.

    `breaks` may be in any order; those at one place are one break.
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
        """(at, lost, filler) of each place with breaks, in order; counts those of unknown length."""
        merged, ordered = [], sorted((b for b in breaks if 0 <= b.at < n_stored), key=lambda b: b.at)
        for at, group in groupby(ordered, key=lambda b: b.at):
            here = list(group)
            known = [b for b in here if b.lost is not None and 0 <= b.lost <= LONGEST_S * sfreq]
            lost, filler = sum(b.lost or 0 for b in known), min(max(b.filler for b in here), n_stored - at)
            if at and not any(b.lost or b.filler > 0 for b in known):
                self.unknown += 1
                lost = round(UNKNOWN_S * sfreq)
            merged.append((at, lost if at else 0, max(0, filler)))
        return merged

    def stored(self, index: int) -> int:
        """The stored sample at `index`; for a lost one, the next that is stored."""
        i = max(0, bisect_right(self._places, index) - 1)
        after = self._begins[i + 1] if i + 1 < len(self._begins) else np.inf
        return int(min(self._begins[i] + max(0, index - self._places[i]), after))

    def until(self, stored: int) -> int:
        """The stored sample at which the unbroken stretch with stored sample `stored` ends."""
        i = max(0, bisect_right(self._begins, stored) - 1)
        return self._begins[i] + self.runs[i][1] - self.runs[i][0]

    def index(self, stored: int) -> int:
        """The sample index of stored sample `stored`."""
        i = max(0, bisect_right(self._begins, stored) - 1)
        return self._places[i] + stored - self._begins[i]

    def notes(self) -> tuple[str, ...]:
        """Notes on lengths that were assumed."""
        note = f"{self.unknown} break{'s' * (self.unknown > 1)} of unknown length: each counts as {UNKNOWN_S:g} s"
        return (note,) if self.unknown else ()
