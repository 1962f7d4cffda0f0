"""Resampling of a window from the headset's rate to the network's."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from .spec import FeatureSpec

CROSSINGS = 8  # zero crossings of the kernel on each side


class Resampler:
    """A windowed-sinc interpolator as one sparse matrix, applied to a window of fixed length.

    It is a pure function of the window, so it does not depend on how the stream was cut. It is causal: the newest
    output lies half a kernel (`delay_s`) before the newest input. Any ratio of rates is possible.
    """

    def __init__(self, spec: FeatureSpec, sfreq: float) -> None:
        self.n_out = spec.n_patches * spec.patch_len
        cutoff_hz = 0.45 * min(sfreq, spec.patch_sfreq)
        self.delay_s = CROSSINGS / (2 * cutoff_hz)
        span_s = (self.n_out - 1) / spec.patch_sfreq + 2 * self.delay_s
        self.n_in = int(np.ceil(span_s * sfreq)) + 1
        t_in = (np.arange(self.n_in) - (self.n_in - 1)) / sfreq
        t_out = (np.arange(self.n_out) - (self.n_out - 1)) / spec.patch_sfreq - self.delay_s
        apart = t_out[:, None] - t_in[None]
        kernel = np.sinc(2 * cutoff_hz * apart) * np.cos(np.pi * np.clip(apart / self.delay_s, -1, 1) / 2) ** 2
        kernel[np.abs(apart) >= self.delay_s] = 0
        self._matrix = csr_array((kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32))
        self._used = csr_array((kernel != 0).astype(np.float32))

    def __call__(self, data: np.ndarray) -> np.ndarray:
        """Resample (n_chans, n_in) to (n_chans, n_out)."""
        return (self._matrix @ np.ascontiguousarray(data.T)).T

    def share(self, valid: np.ndarray, n_patches: int) -> np.ndarray:
        """Share of valid input samples behind each of `n_patches` equal parts of the output."""
        got = (self._used @ valid.astype(np.float32)).reshape(n_patches, -1).sum(axis=1)
        seen = (self._used @ np.ones(self.n_in, np.float32)).reshape(n_patches, -1).sum(axis=1)
        return got / seen
