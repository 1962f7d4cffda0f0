"""One-to-one matching of markers with the onsets of light or sound that they announce."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

SEARCH_S = 0.5  # how far the usual delay may be from zero (s)
WIDTH_S = 0.02  # delays that lie this close together (s) count as the same when the usual one is searched for
ALIKE = 0.9  # another delay with this share of the pairs of the usual one could as well be the right one


class Matching(NamedTuple):
    """Which marker belongs to which onset."""

    markers: np.ndarray  # (k,) positions of the matched markers, increasing
    onsets: np.ndarray  # (k,) the onset of each
    usual_s: float  # the usual delay (s)
    other_s: float | None  # another delay that fits as well (s); None where there is none


def match(markers: np.ndarray, onsets: np.ndarray, within_s: float) -> Matching:
    """Match sorted times of markers and onsets (s): each at most once, as close to the usual delay as possible.

    The usual delay is where most pairs of a marker and an onset lie, at most `SEARCH_S` from zero; an onset belongs to
    a marker only if it is at most `within_s` from that. Of all such assignments, the one with the least sum of
    distances is taken, where a marker without an onset counts as one at the distance `within_s` (a linear assignment
    problem; Jonker and Volgenant 1987, Computing 38:325-340).
    """
    usual, other = _usual_delay(_pairs(markers, onsets, -SEARCH_S, SEARCH_S)[2], within_s)
    row, column, delay = _pairs(markers, onsets, usual - within_s, usual + within_s)
    n, m = len(markers), len(onsets)
    if not len(row):
        return Matching(np.empty(0, np.intp), np.empty(0, np.intp), usual, other)
    # Column m + i stands for "no onset" of marker i. A weight must not be zero: 1 is added to each.
    weights = np.concatenate((1 + np.abs(delay - usual) / within_s, np.full(n, 2.0)))
    rows, columns = np.concatenate((row, np.arange(n))), np.concatenate((column, m + np.arange(n)))
    which, partner = min_weight_full_bipartite_matching(csr_array((weights, (rows, columns)), shape=(n, m + n)))
    found = partner < m
    return Matching(which[found], partner[found], usual, other)


def _pairs(markers: np.ndarray, onsets: np.ndarray, low: float, high: float) -> tuple[np.ndarray, ...]:
    """Positions and delay of every marker and onset whose delay is between `low` and `high` (s)."""
    begin, end = np.searchsorted(onsets, markers + low, "left"), np.searchsorted(onsets, markers + high, "right")
    row = np.repeat(np.arange(len(markers)), end - begin)
    column = np.arange(len(row)) - np.repeat(np.cumsum(end - begin) - end, end - begin)
    return row, column, onsets[column] - markers[row]


def _usual_delay(delays: np.ndarray, within_s: float) -> tuple[float, float | None]:
    """The median of the most frequent delays, and another one that is nearly as frequent."""
    if not len(delays):
        return 0.0, None
    delays = np.sort(delays)
    end = np.searchsorted(delays, delays + WIDTH_S, "right")
    count = end - np.arange(len(delays))
    most = np.flatnonzero(count == count.max())
    centres = np.array([np.median(delays[i : end[i]]) for i in most])
    usual = float(centres[np.argmin(np.abs(centres))])
    far = (np.abs(delays - usual) > within_s + WIDTH_S) & (count >= max(2, ALIKE * count.max()))
    return usual, float(delays[np.flatnonzero(far)[0]]) if far.any() else None
