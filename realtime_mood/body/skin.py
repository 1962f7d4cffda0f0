"""Skin conductance: its level, and responses per minute.

Limits of value and slope tell what is no skin conductance [1]_; a response rises by at least 0.05 µS from trough to
peak, in 0.5 to 5 s [2]_.

References
----------
.. [1] Kleckner et al. (2018), "Simple, transparent, and flexible automated quality assessment procedures for ambulatory
   electrodermal activity data", IEEE Trans. Biomed. Eng. 65(7): 1460-1467.
.. [2] Boucsein (2012), "Electrodermal activity", 2nd ed., Springer; Boucsein et al. (2012), "Publication
   recommendations for electrodermal measurements", Psychophysiology 49: 1017-1034.
"""

from __future__ import annotations

import numpy as np

from .measure import BAD_RATE, NOISY, OUT_OF_RANGE, SETTLING, BodyMeasure, invalid
from .window import SignalWindow, filtered

WINDOW_S = 50.0  # responses are counted in so much (s); the newest minute is kept
LEVEL_S = 10.0  # the level is the median of so much (s)
LEAST_HZ = 2.0
RANGE_US = (0.05, 60.0)
STEEPEST = 10.0  # µS/s
AROUND_S = 1.0  # samples so near to one out of range or too steep do not count (s)
LEAST_USABLE = 0.8
RESPONSE_HZ = 1.0  # responses are slower than this (Hz)
LEAST_RISE_US = 0.05
RISE_S = (0.5, 5.0)


def skin(window: SignalWindow) -> tuple[BodyMeasure, BodyMeasure]:
    """Level (µS) and responses (1/min) of a window in µS."""
    newest = window.last(LEVEL_S)
    if why := BAD_RATE if window.sfreq < LEAST_HZ else newest.trouble():
        return invalid("skin_conductance", why), invalid("skin_responses", why)
    usable, in_range = _usable(window)
    share = float(usable[-len(newest.values) :].mean())
    if share < LEAST_USABLE:
        outside = (~in_range[-len(newest.values) :]).mean() > 1 - LEAST_USABLE
        why = OUT_OF_RANGE if outside else NOISY
        return invalid("skin_conductance", why, share), invalid("skin_responses", why, share)
    level = BodyMeasure("skin_conductance", float(np.median(newest.values[usable[-len(newest.values) :]])), share)
    if window.trouble():
        return level, invalid("skin_responses", SETTLING)
    share = float(usable.mean())
    if share < LEAST_USABLE:
        return level, invalid("skin_responses", NOISY, share)
    n, minutes = _responses(window, usable), float(usable.sum()) / window.sfreq / 60
    return level, BodyMeasure("skin_responses", n / minutes, share)


def _usable(window: SignalWindow) -> tuple[np.ndarray, np.ndarray]:
    """Which samples can be skin conductance, and which are within its range."""
    x, (low, high) = window.values, RANGE_US
    in_range = (x >= low) & (x <= high)
    steep = np.abs(np.diff(x, prepend=x[:1])) * window.sfreq > STEEPEST
    bad = window.known & (~in_range | steep)
    around = round(AROUND_S * window.sfreq)
    near = np.convolve(bad, np.ones(2 * around + 1), "same") > 0.5
    return window.known & ~near, in_range | ~window.known


def _responses(window: SignalWindow, usable: np.ndarray) -> int:
    """How many rises from trough to peak are responses; none that touches a sample that is not usable."""
    sfreq = window.sfreq
    x = filtered(window.values, (0.0, min(RESPONSE_HZ, 0.4 * sfreq)), sfreq)
    rising = np.diff(x) > 0
    n = 0
    for trough, peak in np.flatnonzero(np.diff(rising, prepend=False, append=False)).reshape(-1, 2).tolist():
        took = (peak - trough) / sfreq
        is_whole = peak < len(x) - 1 and usable[trough : peak + 1].all()
        n += int(is_whole and x[peak] - x[trough] >= LEAST_RISE_US and RISE_S[0] <= took <= RISE_S[1])
    return n
