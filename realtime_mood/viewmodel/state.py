"""Turns one look at the engine into everything a screen says: words, numbers and colours by role. Knows no toolkit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..health import Health, State
from ..types import Abstained, Estimate, Features, Marker, Reading, StreamInfo, Why
from .actions import RUNNING, Actions, RunRequest, actions_of
from .affect import PlaneView, plane_of, ranges
from .banner import banner_of, sentence
from .course import EstimateHistory, course_of
from .electrodes import ElectrodeView, electrodes_of
from .strip import Timing, strip
from .words import STATE_ROLES, STATE_WORDS, WHY_WORDS, StyledText

UNTIMED = Timing()
NO_ACTIONS = actions_of(Health(), RunRequest(""), stopping=False)


@dataclass(frozen=True, slots=True)
class LabelBar:
    """One label's probability; None where there is no answer."""

    label: str
    prob: float | None
    is_top: bool = False
    dimmed: bool = False
    low: float | None = None
    """Where its whisker begins (`affect.ranges`); None where too little was said."""
    high: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ViewState:
    """All that a screen shows."""

    state: StyledText
    banner: StyledText
    badges: tuple[StyledText, ...]
    actions: Actions
    readout: StyledText
    headline: StyledText
    detail: str
    bars: tuple[LabelBar, ...]
    course: EstimateHistory
    electrodes: tuple[ElectrodeView, ...]
    attention: np.ndarray | None
    """(n_chans, n_bands), -1 to 1 on a log scale: 0 is an even share, ±1 is `attention_span` times more or less of
    it. NaN for an electrode that was left out. None where there is no reading to explain."""
    attention_span: int
    strip: tuple[tuple[str, StyledText], ...]
    """Name and value, left to right."""
    power: np.ndarray | None
    """(n_chans, n_bands): DE of the newest second, in standard deviations from the person's own baseline, or from what
    was usual so far. NaN for an electrode that was left out; None where there is none."""
    power_of: str
    """What it is compared with, in words."""
    plane: PlaneView
    ageing: bool
    """True while screen time runs on between samples, so that a stall is seen to grow."""


def view(
    health: Health,
    latest: Reading | None,
    readings: Sequence[Reading],
    markers: Sequence[Marker],
    now: float,
    *,
    actions: Actions = NO_ACTIONS,
    normal: Features | None = None,
    kohm: np.ndarray | None = None,
    timing: Timing = UNTIMED,
) -> ViewState:
    """Everything to show at `now` (s, our clock). Pure: the same arguments give the same screen.

    Parameters
    ----------
    normal : Features, optional
        The newest features as the network is given them.
    kohm : ndarray, (n_chans,), optional
        What the device last measured under its electrodes.
    timing : Timing
        How the window itself is doing.
    """
    info, running = health.info, health.state in RUNNING
    current = latest if health.state is State.LIVE else None
    ageing = running and info is not None and info.paced
    attention, span = _attention(current)
    heard = running and health.state not in (State.STALLED, State.RECONNECTING)  # else nobody knows how they sit now
    electrodes = electrodes_of(info, latest.quality if heard and latest else None, kohm)
    return ViewState(
        state=StyledText(STATE_WORDS[health.state], STATE_ROLES.get(health.state, "dim")),
        banner=banner_of(health, current, readings, electrodes, now),
        badges=_badges(health, latest),
        actions=actions,
        readout=_readout(latest, info),
        headline=_headline(health, current),
        detail=_detail(current, info),
        bars=_bars(current, latest, ranges(readings, info.sfreq) if info and running else None),
        course=course_of(info, latest, readings, markers, now, ageing),
        electrodes=electrodes,
        attention=attention,
        attention_span=span,
        strip=strip(health, readings, markers, timing),
        power=_power(current, normal),
        power_of="your own baseline" if latest is not None and latest.calibrated else "what was usual so far",
        plane=plane_of(current, latest, readings, info.sfreq) if info else PlaneView(),
        ageing=ageing,
    )


def _badges(health: Health, latest: Reading | None) -> tuple[StyledText, ...]:
    badges, info, recording = [], health.info, health.recording
    if recording is not None and health.state in RUNNING:
        size = f"{recording.n_bytes / 1e6:.1f} MB in {recording.path}"
        if recording.trouble:
            badges.append(StyledText("REC INCOMPLETE", "bad", f"{sentence(recording.trouble)} ({size})"))
        else:
            badges.append(StyledText("REC", "ok", size))
    if info is not None and info.virtual:
        badges.append(StyledText("VIRTUAL PERSON", "virtual", "This signal is made by a simulation, not by a person."))
    if latest is not None and not latest.calibrated:
        badges.append(
            StyledText("not calibrated", "dim", "No personal calibration: estimates rest on other people's data.")
        )
    return tuple(badges)


def _readout(latest: Reading | None, info: StreamInfo | None) -> StyledText:
    if latest is None:
        return StyledText("", "dim")
    person = "virtual person" if info is not None and info.virtual else "person"
    origin = {
        "real": "trained on real people",
        "virtual": "trained on virtual people",
        "own": f"personal, from this {person}'s own calibration",
    }.get(latest.readout.evidence, "it does not say on whom it was trained")
    return StyledText(f"readout {latest.readout.name} · {origin}", "dim", ", ".join(latest.readout.labels))


def _headline(health: Health, current: Reading | None) -> StyledText:
    if isinstance(current, Estimate):
        top = int(np.argmax(current.probs))
        return StyledText(current.readout.labels[top], f"label{top}")
    if isinstance(current, Abstained):
        return StyledText(WHY_WORDS[current.why], "dim")
    return StyledText(STATE_WORDS[health.state].lower() if health.state is not State.LIVE else "waiting", "dim")


def _detail(current: Reading | None, info: StreamInfo | None) -> str:
    if isinstance(current, Estimate) and info is not None:
        span_s = (current.end - current.first) / info.sfreq
        return f"last {span_s:.0f} s, {100 * current.coverage:.0f} % usable"
    if isinstance(current, Abstained) and current.why is Why.UNSURE:
        return "for information only"
    return "no estimate"


def _bars(
    current: Reading | None, latest: Reading | None, said: list[tuple[float, float]] | None
) -> tuple[LabelBar, ...]:
    if latest is None:
        return ()
    labels = latest.readout.labels
    if current is None or current.probs is None:
        return tuple(LabelBar(label, None) for label in labels)
    sure = isinstance(current, Estimate)
    top = int(np.argmax(current.probs))
    spread = said if sure and said is not None else [(None, None)] * len(labels)
    return tuple(
        LabelBar(label, p, sure and i == top, not sure, *between)
        for i, (label, p, between) in enumerate(zip(labels, current.probs, spread, strict=True))
    )


def _attention(current: Reading | None) -> tuple[np.ndarray | None, int]:
    if not isinstance(current, Estimate):
        return None, 2
    good = current.quality.good
    share = np.where(good[:, None], np.asarray(current.attention, float), math.nan)
    ratio = share * max(1, good.sum())
    most = float(np.nanmax(ratio)) if good.any() else 1.0
    span = next((s for s in (2, 4, 8, 16) if most <= s), 32)
    return np.clip(np.log(np.maximum(ratio, 1e-6)) / math.log(span), -1, 1), span


def _power(current: Reading | None, normal: Features | None) -> np.ndarray | None:
    """Of the newest second, where there is a reading that rests on it."""
    if current is None or normal is None or normal.step_mask[-1]:
        return None
    return np.where(normal.quality.good[:, None], normal.de[-1], math.nan)
