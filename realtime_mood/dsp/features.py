"""Turns a window into what the network eats: a sequence of differential entropies, and raw patches.

References
----------
.. [1] Duan, Zhu, Lu (2013), "Differential entropy feature for EEG-based emotion classification", IEEE/EMBS NER.
   The entropy of a Gaussian signal of variance s² is ½ ln(2πe s²).
"""

from __future__ import annotations

import numpy as np

from ..types import Features, Mask, Window
from .resample import Resampler
from .spec import FeatureSpec

POWER_FLOOR = 1e-2  # µV²: a dead electrode has a very low entropy, not minus infinity


def differential_entropy(power: np.ndarray) -> np.ndarray:
    """DE [1]_ in nats of band power in µV² (the mean square: band-filtered signal has no mean)."""
    return 0.5 * np.log(2 * np.pi * np.e * (power + POWER_FLOOR))


def band_power(de: np.ndarray) -> np.ndarray:
    """Band power in µV² of a DE in nats; undoes `differential_entropy`."""
    return np.exp(2 * de) / (2 * np.pi * np.e) - POWER_FLOOR


class Extractor:
    """Makes `Features` of each `Window` of one stream."""

    def __init__(self, spec: FeatureSpec, sfreq: float) -> None:
        self.spec, self.sfreq = spec, sfreq
        self._resample = Resampler(spec, sfreq)

    def __call__(self, window: Window) -> Features:
        """Features of `window`; steps and patches with too much missing are masked, and zero."""
        spec = self.spec
        n_chans = len(window.data)
        per_step = (spec.n_steps, spec.hops_per_step)
        counts = window.counts.reshape(per_step).sum(axis=1)
        enough = 1 - spec.max_hole_share
        share = np.minimum(counts / (spec.step_s * self.sfreq), 1.0)
        step_mask = share < enough
        de = _without_dead(window, per_step, step_mask)
        patch_mask = self._resample.share(window.valid, spec.n_patches) < enough
        patches = self._resample(window.data).reshape(n_chans, spec.n_patches, spec.patch_len)
        patches = np.where(patch_mask[None, :, None], np.float32(0), patches)
        coverage = float(np.where(step_mask, 0.0, share).mean())
        return Features(de.astype(np.float32), patches, step_mask, patch_mask, window.quality, coverage, window.t_last)


def _without_dead(window: Window, per_step: tuple[int, int], step_mask: Mask) -> np.ndarray:
    """DE (n_steps, n_chans, n_bands) of the hops in which an electrode was alive.

    A step without any takes the middle of that channel's others: a gap in one electrode must look like nothing new.
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
