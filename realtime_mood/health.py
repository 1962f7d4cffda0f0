"""What leaves the engine: a reading with its latency, and the state of the run at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

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
    notes: tuple[str, ...] = ()
    """What was degraded on the way, newest last."""
    fault: Exception | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """A reading as it leaves the engine."""

    reading: Reading
    info: StreamInfo
    sample_age_ms: float | None
    """Emission minus the stamp of the newest sample; None before the first."""
    latency_ms: float | None
    """Emission minus arrival of the window's last sample; None for an abstained reading."""

    @property
    def t(self) -> float:
        """Stream time of the reading in s; while nothing comes, it goes on by the clock."""
        stale = isinstance(self.reading, Abstained) and self.reading.why is Why.STALE
        late = (self.sample_age_ms or 0.0) / 1e3 if stale else 0.0
        return self.reading.end / self.info.sfreq + late


class Sink(Protocol):
    """Somewhere readings go."""

    def put(self, emission: Emission) -> None: ...

    def close(self, health: Health) -> None: ...
