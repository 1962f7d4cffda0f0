"""Turns the engine's states, faults and reasons into the words every screen uses for them."""

from __future__ import annotations

from dataclasses import dataclass

from ..health import State
from ..language.terms import FAULTS, REASONS
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
FAULT_WORDS = {fault: FAULTS[fault.value] for fault in Fault}
WHY_WORDS = {why: REASONS[why.value] for why in Why}
