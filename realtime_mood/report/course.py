"""Readings binned over stream time for a figure: means and extremes of the probabilities, shares of the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .readings import KINDS, Floats, RecordedReadings

MOST_BINS = 600  # more than a picture shows side by side
LEAST = 1e-6  # share of a bin below which nothing of it counts: sums of times are no more exact
SINGLE = 1.05  # a bin wider than so many usual times between readings holds several


@dataclass(frozen=True, slots=True, eq=False)
class SessionCourse:
    """Probabilities and reasons over time, in bins of equal width."""

    edges: Floats  # (n_bins + 1,) s
    mean: Floats  # (n_labels, n_bins): mean probability over the estimates of a bin; NaN where there was none
    low: Floats  # (n_labels, n_bins): the lowest of them
    high: Floats  # (n_labels, n_bins): the highest of them
    shares: Floats  # (n_kinds, n_bins): share of the bin for each of `KINDS`
    lost: Floats  # (n_bins,): share of the bin's samples that are not in the recording
    binned: bool  # True where a bin holds several readings

    @property
    def bin_s(self) -> float:
        return float(self.edges[1] - self.edges[0])

    @property
    def nothing(self) -> Floats:
        """(n_bins,): share of the bin without a reading."""
        return np.asarray(np.clip(1 - self.shares.sum(axis=0), 0, 1))


def course_of(readings: RecordedReadings, duration_s: float, gaps: Sequence[tuple[float, float]] = ()) -> SessionCourse:
    """The course of a recording of `duration_s` seconds; samples are missing in `gaps`: begin and end (s), in order."""
    duration_s = max(duration_s, 1e-3)
    hop_s = float(np.median(readings.held[readings.held > 0])) if (readings.held > 0).any() else duration_s
    n = int(np.clip(np.ceil(duration_s / hop_s - 0.01), 1, MOST_BINS))
    edges = np.linspace(0, duration_s, n + 1)
    width, begin, end = duration_s / n, readings.t - readings.held, readings.t
    shares = np.array([_seconds(begin, end, readings.kind == k, edges) for k in range(len(KINDS))]) / width
    there = shares[0] > LEAST
    mean, low, high = (np.full((len(readings.labels), n), np.nan) for _ in range(3))
    for k, probs in enumerate(readings.probs.T):
        sums = _seconds(begin, end, np.nan_to_num(probs), edges) / width
        mean[k, there] = sums[there] / shares[0, there]
        low[k], high[k] = _extremes(begin, end, probs, edges)
    low[:, ~there] = high[:, ~there] = np.nan
    spans = np.array(gaps, float).reshape(-1, 2)
    lost = _seconds(spans[:, 0], spans[:, 1], np.ones(len(spans)), edges) / width
    return SessionCourse(edges, mean, low, high, shares, lost, width > SINGLE * hop_s)


def _seconds(begin: Floats, end: Floats, value: np.ndarray, edges: Floats) -> Floats:
    """Integral over each bin of what is `value` from `begin` to `end`, spans in order that do not overlap."""
    if not len(begin):
        return np.zeros(len(edges) - 1)
    at = np.column_stack([begin, end]).ravel()
    steps = np.column_stack([np.zeros(len(begin)), (end - begin) * value]).ravel()
    return np.diff(np.interp(edges, at, np.cumsum(steps)))


def _extremes(begin: Floats, end: Floats, value: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """The lowest and the highest `value` in each bin, of spans that reach into it by more than a rounding error."""
    n, width = len(edges) - 1, edges[1] - edges[0]
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    first = np.clip(np.floor(begin / width + 1e-3), 0, n - 1).astype(int)
    last = np.clip(np.ceil(end / width - 1e-3) - 1, first, n - 1).astype(int)
    for k in range(int((last - first).max(initial=0)) + 1):
        reach = (first + k <= last) & np.isfinite(value)
        np.minimum.at(low, (first + k)[reach], value[reach])
        np.maximum.at(high, (first + k)[reach], value[reach])
    return low, high
