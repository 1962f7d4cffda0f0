"""Units of sources: conversion to µV, and a check that values are plausible EEG in the stated unit."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ..errors import StreamMismatch

MICROVOLTS = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}  # µV per unit

WIDE = (0.1, 3000.0)
"""Spread (µV) that numbers with a stated unit must have: real files lie at 0.4–40, a unit off by 1000 lands outside."""
NARROW = (0.5, 500.0)  # spread (µV) that numbers without a unit must have before they are taken to be µV

_SPELLINGS = {
    "V": ("v", "volt", "volts", "0"),
    "mV": ("mv", "millivolt", "millivolts", "mvolt", "mvolts", "-3"),
    "uV": ("uv", "microvolt", "microvolts", "uvolt", "uvolts", "microv", "-6"),
    "nV": ("nv", "nanovolt", "nanovolts", "nvolt", "nvolts", "-9"),
}
_UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
_SCALED = re.compile(r"(?:(\d*[.,]?\d+(?:e[+-]?\d+)?)\s*[*x×]?\s*)?([a-z]+)(?:\s*(?:/|per)\s*(?:bit|lsb|count))?")
UNSTATED = {"", "n/a", "na", "none", "unknown", "undefined", "unspecified", "-", "?"}
"""Placeholders of descriptions without a unit."""
_OTHERS = set(
    "% percent bpm ohm ohms kohm kohms ω kω g mg m/s^2 m/s2 m/s² ms^2 ms^-2 deg degree degrees °c degc celsius"  # noqa: SIM905
    " deg/s dps rad rad/s s sec second seconds ms us millisecond milliseconds min hz mmhg cmh2o lux t ut ft"
    " l/min us/cm bool boolean bit bits".split()
)

_BESIDE = set(
    "px pixel pixels normalized normalised norm a.u. au arbitrary unitless dimensionless 1 raw count counts lsb adu"  # noqa: SIM905
    " sample samples m cm mm um µm meter meters metre metres millimeter millimeters inch inches radian radians °"
    " s siemens µs microsiemens millisiemens ns k kelvin n newton nm pa kpa w watt watts a ma db uw au/s px/s mm/s m/s"
    " deg/s^2 degrees/s degrees/second µt gauss mgauss lx lumen l/s ml ml/s bpm^-1 rpm screencoords".split()
)


def unit_name(text: str) -> str | None:
    """Normalise a unit to a number of ``V``, ``mV``, ``uV`` or ``nV``; None where `text` is not a voltage.

    ``"microvolts"`` and ``"µV"`` are ``"uV"``, ``"0.1 µV"`` is ``"0.1uV"``.
    """
    plain = text.strip().lower().replace("µ", "u").replace("μ", "u")
    if plain in _UNITS:
        return _UNITS[plain]
    scaled = _SCALED.fullmatch(plain) if len(plain) < 40 else None
    factor = float((scaled[1] or "1").replace(",", ".")) if scaled else 0.0
    if not scaled or scaled[2] not in _UNITS or not 1e-9 <= factor <= 1e9:
        return None
    return f"{factor!r}{_UNITS[scaled[2]]}" if factor != 1 else _UNITS[scaled[2]]


def microvolts(unit: str) -> float:
    """µV per `unit`, in the notation of `unit_name`."""
    name = unit.lstrip("0123456789.e+-")
    return float(unit.removesuffix(name) or 1) * MICROVOLTS[name]


def is_other_quantity(text: str) -> bool:
    """Whether a unit is clearly not a voltage: per cent, seconds, ohms and the like."""
    return text.strip().lower() in _OTHERS


def is_known_unit(text: str) -> bool:
    """Whether a unit of a stream beside the EEG is a common one, or says that there is none."""
    plain = text.strip().lower().replace("μ", "µ")
    return plain in _OTHERS | _BESIDE | UNSTATED or unit_name(text) is not None


def scales(asked: str, units: Sequence[str]) -> tuple[np.ndarray, bool]:
    """Scale of each channel to µV, (n_chans,), from the units that the source states, and whether every one has a unit.

    The scale is 1 where no channel states a unit (``""``). Raises `StreamMismatch` where a unit is not understood, or
    only some channels state one, and those differ.
    """
    named = [unit for unit in units if unit.strip().lower() not in UNSTATED]
    known = {unit: name for unit in named if (name := unit_name(unit))}
    if odd := sorted(set(named) - set(known)):
        found, do = f"its unit is {odd[0][:40]!r}", "give the unit of its numbers: units=uV, or as in units=0.1uV"
        raise StreamMismatch(asked, found, do)
    worth, n_unstated = [microvolts(known[unit]) for unit in named], len(units) - len(named)
    if n_unstated and len(set(worth)) > 1:
        found = f"{n_unstated} of {len(units)} channels name no unit, the others {', '.join(sorted(known))}"
        raise StreamMismatch(asked, found, f"give it with units={'|'.join(MICROVOLTS)}")
    usual = worth[0] if worth else 1.0
    return np.array([usual] * len(units) if n_unstated else worth), not n_unstated


def spread(data: np.ndarray, sfreq: float) -> float | None:
    """Typical variation of (n_times, n_chans) EEG above about 1 Hz, in its unit; None for a constant signal.

    The median over channels of the median over seconds of the standard deviation about a straight line: that line takes
    out offsets of tens of mV and slow drift, the medians take out blinks and dead channels.
    """
    n = min(len(data), round(sfreq))
    if n < 4:
        return None
    seconds = np.asarray(data[: len(data) // n * n], np.float64).reshape(-1, n, data.shape[1])
    seconds = seconds - seconds.mean(axis=1, keepdims=True)
    ramp = np.arange(n) - (n - 1) / 2
    slope = np.einsum("t,stc->sc", ramp, seconds) / (ramp @ ramp)
    sd = np.median((seconds - slope[:, None, :] * ramp[:, None]).std(axis=1), axis=0)
    moving = sd[np.isfinite(sd) & (sd > 1e-6 * np.abs(data).max(initial=1e-300))]
    return float(np.median(moving)) if len(moving) else None


def check_spread(
    asked: str, found_uv: float | None, limits: tuple[float, float], written: str, written_uv: float
) -> None:
    """Raise `StreamMismatch` where the `spread` of the signal (µV; None passes) is outside `limits` (µV).

    `written` says how its unit was found, which is `written_uv` µV. The message names the ``units=`` that would fit.
    """
    low, high = limits
    if found_uv is None or low <= found_uv <= high:
        return
    likely = [u for u, uv in MICROVOLTS.items() if 1.0 <= found_uv / written_uv * uv <= 200.0]
    raise StreamMismatch(
        asked,
        f"{written}: channels typically move by {found_uv:.3g} µV, EEG by {low:g} to {high:g} µV",
        f"give the unit of the numbers: units={likely[0] if len(likely) == 1 else '|'.join(MICROVOLTS)}",
    )
