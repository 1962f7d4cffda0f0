"""Readings as an LSL stream of type ``Emotion``: every channel labelled, and a channel that says which are valid."""

from __future__ import annotations

from typing import Any

from .. import liblsl
from ..health import Emission
from .outbox import Outbox
from .values import names_of, values_of

NAME = "RealtimeMood"
UNITS = {"sample_age_ms": "ms", "latency_ms": "ms", "valid": "0 or 1"}


class LslReadings(Outbox[Emission]):
    """The stream `name`. Each sample bears the time at which its window ended, not that of its sending.

    It is declared irregular: readings are skipped behind a backlog and go on by the clock while nothing comes, and a
    recorder would move the samples of a regular stream to a straight line.
    """

    def __init__(self, name: str = NAME) -> None:
        super().__init__(f"LSL {name}")
        self._name = name
        self._outlet: Any = None
        self._names: tuple[str, ...] = ()

    def deliver(self, item: Emission) -> None:
        names = names_of(item.reading.readout)
        if self._outlet is None or names != self._names:
            self._open(item, names)
        self._outlet.push_sample(list(values_of(item).values()), self._stamps(item.reading.t_last))

    def receivers(self) -> int | None:
        return None if self._outlet is None else int(self._outlet.have_consumers())

    def shut(self) -> None:
        self._outlet = None

    def _open(self, emission: Emission, names: tuple[str, ...]) -> None:
        self._names, self._stamps = names, liblsl.Stamps()
        channels = [(name, UNITS.get(name, "none")) for name in names]
        source_id, virtual = liblsl.own_id(self._name), emission.info.virtual
        told, _ = liblsl.described(self._name, "Emotion", channels, 0.0, source_id, virtual)
        ours = told.desc().child("realtime_mood")
        ours.append_child_value("readout", emission.reading.readout.name)
        ours.append_child_value("evidence", emission.reading.readout.evidence)
        self._outlet = liblsl.pylsl().StreamOutlet(told)
