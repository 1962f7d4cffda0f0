"""Turns a board's numbered and stamped rows into chunks with lost samples counted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from ...types import Chunk, Impedance, Marker
from .counter import DROPPED, Cycle, PackageCounter, learn
from .rate import measured_rate, real_rate
from .sample_clock import SampleClock

LEARN_S = 0.3  # seconds of samples from which an unknown numbering is estimated
LONG_S = 2.0  # after a longer gap (s) the clock restarts; lost samples stay counted
IMPEDANCE_S = 1.0  # least interval between impedance reports (s)
MOST_OFF = 0.1
"""Largest deviation (share) of a board's rate from the announced one; a larger one is of a file played too fast."""


def sfreq_of(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], cycles: tuple[Cycle, ...], announced: float
) -> tuple[float, str]:
    """The sampling rate (Hz) from the first seconds of a stream, and a note if it is unusual.

    `batches` are (package numbers, stamps in s) as they came, `cycles` how the board numbers its packages, and
    `announced` is its nominal rate (Hz).
    """
    counter, came, counts, last = PackageCounter(cycles, announced), 0, [], []
    for numbers, stamps in batches:
        lost = counter.feed(numbers, stamps)
        came += int((lost[lost != DROPPED] + 1).sum())
        if len(stamps):
            counts.append(came)
            last.append(stamps[-1])
    sfreq, odd = real_rate(announced, measured_rate(np.array(counts), np.array(last)))
    return (sfreq, odd) if abs(sfreq / announced - 1) <= MOST_OFF else (announced, "")


