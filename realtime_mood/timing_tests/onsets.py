"""The test of stimuli: when light or sound reached a sensor, against the markers that announced it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from scipy import stats

from ..errors import ConfigError, SourceNotFound, StreamMismatch
from ..sources import open_source
from ..sources.lsl.source import LslSource
from ..sources.playback import PlaybackSource, translated
from ..sources.recordings import TEXT
from ..sources.recordings.headers import beginning
from .edges import Edge, Levels, SignalKind, levels_of, onsets_of, prepared
from .matching import Matching, match
from .spread import Spread, spread_of
from .trace import Trace

BEFORE_S, AFTER_S = 0.1, 0.3  # how much of the signal around a marker the picture shows (s)
MOST_DRAWN = 60
LEAST_TREND = 10  # pairs from which a trend of the delay is computed


@dataclass(frozen=True, slots=True)
class OnsetOptions:
    """What is looked for in the signal, and which markers count."""

    edge: Edge = "rise"
    signal: SignalKind = "light"
    flicker_hz: float | None = None
    within_s: float = 0.1  # how far from the usual delay an onset may be (s)
    only: str = "*"  # pattern of the markers that announce an onset

    def __post_init__(self) -> None:
        if self.signal == "sound" and (self.edge != "rise" or self.flicker_hz):
            raise ConfigError("--signal sound", "only the begin of a sound can be detected", "leave the others out")


@dataclass(frozen=True, slots=True, eq=False)
class OnsetTest:
    """Result of the test."""

    source: str
    channel: str
    sfreq: float
    options: OnsetOptions
    markers: int  # that announce an onset, where the signal has no gap
    onsets: int
    missed: int  # markers without an onset
    extra: int  # onsets without a marker, between the first and the last marker
    outside: int  # markers and onsets that cannot be compared: at a gap, or before and after the others
    delay: Spread | None  # of the onsets after their markers
    trend_ms_per_min: float | None  # how the delay changes over the test
    trend_ci: tuple[float, float] | None  # 95 % confidence interval of that
    other_ms: float | None  # another usual delay that fits as well
    at: np.ndarray  # (k,) s: the matched markers, from the begin of the signal
    delays: np.ndarray  # (k,) s
    drawn: tuple[tuple[np.ndarray, np.ndarray], ...]  # time after a marker (s) and the signal there
    levels: Levels
    notes: tuple[str, ...] = ()
    virtual: bool = False


def read_trace(source: str, channel: str, markers: str, seconds: float) -> Trace:
    """A channel of `source`, a path or URL, with its markers.

    `markers` names a marker stream or trigger channel of a file, or the LSL stream ``lsl://NAME`` of a live source;
    empty: all that the source has. Of a live source, `seconds` are read. Raises `SourceError` or `ConfigError`.
    """
    from . import file_traces, live_traces

    opened = open_source(source if "://" in source else f"playback://{source}")
    if isinstance(opened, PlaybackSource):
        path = opened.path
        if not os.path.exists(path):  # noqa: PTH110 - False for a name that is too long or impossible
            raise SourceNotFound(opened.name, "no such file", "check the path; it is relative to the current folder")
        with translated(opened.name):
            if beginning(path, 4) == b"XDF:":
                return file_traces.xdf_trace(path, opened.options, opened.name, channel, markers)
            if path.suffix.lower() not in TEXT:
                return file_traces.mne_trace(path, opened.name, channel, markers)
        opened.options = opened.options.model_copy(update={"speed": math.inf, "loop": False})
        seconds = math.inf
    if isinstance(opened, LslSource):
        opened = live_traces.LslChannel(opened.stream_name, opened.options, channel)
        opened.name = source
    with closing(opened.open()) as stream:
        if stream.info.paced:
            return live_traces.live_trace(stream, channel, markers, seconds, opened.name)
        if markers:
            raise ConfigError(f"--markers {markers}", "this source has markers of its own", "leave it out")
        return live_traces.played_trace(stream, channel, seconds, opened.name)


def evaluate(trace: Trace, options: OnsetOptions, source: str) -> OnsetTest:
    """Detect the onsets, match them to the markers, and summarise; raises `StreamMismatch` where that is impossible."""
    known = np.isfinite(trace.values)  # what could not be read is a gap
    trace = trace._replace(times=trace.times[known], values=trace.values[known])
    signal = np.empty(len(trace.values))
    pieces = [piece for piece in trace.pieces() if piece.stop - piece.start > 1]
    for piece in pieces:
        signal[piece] = prepared(trace.values[piece], trace.sfreq, options.signal, options.flicker_hz)
    levels = levels_of(np.concatenate([signal[piece] for piece in pieces])) if pieces else None
    if levels is None:
        do = "check the sensor and its cable; for a screen that flickers give --flicker HZ, for a sound --signal sound"
        raise StreamMismatch(f"channel {trace.name!r} of {source}", "its signal has no two distinct levels", do)
    wanted = np.array([t for t, text in trace.events if fnmatchcase(text, options.only)])
    if not len(wanted):
        held = ", ".join(sorted({text for _, text in trace.events})[:8]) or "none"
        found = f"no marker{'' if options.only == '*' else f' like {options.only!r}'} among {held}"
        raise SourceNotFound(f"markers of {source}", found, "name their stream with --markers, or correct --only")
    onsets = np.concatenate([onsets_of(trace.times[p], signal[p], levels, options.edge) for p in pieces])
    return _compared(trace, signal, levels, pieces, wanted, onsets, options, source)


def _compared(
    trace: Trace, signal: np.ndarray, levels: Levels, pieces: Sequence[slice], wanted: np.ndarray, onsets: np.ndarray,
    options: OnsetOptions, source: str,
) -> OnsetTest:  # fmt: skip
    found = match(wanted, onsets, options.within_s)
    reach = np.array([found.usual_s - options.within_s, found.usual_s + options.within_s])
    covered = np.zeros(len(wanted), bool)  # an onset of this marker would have been seen
    for piece in pieces:
        first, last = trace.times[piece][[0, -1]]
        covered |= (wanted + min(reach[0], 0) >= first) & (wanted + max(reach[1], 0) <= last)
    used = covered[found.markers]
    pairs = Matching(found.markers[used], found.onsets[used], found.usual_s, found.other_s)
    free = np.ones(len(onsets), bool)
    free[found.onsets] = False
    between = (onsets >= wanted[0] + reach[0]) & (onsets <= wanted[-1] + reach[1])
    delays = onsets[pairs.onsets] - wanted[pairs.markers]
    at = wanted[pairs.markers] - trace.times[0]
    trend, trend_ci = None, None
    if len(at) >= LEAST_TREND:
        line = stats.linregress(at, delays)
        trend, half = 6e4 * float(line.slope), 6e4 * float(line.stderr * stats.t.ppf(0.975, len(at) - 2))
        trend_ci = trend - half, trend + half
    return OnsetTest(
        source, trace.name, trace.sfreq, options, markers=int(covered.sum()), onsets=len(onsets),
        missed=int(covered.sum()) - len(at), extra=int((free & between).sum()),
        outside=int((~covered).sum() + (free & ~between).sum()), delay=spread_of(delays),
        trend_ms_per_min=trend, trend_ci=trend_ci,
        other_ms=None if found.other_s is None else 1e3 * found.other_s, at=at, delays=delays,
        drawn=tuple(_around(trace, signal, t) for t in wanted[covered][:: max(1, len(at) // MOST_DRAWN)]),
        levels=levels, notes=trace.notes, virtual=trace.virtual,
    )  # fmt: skip


def _around(trace: Trace, signal: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    part = slice(*np.searchsorted(trace.times, (t - BEFORE_S, t + AFTER_S)))
    return trace.times[part] - t, signal[part]
