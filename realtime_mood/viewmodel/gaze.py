"""Where the eyes look, of the newest seconds of a gaze stream, in a plane from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..aux_ring import AuxRing
from ..eyes.layout import shown_layout_of

TRAIL_S = 2.0
LATE_S = 0.5  # an older sample is no longer where the eyes look
MOST_POINTS = 60  # of the trail
NORMAL = (-0.5, 1.5)  # values within are shares of the scene, else pixels or degrees


@dataclass(frozen=True, slots=True)
class GazeView:
    """The plane of a gaze stream: 0 to 1 from left to right and from top to bottom."""

    now: tuple[float, float] | None = None  # None while there is no valid gaze
    trail: tuple[tuple[float, float, float], ...] = ()  # age (s), x and y, oldest first; not where it was invalid
    aspect: float = 16 / 9  # width over height


def gaze_of(ring: AuxRing, now: float) -> GazeView:
    """The gaze at `now` (s, our clock) and its trail; a stream without labels of positions has none."""
    layout = shown_layout_of(ring.info)
    samples = ring.since(-np.inf)
    if layout is None or not len(samples.stamps):
        return GazeView()
    values, (_x, y) = layout.positions(samples.values), layout.xy
    seen = np.isfinite(values[:, 0])
    xy, aspect = _in_the_plane(values, seen, ring.info.ch_names[y], ring.info.units[y])
    late = samples.stamps > now - TRAIL_S
    step = max(1, int(late.sum()) // MOST_POINTS)
    t, xy, seen = samples.stamps[late][::-step][::-1], xy[late][::-step][::-1], seen[late][::-step][::-1]
    trail = tuple(
        (max(0.0, now - float(stamp)), float(x), float(y)) for stamp, (x, y), ok in zip(t, xy, seen, strict=True) if ok
    )
    here = trail[-1][1:] if trail and seen[-1] and now - float(t[-1]) < LATE_S else None
    return GazeView(here, trail, aspect)


def _in_the_plane(xy: np.ndarray, seen: np.ndarray, label: str, unit: str) -> tuple[np.ndarray, float]:
    """Positions from 0 to 1, downwards, and the plane's width over its height; `seen` tells which ones are valid."""
    valid = xy[seen][::8]  # enough for a range
    if not len(valid):
        return np.full_like(xy, np.nan), 16 / 9
    is_up, aspect = "norm_pos" in label.lower() or "deg" in unit.lower() or "°" in unit, 16 / 9
    low, high = np.percentile(valid, (1, 99), axis=0)
    if not ((low > NORMAL[0]) & (high < NORMAL[1])).all():  # pixels or degrees: the plane is what the last minute used
        low, high = np.minimum(low, 0.0), np.maximum(high, np.maximum(-low, 1.0) if is_up else 1.0)
        low = np.where(low < 0, np.minimum(low, -high), low) if is_up else low
        aspect = float(np.clip((high - low)[0] / (high - low)[1], 1.0, 2.0))
        xy = (xy - low) / (high - low)
    return (np.column_stack([xy[:, 0], 1 - xy[:, 1]]) if is_up else xy), aspect
