"""Turns raw rows into clean rows and band-filtered rows, causally, keeping state between calls.

Everything is second-order sections in float64: transfer-function form is unstable at the band edges we need, and
float32 loses microvolts beside a 60 mV electrode offset. Order 2 per edge, because steeper filters answer later
and their DE of one second agrees less with the true band power.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import butter, iirnotch, sosfilt, sosfilt_zi, tf2sos

from .spec import FeatureSpec

NOTCH_Q = 20.0  # 2.5 Hz wide at 50 Hz


class Filters:
    """High-pass and notches, then a bank of band-passes on their output.

    Parameters
    ----------
    spec : FeatureSpec
    sfreq : float
        Hz.
    n_chans : int
    notch_hz : sequence of float
        Line frequencies to take out; those above the stream's Nyquist frequency are left out.
    """

    def __init__(self, spec: FeatureSpec, sfreq: float, n_chans: int, notch_hz: Sequence[float]) -> None:
        notches = [tf2sos(*iirnotch(f, NOTCH_Q, fs=sfreq)) for f in notch_hz if f < 0.48 * sfreq]
        self._clean_sos = np.concatenate([butter(2, spec.highpass_hz, "highpass", fs=sfreq, output="sos"), *notches])
        self._band_sos = [butter(2, band, "bandpass", fs=sfreq, output="sos") for band in spec.bands.values()]
        self.restart(np.zeros(n_chans))

    def restart(self, row: np.ndarray) -> None:
        """Forget the past and start as if `row` (n_chans,) had stood for ever, so that an offset does not ring."""
        self._clean_state = sosfilt_zi(self._clean_sos)[:, :, None] * row
        self._band_state = [np.zeros((len(sos), 2, len(row))) for sos in self._band_sos]

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Filter the next rows.

        Parameters
        ----------
        rows : (n_times, n_chans) float64, µV

        Returns
        -------
        clean : (n_times, n_chans) float64, µV
        banded : (n_times, n_chans, n_bands) float64, µV
        """
        clean, self._clean_state = sosfilt(self._clean_sos, rows, axis=0, zi=self._clean_state)
        banded = np.empty((*clean.shape, len(self._band_sos)))
        for k, sos in enumerate(self._band_sos):
            banded[..., k], self._band_state[k] = sosfilt(sos, clean, axis=0, zi=self._band_state[k])
        return clean, banded
