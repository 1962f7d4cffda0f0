"""What is shown about the user's requests: what became of the last ones, and whether the readout is corrected."""

from __future__ import annotations

from ..corrections import APART_S, BUDGET, Corrections, CorrectionStatus
from ..drift import Drift
from ..language import N_, _, number
from .words import StyledText

REFUSED = {
    "budget": N_("Not corrected: all {budget} corrections of this run are used"),
    "too_soon": N_("Not corrected: corrections must be {apart:.0f} s apart"),
    "signal": N_("Not corrected: too little usable signal in the last seconds"),
    "label": N_("Not corrected: the readout has no such label"),
}
RENEWED = N_("A new baseline is used in this run (number {n}). Ctrl+S writes it to the profile")
STATUS = {
    CorrectionStatus.WAITING: N_("Noted as {label}. {left} corrections left; more are needed before they can be tried"),
    CorrectionStatus.NOT_BETTER: N_("Noted as {label}. Not better on held-out blocks: the readout stays as it was"),
    CorrectionStatus.COUNTS: N_("Noted as {label}. Better on held-out blocks (p = {p}): the corrected readout is used"),
    CorrectionStatus.TAKEN_BACK: N_("Noted as {label}. No longer better: the readout is again as it was"),
}


def sentence(corrections: Corrections) -> StyledText:
    """What became of the last correction."""
    if corrections.refused:
        return StyledText(_(REFUSED[corrections.refused], budget=BUDGET, apart=APART_S), "warn")
    role = "warn" if corrections.status is CorrectionStatus.TAKEN_BACK else "info"
    values = {"label": _(corrections.label), "left": corrections.left, "p": number(corrections.p, ".3f")}
    return StyledText(_(STATUS[corrections.status], **values), role)


def outcomes(drift: Drift | None, corrections: Corrections | None) -> tuple[StyledText | None, StyledText | None]:
    """What became of the user's last renewal of the baseline, and of the last correction."""
    renewed = None
    if drift is not None and drift.renewed:
        renewed = StyledText(_(RENEWED, n=drift.renewed), "info")
    return renewed, sentence(corrections) if corrections else None


def badge(corrections: Corrections | None) -> StyledText | None:
    """The badge of a corrected readout, and of corrections that do not count."""
    if corrections is None or not corrections.made:
        return None
    tip = sentence(corrections).text
    if corrections.status is CorrectionStatus.COUNTS:
        return StyledText(_("CORRECTED"), "info", tip)
    return StyledText(_("{n} of {budget} corrections", n=corrections.made, budget=BUDGET), "dim", tip)
