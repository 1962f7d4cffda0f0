"""Sessions in a line each, without reading the signal of their recordings: for tables of several sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ..errors import MoodError
from ..recording.reader import open_recorded
from .readings import FAULT_NAMES, RecordedReadings, readings_of
from .session import coded, made, participant_of

MOST_EARLIER = 12  # sessions in the table of a report
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What a table says of one recording."""

    file: str  # name of the recording, without its folder
    participant: str
    session: str
    made: datetime | None
    virtual: bool
    duration_s: float
    good: float | None  # mean share of electrodes without a fault; None where none was judged
    estimate_share: float  # of the duration
    readout: str
    means: tuple[tuple[str, float], ...]  # each label and its mean probability; empty without an estimate

    @property
    def time(self) -> datetime:
        """For sorting: sessions without a known time come first."""
        return self.made or LONG_AGO


def summary_of(path: Path) -> SessionSummary:
    """The summary of a recording; raises `MoodError` where it cannot be read."""
    recorded = open_recorded(path).from_zero()
    readings = readings_of(recorded)
    held, is_estimate = readings.held, readings.is_estimate
    duration_s = max(recorded.end / recorded.info.sfreq, float(readings.t.max(initial=0.0)))
    estimate_s = float(held[is_estimate].sum())
    means: tuple[tuple[str, float], ...] = ()
    if estimate_s > 0:
        probs = held[is_estimate] @ readings.probs[is_estimate] / estimate_s
        means = tuple(zip(readings.labels, probs.tolist(), strict=True))
    return SessionSummary(
        path.name, participant_of(recorded), coded(path, "ses"), made(path), recorded.info.virtual, duration_s,
        _good(readings), estimate_s / duration_s if duration_s else 0.0, readings.readout, means,
    )  # fmt: skip


def _good(readings: RecordedReadings) -> float | None:
    """Share of electrodes without a fault, those left out by hand not counted."""
    faults = readings.faults[readings.judged]
    counted = faults != FAULT_NAMES.index("excluded")
    return float(np.mean(faults[counted] == 0)) if counted.any() else None


def earlier_sessions(path: Path) -> list[SessionSummary]:
    """The last sessions of the same participant in the folder of a recording, before it; oldest first."""
    participant, start = coded(path, "sub"), made(path)
    if participant in ("", "unnamed") or start is None:
        return []
    found = []
    for other in sorted(path.parent.glob(f"sub-{participant}_*.xdf")):
        begun = made(other)
        if other != path and begun is not None and begun < start:
            try:
                found.append(summary_of(other))
            except MoodError:  # of another program, or damaged: its own report says so
                continue
    return sorted(found, key=lambda one: one.time)[-MOST_EARLIER:]
