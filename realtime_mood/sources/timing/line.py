"""Straight-line fit of time stamps over sample indices, and their jitter about it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

HISTORY_S = 30.0  # seconds of stamps that the line is fitted to
SPREAD_S = 10.0  # seconds of stamps from which their jitter is judged
POINT_S = 0.1  # seconds of stamps to a point of the fit
YOUNG_S = 3.0
"""Below this much history the slope of jittery stamps is the one given, and only the offset is fitted, on the last
second."""
REGULAR_S = 20e-6
"""Largest change of the residual between samples (s) for stamps that the sender computed, in nine of ten points: the
library changes its clock offset now and then. Measured stamps exceed it."""
LEAST_BATCHES = 4  # least number of batches for that judgement
ASTRAY = 0.25  # largest share of the first stamps that may precede their neighbour: repeated or late samples
HICCUP_S = 0.02  # a busy sender that stamps at sending may be late by this much for a while (s)


Index = TypeVar("Index", float, np.ndarray)
INDEX, STAMP, N, SQUARES, ROUGH = range(5)
"""Columns of a point: mean index, mean stamp (s), number of samples, sum of their squared residuals (s²), and largest
change of the residual from one to the next (s)."""


class ClockLine:
    """Time of each sample, by a line through (index, stamp); at first with a slope of 1 / `sfreq` (Hz)."""

    def __init__(self, sfreq: float) -> None:
        self.period = 1.0 / sfreq
        self.n_batches = 0  # of stamps: the library computes the stamps within a batch from the last one
        self.jitter_s: float | None = None  # standard deviation of the stamps about the line; None while unknown
        self._smooth = False
        self._anchor = (0.0, 0.0)
        self._per_point = max(1, round(POINT_S * sfreq))
        self._per_second = round(1.0 / POINT_S)
        self._points = np.empty((0, 5))
        self._sums = np.zeros(5)
        self._last_residual: float | None = None

    def at(self, index: Index) -> Index:
        """When sample `index` was taken, on the stamps' clock (s)."""
        return self._anchor[1] + (index - self._anchor[0]) * self.period

    @property
    def room(self) -> int:
        """Samples that still fit into the current point. Adding no more makes chunk sizes irrelevant."""
        return self._per_point - int(self._sums[N])

    @property
    def regular(self) -> bool:
        """Whether the stamps were computed, not measured: each lies on the line, so one lost sample is visible."""
        return self._smooth and self.n_batches >= LEAST_BATCHES

    def tolerance(self, most: float) -> float:
        """Largest distance of a stamp from the line that jitter explains (s); `most` while that is unknown."""
        if self.regular:
            return self.period / 2
        return most if self.jitter_s is None else min(most, max(HICCUP_S, 3 * self.jitter_s))

    def begin(self, index: int, stamps: np.ndarray) -> None:
        """Fit the line to the first stamps, from sample `index` on; some may be missing or repeated."""
        self._anchor = (index, float(stamps[0]))
        steps = np.diff(stamps)
        period = float(np.median(steps)) if len(steps) >= 8 else 0.0
        if not 0.5 * self.period < period < 2 * self.period:
            return
        whole = np.round(steps / period)
        if np.mean(whole < 1) > ASTRAY or np.sort(np.abs(steps - whole * period))[-2] > REGULAR_S:
            return
        x = np.concatenate(([0.0], np.cumsum(whole)))
        self.period, self._smooth = float(np.polyfit(x - x.mean(), stamps - stamps.mean(), 1)[0]), True

    def add(self, index: int, stamps: np.ndarray) -> None:
        """Update the line with the stamps of consecutive samples, at most `room` of them."""
        indices = index + np.arange(len(stamps))
        residuals = stamps - self.at(indices)
        steps = np.abs(residuals[1:] - residuals[:-1])
        first = 0.0 if self._last_residual is None else abs(residuals[0] - self._last_residual)
        self._last_residual = float(residuals[-1])
        sums = self._sums
        sums[:ROUGH] += len(stamps) * (indices[0] + indices[-1]) / 2, stamps.sum(), len(stamps), residuals @ residuals
        sums[ROUGH] = max(sums[ROUGH], first, steps.max(initial=0.0))
        if self.room <= 0:
            sums[:N] /= sums[N]
            self._points = np.concatenate((self._points[-round(HISTORY_S / POINT_S) + 1 :], sums[None]))
            self._sums = np.zeros(5)
            self._fit()

    def move(self, by: float) -> None:
        """Shift the line because the stamping clock was set by this much (s); the rate stays."""
        self._points[:, STAMP] += by
        self._sums[:] = 0
        self._anchor = (self._anchor[0], self._anchor[1] + by)
        self._last_residual = None

    def _fit(self) -> None:
        points, recent = self._points[:, : STAMP + 1], self._points[-round(SPREAD_S / POINT_S) :]
        settled = len(points) >= self._per_second / 2
        if settled:
            at = int(0.9 * (len(recent) - 1))
            self._smooth = bool(np.partition(recent[:, ROUGH], at)[at] <= REGULAR_S)
        if len(points) >= self._per_second:
            self.jitter_s = float(np.sqrt(recent[:, SQUARES].sum() / recent[:, N].sum()))
        old = points[-1, INDEX] - points[0, INDEX] >= YOUNG_S / self.period
        if not old and not self.regular:
            points = points[-self._per_second :]
        middle = points.mean(axis=0)
        if old or (self.regular and settled):
            x, y = (points - middle).T
            self.period = float(x @ y / (x @ x))
        self._anchor = (float(middle[0]), float(middle[1]))
