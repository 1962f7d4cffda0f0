"""Respiration rate from a signal that rises and falls with each breath: a belt, airflow or temperature at the nose.

It is the mean interval of the breaths' peaks, after the band of breathing is filtered out [1]_. It is not derived from
the pulse: see docs/decisions/0037-measures-of-the-body.md.

References
----------
.. [1] Khodadad et al. (2018), "Optimized breath detection algorithm in electrical impedance tomography", Physiol. Meas.
   39(9): 094001.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import detrend, find_peaks

from .measure import BAD_RATE, NOISY, BodyMeasure, invalid
from .window import SignalWindow, filtered

WINDOW_S = 32.0
LEAST_HZ = 4.0
BAND_HZ = (4 / 60, 40 / 60)  # of breathing
UP_TO_HZ = 1.9  # power up to here is compared with that of breathing
PROMINENT = 0.5  # a breath stands out by this many standard deviations
LEAST_POWER = 0.6  # share of the power that has to be of breathing
LEAST_COVERED = 0.5  # share of the window that has to lie between breaths


def breathing(window: SignalWindow) -> BodyMeasure:
    """Respiration rate at the end of a window."""
    if why := BAD_RATE if window.sfreq < LEAST_HZ else window.trouble():
        return invalid("respiration_rate", why)
    sfreq = window.sfreq
    x = filtered(window.values, BAND_HZ, sfreq)
    power = np.square(np.abs(np.fft.rfft(detrend(window.values) * np.hanning(len(x)))))
    hz = np.fft.rfftfreq(len(x), 1 / sfreq)
    of_breaths = power[(hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])].sum() / power[(hz > 0) & (hz <= UP_TO_HZ)].sum()
    quality = float(of_breaths * window.known.mean())
    peaks, _ = find_peaks(x, prominence=PROMINENT * x.std(), distance=max(1, round(0.8 * sfreq / BAND_HZ[1])))
    between = window.known[peaks[0] : peaks[-1]].mean() * np.ptp(peaks) / len(x) if len(peaks) > 1 else 0.0
    if quality < LEAST_POWER or between < LEAST_COVERED:
        return invalid("respiration_rate", NOISY, quality)
    return BodyMeasure("respiration_rate", 60 * sfreq / float(np.diff(peaks).mean()), quality)
