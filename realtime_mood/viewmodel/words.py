"""The words for states, faults, reasons and labels, shared by the window and the terminal view."""

from __future__ import annotations

from dataclasses import dataclass

from ..health import State
from ..language import N_
from ..language.terms import FAULTS, REASONS
from ..types import Fault, Why


@dataclass(frozen=True, slots=True)
class StyledText:
    """A piece of text, the role of its colour (ok, warn, bad, info, dim, virtual, text), and what a tooltip adds."""

    text: str
    role: str = "text"
    tip: str = ""


def first_upper(text: str) -> str:
    """`text` with a capital letter first."""
    return text[:1].upper() + text[1:]


# Tables are translated where they are shown: a module may be loaded before the language is chosen.
STATE_WORDS = {
    State.IDLE: N_("Stopped"), State.CONNECTING: N_("Connecting"), State.LIVE: N_("Live"), State.STALLED: N_("No data"),
    State.RECONNECTING: N_("Reconnecting"), State.ENDED: N_("Ended"), State.FAILED: N_("Failed"),
}  # fmt: skip
STREAM_WORDS = {  # of a stream beside the EEG
    **STATE_WORDS, State.CONNECTING: N_("waiting"), State.LIVE: N_("live"), State.STALLED: N_("stalled"),
    State.RECONNECTING: N_("reconnecting"),
}  # fmt: skip
STATE_ROLES = {State.LIVE: "ok", State.STALLED: "warn", State.RECONNECTING: "warn", State.FAILED: "bad"}
FAULT_WORDS = {fault: FAULTS[fault.value] for fault in Fault}
FAULT_WORDS[Fault.DECORRELATED] = N_("uncorrelated")  # fits beside a lane
WHY_WORDS = {why: REASONS[why.value] for why in Why}

LABEL_WORDS = (
    N_("negative"), N_("neutral"), N_("positive"), N_("rest"), N_("arithmetic"), N_("low"), N_("high"), N_("sad"),
    N_("fear"), N_("happy"), N_("disgust"), N_("anger"), N_("surprise"), N_("amusement"), N_("inspiration"),
    N_("tenderness"),
)  # fmt: skip
"""The labels of the project's readouts and protocols, for translation; other labels are shown as they are."""
