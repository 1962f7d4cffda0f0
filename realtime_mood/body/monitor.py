"""The measures of the body of a run: once a second, from the newest samples of the streams beside the EEG.

Each is a function of the samples up to a whole second of our clock, so it does not depend on how a stream was cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..aux_ring import AuxRing, AuxSamples
from ..auxiliary import AuxInfo
from .breathing import WINDOW_S as BREATHING_S
from .breathing import breathing
from .heart import ECG, PPG, RATE_S, VARIABILITY_S, heart
from .heart import WINDOW_S as HEART_S
from .measure import BAD_RATE, NO_SIGNAL, UNITS, UNKNOWN_UNIT, BodyMeasure, invalid
from .movement import WINDOW_S as MOVEMENT_S
from .movement import movement
from .signals import BodySignal, signals_of
from .skin import LEVEL_S, skin
from .skin import WINDOW_S as SKIN_S
from .window import NEWEST_S, SignalWindow, window_of

PATIENCE_S = 1.0  # a stream whose samples are later than this is measured without them (s)
BEHIND_S = 5.0  # seconds longer ago than this are skipped
RATE_OFF = 0.15  # a regular stream that sends at a rate further from its own is not in real time
MOST_HZ = 4000.0
GOOD = 0.9  # quality of a channel beside which no other is tried
OF_KIND = {
    "ecg": (("heart_rate", "rmssd"), HEART_S, 250.0),
    "ppg": (("heart_rate", "rmssd"), HEART_S, 128.0),
    "skin": (("skin_conductance", "skin_responses"), SKIN_S, 16.0),
    "breath": (("respiration_rate",), BREATHING_S, 25.0),
    "motion": (("movement",), MOVEMENT_S, 100.0),
}
"""Measures of each kind of signal, the window of each (s), and the highest rate that is used (Hz)."""
SPANS_S = {
    "heart_rate": RATE_S, "rmssd": VARIABILITY_S, "skin_conductance": LEVEL_S, "skin_responses": SKIN_S,
    "respiration_rate": BREATHING_S, "movement": MOVEMENT_S,
}  # fmt: skip
"""Seconds of signal that each measure is made of."""


class BodyMonitor:
    """Measures the body once a second while there are streams to measure it from.

    All times are on one clock: ours, or that of a recording which is played `speed` times as fast.
    """

    def __init__(self) -> None:
        self._next = -math.inf  # the next second to measure (s)

    def readings(
        self, rings: Sequence[AuxRing], now: float, speed: float = 1.0
    ) -> list[tuple[float, tuple[BodyMeasure, ...], bool]]:
        """Time (s), measures, and whether a stream is simulated, of each second complete at `now`."""
        signals = [(ring, signal) for ring in rings for signal in signals_of(ring.info)]
        if not signals:
            return []
        if self._next < now - BEHIND_S * max(1.0, speed):
            self._next = math.floor(now) + 1.0
        done = []
        while self._is_complete([ring for ring, _ in signals], now):
            virtual = any(ring.info.virtual for ring, _ in signals)
            done.append((self._next, measures_at(signals, self._next), virtual))
            self._next += 1.0
        return done

    def _is_complete(self, rings: Sequence[AuxRing], now: float) -> bool:
        """Whether every sample up to the next second is there, as far as it is worth waiting."""
        if now < self._next:
            return False
        newest = [t for ring in rings if (t := ring.t_last) is not None and t > now - NEWEST_S]
        return now >= self._next + PATIENCE_S or all(t >= self._next for t in newest)


def measures_at(signals: Sequence[tuple[AuxRing, BodySignal]], t: float) -> tuple[BodyMeasure, ...]:
    """The measures that these signals can give, at `t` (s, our clock).

    Where several give the same, the first good one counts, an electrocardiogram first; and the best where none is good.
    """
    found: dict[str, tuple[BodyMeasure, ...]] = {}
    for ring, signal in sorted(signals, key=lambda one: list(OF_KIND).index(one[1].kind)):
        name = OF_KIND[signal.kind][0][0]
        channels = _measured(ring, signal, t)  # measured one by one, as far as they are needed
        while (name not in found or found[name][0].quality < GOOD) and (measures := next(channels, None)) is not None:
            found[name] = max(found.get(name, measures), measures, key=_rank)
    return tuple(sorted((it for group in found.values() for it in group), key=lambda it: list(UNITS).index(it.name)))


def _rank(found: tuple[BodyMeasure, ...]) -> tuple[bool, bool, float]:
    first = found[0]
    return first.value is not None, first.why not in (NO_SIGNAL, UNKNOWN_UNIT, BAD_RATE), first.quality


def _measured(ring: AuxRing, signal: BodySignal, t: float) -> Iterator[tuple[BodyMeasure, ...]]:
    """What each channel of a signal gives, one after the other; of motion, what all its axes give."""
    names, seconds, most_hz = OF_KIND[signal.kind]
    samples = ring.since(t - seconds)
    sfreq, why = _rate(samples, ring.info, t)
    if not why and signal.convert is None:
        why = UNKNOWN_UNIT
    if why or signal.convert is None:
        yield tuple(invalid(name, why) for name in names)
        return
    axes = []
    for channel in signal.channels:
        window = window_of(samples, channel, t, seconds, min(sfreq, most_hz))
        with np.errstate(all="ignore"):  # a resistance of 0
            window = SignalWindow(np.nan_to_num(signal.convert(window.values)), window.known, window.sfreq)
        if signal.kind == "motion":
            axes.append(window)
        elif signal.kind == "skin":
            yield skin(window)
        elif signal.kind == "breath":
            yield (breathing(window),)
        else:
            yield heart(window, ECG if signal.kind == "ecg" else PPG)
    if axes:
        yield (movement(axes),)


def _rate(samples: AuxSamples, info: AuxInfo, t: float) -> tuple[float, str]:
    """Rate of a stream (Hz), measured where it states none; and why it cannot be used."""
    stamps = samples.stamps[samples.stamps <= t]
    if len(stamps) < 3:
        return 0.0, NO_SIGNAL
    spacing = float(np.median(np.abs(np.diff(stamps))))
    measured = 1 / spacing if spacing > 0 else math.inf
    sfreq = info.sfreq or float(f"{min(measured, 1e6):.2g}")
    if sfreq > MOST_HZ or (info.sfreq and abs(measured / info.sfreq - 1) > RATE_OFF):
        return sfreq, BAD_RATE
    return sfreq, ""
