"""State of a run: its phase, health and latency, and the emissions and feedback that leave the engine."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from .clock import Clock
from .types import Reading, StreamInfo


class State(Enum):
    """Phase of a run."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in ms."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class RecordingState:
    """Progress of a recording."""

    path: str
    n_bytes: int = 0
    trouble: str = ""  # why it is incomplete; empty while every sample is in the file or being written
    automatic: bool = False  # made without a request, and deleted after a while unless the user keeps it


@dataclass(frozen=True, slots=True)
class Output:
    """State of one output that readings are sent to."""

    name: str
    sent: int = 0
    dropped: int = 0  # items dropped because the output was slow or failed; nothing waits for it
    receivers: int | None = None  # number of connected receivers; None where that is unknown
    trouble: str = ""  # why nothing is sent; empty while it works


@dataclass(frozen=True, slots=True)
class AuxState:
    """State of one stream beside the EEG."""

    url: str
    name: str = ""
    kind: str = ""
    state: State = State.CONNECTING
    samples: int = 0
    lost: int = 0
    rate_hz: float | None = None  # as measured over the last seconds; None while unknown
    age_s: float | None = None  # of the newest sample; None before the first


@dataclass(frozen=True, slots=True)
class Health:
    """One consistent, immutable snapshot of a run."""

    state: State = State.IDLE
    info: StreamInfo | None = None
    samples: int = 0
    lost: int = 0
    readings: int = 0
    skipped: int = 0
    latency: Latency | None = None
    """Emission minus arrival of the window's last sample, over estimates."""
    sample_age_ms: float | None = None
    """Emission minus the stamp of the newest sample, at the last reading."""
    recording: RecordingState | None = None
    autosave: RecordingState | None = None
    """The recording that is made of each run in the window."""
    outputs: tuple[Output, ...] = ()
    streams: tuple[AuxState, ...] = ()
    """Streams beside the EEG."""
    notes: tuple[str, ...] = ()
    """What was unusual or degraded during the run, newest last, without repetition."""
    leaving: tuple[str, ...] = ()
    """What other computers can receive of the run; also among the notes."""
    noted: float = 0.0
    """Time of the newest note (s, our clock)."""
    faults: int = 0
    """Number of failures of threads, outputs, readings and listeners; the notes describe them."""
    fault: Exception | None = None


class Vitals:
    """Thread-safe holder of a run's `Health`, replaced by one change at a time."""

    def __init__(self, now: Clock) -> None:
        self._now, self._lock = now, threading.RLock()
        self._latencies: deque[float] = deque(maxlen=4096)
        self._in_order: list[float] = []  # the same
        self.health = Health()

    def change(self, **changes: object) -> None:
        """Set fields. Only the first fault is kept."""
        with self._lock:
            if self.health.fault is None or "fault" not in changes:
                self.health = replace(self.health, **changes)  # type: ignore[arg-type]

    def count(self, **more: int) -> None:
        """Add to counters."""
        with self._lock:
            self.change(**{name: getattr(self.health, name) + n for name, n in more.items()})

    def move(self, to: State, *only_from: State) -> None:
        """Change the state, if the run is in one of `only_from`."""
        with self._lock:
            if self.health.state in only_from:
                self.change(state=to)

    def note(self, *notes: str) -> None:
        """Add notes on what is unusual or degraded, except those that are there already."""
        with self._lock:
            if new := [note for note in notes if note and note not in self.health.notes]:
                self.change(notes=(*self.health.notes, *new)[-20:], noted=self._now())

    def fault(self, what: str) -> None:
        """Count and note a fault that does not end the run; guarded threads and calls report here."""
        with self._lock:
            self.count(faults=1)
            self.note(what)

    def watch(self, recording: RecordingState | None) -> None:
        """Update the recording's state; its trouble also becomes a note."""
        with self._lock:
            if recording is not None and recording not in (self.health.recording, self.health.autosave):
                self.change(**{"autosave" if recording.automatic else "recording": recording})
                self.note(recording.trouble)

    def sending(self, outputs: tuple[Output, ...]) -> None:
        """Update the outputs' states; their troubles also become notes."""
        with self._lock:
            if outputs != self.health.outputs:
                self.change(outputs=outputs)
                self.note(*(f"{output.name}: {output.trouble}" for output in outputs if output.trouble))

    def beside(self, k: int, stream: AuxState) -> None:
        """Update the state of the stream number `k` beside the EEG."""
        with self._lock:
            streams = self.health.streams
            self.change(streams=(*streams[:k], stream, *streams[k + 1 :]))

    def emitted(self, age_ms: float | None, latency_ms: float | None) -> None:
        """Count a reading, and record its latency when it is an estimate."""
        with self._lock:
            if latency_ms is not None:
                if len(self._latencies) == self._latencies.maxlen:
                    del self._in_order[bisect_left(self._in_order, self._latencies[0])]
                self._latencies.append(latency_ms)
                insort(self._in_order, latency_ms)
            latency = Latency(*(_percentile(self._in_order, q) for q in (50, 95, 99))) if self._in_order else None
            self.change(readings=self.health.readings + 1, sample_age_ms=age_ms, latency=latency)


def _percentile(in_order: Sequence[float], q: float) -> float:
    """As `numpy.percentile` of values in order, to two digits; for thousands of them, in a hundredth of the time."""
    at, share = divmod((len(in_order) - 1) * q / 100, 1)
    low, high = in_order[int(at)], in_order[min(int(at) + 1, len(in_order) - 1)]
    return round(low + (high - low) * share, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """A reading as it leaves the engine."""

    reading: Reading
    info: StreamInfo
    state: State
    """State of the run at that moment."""
    sample_age_ms: float | None
    """Emission minus the stamp of the newest sample; None before the first."""
    latency_ms: float | None
    """Emission minus arrival of the window's last sample; None for an abstained reading."""

    @property
    def t(self) -> float:
        """Stream time of the reading (s); it advances by the clock while no samples arrive, and never goes back."""
        return self.reading.end / self.info.sfreq if math.isnan(self.reading.time) else self.reading.time


@dataclass(frozen=True, slots=True)
class Feedback:
    """One feedback value as it goes to screens and outputs; it does not reveal the condition."""

    t: float  # when the newest sample behind it was taken (s, our clock)
    at: float  # stream time (s)
    block: int
    kind: str
    text: str  # instruction shown to the subject
    level: float
    reward: bool
    valid: bool
    why: str
    rewards: int
    left_s: float  # remaining time of the block
    virtual: bool
