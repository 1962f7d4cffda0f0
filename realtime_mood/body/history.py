"""The measures of the body over a session, for lines on a screen."""

from __future__ import annotations

from collections import deque

import numpy as np

from .measure import UNITS, BodyReading
from .window import Floats

KEPT_S = 4 * 3600  # so many readings are kept, one a second


class BodyHistory:
    """The readings of a run; written by one thread, read by any."""

    def __init__(self) -> None:
        self._rows: deque[tuple[float, ...]] = deque(maxlen=KEPT_S)
        self.latest: BodyReading | None = None
        """The newest; None before the first."""

    def add(self, reading: BodyReading) -> None:
        """Keep a reading."""
        values = {it.name: it.number for it in reading.measures}
        self._rows.append((reading.t, *(values.get(name, np.nan) for name in UNITS)))
        self.latest = reading

    def lines(self) -> tuple[Floats, Floats]:
        """When (n_times,) (s, our clock), and the values (n_times, 6) in the order of `UNITS`; NaN where invalid."""
        while True:
            try:
                rows = np.array(self._rows, np.float64).reshape(-1, 1 + len(UNITS))
            except RuntimeError:  # it grew meanwhile
                continue
            return rows[:, 0], rows[:, 1:]
