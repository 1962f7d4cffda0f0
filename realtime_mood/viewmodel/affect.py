"""The estimate as a point on the valence-arousal plane, and the range of recent probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from ..language import N_, _
from ..readout import places_of
from ..types import Estimate, Reading

TRAIL_S = 20.0
RANGE_S = 10.0
MIN_READINGS = 8  # fewer do not show how an estimate varies
# milder words for some labels, in the subject's view
GENTLE = {"negative": N_("less pleasant"), "neutral": N_("in between"), "positive": N_("pleasant")}


def gentle(label: str) -> str:
    """A label as the subject's view shows it, translated."""
    return _(GENTLE.get(label, label))


def whisker_tip() -> str:
    """The explanation of the whisker on a bar."""
    return _(
        "Whisker: middle 80 % of the last {seconds:.0f} s, and the newest estimate. Dotted line: chance.",
        seconds=RANGE_S,
    )


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

    places: tuple[Place, ...] = ()  # empty when the readout has no valence-arousal coordinates
    # age (s), valence and arousal of the estimates of the last `TRAIL_S`, the oldest first
    trail: tuple[tuple[float, float, float], ...] = ()
    # the mean over labels, each weighted with its probability; None where there is no estimate
    now: tuple[float, float] | None = None
    # half axes of one standard deviation over labels, and the angle of the first (rad)
    spread: tuple[float, float, float] | None = None
    words: str = N_("no estimate yet")  # the text where there are no places; translated when it is shown


def plane_of(current: Reading | None, latest: Reading | None, readings: Sequence[Reading], sfreq: float) -> PlaneView:
    """The plane of a readout, and the current estimate on it if there is one.

    `current` is None while the run is not live; `latest` is the last reading, however old; `sfreq` in Hz.
    """
    if latest is None:
        return PlaneView()
    if (at := places_of(latest.readout)) is None:
        return PlaneView(words=N_("this readout has no valence or arousal"))
    named = enumerate(zip(latest.readout.labels, at.tolist(), strict=True))
    places = tuple(Place(label, v, a, f"label{i}") for i, (label, (v, a)) in named)
    recent = _recent(readings, latest, sfreq, TRAIL_S)[::-1]
    trail = tuple((age_s, *(np.array(r.probs) @ at).tolist()) for age_s, r in recent)
    if not isinstance(current, Estimate):
        return PlaneView(places, trail)
    probs = np.array(current.probs)
    mean = probs @ at
    off = at - mean
    var, axes = np.linalg.eigh((probs[:, None] * off).T @ off)
    half = np.sqrt(np.maximum(var[::-1], 0.0))
    spread = (float(half[0]), float(half[1]), math.atan2(float(axes[1, 1]), float(axes[0, 1])))
    return PlaneView(places, trail, (float(mean[0]), float(mean[1])), spread)


def ranges(readings: Sequence[Reading], sfreq: float) -> list[tuple[float, float]] | None:
    """Lowest and highest recent probability of each label: the middle 80 % of the last `RANGE_S`, and the newest.

    None if there were fewer than `MIN_READINGS` estimates.
    """
    recent = _recent(readings, readings[-1], sfreq, RANGE_S) if readings else []
    if len(recent) < MIN_READINGS:
        return None
    probs = np.array([r.probs for _age_s, r in recent])
    low, high = np.percentile(probs, (10, 90), axis=0)
    return list(zip(np.minimum(low, probs[0]).tolist(), np.maximum(high, probs[0]).tolist(), strict=True))


def _recent(readings: Sequence[Reading], latest: Reading, sfreq: float, span_s: float) -> list[tuple[float, Estimate]]:
    """The estimates of the last `span_s` with the labels of `latest`: age (s) and estimate, the newest first."""
    aged = (((latest.end - r.end) / sfreq, r) for r in reversed(readings))
    young = takewhile(lambda pair: pair[0] <= span_s, aged)
    return [(s, r) for s, r in young if isinstance(r, Estimate) and r.readout.labels == latest.readout.labels]
