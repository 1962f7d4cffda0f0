"""The newest gaze and pupil of one tracker, on the time axis of the EEG."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

import numpy as np

from ..auxiliary import AuxChunk, AuxInfo
from ..types import Window
from .layout import GazeLayout

KEPT_S = 60.0
TICK = 1e6  # per second
PHASE = 0.618  # so that no multiple of a usual sampling interval lies where rounding jumps


class EegPlace(NamedTuple):
    """The place of one chunk of the EEG, and how stamps become stream time."""

    first: float = 0.0  # stream time of its first sample (s)
    origin: float = 0.0  # stamp of stream time `zero` (s, our clock)
    zero: float = 0.0
    speed: float = 1.0  # stream time per second of the clock

    def stream_time(self, stamps: np.ndarray) -> np.ndarray:
        """Stream time (s) of stamps, to the microsecond: what differs by less, from run to run, is the same."""
        times = self.zero + (stamps - self.origin) * self.speed
        return np.asarray(np.floor(times * TICK + PHASE) / TICK)


class GazeSpan(NamedTuple):
    """Samples in order of time."""

    times: np.ndarray  # (n_times,), s
    samples: np.ndarray  # (n_times, 3): gaze in degrees, pupil in mm; NaN where no eye was seen
    until: float  # the end of the time that they are of (s)


class _Part(NamedTuple):
    times: np.ndarray  # (n_times,)
    samples: np.ndarray  # (n_times, 3)
    came: float  # beginning of the EEG that it came with, in stream time (s)


class GazeTrack:
    """Samples of one gaze stream; written by one thread, read by another.

    Parameters
    ----------
    info : AuxInfo
    layout : GazeLayout
    is_carried : bool
        Whether the stream comes with the EEG. Then its times are the EEG's stream time (s), from the place of the EEG
        when each chunk came, so that a file gives the same at any speed; else they are our clock's.
    """

    def __init__(self, info: AuxInfo, layout: GazeLayout, *, is_carried: bool) -> None:
        self.info, self._layout, self.is_carried = info, layout, is_carried
        self._lock = threading.Lock()
        self._parts: deque[_Part] = deque()

    def take(self, chunk: AuxChunk, place: EegPlace) -> None:
        """Add a chunk; `place` is that of the newest EEG."""
        if not len(chunk):
            return
        times = place.stream_time(chunk.stamps) if self.is_carried else chunk.stamps
        part = _Part(times, self._layout(chunk.values), place.first)
        with self._lock:
            self._parts.append(part)
            while len(self._parts) > 1 and part.times[-1] - self._parts[0].times[-1] > KEPT_S:
                self._parts.popleft()

    def up_to(self, window: Window, sfreq: float, lag_s: float, seconds: float) -> GazeSpan:
        """The samples of the last `seconds` up to `lag_s` before the end of a window of EEG of `sfreq` (Hz).

        Of a stream that comes with the EEG, those that came with later EEG are left out, however far it has been read.
        """
        end = window.end / sfreq
        until = (end if self.is_carried else window.t_last) - lag_s
        begin, stop = until - seconds + 1 / TICK, until + 1 / TICK
        with self._lock:
            parts = [it for it in self._parts if it.came < end or not self.is_carried]
        parts = [it for it in parts if it.times[-1] > begin and it.times[0] <= stop]
        if not parts:
            return GazeSpan(np.empty(0), np.empty((0, 3)), until)
        times, samples = np.concatenate([it.times for it in parts]), np.concatenate([it.samples for it in parts])
        chosen = np.flatnonzero((times > begin) & (times <= stop))
        chosen = chosen[np.argsort(times[chosen], kind="stable")]
        return GazeSpan(times[chosen], samples[chosen], until)
