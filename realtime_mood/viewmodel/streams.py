"""The streams beside the EEG as a panel shows them: state, figures, the last seconds of each, and their markers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..aux_ring import AuxRing, AuxSamples
from ..auxiliary import STRING
from ..eyes.layout import shown_layout_of
from ..health import AuxState, Health, State
from ..language import N_, _, number
from ..ring import RingBuffer
from ..sources.marker_words import texts_of
from ..sources.synthetic.person import STATES
from ..types import Marker
from .actions import RUNNING
from .body import BodyView
from .envelope import envelope, share_of_range
from .gaze import GazeView, gaze_of
from .marks import Mark
from .session_lines import SessionLine, session_lines
from .strip import stream_line
from .words import STATE_ROLES, STATE_WORDS, STREAM_WORDS, StyledText

TRACE_S = 10.0
MOST_LINES = 3  # channels that are drawn of one stream
MOST_MARKS = 60  # the newest; more could not be read
SAME_S = 0.05  # a marker of the run and a text of a stream that are closer are the same
NO_BODY = BodyView()
KIND_WORDS = {
    "markers": N_("markers"), "eyes": N_("eyes"), "pulse": N_("pulse"), "motion": N_("motion"), "skin": N_("skin"),
    "breathing": N_("breathing"), "eeg": "EEG", "other": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class StreamView:
    """One stream; texts are translated."""

    name: str
    kind: str
    state: StyledText
    facts: str  # measured rate, and age of the newest sample
    lost: StyledText
    tip: str
    lines: tuple[np.ndarray, ...] = ()
    """Of each channel drawn (n, 2): seconds before now, and height from 0 to 1; NaN where a line is broken."""
    ticks: tuple[float, ...] = ()
    """Seconds before now of each sample of a stream of texts."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamsView:
    """Everything that the panel shows."""

    streams: tuple[StreamView, ...] = ()
    marks: tuple[Mark, ...] = ()
    gaze: GazeView | None = None  # None without a gaze stream
    body: tuple[SessionLine, ...] = ()  # measures of the body over the session


def streams_view(
    health: Health, rings: Sequence[AuxRing], markers: Sequence[Marker], raw: RingBuffer | None, now: float,
    n_columns: int, body: BodyView = NO_BODY,
) -> StreamsView:  # fmt: skip
    """What to show at `now` (s, our clock), with about `n_columns` px for `TRACE_S` seconds.

    `rings` are those of `Engine.streams`, `markers` those of the run and `raw` the ring of its EEG.
    """
    by_url = {ring.info.url: ring for ring in rings}
    streams, marks, gaze = list[StreamView](), _of_the_run(markers, raw, now), None
    for state in health.streams:
        lines: tuple[np.ndarray, ...] = ()
        ticks: tuple[float, ...] = ()
        if (ring := by_url.get(state.url)) is not None:
            samples = ring.since(now - TRACE_S)
            if is_text(ring):
                ticks = tuple((samples.stamps[-MOST_MARKS:] - now).tolist())
                marks += [] if ring.info.in_markers else _texts(ring, samples, now)
            else:
                lines = _lines(ring, samples, now, n_columns)
                if gaze is None and ring.info.kind == "eyes":
                    gaze = gaze_of(ring, now)
        streams.append(_stream(state, health.state in RUNNING, lines, ticks))
    marks.sort(key=lambda mark: mark.t)
    return StreamsView(tuple(streams), tuple(_distinct(marks)[-MOST_MARKS:]), gaze, session_lines(body, n_columns // 2))


def is_text(ring: AuxRing) -> bool:
    """Whether each sample of a stream is an event: texts, or irregular codes."""
    return ring.info.format == STRING or (ring.info.kind == "markers" and not ring.info.sfreq)


def _stream(state: AuxState, running: bool, lines: tuple[np.ndarray, ...], ticks: tuple[float, ...]) -> StreamView:
    words = STREAM_WORDS if running else STATE_WORDS
    phase = state.state if running else State.ENDED
    rate = (
        ""
        if state.rate_hz is None
        else _("{rate} Hz", rate=number(state.rate_hz, ".1f" if state.rate_hz >= 10 else ".2f"))
    )
    age = "" if state.age_s is None or not running else _age(state.age_s)
    lost = "" if state.age_s is None else _("{n:,} lost", n=state.lost)
    return StreamView(
        state.name or state.url, _(KIND_WORDS.get(state.kind, state.kind)) if state.kind else "",
        StyledText(_(words[phase]), STATE_ROLES.get(phase, "dim")), " · ".join(filter(None, (rate, age))),
        StyledText(lost, "warn" if state.lost else "dim"), stream_line(state), lines, ticks,
    )  # fmt: skip


def _age(seconds: float) -> str:
    if seconds < 100:
        return _("{seconds} s ago", seconds=number(seconds, ".1f" if seconds < 10 else ".0f"))
    return _("{minutes} min ago", minutes=number(seconds / 60, ".0f"))


def _lines(ring: AuxRing, samples: AuxSamples, now: float, n_columns: int) -> tuple[np.ndarray, ...]:
    """The first channels, or where the eyes look, each over the range that it has."""
    layout = shown_layout_of(ring.info) if ring.info.kind == "eyes" else None
    which = list(layout.xy if layout else range(min(MOST_LINES, ring.info.n_chans)))
    values = samples.values[:, which].astype(np.float64)
    t, points = envelope(samples.stamps, values, TRACE_S / max(n_columns, 1), ring.info.sfreq)
    return tuple(np.column_stack([t - now, share_of_range(column)]) for column in points.T)


def _of_the_run(markers: Sequence[Marker], raw: RingBuffer | None, now: float) -> list[Mark]:
    """Markers of the run, which are counted in samples of the EEG."""
    if raw is None or not raw.end:
        return []
    newest = raw.latest(1)
    marks = list[Mark]()
    for marker in markers[-MOST_MARKS:]:
        t = newest.t_last - (newest.end - 1 - marker.index) / raw.info.sfreq - now
        if marker.text not in STATES and -TRACE_S < t <= 0:
            marks.append(Mark((marker.index, marker.text), t, marker.text))
    return marks


def _texts(ring: AuxRing, samples: AuxSamples, now: float) -> list[Mark]:
    info, marks = ring.info, list[Mark]()
    for row, stamp in zip(samples.values[-MOST_MARKS:], samples.stamps[-MOST_MARKS:].tolist(), strict=True):
        marks += [
            Mark((info.url, stamp, text), min(0.0, stamp - now), text)
            for text in texts_of(row, info.type, info.ch_names)
        ]
    return marks


def _distinct(marks: Sequence[Mark]) -> list[Mark]:
    """Without those that came twice: with the EEG's file or board, and as a stream of their own."""
    kept, when = list[Mark](), dict[str, float]()
    for mark in marks:
        if mark.t - when.get(mark.text, -np.inf) > SAME_S:
            kept.append(mark)
        when[mark.text] = mark.t
    return kept
