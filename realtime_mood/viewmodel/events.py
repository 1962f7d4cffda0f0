"""Turns what changes in a run into lines of a log, each once and with its time. Knows no toolkit."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..health import Health, State
from ..types import Abstained, Marker, Reading
from .words import STATE_ROLES, STATE_WORDS, WHY_WORDS

MOST_LINES = 500
LOSS_S = 2.0


@dataclass(frozen=True, slots=True)
class EventLine:
    """Something that happened."""

    at: datetime
    text: str
    role: str = "text"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}  {self.text}"


class Events:
    """Compares each look at a run with the one before it."""

    def __init__(self) -> None:
        self._kept: deque[EventLine] = deque(maxlen=MOST_LINES)
        self._health, self._why, self._n_markers = Health(), "", 0
        self._lost = 0  # of it has been told
        self._told: datetime | None = None  # when

    @property
    def lines(self) -> tuple[EventLine, ...]:
        """The newest, in their order."""
        return tuple(self._kept)

    def note(self, health: Health, latest: Reading | None, markers: Sequence[Marker], wall: datetime) -> bool:
        """Look at a run; True where there is something new to say."""
        was, n = self._health, len(self._kept)
        before = self._kept[-1] if self._kept else None
        if health is not was:
            self._changes(was, health, wall)
        self._losses(health, wall)
        self._readings(health, latest, wall)
        if len(markers) < self._n_markers:  # another run
            self._n_markers = 0
        for marker in markers[self._n_markers :]:
            self._say(wall, f"Marker: {marker.text}", "virtual")
        self._health, self._n_markers = health, len(markers)
        return len(self._kept) != n or (self._kept[-1] if self._kept else None) is not before

    def _say(self, wall: datetime, text: str, role: str = "text") -> None:
        self._kept.append(EventLine(wall, text, role))

    def _changes(self, was: Health, now: Health, wall: datetime) -> None:
        if now.state is not was.state:
            source = f": {now.info.name}" if now.state is State.LIVE and now.info and now.info.name else ""
            self._say(wall, STATE_WORDS[now.state] + source, STATE_ROLES.get(now.state, "text"))
        if now.fault is not None and now.fault is not was.fault:
            self._say(wall, str(now.fault), "bad")
        for note in now.notes:
            if note not in was.notes:
                self._say(wall, note[:1].upper() + note[1:], "warn")
        if now.skipped > was.skipped:
            self._say(wall, f"{now.skipped - was.skipped:,} readings skipped, {now.skipped:,} in all", "warn")
        old, new = was.recording, now.recording
        if new is not None and (old is None or old.path != new.path):
            self._say(wall, f"Recording to {new.path}", "ok")

    def _losses(self, health: Health, wall: datetime) -> None:
        """Say what was lost, but not more often than every `LOSS_S`: packets are lost many at a time."""
        if health.lost < self._lost:  # another run
            self._lost = 0
        if health.lost > self._lost and (self._told is None or (wall - self._told).total_seconds() >= LOSS_S):
            self._say(wall, f"{health.lost - self._lost:,} samples lost, {health.lost:,} in all", "warn")
            self._lost, self._told = health.lost, wall

    def _readings(self, health: Health, latest: Reading | None, wall: datetime) -> None:
        if health.state is not State.LIVE or latest is None:
            self._why = ""
            return
        why = WHY_WORDS[latest.why] if isinstance(latest, Abstained) else "estimates"
        if why != self._why:
            self._why = why
            self._say(wall, f"No estimate: {why}" if isinstance(latest, Abstained) else "Estimates", "dim")
