"""What leaves the engine: a reading with its latency, the state of the run at that moment, and what is fed back."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from .clock import Clock
from .types import Abstained, Reading, StreamInfo, Why


class State(Enum):
    """Where a run stands."""

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
    """How a recording is getting on."""

    path: str
    n_bytes: int = 0
    trouble: str = ""
    """Why it is incomplete, in words; empty while every sample is in the file or on its way there."""


@dataclass(frozen=True, slots=True)
class Output:
    """How somewhere that readings are sent to is getting on."""

    name: str
    sent: int = 0
    dropped: int = 0
    """Never sent, because it was slow or failed: nobody waits for it."""
    receivers: int | None = None
    """Who listens now; None where that cannot be known."""
    trouble: str = ""
    """Why nothing is sent, in words; empty while all is well."""


@dataclass(frozen=True, slots=True)
class Health:
    """One consistent snapshot; replaced whole, never edited."""

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
    outputs: tuple[Output, ...] = ()
    notes: tuple[str, ...] = ()
    """What was odd or degraded on the way, newest last; each said once."""
    noted: float = 0.0
    """When the newest note came (s, our clock)."""
    faults: int = 0
    """How often a thread, output, reading or listener failed; what failed is in the notes."""
    fault: Exception | None = None


class Vitals:
    """Where the snapshot of a run is replaced: by any thread, one change at a time."""

    def __init__(self, now: Clock) -> None:
        self._now, self._lock = now, threading.RLock()
        self._latencies: deque[float] = deque(maxlen=4096)
        self.health = Health()

    def change(self, **changes: object) -> None:
        """Set fields. Of faults, the first is the one that counts."""
        with self._lock:
            if self.health.fault is None or "fault" not in changes:
                self.health = replace(self.health, **changes)  # type: ignore[arg-type]

    def move(self, to: State, *only_from: State) -> None:
        """Go to another state, unless the run has meanwhile left `only_from`."""
        with self._lock:
            if self.health.state in only_from:
                self.health = replace(self.health, state=to)

    def note(self, *notes: str) -> None:
        """Say what is odd or degraded; what has been said already is not said again."""
        with self._lock:
            if new := [note for note in notes if note and note not in self.health.notes]:
                self.health = replace(self.health, notes=(*self.health.notes, *new)[-20:], noted=self._now())

    def fault(self, what: str) -> None:
        """Count a fault that the run goes on after, and note it: what every guarded thread and call reports to."""
        with self._lock:
            self.health = replace(self.health, faults=self.health.faults + 1)
            self.note(what)

    def watch(self, recording: RecordingState | None) -> None:
        """Say how the recording is getting on, and its trouble aloud."""
        with self._lock:
            if recording is not None and recording != self.health.recording:
                self.change(recording=recording)
                self.note(recording.trouble)

    def sending(self, outputs: tuple[Output, ...]) -> None:
        """Say how the outputs are getting on, and their troubles aloud."""
        with self._lock:
            if outputs != self.health.outputs:
                self.change(outputs=outputs)
                self.note(*(f"{it.name}: {it.trouble}" for it in outputs if it.trouble))

    def skip(self, n: int) -> None:
        """Count readings that were never made."""
        with self._lock:
            self.health = replace(self.health, skipped=self.health.skipped + n)

    def took(self, samples: int, lost: int) -> None:
        """Count samples."""
        with self._lock:
            self.health = replace(self.health, samples=self.health.samples + samples, lost=self.health.lost + lost)

    def emitted(self, age_ms: float | None, latency_ms: float | None) -> None:
        """Count a reading, and its latency when it is an estimate."""
        with self._lock:
            if latency_ms is not None:
                self._latencies.append(latency_ms)
            p = np.percentile(self._latencies, (50, 95, 99)).round(2).tolist() if self._latencies else None
            latency = Latency(*p) if p else None
            self.health = replace(self.health, readings=self.health.readings + 1, sample_age_ms=age_ms, latency=latency)


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """A reading as it leaves the engine."""

    reading: Reading
    info: StreamInfo
    state: State
    """Where the run stood."""
    sample_age_ms: float | None
    """Emission minus the stamp of the newest sample; None before the first."""
    latency_ms: float | None
    """Emission minus arrival of the window's last sample; None for an abstained reading."""

    ahead_s: float | None = None
    """How far a stale reading lies beyond the newest sample; as far as the sample is old where it is not given."""

    @property
    def t(self) -> float:
        """Stream time of the reading in s; while nothing comes, it goes on by the clock. Never goes back."""
        if self.ahead_s is not None:
            return self.reading.end / self.info.sfreq + self.ahead_s
        stale = isinstance(self.reading, Abstained) and self.reading.why is Why.STALE
        return self.reading.end / self.info.sfreq + ((self.sample_age_ms or 0.0) / 1e3 if stale else 0.0)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is fed back, as it goes to screens and outputs: nothing in it tells the condition."""

    t: float
    """When the newest sample of what it rests on was taken (s, our clock)."""
    at: float
    """Stream time (s)."""
    block: int
    kind: str
    text: str
    """What the person is asked to do."""
    level: float
    reward: bool
    valid: bool
    why: str
    rewards: int
    left_s: float
    """Of the block."""
    virtual: bool
