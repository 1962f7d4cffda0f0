"""The last seconds of one channel on an even grid of time, with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from ..aux_ring import AuxSamples
from .measure import FLAT, NO_SIGNAL, SETTLING

Floats = NDArray[np.float64]

NEWEST_S = 2.0  # a channel without a value for this long has no signal (s)
FLAT_S = 3.0  # a channel with the same value for this long is flat (s)
SETTLED = 0.8  # share of a window that must have passed since the signal began or returned


@dataclass(frozen=True, slots=True, eq=False)
class SignalWindow:
    """One channel, evenly spaced, up to and with the moment `t`."""

    values: Floats
    """(n_times,) float64; where nothing is known, interpolated."""
    known: np.ndarray
    """(n_times,) bool: whether there is a sample."""
    sfreq: float
    """Hz."""

    @property
    def seconds(self) -> float:
        return len(self.values) / self.sfreq

    def last(self, seconds: float) -> SignalWindow:
        """Its last `seconds`."""
        n = max(1, round(seconds * self.sfreq))
        return SignalWindow(self.values[-n:], self.known[-n:], self.sfreq)

    def trouble(self) -> str:
        """Why nothing can be measured in this window; empty where something can."""
        if not self.known[-round(NEWEST_S * self.sfreq) :].any():
            return NO_SIGNAL
        first = int(np.argmax(self.known))
        if len(self.known) - first < SETTLED * len(self.known):
            return SETTLING
        newest = self.last(FLAT_S)
        return FLAT if np.ptp(newest.values[newest.known]) == 0 else ""


def window_of(samples: AuxSamples, channel: int, t: float, seconds: float, sfreq: float) -> SignalWindow:
    """The `seconds` of a channel that end at `t` (s, our clock), at `sfreq` Hz: only of samples up to `t`.

    Samples are averaged where there are more of them than that, and interpolated where there are not.
    """
    n = round(seconds * sfreq)
    values = np.asarray(samples.values[:, channel], np.float64)
    used = (samples.stamps <= t) & (samples.stamps > t - seconds) & np.isfinite(values)
    stamps, values = samples.stamps[used], values[used]
    if len(stamps) < 2:
        return SignalWindow(np.zeros(n), np.zeros(n, bool), sfreq)
    if (np.diff(stamps) <= 0).any():  # the sender's clock ran backwards
        stamps, at = np.unique(stamps, return_index=True)
        values = values[at]
    if len(stamps) > 1.5 * sfreq * (stamps[-1] - stamps[0]) + 1:
        cell = np.minimum(((t - stamps) * sfreq).astype(int), n - 1)
        count = np.bincount(cell, minlength=n)[::-1]
        total = np.bincount(cell, values, minlength=n)[::-1]
        known = count > 0
        at = np.flatnonzero(known)
        return SignalWindow(np.interp(np.arange(n), at, total[known] / count[known]), known, sfreq)
    grid = t - np.arange(n - 1, -1, -1) / sfreq
    after = np.clip(np.searchsorted(stamps, grid), 1, len(stamps) - 1)
    near = np.minimum(np.abs(grid - stamps[after - 1]), np.abs(grid - stamps[after]))
    return SignalWindow(np.interp(grid, stamps, values), near < 1.5 / sfreq, sfreq)


@cache
def _sections(low: float, high: float, sfreq: float) -> np.ndarray:
    if low:
        return np.asarray(butter(2, (low, high), "bandpass", fs=sfreq, output="sos"))
    return np.asarray(butter(2, high, "lowpass", fs=sfreq, output="sos"))


def filtered(values: Floats, band: tuple[float, float], sfreq: float) -> Floats:
    """`values` in a band (Hz), without delay: both ways over a window of the past. A lower edge of 0 is none."""
    return np.asarray(sosfiltfilt(_sections(*band, sfreq), values))
