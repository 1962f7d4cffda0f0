"""Turns a window into model input: differential entropies (DE) step by step, and raw patches at the network's rate."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache

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
        patch_mask = self._resample.share(window.valid) < 1 - spec.max_hole_share
        patches = self._resample(window.data).reshape(len(window.data), spec.n_patches, spec.patch_len)
        patches = np.where(patch_mask[None, :, None], np.float32(0), patches)
        return replace(steps, patches=patches, patch_mask=patch_mask)

    @cached_property
    def _newest(self) -> Resampler:
        return Resampler(self.spec, self.sfreq, only_newest=True)

    def newest(self, window: Window) -> tuple[np.ndarray, np.ndarray, bool]:
        """Only the step and the patch that end with `window`, which is much cheaper; the same numbers.

        Returns
        -------
        de : (n_chans, n_bands) float32, nats
        patch : (n_chans, patch_len) float32, µV
        there : bool
            Whether neither of them is masked.
        """
        spec = self.spec
        hops = slice(-spec.hops_per_step, None)
        counts, alive = window.counts[hops], ~window.dead[hops]
        step_masked = self._share(counts.sum()) < 1 - spec.max_hole_share
        patch_masked = self._newest.share(window.valid)[0] < 1 - spec.max_hole_share
        n_alive = (counts[:, None] * alive).sum(axis=0)
        if step_masked or not n_alive.all():  # other steps stand in for it
            de = self.steps(window).de[-1]
        else:
            power = (window.power[hops] * alive[:, :, None]).sum(axis=0)
            de = differential_entropy(power / n_alive[:, None]).astype(np.float32)
        patch = self._newest(window.data)
        return de, np.zeros_like(patch) if patch_masked else patch, not (step_masked or patch_masked)

    def steps(self, window: Window) -> Features:
        """The same without patches: cheap, and sufficient for updating statistics."""
        spec = self.spec
        per_step = (spec.n_steps, spec.hops_per_step)
        counts = window.counts.reshape(per_step).sum(axis=1)
        share = self._share(counts)
        step_mask = share < 1 - spec.max_hole_share
        de = _without_dead(window, per_step, step_mask).astype(np.float32)
        coverage = float(np.where(step_mask, 0.0, share).mean())
        none = np.empty((len(window.data), 0, spec.patch_len), np.float32)
        time = window.end / self.sfreq
        return Features(de, none, step_mask, np.empty(0, bool), window.quality, coverage, window.t_last, time)

    def _share(self, counts: np.ndarray) -> np.ndarray:
        """How much of a step its samples are, at most 1."""
        return np.minimum(counts / (self.spec.step_s * self.sfreq), 1.0)


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
    output lies half a kernel (`delay_s`) before the newest input. Any ratio of rates is possible. With `only_newest` it
    computes the newest patch only.
    """

    def __init__(self, spec: FeatureSpec, sfreq: float, *, only_newest: bool = False) -> None:
        self.delay_s = CROSSINGS / (2 * cutoff_hz(sfreq, spec.patch_sfreq))
        self.n_out = spec.n_patches * spec.patch_len
        span_s = (self.n_out - 1) / spec.patch_sfreq + 2 * self.delay_s
        self.n_in = int(np.ceil(span_s * sfreq)) + 1
        self._matrix, self._used = resampling(self.n_in, self.n_out, sfreq, spec.patch_sfreq)
        self._n_patches, self._first = spec.n_patches, 0
        if only_newest:
            used = self._used[-spec.patch_len :]
            self._n_patches, self._first = 1, int(used.indices.min())
            self._matrix, self._used = self._matrix[-spec.patch_len :, self._first :], used[:, self._first :]

    def __call__(self, data: np.ndarray) -> np.ndarray:
        """Resample (n_chans, n_in) to (n_chans, n_out)."""
        return (self._matrix @ np.ascontiguousarray(data[:, self._first :].T)).T

    def share(self, valid: np.ndarray) -> np.ndarray:
        """Share of valid input samples behind each patch, (n_patches,)."""
        valid = valid[self._first :]
        if valid.all():
            return np.ones(self._n_patches, np.float32)
        got, seen = (self._used @ used.astype(np.float32) for used in (valid, np.ones_like(valid)))
        return got.reshape(self._n_patches, -1).sum(axis=1) / seen.reshape(self._n_patches, -1).sum(axis=1)


def cutoff_hz(sfreq: float, out_sfreq: float) -> float:
    """Of the low-pass between two rates."""
    return 0.45 * min(sfreq, out_sfreq)


@lru_cache(8)
def resampling(n_in: int, n_out: int, sfreq: float, out_sfreq: float) -> tuple[csr_array, csr_array]:
    """Weights (n_out, n_in) of a low-pass, `CROSSINGS` zero crossings to each side, and ones where it has any."""
    cutoff = cutoff_hz(sfreq, out_sfreq)
    delay_s = CROSSINGS / (2 * cutoff)
    t_in = (np.arange(n_in) - (n_in - 1)) / sfreq
    t_out = (np.arange(n_out) - (n_out - 1)) / out_sfreq - delay_s
    apart = t_out[:, None] - t_in[None]
    kernel = np.sinc(2 * cutoff * apart) * np.cos(np.pi * np.clip(apart / delay_s, -1, 1) / 2) ** 2
    kernel[np.abs(apart) >= delay_s] = 0
    weights = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
    return csr_array(weights), csr_array((kernel != 0).astype(np.float32))
