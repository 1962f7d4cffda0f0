"""Small archives of made-up people, written in the layout of the shared ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from realtime_mood.models.pretraining.recipe import PretrainingRecipe
from realtime_mood.montage import SPREAD

SFREQ = 128
SECONDS = 16
TINY = PretrainingRecipe(raw_dim=16, raw_depth=1, decoder_dim=16, batch=4, steps=6, every=3, lr=1e-3, held_out=0.3)


def eeg(seed: int, n_chans: int = 6, seconds: float = SECONDS, sfreq: float = SFREQ) -> np.ndarray:
    """Something with the size and the slope of EEG, most of it common to all channels: (n_times, n_chans), µV."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((round(seconds * sfreq), n_chans + 1))
    pink = sosfilt(butter(1, (1, 30), "bandpass", fs=sfreq, output="sos"), white, axis=0)
    return 20 * (pink[:, :1] + 0.7 * pink[:, 1:])


def write_archive(
    path: Path,
    people: dict[str, list[np.ndarray]],
    sfreq: float = SFREQ,
    contact: int | None = None,
    ch_names: Sequence[str] = SPREAD,
) -> Path:
    """An archive of people's pieces (n_times, n_chans), µV; `contact`, where given, has the same value throughout."""
    arrays, index = {}, []
    for subject, pieces in people.items():
        for piece in pieces:
            key = f"x{len(index):04d}"
            arrays[key] = np.round(piece.T / 0.05).astype(np.int16)
            if contact is not None:
                arrays[key.replace("x", "h")] = np.full(piece.T.shape, contact, np.int8)
            index.append(json.dumps({"key": key, "subject": subject, "record": f"{subject}-{key}", "label": None}))
    n_chans = next(iter(people.values()))[0].shape[1]
    meta = {"fs": sfreq, "channels": list(ch_names[:n_chans]), "uV_per_lsb": 0.05, "licence": "CC0-1.0"}
    np.savez(path, meta=json.dumps(meta), index=np.array(index), **arrays)
    return path
