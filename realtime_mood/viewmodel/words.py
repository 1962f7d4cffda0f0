"""Turns the engine's states, faults and reasons into the words every screen uses for them."""

from __future__ import annotations

from dataclasses import dataclass

from ..health import State
from ..types import Fault, Why


@dataclass(frozen=True, slots=True)
class StyledText:
    """A piece of text, the role of its colour (ok, warn, bad, info, dim, virtual, text), and what a tooltip adds."""

    text: str
    role: str = "text"
    tip: str = ""


STATE_WORDS = {
    State.IDLE: "Stopped",
    State.CONNECTING: "Connecting",
    State.LIVE: "Live",
    State.STALLED: "No data",
    State.RECONNECTING: "Reconnecting",
    State.ENDED: "Ended",
    State.FAILED: "Failed",
}
STATE_ROLES = {
    State.LIVE: "ok",
    State.STALLED: "warn",
    State.RECONNECTING: "warn",
    State.FAILED: "bad",
}
FAULT_WORDS = {
    Fault.FLAT: "flat",
    Fault.RAILED: "out of range",
    Fault.LINE: "mains hum",
    Fault.MUSCLE: "muscle",
    Fault.DECORRELATED: "odd one out",
    Fault.IMPEDANCE: "poor contact",
    Fault.EXCLUDED: "excluded",
}
WHY_WORDS = {
    Why.SETTLING: "settling",
    Why.STALE: "no data",
    Why.GAP: "samples lost",
    Why.BAD_SIGNAL: "poor signal",
    Why.UNCALIBRATED: "not calibrated",
    Why.UNSURE: "unsure",
    Why.MONTAGE: "too few electrodes",
}
