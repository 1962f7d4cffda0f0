"""Turns the units sources speak of into microvolts, and says when numbers cannot be EEG in the unit they claim."""

from __future__ import annotations

import numpy as np

from ..errors import StreamMismatch

MICROVOLTS = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}
"""How many µV one of each unit is."""

WIDE = (0.1, 3000.0)
"""Spread (µV) that numbers with a stated unit must have: real files lie at 0.4–40, a unit off by 1000 lands outside."""
NARROW = (0.5, 500.0)
"""Spread (µV) that numbers without a unit must have before they are taken to be µV."""

_SPELLINGS = {
    "V": ("v", "volt", "volts", "0"),
    "mV": ("mv", "millivolt", "millivolts", "-3"),
    "uV": ("uv", "microvolt", "microvolts", "-6"),
    "nV": ("nv", "nanovolt", "nanovolts", "-9"),
}
_UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}


def unit_name(text: str) -> str | None:
    """``"V"``, ``"mV"``, ``"uV"`` or ``"nV"`` behind `text` (``"microvolts"``, ``"µV"``, …), or None."""
    return _UNITS.get(text.strip().lower().replace("µ", "u").replace("μ", "u"))


def spread(data: np.ndarray, sfreq: float) -> float | None:
    """How much EEG channels typically move, above about 1 Hz and whatever their offset.

    The median over channels of the median over seconds of the standard deviation about a straight line: that line
    takes out offsets of tens of mV and slow drift, the medians take out blinks and dead channels.

    Parameters
    ----------
    data : array (n_times, n_chans)
        In any one unit.
    sfreq : float
        Sampling rate (Hz).

    Returns
    -------
    float | None
        In the unit of `data`; None when nothing moves at all, which says nothing about the unit.
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
    """Refuse numbers that would not be EEG.

    Parameters
    ----------
    asked : str
        The source, for the message.
    found_uv : float | None
        `spread` of the signal, taken to be `written` (µV); None passes.
    limits : (float, float)
        What may be (µV).
    written : str
        What the source says its unit is.
    written_uv : float
        How many µV that is.

    Raises
    ------
    StreamMismatch
        Saying which ``units=`` would make sense.
    """
    low, high = limits
    if found_uv is None or low <= found_uv <= high:
        return
    likely = [u for u, uv in MICROVOLTS.items() if 1.0 <= found_uv / written_uv * uv <= 200.0]
    raise StreamMismatch(
        asked,
        f"{written}: channels typically move by {found_uv:.3g} µV, EEG by {low:g} to {high:g} µV",
        f"say which unit the numbers are in: units={likely[0] if len(likely) == 1 else '|'.join(MICROVOLTS)}",
    )
