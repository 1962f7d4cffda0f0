"""Whether eye movements take part in the readings, for the badge and the banner."""

from __future__ import annotations

from ..language import N_, _
from ..modalities import EyeState
from ..types import Reading
from .words import StyledText

TIPS = {
    EyeState.USED: N_("Eye movements take part in the estimate."),
    EyeState.STARTING: N_("The eye tracker has seen the eyes for less than two seconds."),
    EyeState.LOST: N_("The eye tracker sends nothing: estimates rest on the EEG alone until it returns"),
    EyeState.UNSEEN: N_("The eye tracker sees no eye: estimates rest on the EEG alone until it does"),
}


def eyes_badge(reading: Reading | None) -> StyledText | None:
    """What the readings rest on; None where no eye tracker could take part."""
    if reading is None or reading.eye is None:
        return None
    state = reading.eye.state
    if state is EyeState.USED:
        return StyledText(_("EEG + EYES"), "ok", _(TIPS[state]))
    return StyledText(_("EEG ALONE"), "info" if state is EyeState.STARTING else "warn", _(TIPS[state]))


def eyes_banner(reading: Reading | None) -> StyledText | None:
    """A sentence where the eyes are lost."""
    if reading is None or reading.eye is None or reading.eye.state not in (EyeState.LOST, EyeState.UNSEEN):
        return None
    return StyledText(_(TIPS[reading.eye.state]), "warn")
