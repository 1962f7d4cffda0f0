"""How unfamiliar a window is to a readout: in its features, in its device, in its electrodes; without torch.

Three parts, of which the largest counts. Each is 1 at a limit that few readings of held-out subjects exceed:

* features: the network's standardised DE, by band its mean and its root mean square over the electrodes;
* device: level, spread and changes of DE before it is standardised, relative to what training subjects have at the same
  sites, the highest frequencies, and the correlation of the electrodes;
* electrodes: the share of them at sites where training had none.

For the first two, a Gaussian is fitted to the training subjects, and the measure is the Mahalanobis distance [1]_. A
Gaussian of each class, as in [1]_, would add nothing: the classes are much closer to each other than devices are.

References
----------
.. [1] Lee, Lee, Lee, Shin (2018), "A simple unified framework for detecting out-of-distribution samples and adversarial
   attacks", NeurIPS, arXiv:1807.03888.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from pydantic import ConfigDict
from scipy.signal import get_window

from realtime_mood.files import Strict
from realtime_mood.montage import locate
from realtime_mood.types import Features

NEAR = 0.26  # rad: an electrode as close as this to a site of training is there; 2.5 cm, neighbours in 10-20 have 6 cm
SMOOTH = 0.26  # rad: width of the kernel that sites around an electrode are averaged with
MOST_NEW = 0.5  # share of electrodes at new sites, above which a montage is unfamiliar
SHRINK = 0.1  # share of the covariance that is its diagonal alone
LEAST_SD = 0.01  # of DE in nats, and of any feature
GAMMA, HIGH = slice(31, 46), slice(46, 58)  # Hz: bins of a patch's spectrum
Table = tuple[tuple[float, ...], ...]


class Gaussian(Strict):
    """Summaries of the training subjects, and the distance that few of held-out subjects exceed."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    mean: tuple[float, ...]
    precision: Table
    """Inverse of the covariance."""
    limit: float

    @classmethod
    def of(cls, summaries: np.ndarray, limit: float = 1.0) -> Gaussian:
        """Fitted to `summaries` (n, n_features)."""
        cov = np.cov(summaries, rowvar=False)
        cov = (1 - SHRINK) * cov + np.diag(SHRINK * np.diag(cov) + LEAST_SD**2)
        mean, precision = summaries.mean(axis=0).round(5), np.linalg.inv(cov).round(5)
        return cls(mean=tuple(mean.tolist()), precision=tuple(map(tuple, precision.tolist())), limit=limit)

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.mean), np.array(self.precision)

    def __call__(self, summaries: np.ndarray) -> np.ndarray:
        """Mahalanobis distances (…,) of `summaries` (…, n_features), over the limit."""
        mean, precision = self._arrays
        off = summaries - mean
        return np.asarray(np.sqrt(np.maximum(((off @ precision) * off).sum(axis=-1), 0.0)) / self.limit)


class Sites(Strict):
    """DE of the training subjects at each electrode site: (n_sites, n_bands) each."""

    names: tuple[str, ...]
    mean: Table  # nats
    sd: Table  # of the mean over a context, between subjects and contexts
    change: Table  # log of the standard deviation within a context

    def near(self, positions: np.ndarray) -> np.ndarray:
        """(n_chans,) bool: which electrodes are at one of the sites."""
        return np.asarray(self._angles(positions).min(axis=1) <= NEAR)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Mean, sd and change (3, n_chans, n_bands) at `positions` (n_chans, 3), averaged over the sites around."""
        squared = np.square(self._angles(positions))
        weights = np.exp((squared.min(axis=1, keepdims=True) - squared) / (2 * SMOOTH**2))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray(weights @ np.array([self.mean, self.sd, self.change]))

    def _angles(self, positions: np.ndarray) -> np.ndarray:
        return np.asarray(np.arccos(np.clip(positions @ np.asarray(locate(self.names)).T, -1.0, 1.0)))


class TrainingSignals(Strict):
    """What signals of the training subjects were like before they were standardised."""

    sites: Sites
    gaussian: Gaussian


@dataclass(frozen=True, eq=False)
class Context:
    """One window's features on its good electrodes, without masked steps and patches."""

    de: np.ndarray  # (n_steps, n_chans, n_bands), nats
    z: np.ndarray  # the same, standardised: the network's input
    patches: np.ndarray  # (n_chans, n_patches, patch_len), in any unit

    def of_features(self) -> np.ndarray:
        """Summary of the network's input: (2·n_bands,)."""
        mean = self.z.mean(axis=0, dtype=float)
        return np.concatenate([mean.mean(axis=0), np.sqrt(np.square(mean).mean(axis=0))])

    def of_device(self, at_sites: np.ndarray) -> np.ndarray:
        """Summary of the signal: (3·n_bands + 2,); `at_sites` are the rows of `Sites.at`."""
        mean, sd, change = at_sites
        off = (self.de.mean(axis=0, dtype=float) - mean) / sd
        changes = np.log(self.de.std(axis=0, dtype=float) + LEAST_SD) - change
        window = _hann(self.patches.shape[-1])
        power = np.square(np.abs(np.fft.rfft(self.patches * window))).mean(axis=1)  # (n_chans, n_bins)
        high = np.log(power[:, HIGH].mean(axis=1) / (power[:, GAMMA].mean(axis=1) + 1e-12) + 1e-6)
        more = high.mean(), _correlation(self.patches)
        return np.concatenate([off.mean(axis=0), off.std(axis=0), changes.mean(axis=0), more])


@lru_cache(1)
def _hann(n_times: int) -> np.ndarray:
    """(n_times,) float32."""
    return np.asarray(get_window("hann", n_times), np.float32)


def _correlation(patches: np.ndarray) -> float:
    """Mean correlation of every two electrodes, as Fisher's z."""
    x = patches.reshape(len(patches), -1).astype(float)
    x -= x.mean(axis=1, keepdims=True)
    x /= np.sqrt(np.square(x).sum(axis=1, keepdims=True)) + 1e-9
    n = len(x)
    mean = (np.square(x.sum(axis=0)).sum() - n) / (n * (n - 1))  # of all pairs, without making them
    return float(np.arctanh(np.clip(mean, -0.999, 0.999)))


class Familiarity:
    """Measures the windows of one montage, with `positions` (n_chans, 3)."""

    def __init__(self, device: TrainingSignals, features: Gaussian, positions: np.ndarray) -> None:
        self._device, self._features = device.gaussian, features
        self._at, self._new = device.sites.at(positions), ~device.sites.near(positions)

    def __call__(self, features: Features, normal: Features) -> float:
        """The largest of the three parts; `normal` are the `features`, standardised."""
        good, there = features.quality.good, ~features.step_mask
        patches = normal.patches[good][:, ~features.patch_mask]
        context = Context(features.de[there][:, good], normal.de[there][:, good], patches)
        of_features, of_device = context.of_features(), context.of_device(self._at[:, good])
        new = float(self._new[good].mean()) / MOST_NEW
        return max(float(self._features(of_features)), float(self._device(of_device)), new)
