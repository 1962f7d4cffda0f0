"""Planted stimuli: markers, what a sensor shows after them, and files that hold both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime_mood.recording import xdf_write as xdf

FLASH_S = 0.1


def marker_times(n: int, seed: int = 0) -> np.ndarray:
    """Markers at irregular intervals of 0.6 to 1 s."""
    return 2.0 + np.cumsum(np.random.default_rng(seed).uniform(0.6, 1.0, n))


def light(
    onsets: np.ndarray, seconds: float, sfreq: float, *, noise: float = 0.05, flicker: float = 0.0, seed: int = 0
) -> np.ndarray:
    """A photodiode, 0 in the dark and 1 in the light, with noise and the flicker of 60 Hz mains."""
    t = np.arange(round(seconds * sfreq)) / sfreq
    # A sample is the mean of the light over its period, so that an edge between two samples can be told.
    on = sum(np.clip((t - at) * sfreq + 0.5, 0, 1) - np.clip((t - at - FLASH_S) * sfreq + 0.5, 0, 1) for at in onsets)
    noisy = np.random.default_rng(seed).normal(0, noise, len(t)) + flicker * np.sin(2 * np.pi * 60 * t)
    return np.asarray(on + noisy)


def beeps(onsets: np.ndarray, seconds: float, sfreq: float, *, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    """A microphone: 440 Hz for 0.1 s."""
    values = np.random.default_rng(seed).normal(0, noise, round(seconds * sfreq))
    for at in onsets:
        first = int(np.ceil(at * sfreq))
        t = (first + np.arange(round(FLASH_S * sfreq))) / sfreq - at
        values[first : first + len(t)] += np.cos(2 * np.pi * 440 * t)
    return values


def write_stimuli(path: Path, signal: np.ndarray, sfreq: float, markers: Sequence[float], drift: float = 0.0) -> Path:
    """An XDF file of a sensor beside EEG, and markers of a computer whose clock is 1000 s behind and drifts."""
    stamps = 5000 + np.arange(len(signal)) / sfreq
    rows = np.stack((np.zeros(len(signal)), signal), axis=1).astype("<f4")
    channels = {"channel": [{"label": "ECG"}, {"label": "Photo"}]}
    aux = {
        "name": "aux",
        "type": "Misc",
        "channel_count": "2",
        "nominal_srate": f"{sfreq}",
        "channel_format": "float32",
    }
    told = {"name": "words", "type": "Markers", "channel_count": "1", "nominal_srate": "0", "channel_format": "string"}
    parts = [
        xdf.file_header(),
        xdf.stream_header(1, aux | {"desc": {"channels": channels}}),
        xdf.stream_header(2, told),
    ]
    parts += [xdf.samples(1, stamps[at : at + 500], rows[at : at + 500]) for at in range(0, len(rows), 500)]
    for at in np.arange(0, len(signal) / sfreq + 5, 5.0):
        parts.append(xdf.clock_offset(1, 5000 + at))
        parts.append(xdf.clock_offset(2, 4000 + at * (1 + drift), 1000 - drift * at))
    parts += [xdf.words(2, 4000 + at * (1 + drift), f"flash {k}") for k, at in enumerate(markers)]
    path.write_bytes(b"".join(parts))
    return path
