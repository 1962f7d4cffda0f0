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
from realtime_mood.models.datasets.person import Person
from realtime_mood.models.masking import GEOMETRIES, Mask

from .objective import Spectrum
from .recipe import MOMENTS, PretrainingRecipe

BUCKETS = (4, 6, 8, 12, 16, 19, 24, 32, 48, 64)  # channels of a batch
USUAL_CHANS = 32  # batches of more channels hold fewer windows, so that memory and time stay bounded
NEAR_S = 12
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
    slow: Tensor  # (B, C, K): log power of a longer time around the window, less the subject's mean; or (B, C, 0)
    mask: Mask

    def share(self, rank: int, of: int) -> Drawn:
        """Every `of`-th window, from `rank` on."""
        part = slice(rank, None, of)
        patches, positions, slow, mask = self
        return Drawn(patches[part], positions[part], slow[part], Mask(*(x[part] for x in mask)))

    def to(self, device: torch.device) -> tuple[Tensor, ...]:
        """What the objective takes, on `device`."""
        return tuple(x.to(device, non_blocking=True) for x in (*self[:3], *self.mask))


class Feed:
    """Batches of some sessions, of `size` windows of up to `USUAL_CHANS` channels.

    `pop` holds the initial values of the running statistics. The recipe says what is hidden, how many windows there
    are in a batch, and whether log power around the windows is needed.
    """

    def __init__(
        self, sessions: Sequence[PreparedSession], pop: Population, spec: FeatureSpec, recipe: PretrainingRecipe,
        seed: int, vary: Vary = Vary(),
    ) -> None:  # fmt: skip
        self._sessions, self._spec, self._size, self._seed = list(sessions), spec, recipe.batch, seed
        self._hide, self._vary, self._recipe = GEOMETRIES[recipe.geometry], vary, recipe
        self._spectrum = Spectrum.of(spec, bins=recipe.bins)
        self._usual = [self._mean_power(p.features) for p in sessions] if recipe.context_s else []
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
        rows, together, t = [], 1, 0
        if self._recipe.contrast:
            size, together = max(MOMENTS, size - size % MOMENTS), MOMENTS
        for k in range(size):
            i = i if k % together else self._session(rng, n_chans)
            t = self._time(rng, i, n_chans, t if k % together % 2 else None)
            rows.append(self._window(rng, i, t, n_chans))
        patches, positions, slow = (torch.as_tensor(np.stack(x), dtype=torch.float32) for x in zip(*rows, strict=True))
        usable = torch.ones((*patches.shape[:2], self._recipe.n_times), dtype=torch.bool)
        return Drawn(patches, positions, slow, self._hide(usable, positions, hide, self._recipe.hidden))

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

    def _time(self, rng: np.random.Generator, i: int, n_chans: int, near: int | None) -> int:
        """Last second of a window of session `i` with `n_chans` good channels, or of one that is `near` another."""
        last, n_good = self._windows[i]
        last = last[: _n_of(n_good, n_chans)]
        if near is not None:
            apart = np.abs(last - near)
            last = last[(apart <= NEAR_S) & ((apart >= self._spec.n_patches) | (apart == 0))]
        return int(rng.choice(last))

    def _window(
        self, rng: np.random.Generator, i: int, t: int, n_chans: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The window of session `i` that ends with second `t`, on `n_chans` of its good channels.

        (C, P, L), positions (C, 3) and log power around it (C, K).
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
        return scaled, where / np.linalg.norm(where, axis=1, keepdims=True), self._slow(i, t, chans)

    def _slow(self, i: int, t: int, chans: np.ndarray) -> np.ndarray:
        """Log power (C, K) around the window of session `i` that ends with second `t`, less the subject's mean."""
        if not self._usual:
            return np.zeros((len(chans), 0))
        p, more = self._sessions[i].features, round(self._recipe.context_s)
        at = np.arange(max(0, t - self._spec.n_patches + 1 - more), min(len(p.there), t + 1 + more))
        at = at[p.there[at] & (p.piece[at] == p.piece[t])]
        return self._log_power(p, at, chans)[0] - self._usual[i][chans]

    def _mean_power(self, p: Person) -> np.ndarray:
        """Log power (n_chans, K) of a session's good seconds."""
        seconds = np.flatnonzero(p.there)
        parts = np.array_split(seconds, len(seconds) // 200 + 1)
        means, n = zip(*(self._log_power(p, part, np.arange(p.good.shape[1])) for part in parts), strict=True)
        return np.einsum("pck,pc->ck", means, n) / np.maximum(np.sum(n, axis=0), 1)[:, None]

    def _log_power(self, p: Person, at: np.ndarray, chans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean log power (C, K) of the seconds `at`, and the number of good ones (C,)."""
        logs = self._spectrum(torch.as_tensor(np.asarray(p.patches[at], np.float32)[:, chans])).numpy()
        good = p.good[np.ix_(at, chans)]
        return (logs * good[..., None]).sum(0) / np.maximum(good.sum(0), 1)[:, None], good.sum(0)


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
