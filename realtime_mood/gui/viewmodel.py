"""Turns one look at the engine into everything a screen says: words, numbers and colours by role. Knows no toolkit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..dsp.spec import FeatureSpec
from ..health import Health, State
from ..types import Abstained, Estimate, Marker, Quality, Reading, StreamInfo, Why
from .course import Course, course_of
from .strip import strip
from .words import FAULT_WORDS, STATE_ROLES, STATE_WORDS, WHY_WORDS, Say

SETTLE_S = FeatureSpec().settle_s + FeatureSpec().context_s  # filters, then the shortest context
GOOD_SCORE = 0.7  # below it an electrode without a fault is called fair
NOTE_S = 15.0  # how long a note stands in the banner
NAMED_CHANS = 5  # a sentence names no more electrodes than this

RUNNING = (State.CONNECTING, State.LIVE, State.STALLED, State.RECONNECTING)


@dataclass(frozen=True, slots=True)
class Action:
    """What the one button does now, and why it cannot when it cannot."""

    text: str
    enabled: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One label's probability; None where there is no answer."""

    label: str
    prob: float | None
    is_top: bool = False
    dimmed: bool = False
    low: float | None = None
    """The middle 80 % of what was said of it in the last ten seconds begins here; None where that is too little."""
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Electrode:
    """One channel's signal quality."""

    name: str
    score: float | None
    fault: str
    """Empty when nothing is wrong."""
    role: str
    kohm: float | None = None
    """Impedance (kΩ), where the device says any."""
    excluded: bool = False
    """Left out because somebody asked for that."""

    @property
    def is_bad(self) -> bool:
        return self.role == "bad"


@dataclass(frozen=True, slots=True, eq=False)
class ViewState:
    """All that a screen shows."""

    state: Say
    banner: Say
    badges: tuple[Say, ...]
    action: Action
    readout: Say
    headline: Say
    detail: str
    bars: tuple[Bar, ...]
    course: Course
    electrodes: tuple[Electrode, ...]
    attention: np.ndarray | None
    """(n_chans, n_bands), -1 to 1 on a log scale: 0 is an even share, ±1 is `attention_span` times more or less of
    it. NaN for an electrode that was left out. None where there is no reading to explain."""
    attention_span: int
    strip: tuple[tuple[str, Say], ...]
    """Name and value, left to right."""
    power: np.ndarray | None
    """(n_chans, n_bands): DE of the newest second, in standard deviations from the person's own baseline, or from what
    was usual so far. NaN for an electrode that was left out; None where there is none."""
    power_of: str
    """What it is compared with, in words."""
    ageing: bool
    """True while screen time runs on between samples, so that a stall is seen to grow."""


def view(
    health: Health, latest: Reading | None, readings: Sequence[Reading], markers: Sequence[Marker], now: float
) -> ViewState:
    """Everything to show at `now` (s, our clock). Pure: the same arguments give the same screen."""
    info, running = health.info, health.state in RUNNING
    current = latest if health.state is State.LIVE else None
    ageing = running and info is not None and info.paced
    attention, span = _attention(current)
    heard = running and health.state not in (State.STALLED, State.RECONNECTING)  # else nobody knows how they sit now
    electrodes = _electrodes(info, latest.quality if heard and latest else None)
    return ViewState(
        state=Say(STATE_WORDS[health.state], STATE_ROLES.get(health.state, "dim")),
        banner=_banner(health, current, readings, electrodes, now),
        badges=_badges(health, latest),
        action=Action("Stop") if running else Action("Start"),
        readout=_readout(latest),
        headline=_headline(health, current),
        detail=_detail(current, info),
        bars=_bars(current, latest),
        course=course_of(info, latest, readings, markers, now, ageing),
        electrodes=electrodes,
        attention=attention,
        attention_span=span,
        strip=strip(health, readings, markers),
        power=None,
        power_of="",
        ageing=ageing,
    )


def _banner(
    health: Health,
    current: Reading | None,
    readings: Sequence[Reading],
    electrodes: Sequence[Electrode],
    now: float,
) -> Say:
    """The one sentence that matters most now."""
    age_s = (health.sample_age_ms or 0.0) / 1000
    match health.state:
        case _ if health.fault is not None:
            return Say(str(health.fault), "bad")
        case State.FAILED:
            return Say("The run failed", "bad")
        case State.STALLED:
            return Say(f"No data for {age_s:.1f} s: readings are stopped until the stream is back", "warn")
        case State.RECONNECTING:
            return Say(f"Stream lost {age_s:.0f} s ago: looking for it again, readings are stopped", "warn")
        case State.CONNECTING:
            return Say("Connecting to the source", "info")
        case State.ENDED:
            return Say("The recording has ended: what you see is its last minute", "info")
        case State.IDLE:
            return Say("Press Start to read from the source above", "info")
    if health.notes and now - health.noted < NOTE_S:
        return Say(_sentence(health.notes[-1]), "warn")
    if isinstance(current, Abstained):
        return _why(current, readings, electrodes, health.info)
    if bad := [e for e in electrodes if e.is_bad]:
        return Say(f"Signal poor on {_named(bad)}: left out of the estimate", "warn")
    if current is None:
        return Say("Waiting for the first reading", "info")
    if fair := [e for e in electrodes if e.role == "warn"]:
        return Say(f"Signal only fair on {_named(fair)}", "ok")
    return Say(f"Signal good on all {len(electrodes)} electrodes", "ok")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _why(it: Abstained, readings: Sequence[Reading], electrodes: Sequence[Electrode], info: StreamInfo | None) -> Say:
    bad = [e for e in electrodes if e.is_bad]
    match it.why:
        case Why.SETTLING:
            return Say(f"Settling: {_to_go(it, readings, info)} s to go", "info")
        case Why.STALE:
            return Say("No new data: readings are stopped until the stream is back", "warn")
        case Why.GAP:
            return Say("Too many samples lost: the next reading needs an unbroken stretch", "warn")
        case Why.BAD_SIGNAL:
            return Say(f"Signal poor on {_named(bad)}: check these electrodes" if bad else "Signal poor", "warn")
        case Why.UNCALIBRATED if it.readout.evidence == "virtual":
            return Say(
                "This readout was trained on virtual people; on a real headset it stays silent until your own "
                "calibration has fitted it",
                "info",
            )
        case Why.UNCALIBRATED:
            return Say("This readout stays silent until your own calibration has fitted it", "info")
        case Why.MONTAGE:
            return Say("Too few usable electrodes for this network", "warn")
    return Say("Unsure: no label stands out", "info")


