"""Batches for masked pre-training: windows of many subjects on random sub-montages, references and gains.

A batch is a pure function of (seed, number), so a resumed run continues with the same batches, and several processes
draw the same without communication.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import CLIP_SD, Population
from realtime_mood.models.datasets.corpus import PreparedSession
from realtime_mood.models.masking import GEOMETRIES, Mask

from .recipe import PretrainingRecipe

BUCKETS = (4, 6, 8, 12, 16, 19, 24, 32, 48, 64)  # channels of a batch
USUAL_CHANS = 32  # batches of more channels hold fewer windows, so that memory and time stay bounded
REFERENCES = {"as it is": 0.4, "average": 0.3, "one": 0.15, "pair": 0.15}


@dataclass(frozen=True)
class Vary:
    """Data augmentation."""

    jitter: float = 0.03  # sd of positions, in head radii
    gain: float = 0.2  # sd of the log, for the window
    chan_gain: float = 0.1  # and for each of its channels
    references: bool = True
    real_share: float = 0.4  # of windows, where there are both real and simulated subjects


PLAIN = Vary(jitter=0.0, gain=0.0, chan_gain=0.0, references=False)


class Drawn(NamedTuple):
    """One batch."""

    patches: Tensor  # (B, C, P, L), in baseline rms
    positions: Tensor  # (B, C, 3), unit vectors
    mask: Mask

    def share(self, rank: int, of: int) -> Drawn:
        """Every `of`-th window, from `rank` on."""
        part = slice(rank, None, of)
        return Drawn(self.patches[part], self.positions[part], Mask(*(x[part] for x in self.mask)))

    def to(self, device: torch.device) -> tuple[Tensor, ...]:
        """What the objective takes, on `device`."""
        return tuple(x.to(device, non_blocking=True) for x in (*self[:2], *self.mask))


class Feed:
    """Batches of some sessions, of `size` windows of up to `USUAL_CHANS` channels.

    `pop` holds the initial values of the running statistics. The recipe says what is hidden, and how many windows there
    are in a batch.
    """

    def __init__(
        self, sessions: Sequence[PreparedSession], pop: Population, spec: FeatureSpec, recipe: PretrainingRecipe,
        seed: int, vary: Vary = Vary(),
    ) -> None:  # fmt: skip
        self._sessions, self._spec, self._size, self._seed = list(sessions), spec, recipe.batch, seed
        self._hide, self._vary, self._recipe = GEOMETRIES[recipe.geometry], vary, recipe
        self._rms = [p.rms(pop, spec) for p in sessions]
        self._windows = [p.windows(spec.n_patches) for p in sessions]
        self._weights = {n: self._weigh(n) for n in BUCKETS}

    def __call__(self, number: int) -> Drawn:
        """Batch `number`."""
        rng = np.random.default_rng([self._seed, number])
        hide = torch.Generator().manual_seed(int(rng.integers(2**62)))
        i = self._session(rng, BUCKETS[0])
        n_good = int(rng.choice(self._windows[i][1]))
        # Log-uniform down to a quarter of the good channels.
        limit = np.exp(rng.uniform(np.log(max(BUCKETS[0], n_good / 4)), np.log(n_good + 1)))
        n_chans = max((c for c in BUCKETS if c <= limit), default=BUCKETS[0])
        size = min(self._size, max(1, self._size * USUAL_CHANS // n_chans))
        rows = []
        for _ in range(size):
            i = self._session(rng, n_chans)
            rows.append(self._window(rng, i, self._time(rng, i, n_chans), n_chans))
        patches, positions = (torch.as_tensor(np.stack(x), dtype=torch.float32) for x in zip(*rows, strict=True))
        usable = torch.ones((*patches.shape[:2], self._recipe.n_times), dtype=torch.bool)
        return Drawn(patches, positions, self._hide(usable, positions, hide, self._recipe.hidden))

    def _session(self, rng: np.random.Generator, n_chans: int) -> int:
        """A session with windows of `n_chans` good channels, in proportion to the root of their number."""
        real, virtual = self._weights[n_chans]
        takes_real = real.any() and (not virtual.any() or rng.random() < self._vary.real_share)
        return int(rng.choice(len(real), p=real if takes_real else virtual))

    def _weigh(self, n_chans: int) -> tuple[np.ndarray, np.ndarray]:
        """Probability of each session among the real and among the simulated ones; zeros where there are none."""
        weight = np.sqrt([_n_of(n_good, n_chans) for _, n_good in self._windows])
        virtual = np.array([p.virtual for p in self._sessions])
        real, made = np.where(virtual, 0, weight), np.where(virtual, weight, 0)
        return real / max(real.sum(), 1e-9), made / max(made.sum(), 1e-9)

    def _time(self, rng: np.random.Generator, i: int, n_chans: int) -> int:
        """Last second of a window of session `i` with `n_chans` good channels."""
        last, n_good = self._windows[i]
        return int(rng.choice(last[: _n_of(n_good, n_chans)]))

    def _window(self, rng: np.random.Generator, i: int, t: int, n_chans: int) -> tuple[np.ndarray, np.ndarray]:
        """The window of session `i` that ends with second `t`, on `n_chans` of its good channels.

        (C, P, L), and positions (C, 3).
        """
        p = self._sessions[i].features
        recent = slice(t - self._spec.n_patches + 1, t + 1)
        good = rng.permutation(np.flatnonzero(p.good[recent].all(axis=0)))
        chans, others = good[:n_chans], good[n_chans:]
        signal = np.asarray(p.patches[recent], np.float32)[:, good].transpose(1, 0, 2)  # (n_good, P, L)
        own, rms = signal[:n_chans], self._rms[i][t, chans, None, None]
        if self._vary.references:
            moved = _referenced(own, signal, len(others), rng)
            # The baseline's rms under another reference is unknown; its change is estimated from the window.
            rms = rms * np.clip(_rms(moved) / _rms(own), 0.2, 5.0)
            own = moved
        gain = np.exp(self._vary.gain * rng.standard_normal() + self._vary.chan_gain * rng.standard_normal(len(own)))
        where = p.positions[chans] + self._vary.jitter * rng.standard_normal((n_chans, 3))
        scaled = np.clip(own / rms * gain[:, None, None], -CLIP_SD, CLIP_SD)
        return scaled, where / np.linalg.norm(where, axis=1, keepdims=True)


def _referenced(own: np.ndarray, everyone: np.ndarray, n_others: int, rng: np.random.Generator) -> np.ndarray:
    """`own` (C, P, L) against the average of `everyone`, or against one or two of the others, or unchanged."""
    kind = rng.choice(list(REFERENCES), p=list(REFERENCES.values()))
    if kind == "average" and len(everyone) > 4:  # of four electrodes it would remove a quarter of each
        return own - everyone.mean(axis=0)
    if kind == "one" and n_others >= 1:
        return own - everyone[-1]
    if kind == "pair" and n_others >= 2:
        return own - everyone[-2:].mean(axis=0)
    return own


def _n_of(n_good: np.ndarray, n_chans: int) -> int:
    """The number of windows with at least `n_chans` good channels; `n_good` is in descending order."""
    return int(np.searchsorted(-n_good, -n_chans, side="right"))


def _rms(signal: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(signal).mean(axis=(1, 2), keepdims=True) + 1e-6)
