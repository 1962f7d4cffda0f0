"""The LSL streams that are announced around a recording: kept in it, so that the next session can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .. import clock, liblsl
from ..errors import MoodError

LOOK_S = 1.0  # interval (s) of looks at the network
FIRST_S = 2.0  # the first look waits for answers


class AnnouncedStreams:
    """Watches what is announced, without opening a stream. Used by the thread that writes a recording."""

    def __init__(self) -> None:
        self._resolver: Any = None
        self._due, self._last = 0.0, ""

    def changed(self, *, at_end: bool = False) -> str:
        """The streams as JSON, where they are others than at the last call, and at the end; else an empty text."""
        now = clock.now()
        if self._resolver is None:
            try:
                self._resolver, self._due = liblsl.pylsl().ContinuousResolver(), now + FIRST_S
            except MoodError:  # whatever needs the library says so
                return ""
        if now < self._due and not at_end:
            return ""
        self._due = now + LOOK_S
        text = as_json(self._resolver.results())
        changed = text != self._last or at_end
        self._last = text
        if at_end:
            self._resolver = None
        return text if changed else ""


def as_json(infos: Iterable[Any]) -> str:
    """What identifies each stream, also after a restart of its sender; in a fixed order."""
    there = [
        {"name": it.name(), "type": it.type(), "source_id": it.source_id(), "host": it.hostname(),
         "n_chans": it.channel_count(), "sfreq": it.nominal_srate()}
        for it in infos
    ]  # fmt: skip
    return json.dumps(sorted(there, key=lambda it: (it["name"], it["type"], it["source_id"], it["host"])))


def missing(then: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The streams of last time that are not there now, by name, type and host."""
    there = {(it["name"], it["type"], it["host"]) for it in now}
    return [it for it in then if (it["name"], it["type"], it["host"]) not in there]
