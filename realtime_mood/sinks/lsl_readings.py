"""Turns readings into an LSL stream of type ``Emotion``: regular, every channel labelled, invalid ones said to be."""

from __future__ import annotations

import socket
from typing import Any

from .. import liblsl
from ..health import Emission
from .outbox import Outbox
from .values import names_of, values_of

NAME = "RealtimeMood"
HOP_S = 0.25
UNITS = {"sample_age_ms": "ms", "latency_ms": "ms", "valid": "0 or 1"}


class LslReadings(Outbox[Emission]):
    """The stream `name`. Each sample bears the time at which its window ended, not that of its sending."""

    def __init__(self, name: str = NAME) -> None:
        super().__init__(f"LSL {name}")
        self._name = name
        self._outlet: Any = None
        self._names: tuple[str, ...] = ()
        self._to_stamps = 0.0

    def deliver(self, item: Emission) -> None:
        names = names_of(item.reading.readout)
        if self._outlet is None or names != self._names:
            self._open(item, names)
        self._outlet.push_sample(list(values_of(item).values()), item.reading.t_last + self._to_stamps)

    def receivers(self) -> int | None:
        return None if self._outlet is None else int(self._outlet.have_consumers())

    def shut(self) -> None:
        self._outlet = None

    def _open(self, emission: Emission, names: tuple[str, ...]) -> None:
        pylsl = liblsl.pylsl()
        self._names, self._to_stamps = names, liblsl.to_stamps()
        source_id = f"realtime_mood_{socket.gethostname()}_{self._name}"
        told = pylsl.StreamInfo(self._name, "Emotion", len(names), 1 / HOP_S, pylsl.cf_float32, source_id)
        desc = told.desc()
        desc.append_child_value("manufacturer", "realtime_mood")
        ours = desc.append_child("realtime_mood")
        ours.append_child_value("virtual", "1" if emission.info.virtual else "0")
        ours.append_child_value("readout", emission.reading.readout.name)
        ours.append_child_value("evidence", emission.reading.readout.evidence)
        channels = desc.append_child("channels")
        for name in names:
            channel = channels.append_child("channel")
            channel.append_child_value("label", name)
            channel.append_child_value("unit", UNITS.get(name, "none"))
            channel.append_child_value("type", "Emotion")
        self._outlet = pylsl.StreamOutlet(told)
