"""Faults of electrodes on a clean signal: loose, dry, noisy or swapped ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...types import Array
from .script import FAULTS, FaultScript, own

POP_S = 2.0  # time constant of the decay after an electrode pop (s)


class _Part(NamedTuple):
    """The samples that one fault is applied to."""

    data: np.ndarray  # (n_times, n_columns), µV, float64
    t: np.ndarray  # (n_times, 1), s since the fault began
    value: float
    rng: np.random.Generator

    def with_line(self, line_hz: float) -> np.ndarray:
        return self.data + self.value * np.sqrt(2) * np.sin(2 * np.pi * line_hz * self.t)

    def with_some(self, value: float) -> np.ndarray:
        return np.where(self.rng.random(self.data.shape) < self.value, value, self.data)


_FAULTY: dict[str, Callable[[_Part], np.ndarray]] = {
    "noisy": lambda it: it.data + it.value * it.rng.standard_normal(it.data.shape),
    "line50": lambda it: it.with_line(50.0),
    "line60": lambda it: it.with_line(60.0),
    "popped": lambda it: it.data + it.value * np.exp(-it.t / POP_S),
    "offset": lambda it: it.data + it.value,
    "swapped": lambda it: it.data[:, ::-1],
    "flat": lambda it: np.full_like(it.data, it.value),
    "railed": lambda it: np.full_like(it.data, it.value),
    "nan": lambda it: it.with_some(np.nan),
    "inf": lambda it: it.with_some(np.inf),
}


class Electrodes:
    """Applies the electrode faults of a script to samples at `sfreq` Hz."""

    def __init__(self, script: FaultScript, sfreq: float, seed: int) -> None:
        kinds = list(FAULTS)
        faults = sorted(script.of(*_FAULTY), key=lambda fault: kinds.index(fault.kind))
        self._faults, self._sfreq = [(fault, own(seed, fault)) for fault in faults], sfreq

    def spoil(self, rows: Array, first: int) -> Array:
        """Samples from number `first` on, with faults; packets must be passed in order, each once."""
        spoilt = rows.astype(np.float64) if self._faults else rows
        for fault, rng in self._faults:
            begins, ends = fault.spans(self._sfreq)
            low, high = max(begins, first), min(ends, first + len(rows))
            if low < high:
                at = slice(int(low) - first, int(high) - first)
                t = (np.arange(low, high)[:, None] - begins) / self._sfreq
                part = _Part(spoilt[at, fault.columns], t, fault.value, rng)
                spoilt[at, fault.columns] = _FAULTY[fault.kind](part)
        return spoilt.astype(np.float32, copy=False)
