"""LSL inlet and stream: pulled samples become chunks, counted and with smooth time stamps."""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ... import clock, liblsl
from ...errors import SourceLost, SourceNotFound
from ...types import Chunk, StreamInfo
from ..timing.rate import Rate, measured_rate
from ..timing.sample_clock import Piece, SampleClock
from .sender_clock import ClockMeasurement

PULL_S = 0.02  # a pull waits for this much signal (s): limits wake-ups per second and the delay added by batching
BUFFER_S = 60  # length of the library's buffer (s)
LOOKS_S = (0.5, 1.0, 2.0, 4.0)  # durations of samples (s) after which the rate is estimated, until it is certain
QUIET_S = 0.5  # after this long without a sample (s) the announced rate is used
LEAST_S = 3.0  # how long the requested samples may take (s)
HEARD_S = 1.0  # a stream with samples within this time (s) is alive
ANSWER_S = 0.3  # timeout of one query to the library (s), so that it can be cancelled
FOREIGN_S = 60.0
"""Stamps further than this from our clock (s) are on another one (Unix time, a device's) and are shifted."""


class Pull(NamedTuple):
    """Result of one pull."""

    data: np.ndarray  # (n, all channels), as sent
    stamps: np.ndarray  # (n,), s: on LSL's clock here, or the sender's where they are raw
    arrived: float  # when it was pulled (s, LSL's clock here)


class Inlet:
    """A connection to the stream `found` (a ``pylsl.StreamInfo``) with about `sfreq` Hz; another thread may close it.

    A pull brings at least `least_s` seconds of samples, if they come in time, and at most a second or `most` samples.
    With `raw`, the stamps are the sender's, and `correction` is measured; else they are on our clock.
    Raises `SourceNotFound` where the stream does not answer within `timeout` s, or once `off` is set.
    """

    def __init__(
        self, found: Any, sfreq: float, timeout: float, off: threading.Event,
        *, least_s: float = PULL_S, most: int = 64, raw: bool = False,
    ) -> None:  # fmt: skip
        pylsl = liblsl.pylsl()
        self._errors, self._local_clock = (pylsl.util.TimeoutError, pylsl.util.LostError), pylsl.local_clock
        self._inlet: Any = pylsl.StreamInlet(
            found,
            # The library's buffer is in seconds for regular streams, in hundreds of samples for others.
            max_buflen=BUFFER_S if found.nominal_srate() > 0 else max(1, round(BUFFER_S * max(sfreq, most) / 100)),
            recover=False,  # the library would accept any stream of that source_id, and hide the gap
            processing_flags=pylsl.proc_none if raw else pylsl.proc_clocksync,
        )
        deadline = clock.now() + timeout
        self.full: Any = self._ask(self._inlet.info, deadline, off)
        self._ask(self._inlet.open_stream, deadline, off)
        self.opened = clock.now()  # samples sent since then arrive (s, our clock)
        self.correction: float = self._ask(self._inlet.time_correction, deadline, off) if raw else 0.0
        self._measured: ClockMeasurement | None = None
        self._least, self._most = max(1, round(least_s * sfreq)), max(most, round(sfreq))
        self.dtype: Any = self._inlet.np_dtype or object  # objects: text, as bytes
        shape = self._most, self.full.channel_count()
        self._buffer = None if self.dtype is object else np.empty(shape, self.dtype)
        self.lost = False  # whether the sender is gone

    def _ask(self, question: Any, deadline: float, off: threading.Event) -> Any:
        while not off.is_set():
            try:
                return question(timeout=max(0.01, min(ANSWER_S, deadline - clock.now())))
            except self._errors as error:
                if clock.now() >= deadline or isinstance(error, self._errors[1]):
                    break
        raise SourceNotFound("an answer of the stream", "announced but does not answer")

    def pull(self, timeout: float) -> Pull | None:
        """New samples; None when there are none within `timeout`, or the sender is gone."""
        inlet = self._inlet
        if inlet is None or self.lost:
            return None
        try:
            data, stamps = inlet.pull_chunk(timeout, self._most, self._buffer, min_samples=self._least, as_numpy=True)
        except self._errors[1]:
            self.lost = True
            return None
        return Pull(data.copy(), stamps, self._local_clock()) if len(stamps) else None

    def correct(self) -> ClockMeasurement | None:
        """The newest measurement of the sender's clock, made every two seconds; None once the connection is closed."""
        if (inlet := self._inlet) is None:
            return None
        remote, uncertainty, problem = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
        correct = liblsl.pylsl().lib.lib.lsl_time_correction_ex
        correct.restype = ctypes.c_double
        numbers = map(ctypes.byref, (remote, uncertainty))
        correction = correct(inlet.obj, *numbers, ctypes.c_double(ANSWER_S), ctypes.byref(problem))
        if not problem.value:
            self.correction = correction
            self._measured = ClockMeasurement(remote.value, correction, uncertainty.value / 2)  # of the round trip
        return self._measured

    def flush(self) -> int:
        """Drop what has not been pulled; return how many samples that was."""
        return int(inlet.flush()) if (inlet := self._inlet) is not None else 0

    def began(self, timeout: float) -> float | None:
        """When the outlet was created (s, our clock); None where that is unknown within `timeout` s.

        The first answer takes half a second; it is available once samples have been pulled.
        """
        if not self.full.created_at() > 0 or self._inlet is None:
            return None
        try:
            offset = self._inlet.time_correction(timeout)
        except self._errors:
            return None
        return float(self.full.created_at() + offset + clock.offset_to(self._local_clock))

    def close(self) -> None:
        """Close the connection."""
        # Without its last reference the library drops the connection at once; closing it explicitly may block.
        self._inlet = None


