"""The most important sentence about the run, for the banner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile

from ..dsp.spec import FeatureSpec
from ..health import Health, State
from ..language import N_, _, ngettext
from ..reasons import ARTEFACTS
from ..types import Abstained, Fault, Reading, StreamInfo, Why
from .baseline import baseline_of
from .electrodes import ElectrodeView
from .modalities import eyes_banner
from .notes import translated
from .words import StyledText, first_upper

SETTLE_S = FeatureSpec().settle_s + FeatureSpec().context_s  # filters, then the shortest context
NOTE_S = 15.0  # how long the banner shows a note
NAMED_CHANS = 5  # the most electrodes named in a sentence
STATE_TEXTS = {
    State.FAILED: (N_("The run failed"), "bad"),
    State.STALLED: (N_("No data for {seconds:.1f} s: no readings until the stream returns"), "warn"),
    State.RECONNECTING: (N_("Stream lost {seconds:.0f} s ago: reconnecting, no readings meanwhile"), "warn"),
    State.CONNECTING: (N_("Connecting to the source"), "info"),
    State.ENDED: (N_("The recording has ended; its last minute is shown"), "info"),
    State.IDLE: (N_("Press Start to read from the source above"), "info"),
}
WHY_TEXTS = {
    Why.STALE: (N_("No new data: no readings until the stream returns"), "warn"),
    Why.GAP: (N_("Too many samples lost: the next reading needs signal without gaps"), "warn"),
    Why.BAD_SIGNAL: (N_("Signal poor"), "warn"),
    Why.MUSCLE: (N_("Muscle activity on many electrodes: relax your jaw and forehead for the next reading"), "warn"),
    Why.BLINKS: (N_("Rapid blinking: keep your eyes calm for the next reading"), "warn"),
    Why.MOVEMENT: (N_("Movement of the head or the headset: sit still for the next reading"), "warn"),
    Why.UNCALIBRATED: (N_("This readout gives no estimate until a personal calibration has fitted it"), "info"),
    Why.MONTAGE: (N_("Too few usable electrodes for this network"), "warn"),
    Why.UNSURE: (N_("Unsure: no label stands out"), "info"),
    Why.UNFAMILIAR: (
        N_("Unfamiliar: signal, electrodes or device are unlike those of training; a calibration with labels helps"),
        "warn",
    ),
}
BEFORE_DRIFT = (
    Why.STALE,
    Why.GAP,
    Why.SETTLING,
    *ARTEFACTS,
)  # reasons that pass, or without which there is no rest either
ONLY_SIMULATED = N_(
    "This readout was trained on simulated subjects; on a real headset it gives no estimate until a personal "
    "calibration has fitted it"
)

ALL_FLAT = N_(
    "Flat on all electrodes: is the headset worn, and its unit right? The unit can be chosen in Connect (V, mV, µV)"
)  # volts that are labelled µV look so


def banner_of(
    health: Health,
    current: Reading | None,
    readings: Sequence[Reading],
    electrodes: Sequence[ElectrodeView],
    now: float,
) -> StyledText:
    """The most important sentence now."""
    age_s = (health.sample_age_ms or 0.0) / 1000
    if health.fault is not None:
        return StyledText(str(health.fault), "bad")
    if health.state in STATE_TEXTS:
        text, role = STATE_TEXTS[health.state]
        return StyledText(_(text, seconds=age_s), role)
    if health.notes and now - health.noted < NOTE_S:
        return StyledText(first_upper(translated(health.notes[-1])), "warn")
    if isinstance(current, Abstained) and current.why in BEFORE_DRIFT:
        return _why(current, readings, electrodes, health.info)
    if current and (drift := baseline_of(current.drift).banner):
        return drift
    if isinstance(current, Abstained):
        return _why(current, readings, electrodes, health.info)
    if bad := [e for e in electrodes if e.is_bad]:
        return StyledText(_("Signal poor on {names}: left out of the estimate", names=_named(bad)), "warn")
    if eyes := eyes_banner(current):
        return eyes
    if current is None:
        return StyledText(_("Waiting for the first reading"), "info")
    if fair := [e for e in electrodes if e.role == "warn"]:
        return StyledText(_("Signal only fair on {names}", names=_named(fair)), "ok")
    out = [e for e in electrodes if e.excluded]
    n = len(electrodes) - len(out)
    if out:
        text = ngettext(
            "Signal good on {n} electrode, {names} left out", "Signal good on all {n} electrodes, {names} left out",
            n, n=n, names=_named(out),
        )  # fmt: skip
        return StyledText(text, "ok")
    return StyledText(ngettext("Signal good on {n} electrode", "Signal good on all {n} electrodes", n, n=n), "ok")


def _why(
    current: Abstained, readings: Sequence[Reading], electrodes: Sequence[ElectrodeView], info: StreamInfo | None
) -> StyledText:
    why, virtual = current.why, current.readout.evidence == "virtual"
    if why is Why.SETTLING:
        return StyledText(_("Settling: {seconds} s left", seconds=_settling_left_s(current, readings, info)), "info")
    judged = [fault for fault in current.quality.faults if fault is not Fault.EXCLUDED] if current.quality else []
    if why is Why.BAD_SIGNAL and len(judged) > 1 and set(judged) == {Fault.FLAT}:
        return StyledText(_(ALL_FLAT), "warn")
    if why is Why.BAD_SIGNAL and (names := _named([e for e in electrodes if e.is_bad])):
        return StyledText(_("Signal poor on {names}: check these electrodes", names=names), "warn")
    text, role = (ONLY_SIMULATED, "info") if why is Why.UNCALIBRATED and virtual else WHY_TEXTS[why]
    return StyledText(_(text), role)


def _settling_left_s(current: Abstained, readings: Sequence[Reading], info: StreamInfo | None) -> int:
    """Whole seconds of settling left, in stream time since it began."""
    without = takewhile(lambda r: isinstance(r, Abstained) and r.why in (Why.SETTLING, Why.GAP), reversed(readings))
    began = min((r.end for r in without), default=current.end)
    done_s = (current.end - began) / info.sfreq if info else 0.0
    return max(1, math.ceil(SETTLE_S - done_s))


def _named(electrodes: Sequence[ElectrodeView]) -> str:
    names = ", ".join(e.name for e in electrodes[:NAMED_CHANS])
    more = len(electrodes) - NAMED_CHANS
    return _("{names} and {n} more", names=names, n=more) if more > 0 else names
