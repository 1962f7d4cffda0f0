"""Test doubles and test data: a scripted headset, EEG-like noise, chunks, and readings of every kind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import StreamEnded
from ..health import Emission, State
from ..types import Abstained, Chunk, Estimate, Quality, Reading, Readout, StreamInfo, Why

EIGHT = ("Fp1", "Fp2", "C3", "C4", "P3", "P4", "O1", "O2")
INFO = StreamInfo(EIGHT, 200.0, name="fake", paced=False)
EFFORT = Readout("effort", ("rest", "arithmetic"), ((0.1, -0.4), (-0.1, 0.4)), "real")
PLAIN = Readout("état d’âme", ("calme", "très agité"), (), "own")  # without valence and arousal; not all ASCII


def pink(n_times: int, n_chans: int, seed: int = 0, offset_uv: float = 0.0) -> np.ndarray:
    """Signal with a 1/f spectrum, shared between channels in part: (n_times, n_chans), some 10 µV rms."""
    rng = np.random.default_rng(seed)
    freqs = np.fft.rfftfreq(n_times)
    shape = 1 / np.sqrt(np.maximum(freqs, freqs[1] if len(freqs) > 1 else 1))[:, None]
    white = (rng.standard_normal((n_times, k)) for k in (n_chans, 1))
    own, shared = (np.fft.irfft(np.fft.rfft(noise, axis=0) * shape, n_times, axis=0) for noise in white)
    mixed = own + shared
    return (10 * mixed / mixed.std() + offset_uv).astype(np.float32)


def cut(signal: np.ndarray, sizes: Sequence[int], sfreq: float = INFO.sfreq, t0: float = 0.0) -> list[Chunk]:
    """`signal` in chunks of these sizes, the last one over and over; a size of 0 is an empty chunk."""
    chunks, at, sizes = [], 0, list(sizes)
    while at < len(signal):
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        part = signal[at : at + size]
        chunks.append(Chunk(part, at, t0 + (at + len(part) - 1) / sfreq))
        at += len(part)
    return chunks


class FakeStream:
    """Plays chunks; then ends, or does what `after` does (it may raise)."""

    def __init__(self, info: StreamInfo, chunks: Sequence[Chunk], after: Callable[[], None] | None) -> None:
        self.info, self._chunks, self._after, self.closed = info, list(chunks), after, False

    def read(self, timeout: float) -> Chunk | None:
        """The next chunk of the script."""
        if self._chunks:
            return self._chunks.pop(0)
        if self._after is None:
            raise StreamEnded("fake", "played to its end")
        self._after()
        threading.Event().wait(min(timeout, 0.01))
        return None

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


class FakeHeadset:
    """A source that opens the same chunks every time.

    `after` is called by each read once all chunks are played; without it the stream ends there.
    """

    def __init__(
        self, chunks: Sequence[Chunk], info: StreamInfo = INFO, after: Callable[[], None] | None = None
    ) -> None:
        self.info, self.chunks, self.after = info, chunks, after
        self.streams: list[FakeStream] = []

    def open(self) -> FakeStream:
        """A stream that begins with the first chunk."""
        self.streams.append(FakeStream(self.info, self.chunks, self.after))
        return self.streams[-1]


def example_readings(n: int = 24, info: StreamInfo = INFO) -> list[Emission]:
    """`n` readings, four a second: estimates, every reason for none, numbers that are none, and a second readout."""
    quality = Quality(np.ones(info.n_chans, np.float32), (None,) * info.n_chans)
    emissions, reasons = [], list(Why)
    for k in range(n):
        end = round((8 + k / 4) * info.sfreq)
        t_last, readout = end / info.sfreq, EFFORT if k < 0.75 * n else PLAIN
        if k % 3:
            probs = (float("nan"), float("nan")) if k == 4 else (0.25, 0.75)
            attention = np.full((info.n_chans, 5), 1 / info.n_chans, np.float32)
            attention.flags.writeable = False
            reading: Reading = Estimate(readout, probs, 0.75, attention, quality, 1.0, True, 0, end, t_last)
        else:
            why = reasons[k // 3 % len(reasons)]
            reading = Abstained(why, 0, end, t_last, readout, (0.5, 0.5) if why is Why.UNSURE else None, quality)
        state = State.STALLED if isinstance(reading, Abstained) and reading.why is Why.STALE else State.LIVE
        emissions.append(Emission(reading, info, state, 12.0, 20.0 if isinstance(reading, Estimate) else None))
    return emissions
