"""The measures of the body in a run: taken once a second by the processing thread, kept, and delivered to the sinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..aux_ring import AuxRing
from ..body.history import BodyHistory
from ..body.measure import BodyReading
from ..body.monitor import BodyMonitor
from ..guard import words_of
from ..health import Vitals
from ..ring import RingBuffer
from .delivery import Delivery


class BodyMeasuring:
    """Measures the body from `rings`, the streams beside the EEG; a failure costs the measures of that second only.

    A second takes some ms. There are none where the source is not in real time: stamps are then times of arrival.
    """

    def __init__(self, rings: Callable[[], Sequence[AuxRing]], delivery: Delivery, vitals: Vitals) -> None:
        self._rings, self._delivery, self._vitals = rings, delivery, vitals
        self._monitor = BodyMonitor()
        self.history = BodyHistory()

    def step(self, raw: RingBuffer, now: float) -> list[BodyReading]:
        """Measure, deliver and return the seconds that are complete at `now` (s, our clock)."""
        done = list[BodyReading]()
        if not raw.info.paced or not raw.end:
            return done
        try:
            for t, measures, virtual in self._monitor.readings(self._rings(), now):
                newest = raw.latest(1)
                at = (newest.first + 1) / raw.info.sfreq + t - newest.t_last
                reading = BodyReading(t, at, measures, virtual or raw.info.virtual)
                self.history.add(reading)
                self._delivery.put_body(reading)
                done.append(reading)
        except Exception as error:
            self._vitals.fault(f"measuring the body failed: {words_of(error)}")
        return done
