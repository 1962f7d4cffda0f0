"""One channel of a recording or live stream with its markers, on one clock: the input of the test of onsets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..errors import StreamMismatch

LINE_S = 60.0  # the times of samples are fitted by a line over this much time (s): clocks drift by less within it
SHOWN = 24  # names in a message


class Trace(NamedTuple):
    """A sampled signal of any unit, and markers in order of time."""

    times: np.ndarray  # (n,) s, increasing; a step of more than 1.5 samples is a gap
    values: np.ndarray  # (n,), NaN where one could not be read
    sfreq: float
    events: tuple[tuple[float, str], ...]  # time (s) and text
    name: str  # of the channel
    notes: tuple[str, ...] = ()
    virtual: bool = False

    def pieces(self) -> list[slice]:
        """The stretches without a gap."""
        edges = np.flatnonzero(np.diff(self.times) > 1.5 / self.sfreq) + 1
        bounds = [0, *edges.tolist(), len(self.times)]
        return [slice(a, b) for a, b in pairwise(bounds) if b > a]


def column_of(channel: str, labels: Sequence[str], asked: str) -> int:
    """The column with this label, in any case, or of this number, from 1; `StreamMismatch` where there is not one."""
    exact = [i for i, label in enumerate(labels) if label == channel]
    found = exact or [i for i, label in enumerate(labels) if label.lower() == channel.lower()]
    if not found and channel.isdecimal() and 0 < int(channel) <= len(labels):
        return int(channel) - 1
    if len(found) == 1:
        return found[0]
    shown = ", ".join(label or f"{i + 1}" for i, label in enumerate(labels[:SHOWN]))
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    what = f"{len(found)} channels are called" if found else "no channel is called"
    found_text = f"{what} {channel!r}; there are {shown or 'none'}{more}"
    raise StreamMismatch(asked, found_text, "give --channel as one of these, or as its number, from 1")


def sample_times(index: np.ndarray, at: np.ndarray, stamps: np.ndarray, sfreq: float) -> np.ndarray:
    """Times (s) of the samples `index`, by the stamps (s) of the samples `at`, whose jitter is averaged out.

    A line is fitted to each `LINE_S` of stamps, every half of that, and its values are joined in between.
    """
    if len(at) < 2 or at[-1] == at[0]:
        return np.asarray(stamps[0] + (index - at[0]) / sfreq if len(at) else index / sfreq)
    half = LINE_S * sfreq / 2
    lines = list[tuple[float, float, float]]()  # knot, value there and slope
    for knot in np.linspace(at[0], at[-1], max(2, 1 + round((at[-1] - at[0]) / half))):
        near = slice(*np.searchsorted(at, (knot - half, knot + half + 1)))
        x, y = at[near] - knot, stamps[near]
        if len(x):  # not in the middle of a long gap
            slope = np.polyfit(x - x.mean(), y - y.mean(), 1)[0] if np.ptp(x) > 0 else 1 / sfreq
            lines.append((knot, y.mean() - slope * x.mean(), slope))
    knots, values, slopes = np.array(lines).T
    times = np.interp(index, knots, values)
    before, after = index < knots[0], index > knots[-1]
    times[before] = values[0] + slopes[0] * (index[before] - knots[0])
    times[after] = values[-1] + slopes[-1] * (index[after] - knots[-1])
    return times
