"""Repair of the raw signal before the filters: short gaps are interpolated, steps of an electrode's offset removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
        edges = np.flatnonzero(np.diff(finite.any(axis=1), prepend=False, append=False))
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
        self._jumps: list[np.ndarray] = []  # of the current hop, as is the next
        self._steps: list[np.ndarray] = []

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The rows (n_times, n_chans) without steps."""
        steps = np.diff(rows, axis=0, prepend=self._last[None])
        jumps = np.where(np.abs(steps) > self._limit, steps, 0.0)
        # One running sum from the offset on: sums per chunk would round differently for every way of cutting.
        offsets = np.cumsum(np.concatenate((self._offset[None], jumps)), axis=0)[1:]
        self._last, self._offset = rows[-1], offsets[-1]
        self._jumps.append(jumps)
        self._steps.append(np.abs(steps))
        return rows - offsets

    def end_hop(self) -> Mask:
        """(n_chans,): channels with a step within the hop that ends here."""
        jumped = np.asarray(np.concatenate(self._jumps).any(axis=0))
        steps = np.concatenate(self._steps)
        usual = np.maximum(JUMP_UV, STANDS_OUT * np.median(steps, axis=0))
        self._limit = np.where(steps.any(axis=0), usual, 0.0)
        self._jumps, self._steps = [], []
        return jumped
