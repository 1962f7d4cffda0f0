"""Turns rows whose electrodes' offsets jump into rows in which they do not."""

from __future__ import annotations

import numpy as np

from ..types import Mask

JUMP_UV = 500.0  # from one sample to the next; the fastest in 4 h of good recordings was 433
STANDS_OUT = 10.0  # times the middle step of the hop before: noise and mains, however large, are no jumps


class StepRemover:
    """Takes every jump of an electrode's offset out of all that follows it.

    A half-hertz high-pass answers a step of 4 mV with a swing that takes three seconds to fall under 10 µV. Without
    the jump the filters have nothing to answer. Slower changes pass as they are. Where a channel stood still for a
    whole hop, whatever it does first is a jump. How the rows are cut makes no difference, to the bit.
    """

    def __init__(self, n_chans: int) -> None:
        self.restart(np.zeros(n_chans))

    def restart(self, row: np.ndarray) -> None:
        """Begin anew, `row` (n_chans,) being what came before."""
        self._last, self._offset = row, np.zeros(len(row))
        self._limit = np.full(len(row), JUMP_UV)
        self._jumps: list[np.ndarray] = []  # of the hop being filled, as the next
        self._steps: list[np.ndarray] = []

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The levelled rows (n_times, n_chans)."""
        steps = np.diff(rows, axis=0, prepend=self._last[None])
        jumps = np.where(np.abs(steps) > self._limit, steps, 0.0)
        # One running sum from the offset on: adding up chunk by chunk would round differently for every cutting.
        offsets = np.cumsum(np.concatenate((self._offset[None], jumps)), axis=0)[1:]
        self._last, self._offset = rows[-1], offsets[-1]
        self._jumps.append(jumps)
        self._steps.append(np.abs(steps))
        return rows - offsets

    def end_hop(self) -> Mask:
        """(n_chans,): who jumped within the hop that ends here."""
        jumped = np.asarray(np.concatenate(self._jumps).any(axis=0))
        steps = np.concatenate(self._steps)
        usual = np.maximum(JUMP_UV, STANDS_OUT * np.median(steps, axis=0))
        self._limit = np.where(steps.any(axis=0), usual, 0.0)
        self._jumps, self._steps = [], []
        return jumped
