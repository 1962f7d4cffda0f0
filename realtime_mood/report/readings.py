"""The readings of a recording as arrays along stream time; unusable ones are left out and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..modalities import EEG, EYES
from ..recording.reader import LONGEST_S, Recorded
from ..recording.xdf_session import FAULT_NAMES
from ..types import Fault, Why

ESTIMATE, OTHER = "estimate", "other"
KINDS = (ESTIMATE, *(why.value for why in Why), OTHER)
"""What a reading can be; `OTHER` is an abstention for a reason that this program does not know."""
EXCLUDED = FAULT_NAMES.index(Fault.EXCLUDED.value)
MOST_LABELS = 12
LONGEST_HOLD = 1.5
"""A reading is valid for the time since the one before it, and for at most this many times the usual interval."""
LONGEST_LATENCY_MS = 1e7

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RecordedReadings:
    """The readings that can be used, in the order of stream time."""

    readout: str
    labels: tuple[str, ...]
    t: Floats  # (n,): stream time (s)
    held: Floats  # (n,): how long each is valid, up to its `t` (s)
    kind: Ints  # (n,): index into `KINDS`
    probs: Floats  # (n, n_labels); NaN where there was no estimate
    calibrated: Bools  # (n,)
    eyes: Bools  # (n,): whether eye movements took part
    judged: Bools  # (n,): whether the electrodes had been judged
    faults: Ints  # (n, n_chans): index into `FAULT_NAMES`
    latency_ms: Floats  # (n,): NaN where unknown
    unusable: int  # readings in the file that could not be used

    @property
    def is_estimate(self) -> Bools:
        """(n,)."""
        return np.asarray(self.kind == 0)


def readings_of(recorded: Recorded) -> RecordedReadings:
    """All that can be used of a recording's readings."""
    readout, labels = _usual(recorded.readings)
    kept = [(at, reading) for reading in recorded.readings if (at := _time(reading, labels)) is not None]
    n_unusable = len(recorded.readings) - len(kept)
    kept = sorted(_without_superseded(kept), key=lambda one: one[0])
    names, n = {name: i for i, name in enumerate(recorded.info.ch_names)}, len(kept)
    t, kind = np.array([at for at, _ in kept], float), np.zeros(n, np.int64)
    probs, latency = np.full((n, len(labels)), np.nan), np.full(n, np.nan)
    calibrated, eyes, judged = (np.zeros(n, bool) for _ in range(3))
    faults = np.zeros((n, len(names)), np.int64)
    for i, (_, reading) in enumerate(kept):
        kind[i] = KINDS.index(kind_of(reading))
        calibrated[i] = reading.get("calibrated") is True
        eyes[i] = EYES in modalities_in(reading)
        if kind[i] == 0:
            probs[i] = reading["probs"]
            ms = number(reading.get("latency_ms"), 0, LONGEST_LATENCY_MS)
            latency[i] = np.nan if ms is None else ms
        found = reading.get("faults")
        if isinstance(found, dict) and kind_of(reading) != Why.STALE.value:
            judged[i] = bool(found) or (number(reading.get("quality"), 0, 1) or 0) > 0
            for name, fault in found.items():
                if name in names and fault in FAULT_NAMES:
                    faults[i, names[name]] = FAULT_NAMES.index(fault)
    return RecordedReadings(
        readout, labels, t, _held(t), kind, probs, calibrated, eyes, judged, faults, latency, n_unusable
    )


def kind_of(reading: dict[str, Any]) -> str:
    """Which of `KINDS` a reading is."""
    if reading.get("kind") == ESTIMATE:
        return ESTIMATE
    why = reading.get("why")
    return why if isinstance(why, str) and why in KINDS[1:] else OTHER


def modalities_in(reading: dict[str, Any]) -> tuple[str, ...]:
    """The signals that a reading rests on; an older recording does not name them."""
    found = reading.get("modalities")
    return tuple(map(str, found)) if isinstance(found, list) and found else (EEG,)


def number(value: object, low: float, high: float) -> float | None:
    """`value`, if it is a number from `low` to `high`."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and low <= value <= high else None  # type: ignore[arg-type,operator]


def _usual(readings: Sequence[dict[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """Name and labels of the most frequent readout."""
    seen: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for reading in readings:
        name, labels = reading.get("readout"), reading.get("labels")
        if isinstance(name, str) and isinstance(labels, list) and 2 <= len(labels) <= MOST_LABELS:
            seen[name, tuple(map(str, labels))] += 1
    return seen.most_common(1)[0][0] if seen else ("", ())


def _time(reading: dict[str, Any], labels: tuple[str, ...]) -> float | None:
    """Time of a reading; None where it cannot be used."""
    t, probs = number(reading.get("t"), 0, LONGEST_S), reading.get("probs")
    if reading.get("kind") == ESTIMATE:
        whole = isinstance(probs, list) and labels and len(probs) == len(labels)
        if not whole or any(number(p, 0, 1.001) is None for p in probs or ()):
            return None
    return t if reading.get("kind") in (ESTIMATE, "abstained") else None


def _without_superseded(kept: list[tuple[float, dict[str, Any]]]) -> list[tuple[float, dict[str, Any]]]:
    """Without the readings `STALE` of times for which data came late; in the order of the file."""
    left, first_later = [], np.inf
    for t, reading in reversed(kept):
        if kind_of(reading) != Why.STALE.value:
            first_later = min(first_later, t)
        elif t >= first_later:
            continue
        left.append((t, reading))
    return left[::-1]


def _held(t: Floats) -> Floats:
    """How long each reading is valid (s)."""
    apart = np.diff(t, prepend=0.0)
    usual = float(np.median(apart[apart > 0])) if (apart > 0).any() else 0.0
    return np.minimum(apart, LONGEST_HOLD * usual)
