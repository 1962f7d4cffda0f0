"""The measures of the body over a session, for lines on a screen."""

from __future__ import annotations

import numpy as np

from .measure import UNITS, BodyReading
from .window import Floats

KEPT_S = 4 * 3600  # at least so many readings are kept, one a second


class BodyHistory:
    """The readings of a run; written by one thread, read by any."""

    def __init__(self) -> None:
        self._kept = np.empty((2 * KEPT_S, 1 + len(UNITS))), 0
        """Rows and how many of them are filled: replaced together, since another thread may read them at any moment."""
        self.latest: BodyReading | None = None
        """The newest; None before the first."""

    def add(self, reading: BodyReading) -> None:
        """Keep a reading."""
        rows, n = self._kept
        if n == len(rows):
            rows, n = np.concatenate([rows[-KEPT_S:], np.empty_like(rows[KEPT_S:])]), KEPT_S
        values = {it.name: it.number for it in reading.measures}
        rows[n] = (reading.t, *(values.get(name, np.nan) for name in UNITS))
        self._kept, self.latest = (rows, n + 1), reading

    def lines(self) -> tuple[Floats, Floats]:
        """When (n_times,) (s, our clock), and the values (n_times, 6) in the order of `UNITS`; NaN where invalid."""
        rows, n = self._kept
        return rows[:n, 0], rows[:n, 1:]
