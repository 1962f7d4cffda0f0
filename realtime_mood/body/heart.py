"""Heart beats from pulse waves (PPG) or an electrocardiogram, heart rate, and its variability as RMSSD.

Beats are found by two moving averages [1]_ [2]_. A beat counts where its wave resembles the usual one [3]_, and an
interval where both its beats do and it resembles its neighbours: what is doubtful makes a measure invalid, not wrong.
RMSSD of half a minute agrees well with that of five minutes at rest [4]_.

References
----------
.. [1] Elgendi, Norton, Brearley, Abbott, Schuurmans (2013), "Systolic peak detection in acceleration
   photoplethysmograms measured from emergency responders in tropical conditions", PLoS ONE 8(10): e76585.
.. [2] Elgendi (2013), "Fast QRS detection with an optimized knowledge-based method: evaluation on 11 standard ECG
   databases", PLoS ONE 8(9): e73557.
.. [3] Orphanidou, Bonnici, Charlton, Clifton, Vallance, Tarassenko (2015), "Signal-quality indices for the
   electrocardiogram and photoplethysmogram", IEEE J. Biomed. Health Inform. 19(3): 832-838.
.. [4] Munoz et al. (2015), "Validity of (ultra-)short recordings for heart rate variability measurements", PLoS ONE
   10(9): e0138921.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.stats import skew

from .measure import BAD_RATE, NOISY, SETTLING, BodyMeasure, invalid
from .window import Floats, SignalWindow, filtered

WINDOW_S = 32.0  # beats are looked for in so much (s)
RATE_S, VARIABILITY_S = 10.0, 30.0  # intervals that rate and variability are made of (s)
RATE_RANGE = (30.0, 200.0)  # 1/min
LEAST_COVERED = 0.6  # share of that time in valid intervals
NEIGHBOURS = 0.3  # an interval that differs more than this share from the median of five is not of one beat
MALIK = 0.2  # two intervals that differ more than this share: one ends with an extra beat
LEAST_PAIRS = 10
LEAST_CLEAR = 0.85  # quality below which noise would count as variability


@dataclass(frozen=True, slots=True)
class BeatMethod:
    """How beats of one kind of signal are found: the constants of [1]_, [2]_ and [3]_."""

    band: tuple[float, float]  # of the detection (Hz)
    shape: tuple[float, float]  # band in which waves are compared (Hz)
    event_s: float  # width of a peak (s)
    beat_s: float  # width of a beat (s)
    offset: float  # of the threshold, as share of the mean
    alike: float  # least correlation with the usual wave
    least_hz: float  # sampling rate below which there is none


PPG = BeatMethod((0.5, 8.0), (0.5, 8.0), 0.111, 0.667, 0.02, 0.86, 20.0)
ECG = BeatMethod((8.0, 20.0), (1.0, 30.0), 0.097, 0.611, 0.08, 0.66, 100.0)
REFRACTORY_S = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Beats of a window."""

    at: Floats
    """(n_beats,), s after the window's beginning."""
    alike: Floats
    """(n_beats,): correlation with the usual wave; NaN where a part of the wave is unknown."""
    is_good: np.ndarray
    """(n_beats,) bool."""

    @property
    def intervals(self) -> Floats:
        """(n_beats - 1,), s: NaN where one is not of two good beats in a row."""
        gaps, good = np.diff(self.at), self.is_good[:-1] & self.is_good[1:]
        low, high = 60 / RATE_RANGE[1], 60 / RATE_RANGE[0]
        gaps = np.where(good & (gaps >= low) & (gaps <= high), gaps, np.nan)
        padded = np.concatenate([[np.nan] * 2, gaps, [np.nan] * 2])
        around = np.lib.stride_tricks.sliding_window_view(padded, 5) if len(gaps) else np.empty((0, 5))
        usual = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in around])
        return np.where(np.abs(gaps - usual) <= NEIGHBOURS * usual, gaps, np.nan)


