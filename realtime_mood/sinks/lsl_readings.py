"""Readings as an LSL stream of type ``Emotion``: labelled channels, one of which marks valid estimates."""

from __future__ import annotations

from typing import Any

from .. import liblsl
from ..health import Emission
from .outbox import Outbox
from .values import names_of, values_of

NAME = "RealtimeMood"
UNITS = {"sample_age_ms": "ms", "latency_ms": "ms", "valid": "0 or 1"}


class LslReadings(Outbox[Emission]):
    """The stream `name`. Each sample is stamped with the end of its window, not with the time of sending.

    It is declared irregular: readings are skipped in a backlog and continue by the clock while no samples arrive, and
    a recorder would fit the stamps of a regular stream to a straight line.
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
        info, _ = liblsl.described(self._name, "Emotion", channels, 0.0, source_id, virtual)
        ours = info.desc().child("realtime_mood")
        ours.append_child_value("readout", emission.reading.readout.name)
        ours.append_child_value("evidence", emission.reading.readout.evidence)
        self._outlet = liblsl.pylsl().StreamOutlet(info)
