"""A headset that sends a sine and noise: ``sine://?hz=10``. A real one would read a socket or a serial port here."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from realtime_mood.sources.devices import Device
from realtime_mood.types import Chunk, StreamInfo

NAMES, SFREQ = ("Fp1", "Fp2", "C3", "C4", "P3", "P4", "O1", "O2"), 200.0


class SineOptions(BaseModel):
    """What may stand after ``sine://?``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hz: float = Field(10.0, gt=0, lt=60)


class SineHeadset:
    """The device; `open` connects to it."""

    Options = SineOptions

    def __init__(self, target: str, options: SineOptions) -> None:
        self._hz = options.hz

    def open(self) -> SineStream:
        return SineStream(self._hz)

    @staticmethod
    def devices(seconds: float) -> Iterator[Device]:
        """What `realtime-mood devices` and the window list."""
        yield Device("sine", "Sine headset", "sine://", NAMES, len(NAMES), SFREQ)


class SineStream:
    """One connection, paced by the clock."""

    info = StreamInfo(NAMES, SFREQ, name="sine headset", virtual=True)

    def __init__(self, hz: float) -> None:
        self._hz, self._began, self._sent = hz, time.monotonic(), 0
        self._noise = np.random.default_rng()

    def read(self, timeout: float) -> Chunk | None:
        """The samples that have come since the last call."""
        time.sleep(min(timeout, 0.04))
        due = int((time.monotonic() - self._began) * SFREQ)
        if due <= self._sent:
            return None
        t = np.arange(self._sent, due)[:, None] / SFREQ
        rows = 10 * np.sin(2 * np.pi * self._hz * t) + self._noise.normal(0, 5, (len(t), len(NAMES)))
        chunk = Chunk(rows, self._sent, self._began + (due - 1) / SFREQ)
        self._sent = due
        return chunk

    def close(self) -> None:
        """Nothing to let go of."""
