"""Readings as an LSL stream of type ``Emotion``: labelled channels, one of which marks valid estimates.

The measures of the body are a stream of their own, of type ``Body``.
"""

from __future__ import annotations

from typing import Any

from .. import liblsl
from ..body.measure import COLUMNS, BodyReading, row_of
from ..body.measure import UNITS as BODY_UNITS
from ..health import Emission
from .outbox import Outbox
from .values import names_of, values_of

NAME = "RealtimeMood"
UNITS = {"sample_age_ms": "ms", "latency_ms": "ms", "valid": "0 or 1", "eyes": "0 or 1"}


class LslReadings(Outbox[Emission | BodyReading]):
    """The stream `name`. Each sample is stamped with the end of its window, not with the time of sending.

    It is declared irregular: readings are skipped in a backlog and continue by the clock while no samples arrive, and
    a recorder would fit the stamps of a regular stream to a straight line. The stream `name` with ``-Body`` after it
    begins with the first measures of the body; a number that is invalid is NaN there.
    """

    def __init__(self, name: str = NAME) -> None:
        super().__init__(f"LSL {name}")
        self._name = name
        self._outlet: Any = None
        self._body_outlet: Any = None
        self._names: tuple[str, ...] = ()

    def put_body(self, reading: BodyReading) -> None:
        """Queue the measures of the body; returns at once."""
        self.put(reading)

    def deliver(self, item: Emission | BodyReading) -> None:
        if isinstance(item, BodyReading):
            self._deliver_body(item)
            return
        names = names_of(item.reading.readout)
        if self._outlet is None or names != self._names:
            self._open(item, names)
        self._outlet.push_sample(list(values_of(item).values()), self._stamps(item.reading.t_last))

    def receivers(self) -> int | None:
        return None if self._outlet is None else int(self._outlet.have_consumers())

    def shut(self) -> None:
        self._outlet = self._body_outlet = None

    def _deliver_body(self, reading: BodyReading) -> None:
        if self._body_outlet is None:
            name, channels = f"{self._name}-Body", [(it, BODY_UNITS.get(it, "none")) for it in COLUMNS]
            info, _ = liblsl.outlet_info(name, "Body", channels, 0.0, liblsl.own_id(name), reading.virtual)
            self._body_stamps, self._body_outlet = liblsl.Stamps(), liblsl.pylsl().StreamOutlet(info)
        self._body_outlet.push_sample(list(row_of(reading)), self._body_stamps(reading.t))

    def _open(self, emission: Emission, names: tuple[str, ...]) -> None:
        self._names, self._stamps = names, liblsl.Stamps()
        channels = [(name, UNITS.get(name, "none")) for name in names]
        source_id, virtual = liblsl.own_id(self._name), emission.info.virtual
        info, _ = liblsl.outlet_info(self._name, "Emotion", channels, 0.0, source_id, virtual)
        ours = info.desc().child("realtime_mood")
        ours.append_child_value("readout", emission.reading.readout.name)
        ours.append_child_value("evidence", emission.reading.readout.evidence)
        self._outlet = liblsl.pylsl().StreamOutlet(info)
