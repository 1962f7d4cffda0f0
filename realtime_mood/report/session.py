"""Figures of the session report, computed from a recording: labels, reasons for no estimate, electrodes, samples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ..errors import MoodError
from ..pipeline import BASELINE, CORRECTION, DRIFT
from ..recording.reader import Recorded
from ..types import Marker, StreamInfo
from .body import RecordedBody, body_of
from .course import SessionCourse, course_of
from .origin import Origin, origin_of
from .readings import ESTIMATE, EXCLUDED, FAULT_NAMES, KINDS, RecordedReadings, readings_of

MOST_MARKERS = 200


@dataclass(frozen=True, slots=True)
class LabelShare:
    """Summary of one label over the time with an estimate."""

    name: str
    mean: float  # mean probability
    top: float  # share of that time for which it was the most probable


@dataclass(frozen=True, slots=True)
class AbstentionTime:
    """How long there was no estimate for one reason."""

    why: str  # one of `KINDS`, but not an estimate
    seconds: float


@dataclass(frozen=True, slots=True)
class ElectrodeShare:
    """One electrode, over the time for which it was judged."""

    name: str
    good: float | None  # share of the time; None where it was never judged, or left out by hand for all of it
    faults: tuple[tuple[str, float], ...]  # name of each fault and its share of the time, the longest first
    excluded: float  # share of the time for which it was left out by hand, which does not count against it


@dataclass(frozen=True, slots=True)
class Samples:
    """What of the signal is in the file."""

    n: int
    lost: int  # missing between the first and the last, for any reason
    unwritten: int  # of these, how many had reached the program and were not written
    damaged: int  # bytes of the file that cannot be read
    trouble: str  # why the signal could not be followed to its end; empty when it could


@dataclass(frozen=True, slots=True, eq=False)
class SessionReport:
    """Everything that the page contains."""

    file: str  # name of the recording, without its folder
    participant: str  # the code in the file's name; empty where there is none
    session: str
    made: datetime | None
    info: StreamInfo
    duration_s: float
    samples: Samples
    origin: Origin
    readout: str
    n_readings: int
    n_unusable: int  # readings in the file that could not be used
    estimate_s: float  # for how long there was an estimate
    no_reading_s: float  # how long there was no reading
    labels: tuple[LabelShare, ...]
    abstentions: tuple[AbstentionTime, ...]  # the longest first
    calibrated: float | None
    """Share of the time of the readings that were compared with the subject's own rest; None without readings."""
    eyes: float  # share of the time of the estimates for which eye movements took part
    electrodes: tuple[ElectrodeShare, ...]
    latency_ms: tuple[float, ...] | None  # median and 95th percentile over the estimates; None where unknown
    markers: tuple[tuple[float, str], ...]  # time (s) and text, no more than `MOST_MARKERS`
    n_markers: int
    requests: tuple[tuple[float, str, str], ...]  # time (s) of each drift alarm and request; what it is; its details
    course: SessionCourse | None  # None where there is no reading to show
    body: RecordedBody  # measures of the body, without any where no stream gave them

    @property
    def good(self) -> float | None:
        return good_share(self.electrodes)

    @property
    def means(self) -> tuple[tuple[str, float], ...]:
        """Each label and its mean probability."""
        return tuple((one.name, one.mean) for one in self.labels)

    @property
    def estimate_share(self) -> float:
        return self.estimate_s / self.duration_s if self.duration_s else 0.0


def report_of(recorded: Recorded) -> SessionReport:
    """The figures of a recording. Its samples are passed through, a chunk at a time, only to count them."""
    readings, sfreq = readings_of(recorded), recorded.info.sfreq
    samples, end, gaps = _samples(recorded)
    marks = sorted(_markers(recorded), key=lambda mark: mark.index)
    duration_s = max(end / sfreq, float(readings.t.max(initial=0.0)))
    seconds, held_s = np.bincount(readings.kind, readings.held, len(KINDS)), readings.held.sum()
    abstentions = [AbstentionTime(why, float(s)) for why, s in zip(KINDS[1:], seconds[1:], strict=True) if s > 0]
    latency = readings.latency_ms[np.isfinite(readings.latency_ms)]
    return SessionReport(
        file=recorded.path.name,
        participant=participant_of(recorded),
        session=coded(recorded.path, "ses"),
        made=made(recorded.path),
        info=recorded.info,
        duration_s=duration_s,
        samples=samples,
        origin=origin_of(recorded.about, readings.readout),
        readout=readings.readout,
        n_readings=len(readings.t),
        n_unusable=readings.unusable,
        estimate_s=float(seconds[KINDS.index(ESTIMATE)]),
        no_reading_s=max(0.0, duration_s - float(seconds.sum())),
        labels=labels_in(readings),
        abstentions=tuple(sorted(abstentions, key=lambda one: -one.seconds)),
        calibrated=float(readings.held @ readings.calibrated / held_s) if held_s > 0 else None,
        eyes=_eyes(readings),
        electrodes=electrodes_in(readings, recorded.info.ch_names),
        latency_ms=tuple(np.percentile(latency, (50, 95)).tolist()) if len(latency) else None,
        markers=tuple((mark.index / sfreq, mark.text) for mark in marks[:MOST_MARKERS]),
        n_markers=len(marks),
        requests=tuple(_requests(marks, sfreq)),
        course=course_of(readings, duration_s, [(a / sfreq, b / sfreq) for a, b in gaps]) if len(readings.t) else None,
        body=body_of(recorded, duration_s),
    )