def beats_of(window: SignalWindow, method: BeatMethod) -> Beats:
    """The beats in a window of PPG or ECG, whichever way up."""
    sfreq, x = window.sfreq, filtered(window.values, method.band, window.sfreq)
    if method is PPG:  # waves rise faster than they fall; some sensors give light, which falls with blood
        x = x * (1 if skew(np.diff(x)) >= 0 else -1)
        energy = np.square(np.maximum(x, 0))
    else:
        energy, x = np.square(x), np.abs(x)
    event = uniform_filter1d(energy, max(1, round(method.event_s * sfreq)))
    beat = uniform_filter1d(energy, max(1, round(method.beat_s * sfreq)))
    above = event > beat + method.offset * energy.mean()
    peaks = list[int]()
    for a, b in np.flatnonzero(np.diff(above, prepend=False, append=False)).reshape(-1, 2).tolist():
        if b - a < round(method.event_s * sfreq):
            continue
        top = a + int(np.argmax(x[a:b]))
        if peaks and top - peaks[-1] < REFRACTORY_S * sfreq:
            if x[top] > x[peaks[-1]]:
                peaks[-1] = top
        else:
            peaks.append(top)
    return _judged(window, np.array(peaks, int), x, method)


def _judged(window: SignalWindow, peaks: np.ndarray, x: Floats, method: BeatMethod) -> Beats:
    """The beats at these samples, with how much their waves resemble the usual one."""
    n, sfreq = len(x), window.sfreq
    shape = filtered(window.values, (method.shape[0], min(method.shape[1], 0.45 * sfreq)), sfreq)
    half = int(np.median(np.diff(peaks)) / 2) if len(peaks) > 2 else n
    alike = np.full(len(peaks), np.nan)
    inside = np.flatnonzero((peaks >= half) & (peaks + half < n))
    unknown = np.concatenate([[0], np.cumsum(~window.known)])
    inside = inside[unknown[peaks[inside] + half + 1] == unknown[peaks[inside] - half]]
    if len(inside) > 2:
        waves = shape[peaks[inside][:, None] + np.arange(-half, half + 1)]
        usual = np.median(waves, axis=0)
        waves, usual = waves - waves.mean(axis=1, keepdims=True), usual - usual.mean()
        size = np.linalg.norm(waves, axis=1) * np.linalg.norm(usual)
        alike[inside] = waves @ usual / np.maximum(size, 1e-300)
    return Beats(_refined(x, peaks) / sfreq, alike, alike >= method.alike)


def _refined(x: Floats, peaks: np.ndarray) -> Floats:
    """Peaks between samples, by a parabola through three."""
    at = np.clip(peaks, 1, len(x) - 2)
    left, top, right = x[at - 1], x[at], x[at + 1]
    bend = left - 2 * top + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1), 0.0)
    return np.asarray(at + np.clip(shift, -0.5, 0.5), np.float64)


def heart(window: SignalWindow, method: BeatMethod) -> tuple[BodyMeasure, BodyMeasure]:
    """Heart rate and RMSSD at the end of a window."""
    if why := BAD_RATE if window.sfreq < method.least_hz else window.last(RATE_S).trouble():
        return invalid("heart_rate", why), invalid("rmssd", why)
    beats = beats_of(window, method)
    intervals, alike, since = beats.intervals, beats.alike[1:], beats.at[1:] - window.seconds
    there = np.isfinite(intervals)
    if not there.any():
        return invalid("heart_rate", NOISY), invalid("rmssd", NOISY)
    usual = float(np.median(intervals[there]))

    def quality(seconds: float) -> tuple[float, float]:
        """Share of the last `seconds` in valid intervals (the newest is not judged yet), and the quality with it."""
        used = there & (since > -seconds)
        covered = min(1.0, float(intervals[used].sum()) / (seconds - 1.5 * usual))
        return covered, covered * float(alike[used].mean()) if used.any() else 0.0

    covered, good = quality(RATE_S)
    mean = float(intervals[there & (since > -RATE_S)].mean()) if covered >= LEAST_COVERED else np.nan
    rate = BodyMeasure("heart_rate", 60 / mean, good) if mean > 0 else invalid("heart_rate", NOISY, good)
    if window.last(VARIABILITY_S).trouble():
        return rate, invalid("rmssd", SETTLING)
    recent, (_, good) = since[1:] > -VARIABILITY_S, quality(VARIABILITY_S)
    changes = np.diff(intervals)[recent]
    changes = changes[np.abs(changes) <= MALIK * intervals[:-1][recent]]
    if good < LEAST_CLEAR or len(changes) < LEAST_PAIRS:
        return rate, invalid("rmssd", NOISY, good)
    return rate, BodyMeasure("rmssd", 1e3 * float(np.sqrt(np.mean(np.square(changes)))), good)
