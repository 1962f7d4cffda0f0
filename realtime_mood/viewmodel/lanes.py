"""The signal to draw as traces: a stretch of the ring buffer, reduced to few points per lane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from ..dsp.reference import RECORDED, Reference
from ..errors import Overrun
from ..ring import RingBuffer
from ..types import Chunk, Marker

SPANS_S = (5.0, 10.0, 20.0)
SCALES_UV = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """How the traces are shown."""

    raw: bool = False  # unfiltered; otherwise filtered as for the network
    band: str = ""  # the band to which it is filtered, besides; empty: all of it
    reference: Reference = RECORDED
    uv: float | None = None  # µV per lane; automatic if None
    span_s: float = 10.0
    paused_at: int | None = None  # the sample at which the traces were paused; None while they run
    back_s: float = 0.0  # how far before the pause the traces end (s)


def slice_of(ring: RingBuffer, settings: TraceSettings) -> Chunk:
    """The stretch to draw. A paused one moves on when the ring buffer no longer holds it."""
    n = round(settings.span_s * ring.info.sfreq)
    if settings.paused_at is None:
        return ring.latest(n)
    end = settings.paused_at - round(settings.back_s * ring.info.sfreq)
    end = min(ring.end, max(end, ring.oldest + n))
    try:
        return ring.read(max(ring.oldest, end - n), end)
    except Overrun:  # written to in between
        return ring.latest(n)


def min_max(data: np.ndarray, first: int, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The envelope of `data`, (n_times, n_chans) in µV, in at most `n_columns` columns: about one a pixel.

    `first` is the index of ``data[0]``; columns start at whole multiples of their width, so that no peak flickers.
    Returns the sample index (2 * n,) of each point, and the points (2 * n, n_chans): minimum and maximum in turn, NaN
    where a sample of the column was lost.
    """
    width = max(1, math.ceil(len(data) / n_columns))
    skip = -first % width
    n = max(0, len(data) - skip) // width
    columns = data[skip : skip + n * width].reshape(n, width, data.shape[1])
    points = np.stack([columns.min(1), columns.max(1)], 1).reshape(2 * n, data.shape[1])
    at = first + skip + width * np.arange(n)
    return np.repeat(at, 2), points


def lane_uv(data: np.ndarray, now_uv: float) -> float:
    """µV per lane: a 1-2-5 step that fits the median amplitude of the channels, with hysteresis."""
    with np.errstate(invalid="ignore"):
        ok = data[np.isfinite(data).all(1)]
    if len(ok) < 2:
        return now_uv
    want = 4 * float(np.median(np.std(ok, axis=0)))
    if now_uv / 2.6 < want <= now_uv:
        return now_uv
    decade = 10 ** math.floor(math.log10(max(want, 1.0)))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= want or step == 10)


def polyline(
    at: np.ndarray, points: np.ndarray, right: int, sfreq: float, uv: float, half: float
) -> tuple[np.ndarray, np.ndarray]:
    """Lanes from the top down, each channel's points with a break after them.

    `at` (n,) is the sample index and `points` (n, n_chans) the value (µV) of each point, `right` the sample at the
    right edge, `uv` the µV per lane, and `half` how far a trace may leave its lane before it is clipped (lanes).
    Returns x (n + 1,), seconds before the right edge, and y (n + 1, n_chans), in lanes from the bottom, NaN last.
    """
    n_chans = points.shape[1]
    y = np.clip(points / uv, -half, half) + (n_chans - 0.5 - np.arange(n_chans))
    return np.append((at - right) / sfreq, 0.0), np.vstack([y, np.full(n_chans, np.nan)])


def level(points: np.ndarray) -> np.ndarray:
    """Points (n, n_chans) without each channel's offset, which may be a thousand times the signal."""
    ok = points[np.isfinite(points).all(1)]
    return points - np.median(ok, axis=0) if len(ok) else points


def gaps_of(at: np.ndarray, points: np.ndarray) -> list[tuple[int, int]]:
    """Where samples of every channel were lost: (first, end) index of each such stretch."""
    if not points.size:
        return []
    width = int(at[2] - at[0]) if len(at) > 2 else 1
    lost = np.ma.clump_masked(np.ma.masked_where(np.isnan(points).all(1), at))
    return [(int(at[run.start]), int(at[run.stop - 1]) + width) for run in lost]


def marks_in(markers: Sequence[Marker], chunk: Chunk) -> list[Marker]:
    """The markers in a stretch; searched from the newest, since there may be thousands."""
    recent = takewhile(lambda marker: marker.index >= chunk.first, reversed(markers))
    return [marker for marker in recent if marker.index < chunk.end][::-1]
