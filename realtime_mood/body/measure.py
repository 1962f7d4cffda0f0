"""Measures of the body as values: number, unit, quality, and the reason where one is invalid.

They describe the body. None of them is an emotion, and the network does not read them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

UNITS = {
    "heart_rate": "1/min",
    "rmssd": "ms",
    "skin_conductance": "µS",
    "skin_responses": "1/min",
    "respiration_rate": "1/min",
    "movement": "g",
}
"""The measures in the order of every output, and the unit of each."""
NO_SIGNAL, SETTLING, NOISY, FLAT, OUT_OF_RANGE, UNKNOWN_UNIT, BAD_RATE = REASONS = (
    "no signal", "settling", "noisy", "flat", "out of range", "unknown unit", "unsuitable rate",
)  # fmt: skip
"""Why a measure is invalid."""


@dataclass(frozen=True, slots=True)
class BodyMeasure:
    """One measure of the body at one moment."""

    name: str
    """A key of `UNITS`."""
    value: float | None
    """In `unit`; None where it is invalid."""
    quality: float = 0.0
    """0 to 1; what it counts is the same for every value of a measure, see docs/streams.md."""
    why: str = ""
    """One of `REASONS`; empty where the measure is valid."""

    @property
    def unit(self) -> str:
        return UNITS[self.name]

    @property
    def number(self) -> float:
        """The value; NaN where it is invalid."""
        return math.nan if self.value is None else self.value


def unit_text(unit: str) -> str:
    """A unit as it follows a number: ``/min``, not ``1/min``."""
    return unit.removeprefix("1")


def invalid(name: str, why: str, quality: float = 0.0) -> BodyMeasure:
    """The measure `name` without a value."""
    return BodyMeasure(name, None, quality, why)


@dataclass(frozen=True, slots=True)
class BodyReading:
    """The measures of the body at one moment: all that the streams of the run can give, in the order of `UNITS`."""

    t: float
    """The moment (s, our clock): a whole second, at the usual speed."""
    at: float
    """The same in stream time of the EEG (s)."""
    measures: tuple[BodyMeasure, ...]
    virtual: bool = False
    """Whether the run's EEG or a stream behind a measure is simulated."""


COLUMNS = (*UNITS, *(f"{name} quality" for name in UNITS))
"""Names of the numbers of a reading in LSL and in recordings."""


def row_of(reading: BodyReading) -> tuple[float, ...]:
    """The numbers of a reading, as `COLUMNS`; NaN where a measure is invalid or no stream gives it."""
    found = {it.name: it for it in reading.measures}
    every = [found.get(name) or invalid(name, NO_SIGNAL) for name in UNITS]
    return (*(it.number for it in every), *(it.quality for it in every))


def as_dict(reading: BodyReading) -> dict[str, object]:
    """A reading with the documented keys of the JSON output."""
    measures = {
        it.name: {
            "value": None if it.value is None else round(it.value, 4), "unit": it.unit,
            "quality": round(it.quality, 3), "why": it.why,
        }
        for it in reading.measures
    }  # fmt: skip
    return {"kind": "body", "t": round(reading.at, 4), "virtual": reading.virtual, "measures": measures}


@runtime_checkable
class BodySink(Protocol):
    """A sink that also receives the measures of the body."""

    def put_body(self, reading: BodyReading) -> None:
        """Called once a second, between readings and on their thread; returns at once."""
