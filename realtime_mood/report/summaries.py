"""Sessions in a line each, without reading the signal of their recordings: for tables of several sessions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import MoodError
from ..recording.reader import open_recorded
from .readings import readings_of
from .session import coded, electrodes_in, good_share, labels_in, made, participant_of

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
    good: float | None  # as `SessionReport.good`
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
    duration_s = max(recorded.end / recorded.info.sfreq, float(readings.t.max(initial=0.0)))
    estimate_s = float(readings.held[readings.is_estimate].sum())
    return SessionSummary(
        path.name, participant_of(recorded), coded(path, "ses"), made(path), recorded.info.virtual, duration_s,
        good_share(electrodes_in(readings, recorded.info.ch_names)), estimate_s / duration_s if duration_s else 0.0,
        readings.readout, tuple((one.name, one.mean) for one in labels_in(readings)),
    )  # fmt: skip


def earlier_sessions(path: Path) -> list[SessionSummary]:
    """The last sessions of the same participant in the folder of a recording, before it; oldest first."""
    participant, start = coded(path, "sub"), made(path)
    if participant in ("", "unnamed") or start is None:
        return []
    found = []
    for other in sorted(path.parent.glob(f"sub-{participant}_*.xdf")):
        with suppress(MoodError, OSError):  # of another program, damaged, or unreadable: its own report says so
            if other != path and (begun := made(other)) is not None and begun < start:
                found.append(summary_of(other))
    return sorted(found, key=lambda one: one.time)[-MOST_EARLIER:]
