"""Shape, inputs and outputs of the network as arrays: the same for torch and for ONNX Runtime; without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

RawToken = Literal["patch", "spectrum"]


@dataclass(frozen=True)
class ReaderConfig:
    """Shape of the network."""

    patch_len: int = 128
    n_patches: int = 4
    n_steps: int = 10
    n_bands: int = 5
    n_eye: int = 33  # 0: no branch of eye movements
    readouts: dict[str, int] = field(default_factory=lambda: {"effort": 2, "emotion3": 3})
    dim: int = 64  # width of the fused levels
    band_dim: int = 16  # width of a DE token of one band
    heads: int = 4  # of the raw branch
    space_heads: int = 1  # within a band; the bands are heads of a kind already
    time_heads: int = 2
    raw_token: RawToken = "patch"  # samples of a patch, or a spectrum (see `spectra`)
    raw_dim: int = 64  # width of a raw token
    raw_depth: int = 2
    rounds: int = 2
    dropout: float = 0.2
    head_dropout: float = 0.5
    positions: bool = True  # False hides the electrodes' positions, for an ablation


@dataclass
class Inputs:
    """The fields of `reader.Batch` as arrays; B windows, S steps, C channels, K bands, P patches, L patch samples."""

    de: np.ndarray  # (B, S, C, K) float32, z-scored
    patches: np.ndarray  # (B, C, P, L) float32, in baseline rms
    positions: np.ndarray  # (B, C, 3) float32, unit vectors
    keep_chans: np.ndarray  # (B, C) bool
    keep_steps: np.ndarray  # (B, S) bool
    keep_patches: np.ndarray  # (B, P) bool
    eye: np.ndarray | None = None  # (B, n_eye) float32, z-scored; NaN in windows without an eye


@dataclass
class Outputs:
    """What the network computes of `Inputs`."""

    scores: dict[str, np.ndarray]  # readout -> (B, n_labels) logits
    attention: np.ndarray  # (B, C, K), sums to 1 over C
    levels: np.ndarray  # (B, 3 or 4, D): the levels that are fused; features of personal classifiers


def golden_input(c: ReaderConfig) -> Inputs:
    """A fixed batch with an unusual montage, missing steps and a bad channel."""
    rng = np.random.default_rng(0)
    shapes = (2, c.n_steps, 7, c.n_bands), (2, 7, c.n_patches, c.patch_len)
    de, patches = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
    positions = rng.normal(size=(2, 7, 3)).astype(np.float32)
    positions /= np.linalg.norm(positions, axis=-1, keepdims=True)
    chans, steps = np.ones((2, 7), bool), np.ones((2, c.n_steps), bool)
    chans[1, 3] = steps[1, :4] = False
    return Inputs(de, patches, positions, chans, steps, np.ones((2, c.n_patches), bool))
