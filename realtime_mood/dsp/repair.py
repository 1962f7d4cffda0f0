"""Causal repair of blinks in the filtered signal, by regression on the frontal electrodes. Off unless asked for.

Method: the propagation factors of the eye's signal are estimated from blinks only (Gratton, Coles & Donchin 1983) and
recursively, with exponential forgetting (He, Wilson & Russell 2004). Frontal electrodes stand in for EOG electrodes.
They hold EEG as well, so only what exceeds `DEAD_UV` is taken out. See docs/decisions/0035.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..errors import StreamMismatch

DEAD_UV = 40.0  # no more of the frontal signal than this is brain activity; it is left as it is
PLAUSIBLE_UV = 500.0  # what is larger is no blink
MEMORY_S = 10.0  # time constant of the factors, in seconds of blinks: some 40 of them
PRIOR_S = 0.05  # so many seconds of blinks, of `DEAD_UV`, weigh as much as the factors at the start, which are zero
PAIRS = (("Fp1", "Fp2"), ("AF7", "AF8"), ("AF3", "AF4"))  # left and right; the first that the montage has is used
MIDDLE = (("Fpz",), ("AFz",))  # else one of these


def frontal(ch_names: Sequence[str]) -> list[int]:
    """Indices of the one or two electrodes that stand in for EOG; empty where the montage has none of them."""
    found = (names for names in (*PAIRS, *MIDDLE) if set(names) <= set(ch_names))
    return [ch_names.index(name) for name in next(found, ())]


def shared(rows: np.ndarray) -> np.ndarray:
    """What all columns of `rows` (n_times, n) have in common: the smallest, (n_times,); zero where their signs differ.

    A blink is on both sides of the forehead; what a single bad electrode does is not.
    """
    return np.maximum(rows.min(axis=1), 0.0) + np.minimum(rows.max(axis=1), 0.0)


class EyeRepair:
    """Subtracts blinks from rows of all channels, and changes nothing between them.

    The factors are updated at the end of each hop, for the hops after it. The output is bit-identical however the rows
    are cut.

    Parameters
    ----------
    ch_names : sequence of str
    sfreq : float
        Hz.

    Raises
    ------
    StreamMismatch
        There are no frontal electrodes.
    """

    def __init__(self, ch_names: Sequence[str], sfreq: float) -> None:
        self._frontal, self._sfreq = frontal(ch_names), sfreq
        if not self._frontal:
            known = ", ".join(" and ".join(names) for names in (*PAIRS, *MIDDLE))
            raise StreamMismatch(
                "repair 'eog'", f"there is no pair of frontal electrodes among {', '.join(ch_names)}",
                f"use a montage with {known}, or run without --repair",
            )  # fmt: skip
        self._power, self._product = PRIOR_S * sfreq * DEAD_UV**2, np.zeros(len(ch_names))
        self.factors = np.zeros(len(ch_names))
        """(n_chans,): share of the frontal signal that reaches each electrode."""
        self.restart()

    def restart(self) -> None:
        """Forget the hop that has begun, as after a long gap; the factors are kept."""
        self._hop: list[tuple[np.ndarray, np.ndarray]] = []  # frontal signal and rows of each blink's part so far

    def __call__(self, rows: np.ndarray, ends: Sequence[int] = (), settled: int = 0) -> np.ndarray:
        """Repair the next rows.

        Parameters
        ----------
        rows : (n_times, n_chans), µV
            Filtered, without an offset.
        ends : sequence of int
            Where hops end: the row after the last one of each.
        settled : int
            The first row to learn from.

        Returns
        -------
        (n_times, n_chans), µV
            The same array where there is no blink.
        """
        eye = shared(rows[:, self._frontal])
        eye[np.abs(eye) > PLAUSIBLE_UV] = 0.0
        excess = eye - np.clip(eye, -DEAD_UV, DEAD_UV)
        blink, repaired = excess != 0, rows
        for start, stop in pairwise(dict.fromkeys([0, *ends, len(rows)])):
            at = slice(start, stop)
            if blink[at].any():
                repaired = rows.copy() if repaired is rows else repaired
                repaired[at] -= excess[at, None] * self.factors
                known = at.start + np.flatnonzero(blink[at])
                known = known[known >= settled]
                self._hop.append((eye[known], rows[known]))
            if stop in ends:
                self._learn(steady=not blink[stop - 1])
        return repaired

    def _learn(self, *, steady: bool) -> None:
        """Close a hop; the factors change only between blinks (`steady`), so that there is no step within one."""
        if self._hop:
            eye, rows = (np.concatenate(parts) for parts in zip(*self._hop, strict=True))
            keep = np.exp(-len(eye) / (MEMORY_S * self._sfreq))
            self._power = keep * self._power + np.square(eye).sum()
            self._product = keep * self._product + (eye[:, None] * rows).sum(axis=0)
            self._hop = []
        if steady:
            self.factors = np.clip(self._product / self._power, -1.0, 1.0)
