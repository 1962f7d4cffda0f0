"""Exponentially weighted running mean, bit-identical however the rows are cut into chunks."""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import lfilter


class RunningMean:
    """A mean over the past, with state kept between calls. It begins at zero.

    Parameters
    ----------
    tau_s : float
        Time constant.
    sfreq : float
        Hz.
    shape : tuple of int
        Shape of one row.
    """

    def __init__(self, tau_s: float, sfreq: float, shape: tuple[int, ...]) -> None:
        self._decay = 1 - math.exp(-1 / (tau_s * sfreq))
        self._state = np.zeros((1, *shape))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The mean up to each row: (n_times, …), like `rows`."""
        mean, self._state = lfilter([self._decay], [1.0, self._decay - 1.0], rows, axis=0, zi=self._state)
        return mean
