"""A person's own readout: a small linear map over a network that stays as it is.

It sees the three levels that the network fuses, and what a readout trained on other people says where there is one
with the same labels. Both are standardised on the person's own blocks; the weight on other people's readout is
punished least, so that with little to learn from a person's readout is everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from safetensors.numpy import load, save

from .reader import Output

LEVELS = 3  # raw, early DE, late DE; nobody calibrates with an eye tracker yet
KEEN = 10.0  # how much larger other people's readout is fed in: it takes a hundredth of the punishment
SHRINK = 3000.0  # punishment of weights, against the loss summed over seconds


def described(out: Output, base: str) -> torch.Tensor:
    """What a person's readout rests on: (B, F). `base` is other people's readout, or empty."""
    levels = out.levels[:, :LEVELS].flatten(1)
    if not base:
        return levels
    scores = out.scores[base]
    return torch.cat((levels, scores - scores.mean(1, keepdim=True)), 1)


@dataclass(frozen=True, eq=False)
class OwnHead:
    """``logits = ((x - mean) / scale) @ weight + bias``."""

    mean: np.ndarray
    """(F,)."""
    scale: np.ndarray
    """(F,)."""
    weight: np.ndarray
    """(F, n_labels)."""
    bias: np.ndarray
    """(n_labels,)."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Logits (n, n_labels) of what `described` gives."""
        return (x - self.mean) / self.scale @ self.weight + self.bias

    def to_bytes(self) -> bytes:
        """As safetensors."""
        return save({name: np.ascontiguousarray(x, np.float64) for name, x in vars(self).items()})

    @classmethod
    def from_bytes(cls, blob: bytes) -> OwnHead:
        """Back; raises `ValueError` or `KeyError` when it is none."""
        found = load(blob)
        head = cls(*(found[name] for name in ("mean", "scale", "weight", "bias")))
        n_features, n_labels = head.weight.shape
        if head.mean.shape != (n_features,) or head.scale.shape != (n_features,) or head.bias.shape != (n_labels,):
            raise ValueError("its parts do not fit each other")
        return head


def fit_head(x: np.ndarray, y: np.ndarray, n_base: int, n_labels: int) -> OwnHead:
    """The readout of least loss on a person's seconds, its weights punished, every label counting alike.

    Parameters
    ----------
    x : (n, F)
        What `described` gives.
    y : (n,) int
    n_base : int
        How many of the last columns are other people's readout.
    n_labels : int
    """
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    if n_base:
        scale[-n_base:] = (x[:, -n_base:].std() + 1e-6) / KEEN
        mean[-n_base:] = 0.0  # what other people's readout takes for even is even until there is reason to think not
    z = (x - mean) / scale
    count = np.bincount(y, minlength=n_labels)
    share = (len(y) / n_labels / np.maximum(count, 1))[y]
    weight, bias = _softmax_regression(z, np.eye(n_labels)[y], share)
    return OwnHead(mean, scale, weight, bias)


def _softmax_regression(z: np.ndarray, truth: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (F, n_labels) and bias (n_labels,) by L-BFGS; the weights alone are punished."""
    from scipy.optimize import minimize

    n_features, n_labels = z.shape[1], truth.shape[1]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = flat[:-n_labels].reshape(n_features, n_labels), flat[-n_labels:]
        logits = z @ w + b
        logits -= logits.max(axis=1, keepdims=True)
        e = np.exp(logits)
        total = e.sum(axis=1, keepdims=True)
        nll = share @ (np.log(total[:, 0]) - (logits * truth).sum(axis=1))
        off = (e / total - truth) * share[:, None]
        grad = np.concatenate([(z.T @ off + SHRINK * w).ravel(), off.sum(axis=0)])
        return float(nll + 0.5 * SHRINK * (w**2).sum()), grad

    found = minimize(
        loss, np.zeros(z.shape[1] * n_labels + n_labels), jac=True, method="L-BFGS-B", options={"maxiter": 200}
    )
    return found.x[:-n_labels].reshape(n_features, n_labels), found.x[-n_labels:]
