"""Readings as they leave an engine, and free ports to send them to."""

from __future__ import annotations

import socket

import numpy as np

from realtime_mood.health import Emission, State
from realtime_mood.types import Abstained, Estimate, Quality, Readout, StreamInfo, Why

READOUT = Readout("emotion3", ("negative", "neutral", "positive"), ((-1, 0.5), (0, 0), (1, 0.5)), "virtual")
INFO = StreamInfo(("Fz", "Cz"), 100.0, virtual=True)


def emission(k: int = 0, probs: tuple[float, ...] | None = (0.1, 0.2, 0.7)) -> Emission:
    quality, end = Quality(np.ones(2, np.float32), (None, None)), 1000 + 25 * k
    if probs is None:
        return Emission(Abstained(Why.GAP, 0, end, end / 100, READOUT, None, quality), INFO, State.LIVE, 12.0, None)
    it = Estimate(READOUT, probs, max(probs), np.full((2, 5), 0.5), quality, 1.0, True, 0, end, end / 100)
    return Emission(it, INFO, State.LIVE, 12.0, 20.0)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])
