"""Gaps in the stream: short ones are interpolated for the filters, longer ones restart them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..types import Chunk


@dataclass(frozen=True, slots=True, eq=False)
class SampleRun:
    """Consecutive rows: (n_times, n_chans) float64 µV, the first at index `first`."""

    rows: np.ndarray
    received: bool
    """False for rows interpolated across a short gap."""
    first: int
    restart: bool
    """True when the filters must restart at ``rows[0]``."""


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