def _requests(marks: list[Marker], sfreq: float) -> Iterator[tuple[float, str, str]]:
    """Drift alarms and the user's requests, from their markers."""
    for mark in marks:
        for prefix, what in ((DRIFT, "drift"), (CORRECTION, "correction"), (BASELINE, "")):
            if mark.text.startswith(prefix):
                details = mark.text.removeprefix(prefix)
                yield mark.index / sfreq, what or details, details


def made(path: Path) -> datetime | None:
    """Start of a recording (UTC) from its first chunk; None where it is not there."""
    with path.open("rb") as f:
        found = re.search(rb"<datetime>([0-9T:.+Z-]{10,40})</datetime>", f.read(1024))
    try:
        start = datetime.fromisoformat(found[1].decode()) if found else None
        return start.astimezone(UTC) if start and start.tzinfo else None
    except (ValueError, OverflowError):
        return None


def participant_of(recorded: Recorded) -> str:
    """The participant ID in the name of a recording, else that inside it; empty where there is none."""
    of = coded(recorded.path, "sub")
    return of if of not in ("", "unnamed") else str(recorded.about.get("participant", ""))


def coded(path: Path, part: str) -> str:
    """A code in a name made like ``sub-P07_ses-2_…``."""
    found = re.search(rf"(?:^|_){part}-([0-9A-Za-z]{{1,40}})(?=_|\.)", path.name)
    return found[1] if found else ""


def _samples(recorded: Recorded) -> tuple[Samples, int, list[tuple[int, int]]]:
    """What there is, the index after the last sample, and where some are missing."""
    n, end, gaps, trouble = 0, 0, list[tuple[int, int]](), ""
    try:
        for chunk in recorded.chunks():
            if chunk.lost:
                gaps.append((chunk.first - chunk.lost, chunk.first))
            n, end = n + len(chunk), chunk.end
    except MoodError as error:
        trouble = str(error)
    lost = sum(b - a for a, b in gaps)
    return Samples(n, lost, max(0, recorded.unwritten), recorded.damaged, trouble), end, gaps


def _markers(recorded: Recorded) -> list[Marker]:
    try:
        return recorded.markers()
    except MoodError:  # reported with the samples, on which markers are placed
        return []


def labels_in(readings: RecordedReadings) -> tuple[LabelShare, ...]:
    """The summary of each label; empty without an estimate."""
    held, probs = readings.held[readings.is_estimate], readings.probs[readings.is_estimate]
    if held.sum() <= 0:
        return ()
    mean, top = held @ probs / held.sum(), np.bincount(probs.argmax(axis=1), held, len(readings.labels)) / held.sum()
    return tuple(LabelShare(*one) for one in zip(readings.labels, mean.tolist(), top.tolist(), strict=True))


def _eyes(readings: RecordedReadings) -> float:
    held = readings.held * readings.is_estimate
    return float(held @ readings.eyes / held.sum()) if held.sum() > 0 else 0.0


def electrodes_in(readings: RecordedReadings, ch_names: tuple[str, ...]) -> tuple[ElectrodeShare, ...]:
    """How much of the time each electrode was good, and its faults."""
    held, faults = readings.held[readings.judged], readings.faults[readings.judged]
    shares = []
    for i, name in enumerate(ch_names):
        seconds = np.bincount(faults[:, i], held, len(FAULT_NAMES))
        left_out, total = float(seconds[EXCLUDED]), float(seconds.sum())
        counted = total - left_out
        parts = {FAULT_NAMES[k]: seconds[k] / counted for k in seconds.nonzero()[0] if k not in (0, EXCLUDED)}
        ranked = sorted(((fault, float(share)) for fault, share in parts.items()), key=lambda one: -one[1])
        good = float(seconds[0]) / counted if counted > 1e-9 else None
        shares.append(ElectrodeShare(name, good, tuple(ranked), left_out / total if total else 0.0))
    return tuple(shares)


def good_share(electrodes: Sequence[ElectrodeShare]) -> float | None:
    """Mean over electrodes of the share of time with a good signal; None where none was judged."""
    shares = [one.good for one in electrodes if one.good is not None]
    return sum(shares) / len(shares) if shares else None
