"""A signal that is made second by second and taken in pieces of any length."""

from __future__ import annotations

import numpy as np

from ...types import Array


class BlockSignal:
    """Base of simulated signals (n_times, n_columns) at `sfreq` Hz: the same samples however they are cut."""

    def __init__(self, n_columns: int, sfreq: float) -> None:
        self.sfreq = sfreq
        self._rest = np.empty((0, n_columns), np.float32)

    def block(self) -> Array:
        """The next second: (``round(sfreq)``, n_columns)."""
        raise NotImplementedError

    def take(self, n: int) -> Array:
        """The next `n` samples: (n, n_columns)."""
        blocks, have = [self._rest], len(self._rest)
        while have < n:
            blocks.append(self.block())
            have += len(blocks[-1])
        made = np.concatenate(blocks)
        self._rest = made[n:]
        return made[:n]

    def signal(self, seconds: float) -> Array:
        """The next `seconds`: (n_times, n_columns)."""
        return self.take(round(seconds * self.sfreq))
