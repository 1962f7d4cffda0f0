"""Turns a window into model input: differential entropies (DE) step by step, and raw patches at the network's rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from ..entropy import differential_entropy
from ..types import Features, Mask, Window
from .spec import FeatureSpec

CROSSINGS = 8  # zero crossings of the resampling kernel on each side


class Extractor:
    """Makes `Features` of each `Window` of one stream."""

    def __init__(self, spec: FeatureSpec, sfreq: float) -> None:
        self.spec, self.sfreq = spec, sfreq
        self._resample = Resampler(spec, sfreq)

    def __call__(self, window: Window) -> Features:
        """Features of `window`; steps and patches with too much missing are masked, and zero."""
        spec, steps = self.spec, self.steps(window)
        patch_mask = self._resample.share(window.valid, spec.n_patches) < 1 - spec.max_hole_share
        patches = self._resample(window.data).reshape(len(window.data), spec.n_patches, spec.patch_len)
        patches = np.where(patch_mask[None, :, None], np.float32(0), patches)
        return replace(steps, patches=patches, patch_mask=patch_mask)

    def steps(self, window: Window) -> Features:
        """The same without patches: cheap, and sufficient for updating statistics."""
        spec = self.spec
        per_step = (spec.n_steps, spec.hops_per_step)
        counts = window.counts.reshape(per_step).sum(axis=1)
        share = np.minimum(counts / (spec.step_s * self.sfreq), 1.0)
        step_mask = share < 1 - spec.max_hole_share
        de = _without_dead(window, per_step, step_mask).astype(np.float32)
        coverage = float(np.where(step_mask, 0.0, share).mean())
        none = np.empty((len(window.data), 0, spec.patch_len), np.float32)
        time = window.end / self.sfreq
        return Features(de, none, step_mask, np.empty(0, bool), window.quality, coverage, window.t_last, time)


def _without_dead(window: Window, per_step: tuple[int, int], step_mask: Mask) -> np.ndarray:
    """DE (n_steps, n_chans, n_bands) of the hops in which an electrode was alive.

    A step without any takes the median of that channel's other steps, so that a dropout of one electrode is neutral.
    """
    alive = ~window.dead
    n_chans, n_bands = window.power.shape[1:]
    sums = (window.power * alive[:, :, None]).reshape(*per_step, n_chans, n_bands).sum(axis=1)
    counts = (window.counts[:, None] * alive).reshape(*per_step, n_chans).sum(axis=1)
    de = differential_entropy(sums / np.maximum(counts, 1)[:, :, None])
    known = (counts > 0) & ~step_mask[:, None]
    for c in np.flatnonzero((~known & ~step_mask[:, None]).any(axis=0) & known.any(axis=0)).tolist():
        de[~known[:, c], c] = np.median(de[known[:, c], c], axis=0)
    return np.where(step_mask[:, None, None], 0.0, de)


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