def listen(inlet: Inlet, off: threading.Event, *, measure: bool, least: int) -> tuple[list[Pull], Rate | None]:
    """The first samples, and their rate.

    Waiting ends once `off` is set. With `measure`, it lasts until the rate is certain, at most 4 s; a stream without
    samples is not waited for. Then it lasts until there are `least` samples, at most 3 s.
    """
    pulls: list[Pull] = []
    looks: tuple[float, ...] = LOOKS_S if measure else ()
    rate, n, began = None, 0, clock.now()
    heard = began
    while not inlet.lost and not off.is_set():
        if pulls and looks and pulls[-1].arrived - pulls[0].arrived >= looks[0]:
            counts = np.cumsum([len(pull.stamps) for pull in pulls])
            rate = measured_rate(counts, np.array([pull.stamps[-1] for pull in pulls]))
            looks = () if rate and rate.sure else looks[1:]
        now = clock.now()
        if not (looks and now - heard < QUIET_S) and not (n < least and now - began < LEAST_S):
            break
        if (pull := inlet.pull(PULL_S)) is not None:
            pulls.append(pull)
            n, heard = n + len(pull.stamps), clock.now()  # the first pull alone may take half a second
    return pulls, rate


class LslStream:
    """An open stream, made by `LslSource`.

    It reads the channels `columns` with `scale` µV per unit, those of `pulls`, which were pulled before, first.
    """

    def __init__(
        self, inlet: Inlet, info: StreamInfo, columns: np.ndarray, scale: np.ndarray, pulls: Iterable[Pull] = ()
    ) -> None:
        self.info = info
        self._inlet, self._columns, self._scale = inlet, columns, scale
        self._local_clock = liblsl.pylsl().local_clock
        self._to_ours = clock.offset_to(self._local_clock)
        self._to_local: float | None = None
        self._samples = SampleClock(info.sfreq)
        self._rows = np.empty((0, info.n_chans), np.float32)
        self._ready: deque[Chunk] = deque()
        self._closed = False
        self.heard = clock.now()  # when samples last arrived (s, our clock)
        for pull in pulls:
            self._take_in(pull)

    def is_heard(self, within_s: float) -> bool:
        """Whether this stream is being read and has just sent samples, even if they are held back."""
        time.sleep(2 * within_s)  # samples that another connection has just received are in transit here too
        return not self._closed and not self._inlet.lost and clock.now() - self.heard < HEARD_S

    def read(self, timeout: float) -> Chunk | None:
        """As in `Stream`; raises `SourceLost` when the sender is gone."""
        deadline = clock.now() + timeout
        while not self._ready:
            left = deadline - clock.now()
            if self._closed or (self._inlet.lost and not self._samples.holding):
                raise SourceLost(self.info.name, "the stream has ended or its sender is gone", "start it again")
            pull = self._inlet.pull(max(0.0, min(PULL_S, left)))
            if pull is not None:
                self._take_in(pull)
            elif self._inlet.lost:
                self._pass_on(self._samples.release())
            else:
                self._pass_on(self._samples.feed(np.empty(0), self._local_clock()))
            if left <= 0 and not self._ready:
                return None
        return self._ready.popleft()

    def close(self) -> None:
        """Close the connection."""
        self._closed = True
        self._inlet.close()

    def _take_in(self, pull: Pull) -> None:
        """Convert new samples, and queue those that the sample clock releases."""
        self.heard = clock.now()
        if self._to_local is None:
            behind = pull.arrived - float(pull.stamps[-1])
            self._to_local = behind if not abs(behind) <= FOREIGN_S else 0.0
        rows = pull.data[:, self._columns].astype(np.float32) * self._scale
        self._rows = np.concatenate((self._rows, rows)) if len(self._rows) else rows
        self._pass_on(self._samples.feed(pull.stamps + self._to_local, pull.arrived))

    def _pass_on(self, pieces: list[Piece]) -> None:
        end = self._samples.count - sum(piece.n + piece.lost for piece in pieces)
        now = clock.now()
        for piece in pieces:
            end += piece.lost + piece.n
            rows, self._rows = np.split(self._rows[piece.dropped :], [piece.n])
            if not len(rows):
                continue
            t_last = self._samples.stamp(end - 1) - self._samples.stepped + self._to_ours
            self._ready.append(Chunk(rows, end - piece.n, min(now, t_last), piece.lost))
