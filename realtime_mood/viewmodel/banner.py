"""Turns where a run stands into the one sentence that matters most now. Knows no toolkit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..dsp.spec import FeatureSpec
from ..health import Health, State
from ..types import Abstained, Reading, StreamInfo, Why
from .electrodes import ElectrodeView
from .words import StyledText

SETTLE_S = FeatureSpec().settle_s + FeatureSpec().context_s  # filters, then the shortest context
NOTE_S = 15.0  # how long a note stands in the banner
NAMED_CHANS = 5  # a sentence names no more electrodes than this


def banner_of(
    health: Health,
    current: Reading | None,
    readings: Sequence[Reading],
    electrodes: Sequence[ElectrodeView],
    now: float,
) -> StyledText:
    """The one sentence that matters most now."""
    age_s = (health.sample_age_ms or 0.0) / 1000
    match health.state:
        case _ if health.fault is not None:
            return StyledText(str(health.fault), "bad")
        case State.FAILED:
            return StyledText("The run failed", "bad")
        case State.STALLED:
            return StyledText(f"No data for {age_s:.1f} s: readings are stopped until the stream is back", "warn")
        case State.RECONNECTING:
            return StyledText(f"Stream lost {age_s:.0f} s ago: looking for it again, readings are stopped", "warn")
        case State.CONNECTING:
            return StyledText("Connecting to the source", "info")
        case State.ENDED:
            return StyledText("The recording has ended: what you see is its last minute", "info")
        case State.IDLE:
            return StyledText("Press Start to read from the source above", "info")
    if health.notes and now - health.noted < NOTE_S:
        return StyledText(sentence(health.notes[-1]), "warn")
    if isinstance(current, Abstained):
        return _why(current, readings, electrodes, health.info)
    if bad := [e for e in electrodes if e.is_bad]:
        return StyledText(f"Signal poor on {_named(bad)}: left out of the estimate", "warn")
    if current is None:
        return StyledText("Waiting for the first reading", "info")
    if fair := [e for e in electrodes if e.role == "warn"]:
        return StyledText(f"Signal only fair on {_named(fair)}", "ok")
    out = [e for e in electrodes if e.excluded]
    rest = f", {_named(out)} left out" if out else ""
    return StyledText(f"Signal good on all {len(electrodes) - len(out)} electrodes{rest}", "ok")


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _why(
    it: Abstained, readings: Sequence[Reading], electrodes: Sequence[ElectrodeView], info: StreamInfo | None
) -> StyledText:
    bad = [e for e in electrodes if e.is_bad]
    match it.why:
        case Why.SETTLING:
            return StyledText(f"Settling: {_to_go(it, readings, info)} s to go", "info")
        case Why.STALE:
            return StyledText("No new data: readings are stopped until the stream is back", "warn")
        case Why.GAP:
            return StyledText("Too many samples lost: the next reading needs an unbroken stretch", "warn")
        case Why.BAD_SIGNAL:
            return StyledText(f"Signal poor on {_named(bad)}: check these electrodes" if bad else "Signal poor", "warn")
        case Why.UNCALIBRATED if it.readout.evidence == "virtual":
            return StyledText(
                "This readout was trained on virtual people; on a real headset it stays silent until your own "
                "calibration has fitted it",
                "info",
            )
        case Why.UNCALIBRATED:
            return StyledText("This readout stays silent until your own calibration has fitted it", "info")
        case Why.MONTAGE:
            return StyledText("Too few usable electrodes for this network", "warn")
    return StyledText("Unsure: no label stands out", "info")


def _to_go(it: Abstained, readings: Sequence[Reading], info: StreamInfo | None) -> int:
    """Whole seconds of settling left, counted in stream time from where this settling began."""
    began = it.end
    for r in reversed(readings):
        if not (isinstance(r, Abstained) and r.why in (Why.SETTLING, Why.GAP)):
            break
        began = r.end
    done_s = (it.end - began) / info.sfreq if info else 0.0
    return max(1, math.ceil(SETTLE_S - done_s))


def _named(electrodes: Sequence[ElectrodeView]) -> str:
    names = ", ".join(e.name for e in electrodes[:NAMED_CHANS])
    more = len(electrodes) - NAMED_CHANS
    return f"{names} and {more} more" if more > 0 else names
