"""Simulated failing headset: turns a clean recording and a fault script into packets and fault events."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

import numpy as np

from ...contracts import Stream
from ...errors import StreamEnded
from ...types import Array, Marker
from .script import FaultScript, ScriptedFault
from .signal import Electrodes
from .transport import UNIX_S, Transport

PACKET_S = 0.04  # duration of a packet (s); packet boundaries do not depend on how the recording is read
SAME_S = 1e-6  # times closer than this (s) are equal


class Packet(NamedTuple):
    """Samples delivered together."""

    rows: Array  # (n_times, n_chans), µV; fewer channels while another stream replaces it
    numbers: np.ndarray  # (n_times,): the true number of each sample
    stamps: np.ndarray  # (n_times,): their stamps, in s since the stream began
    due: float  # when they are delivered, in s since the stream began


class FaultEvent(NamedTuple):
    """Beginning or end of a fault."""

    fault: ScriptedFault
    begins: bool
    first: int  # number of the first sample that is affected, or no longer affected
    due: float

    @property
    def stream_s(self) -> float:
        """Stream time (s)."""
        return self.fault.start_s if self.begins else self.fault.end_s


class Presence(NamedTuple):
    """State of the stream on the network."""

    present: bool = True
    fewer: int = 0  # how many channels are missing
    decoy: bool = False  # whether other streams carry its source_id


@dataclass(slots=True)
class Truth:
    """True fate of the samples: ranges of true numbers ``[first, end)``."""

    lost: list[tuple[int, int]] = field(default_factory=list)  # never sent, or in transit when the stream disappeared
    unheard: list[tuple[int, int]] = field(default_factory=list)  # sent without a receiver; known in rehearsal only
    sent_twice: list[tuple[int, int]] = field(default_factory=list)
    out_of_order: list[tuple[int, int]] = field(default_factory=list)  # sent after later samples
    end: int = 0  # how many samples were taken so far


def add_to(ranges: list[tuple[int, int]], numbers: np.ndarray) -> None:
    """Add sample numbers, larger than those before, to `ranges` of a `Truth`."""
    for first, end in _runs(numbers):
        if ranges and ranges[-1][1] == first:
            first = ranges.pop()[0]
        ranges.append((first, end))


def _runs(numbers: np.ndarray) -> list[tuple[int, int]]:
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


class Headset:
    """Iterates over packets and fault events in the order of their `due`.

    The same recording, script and seed give the same packets, however the recording is cut into chunks. `stream` must
    not wait for the clock; `unix_s` is the offset of Unix time from the stamps (s).
    """

    def __init__(self, stream: Stream, script: FaultScript, seed: int = 0, unix_s: float = UNIX_S) -> None:
        self._stream, self._script = stream, script
        self.sfreq = stream.info.sfreq
        self.n_packet = max(1, round(PACKET_S * self.sfreq))
        self.truth = Truth()
        self._electrodes = Electrodes(script, self.sfreq, seed)
        self._transport = Transport(script, self.sfreq, seed, unix_s)
        self._gaps = [fault.spans(self.sfreq) for fault in script.of("hole", "kill")]
        # Samples in transit are lost where the stream disappears or is replaced.
        breaks = {at_s for fault in script.of("kill", "fewer") for at_s in (fault.start_s, fault.end_s)}
        self._breaks = [(round(at_s * self.sfreq), self._transport.when(at_s)) for at_s in breaks - {math.inf}]
        self.markers: deque[Marker] = deque(maxlen=1000)  # markers of the recording, by true number; removed when read
        self._pending: deque[tuple[np.ndarray, bool]] = deque()  # samples read, and whether the recording has them
        self._have, self._number, self._ended = 0, 0, False
        self._tickets = count()  # keep the order of equal items
        self._queue: list[tuple[float, float, int, Packet | FaultEvent]] = []
        for n, fault in enumerate(script.faults):
            first, end = fault.spans(self.sfreq)
            self._expect(FaultEvent(fault, True, int(first), self._transport.when(fault.start_s)), n)
            if math.isfinite(end):
                self._expect(FaultEvent(fault, False, int(end), self._transport.when(fault.end_s)), n)

    def __iter__(self) -> Iterator[Packet | FaultEvent]:
        return self

    def __next__(self) -> Packet | FaultEvent:
        while not self._ended and (not self._queue or self._queue[0][0] >= self._soonest()):
            self._make()
        if self._ended and not any(isinstance(item[-1], Packet) for item in self._queue):
            raise StopIteration
        return heapq.heappop(self._queue)[-1]

    def when(self, stream_s: np.ndarray) -> np.ndarray:
        """When samples of that stream time are taken (s since the stream began)."""
        return self._transport.when(stream_s)

    def presence_at(self, stream_s: float) -> Presence:
        """State on the network at that stream time."""
        on = [fault for fault in self._script.of("kill", "fewer", "decoy") if fault.is_on(stream_s)]
        fewer = max((int(fault.value) for fault in on if fault.kind == "fewer"), default=0)
        kinds = {fault.kind for fault in on}
        return Presence("kill" not in kinds, fewer, "decoy" in kinds)

    def _expect(self, item: Packet | FaultEvent, order: float) -> None:
        # At the same time packets precede events, because a packet's last sample was taken before.
        key = item.due + SAME_S * isinstance(item, FaultEvent)
        heapq.heappush(self._queue, (key, order, next(self._tickets), item))

    def _soonest(self) -> float:
        """Earliest time at which a packet that is not made yet can be due."""
        return float(self._transport.taken(np.array([(self._number + 1) * self.n_packet - 1]))[0])

    def _make(self) -> None:
        """Make the next packet, if any of it is sent."""
        first, transport = self._number * self.n_packet, self._transport
        rows, known = self._take(self.n_packet)
        if not len(rows):
            return
        stream_s, numbers = first / self.sfreq, np.arange(first, first + len(rows))
        rows = self._electrodes.spoil(rows, first)
        stamps, due = transport.sent(transport.taken(numbers), self._number, stream_s)
        dropped, twice, late = (transport.happens(kind, stream_s) for kind in ("drop", "duplicate", "reorder"))
        if late:
            due += self.n_packet / self.sfreq
        kept = known & self._arrives(numbers, due) & (not dropped)
        self._number += 1
        self.truth.end = int(numbers[-1]) + 1
        add_to(self.truth.lost, numbers[~kept])
        if not kept.any():
            return
        numbers, rows = numbers[kept], rows[kept]
        if fewer := self.presence_at(numbers[-1] / self.sfreq).fewer:
            rows = rows[:, :-fewer]
        order = self._number + 1.5 * late
        for _ in range(1 + twice):
            self._expect(Packet(rows, numbers, stamps[kept], due), order)
        if twice:
            self.truth.sent_twice += _runs(numbers)
        if late:
            self.truth.out_of_order += _runs(numbers)

    def _arrives(self, numbers: np.ndarray, due: float) -> np.ndarray:
        """(n_times,): which samples are neither dropped nor in transit when the stream breaks."""
        arrives = np.ones(len(numbers), bool)
        for first, end in self._gaps:
            arrives &= (numbers < first) | (numbers >= end)
        for first, at in self._breaks:
            if due > at + SAME_S:
                arrives &= numbers >= first
        return arrives

    def _take(self, n: int) -> tuple[Array, np.ndarray]:
        """The next `n` samples or the rest, (n_times, n_chans), and whether the recording contains each, (n_times,)."""
        while self._have < n and not self._ended:
            try:
                chunk = self._stream.read(0.1)
            except StreamEnded:
                self._ended = True
                break
            if chunk is None:
                continue
            if chunk.lost:  # a view: a gap of hours takes no memory
                self._pending.append((np.broadcast_to(np.float32(np.nan), (chunk.lost, chunk.data.shape[1])), False))
            self._pending.append((chunk.data, True))
            self._have += chunk.lost + len(chunk)
            self.markers.extend(chunk.markers)
        rows, known = [np.empty((0, self._stream.info.n_chans), np.float32)], [np.empty(0, bool)]
        left = min(n, self._have)
        self._have -= left
        while left:
            part, there = self._pending.popleft()
            if len(part) > left:
                self._pending.appendleft((part[left:], there))
            rows.append(part[:left])
            known.append(np.full(len(rows[-1]), there))
            left -= len(rows[-1])
        return np.concatenate(rows), np.concatenate(known)
