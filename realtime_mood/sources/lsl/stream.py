"""Turns what an inlet of the Lab Streaming Layer pulls into chunks of counted, smoothly stamped samples."""

from __future__ import annotations

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

PULL_S = 0.02
"""A pull waits for this much signal: it bounds the wake-ups a second, and what batching adds to the age of a sample."""
BUFFER_S = 60
"""Seconds the library keeps for us while nobody reads."""
LOOKS_S = (0.5, 1.0, 2.0, 4.0)
"""After so many seconds of samples the rate is looked at, until it is sure."""
QUIET_S = 0.5
"""When no sample has come for so long, the announced rate is believed."""
LEAST_S = 3.0
"""How long the samples asked for may take."""
HEARD_S = 1.0
"""A stream that brought samples within this time is alive."""
ANSWER_S = 0.3
"""The library is asked for an answer for this long at a time, so that it can be left."""
FOREIGN_S = 60.0
"""Stamps further than this from our clock are on another one (Unix time, a device's own) and are moved by an offset."""


class Pull(NamedTuple):
    """What one pull brought."""

    data: np.ndarray
    """(n, all channels), as sent."""
    stamps: np.ndarray
    arrived: float


class Inlet:
    """A connection to a stream. It may be closed from another thread.

    Parameters
    ----------
    found : pylsl.StreamInfo
    sfreq : float
        How many samples a second to expect.
    timeout : float
        Seconds the stream may take to answer.
    off : threading.Event
        Once set, nothing is waited for.

    Raises
    ------
    SourceNotFound
        It does not answer.
    """

    def __init__(self, found: Any, sfreq: float, timeout: float, off: threading.Event) -> None:
        pylsl = liblsl.pylsl()
        self._errors, self._local_clock = (pylsl.util.TimeoutError, pylsl.util.LostError), pylsl.local_clock
        self._inlet: Any = pylsl.StreamInlet(
            found,
            # The library counts seconds of regular streams, and hundreds of samples of others.
            max_buflen=BUFFER_S if found.nominal_srate() > 0 else max(1, round(BUFFER_S * sfreq / 100)),
            recover=False,  # the library would take any stream of that source_id for it, and say nothing of the hole
            processing_flags=pylsl.proc_clocksync,
        )
        deadline = clock.now() + timeout
        self.full: Any = self._ask(self._inlet.info, deadline, off)
        self._ask(self._inlet.open_stream, deadline, off)
        self._least = max(1, round(PULL_S * sfreq))
        self._buffer = np.empty((max(64, round(sfreq)), self.full.channel_count()), self._inlet.np_dtype)
        self.lost = False
        """Whether the sender is gone."""

    def _ask(self, question: Any, deadline: float, off: threading.Event) -> Any:
        while not off.is_set():
            try:
                return question(timeout=max(0.01, min(ANSWER_S, deadline - clock.now())))
            except self._errors as error:
                if clock.now() >= deadline or isinstance(error, self._errors[1]):
                    break
        raise SourceNotFound("an answer of the stream", "announced but does not answer")

    def pull(self, timeout: float) -> Pull | None:
        """What has arrived; None when nothing has within `timeout`, or the sender is gone."""
        inlet = self._inlet
        if inlet is None or self.lost:
            return None
        try:
            data, stamps = inlet.pull_chunk(
                timeout, len(self._buffer), self._buffer, min_samples=self._least, as_numpy=True
            )
        except self._errors[1]:
            self.lost = True
            return None
        return Pull(data.copy(), stamps, self._local_clock()) if len(stamps) else None

    def began(self, timeout: float) -> float | None:
        """When the outlet was made (s, our clock); None where that cannot be known within `timeout` s.

        The first answer takes half a second; once samples have been pulled, it is there.
        """
        if not self.full.created_at() > 0 or self._inlet is None:
            return None
        try:
            offset = self._inlet.time_correction(timeout)
        except self._errors:
            return None
        return float(self.full.created_at() + offset + clock.offset_to(self._local_clock))

    def close(self) -> None:
        """Let go of the stream."""
        # Without its last reference the library drops the connection at once; asking it to close first may wait.
        self._inlet = None


def listen(inlet: Inlet, off: threading.Event, *, measure: bool, least: int) -> tuple[list[Pull], Rate | None]:
    """The first samples, which stay to be read.

    Parameters
    ----------
    inlet : Inlet
    off : threading.Event
        Ends it once set.
    measure : bool
        Listen until their rate is sure, for 4 s at most; a stream that says nothing is not waited for.
    least : int
        Listen until there are so many, for 3 s at most.
    """
    pulls: list[Pull] = []
    looks = list(LOOKS_S) if measure else []
    rate, began, n = None, clock.now(), 0
    heard = began
    while not inlet.lost and not off.is_set():
        if pulls and looks and pulls[-1].arrived - pulls[0].arrived >= looks[0]:
            counts = np.cumsum([len(pull.stamps) for pull in pulls])
            rate = measured_rate(counts, np.array([pull.stamps[-1] for pull in pulls]))
            looks = [] if rate and rate.sure else looks[1:]
        now = clock.now()
        if not (looks and now - heard < QUIET_S) and not (n < least and now - began < LEAST_S):
            break
        if (pull := inlet.pull(PULL_S)) is not None:
            pulls.append(pull)
            n, heard = n + len(pull.stamps), clock.now()  # the first pull alone may take half a second
    return pulls, rate


class LslStream:
    """An open stream. Made by `LslSource.open` and `reopen`.

    Parameters
    ----------
    inlet : Inlet
    info : StreamInfo
    columns : array of int
        Which of the channels sent are ours.
    scale : array
        µV per number, channel by channel.
    pulls : iterable of Pull
        What was pulled already; it is delivered first.
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
        self.heard = clock.now()
        """When samples came last (s, our clock)."""
        for pull in pulls:
            self._take_in(pull)

    @property
    def measured_sfreq(self) -> float:
        """The sampling rate by our clock (Hz)."""
        return self._samples.sfreq

    @property
    def least_hole_s(self) -> float:
        """The shortest hole that is told from jitter (s)."""
        return self._samples.least_hole_s

    def is_heard(self, within_s: float) -> bool:
        """Whether somebody reads this very stream and it has just sent something, held back though it may be."""
        time.sleep(2 * within_s)  # what another connection has just seen is on its way here as well
        return not self._closed and not self._inlet.lost and clock.now() - self.heard < HEARD_S

    def read(self, timeout: float) -> Chunk | None:
        """The samples that arrived since the last call; None when there were none within `timeout` s.

        Raises
        ------
        SourceLost
            The sender is gone.
        """
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
        """Let go of the stream."""
        self._closed = True
        self._inlet.close()

    def _take_in(self, pull: Pull) -> None:
        """Convert what has arrived, and pass on what the clock lets go."""
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
