"""Which channels of a stream beside the EEG are signals of the body, and in which unit they are used."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ..auxiliary import STRING, AuxInfo
from .window import Floats

WORDS = {
    "ecg": r"ecg|ekg|electrocardiogra\w*",
    "ppg": r"ppg|bvp|pulse|plethysmogra\w*|photoplethysmogra\w*",
    "skin": r"eda|gsr|scl|electrodermal|skin conductance",
    "breath": r"resp|rsp|respirat\w*|breath\w*",
    "motion": r"acc|accel\w*|acceleration",
}
"""Kinds of signal, and the words of labels and content types that name each; units are needed for the last and skin."""
MOST_CHANNELS = 4  # of one kind in a stream that are used


def _times(factor: float) -> Callable[[Floats], Floats]:
    return lambda values: values * factor


TO_MICROSIEMENS: dict[str, Callable[[Floats], Floats]] = {
    **dict.fromkeys(("us", "usiemens", "microsiemens", "microsiemen", "umho"), _times(1.0)),
    **dict.fromkeys(("ns", "nanosiemens"), _times(1e-3)),
    **dict.fromkeys(("s", "siemens"), _times(1e6)),
    **dict.fromkeys(("kohm", "kohms", "kiloohm", "kiloohms", "kω"), lambda kohm: 1e3 / kohm),
    **dict.fromkeys(("ohm", "ohms", "ω"), lambda ohm: 1e6 / ohm),
}
TO_G: dict[str, Callable[[Floats], Floats]] = {
    "g": _times(1.0),
    **dict.fromkeys(("mg", "milli-g", "millig"), _times(1e-3)),
    **dict.fromkeys(
        ("m/s^2", "m/s2", "m/s²", "m/s/s", "ms^-2", "m s^-2", "meters/second^2", "metre/second^2"), _times(1 / 9.80665)
    ),
}
_CONVERSIONS = {"skin": TO_MICROSIEMENS, "motion": TO_G}


class BodySignal(NamedTuple):
    """Channels of one kind in a stream."""

    kind: str
    """A key of `WORDS`."""
    channels: tuple[int, ...]
    convert: Callable[[Floats], Floats] | None
    """Makes the values that are measured; None where the unit is needed and not known."""


def signals_of(info: AuxInfo) -> tuple[BodySignal, ...]:
    """The signals of the body in a stream: by the labels of its channels, or by its type where these name none."""
    if info.format == STRING or info.in_markers:
        return ()
    named = [_kind(label) for label in info.ch_names]
    kinds = named if any(named) else [_kind(info.type)] * info.n_chans
    found = []
    for kind in WORDS:
        channels = tuple(i for i, it in enumerate(kinds) if it == kind)[:MOST_CHANNELS]
        if channels:
            units = {info.units[i].strip().lower().replace("µ", "u").replace("μ", "u") for i in channels}
            known = _CONVERSIONS.get(kind, dict.fromkeys(units, _times(1.0)))
            found.append(BodySignal(kind, channels, known.get(units.pop()) if len(units) == 1 else None))
    return tuple(found)


def _kind(text: str) -> str:
    """The kind of signal that a label or content type names; empty where it names none."""
    words = re.sub(r"[\W\d_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).lower()
    return next((kind for kind, pattern in WORDS.items() if re.search(rf"\b(?:{pattern})\b", words)), "")
