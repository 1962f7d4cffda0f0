"""Removal of steps in electrode offsets, which high-pass filters would turn into long transients."""

from __future__ import annotations

import numpy as np

from ..types import Mask

JUMP_UV = 500.0  # from one sample to the next; the fastest in 4 h of good recordings was 433
STANDS_OUT = 10.0  # times the median difference of the previous hop: noise and mains, however large, are no steps


class StepRemover:
    """Subtracts every step of an electrode's offset from all later samples.

    A 0.5 Hz high-pass filter responds to a step of 4 mV with a transient that takes three seconds to fall below 10 µV.
    Slower changes pass unchanged. Where a channel was constant for a whole hop, its first change counts as a step.
    The output is bit-identical however the rows are cut.
    """

    def __init__(self, n_chans: int) -> None:
        self.restart(np.zeros(n_chans))

    def restart(self, row: np.ndarray) -> None:
        """Restart with `row` (n_chans,) as the previous sample."""
        self._last, self._offset = row, np.zeros(len(row))
        self._limit = np.full(len(row), JUMP_UV)
        self._jumps: list[np.ndarray] = []  # of the current hop, as is the next
        self._steps: list[np.ndarray] = []

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The rows (n_times, n_chans) without steps."""
        steps = np.diff(rows, axis=0, prepend=self._last[None])
        jumps = np.where(np.abs(steps) > self._limit, steps, 0.0)
        # One running sum from the offset on: sums per chunk would round differently for every way of cutting.
        offsets = np.cumsum(np.concatenate((self._offset[None], jumps)), axis=0)[1:]
        self._last, self._offset = rows[-1], offsets[-1]
        self._jumps.append(jumps)
        self._steps.append(np.abs(steps))
        return rows - offsets

    def end_hop(self) -> Mask:
        """(n_chans,): channels with a step within the hop that ends here."""
        jumped = np.asarray(np.concatenate(self._jumps).any(axis=0))
        steps = np.concatenate(self._steps)
        usual = np.maximum(JUMP_UV, STANDS_OUT * np.median(steps, axis=0))
        self._limit = np.where(steps.any(axis=0), usual, 0.0)
        self._jumps, self._steps = [], []
        return jumped