class Packages:
    """Counts rows of `n_chans` channels by their package numbers and times them by their stamps.

    Chunks have `n_beside` more columns, of other signals in the same packages.

    The counter is exact up to whole cycles, which the clock provides: the clock is given a place for each lost sample,
    and a gap that it still finds is rounded to whole cycles. Where the numbers fit none of `cycles`, the clock counts
    alone; without `cycles`, they are learnt from the first packages.
    """

    def __init__(self, sfreq: float, n_chans: int, cycles: tuple[Cycle, ...], n_beside: int = 0) -> None:
        self._sfreq, self._n_columns = sfreq, n_chans + n_beside
        self._counter = PackageCounter(cycles, sfreq) if cycles else None
        self._waiting: list[tuple[np.ndarray, ...]] = []
        self._samples = SampleClock(sfreq)
        self._rows = np.empty((0, self._n_columns + 1))
        self._real = np.empty(0, bool)
        self._stamp = 0.0
        self._owed = 0
        self._end = 0
        self._kohm = np.full(n_chans, np.nan)
        self._reported = -math.inf, self._kohm  # impedances, and after which sample

    def measure(self, kohm: np.ndarray) -> None:
        """Store impedances for the next sample. NaN leaves a channel unchanged."""
        self._kohm = np.where(np.isfinite(kohm), kohm, self._kohm)

    def feed(
        self, rows: np.ndarray, markers: np.ndarray, numbers: np.ndarray, stamps: np.ndarray, arrived: float
    ) -> list[Chunk]:
        """Process the newest rows (n, n_chans + n_beside); return those whose count is certain.

        Each row has a marker (0 for none), a package number and a stamp (s, our clock): arrays (n,). They `arrived` now
        (s, our clock).
        """
        if self._counter is None:
            self._waiting.append((rows, markers, numbers, stamps))
            if sum(len(batch[2]) for batch in self._waiting) < max(32, LEARN_S * self._sfreq):
                return []
            return self._learn(arrived)
        return self._count(rows, markers, numbers, stamps, arrived)

    def release(self, arrived: float) -> list[Chunk]:
        """Return the rows held back, because nothing will follow."""
        learnt = self._learn(arrived) if self._waiting else []
        return [*learnt, *self._pass_on(self._samples.release(), arrived)]

    def _learn(self, arrived: float) -> list[Chunk]:
        """Learn the numbering from the rows that waited, and count them."""
        rows, markers, numbers, stamps = map(np.concatenate, zip(*self._waiting, strict=True))
        self._waiting.clear()
        self._counter = PackageCounter(learn(numbers), self._sfreq, learning=True)
        return self._count(rows, markers, numbers, stamps, arrived)

    def _count(
        self, rows: np.ndarray, markers: np.ndarray, numbers: np.ndarray, stamps: np.ndarray, arrived: float
    ) -> list[Chunk]:
        assert self._counter is not None
        stamps = np.where(np.isfinite(stamps), stamps, arrived)
        lost = self._counter.feed(numbers, stamps)
        kept = lost != DROPPED
        rows, stamps, lost = np.column_stack((rows, markers))[kept], stamps[kept], lost[kept]
        chunks: list[Chunk] = []
        cuts = np.flatnonzero(lost > LONG_S * self._sfreq)
        for part in np.split(np.arange(len(rows)), cuts):
            if len(part) and lost[part[0]] > LONG_S * self._sfreq:
                chunks += self._pass_on(self._samples.release(), arrived)
                self._samples, self._owed = SampleClock(self._sfreq), self._owed + int(lost[part[0]])
                lost[part[0]] = 0
            chunks += self._run(rows[part], stamps[part], lost[part], arrived)
        return chunks

    def _run(self, rows: np.ndarray, stamps: np.ndarray, lost: np.ndarray, arrived: float) -> list[Chunk]:
        """Pass rows without a long gap to the clock, with places for lost ones."""
        where = np.arange(len(rows)) + np.cumsum(lost)
        n = int(where[-1]) + 1 if len(where) else 0
        spaced, real = np.full((n, self._n_columns + 1), np.nan), np.zeros(n, bool)
        spaced[where], real[where] = rows, True
        # A lost sample is stamped as if it had followed the last received one: another lost cycle is then a jump at the
        # next received one.
        last = np.concatenate((np.full(int(where[0]) if n else 0, -1), np.repeat(where, np.diff(where, append=n))))
        known = np.full(n + 1, self._stamp)
        known[where] = stamps
        full = known[last] + (np.arange(n) - last) / self._sfreq
        if n:
            self._stamp = float(stamps[-1])
        self._rows, self._real = np.concatenate((self._rows, spaced)), np.concatenate((self._real, real))
        return list(self._pass_on(self._samples.feed(full, arrived), arrived))

    def _pass_on(self, pieces: list, arrived: float) -> Iterator[Chunk]:
        cycle = self._counter.cycle if self._counter else None
        end = self._samples.count - sum(piece.n + piece.lost for piece in pieces)
        for piece in pieces:
            whole = cycle.n_samples if cycle else 1
            self._owed += round(piece.lost / whole) * whole
            start, end = end + piece.lost, end + piece.lost + piece.n
            # Samples accepted by their package numbers are new, regardless of their stamps.
            dropped, n = (0, piece.dropped + piece.n) if cycle else (piece.dropped, piece.n)
            rows, self._rows = np.split(self._rows[dropped:], [n])
            real, self._real = np.split(self._real[dropped:], [n])
            for run in np.split(np.arange(n), np.flatnonzero(np.diff(real)) + 1):
                if len(run) and not real[run[0]]:
                    self._owed += len(run)
                elif len(run):
                    yield self._chunk(rows[run], min(arrived, float(self._samples.stamp(start + run[-1]))))

    def _chunk(self, rows: np.ndarray, t_last: float) -> Chunk:
        first, lost = self._end + self._owed, self._owed
        self._end, self._owed = first + len(rows), 0
        marks = rows[:, -1]
        marked = np.flatnonzero(np.isfinite(marks) & (marks != 0))
        markers = tuple(Marker(first + int(i), f"{marks[i]:g}") for i in marked)
        return Chunk(rows[:, :-1].astype(np.float32), first, t_last, lost, markers, self._impedances())

    def _impedances(self) -> tuple[Impedance, ...]:
        at, rounded, (last, reported) = self._end - 1, np.round(self._kohm), self._reported
        if at < last + IMPEDANCE_S * self._sfreq or np.array_equal(rounded, reported, equal_nan=True):
            return ()
        self._reported = at, rounded
        return (Impedance(at, rounded),)
