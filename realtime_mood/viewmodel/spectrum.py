"""Spectrum and spectrogram of the last minute of one channel."""

from __future__ import annotations

import numpy as np

SEGMENT_S = 2.0  # segment length; the frequency resolution is half a hertz
HOP_S = 0.5
MEAN_S = 10.0  # the spectrum is the mean over the newest seconds
TOP_HZ = 60.0


def spectrogram(x: np.ndarray, sfreq: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power of one channel along time; `x` (n_times,) in µV is NaN where samples were lost.

    Returns the end of each segment in seconds before the newest sample (negative), the frequencies up to `TOP_HZ` (Hz),
    and the power (n_segments, n_freqs), dB re 1 µV²/Hz, NaN for a segment with a lost sample. Segments are Welch's
    (1967, IEEE Trans. Audio Electroacoust. 15(2)), with a Hann window, half overlapped or more, each without its mean.
    """
    n, hop = round(SEGMENT_S * sfreq), round(HOP_S * sfreq)
    f = np.fft.rfftfreq(n, 1 / sfreq)
    keep = f <= min(TOP_HZ, 0.48 * sfreq)
    if len(x) < n:
        return np.empty(0), f[keep], np.empty((0, int(keep.sum())))
    ends = np.arange(len(x), n - 1, -hop)[::-1]
    rows = np.lib.stride_tricks.sliding_window_view(x, n)[ends - n].astype(float)
    window = np.hanning(n)
    spectra = np.fft.rfft((rows - rows.mean(1, keepdims=True)) * window, axis=1)[:, keep]
    power = 2 * np.abs(spectra) ** 2 / (sfreq * (window**2).sum())
    return (ends - len(x)) / sfreq, f[keep], 10 * np.log10(np.maximum(power, 1e-6))


def spectrum(t: np.ndarray, power: np.ndarray) -> np.ndarray | None:
    """Mean power of the newest `MEAN_S` of a spectrogram (dB); None if all of it was lost."""
    recent = power[t > SEGMENT_S - MEAN_S - 1e-9]
    ok = recent[np.isfinite(recent).all(1)]
    return 10 * np.log10((10 ** (ok / 10)).mean(0)) if len(ok) else None
