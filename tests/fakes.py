"""Fakes that stand in for a network and a sink; the device, its signal and its chunks are those of `testing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress

import numpy as np

from realtime_mood import clock
from realtime_mood.contracts import Stream
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.errors import StreamEnded
from realtime_mood.estimator import MoodEstimator
from realtime_mood.health import Emission, Health
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser
from realtime_mood.testing.parts import EFFORT, EIGHT, INFO, FakeStream, cut, pink
from realtime_mood.testing.parts import FakeHeadset as FakeSource
from realtime_mood.types import Chunk, Features, StreamInfo

__all__ = [
    "EIGHT",
    "INFO",
    "POPULATION",
    "FakeNetwork",
    "FakeSource",
    "FakeStream",
    "Keep",
    "cut",
    "drain",
    "live",
    "pink",
    "pipeline",
]

POPULATION = Population(np.full(5, 2.5), np.full(5, 0.3))


def drain(stream: Stream) -> list[Chunk]:
    """All chunks of a stream that ends, which is then closed."""
    chunks: list[Chunk] = []
    with closing(stream), suppress(StreamEnded):
        while True:
            if (chunk := stream.read(1.0)) is not None:
                chunks.append(chunk)
    return chunks


def live(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The same chunks, stamped as if the last one came just now."""
    late = clock.now() - chunks[-1].t_last
    return [Chunk(c.data, c.first, c.t_last + late, c.lost, c.markers) for c in chunks]


class FakeNetwork:
    """Says what it is told to."""

    readout = EFFORT
    least_confidence = 0.6
    notes = ()

    def __init__(self, probs: tuple[float, ...] = (0.2, 0.8), trouble: Callable[[], None] = lambda: None) -> None:
        self.probs, self.trouble, self.seen = probs, trouble, []

    def __call__(self, features: Features) -> tuple[tuple[float, ...], np.ndarray]:
        self.seen.append(features)
        self.trouble()
        n_chans, n_bands = features.de.shape[1:]
        return self.probs, np.full((n_chans, n_bands), 1 / n_chans, np.float32)


def pipeline(info: StreamInfo = INFO, network: FakeNetwork | None = None, *, frozen: bool = False) -> Pipeline:
    """A whole pipeline around a fake network."""
    spec = FeatureSpec()
    start = Statistics.of_population(POPULATION.mean, POPULATION.sd, info.n_chans)
    normaliser = Normaliser(start, info.sfreq, frozen=frozen)
    return Pipeline(info, spec, MoodEstimator(info, network or FakeNetwork(), normaliser, spec.step_s))


class Keep:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.items: list[Emission] = []
        self.health: Health | None = None

    def put(self, emission: Emission) -> None:
        self.items.append(emission)

    def close(self, health: Health) -> None:
        self.health = health
