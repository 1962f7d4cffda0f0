"""Speed of features offline, beside a plain bank of filters and the code of before: ``python -m benchmarks.offline``.

Processor time of one thread; start it with ``OMP_NUM_THREADS=1``, as busy threads of BLAS count too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy.signal import sosfilt

from benchmarks.rig import Row, table
from realtime_mood.dsp.filters import band_pass
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.datasets.person import by_second
from realtime_mood.montage import SPREAD
from realtime_mood.pipeline import Pipeline
from realtime_mood.types import Chunk, StreamInfo

LENGTH_S, CHUNK_S = 120, 10
SHAPES = {(62, 200.0): (6.3, 14.1), (32, 128.0): (10.6, 0.0), (19, 500.0): (8.5, 0.0)}
"""Channels and rate (Hz): times a plain bank that features by the second, and windows every 250 ms, took before blocks
of hops were computed together (measured in turn with today's code, same machine)."""


def signal_of(n_chans: int, sfreq: float, seed: int = 0) -> np.ndarray:
    """Slow drifts, noise and a part that all electrodes share, (n_times, n_chans) float32, µV."""
    rng, n = np.random.default_rng(seed), round(LENGTH_S * sfreq)
    x = 0.5 * np.cumsum(rng.standard_normal((n, n_chans)), axis=0)
    x -= np.linspace(0, 1, n)[:, None] * x[-1]
    return (x + 5 * rng.standard_normal((n, n_chans)) + 6 * rng.standard_normal((n, 1))).astype(np.float32)


def cost_ms(work: Callable[[], object], n: int = 3) -> float:
    """Processor time (ms) of a call a second of signal, the least of some."""
    times = []
    for _ in range(n):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1000 * min(times) / LENGTH_S


def rows() -> list[Row]:
    """Features by the second, and windows every 250 ms, of long signals."""
    spec, found = FeatureSpec(), list[Row]()
    for (n_chans, sfreq), (former, former_windows) in SHAPES.items():
        info, signal = StreamInfo(tuple(SPREAD[:n_chans]), sfreq), signal_of(n_chans, sfreq)
        length, bank = round(CHUNK_S * sfreq), [band_pass(band, sfreq) for band in spec.bands.values()]
        chunks = [signal[at : at + length] for at in range(0, len(signal), length)]

        def plain(chunks: list[np.ndarray] = chunks, bank: list[np.ndarray] = bank) -> None:
            for chunk in chunks:
                for sos in bank:
                    sosfilt(sos, chunk.astype(np.float64), axis=0)

        def windows(info: StreamInfo = info, chunks: list[np.ndarray] = chunks, length: int = length) -> None:
            p = Pipeline(info, spec, None)  # no window is read
            for i, chunk in enumerate(chunks):
                p.push(Chunk(chunk, i * length, 0.0))

        of_bank = cost_ms(plain)
        parts = {"features by the second": (lambda i=info, x=signal: by_second(i, x, spec), former)}
        if former_windows:
            parts["windows every 250 ms"] = windows, former_windows
        for what, (work, before) in parts.items():
            ours = cost_ms(work)
            beside = f"five band-passes by SciPy {of_bank:.2f} ms: × {ours / of_bank:.1f}"
            ratio = f"{before * of_bank / ours:.1f} times as fast as before"
            found.append([f"{what}, {n_chans} ch at {sfreq:g} Hz", f"{ours:.2f} ms a second", beside, ratio])
    return found


if __name__ == "__main__":
    print(table(["what", "here", "compared with", "ratio"], rows()))
