"""Exponentially weighted running mean, bit-identical however the rows are cut into chunks."""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import lfilter


class RunningMean:
    """A mean over the past, with a time constant of `tau_s`; its state is kept between calls and begins at zero.

    `sfreq` is the rate of the rows (Hz), `shape` that of one row.
    """

    def __init__(self, tau_s: float, sfreq: float, shape: tuple[int, ...]) -> None:
        self._decay = 1 - math.exp(-1 / (tau_s * sfreq))
        self._state = np.zeros((1, *shape))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The mean up to each row: (n_times, …), like `rows`."""
        mean, self._state = lfilter([self._decay], [1.0, self._decay - 1.0], rows, axis=0, zi=self._state)
        return mean
