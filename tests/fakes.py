"""Fakes that stand in for a device and for a network, and count what they were asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from realtime_mood import clock
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.errors import StreamEnded
from realtime_mood.estimator import MoodEstimator
from realtime_mood.health import Emission, Health
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser
from realtime_mood.types import Chunk, Features, Readout, StreamInfo

EIGHT = ("Fp1", "Fp2", "C3", "C4", "P3", "P4", "O1", "O2")
INFO = StreamInfo(EIGHT, 200.0, name="fake", paced=False)
READOUT = Readout("effort", ("rest", "arithmetic"), ((0.1, -0.4), (-0.1, 0.4)), "real")
POPULATION = Population(np.full(5, 2.5), np.full(5, 0.3))


def pink(n_times: int, n_chans: int, seed: int = 0, offset_uv: float = 0.0) -> np.ndarray:
    """Signal with a 1/f spectrum, shared between channels in part: (n_times, n_chans), some 10 µV rms."""
    rng = np.random.default_rng(seed)
    freqs = np.fft.rfftfreq(n_times)
    shape = 1 / np.sqrt(np.maximum(freqs, freqs[1] if len(freqs) > 1 else 1))[:, None]
    own, shared = (
        np.fft.irfft(np.fft.rfft(rng.standard_normal((n_times, k)), axis=0) * shape, n_times, axis=0)
        for k in (n_chans, 1)
    )
    mixed = own + shared
    return (10 * mixed / mixed.std() + offset_uv).astype(np.float32)


class FakeStream:
    """Plays chunks; then ends, or does what `after` does (it may raise)."""

    def __init__(self, info: StreamInfo, chunks: Sequence[Chunk], after: Callable[[], None] | None) -> None:
        self.info, self._chunks, self._after, self.closed = info, list(chunks), after, False

    def read(self, timeout: float) -> Chunk | None:
        if self._chunks:
            return self._chunks.pop(0)
        if self._after is None:
            raise StreamEnded("fake", "played to its end")
        self._after()
        threading.Event().wait(min(timeout, 0.01))
        return None

    def close(self) -> None:
        self.closed = True


class FakeSource:
    """Opens the same chunks every time."""

    def __init__(
        self, chunks: Sequence[Chunk], info: StreamInfo = INFO, after: Callable[[], None] | None = None
    ) -> None:
        self.info, self.chunks, self.after, self.streams = info, chunks, after, []

    def open(self) -> FakeStream:
        self.streams.append(FakeStream(self.info, self.chunks, self.after))
        return self.streams[-1]


def cut(signal: np.ndarray, sizes: Sequence[int], sfreq: float = INFO.sfreq, t0: float = 0.0) -> list[Chunk]:
    """`signal` in chunks of these sizes, the last one over and over."""
    chunks, at, sizes = [], 0, list(sizes)
    while at < len(signal):
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        part = signal[at : at + size]
        chunks.append(Chunk(part, at, t0 + (at + len(part) - 1) / sfreq))
        at += len(part)
    return chunks


def live(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The same chunks, stamped as if the last one came just now."""
    late = clock.now() - chunks[-1].t_last
    return [Chunk(c.data, c.first, c.t_last + late, c.lost, c.markers) for c in chunks]


class FakeNetwork:
    """Says what it is told to."""

    readout = READOUT
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
