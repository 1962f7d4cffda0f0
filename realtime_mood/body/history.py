"""The measures of the body over a session, for lines on a screen."""

from __future__ import annotations

import numpy as np

from .measure import UNITS, BodyReading
from .window import Floats

KEPT_S = 4 * 3600  # at least so many readings are kept, one a second


class BodyHistory:
    """The readings of a run; written by one thread, read by any."""

    def __init__(self) -> None:
        self._rows, self._n = np.empty((2 * KEPT_S, 1 + len(UNITS))), 0
        self.latest: BodyReading | None = None
        """The newest; None before the first."""

    def add(self, reading: BodyReading) -> None:
        """Keep a reading."""
        if self._n == len(self._rows):
            rows = np.empty_like(self._rows)  # another thread may still show the old ones
            rows[:KEPT_S] = self._rows[-KEPT_S:]
            self._rows, self._n = rows, KEPT_S
        values = {it.name: it.number for it in reading.measures}
        self._rows[self._n] = (reading.t, *(values.get(name, np.nan) for name in UNITS))
        self._n += 1
        self.latest = reading

    def lines(self) -> tuple[Floats, Floats]:
        """When (n_times,) (s, our clock), and the values (n_times, 6) in the order of `UNITS`; NaN where invalid."""
        n, rows = self._n, self._rows  # in this order: new rows begin with as many or fewer
        return rows[: min(n, len(rows)), 0], rows[:n, 1:]
