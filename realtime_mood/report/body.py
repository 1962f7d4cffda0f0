"""The measures of the body in a recording: their course, and how long each was valid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..body.measure import NO_SIGNAL, UNITS
from ..errors import MoodError
from ..recording.reader import Recorded
from ..recording.xdf_session import WHYS
from .course import MOST_BINS
from .readings import Floats


@dataclass(frozen=True, slots=True, eq=False)
class BodySummary:
    """One measure of the body."""

    name: str  # a key of `UNITS`
    unit: str
    course: Floats  # (n_bins,): mean of the valid values; NaN where there is none
    percentiles: tuple[float, float, float]  # 5th, 50th and 95th of the valid values; NaN without any
    valid: float  # share of its readings that are valid
    whys: tuple[tuple[str, float], ...]  # reasons why it was not, with their share, the most frequent first


@dataclass(frozen=True, slots=True, eq=False)
class RecordedBody:
    """The measures that a stream of the recording gave at some time."""

    edges: Floats  # (n_bins + 1,) s
    measures: tuple[BodySummary, ...] = ()


def body_of(recorded: Recorded, duration_s: float) -> RecordedBody:
    """The measures of the body in a recording of so many seconds."""
    n_bins = int(np.clip(np.ceil(duration_s), 1, MOST_BINS))
    edges = np.linspace(0, max(duration_s, 1e-3), n_bins + 1)
    try:
        t, rows = recorded.body()
    except MoodError:  # a damaged stream costs its figures only
        return RecordedBody(edges)
    cell = np.clip(np.searchsorted(edges, t, "left") - 1, 0, n_bins - 1)  # a reading is of the second before it
    found = []
    for name in UNITS:
        values, codes = rows.get(name), rows.get(f"{name} why")
        if values is None or codes is None or not len(t):
            continue
        whys = [WHYS[int(code)] if 0 <= code < len(WHYS) else "" for code in codes]
        if all(why == NO_SIGNAL for why in whys):
            continue
        there = np.isfinite(values)
        count = np.bincount(cell[there], minlength=n_bins)
        total = np.bincount(cell[there], values[there], minlength=n_bins)
        low, middle, high = np.percentile(values[there], (5, 50, 95)) if there.any() else (np.nan,) * 3
        found.append(BodySummary(
            name, UNITS[name], np.where(count > 0, total / np.maximum(count, 1), np.nan),
            (float(low), float(middle), float(high)), float(there.mean()),
            tuple((why, n / len(whys)) for why, n in Counter(filter(None, whys)).most_common()),
        ))  # fmt: skip
    return RecordedBody(edges, tuple(found))
