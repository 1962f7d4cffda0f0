"""Plays a file or live stream with known samples, and checks whether it was read or refused correctly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.fault_cells import Check
from benchmarks.stated_inputs import DATA, RATE, N
from realtime_mood.errors import MoodError, StreamEnded
from realtime_mood.sources import open_source

LIVE_S = 5.0  # how long a live stream is played


class Played(NamedTuple):
    """What came of a source."""

    ch_names: tuple[str, ...]
    sfreq: float
    reference: str
    notes: str
    data: np.ndarray
    index: np.ndarray
    lost: int
    markers: list[tuple[int, str]]


def play(url: str) -> Played:
    """Play it to its end, or for a while where it is live; raises what the program says."""
    stream, chunks = open_source(url).open(), []
    try:
        while not url.startswith("lsl:") or sum(map(len, chunks)) < LIVE_S * RATE:
            if (chunk := stream.read(1.0)) is not None:
                chunks.append(chunk)
    except StreamEnded:
        pass
    finally:
        stream.close()
    info = stream.info
    index = np.concatenate([np.arange(it.first, it.end) for it in chunks])
    markers = [(it.index, it.text) for chunk in chunks for it in chunk.markers]
    data, lost = np.concatenate([it.data for it in chunks]), sum(it.lost for it in chunks)
    return Played(info.ch_names, info.sfreq, info.reference, " · ".join(info.notes), data, index, lost, markers)


def true_to(played: Played, worth: float = 1.0) -> bool:
    """Whether the signal is the one that was written or, of a live stream, some of it, from wherever it was joined."""
    if len(played.data) == N:
        return bool(np.allclose(played.data, worth * DATA[:, : played.data.shape[1]], atol=0.02))
    at = np.round(played.data[:, 0] / worth).astype(int) % 1000  # 1000 divides N's length but for the rest
    return bool(np.allclose(played.data[:, 0], worth * at, atol=0.02) and (np.diff(at) % 1000 == 1).mean() > 0.99)


def refused(url: str, way: str, worth: float = 1.0) -> Check:
    """Whether `url` is refused with a way out that matches `way`, and plays truly with it."""
    try:
        play(url)
    except MoodError as error:
        found = re.search(way, str(error))
        message = str(error)
    else:
        return Check("played without a word", False)
    if not found:
        return Check(f"refused without the way out: {message.split(' · ', 1)[-1]}", False)
    offer = found[1] if found.groups() else ""
    again = offer if "://" in offer else f"{url}{'&' if '?' in url else '?'}{offer}"
    right = not offer or true_to(play(again), worth)
    return Check(f"refused: `{'the URL' if '://' in offer else offer}`" if offer else "refused", right)


def url_of(path: Path, query: str = "") -> str:
    """Of a recording, played as fast as it is read."""
    return f"playback://{path}?speed=max" + (f"&{query}" if query else "")
