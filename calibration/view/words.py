"""Texts of the calibration window: the last page, the faults of electrodes, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from realtime_mood.language import N_, _, ngettext, number
from realtime_mood.profile import LEAST_BASELINE_S, Profile, ValidationResult
from realtime_mood.types import Fault
from realtime_mood.viewmodel.banner import NAMED_CHANS
from realtime_mood.viewmodel.electrodes import ElectrodeView
from realtime_mood.viewmodel.words import FAULT_WORDS, first_upper

from ..progress import CalibrationProgress, Mode
from ..protocol import BlockPlan, clock_words
from ..verdict import advice, reasons

AWAY = N_("Headset connection lost. Paused until it is back.")
REMEDIES = {
    Fault.FLAT: N_("Check that its lead is plugged in and that it touches the skin."),
    Fault.RAILED: N_("Press it down, and check the reference and ground electrodes."),
    Fault.LINE: N_("Move away from chargers and lamps, and press it down."),
    Fault.MUSCLE: N_("Relax your jaw and forehead, and sit still."),
    Fault.DECORRELATED: N_("Part the hair under it and press it down."),
    Fault.IMPEDANCE: N_("Part the hair under it, and add gel or water."),
    Fault.EXCLUDED: N_("It was excluded manually."),
}


def cost() -> str:
    """What beginning with bad electrodes costs."""
    return _(
        "Data from an electrode are not used while it is bad. With fewer than {seconds:g} good seconds of rest on any "
        "electrode, no profile can be created.",
        seconds=LEAST_BASELINE_S,
    )


def silent() -> str:
    """What to do where no tone can be played."""
    return _(
        "No sound can be played on this computer, so there will be no tone. Ask another person to tell you when to "
        "open your eyes."
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """What the last page says."""

    headline: str
    role: str  # of the headline's colour
    lines: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()  # one item each, below the lines
    recording: str = ""  # path of the recording; empty when nothing was recorded
    may_fit: bool = False  # whether enough may have been recorded to fit a profile
    kept: bool = False  # whether a profile was created and saved


def to_fix(electrodes: Sequence[ElectrodeView]) -> str:
    """``Fix O1, O2: flat; Cz: mains hum``; empty when nothing is wrong."""
    bad = sorted((e for e in electrodes if e.is_bad), key=lambda e: e.fault)
    parts, left = [], NAMED_CHANS
    for fault, group in groupby(bad, key=lambda e: e.fault):
        names = [e.name for e in group]
        values = {"names": ", ".join(names[:left]), "n": len(names) - left, "fault": fault}
        if not left:
            parts.append(_("{n} more: {fault}", **values))
        elif len(names) > left:
            parts.append(_("{names} and {n} more: {fault}", **values))
        else:
            parts.append(_("{names}: {fault}", **values))
        left = max(0, left - len(names))
    return _("Fix {electrodes}", electrodes="; ".join(parts)) if parts else ""


def remedy(electrodes: Sequence[ElectrodeView]) -> str:
    """What to do about the first fault that `to_fix` names."""
    first = min((e.fault for e in electrodes if e.is_bad), default="")
    return next((_(text) for fault, text in REMEDIES.items() if _(FAULT_WORDS[fault]) == first), "")


def length(plan: BlockPlan) -> str:
    """How long a session takes."""
    minutes = clock_words(plan.seconds)
    if plan.asks:
        return _("Duration: {minutes} minutes, plus the time for your answers.", minutes=minutes)
    return _("Duration: {minutes} minutes.", minutes=minutes)


def figure(x: float) -> str:
    """A share with two digits, without the zero before the decimal sign."""
    return number(x, ".2f").removeprefix("0")


def held_out(v: ValidationResult) -> str:
    """Held-out balanced accuracy, its 95 % confidence interval, and chance."""
    low, high = map(figure, v.interval)
    return _(
        "Held-out balanced accuracy {score} (95 % CI {low} to {high}; chance {chance})",
        score=figure(v.balanced_accuracy), low=low, high=high, chance=figure(v.chance),
    )  # fmt: skip


def fitted(profile: Profile, message: str, recording: Path, labels: Sequence[str] = ()) -> Ending:
    """The last page of a session; `message` says where the profile was saved, `labels` are those of its blocks."""
    role, tips = "ok", tuple[str, ...]()
    lines: tuple[str, ...]
    if profile.own:
        v, headline = profile.own.verdict, _("Your personal classifier passed validation")
        right = (f"{_(label)} {100 * v.confusion[i][i]:.0f} %" for i, label in enumerate(profile.own.labels))
        lines = (
            held_out(v),
            _("Held-out accuracy per label: {shares}", shares=", ".join(right)),
            _("Permutation test: p = {p:.3f}. Your baseline uses {seconds:.0f} s of usable rest.", p=v.p,
              seconds=profile.seconds),
        )  # fmt: skip
    elif profile.refused:
        v, headline, role = profile.refused, _("No personal classifier this time"), "warn"
        lines = (
            _("Your blocks could not be distinguished reliably, so no personal classifier was created."),
            f"{held_out(v)}.",
            f"{first_upper('; '.join(reasons(v, _)) or v.text)}.",
            _("Your baseline can be used: it is based on {seconds:.0f} s of usable rest.", seconds=profile.seconds),
        )
        tips = tuple(map(first_upper, advice(v, tuple(map(_, labels)), _)))
    else:
        headline = _("Baseline created")
        s = profile.seconds
        lines = (_("Based on {seconds:.0f} s of usable rest; later readings are compared with it.", seconds=s),)
    return Ending(headline, role, (*lines, *message.splitlines()), tips, str(recording), kept=True)


def failed(error: BaseException, recording: Path | None, headline: str) -> Ending:
    """The last page after an error."""
    parts = [getattr(error, name, "") for name in ("asked", "found", "do")]
    lines = tuple(first_upper(text) for text in parts if text) or (str(error) or repr(error),)
    return Ending(headline, "bad", lines, (), str(recording or ""))


def cut_short(progress: CalibrationProgress | None, recording: Path | None) -> Ending:
    """The last page of a session that was stopped, or whose source ended, before its last step."""
    stopped = progress is None or progress.mode is Mode.STOPPED
    headline = _("Session stopped") if stopped else _("The source ended before the last step")
    if progress is None or not (progress.at or progress.begun):
        return Ending(headline, "text", (_("No step had begun, so there is nothing to fit a profile to."),))
    kinds = [step.kind for step in progress.plan.steps]
    behind = [kind for at, kind in enumerate(kinds[: progress.at]) if at not in progress.skipped]
    n_rests, n_blocks, parts = len(progress.plan.protocol.rest), kinds.count("block"), []
    if n_rests:
        n = behind.count("rest")
        parts.append(ngettext("{n} of {all} rest period", "{n} of {all} rest periods", n_rests, n=n, all=n_rests))
    if n_blocks:
        n = behind.count("block")
        parts.append(ngettext("{n} of {all} block", "{n} of {all} blocks", n_blocks, n=n, all=n_blocks))
    lines = (
        _("The completed parts are saved: {parts}.", parts=", ".join(parts)),
        _("If they are enough, a profile can be created now, or later with `calibrate --from RECORDING`."),
    )
    return Ending(headline, "text", lines, (), str(recording or ""), may_fit=True)
