"""Turns chunks with missing samples into runs of rows the filters can take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..types import Chunk, Mask


@dataclass(frozen=True, slots=True, eq=False)
class SampleRun:
    """Consecutive rows: (n_times, n_chans) float64 µV, the first at index `first`."""

    rows: np.ndarray
    received: bool
    """False for rows made up to bridge a short hole."""
    first: int
    restart: bool
    """True when the filters must start anew at ``rows[0]``."""


class GapFiller:
    """Bridges holes of at most `max_hole` samples by straight lines; after longer ones asks for a restart.

    How the stream is cut into chunks makes no difference to what comes out.
    """

    def __init__(self, n_chans: int, max_hole: int) -> None:
        self._max_hole = max_hole
        self._last: np.ndarray | None = None
        self._end = 0  # index after the newest row that was received
        self._fill = np.zeros(n_chans)  # what stands in for a single channel's unreadable sample

    def __call__(self, chunk: Chunk) -> Iterator[SampleRun]:
        """The runs in `chunk`, oldest first."""
        with np.errstate(invalid="ignore"):  # a NaN of the signalling kind
            rows = np.asarray(chunk.data, np.float64)
        finite = np.asarray(np.isfinite(rows))
        there: Mask = np.any(finite, axis=1)
        for start, stop in _stretches(there):
            yield from self._run(rows[start:stop], finite[start:stop], chunk.first + start)

    def _run(self, rows: np.ndarray, finite: np.ndarray, first: int) -> Iterator[SampleRun]:
        rows = self._hold(rows, finite)
        hole = first - self._end
        restart = self._last is None or hole > self._max_hole
        if hole and not restart:
            weight = np.arange(1, hole + 1)[:, None] / (hole + 1)
            yield SampleRun(self._last + weight * (rows[0] - self._last), False, self._end, False)
        yield SampleRun(rows, True, first, restart)
        self._last, self._end = rows[-1], first + len(rows)

    def _hold(self, rows: np.ndarray, finite: np.ndarray) -> np.ndarray:
        """Let a channel that is unreadable keep its last value: it shows as flat, and is masked as such."""
        if not finite.all():
            at = np.maximum.accumulate(np.where(finite, np.arange(1, len(rows) + 1)[:, None], 0), axis=0)
            rows = np.take_along_axis(np.concatenate((self._fill[None], rows)), at, axis=0)
        self._fill = rows[-1]
        return rows


def _stretches(there: Mask) -> Iterator[tuple[int, int]]:
    """(start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
