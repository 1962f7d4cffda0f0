"""An open LSL stream beside the EEG: pulled samples of any format become chunks, counted where the rate is regular."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from ... import clock, liblsl
from ...auxiliary import STRING, AuxChunk, AuxInfo
from ...errors import SourceLost
from ...guard import Report
from ..marker_words import text_of
from ..timing.sample_clock import Piece, SampleClock
from .sender_clock import ClockMeasurement, SenderClockWatch
from .stream import FOREIGN_S, Inlet, Pull

PULL_S = 0.1  # timeout of one pull (s)
OFFSET_S = 2.5  # interval (s) of measurements of the sender's clock
LONGEST_WAIT_S = 5.0  # how long samples wait for a measurement of the sender's clock (s)
SILENT_S = 3.0  # after this long without a sample (s) a regular stream is left for one that has taken its place
MOST_BYTES_S = 8_000_000
"""Most bytes a second that are taken from one stream, so that none can hold up the EEG: 100 kHz of 20 numbers."""
TEXT_BYTES = 1000  # what one text costs of them, besides its length
LONGEST_TEXT = 1 << 16  # characters; longer texts are cut
SENSELESS_S = 1e10  # stamps further from their arrival than this (s) say nothing about the sender's clock


class LslAuxStream:
    """Made by `LslAux`.

    Parameters
    ----------
    inlet : Inlet
        With raw stamps.
    info : AuxInfo
        Its description.
    sfreq : float
        The rate (Hz) to count lost samples by; 0: it has no regular rate, and nothing is counted.
    pulls : iterable of Pull
        What was pulled before.
    look : callable
        Called with whether the stream is silent; returns whether another one has taken its place.
    report : callable
        Receives what is unusual.
    """

    def __init__(
        self, inlet: Inlet, info: AuxInfo, sfreq: float, pulls: Iterable[Pull], look: Callable[[bool], bool],
        report: Report,
    ) -> None:  # fmt: skip
        self.info = info
        self._inlet, self._look, self._report = inlet, look, report
        self._samples = SampleClock(sfreq) if sfreq else None
        self._period = 1 / sfreq if sfreq else 0.0
        self._newest_arrival = -math.inf
        self._newest, self._due, self._fell = -math.inf, 0.0, False
        self._local_clock = liblsl.pylsl().local_clock
        self._to_ours = clock.offset_to(self._local_clock)
        self._pulls, self._ready = deque(pulls), deque[AuxChunk]()
        self._rows: np.ndarray = np.empty((0, info.n_chans), inlet.dtype)
        self._sent = np.empty(0)
        self._shift = 0.0  # from the sender's stamps to LSL's clock there (s)
        self._count = self._flooded = 0
        self._second, self._spent = 0, 0
        self._heard = self._measured = clock.now()
        now = ClockMeasurement(self._local_clock() - inlet.correction, inlet.correction, 0.0)
        self._clock = SenderClockWatch(inlet.correct() or now, self._to_ours)
        self._first_offset = self._clock.clock.offset  # samples are counted with it; later ones differ by some ms (s)
        self._suspect: deque[Pull] = deque()  # samples that wait until the sender's clock has been measured again
        self._heard_suspect = 0.0
        self._steps: deque[tuple[float, float]] = deque(maxlen=16)  # when the sample clock took out how much so far (s)
        self._told: set[str] = set()
        self._ready.append(self._chunk(self._rows, np.empty(0), np.empty(0), 0, 0))

    def read(self, timeout: float) -> AuxChunk | None:
        """As in `AuxStream`."""
        deadline = clock.now() + timeout
        while not self._ready:
            left = max(0.0, deadline - clock.now())
            pull = self._pulls.popleft() if self._pulls else self._pull(min(PULL_S, left))
            if pull is not None:
                self._receive(pull)
            elif self._inlet.lost:
                self._take_in_all()
                self._pass_on(self._samples.release() if self._samples else [])
                if not self._ready:
                    raise SourceLost(self.info.url, "the stream has ended or its sender is gone", "start it again")
            elif self._samples and not self._suspect:
                self._pass_on(self._samples.feed(np.empty(0), self._counted_at(self._local_clock())))
            self._follow()
            if left <= 0 and not self._ready:
                return None
        return self._ready.popleft()

    def close(self) -> None:
        """Close the connection."""
        self._inlet.close()

    def _follow(self) -> None:
        """Measure the sender's clock now and then, and look for another stream in place of a silent one."""
        now = clock.now()
        if self._look(self._samples is not None and now - self._heard > SILENT_S):
            raise SourceLost(self.info.url, "it is silent and another one is there")
        if self._suspect and (self._measure() or now - self._heard_suspect > LONGEST_WAIT_S):
            self._take_in_all()
        elif now - self._measured >= OFFSET_S:
            self._measure()
            if not self._ready:
                self._ready.append(self._chunk(self._rows[:0], np.empty(0), np.empty(0), self._count, 0))

    def _measure(self) -> bool:
        """Measure the sender's clock; whether that was after the samples that wait for it."""
        self._measured = clock.now()
        before = self._clock.measured(new) if (new := self._inlet.correct()) is not None else None
        if before is not None and self._samples and not self._suspect:
            # It was fed with stamps that seemed to have jumped.
            self._pass_on(self._samples.release())
            again = SampleClock(1 / self._period)
            again.count = self._samples.count
            again.stepped = next((stepped for at, stepped in reversed(self._steps) if at <= before), 0.0)
            self._samples = again
        return bool(self._suspect) and self._clock.is_after(self._suspect[0].arrived)

    def _pull(self, timeout: float) -> Pull | None:
        """The newest samples; a stream that sends too much is emptied for the rest of the second."""
        now = clock.now()
        if int(now) != self._second:
            self._second, self._spent = int(now), 0
        if self._spent > MOST_BYTES_S:
            self._flooded += self._inlet.flush()
            self._tell(f"sends more than {MOST_BYTES_S // 1_000_000} MB a second · the rest is dropped and counted")
            time.sleep(timeout)
            return None
        return self._inlet.pull(timeout)

    def _receive(self, pull: Pull) -> None:
        """Take samples in, or let them wait where the sender's clock seems to have been set."""
        self._heard = clock.now()
        lag = pull.arrived - float(pull.stamps[-1]) - self._inlet.correction
        if not self._clock.is_suspect(lag, regular=self._samples is not None):
            self._take_in_all()  # what waits was only delayed: after a step, this sample would be off as well
            self._clock.arrived(lag)
            self._take_in(pull)
            return
        if not self._suspect:
            self._heard_suspect = self._heard
            # What the pull begins with was stamped before.
            at = int(np.argmax(np.abs(np.diff(pull.stamps) - self._period))) + 1 if len(pull.stamps) > 1 else 0
            if at:
                self._take_in(pull._replace(data=pull.data[:at], stamps=pull.stamps[:at]))
                pull = pull._replace(data=pull.data[at:], stamps=pull.stamps[at:])
        self._suspect.append(pull)

    def _take_in_all(self) -> None:
        while self._suspect:
            pull = self._suspect.popleft()
            self._clock.arrived(pull.arrived - float(pull.stamps[-1]) - self._inlet.correction)
            self._take_in(pull)

    def _take_in(self, pull: Pull) -> None:
        rows = self._values(pull.data)
        sent = self._on_lsl(pull.stamps, pull.arrived - self._inlet.correction)
        continuous = sent - self._clock.stepped
        timely = self._rising(continuous)
        if self._samples:
            self._rows, self._sent = np.concatenate((self._rows, rows)), np.concatenate((self._sent, continuous))
            self._pass_on(self._samples.feed(timely + self._first_offset, self._counted_at(pull.arrived)))
            return
        lost, self._flooded = self._flooded, 0
        self._count += lost
        self._ready.append(self._chunk(rows, sent + self._clock.offset, continuous, self._count, lost))
        self._count += len(rows)

    def _values(self, data: np.ndarray) -> np.ndarray:
        """The values of a pull, text decoded."""
        if self.info.format != STRING:
            self._spent += data.nbytes
            return data
        texts = np.empty(data.shape, object)
        for at, raw in enumerate(data.flat):
            self._spent += len(raw) + TEXT_BYTES
            text = text_of(raw)
            texts.flat[at] = text[:LONGEST_TEXT]
            if len(text) > LONGEST_TEXT:
                self._tell(f"sends texts of more than {LONGEST_TEXT:,} characters · they are cut there")
        return texts

    def _on_lsl(self, stamps: np.ndarray, arrived: float) -> np.ndarray:
        """The sender's stamps on LSL's clock there, on which they `arrived` now.

        Stamps on another clock (Unix time, a device's) are shifted as a whole; senseless ones become the arrival time.
        """
        newest = arrived - float(stamps[-1])
        if abs(newest) <= FOREIGN_S:
            self._shift = 0.0
        elif abs(newest - self._shift) > FOREIGN_S and abs(newest) < SENSELESS_S:
            self._shift = newest
            self._tell("its stamps are on another clock · they are shifted to the time of arrival")
        sent = stamps + self._shift
        self._newest_arrival = max(self._newest_arrival, arrived)  # measurements of the clock differ a little
        return np.where(np.abs(arrived - sent) <= FOREIGN_S, sent, self._newest_arrival)

    def _rising(self, sent: np.ndarray) -> np.ndarray:
        """Stamps to count by: in place of those that run backwards, the nominal rate's.

        A single one may be that of a clock that was set back.
        """
        falls = np.diff(sent, prepend=self._newest) < 0
        self._newest = float(sent[-1])
        if not falls.any():
            self._due, self._fell = self._newest + self._period, False
            return sent
        if not self._samples or self._fell or np.any(falls[1:] & falls[:-1]):
            self._tell("its stamps run backwards · they are recorded as sent; correct its sender")
        counted = sent.copy()
        for k, falling in enumerate(falls.tolist()):
            if falling and self._fell:
                counted[k] = self._due
            self._due = (self._due if falling else float(sent[k])) + self._period
            self._fell = falling
        return counted

    def _counted_at(self, t: float) -> float:
        """A time of LSL's clock here, on the clock by which samples are counted (s)."""
        return t + self._to_ours + self._first_offset - self._clock.clock.offset

    def _pass_on(self, pieces: list[Piece]) -> None:
        """Queue what the sample clock releases; steps of the sender's clock are taken out of its stamps."""
        if self._samples is None:
            return
        self._count = end = self._samples.count - sum(piece.n + piece.lost for piece in pieces)
        for piece in pieces:
            end += piece.lost + piece.n
            rows, self._rows = np.split(self._rows[piece.dropped :], [piece.n])
            sent, self._sent = np.split(self._sent[piece.dropped :], [piece.n])
            if len(rows):
                if self._samples.stepped != (self._steps[-1][1] if self._steps else 0.0):
                    self._steps.append((self._local_clock(), self._samples.stepped))
                stamps = self._samples.stamp(np.arange(end - piece.n, end)) - self._samples.stepped
                stamps = stamps + self._clock.clock.offset - self._first_offset
                sent = sent - self._samples.stepped
                self._ready.append(self._chunk(rows, stamps, sent, end - piece.n, piece.lost))
        self._count = end

    def _chunk(self, rows: np.ndarray, stamps: np.ndarray, sent: np.ndarray, first: int, lost: int) -> AuxChunk:
        return AuxChunk(rows, np.minimum(stamps, clock.now()), sent, first, self._clock.clock, lost)

    def _tell(self, problem: str) -> None:
        """Report something once."""
        if problem not in self._told:
            self._told.add(problem)
            self._report(f"{self.info.url}: {problem}")
