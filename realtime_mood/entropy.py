"""Differential entropy (DE) of band power, and the mean and SD that a subject's DE is standardised with.

References
----------
.. [1] Duan, Zhu, Lu (2013), "Differential entropy feature for EEG-based emotion classification", IEEE/EMBS NER.
   The entropy of a Gaussian signal of variance s² is ½ ln(2πe s²).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POWER_FLOOR = 1e-2  # µV²: a dead electrode has a very low entropy, not minus infinity
CLIP_SD = 8.0  # standardised features are clipped here


def differential_entropy(power: np.ndarray) -> np.ndarray:
    """DE [1]_ in nats of band power in µV² (the mean square: band-filtered signal has no mean)."""
    return 0.5 * np.log(2 * np.pi * np.e * (power + POWER_FLOOR))


def band_power(de: np.ndarray) -> np.ndarray:
    """Band power in µV² of a DE in nats; undoes `differential_entropy`."""
    return np.exp(2 * de) / (2 * np.pi * np.e) - POWER_FLOOR


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """DE of the subjects a readout was trained on: the starting point for a subject without a profile."""

    mean: np.ndarray  # (n_bands,), nats
    sd: np.ndarray  # (n_bands,), nats: between steps, within a subject
    eye: Population | None = None  # the same of eye movements, (n_features,), where subjects had any


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Mean and standard deviation of the DE of single steps."""

    mean: np.ndarray  # (n_chans, n_bands), nats
    sd: np.ndarray  # (n_chans, n_bands), nats: between steps, within a subject

    @classmethod
    def of_population(cls, mean: np.ndarray, sd: np.ndarray, n_chans: int) -> Statistics:
        """Those of a population, (n_bands,), for every channel."""
        return cls(np.tile(mean, (n_chans, 1)), np.tile(sd, (n_chans, 1)))

    def standardise(self, de: np.ndarray, patches: np.ndarray, masked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standardise features into model input, live and in training alike.

        Parameters
        ----------
        de : (n_steps, n_chans, n_bands), nats
        patches : (n_chans, n_patches, patch_len), µV
        masked : (n_steps,) bool
            Steps to leave out; they become zeros.
        """
        z = np.clip((de - self.mean) / self.sd, -CLIP_SD, CLIP_SD)
        rms = np.sqrt(np.maximum(band_power(self.mean).sum(axis=1), 1.0))
        scaled = np.clip(patches / rms[:, None, None], -CLIP_SD, CLIP_SD)
        return np.where(masked[:, None, None], 0.0, z).astype(np.float32), scaled.astype(np.float32)
