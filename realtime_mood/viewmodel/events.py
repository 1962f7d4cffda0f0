"""The event log of a run: each change once, with its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from ..health import Health, State
from ..language import _, ngettext
from ..types import Abstained, Marker, Reading
from .notes import translated
from .words import STATE_ROLES, STATE_WORDS, WHY_WORDS, first_upper

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
    """The log; each call of `note` compares the run with the call before it."""

    def __init__(self) -> None:
        self._kept: deque[EventLine] = deque(maxlen=MOST_LINES)
        self._health, self._why, self._marker = Health(), "", None  # type: Health, str, Marker | None
        self._lost, self._lost_at = 0, datetime.min  # samples that are in the log, and the time of that line

    @property
    def lines(self) -> tuple[EventLine, ...]:
        """The newest lines, oldest first."""
        return tuple(self._kept)

    def note(self, health: Health, latest: Reading | None, markers: Sequence[Marker], wall: datetime) -> bool:
        """Add what has changed; True if there is a new line."""
        self._has_new = False
        if health is not self._health:
            self._changes(self._health, health, wall)
        self._losses(health, wall)
        self._readings(health, latest, wall)
        # only the newest are given: what comes after the last one of the call before; all of them in another run
        new = list(takewhile(lambda it: it is not self._marker, reversed(markers)))
        for marker in reversed(new):
            self._say(wall, _("Marker: {text}", text=marker.text), "virtual")
        self._health, self._marker = health, markers[-1] if markers else None
        return self._has_new

    def _say(self, wall: datetime, text: str, role: str = "text") -> None:
        self._has_new = True
        self._kept.append(EventLine(wall, text, role))

    def _changes(self, was: Health, now: Health, wall: datetime) -> None:
        if now.state is not was.state:
            source = f": {now.info.name}" if now.state is State.LIVE and now.info and now.info.name else ""
            self._say(wall, _(STATE_WORDS[now.state]) + source, STATE_ROLES.get(now.state, "text"))
        if now.fault is not None and now.fault is not was.fault:
            self._say(wall, str(now.fault), "bad")
        for note in now.notes:
            if note not in was.notes:
                self._say(wall, first_upper(translated(note)), "warn")
        if now.skipped > was.skipped:
            n = now.skipped - was.skipped
            text = ngettext(
                "{n:,} reading skipped, {total:,} in total", "{n:,} readings skipped, {total:,} in total",
                n, n=n, total=now.skipped,
            )  # fmt: skip
            self._say(wall, text, "warn")
        old, new = was.recording, now.recording
        if new is not None and (old is None or old.path != new.path):
            self._say(wall, _("Recording to {path}", path=new.path), "ok")

    def _losses(self, health: Health, wall: datetime) -> None:
        """Add lost samples, at most one line per `LOSS_S`: packets are often lost in bursts."""
        if health.lost < self._lost:  # another run
            self._lost = 0
        if health.lost > self._lost and (wall - self._lost_at).total_seconds() >= LOSS_S:
            n = health.lost - self._lost
            text = ngettext(
                "{n:,} sample lost, {total:,} in total", "{n:,} samples lost, {total:,} in total",
                n, n=n, total=health.lost,
            )  # fmt: skip
            self._say(wall, text, "warn")
            self._lost, self._lost_at = health.lost, wall

    def _readings(self, health: Health, latest: Reading | None, wall: datetime) -> None:
        if health.state is not State.LIVE or latest is None:
            self._why = ""
            return
        text = _("Estimates")
        if isinstance(latest, Abstained):
            text = _("No estimate: {reason}", reason=_(WHY_WORDS[latest.why]))
        if text != self._why:
            self._why = text
            self._say(wall, text, "dim")
