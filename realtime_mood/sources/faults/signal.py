"""Faults of electrodes on a clean signal: loose, dry, noisy or swapped ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...types import Array
from .script import FAULTS, FaultScript, ScriptedFault, own

POP_S = 2.0
"""Time constant of the decay after an electrode pop (s)."""


class _Part(NamedTuple):
    """The samples that one fault is applied to."""

    data: np.ndarray
    """(n_times, n_columns), µV, float64; modified in place."""
    t: np.ndarray
    """(n_times, 1), s since the fault began."""
    value: float
    rng: np.random.Generator


def _noisy(part: _Part) -> None:
    part.data[:] += part.value * part.rng.standard_normal(part.data.shape)


def _line(part: _Part, line_hz: float) -> None:
    part.data[:] += part.value * np.sqrt(2) * np.sin(2 * np.pi * line_hz * part.t)


def _popped(part: _Part) -> None:
    part.data[:] += part.value * np.exp(-part.t / POP_S)


def _offset(part: _Part) -> None:
    part.data[:] += part.value


def _swapped(part: _Part) -> None:
    part.data[:] = part.data[:, ::-1].copy()


def _pinned(part: _Part) -> None:
    part.data[:] = part.value


def _unreadable(part: _Part, value: float) -> None:
    part.data[part.rng.random(part.data.shape) < part.value] = value


_LAID_OVER: dict[str, Callable[[_Part], None]] = {
    "noisy": _noisy,
    "line50": lambda part: _line(part, 50.0),
    "line60": lambda part: _line(part, 60.0),
    "popped": _popped,
    "offset": _offset,
    "swapped": _swapped,
    "flat": _pinned,
    "railed": _pinned,
    "nan": lambda part: _unreadable(part, np.nan),
    "inf": lambda part: _unreadable(part, np.inf),
}


class Electrodes:
    """Applies the electrode faults of a script to samples.

    Parameters
    ----------
    script : FaultScript
    sfreq : float
        Hz.
    seed : int
    """

    def __init__(self, script: FaultScript, sfreq: float, seed: int) -> None:
        kinds = list(FAULTS)
        faults = sorted(script.of(*_LAID_OVER), key=lambda fault: kinds.index(fault.kind))
        self._faults: list[tuple[ScriptedFault, np.random.Generator]] = [(fault, own(seed, fault)) for fault in faults]
        self._sfreq = sfreq

    def spoil(self, rows: Array, first: int) -> Array:
        """Samples from number `first` on, with faults; packets must be passed in order, each once."""
        spoilt: np.ndarray | None = None
        for fault, rng in self._faults:
            begins, ends = fault.spans(self._sfreq)
            low, high = max(begins, first), min(ends, first + len(rows))
            if low >= high:
                continue
            if spoilt is None:
                spoilt = rows.astype(np.float64)
            at = slice(int(low) - first, int(high) - first)
            data = spoilt[at, fault.columns]
            t = (np.arange(low, high)[:, None] - begins) / self._sfreq
            _LAID_OVER[fault.kind](_Part(data, t, fault.value, rng))
            spoilt[at, fault.columns] = data
        return rows if spoilt is None else spoilt.astype(np.float32)
