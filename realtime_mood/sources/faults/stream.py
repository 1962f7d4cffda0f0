"""Stream from a simulated failing headset: disappears and returns, and counts samples as a network stream does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ... import clock
from ...auxiliary import AuxChunk, AuxInfo
from ...errors import SourceLost, SourceNotFound, StreamEnded, StreamMismatch
from ...types import Chunk, Marker, StreamInfo
from ..synthetic.beside import BesideStreams
from ..timing.rate import Rate, measured_rate, real_rate
from ..timing.sample_clock import Piece, SampleClock
from .headset import FaultEvent, Headset, Packet, add_to

POLL_S = 0.1  # longest wait between checks of whether it was closed (s)
QUIET_S = 0.5  # after this long without samples the sample clock judges those held back (s)
MEASURE_S = 4.0  # time limit for measuring the rate (s); after it the announced one is used
FOREIGN_S = 60.0  # stamps further than this from our clock (s) are on another clock


class Rehearsal:
    """One session with a simulated failing headset, whose time continues while nothing is connected.

    `speed` is in times real time; infinite for as fast as it is read. `streams` makes the streams beside the EEG for
    each connection.
    """

    def __init__(
        self, headset: Headset, info: StreamInfo, speed: float, streams: Callable[[], BesideStreams | None]
    ) -> None:
        self.headset, self.info, self.speed, self.streams = headset, info, speed, streams
        self.presence, self.session = headset.presence_at(0.0), 0
        """State on the network, and how many times the stream has disappeared or changed."""
        self.last = -1  # number of the newest received sample
        self.markers: list[Marker] = []  # faults not yet reported as markers, by true sample number
        self._lock = threading.Lock()
        self._start, self._at, self._next = clock.now(), 0.0, next(headset, None)
        self._zero: float | None = None  # of the stamps of a sender in real time, as the recorder stamps the EEG
        self._has_begun = info.paced  # else time begins with the first samples that are read

    def now(self) -> float:
        """Seconds since the session began, in the headset's time."""
        return (clock.now() - self._start) * self.speed if self.info.paced else self._at

    def on_our_clock(self, t: float) -> float:
        """The same time on our clock, never in the future."""
        now = clock.now()
        if not self._has_begun:
            self._has_begun, self._start = True, now - t
        stamp = min(now, self._start + t / self.speed) if self.info.paced else now
        if self._zero is None:
            self._zero = stamp - t
        return stamp

    def true_time(self, stream_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When samples of that stream time were taken, on our clock, and on that of a sender in real time (s)."""
        taken_s = self.headset.when(stream_s)
        zero = self._start if self.speed == 1 or self._zero is None else self._zero
        return self._start + taken_s / (self.speed if self.info.paced else 1.0), zero + taken_s

    def wait_s(self) -> float:
        """Time until the next event, on our clock (s)."""
        return (self._next.due - self.now()) / self.speed if self.info.paced and self._next else 0.0

    def receive(self, session: int) -> Packet | None:
        """The next packet for the connection `session`, or None when none is due; raises as `FaultyStream.read`."""
        with self._lock:
            while self._is_connected(session) and self._is_due():
                item = self._step()
                if isinstance(item, Packet):
                    self.last = max(self.last, int(item.numbers[-1]))
                    return item
            if self._next is None:
                raise StreamEnded(self.info.name, "the recording is over")
            if not self._is_connected(session):
                raise SourceLost(self.info.name, "the headset has disappeared", "it returns as its faults= say")
            return None

    def rejoin(self, session: int) -> int:
        """Replace a broken `session` by a new one; raises `SourceNotFound` or `StreamMismatch`."""
        with self._lock:
            until = self.now()  # later packets can wait: a slow computer would never catch up
            while self._is_due(until) and not self._is_connected(session):
                is_back = session != self.session and self.presence.present and not self.presence.fewer
                if is_back and not self.info.paced:
                    break
                item = self._step()
                if isinstance(item, Packet):  # sent without a connection
                    add_to(self.headset.truth.unheard, item.numbers)
            if self._next is None:
                return self.session
            if self.presence.fewer or (self.presence.decoy and not self.presence.present):
                raise StreamMismatch(self.info.name, "another stream answers", "wait for the original one")
            if session == self.session or not self.presence.present:
                raise SourceNotFound(self.info.name, "it is not back", "wait for it")
            return self.session

    def marked(self, numbers: np.ndarray, first: int) -> tuple[Marker, ...]:
        """Markers up to the last of these samples that were not returned yet; `first` is their index in the stream."""
        newest = int(numbers.max())
        with self._lock:
            while self.headset.markers and self.headset.markers[0].index <= newest:
                self.markers.append(self.headset.markers.popleft())
            due = sorted((it for it in self.markers if it.index <= newest), key=lambda it: it.index)
            self.markers = [it for it in self.markers if it.index > newest]
        return tuple(Marker(first + int(np.argmax(numbers >= marker.index)), marker.text) for marker in due)

    def _is_connected(self, session: int) -> bool:
        return session == self.session and self.presence.present

    def _is_due(self, until: float | None = None) -> bool:
        """Whether an event is due by now, or by `until`."""
        until = self.now() if until is None else until
        return self._next is not None and (not self.info.paced or self._next.due <= until)

    def _step(self) -> Packet | FaultEvent:
        """Process the next event."""
        item, self._next = self._next, next(self.headset, None)
        assert item is not None
        self._at = item.due
        if isinstance(item, FaultEvent):
            new = self.headset.presence_at(item.stream_s)
            self.session += new[:2] != self.presence[:2]
            self.presence = new
            if item.begins:
                self.markers.append(Marker(item.first, f"fault: {item.fault}"))
        return item


class FaultyStream:
    """A connection to a failing headset; `session` numbers the stream's appearance that it is connected to."""

    def __init__(self, rehearsal: Rehearsal, session: int = 0) -> None:
        self.rehearsal, self.session = rehearsal, session
        self.info = rehearsal.info
        self._before = rehearsal.last
        self._clock = SampleClock(self.info.sfreq)
        self._rows = np.empty((0, self.info.n_chans), np.float32)
        self._numbers = np.empty(0, np.int64)
        self._ready: deque[Chunk] = deque()
        self._offset: int | None = None  # samples between the previous connection and this one
        self._moved = self._arrived = 0.0
        self._over: SourceLost | StreamEnded | None = None
        self._streams = rehearsal.streams()
        self._came: list[tuple[int, int]] = []  # spans of true numbers that came since the last call of `beside`
        self._closed = threading.Event()

    def read(self, timeout: float) -> Chunk | None:
        """The samples that arrived since the last call; None if there were none within `timeout` s.

        Raises `SourceLost` where the headset has disappeared, `StreamEnded` where the recording is over.
        """
        deadline = clock.now() + timeout
        while not self._ready and not self._closed.is_set():
            if self._over:
                raise self._over
            left = deadline - clock.now()
            if not self._pull():
                if left <= 0:
                    return None
                self._wait(left)
        return self._ready.popleft() if self._ready else None

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """As in `Carrying`: what was taken together is lost, late and delivered together, with true stamps."""
        came, self._came = self._came, []
        if self._streams is None:
            return ()
        return [it for span in came for it in self._streams.take(*span, self.rehearsal.true_time)]

    def close(self) -> None:
        """Disconnect; a waiting `read` returns."""
        self._closed.set()

    def _wait(self, most_s: float = POLL_S) -> None:
        """Wait for the next event, until closed, or for `most_s`."""
        self._closed.wait(max(0.0, min(POLL_S, most_s, self.rehearsal.wait_s())))

    def _pull(self) -> bool:
        """Receive the next packet; False when none is due."""
        try:
            packet = self.rehearsal.receive(self.session)
        except (SourceLost, StreamEnded) as over:
            self._over = over
            self._pass_on(self._clock.release())
            return True
        now = packet.due if packet else self.rehearsal.now()
        if now - self._arrived > QUIET_S and (self._clock.holding or packet):
            self._pass_on(self._clock.feed(np.empty(0), now))
        if packet:
            self._take_in(packet)
        return packet is not None

    def measure(self) -> None:
        """Measure the rate of the first samples, as a network source does; they stay to be read."""
        packets: list[Packet] = []
        rate: Rate | None = None
        while not (rate and rate.sure) and not self._closed.is_set():
            try:
                packet = self.rehearsal.receive(self.session)
            except (SourceLost, StreamEnded):  # read will raise it again
                break
            if packet is None:
                self._wait()
                continue
            packets.append(packet)
            if packet.due > MEASURE_S:
                break
            n = np.cumsum([len(packet.rows) for packet in packets])
            rate = measured_rate(n, np.array([packet.stamps[-1] for packet in packets])) if packet.due > 0.5 else None
        sfreq, note = real_rate(self.info.sfreq, rate)
        self.info = self.rehearsal.info = replace(self.info, sfreq=sfreq, notes=(note,) if note else ())
        self._clock = SampleClock(sfreq)
        for packet in packets:
            self._take_in(packet)

    def _take_in(self, packet: Packet) -> None:
        if self._offset is None:
            self._offset = int(packet.numbers[0]) - 1 - self._before if self.session else 0
            behind = packet.due - float(packet.stamps[-1])
            self._moved = behind if abs(behind) > FOREIGN_S else 0.0
        self._arrived = packet.due
        self._rows = np.concatenate((self._rows, packet.rows))
        self._numbers = np.concatenate((self._numbers, packet.numbers))
        self._pass_on(self._clock.feed(packet.stamps + self._moved, packet.due))

    def _pass_on(self, pieces: list[Piece]) -> None:
        end, away = self._clock.count - sum(piece.n + piece.lost for piece in pieces), self._offset or 0
        for piece in pieces:
            begin, end = end, end + piece.lost + piece.n
            rows, self._rows = np.split(self._rows[piece.dropped :], [piece.n])
            numbers, self._numbers = np.split(self._numbers[piece.dropped :], [piece.n])
            if len(rows):
                lost, first = piece.lost + (0 if begin else away), away + end - piece.n
                self._came.append((int(numbers[0]), int(numbers[-1]) + 1))
                t_last = self.rehearsal.on_our_clock(float(self._clock.stamp(end - 1)) - self._clock.stepped)
                self._ready.append(Chunk(rows, first, t_last, lost, self.rehearsal.marked(numbers, first)))
