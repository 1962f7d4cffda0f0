"""Turns readings into an LSL stream of type ``Emotion``: regular, every channel labelled, invalid ones said to be."""

from __future__ import annotations

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
        self._names, self._to_stamps = names, liblsl.to_stamps()
        channels = [(name, UNITS.get(name, "none")) for name in names]
        source_id, virtual = liblsl.own_id(self._name), emission.info.virtual
        told, _ = liblsl.described(self._name, "Emotion", channels, 1 / HOP_S, source_id, virtual)
        ours = told.desc().child("realtime_mood")
        ours.append_child_value("readout", emission.reading.readout.name)
        ours.append_child_value("evidence", emission.reading.readout.evidence)
        self._outlet = liblsl.pylsl().StreamOutlet(told)
