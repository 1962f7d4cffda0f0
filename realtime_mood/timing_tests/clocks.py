"""The test of clocks: how far the clock that stamps a stream is from ours, and how that changes.

References
----------
D. L. Mills 1991, Internet time synchronization: the network time protocol, IEEE Trans. Commun. 39:1482-1493: the offset
of two clocks lies within half of the round-trip time of the midpoint; LSL measures it so, and keeps the exchange with
the shortest round trip.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from .. import liblsl
from ..errors import SourceLost, StreamMismatch
from ..sources import open_source
from ..sources.lsl.source import LslSource
from ..sources.playback import PlaybackSource, translated

EVERY_S, WAIT_S = 0.5, 5.0  # between two questions for the offset, and how long the first may take (s)
LEAST_POINTS = 4  # measurements without which there is no result
STEP_S = 1e-3  # smaller steps (s) are taken for inaccuracy
STEP_SCATTERS = 8.0  # and so are those below this many standard deviations of the scatter
AROUND = 3  # measurements on either side that a step must separate
INACCURATE = 3.0  # measurements whose round trip is longer than this many medians are left out


class ClockOffset(NamedTuple):
    """One measurement."""

    t: float  # when (s)
    offset: float  # what to add to a stamp of the other clock (s)
    round_trip: float = math.nan  # of the messages that it rests on (s); NaN where unknown


@dataclass(frozen=True, slots=True, eq=False)
class ClockTest:
    """Result of the test."""

    source: str
    n: int  # measurements
    seconds: float  # from the first to the last
    offset_ms: float  # median
    drift_ppm: float  # by how much the other clock runs faster than ours (millionths)
    drift_ci: tuple[float, float]  # 95 % confidence interval of that
    scatter_ms: float  # standard deviation of the measurements about the line
    round_trip_ms: float | None  # median; half of it bounds the error of an offset
    steps: tuple[tuple[float, float], ...]  # when the other clock was set (s from the first) and by how much (ms)
    t: np.ndarray  # (n,) s from the first
    offsets: np.ndarray  # (n,) s
    fitted: np.ndarray  # (n,) s, by the line
    virtual: bool = False


def measure(source: str, seconds: float) -> ClockTest:
    """Measure the offsets of a live LSL stream for `seconds`, or read those that an XDF file holds.

    Raises `SourceNotFound`, `SourceLost` or `StreamMismatch`.
    """
    opened = open_source(source if "://" in source else f"playback://{source}")
    if isinstance(opened, LslSource):
        return evaluate(source, _live(_AnyStream(opened.stream_name, opened.options), seconds))
    if not isinstance(opened, PlaybackSource):
        raise StreamMismatch(source, "it has no clock that LSL measures", "give lsl://NAME, or an XDF file")
    from .file_traces import xdf_offsets

    with translated(opened.name):
        name, offsets = xdf_offsets(opened.path, opened.options, opened.name)
    return evaluate(f"{source} · {name}", [ClockOffset(*one) for one in offsets])


def evaluate(source: str, measured: Sequence[ClockOffset]) -> ClockTest:
    """Offset, drift and steps; the same measurement, returned again by the library, counts once."""
    points = np.array(list(dict.fromkeys(measured)), np.float64).reshape(-1, 3)
    median = np.median(points[:, 2]) if len(points) else np.nan
    points = points[~(points[:, 2] > INACCURATE * median)]
    if len(points) < LEAST_POINTS:
        found = f"{len(points)} measurements of its clock, {LEAST_POINTS} are needed"
        raise StreamMismatch(source, found, "test for longer with --seconds, or record for longer")
    t, offsets = points[:, 0] - points[0, 0], points[:, 1]
    begins = _steps(t, offsets)
    segment = np.searchsorted(begins, np.arange(len(t)), "right")
    levels = (segment[:, None] == np.arange(len(begins) + 1)).astype(float)
    design = np.column_stack((t, levels))
    solution = np.linalg.lstsq(design, offsets, rcond=None)[0]
    rest = offsets - design @ solution
    free = max(1, len(t) - design.shape[1])
    variance = float(rest @ rest) / free
    within = t - (levels @ (levels.T @ t / levels.sum(axis=0)))
    error = float(np.sqrt(variance / max(within @ within, 1e-12)) * stats.t.ppf(0.975, free))
    drift = -1e6 * float(solution[0])
    sizes = 1e3 * np.diff(solution[1:])
    return ClockTest(
        source, len(t), float(t[-1]), 1e3 * float(np.median(offsets)),
        drift_ppm=drift, drift_ci=(drift - 1e6 * error, drift + 1e6 * error),
        scatter_ms=1e3 * variance**0.5, round_trip_ms=None if np.isnan(median) else 1e3 * float(median),
        steps=tuple((float(t[k]), float(size)) for k, size in zip(begins, sizes, strict=True)),
        t=t, offsets=offsets, fitted=design @ solution,
    )  # fmt: skip


def _steps(t: np.ndarray, offsets: np.ndarray) -> list[int]:
    """The measurements with which the offset is lastingly another one."""
    seconds, change = np.diff(t), np.diff(offsets)
    off = change - np.median(change / np.maximum(seconds, 1e-9)) * seconds
    scatter = 1.4826 * float(np.median(np.abs(off - np.median(off)))) / 2**0.5
    least = max(STEP_S, STEP_SCATTERS * scatter)
    found = []
    for k in np.flatnonzero(np.abs(off) > least) + 1:
        before = offsets[max(0, k - AROUND) : k]
        after = offsets[k : k + AROUND]
        if abs(np.median(after) - np.median(before)) > least:
            found.append(int(k))
    return found


class _AnyStream(LslSource):
    """A stream of any kind, markers too, of which only the clock is asked for."""

    def found(self) -> Any:
        return self._resolve()


def _live(source: _AnyStream, seconds: float) -> list[ClockOffset]:
    pylsl = liblsl.pylsl()
    inlet = pylsl.StreamInlet(source.found(), max_buflen=1, recover=False)
    try:
        inlet.open_stream(timeout=WAIT_S)  # a lost sender is noticed only by an open stream
        return sampled(lambda: correction(inlet), seconds)
    except (pylsl.util.LostError, pylsl.util.TimeoutError):
        do = "start it again, and keep it running"
        raise SourceLost(source.name, "its sender is gone, or does not answer questions for its time", do) from None


def sampled(
    ask: Callable[[], ClockOffset], seconds: float, wait: Callable[[float], object] = time.sleep
) -> list[ClockOffset]:
    """Measurements over `seconds`, `EVERY_S` apart."""
    points = []
    for k in range(round(seconds / EVERY_S) + 1):
        if k:
            wait(EVERY_S)
        points.append(ask())
    return points


def correction(inlet: Any) -> ClockOffset:
    """The library's newest measurement of the clock of an inlet, with the round trip it rests on."""
    pylsl = liblsl.pylsl()
    remote, round_trip, code = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
    ask = pylsl.lib.lib.lsl_time_correction_ex
    ask.restype = ctypes.c_double
    offset = ask(inlet.obj, ctypes.byref(remote), ctypes.byref(round_trip), ctypes.c_double(WAIT_S), ctypes.byref(code))
    pylsl.util.handle_error(code)
    return ClockOffset(remote.value + offset, offset, round_trip.value)
