"""Package counters: the number of samples lost before each package of a board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DROPPED = -1  # marks a sample that is a repetition, or too late: it was counted as lost already
LATE = 12
"""A package at most this many places back, without time passing, is late or repeated, not a loss of nearly a cycle."""
SMALL = 512  # a loss of more samples than this must have taken the corresponding time; else the counter restarted
ENDLESS = range(2**53)


class Cycle(NamedTuple):
    """Numbering of a board's packages."""

    numbers: range | tuple[int, ...] = range(256)  # in their order; after the last comes the first
    per: int = 1  # samples that share a number
    every: int = 1  # step between the numbers of consecutive packages
    alone: int | None = None  # the number that occurs once where others occur `per` times

    @property
    def n_samples(self) -> int:
        """Samples per cycle."""
        return len(self.numbers) * self.per - (0 if self.alone is None else self.per - 1)

    def copies(self, number: int) -> int:
        """How many samples carry it."""
        return 1 if number == self.alone else self.per

    def ahead(self, a: int, b: int) -> int:
        """Number of places from `a` to `b`: 1 for the next one, 0 for itself."""
        at = self.numbers.index
        return (at(b // self.every) - at(a // self.every)) % len(self.numbers)

    def between(self, a: int, b: int) -> int:
        """Samples after package `a` and before `b`; a whole cycle less its own for the same number."""
        packages = (self.ahead(a, b) - 1) % len(self.numbers)
        skipped = packages * self.per
        if self.alone is not None and 0 < self.ahead(a, self.alone) <= packages:
            skipped -= self.per - 1
        return skipped


def learn(numbers: Sequence[float] | NDArray[np.float64]) -> tuple[Cycle, ...]:
    """Possible numberings of an unknown board, from its first package numbers, the shortest first.

    Empty where the numbers are no counter, or repeat within these first ones, so that stamps are more informative.
    """
    seen = np.asarray(numbers, np.float64)
    if len(seen) < 8 or not np.all(np.isfinite(seen) & (seen >= 0) & (seen < ENDLESS.stop) & (seen % 1 == 0)):
        return ()
    starts = np.flatnonzero(np.diff(seen)) + 1
    lengths, steps = np.diff(starts), np.diff(seen[starts])
    again = int(((steps < 0) & (seen[starts[1:]] == seen.min())).sum())
    steps = steps[steps > 0]
    if not len(lengths) or not len(steps) or again > 1:
        return ()
    (per, n_per), *_ = Counter(lengths.tolist()).most_common(1)
    (every, n_every), *_ = Counter(steps.astype(int).tolist()).most_common(1)
    if n_per < 0.8 * len(lengths) or n_every < 0.8 * len(steps):
        return ()
    tops = (256, 65536, ENDLESS.stop)
    return tuple(Cycle(range(max(1, top // every)), per, every) for top in tops)


def _with(number: float, cycles: Sequence[Cycle]) -> list[Cycle]:
    """Those of `cycles` in which a package may have this number."""
    return [cycle for cycle in cycles if number % 1 == 0 and int(number) // cycle.every in cycle.numbers]


class PackageCounter:
    """Counts lost samples by package numbers, at `sfreq` Hz.

    Losses are exact modulo a cycle; the number of whole cycles has to come from a clock. Of the possible `cycles` the
    first one that contains all numbers is used; without any, there is no counter. While `learning`, they are estimates,
    whose end shows when the numbers fall without time passing.
    """

    def __init__(self, cycles: Sequence[Cycle], sfreq: float, *, learning: bool = False) -> None:
        self._cycles, self._sfreq, self._learning = list(cycles), sfreq, learning
        self._guesses = tuple(cycles)
        self._newest: int | None = None
        self._lowest = ENDLESS.stop
        self._longest = 0.0  # samples that went by between neighbours, by jittery stamps
        self._copies, self._whole = 0, False
        self._stamp = float("nan")

    @property
    def cycle(self) -> Cycle | None:
        """The numbering in use; None when the numbers fit none, permanently."""
        return self._cycles[0] if self._cycles else None

    def feed(self, numbers: np.ndarray, stamps: np.ndarray) -> NDArray[np.int64]:
        """Samples lost just before each of the newest ones, (n,); `DROPPED` for one to omit.

        Of each there is a package number and a stamp (s).
        """
        pairs = zip(np.asarray(numbers).tolist(), np.asarray(stamps).tolist(), strict=True)
        return np.fromiter((self._lost(number, stamp) for number, stamp in pairs), np.int64)

    def _lost(self, number: float, stamp: float) -> int:
        self._cycles = _with(number, self._cycles)
        if not self._cycles and self._learning:  # what was learnt as the end of the cycle was a gap
            self._cycles = _with(number, self._guesses)
        if (cycle := self.cycle) is None:
            return 0
        number = int(number)
        lowest, self._lowest = self._lowest, min(self._lowest, number)
        if self._newest is None:
            return self._go_on(number, stamp, 0)
        if number == self._newest and self._copies < cycle.copies(number):
            self._copies, self._stamp = self._copies + 1, stamp
            return 0
        # Of the package the stream began with, only what came is known.
        rest = max(0, cycle.copies(self._newest) - self._copies) if self._whole else 0
        lost = rest + cycle.between(self._newest, number)
        elapsed = (stamp - self._stamp) * self._sfreq
        in_no_time = not elapsed > lost / 2
        if in_no_time and cycle.ahead(number, self._newest) <= LATE and lost > LATE:
            return DROPPED
        restarts = number <= lowest and lost > rest and not elapsed > max(lost / 2, self._longest)
        if self._learning and number < self._newest and (restarts or (in_no_time and lost > LATE)):
            last = self._newest // cycle.every
            self._cycles = [cycle._replace(numbers=range(number // cycle.every, last + 1))]
            lost = rest
        elif in_no_time and (lost > SMALL or (lost > LATE and number // cycle.every == cycle.numbers[0])):
            lost = 0  # the counter restarted
        elif not lost:
            self._longest = max(elapsed, 0.999 * self._longest)
        self._whole = True
        return self._go_on(number, stamp, lost)

    def _go_on(self, number: int, stamp: float, lost: int) -> int:
        self._newest, self._copies, self._stamp = number, 1, stamp
        return lost
