"""Turns the first seconds of a stream into the mains frequency to take out of the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STANDS_OUT = 16.0  # times the middle power beside it; the highest of a few bins of noise is some 3 times that


def mains_hz(raw: np.ndarray, sfreq: float, candidates: Sequence[float]) -> tuple[float, ...]:
    """Which of `candidates` stand out in `raw` (n_times, n_chans); all of them when none does.

    The channels' middle decides, so that one electrode that hangs in the air does not.
    """
    window = np.hanning(len(raw))[:, None]
    power = np.abs(np.fft.rfft((raw - raw.mean(axis=0)) * window, axis=0)) ** 2
    freqs = np.fft.rfftfreq(len(raw), 1 / sfreq)

    def stands_out(hz: float) -> bool:
        apart = np.abs(freqs - hz)
        beside = np.median(power[(apart > 2) & (apart <= 6)], axis=0)
        return bool(np.median(power[apart <= 1].max(axis=0) / np.maximum(beside, 1e-12)) > STANDS_OUT)

    return tuple(hz for hz in candidates if stands_out(hz)) or tuple(candidates)