def _to_go(it: Abstained, readings: Sequence[Reading], info: StreamInfo | None) -> int:
    """Whole seconds of settling left, counted in stream time from where this settling began."""
    began = it.end
    for r in reversed(readings):
        if not (isinstance(r, Abstained) and r.why in (Why.SETTLING, Why.GAP)):
            break
        began = r.end
    done_s = (it.end - began) / info.sfreq if info else 0.0
    return max(1, math.ceil(SETTLE_S - done_s))


def _named(electrodes: Sequence[Electrode]) -> str:
    names = ", ".join(e.name for e in electrodes[:NAMED_CHANS])
    more = len(electrodes) - NAMED_CHANS
    return f"{names} and {more} more" if more > 0 else names


def _badges(health: Health, latest: Reading | None) -> tuple[Say, ...]:
    badges, info, recording = [], health.info, health.recording
    if recording is not None and health.state in RUNNING:
        size = f"{recording.n_bytes / 1e6:.1f} MB in {recording.path}"
        if recording.trouble:
            badges.append(Say("REC INCOMPLETE", "bad", f"{_sentence(recording.trouble)} ({size})"))
        else:
            badges.append(Say("REC", "ok", size))
    if info is not None and info.virtual:
        badges.append(Say("VIRTUAL PERSON", "virtual", "This signal is made by a simulation, not by a person."))
    if latest is not None and not latest.calibrated:
        badges.append(Say("not calibrated", "dim", "No personal calibration: estimates rest on other people's data."))
    return tuple(badges)


def _readout(latest: Reading | None) -> Say:
    if latest is None:
        return Say("", "dim")
    people = "virtual" if latest.readout.evidence == "virtual" else "real"
    return Say(f"readout {latest.readout.name} · trained on {people} people", "dim", ", ".join(latest.readout.labels))


def _headline(health: Health, current: Reading | None) -> Say:
    if isinstance(current, Estimate):
        top = int(np.argmax(current.probs))
        return Say(current.readout.labels[top], f"label{top}")
    if isinstance(current, Abstained):
        return Say(WHY_WORDS[current.why], "dim")
    return Say(STATE_WORDS[health.state].lower() if health.state is not State.LIVE else "waiting", "dim")


def _detail(current: Reading | None, info: StreamInfo | None) -> str:
    if isinstance(current, Estimate) and info is not None:
        span_s = (current.end - current.first) / info.sfreq
        return f"from the last {span_s:.0f} s, {100 * current.coverage:.0f} % of it usable"
    if isinstance(current, Abstained) and current.why is Why.UNSURE:
        return "for information: not an estimate"
    return "no estimate"


def _bars(current: Reading | None, latest: Reading | None) -> tuple[Bar, ...]:
    if latest is None:
        return ()
    labels = latest.readout.labels
    if current is None or current.probs is None:
        return tuple(Bar(label, None) for label in labels)
    sure = isinstance(current, Estimate)
    top = int(np.argmax(current.probs))
    return tuple(
        Bar(label, p, sure and i == top, not sure)
        for i, (label, p) in enumerate(zip(labels, current.probs, strict=True))
    )


def _electrodes(info: StreamInfo | None, quality: Quality | None) -> tuple[Electrode, ...]:
    if info is None:
        return ()
    if quality is None or len(quality.scores) != info.n_chans:
        return tuple(Electrode(name, None, "", "dim") for name in info.ch_names)
    found = []
    for name, score, fault in zip(info.ch_names, quality.scores, quality.faults, strict=True):
        role = "bad" if fault else "ok" if score >= GOOD_SCORE else "warn"
        found.append(Electrode(name, float(score), FAULT_WORDS[fault] if fault else "", role))
    return tuple(found)


def _attention(current: Reading | None) -> tuple[np.ndarray | None, int]:
    if not isinstance(current, Estimate):
        return None, 2
    good = current.quality.good
    share = np.where(good[:, None], np.asarray(current.attention, float), math.nan)
    ratio = share * max(1, good.sum())
    most = float(np.nanmax(ratio)) if good.any() else 1.0
    span = next((s for s in (2, 4, 8, 16) if most <= s), 32)
    return np.clip(np.log(np.maximum(ratio, 1e-6)) / math.log(span), -1, 1), span
