"""Detection of the onsets of light and sound in a sampled signal, by two levels and the crossing between them.

References
----------
1. IEEE Std 181-2011, Transitions, Pulses, and Related Waveforms: the instant of a transition is where the signal
   crosses the middle (50 %) between its two state levels.
2. N. Otsu 1979, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9:62-66: the threshold that
   best separates two groups of values; the state levels are the medians of the groups.
3. O. H. Schmitt 1938, A thermionic trigger, J. Sci. Instrum. 15:24-26: two thresholds, so that noise does not switch.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter1d

Edge = Literal["rise", "fall", "both"]
SignalKind = Literal["light", "sound"]
MIDDLE, MARGIN = 0.5, 0.15  # the crossing, and how far from it the two thresholds are, as shares of the step
HOLD_S = 0.03
"""A signal that falls for less than this (s) is still on: screens that draw each image with a short flash, and
the zeros of a sound wave."""
BINS = 512
EXTREMES = (0.02, 99.98)  # percentiles between which the levels are searched
OF_A_STATE = 90  # per cent of the values of a state that must lie on its side of the thresholds
LEAST_S = 0.2  # shortest signal in which levels can be found (s)


class Levels(NamedTuple):
    """The two levels of a signal, in its unit."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """The value at a share of the step from `low` to `high`."""
        return self.low + share * (self.high - self.low)


def prepared(values: np.ndarray, sfreq: float, kind: SignalKind, flicker_hz: float | None = None) -> np.ndarray:
    """The signal, (n,), in which the levels are distinct.

    Of sound, its amplitude: the largest distance from the median within the last `HOLD_S`. Light that flickers with
    `flicker_hz` is averaged over one period, centred, which removes the flicker and keeps the middle of each step.
    """
    values = np.asarray(values, np.float64)
    if flicker_hz:
        width, at = sfreq / flicker_hz, np.arange(len(values)) + 0.5
        total, edges = np.concatenate(([0.0], np.cumsum(values))), np.arange(len(values) + 1)
        begin, end = np.maximum(at - width / 2, 0), np.minimum(at + width / 2, len(values))
        values = (np.interp(end, edges, total) - np.interp(begin, edges, total)) / (end - begin)
    if kind == "light":
        return values
    size = max(1, round(HOLD_S * sfreq)) // 2 * 2 + 1
    return np.asarray(maximum_filter1d(np.abs(values - np.median(values)), size, origin=size // 2, mode="nearest"))


def levels_of(values: np.ndarray) -> Levels | None:
    """The two levels of a signal; None where its values do not form two groups."""
    bottom, top = np.percentile(values, EXTREMES) if len(values) else (0.0, 0.0)
    if not top > bottom:
        return None
    counts, edges = np.histogram(values.clip(bottom, top), BINS, (bottom, top))
    below, centres = np.cumsum(counts), (edges[1:] + edges[:-1]) / 2
    first = np.cumsum(counts * centres)
    n, share = below[-1], below[:-1] / below[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (first[-1] / n * share - first[:-1] / n) ** 2 / (share * (1 - share))
    best = np.flatnonzero(between >= np.nanmax(between) * (1 - 1e-9))
    threshold = edges[1 + int(np.median(best))]
    low, high = values[values < threshold], values[values >= threshold]
    found = Levels(float(np.median(low)), float(np.median(high)))
    apart = np.percentile(low, OF_A_STATE) <= found.at(MIDDLE - MARGIN)
    return found if apart and np.percentile(high, 100 - OF_A_STATE) >= found.at(MIDDLE + MARGIN) else None


def onsets_of(times: np.ndarray, values: np.ndarray, levels: Levels, edge: Edge = "rise") -> np.ndarray:
    """Times (s) at which a signal without gaps crosses the middle of its levels, interpolated between two samples.

    `times` (s) and `values` are (n,); a fall is reported where the signal stays low for at least `HOLD_S`.
    """
    on, off = values >= levels.at(MIDDLE + MARGIN), values <= levels.at(MIDDLE - MARGIN)
    certain = np.flatnonzero(on | off)
    if not len(certain):
        return np.empty(0)
    state = on[certain]
    turns = np.flatnonzero(np.diff(state)) + 1
    begins, is_rise = certain[turns], state[turns]
    keep = np.ones(len(turns), bool)
    for k in np.flatnonzero(~is_rise[:-1]):  # a fall and the rise after it
        if times[begins[k + 1]] - times[begins[k]] < HOLD_S:
            keep[k : k + 2] = False
    begins, is_rise = begins[keep], is_rise[keep]
    wanted = np.ones(len(begins), bool) if edge == "both" else is_rise == (edge == "rise")
    middle, signal = levels.at(MIDDLE), {True: values, False: -values}
    signs = zip(begins[wanted].tolist(), is_rise[wanted].tolist(), strict=True)
    return np.array([_crossing(times, signal[up], middle if up else -middle, i) for i, up in signs])


def _crossing(times: np.ndarray, values: np.ndarray, middle: float, i: int) -> float:
    """When values that are above `middle` at sample `i` last rose through it."""
    j = i
    while values[j - 1] >= middle:  # the state before was the other one, so a value below comes first
        j -= 1
    share = (middle - values[j - 1]) / (values[j] - values[j - 1])
    return float(times[j - 1] + share * (times[j] - times[j - 1]))
