"""The estimate as a point on the valence-arousal plane, and the range of recent probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..language import N_, _
from ..types import Estimate, Reading, places_of

TRAIL_S = 20.0
RANGE_S = 10.0
MIN_READINGS = 8  # fewer do not show how an estimate varies
GENTLE = {"negative": N_("less pleasant"), "neutral": N_("in between"), "positive": N_("pleasant")}
"""Milder words for some labels, in the subject's view."""


def gentle(label: str) -> str:
    """A label as the subject's view shows it, translated."""
    return _(GENTLE.get(label, label))


def whisker_tip() -> str:
    """The explanation of the whisker on a bar."""
    text = _("Whisker: middle 80 % of the last {seconds:.0f} s, and the newest estimate. Dotted line: chance.")
    return text.format(seconds=RANGE_S)


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
    """Empty when the readout has no valence-arousal coordinates."""
    trail: tuple[tuple[float, float, float], ...] = ()
    """Age (s), valence and arousal of the estimates of the last `TRAIL_S`, the oldest first."""
    now: tuple[float, float] | None = None
    """The mean over labels, each weighted with its probability; None where there is no estimate."""
    spread: tuple[float, float, float] | None = None
    """Half axes of one standard deviation over labels, and the angle of the first (rad)."""
    words: str = N_("no estimate yet")
    """The text where there are no places; translated when it is shown."""


def plane_of(current: Reading | None, latest: Reading | None, readings: Sequence[Reading], sfreq: float) -> PlaneView:
    """The plane of a readout, and the current estimate on it if there is one.

    Parameters
    ----------
    current : Reading, optional
        None while the run is not live.
    latest : Reading, optional
        The last reading, however old.
    readings : sequence of Reading
    sfreq : float
        Hz.
    """
    if latest is None:
        return PlaneView()
    readout = latest.readout
    if (at := places_of(readout)) is None:
        return PlaneView(words=N_("this readout has no valence or arousal"))
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
    """Lowest and highest recent probability of each label: the middle 80 % of the last `RANGE_S`, and the newest.

    None if there were fewer than `MIN_READINGS` estimates.
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
    low, high = np.minimum(low, probs[0]), np.maximum(high, probs[0])  # includes the newest
    return list(zip(low.tolist(), high.tolist(), strict=True))
