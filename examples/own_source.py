"""Connect a device of your own: a class with `open`, whose stream has `info`, `read` and `close`.

Replace the sine and noise in `read` by what your device sends, in µV.
"""

import numpy as np

import realtime_mood as rm

NAMES = ("Fp1", "Fp2", "C3", "C4", "P3", "P4", "O1", "O2")
SFREQ, SECONDS = 250.0, 16


class MyStream:
    """One connection. Samples are counted from 0; samples that were lost count too."""

    def __init__(self) -> None:
        # paced=False: it does not run in real time, and waits for the pipeline. Leave it out for a device.
        self.info = rm.StreamInfo(NAMES, SFREQ, name="my headset", paced=False)
        self._rng, self._first = np.random.default_rng(0), 0

    def read(self, timeout: float) -> rm.Chunk | None:
        """The samples since the last call: (n_times, n_chans) µV; None when none came within `timeout` s."""
        if self._first >= SECONDS * SFREQ:
            raise rm.errors.StreamEnded("my headset", "switched off")
        t = (self._first + np.arange(50)) / SFREQ
        alpha = 10 * np.sin(2 * np.pi * 10 * t)[:, None] * np.linspace(0.2, 1, len(NAMES))
        data = alpha + self._rng.normal(0, 8, alpha.shape)
        chunk = rm.Chunk(data, first=self._first, t_last=t[-1])
        self._first = chunk.end
        return chunk

    def close(self) -> None:
        """Let go of the device."""


class MyHeadset:
    """What `rm.read` and `rm.open_source` are given."""

    def open(self) -> MyStream:
        """Connect; raise `rm.errors.SourceNotFound` when it is not there."""
        return MyStream()


for reading in rm.read(MyHeadset()):
    print(reading)
