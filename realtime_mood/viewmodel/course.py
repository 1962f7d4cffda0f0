"""The last minute of estimates: lines, gaps with their reason, markers, and the true states of a simulated subject."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..language import N_, _
from ..sources.synthetic.person import STATES
from ..types import Abstained, Estimate, Marker, Reading, StreamInfo, Why
from .words import WHY_WORDS

COURSE_S = 60.0
MOST_MARKS = 100  # more could not be distinguished
NO_DATA = N_("no data")


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A stretch of the time course: seconds before now (negative), and its state or reason."""

    t0: float
    t1: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class EstimateHistory:
    """The last `COURSE_S` seconds of readings, in stream time with 0 at now."""

    labels: tuple[str, ...]
    t: np.ndarray  # (n,) seconds, ascending and negative
    probs: np.ndarray  # (n, n_labels); NaN where there was no estimate
    gaps: tuple[StateSpan, ...]  # where there was no estimate, and why; translated
    truth: tuple[StateSpan, ...]  # the true states of a simulated subject, as their labels
    chance: float
    marks: tuple[tuple[float, str], ...] = ()  # other markers: seconds before now, and text

    def same_as(self, other: EstimateHistory) -> bool:
        """Whether both would look the same."""
        return (
            self.labels == other.labels
            and np.array_equal(self.t, other.t)
            and np.array_equal(self.probs, other.probs, equal_nan=True)
            and (self.gaps, self.truth, self.marks) == (other.gaps, other.truth, other.marks)
        )


def course_of(
    info: StreamInfo | None,
    latest: Reading | None,
    readings: Sequence[Reading],
    markers: Sequence[Marker],
    now: float,
    ageing: bool,
) -> EstimateHistory:
    """The readings and true states of the last minute; with `ageing`, now is later than the newest sample."""
    if info is None or latest is None:
        return EstimateHistory((), np.empty(0), np.empty((0, 0)), (), (), 0.0)
    labels = latest.readout.labels
    # A stale reading ends at the same sample as the one before it: it takes no stream time, only time passes.
    fresh = [
        r for r in readings if r.readout.labels == labels and not (isinstance(r, Abstained) and r.why is Why.STALE)
    ]
    newest = fresh[-1] if fresh else latest
    edge = newest.end / info.sfreq + (min(max(0.0, now - newest.t_last), COURSE_S) if ageing else 0.0)
    kept = [r for r in fresh if r.end / info.sfreq - edge >= -COURSE_S]
    t = np.array([r.end / info.sfreq - edge for r in kept])
    nothing = (math.nan,) * len(labels)
    probs = np.array([r.probs if isinstance(r, Estimate) else nothing for r in kept]).reshape(-1, len(labels))
    hop = float(np.median(np.diff(t))) if len(t) > 1 else 0.25
    t, probs, gaps = _breaks(kept, t, probs, max(hop, 1e-3))
    marks = tuple(
        (m.index / info.sfreq - edge, m.text)
        for m in markers[-MOST_MARKS:]
        if m.text not in STATES and -COURSE_S < m.index / info.sfreq - edge <= 0
    )
    return EstimateHistory(labels, t, probs, gaps, _truth(info, labels, markers, edge), 1 / len(labels), marks)


def _breaks(
    kept: Sequence[Reading], t: np.ndarray, probs: np.ndarray, hop: float
) -> tuple[np.ndarray, np.ndarray, tuple[StateSpan, ...]]:
    """Join neighbouring abstentions into spans, and break the lines where readings are missing altogether."""
    spans: list[StateSpan] = []

    def absent(t0: float, t1: float, text: str) -> None:
        if spans and spans[-1].text == text and t0 - spans[-1].t1 < hop / 2:
            spans[-1] = StateSpan(spans[-1].t0, t1, text)
        else:
            spans.append(StateSpan(t0, t1, text))

    cuts = list[int]()
    for i, r in enumerate(kept):
        before = t[i - 1] if i else t[i] - hop
        if t[i] - before > 2.5 * hop:  # readings that were skipped, or a stall that has passed
            cuts.append(i)
            absent(before, t[i] - hop, _(NO_DATA))
            before = t[i] - hop
        if isinstance(r, Abstained):
            absent(max(before, -COURSE_S), t[i], _(WHY_WORDS[r.why]))
    if len(t) and -t[-1] > max(1.0, 2.5 * hop):  # nothing has arrived for a while
        absent(t[-1], 0.0, _(NO_DATA))
    return np.insert(t, cuts, t[cuts] if cuts else 0), np.insert(probs, cuts, math.nan, axis=0), tuple(spans)


def _truth(info: StreamInfo, labels: tuple[str, ...], markers: Sequence[Marker], edge: float) -> tuple[StateSpan, ...]:
    if not info.virtual:
        return ()
    at = [(m.index / info.sfreq - edge, m.text) for m in markers if m.text in STATES]  # no keys or faults
    states = [(t, text) for t, text in at if t <= 0]
    spans = [StateSpan(max(t0, -COURSE_S), t1, text) for (t0, text), (t1, _end) in pairwise([*states, (0.0, "")])]
    return tuple(s for s in spans if s.text in labels and s.t1 > -COURSE_S)
