"""Recordings that are written by hand, a quarter of a second at a time: what a test puts in is all there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime_mood.health import Emission, State
from realtime_mood.recording.xdf_session import READINGS, XdfSession
from realtime_mood.types import Abstained, Chunk, Estimate, Fault, Marker, Quality, Reading, Readout, StreamInfo, Why

CHANS = ("Fp1", "Fp2", "C3", "C4")
INFO = StreamInfo(CHANS, 100.0, name="virtual person 7", reference="average", virtual=True)
REAL = replace(INFO, name="Cap 12", virtual=False)
READOUT = Readout("emotion3", ("negative", "neutral", "positive"), ((-0.7, 0.4), (0, -0.2), (0.7, 0.4)), "virtual")
ABOUT = {"version": "0.1.0", "weights": "/home/somebody/reader-4", "sha256": "ab" * 32, "notch": "50", "profile": None}
FINE = Quality(np.ones(4), (None,) * 4)
HOP = 25  # samples


def estimate(end: int, probs: tuple[float, ...], quality: Quality = FINE) -> Estimate:
    attention = np.full((4, 5), 0.25)
    return Estimate(READOUT, probs, max(probs), attention, quality, 1.0, False, max(0, end - 1000), end, end / 100)


def silent(end: int, why: Why, quality: Quality | None = FINE) -> Abstained:
    return Abstained(why, 0, end, end / 100, READOUT, None, quality)


class Writer:
    """Writes a recording."""

    def __init__(self, info: StreamInfo = INFO, about: dict[str, Any] = ABOUT) -> None:
        self.tape, self.end = XdfSession(info, about), 0
        self.parts = [self.tape.begin()]

    def signal(self, lost: int = 0, markers: tuple[str, ...] = ()) -> None:
        first = self.end + lost
        self.end = first + HOP
        data = np.random.default_rng(first).normal(0, 10, (HOP, 4)).astype(np.float32)
        marks = tuple(Marker(first, text) for text in markers)
        self.parts.append(self.tape.take(Chunk(data, first, (self.end - 1) / 100, lost, marks)))

    def say(self, reading: Reading, latency_ms: float | None = None) -> None:
        self.parts.append(self.tape.put(Emission(reading, self.tape.info, State.LIVE, 5.0, latency_ms)))

    def words(self, text: str) -> None:
        """Anything at all where a reading should be."""
        self.parts.append(self.tape._words(READINGS, 0.0, text))

    def write(self, path: Path) -> Path:
        path.write_bytes(b"".join(self.parts) + self.tape.end())
        return path


def session(info: StreamInfo = INFO, about: dict[str, Any] = ABOUT) -> Writer:
    """30 s: 5 settling, 10 neutral, 5 of poor signal, a gap of 2 s, 8 positive. C3 hums for the last 8."""
    it = Writer(info, about)
    humming = Quality(np.array([1, 1, 0.2, 1]), (None, None, Fault.LINE, None))
    for k in range(112):
        it.signal(200 if k == 80 else 0, ("eyes open",) if k == 20 else ())
        if k < 20:
            it.say(silent(it.end, Why.SETTLING, Quality(np.zeros(4), (None,) * 4)))
        elif k < 60:
            it.say(estimate(it.end, (0.2, 0.7, 0.1)), latency_ms=40.0)
        elif k < 80:
            it.say(silent(it.end, Why.BAD_SIGNAL))
        else:
            it.say(estimate(it.end, (0.1, 0.3, 0.6), humming), latency_ms=60.0)
    return it
