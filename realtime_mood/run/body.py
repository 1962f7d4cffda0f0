"""The measures of the body in a run: taken once a second by the processing thread, kept, and delivered to the sinks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..aux_ring import AuxRing
from ..body.history import BodyHistory
from ..body.measure import BodyReading
from ..body.monitor import BodyMonitor
from ..guard import words_of
from ..health import Vitals
from ..ring import RingBuffer
from .delivery import Delivery

LOOK_S = 0.1  # interval between looks at streams at another speed, which are copied


class BodyMeasuring:
    """Measures the body from `rings`, the streams beside the EEG; a failure costs the measures of that second only.

    A second takes some ms. Of a recording or a simulation at another speed, seconds are those of its signal, and only
    `carried` streams are measured, whose own stamps are of that time. At ``speed=max`` there are no measures.
    """

    def __init__(
        self,
        rings: Callable[[], Sequence[AuxRing]],
        delivery: Delivery,
        vitals: Vitals,
        carried: Callable[[], Sequence[AuxRing]] = tuple,
    ) -> None:
        self._rings, self._carried, self._delivery, self._vitals = rings, carried, delivery, vitals
        self._monitor = BodyMonitor()
        self._due = -math.inf  # when the next second may be complete (s, our clock)
        self.history = BodyHistory()

    def step(self, raw: RingBuffer, now: float, zero: float = 0.0) -> list[BodyReading]:
        """Measure, deliver and return the seconds that are complete at `now` (s, our clock).

        `zero` is the stamp of the EEG's sample 0 at the pace of the recording (s, our clock).
        """
        done, speed, sfreq = list[BodyReading](), raw.info.speed, raw.info.sfreq
        if not raw.info.paced or not raw.end or now < self._due:
            return done
        try:
            newest = raw.latest(1)
            if speed == 1:
                seconds = self._monitor.readings(self._rings(), now)
                at_newest = newest.t_last
            else:
                self._due = now + LOOK_S
                at_newest = zero + newest.first / sfreq
                rings = [ring.as_sent() for ring in self._carried()]
                seconds = self._monitor.readings(rings, at_newest, speed)
            for second, measures, virtual in seconds:
                t = newest.t_last + (second - at_newest) / speed
                at = (newest.first + 1) / sfreq + second - at_newest
                reading = BodyReading(t, at, measures, virtual or raw.info.virtual)
                self.history.add(reading)
                self._delivery.put_body(reading)
                done.append(reading)
        except Exception as error:
            self._vitals.fault(f"measuring the body failed: {words_of(error)}")
        return done
