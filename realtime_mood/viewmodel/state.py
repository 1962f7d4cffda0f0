"""The view state: everything the window or the terminal shows at a moment, as text, numbers and colour roles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..body.history import BodyHistory
from ..dsp.reference import Derivation
from ..health import Health, State
from ..language import N_, _
from ..language.terms import SIMULATED
from ..types import Abstained, Estimate, Features, Marker, Reading, StreamInfo, Why
from .actions import RUNNING, Actions, RunRequest, actions_of
from .affect import PlaneView, plane_of, ranges
from .banner import banner_of
from .baseline import BaselineView, baseline_of
from .body import BodyView, body_of
from .corrections import badge, outcomes
from .course import EstimateHistory, course_of
from .electrodes import ElectrodeView, electrodes_of, known_quality, lanes_of
from .modalities import eyes_badge
from .notes import translated
from .strip import Timing, strip
from .words import STATE_ROLES, STATE_WORDS, WHY_WORDS, StyledText, first_upper

UNTIMED = Timing()
UNKNOWN = N_("training data unknown")
TRAINED_ON = {
    "real": N_("trained on real subjects"), "virtual": N_("trained on simulated subjects"),
    "own": N_("personal, from the subject's own calibration"),
    "own_virtual": N_("personal, from the simulated subject's own calibration"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelBar:
    """One label (translated where it is shown) and its probability; None if there is no estimate."""

    label: str
    prob: float | None
    is_top: bool = False
    dimmed: bool = False
    low: float | None = None  # the lower end of its whisker (`affect.ranges`); None if there were too few estimates
    high: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ViewState:
    """Everything a screen shows."""

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
    lanes: tuple[ElectrodeView, ...]  # of the traces: the electrodes, or what is derived from them
    attention: np.ndarray | None
    """(n_chans, n_bands), -1 to 1 on a log scale: 0 is an equal share, ±1 is `attention_span` times more or less.
    NaN for an electrode that was left out. None if there is no estimate."""
    attention_span: int
    strip: tuple[tuple[str, StyledText], ...]  # name and value, left to right
    power: np.ndarray | None
    """(n_chans, n_bands): DE of the newest second, in standard deviations from the subject's baseline, or from the mean
    of the run so far. NaN for an electrode that was left out; None if there is none."""
    power_of: str  # what it is compared with; translated
    plane: PlaneView
    ageing: bool  # whether the time axis moves on between samples, so that a stall becomes visible
    baseline: BaselineView  # the requests for a renewed baseline that are possible
    body: BodyView  # measures of the body, where a stream beside the EEG gives any
    outcomes: tuple[StyledText | None, StyledText | None]  # of the user's last renewal of the baseline and correction


def view(
    health: Health,
    latest: Reading | None,
    readings: Sequence[Reading],
    markers: Sequence[Marker],
    now: float,
    *,
    actions: Actions | None = None,
    normal: Features | None = None,
    kohm: np.ndarray | None = None,
    derivation: Derivation | None = None,
    timing: Timing = UNTIMED,
    body: BodyHistory | None = None,
) -> ViewState:
    """Everything to show at `now` (s, our clock). A pure function of its arguments and the language.

    `normal` are the newest input features of the network, `kohm` (n_chans,) the last measured impedances (kΩ), and
    `derivation` is that of the traces, `timing` says how fast the window itself is, and `body` has the measures of the
    body.
    """
    info, running = health.info, health.state in RUNNING
    current = latest if health.state is State.LIVE else None
    ageing = running and info is not None and info.paced
    attention, span = _attention(current)
    current_quality = running and health.state not in (State.STALLED, State.RECONNECTING)
    corrections = latest.corrections if latest and running else None
    baseline = baseline_of(latest.drift if latest and running else None)
    body_view = body_of(body if info is not None and running else None, now)
    electrodes = electrodes_of(info, known_quality(latest, readings) if current_quality else None, kohm)
    return ViewState(
        state=StyledText(_(STATE_WORDS[health.state]), STATE_ROLES.get(health.state, "dim")),
        banner=banner_of(health, current, readings, electrodes, now),
        badges=(*_badges(health, latest), *filter(None, (eyes_badge(latest), baseline.badge, badge(corrections)))),
        actions=actions or actions_of(Health(), RunRequest(""), stopping=False),
        readout=_readout(latest, info),
        headline=_headline(health, current),
        detail=_detail(current, info),
        bars=_bars(current, latest, ranges(readings, info.sfreq) if info and running else None),
        course=course_of(info, latest, readings, markers, now, ageing),
        electrodes=electrodes,
        lanes=lanes_of(electrodes, derivation),
        attention=attention,
        attention_span=span,
        strip=(*strip(health, readings, markers, timing), *([(N_("body"), cell)] if (cell := body_view.cell) else [])),
        power=_power(current, normal),
        power_of=_("the subject's baseline") if latest is not None and latest.calibrated else _("the mean so far"),
        plane=plane_of(current, latest, readings, info.sfreq) if info else PlaneView(),
        ageing=ageing,
        baseline=baseline,
        body=body_view,
        outcomes=outcomes(latest.drift if latest else None, corrections),
    )


def _badges(health: Health, latest: Reading | None) -> tuple[StyledText, ...]:
    badges, info, recording = [], health.info, health.recording
    if recording is not None and health.state in RUNNING:
        size = _("{mb:.1f} MB in {path}", mb=recording.n_bytes / 1e6, path=recording.path)
        if recording.trouble:
            badges.append(
                StyledText(_("REC INCOMPLETE"), "bad", f"{first_upper(translated(recording.trouble))} ({size})")
            )
        else:
            badges.append(StyledText(_("REC"), "ok", size))
    elif health.autosave is not None and health.autosave.trouble and health.state in RUNNING:
        tip = first_upper(translated(health.autosave.trouble))
        badges.append(StyledText(_("AUTOSAVE INCOMPLETE"), "bad", tip))
    if health.leaving and health.state in RUNNING:
        tip = "\n".join(first_upper(translated(note)) for note in health.leaving)
        badges.append(StyledText(_("ON THE NETWORK"), "warn", tip))
    if info is not None and info.virtual:
        badges.append(StyledText(_(SIMULATED), "virtual", _("This signal is simulated.")))
    if latest is not None and not latest.calibrated:
        tip = _("No personal calibration: estimates are based on data of other subjects.")
        badges.append(StyledText(_("not calibrated"), "dim", tip))
    return tuple(badges)


def _readout(latest: Reading | None, info: StreamInfo | None) -> StyledText:
    if latest is None:
        return StyledText("", "dim")
    evidence = latest.readout.evidence
    if evidence == "own" and info is not None and info.virtual:
        evidence = "own_virtual"
    origin, tip, role = _(TRAINED_ON.get(evidence, UNKNOWN)), ", ".join(map(_, latest.readout.labels)), "dim"
    if (shown := latest.readout.held_out) is not None:
        words = N_("shown on {subjects}") if shown.valid else N_("NOT SHOWN to work on {subjects}")
        origin, tip, role = (
            _(words, subjects=shown.subjects()),
            f"{tip}: {shown.figure()}",
            role if shown.valid else "warn",
        )
    return StyledText(_("readout {name} · {origin}", name=latest.readout.name, origin=origin), role, tip)


def _headline(health: Health, current: Reading | None) -> StyledText:
    if isinstance(current, Estimate):
        top = int(np.argmax(current.probs))
        return StyledText(_(current.readout.labels[top]), f"label{top}")
    if isinstance(current, Abstained):
        return StyledText(_(WHY_WORDS[current.why]), "dim")
    return StyledText(_("waiting") if health.state is State.LIVE else _(STATE_WORDS[health.state]).lower(), "dim")


def _detail(current: Reading | None, info: StreamInfo | None) -> str:
    if isinstance(current, Estimate) and info is not None:
        span_s = (current.end - current.first) / info.sfreq
        return _("last {seconds:.0f} s, {percent:.0f} % usable", seconds=span_s, percent=100 * current.coverage)
    if isinstance(current, Abstained) and current.why is Why.UNSURE:
        return _("for information only")
    return _("no estimate")


def _bars(
    current: Reading | None, latest: Reading | None, recent: list[tuple[float, float]] | None
) -> tuple[LabelBar, ...]:
    if latest is None:
        return ()
    labels = latest.readout.labels
    if current is None or current.probs is None:
        return tuple(LabelBar(label, None) for label in labels)
    sure = isinstance(current, Estimate)
    top = int(np.argmax(current.probs))
    spread = recent if sure and recent is not None else [(None, None)] * len(labels)
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
    """Band power of the newest second, if there is a reading of it."""
    if current is None or normal is None or normal.step_mask[-1]:
        return None
    return np.where(normal.quality.good[:, None], normal.de[-1], math.nan)
