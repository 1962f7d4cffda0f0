"""Turns counted samples and jittery stamps into smooth times, and tells lost samples from late ones."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple, overload

import numpy as np

HISTORY_S = 30.0
"""Seconds of stamps that the line is fitted to."""
YOUNG_S = 3.0
"""Below this much history the slope is the nominal one and only the offset is fitted, on the last second."""
SURE_S = 0.2
"""A jump counts as a hole once the stamps have stayed on the far side of it for this long."""
HOLD_S = 5.0
"""Nothing is held back longer than this."""
SILENT_S = 0.5
"""Held samples are judged when nothing has followed them for this long."""
LEAST_HOLE_S = 0.1
"""Jumps below this are jitter."""


class Piece(NamedTuple):
    """Samples that are released: `n` of them, after `lost` that never came."""

    n: int
    lost: int


class SampleClock:
    """Counts samples against their stamps.

    Stamps of a live stream are late by some ms at random, drift against our clock, come late by seconds after a stall
    that lost nothing, and jump for good when samples were lost. So a slow straight line through (count, stamp) says
    when a sample was taken. Samples whose stamps leave the line are held back until it is clear which it was: after a
    late burst the stamps return to the line, after a loss they stay away. A jump into the future, which the arrival
    times do not share, is a step of the sender's clock: the line moves, nothing was lost.

    Parameters
    ----------
    sfreq : float
        The nominal sampling rate (Hz).
    """

    def __init__(self, sfreq: float) -> None:
        self.nominal = sfreq
        self.count = 0
        """Index of the next sample to be released, lost ones included."""
        self._period = 1.0 / sfreq
        self._anchor = (0.0, 0.0)
        self._points: deque[tuple[float, float]] = deque()
        self._sum = np.zeros(3)
        self._batches: deque[int] = deque([round(0.02 * sfreq) or 1], maxlen=32)
        self._lags: deque[float] = deque(maxlen=32)
        self._held = np.empty(0)
        self._held_lags: list[float] = []
        self._heard: float | None = None

    @property
    def sfreq(self) -> float:
        """The sampling rate as measured (Hz); nominal for the first seconds."""
        return 1.0 / self._period

    @property
    def holding(self) -> int:
        """How many samples are held back."""
        return len(self._held)

    @property
    def least_hole_s(self) -> float:
        """The shortest hole that can be told from jitter (s)."""
        return max(LEAST_HOLE_S, 3 * min(float(np.median(self._batches)) / self.nominal, 0.2))

    @overload
    def stamp(self, index: float) -> float: ...

    @overload
    def stamp(self, index: np.ndarray) -> np.ndarray: ...

    def stamp(self, index: float | np.ndarray) -> float | np.ndarray:
        """When sample `index` was taken, on the stamps' clock (s)."""
        return self._anchor[1] + (index - self._anchor[0]) * self._period

    def feed(self, stamps: np.ndarray, arrived: float) -> list[Piece]:
        """Take the stamps of the newest samples; say which samples may be passed on.

        Parameters
        ----------
        stamps : array (n,)
            One stamp a sample (s), oldest first; may be empty.
        arrived : float
            When they were received, on the stamps' clock (s).

        Returns
        -------
        list of Piece
            In order; their `n` add up to what was fed, less what is `holding`.
        """
        if len(stamps):
            if self._heard is None:
                self._anchor = (self.count, float(stamps[0]))
            self._heard = arrived
            self._batches.append(len(stamps))
            self._held_lags.append(arrived - float(stamps[-1]))
            self._held = np.concatenate((self._held, stamps))
        elif not self.holding or self._heard is None or arrived - self._heard < SILENT_S:
            return []
        return self._judge(final=not len(stamps))

    def release(self) -> list[Piece]:
        """Judge what is held back by what is known, because nothing will follow."""
        return self._judge(final=True)

    def _judge(self, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self.holding:
            residual = self._held - self.stamp(self.count + np.arange(self.holding))
            away = np.abs(residual) > self.least_hole_s
            on_line = int(np.argmax(away)) if away.any() else len(residual)
            if on_line:
                pieces.append(self._accept(on_line, 0))
                continue
            side = 1.0 if residual[0] > 0 else -1.0
            lowest = np.minimum.accumulate(side * residual)
            back = int(np.argmax(lowest <= self.least_hole_s)) if lowest[-1] <= self.least_hole_s else 0
            if back:  # a late burst: keep the count, and keep its stamps out of the line
                pieces.append(self._pass_by(back))
                continue
            # When the stamps last came clearly closer to the line: a burst still being delivered does so all the time.
            closer = int(np.argmax(lowest <= lowest[-1] + self.least_hole_s / 2))
            away_s = self._held[-1] - self._held[closer]
            if not (final or away_s >= SURE_S or abs(self._held[-1] - self._held[0]) >= HOLD_S):
                break
            pieces.append(self._rebase(float(np.median(residual[closer:]))))
        if not self.holding:
            self._lags.extend(self._held_lags)
            self._held_lags.clear()
        return pieces

    def _rebase(self, jump: float) -> Piece:
        """Take a jump for real: samples lost if time went by here too, else a step of the sender's clock."""
        usual, now = min(self._lags, default=0.0), min(self._held_lags, default=math.inf)
        from_the_future = now < min(usual - 0.5 * jump, -0.5 * LEAST_HOLE_S)
        lost = 0 if from_the_future else max(0, round(jump / self._period))
        step = jump - lost * self._period
        if abs(step) > LEAST_HOLE_S:
            self._points = deque((index, stamp + step) for index, stamp in self._points)
            self._sum[:] = 0
            self._anchor = (self._anchor[0], self._anchor[1] + step)
            self._lags.clear()
        self.count += lost
        residual = self._held - self.stamp(self.count + np.arange(self.holding))
        near = np.abs(residual) <= self.least_hole_s
        # At least one sample goes, so that judging always comes to an end.
        return self._accept(max(1, int(np.argmin(near)) if not near.all() else len(near)), lost)

    def _pass_by(self, n: int) -> Piece:
        self._held = self._held[n:]
        self.count += n
        return Piece(n, 0)

    def _accept(self, n: int, lost: int) -> Piece:
        """Release `n` samples and let their stamps move the line."""
        index = self.count + np.arange(n)
        self._sum += (n, index.sum(), self._held[:n].sum())
        piece = Piece(self._pass_by(n).n, lost)
        if self._sum[0] >= 0.1 * self.nominal:
            self._points.append((self._sum[1] / self._sum[0], self._sum[2] / self._sum[0]))
            self._sum[:] = 0
            self._fit()
        return piece

    def _fit(self) -> None:
        newest = self._points[-1][0]
        while newest - self._points[0][0] > HISTORY_S * self.nominal:
            self._points.popleft()
        points = np.array(self._points)
        if newest - points[0, 0] < YOUNG_S * self.nominal:
            points = points[points[:, 0] >= newest - self.nominal]
            middle = points.mean(axis=0)
        else:
            middle = points.mean(axis=0)
            x, y = (points - middle).T
            self._period = float(x @ y / (x @ x))
        self._anchor = (float(middle[0]), float(middle[1]))
