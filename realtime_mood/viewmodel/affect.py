"""Turns probabilities into a place on the plane of valence and arousal, and readings into how far they spread.

Knows no toolkit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..types import Estimate, Reading, places_of

TRAIL_S = 20.0
RANGE_S = 10.0
WHISKER = f"Whisker: the middle 80 % of the last {RANGE_S:.0f} s, and the newest. Dotted: chance."
MIN_READINGS = 8  # fewer do not tell how an answer spreads
GENTLE = {"negative": "less pleasant", "neutral": "in between", "positive": "pleasant"}
"""What the person with the headset reads instead."""


def gentle(label: str) -> str:
    """A label as the person with the headset reads it."""
    return GENTLE.get(label, label)


@dataclass(frozen=True, slots=True)
class Place:
    """A label's place: valence and arousal, each -1 to 1."""

    label: str
    valence: float
    arousal: float
    role: str


@dataclass(frozen=True, slots=True)
class PlaneView:
    """Where the estimate lies."""

    places: tuple[Place, ...] = ()
    """Empty when the readout says nothing about valence and arousal."""
    trail: tuple[tuple[float, float, float], ...] = ()
    """Age (s), valence and arousal of the estimates of the last `TRAIL_S`, the oldest first."""
    now: tuple[float, float] | None = None
    """The mean over labels, each weighted with its probability; None where there is no estimate."""
    spread: tuple[float, float, float] | None = None
    """Half axes of one standard deviation over labels, and the angle of the first (rad)."""
    words: str = "no estimate yet"
    """What to say where there are no places."""


def plane_of(current: Reading | None, latest: Reading | None, readings: Sequence[Reading], sfreq: float) -> PlaneView:
    """The plane of a readout, with the estimate on it where there is one.

    Parameters
    ----------
    current : Reading, optional
        What is said now; None while the run is not live.
    latest : Reading, optional
        What was said last.
    readings : sequence of Reading
    sfreq : float
        Hz.
    """
    if latest is None:
        return PlaneView()
    readout = latest.readout
    if (at := places_of(readout)) is None:
        return PlaneView(words="this readout does not speak of valence and arousal")
    named = enumerate(zip(readout.labels, at.tolist(), strict=True))
    places = tuple(Place(label, v, a, f"label{i}") for i, (label, (v, a)) in named)
    trail = []
    for r in reversed(readings):
        age_s = (latest.end - r.end) / sfreq
        if age_s > TRAIL_S:
            break
        if isinstance(r, Estimate) and r.readout.labels == readout.labels:
            v, a = (np.array(r.probs) @ at).tolist()
            trail.append((age_s, v, a))
    if not isinstance(current, Estimate):
        return PlaneView(places, tuple(trail[::-1]))
    probs = np.array(current.probs)
    mean = probs @ at
    off = at - mean
    var, axes = np.linalg.eigh((probs[:, None] * off).T @ off)
    half = np.sqrt(np.maximum(var[::-1], 0.0))
    spread = (float(half[0]), float(half[1]), math.atan2(float(axes[1, 1]), float(axes[0, 1])))
    return PlaneView(places, tuple(trail[::-1]), (float(mean[0]), float(mean[1])), spread)


def ranges(readings: Sequence[Reading], sfreq: float) -> list[tuple[float, float]] | None:
    """Between what each label's probabilities lay in the last `RANGE_S`: their middle 80 %, and always the newest.

    None where there were too few estimates to say.
    """
    if not readings:
        return None
    last, probs = readings[-1], list[tuple[float, ...]]()
    for r in reversed(readings):
        if (last.end - r.end) / sfreq > RANGE_S:
            break
        if isinstance(r, Estimate) and r.readout.labels == last.readout.labels:
            probs.append(r.probs)
    if len(probs) < MIN_READINGS:
        return None
    low, high = np.percentile(np.array(probs), (10, 90), axis=0)
    low, high = np.minimum(low, probs[0]), np.maximum(high, probs[0])  # it may just be moving out of where it was
    return list(zip(low.tolist(), high.tolist(), strict=True))
