"""Personal classifier: regularised softmax regression on features of a frozen network.

Its features are the three levels that the network fuses, the electrodes' mean spectrum, the context's mean DE of every
electrode, and the output of a readout with the same labels trained on other subjects, where there is one. With such a
readout, it is a regularised correction of it; without, it relies on spectrum and DE, which are the most informative for
one subject, more than on the levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from safetensors.numpy import load, save
from scipy.signal import get_window

from .inputs import Inputs, Outputs, ReaderConfig

LEVELS = 3  # raw, early DE, late DE; calibration does not use an eye tracker yet
BINS = slice(3, 46)  # of a patch's spectrum: 1 Hz each, for patches of a second
SHRINK = 10.0  # L2 penalty, relative to the loss summed over seconds
# Scale of standardised features: halving it multiplies the penalty of a weight by four.
BASE, BESIDE_BASE = 0.1, 0.06
LEVELS_ALONE, SPECTRUM_ALONE, DE_ALONE = 0.3, 2.0, 1.0
MOST_STEPS, DONE = 500, 1e-6


@dataclass(frozen=True, slots=True)
class Parts:
    """Number of features of each kind, in this order."""

    levels: int = 0
    spectrum: int = 0
    de: int = 0
    base: int = 0

    @classmethod
    def of(cls, config: ReaderConfig, n_chans: int, base: str) -> Parts:
        """Of the features that `described` returns."""
        n_bins = len(range(*BINS.indices(config.patch_len // 2 + 1)))
        return cls(LEVELS * config.dim, n_bins, n_chans * config.n_bands, config.readouts[base] if base else 0)

    @property
    def n_features(self) -> int:
        """F."""
        return self.levels + self.spectrum + self.de + self.base

    @property
    def scale(self) -> np.ndarray:
        """(F,): factors of standardised features."""
        if self.base:
            beside, base = self.levels + self.spectrum + self.de, self.base
            return np.repeat([BESIDE_BASE, BASE], [beside, base])
        return np.repeat([LEVELS_ALONE, SPECTRUM_ALONE, DE_ALONE], [self.levels, self.spectrum, self.de])


def described(out: Outputs, inputs: Inputs, base: str, order: Sequence[int] | None = None) -> np.ndarray:
    """Features of a personal classifier: (B, F), in the order of `Parts`.

    `base` is the readout trained on other subjects, or empty; `order` (C,) the indices of the classifier's electrodes
    among the inputs', when their order differs.
    """
    de = _mean(inputs.de, inputs.keep_steps[:, :, None, None]) * inputs.keep_chans[:, :, None]
    de = de if order is None else de[:, order]
    n = len(de)
    parts = [out.levels[:, :LEVELS].reshape(n, -1), _spectrum(inputs), de.reshape(n, -1)]
    if base:
        parts.append(out.scores[base] - out.scores[base].mean(axis=1, keepdims=True))
    return np.concatenate(parts, axis=1, dtype=np.float64)


def _spectrum(inputs: Inputs) -> np.ndarray:
    """Log power in each bin, averaged over the good electrodes: (B, n_bins)."""
    window = get_window("hann", inputs.patches.shape[-1]).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(inputs.patches * window)[..., BINS])).swapaxes(1, 2)  # (B, P, C, n_bins)
    power = _mean(power, inputs.keep_patches[:, :, None, None])
    return _mean(np.log(power + np.float32(1e-3)), inputs.keep_chans[:, :, None])


def _mean(x: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Mean of x (B, N, …) over the N that are kept; zero where there are none."""
    return (x * keep).sum(axis=1) / np.maximum(keep.sum(axis=1), 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class LabelledSeconds:
    """The seconds of a calibration that a personal classifier was fitted to, as they are stored beside it."""

    x: np.ndarray  # (n, F)
    label: np.ndarray  # (n,) int
    block: np.ndarray  # (n,) int: the index of each second's block, in order of time

    def tensors(self) -> dict[str, np.ndarray]:
        """For a safetensors file, at half precision."""
        whole = {"seconds_label": self.label.astype(np.int16), "seconds_block": self.block.astype(np.int16)}
        return {"seconds_x": np.ascontiguousarray(np.clip(self.x, -6e4, 6e4), np.float16), **whole}

    @classmethod
    def from_bytes(cls, blob: bytes) -> LabelledSeconds | None:
        """From the file of a personal classifier; None where it has none, as older ones."""
        tensors = load(blob)
        if "seconds_x" not in tensors:
            return None
        names = ("seconds_x", "seconds_label", "seconds_block")
        kinds = (np.float64, np.int64, np.int64)
        return cls(*(tensors[name].astype(kind) for name, kind in zip(names, kinds, strict=True)))


@dataclass(frozen=True, eq=False)
class PersonalHead:
    """``logits = ((x - mean) / scale) @ weight + bias``."""

    mean: np.ndarray  # (F,)
    scale: np.ndarray  # (F,)
    weight: np.ndarray  # (F, n_labels)
    bias: np.ndarray  # (n_labels,)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Logits (n, n_labels) of the features (n, F) that `described` returns."""
        return (x - self.mean) / self.scale @ self.weight + self.bias

    def to_bytes(self, seconds: LabelledSeconds | None = None) -> bytes:
        """As safetensors; with the seconds that it was fitted to, if corrections may be tried on them."""
        tensors = {name: np.ascontiguousarray(x, np.float64) for name, x in vars(self).items()}
        return save(tensors | ({} if seconds is None else seconds.tensors()))

    @classmethod
    def from_bytes(cls, blob: bytes) -> PersonalHead:
        """From safetensors; raises `ValueError` or `KeyError` when it is no personal classifier."""
        tensors = load(blob)
        head = cls(*(tensors[name] for name in ("mean", "scale", "weight", "bias")))
        n_features, n_labels = head.weight.shape
        if head.mean.shape != (n_features,) or head.scale.shape != (n_features,) or head.bias.shape != (n_labels,):
            raise ValueError("its shapes do not match")
        return head


def fit_head(x: np.ndarray, y: np.ndarray, parts: Parts, n_labels: int) -> PersonalHead:
    """Fit a personal classifier to features x (n, F) and labels y (n,), with an L2 penalty and balanced labels."""
    mean, sd = x.mean(axis=0), x.std(axis=0) + 1e-6
    begin = np.zeros((len(mean), n_labels))
    if n := parts.base:
        begin[-n:] = np.eye(n)
        sd[-n:] = x[:, -n:].std() + 1e-6
        mean[-n:] = 0.0  # equal scores of that readout stay equal
    scale = sd / parts.scale
    z = (x - mean) / scale
    count = np.bincount(y, minlength=n_labels)
    share = (len(y) / n_labels / np.maximum(count, 1))[y]
    weight, bias = _softmax_regression(z, np.eye(n_labels)[y], share, x @ begin)
    return PersonalHead(mean, scale, weight + scale[:, None] * begin, bias)


def _softmax_regression(
    z: np.ndarray, truth: np.ndarray, share: np.ndarray, given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (F, n_labels) and bias (n_labels,) in addition to `given` logits; only the weights are penalised.

    By accelerated gradient descent [1]_: the penalty makes the problem so well conditioned that some tens of steps
    suffice, in a fifth of the time of a quasi-Newton method; a permutation test needs a thousand fits.

    References
    ----------
    .. [1] Nesterov (2004), Introductory Lectures on Convex Optimization, section 2.2.
    """
    curvature = SHRINK + 0.5 * share.max() * _largest_eigenvalue(z)  # no second derivative is larger
    bias_scale = np.sqrt(2 * curvature / share.sum())  # gives the bias the same curvature as the weights
    x = np.column_stack([z, np.full(len(z), bias_scale)])
    penalty = np.full(x.shape[1], SHRINK)
    penalty[-1] = 0.0
    curvature += SHRINK
    across, truth, given = (np.ascontiguousarray(a.T) for a in (x, truth, given))  # a label a row: faster sums
    w = ahead = np.zeros((len(truth), x.shape[1]))
    momentum = 1.0
    for _ in range(MOST_STEPS):
        logits = given + ahead @ across
        e = np.exp(logits - logits.max(axis=0))
        grad = (e / e.sum(axis=0) - truth) * share @ x + penalty * ahead
        new, before = ahead - grad / curvature, momentum
        step = new - w
        if np.abs(step).max() < DONE:
            w = new
            break
        momentum = (1 + (1 + 4 * before**2) ** 0.5) / 2
        if np.vdot(step, grad) > 0:  # overshoot: restart the momentum
            momentum = before = 1.0
        ahead, w = new + (before - 1) / momentum * step, new
    return w[:, :-1].T, bias_scale * w[:, -1]


def _largest_eigenvalue(z: np.ndarray) -> float:
    """An upper estimate of the largest eigenvalue of ``z.T @ z``, by power iteration."""
    v = np.ones(z.shape[1])
    for _ in range(12):
        v = z.T @ (z @ v)
        v /= np.linalg.norm(v) + 1e-300
    return 1.2 * float(np.linalg.norm(z @ v) ** 2)
