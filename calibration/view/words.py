"""Turns what became of a sitting into the sentences of its last page, and faults of electrodes into what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from realtime_mood.profile import LEAST_BASELINE_S, Profile, ValidationResult
from realtime_mood.types import Fault
from realtime_mood.viewmodel.banner import NAMED_CHANS
from realtime_mood.viewmodel.electrodes import ElectrodeView
from realtime_mood.viewmodel.words import FAULT_WORDS

from ..progress import CalibrationProgress, Mode
from ..protocol import BlockPlan, clock_words

AWAY = "Headset lost: paused, waiting for it to come back"
COST = (
    f"Seconds in which an electrode is bad do not count for it, and with fewer than {LEAST_BASELINE_S:g} good seconds "
    "of rest on any electrode no profile can be made."
)
SILENT = "No sound can be played here, so there will be no tone: ask somebody to tell you when to open your eyes."
REMEDIES = {
    Fault.FLAT: "Is its lead plugged in, and does it touch the skin?",
    Fault.RAILED: "Press it down, and see that reference and ground sit well.",
    Fault.LINE: "Move away from chargers and lamps, and press it down.",
    Fault.MUSCLE: "Loosen jaw and forehead, and sit still.",
    Fault.DECORRELATED: "Part the hair under it and press it down.",
    Fault.IMPEDANCE: "Part the hair under it; add gel or water.",
    Fault.EXCLUDED: "It was left out by hand.",
}
_REMEDY_OF = {FAULT_WORDS[fault]: text for fault, text in REMEDIES.items()}


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
    """Where the sitting lies; empty when nothing was recorded."""
    may_fit: bool = False
    """Whether something was gone through that a profile might still be made of."""
    kept: bool = False
    """Whether a profile was made and kept."""


def to_fix(electrodes: Sequence[ElectrodeView]) -> str:
    """``Fix O1, O2: flat; Cz: mains hum``; empty when nothing is wrong."""
    bad = sorted((e for e in electrodes if e.is_bad), key=lambda e: e.fault)
    said, left = [], NAMED_CHANS
    for fault, group in groupby(bad, key=lambda e: e.fault):
        names = [e.name for e in group]
        if left > 0:
            more = f" and {len(names) - left} more" if len(names) > left else ""
            said.append(f"{', '.join(names[:left])}{more}: {fault}")
        else:
            said.append(f"{len(names)} more: {fault}")
        left -= len(names)
    return f"Fix {'; '.join(said)}" if said else ""


def remedy(electrodes: Sequence[ElectrodeView]) -> str:
    """What to do about the first fault that `to_fix` names."""
    bad = sorted(e.fault for e in electrodes if e.is_bad)
    return _REMEDY_OF.get(bad[0], "") if bad else ""


def length(plan: BlockPlan) -> str:
    """How long a sitting takes."""
    apart = ", answers apart" if plan.asks else ""
    return f"It takes {clock_words(plan.seconds)} minutes{apart}."


def shares(labels: Sequence[str], verdict: ValidationResult) -> str:
    """How often each label was recognised."""
    right = [verdict.confusion[i][i] for i in range(len(labels))]
    return ", ".join(f"{label} in {100 * share:.0f} of 100" for label, share in zip(labels, right, strict=True))


def figure(x: float) -> str:
    """A share with two digits, without the zero before the point."""
    return f"{x:.2f}".removeprefix("0")


def held_out(v: ValidationResult) -> str:
    """The figures a verdict rests on."""
    low, high = v.interval
    return (
        f"Held-out balanced accuracy {figure(v.balanced_accuracy)} [{figure(low)}, {figure(high)}], "
        f"chance {figure(v.chance)}"
    )


def fitted(profile: Profile, message: str, recording: Path) -> Ending:
    """The last page of a sitting that a profile was made of."""
    rest = f"{profile.seconds:.0f} s of usable rest"
    saved = tuple(message.splitlines())
    lines: tuple[str, ...]
    if profile.own:
        v = profile.own.verdict
        lines = (
            held_out(v),
            f"Seconds it had not learnt from, told right: {shares(profile.own.labels, v)}",
            f"Shuffled blocks do as well in {100 * v.p:.1g} of 100 cases. Your baseline has {rest}.",
        )
        return Ending("You have a readout of your own", "ok", (*lines, *saved), (), str(recording), kept=True)
    if profile.refused:
        v = profile.refused
        lines = (
            "Your blocks could not be told apart well enough, so nothing will be estimated from them.",
            f"{held_out(v)}.",
            f"{v.text[:1].upper()}{v.text[1:]}.",
            f"Your baseline can still be used: {rest}.",
        )
        advice = tuple(text[:1].upper() + text[1:] for text in v.advice)
        return Ending("No readout of your own this time", "warn", (*lines, *saved), advice, str(recording), kept=True)
    lines = (f"It rests on {rest}, and everything later is told from it.", *saved)
    return Ending("Your baseline is made", "ok", lines, (), str(recording), kept=True)


def failed(error: BaseException, recording: Path | None, headline: str = "That did not work") -> Ending:
    """The last page when something went wrong."""
    parts = [getattr(error, name, "") for name in ("asked", "found", "do")]
    said = tuple(text[:1].upper() + text[1:] for text in parts if text) or (str(error) or repr(error),)
    return Ending(headline, "bad", said, (), str(recording or ""))


def cut_short(sitting: CalibrationProgress | None, recording: Path | None) -> Ending:
    """The last page of a sitting that was stopped, or whose source ended, before its last step."""
    stopped = sitting is not None and sitting.mode is Mode.STOPPED
    headline = "Stopped" if stopped or sitting is None else "The source has ended before the last step"
    behind = sitting.plan.steps[: sitting.at] if sitting else ()
    rests = sum(step.kind == "rest" for step in behind)
    blocks = sum(step.kind == "block" for step in behind) - (sitting.skipped if sitting else 0)
    began = bool(behind) or (sitting is not None and sitting.begun)
    if not began or sitting is None:
        return Ending(headline, "text", ("Nothing had begun yet, so there is nothing to make a profile of.",))
    of_all = sum(step.kind == "block" for step in sitting.plan.steps)
    parts = [f"{rests} of {len(sitting.plan.protocol.rest)} rests"] if sitting.plan.protocol.rest else []
    parts += [f"{max(0, blocks)} of {of_all} blocks"] if of_all else []
    lines = (
        f"All that you went through is kept: {' and '.join(parts)}.",
        "A profile can be made of it if that is enough; calibrate --from RECORDING does so at any time.",
    )
    return Ending(headline, "text", lines, (), str(recording or ""), may_fit=True)
