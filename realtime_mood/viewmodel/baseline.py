"""What is shown about the subject's baseline: the drift alarm, the renewal, and the request that is possible next."""

from __future__ import annotations

from dataclasses import dataclass

from ..baseline import REST_S, BaselineRequest
from ..drift import Drift, DriftStatus
from ..language import N_, _, number
from .words import StyledText

MOVED = N_("The signal has moved away from your baseline ({what} {change} SD): rest for half a minute to renew it")
FAILED = N_("Too little usable rest: the baseline is unchanged. Improve the electrodes, then rest again")
RESTING = N_("Rest as in the calibration, first with open, then with closed eyes: {seconds:.0f} of {all:.0f} s")
READY = N_("New baseline, against the present one in SD: {bands}. Use it?")


@dataclass(frozen=True, slots=True)
class BaselineView:
    """The sentence about the baseline, if there is one, and the requests that its buttons make; "" hides a button."""

    banner: StyledText | None = None
    badge: StyledText | None = None
    next: BaselineRequest | None = None  # what the key and the first button request; None where nothing can be
    text: str = ""  # of the first button
    keep: str = ""  # of the second button, which keeps the present baseline


def baseline_of(drift: Drift | None) -> BaselineView:
    """What is shown for the drift of the newest reading; None: there is no profile."""
    if drift is None:
        return BaselineView()
    badge = None
    if drift.moved:
        tip = _("Readings are compared with a baseline that may no longer fit.")
        badge = StyledText(_("BASELINE MOVED"), "warn", tip)
    if drift.status is DriftStatus.RESTING:
        text = _(RESTING, seconds=drift.rest_s, all=REST_S)
        return BaselineView(StyledText(text, "info"), badge, keep=_("Cancel"))
    if drift.status is DriftStatus.READY:
        bands = ", ".join(f"{band} {_signed(sd)}" for band, sd in drift.bands_sd)
        return BaselineView(
            StyledText(_(READY, bands=bands), "info"), badge, "use", _("Use the new baseline"), _("Keep the old one")
        )
    if not (drift.moved or drift.failed):
        return BaselineView(next="rest")
    text = _(FAILED) if drift.failed else _(MOVED, what=drift.what, change=_signed(drift.change_sd))
    return BaselineView(StyledText(text, "warn"), badge, "rest", _("Rest for {seconds:.0f} s", seconds=REST_S))


def _signed(sd: float) -> str:
    return number(sd, "+.1f")
