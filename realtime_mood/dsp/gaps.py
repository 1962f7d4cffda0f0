"""Repair of the raw signal before the filters: short gaps are interpolated, steps of an electrode's offset removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..types import Chunk, Mask

JUMP_UV = 500.0  # from one sample to the next; the fastest in 4 h of good recordings was 433
STANDS_OUT = 10.0  # times the median difference of the previous hop: noise and mains, however large, are no steps


@dataclass(frozen=True, slots=True, eq=False)
class SampleRun:
    """Consecutive rows: (n_times, n_chans) float64 µV, the first at index `first`."""

    rows: np.ndarray
    received: bool  # false for rows interpolated across a short gap
    first: int
    restart: bool  # true when the filters must restart at ``rows[0]``


class GapFiller:
    """Interpolates gaps of at most `max_gap` samples linearly, and asks for a restart after longer ones.

    The output does not depend on how the stream is cut into chunks.
    """

    def __init__(self, n_chans: int, max_gap: int) -> None:
        self._max_gap = max_gap
        self._last: np.ndarray | None = None
        self._end = 0  # index after the newest row that was received
        self._fill = np.zeros(n_chans)  # replaces a single channel's unreadable sample

    def __call__(self, chunk: Chunk) -> Iterator[SampleRun]:
        """The runs in `chunk`, oldest first."""
        with np.errstate(invalid="ignore"):  # a signalling NaN
            rows = np.asarray(chunk.data, np.float64)
        finite = np.isfinite(rows)
        there = np.ones(len(rows), bool) if finite.all() else finite.any(axis=1)  # the latter is slow
        edges = np.flatnonzero(np.diff(there, prepend=False, append=False))
        for start, stop in edges.reshape(-1, 2).tolist():  # of each stretch of rows with a finite sample
            yield from self._run(rows[start:stop], finite[start:stop], chunk.first + start)

    def _run(self, rows: np.ndarray, finite: np.ndarray, first: int) -> Iterator[SampleRun]:
        rows = self._hold(rows, finite)
        gap = first - self._end
        restart = self._last is None or gap > self._max_gap
        if gap and not restart:
            weight = np.arange(1, gap + 1)[:, None] / (gap + 1)
            yield SampleRun(self._last + weight * (rows[0] - self._last), False, self._end, False)
        yield SampleRun(rows, True, first, restart)
        self._last, self._end = rows[-1], first + len(rows)

    def _hold(self, rows: np.ndarray, finite: np.ndarray) -> np.ndarray:
        """Keep an unreadable channel at its last value, so that it is judged flat and masked."""
        if not finite.all():
            at = np.maximum.accumulate(np.where(finite, np.arange(1, len(rows) + 1)[:, None], 0), axis=0)
            rows = np.take_along_axis(np.concatenate((self._fill[None], rows)), at, axis=0)
        self._fill = rows[-1]
        return rows


class StepRemover:
    """Subtracts every step of an electrode's offset from all later samples.

    A 0.5 Hz high-pass filter responds to a step of 4 mV with a transient that takes three seconds to fall below 10 µV.
    Slower changes pass unchanged. Where a channel was constant for a whole hop, its first change counts as a step.
    The output is bit-identical however the rows are cut.
    """

    def __init__(self, n_chans: int) -> None:
        self.restart(np.zeros(n_chans))

    def restart(self, row: np.ndarray) -> None:
        """Restart with `row` (n_chans,) as the previous sample."""
        self._last, self._offset = row, np.zeros(len(row))
        self._limit = np.full(len(row), JUMP_UV)
        self._begin_hop()

    def _begin_hop(self) -> None:
        self._sizes: list[np.ndarray] = []  # of the steps of this hop
        self._largest, self._jumped = np.zeros(len(self._last)), np.zeros(len(self._last), bool)

    def __call__(self, rows: np.ndarray, ends: Sequence[int] = ()) -> tuple[np.ndarray, list[Mask]]:
        """Process the next rows.

        Parameters
        ----------
        rows : (n_times, n_chans), µV
        ends : sequence of int
            Where hops end: the row after the last one of each.

        Returns
        -------
        level : (n_times, n_chans), µV
            The rows without steps; the same array where there are none.
        jumped : list of (n_chans,) bool
            For each hop that ends, the channels with a step within it.
        """
        steps = np.empty_like(rows)
        np.subtract(rows[0], self._last, out=steps[0])
        np.subtract(rows[1:], rows[:-1], out=steps[1:])
        sizes, level, jumped = np.abs(steps), rows, list[Mask]()
        for start, stop in pairwise(dict.fromkeys([0, *ends, len(rows)])):
            at = slice(start, stop)
            largest = sizes[at].max(axis=0)
            jumps = largest > self._limit
            if jumps.any() or self._offset.any():
                level = rows.copy() if level is rows else level
                level[at] = self._without(rows[at], np.where(sizes[at] > self._limit, steps[at], 0.0))
            self._sizes.append(sizes[at])
            self._largest, self._jumped = np.maximum(self._largest, largest), self._jumped | jumps
            if len(jumped) < len(ends):
                jumped.append(self._jumped)
                self._limit = self._next_limit()
                self._begin_hop()
        self._last = rows[-1]
        return level, jumped

    def _without(self, rows: np.ndarray, jumps: np.ndarray) -> np.ndarray:
        # One running sum from the offset on: sums per chunk would round differently for every way of cutting.
        offsets = np.cumsum(np.concatenate((self._offset[None], jumps)), axis=0)[1:]
        self._offset = offsets[-1]
        return rows - offsets

    def _next_limit(self) -> np.ndarray:
        """(n_chans,): smallest step within the next hop (µV), from the sizes of those within the one that ends."""
        limit = np.where(self._largest > 0, JUMP_UV, 0.0)
        unusual = self._largest > JUMP_UV / STANDS_OUT  # the median of the others is below it, too
        if unusual.any():
            usual = np.median(np.concatenate([sizes[:, unusual] for sizes in self._sizes]), axis=0)
            limit[unusual] = np.maximum(JUMP_UV, STANDS_OUT * usual)
        return limit
