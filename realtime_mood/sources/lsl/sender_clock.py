"""The clock of a sender, followed through drift and steps: its stamps and offsets stay on one continuous clock."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import NamedTuple

from ...auxiliary import SenderClock

FASTEST = 1e-3  # no clock drifts faster than this
LEAST_STEP_S = 0.001  # smaller steps are not told from the errors of the measurements (s)
EARLY_S = 0.005  # a sample that arrives earlier than all others by this much (s) may be stamped by a clock that was set
LATE_S = 0.02  # likewise later, where nothing else shows it
MOST_S = 60.0  # stamps that are off by more than this (s) are not those of a clock
LAGS = 32  # number of recent arrivals that are compared


class ClockMeasurement(NamedTuple):
    """A measurement of a sender's clock by LSL."""

    at: float  # when (s, the sender's clock)
    correction: float  # LSL's clock here minus the sender's (s)
    error: float  # how far it may be wrong at most (s)


class SenderClockWatch:
    """Measurements of a sender's clock, without the steps.

    A clock that is set changes the stamps at once, and the offset with the next measurement. Readers of a recording fit
    one line through the offsets, so a step would move all stamps. Here both are kept on the clock as it was before:
    `stepped` is subtracted from stamps, and `clock` is without it.
    """

    def __init__(self, first: ClockMeasurement, to_ours: float) -> None:
        self.stepped = 0.0  # total of the steps so far (s)
        self._to_ours = to_ours  # from LSL's clock to ours (s)
        self._last = first
        self._lags: deque[float] = deque(maxlen=LAGS)

    @property
    def clock(self) -> SenderClock:
        """The newest measurement, on the continuous clock."""
        return SenderClock(self._last.at - self.stepped, self.offset + self.stepped)

    @property
    def offset(self) -> float:
        """From the sender's clock as it is now to ours (s)."""
        return self._last.correction + self._to_ours

    def measured(self, new: ClockMeasurement) -> float | None:
        """Take a measurement; return when the last one was made (s, LSL's clock here), if the clock was set since."""
        passed, jump = new.at - self._last.at, new.correction - self._last.correction
        was_set = abs(jump) > LEAST_STEP_S + new.error + self._last.error + FASTEST * abs(passed + jump)
        if was_set:
            self.stepped -= jump
            self._lags.clear()
        last, self._last = self._last, new
        return last.at + last.correction if was_set else None

    def is_suspect(self, lag: float, regular: bool) -> bool:
        """Whether a sample that arrived `lag` s after its stamp may be stamped by a clock that was set meanwhile.

        A late one may only have been delayed; in a regular stream the others tell.
        """
        lags = self._lags
        if not lags or not abs(lag - lags[-1]) < MOST_S:
            return False
        least, usual = min(lags), median(lags)
        is_early = lag < least - max(EARLY_S, 2 * (usual - least))
        return is_early or (not regular and lag > usual + max(LATE_S, 4 * (usual - least)))

    def arrived(self, lag: float) -> None:
        """Note how long after its stamp a sample arrived (s)."""
        if math.isfinite(lag):
            self._lags.append(lag)

    def is_after(self, arrived: float) -> bool:
        """Whether the newest measurement was made after this time (s, LSL's clock here)."""
        return self._last.at + self._last.correction > arrived
