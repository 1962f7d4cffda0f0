"""Texts of the calibration window: the last page, the faults of electrodes, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from realtime_mood.language import N_, _, ngettext
from realtime_mood.profile import LEAST_BASELINE_S, Profile, ValidationResult
from realtime_mood.types import Fault
from realtime_mood.viewmodel.banner import NAMED_CHANS
from realtime_mood.viewmodel.electrodes import ElectrodeView
from realtime_mood.viewmodel.words import FAULT_WORDS

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
    text = _(
        "Data from an electrode are not used while it is bad. With fewer than {seconds:g} good seconds of rest on any "
        "electrode, no profile can be created."
    )
    return text.format(seconds=LEAST_BASELINE_S)


def silent() -> str:
    """What to do where no tone can be played."""
    return _(
        "No sound can be played on this computer, so there will be no tone. Ask another person to tell you when to "
        "open your eyes."
    )


def first_upper(text: str) -> str:
    """`text` with a capital at its beginning."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Ending:
    """What the last page says."""

    headline: str
    role: str
    """Of the headline's colour."""
    lines: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    """One item each, below the lines."""
    recording: str = ""
    """Path of the recording; empty when nothing was recorded."""
    may_fit: bool = False
    """Whether enough may have been recorded to fit a profile."""
    kept: bool = False
    """Whether a profile was created and saved."""


def to_fix(electrodes: Sequence[ElectrodeView]) -> str:
    """``Fix O1, O2: flat; Cz: mains hum``; empty when nothing is wrong."""
    bad = sorted((e for e in electrodes if e.is_bad), key=lambda e: e.fault)
    parts, left = [], NAMED_CHANS
    for fault, group in groupby(bad, key=lambda e: e.fault):
        names = [e.name for e in group]
        if left > 0 and len(names) > left:
            text = _("{names} and {n} more: {fault}")
        elif left > 0:
            text = _("{names}: {fault}")
        else:
            text = _("{n} more: {fault}")
        n_more = len(names) - max(left, 0)
        parts.append(text.format(names=", ".join(names[: max(left, 0)]), n=n_more, fault=fault))
        left -= len(names)
    return _("Fix {electrodes}", electrodes="; ".join(parts)) if parts else ""


def remedy(electrodes: Sequence[ElectrodeView]) -> str:
    """What to do about the first fault that `to_fix` names."""
    bad = sorted(e.fault for e in electrodes if e.is_bad)
    texts = (text for fault, text in REMEDIES.items() if bad and bad[0] in (FAULT_WORDS[fault], _(FAULT_WORDS[fault])))
    return _(next(texts, ""))


def length(plan: BlockPlan) -> str:
    """How long a session takes."""
    if plan.asks:
        return _("Duration: {minutes} minutes, plus the time for your answers.", minutes=clock_words(plan.seconds))
    return _("Duration: {minutes} minutes.", minutes=clock_words(plan.seconds))


def shares(labels: Sequence[str], verdict: ValidationResult) -> str:
    """Held-out accuracy of each label."""
    right = [verdict.confusion[i][i] for i in range(len(labels))]
    return ", ".join(f"{_(label)} {100 * share:.0f} %" for label, share in zip(labels, right, strict=True))


def figure(x: float) -> str:
    """A share with two digits, without the zero before the point."""
    return f"{x:.2f}".removeprefix("0")


def held_out(v: ValidationResult) -> str:
    """Held-out balanced accuracy, its 95 % confidence interval, and chance."""
    low, high = v.interval
    return _(
        "Held-out balanced accuracy {score} (95 % CI {low} to {high}; chance {chance})",
        score=figure(v.balanced_accuracy),
        low=figure(low),
        high=figure(high),
        chance=figure(v.chance),
    )


def fitted(profile: Profile, message: str, recording: Path, labels: Sequence[str] = ()) -> Ending:
    """The last page of a session that a profile was fitted to.

    Parameters
    ----------
    profile : Profile
    message : str
        Where the profile was saved.
    recording : Path
    labels : sequence of str
        Of the protocol's blocks.
    """
    saved = tuple(message.splitlines())
    lines: tuple[str, ...]
    if profile.own:
        v = profile.own.verdict
        lines = (
            held_out(v),
            _("Held-out accuracy per label: {shares}", shares=shares(profile.own.labels, v)),
            _(
                "Permutation test: p = {p:.3f}. Your baseline uses {seconds:.0f} s of usable rest.",
                p=v.p,
                seconds=profile.seconds,
            ),
        )
        return Ending(
            _("Your personal classifier passed validation"), "ok", (*lines, *saved), (), str(recording), kept=True
        )
    if profile.refused:
        v = profile.refused
        why = "; ".join(reasons(v, _)) or v.text
        lines = (
            _("Your blocks could not be distinguished reliably, so no personal classifier was created."),
            f"{held_out(v)}.",
            f"{first_upper(why)}.",
            _("Your baseline can be used: it is based on {seconds:.0f} s of usable rest.", seconds=profile.seconds),
        )
        tips = tuple(map(first_upper, advice(v, tuple(map(_, labels)), _)))
        headline = _("No personal classifier this time")
        return Ending(headline, "warn", (*lines, *saved), tips, str(recording), kept=True)
    text = _("Based on {seconds:.0f} s of usable rest; later readings are compared with it.")
    return Ending(
        _("Baseline created"), "ok", (text.format(seconds=profile.seconds), *saved), (), str(recording), kept=True
    )


def failed(error: BaseException, recording: Path | None, headline: str) -> Ending:
    """The last page after an error."""
    parts = [getattr(error, name, "") for name in ("asked", "found", "do")]
    lines = tuple(first_upper(text) for text in parts if text) or (str(error) or repr(error),)
    return Ending(headline, "bad", lines, (), str(recording or ""))


def cut_short(progress: CalibrationProgress | None, recording: Path | None) -> Ending:
    """The last page of a session that was stopped, or whose source ended, before its last step."""
    stopped = progress is None or progress.mode is Mode.STOPPED
    headline = _("Session stopped") if stopped else _("The source ended before the last step")
    behind = progress.plan.steps[: progress.at] if progress else ()
    began = bool(behind) or (progress is not None and progress.begun)
    if not began or progress is None:
        return Ending(headline, "text", (_("No step had begun, so there is nothing to fit a profile to."),))
    rests = sum(step.kind == "rest" for step in behind)
    blocks = sum(step.kind == "block" for step in behind) - progress.skipped
    n_rests, n_blocks = len(progress.plan.protocol.rest), sum(step.kind == "block" for step in progress.plan.steps)
    parts = []
    if n_rests:
        parts.append(ngettext("{n} of {all} rest period", "{n} of {all} rest periods", n_rests, n=rests, all=n_rests))
    if n_blocks:
        text = ngettext("{n} of {all} block", "{n} of {all} blocks", n_blocks)
        parts.append(text.format(n=max(0, blocks), all=n_blocks))
    lines = (
        _("The completed parts are saved: {parts}.", parts=", ".join(parts)),
        _("If they are enough, a profile can be created now, or later with calibrate --from RECORDING."),
    )
    return Ending(headline, "text", lines, (), str(recording or ""), may_fit=True)
