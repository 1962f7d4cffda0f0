"""Sampling period and gaps by the stamps of a file's rows, alone or with a counter.

A stamp may be late and never early, so the samples lie on the lower edge of their stamps: during a stall the stamps
leave that edge and return to it, after a loss they do not return.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.ndimage import minimum_filter1d

from .counted import LATE

LOOK_S = 10.0  # seconds of jittery stamps on either side of a jump that say whether it stays
LOOK_ROWS = 16  # rows likewise, where stamps are smooth: losses lie close there, and a little is enough
BACK_S = 0.5  # stamps that fall back by more than this were set back; nothing is known of what was lost there
LONG_S = 0.1  # a gap by the counter that is longer than this is left out of the rate until the stamps have confirmed it
LEAST_GAP_S = 0.02  # shortest gap (s) that can be distinguished from jitter
LEAST_SURE_S = 0.05  # jittery stamps tell no shorter loss where the counter tells none
NEAR = 0.05  # a measured period this close to the stated one, as a share, is that
PAUSE_S = 1.0  # near the ends of a file, where few rows show how late stamps come, only a longer one is believed
SURE_S = 0.1
DRIFT = 3e-4
"""A jump further than this from whole cycles of a counter, and than this share of it, is not a loss of whole cycles."""
SMOOTH = 0.3  # stamps are smooth where all but one in a hundred steps are within this much of whole samples


def filled(stamps: np.ndarray) -> np.ndarray | None:
    """`stamps` from zero on, the unknown ones interpolated; None where too few are known."""
    known = np.isfinite(stamps) & (np.abs(stamps) < 1e13)
    if known.mean() < 0.5 or not np.ptp(stamps[known]) > 0:
        return None
    at, (first, last) = np.arange(len(stamps)), np.flatnonzero(known)[[0, -1]]
    drawn, step = np.interp(at, at[known], stamps[known]), np.median(np.diff(stamps[known]))
    drawn[:first] = drawn[first] + (at[:first] - first) * step
    drawn[last:] = drawn[last] + (at[last:] - last) * step
    return np.asarray(drawn - drawn[0])


def is_smooth(stamps: np.ndarray, period: float) -> bool:
    """Whether nearly all stamps lie whole samples apart, most of them after the one before."""
    steps = np.diff(stamps) / period
    return bool(np.mean(np.abs(steps - np.round(steps)) > SMOOTH) <= 0.01 and np.mean(steps < 0.5) <= 0.1)


def period_of(stamps: np.ndarray, expected: float | None) -> float:
    """Seconds between samples by the stamps, gaps left out."""
    rough = rough_period(stamps, expected, np.arange(len(stamps)))
    if rough <= 0:
        return 0.0
    for start in (1.0 / expected if expected else rough, rough):
        if is_smooth(stamps, start):
            steps = np.diff(stamps)
            whole = np.round(steps / start)
            short = (whole >= 1) & (whole <= 8)
            return float(steps[short].sum() / whole[short].sum()) if short.any() else rough
    return rough


def rough_period(stamps: np.ndarray, expected: float | None, index: np.ndarray) -> float:
    """Seconds between samples by their stamps over ten seconds or so; from a stretch without gaps."""
    rows = max(1, min(len(stamps) // 4, round(10 * (expected or 250))))
    periods = (stamps[rows:] - stamps[:-rows]) / np.maximum(1, index[rows:] - index[:-rows])
    return float(np.quantile(periods, 0.3))


def gaps_by_stamps(
    stamps: np.ndarray, steps: np.ndarray, cycle: int, sfreq: float, doubtful: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """How many samples, (n - 1,), to add between rows by the stamps: whole cycles of the counter, where there is one.

    Rows have `steps` by the counter, whose cycle has `cycle` samples; both are 1 where there is none. `doubtful` steps
    are left out. Also returned: where, (n - 1,), the stamps show a gap of no whole cycles, so that the counter must
    have restarted; and how often they show one while the counter goes on: there the clock was set.
    """
    jumps, broken, n_set = np.zeros(len(steps), np.int64), np.zeros(len(steps), bool), 0
    index = np.concatenate(([0], np.cumsum(steps)))
    period = rough_period(stamps, sfreq, index) if cycle > 1 else period_of(stamps, sfreq)
    if not period > 0:
        return jumps, broken, 0
    excess = np.diff(stamps) / period - steps
    if cycle > 1:  # almost a whole cycle in no time: a row out of order, or repeated
        jumps[(steps >= cycle - min(LATE, cycle // 8)) & (excess < -cycle / 4)] = -1
    residual = stamps - period * np.concatenate(([0], np.cumsum(steps + jumps * cycle)))
    odd = (excess - jumps * cycle > (0.5 if cycle == 1 else cycle / 4)) & ~doubtful
    smooth = cycle == 1 and is_smooth(stamps, period)
    look = LOOK_ROWS if smooth else max(LOOK_ROWS, round(LOOK_S / period))
    # The counter shows nothing of a pause in which it restarted, nor do the rows after it.
    pauses = np.flatnonzero(doubtful & (excess > cycle / 4)) + 1
    for begin, end in pairwise(np.union1d(_cuts(stamps), pauses)):
        part = residual[begin:end].copy()
        rise = _rise(part, look)
        # Without a counter, a jump must stand out from how the edge wanders anyway.
        wander = _wander(rise, period, smooth)
        least = wander if cycle == 1 else cycle * period / 2
        sure = len(part) - (0 if smooth else min(look // 20, len(part) // 4))  # the last rows may just be late
        for i in np.flatnonzero((odd[begin : end - 1] & (rise > least))[: sure - 1]) + 1:
            before = part[max(0, i - look) : i]
            jump, cycle_s = part[i : i + look].min() - before.min(), cycle * period
            if jump <= least:
                continue
            n_cycles, slack = round(jump / cycle_s), max(min(2 * wander, cycle_s / 4), SURE_S)
            if abs(jump - n_cycles * cycle_s) <= slack + DRIFT * jump:
                jumps[begin + i - 1] += n_cycles
                before += n_cycles * cycle_s  # the edge goes on from here
            else:
                goes_on = bool(steps[begin + i - 1] == 1)
                broken[begin + i - 1], n_set = not goes_on, n_set + goes_on
                before += jump
    return jumps * cycle, broken, n_set


def allowed_by_stamps(stamps: np.ndarray, steps: np.ndarray, doubtful: np.ndarray, sfreq: float) -> np.ndarray:
    """`steps` by a counter, as far as the stamps allow.

    Where the stamps show that less time passed than was counted, as after a restart of the counter, their gap is used.
    They alone are used where the counter is `doubtful`.
    """
    period = period_of(stamps, sfreq)
    smooth = period > 0 and is_smooth(stamps, period)
    without, counts = stamps, np.cumsum(np.r_[0, steps])
    if not smooth:  # the rate and the wander are those of the stretches between long gaps, for these may be false
        long = doubtful | (steps > LONG_S * sfreq)
        without = np.cumsum(np.r_[0.0, np.where(long, 1 / sfreq, np.diff(stamps))])
        counts = np.cumsum(np.r_[0, np.where(long, 1, steps)])
        # Large bursts bend a stretch of ten seconds; what came late at an end bends the whole.
        periods = rough_period(without, sfreq, counts), float(without[-1] / counts[-1])
        bends = [np.median(np.abs(_rise(without - each * counts, round(LOOK_S * sfreq)))) for each in periods]
        period = periods[int(np.argmin(bends))]
    if not period > 0:
        return steps
    level = without - period * counts
    # Over bursts a period is measured roughly; a long pause is divided by the recording's own, if that is near.
    one = 1 / sfreq if abs(period * sfreq - 1) < NEAR else period
    steps, residual = steps.copy(), stamps - period * np.concatenate(([0], np.cumsum(steps)))
    look = LOOK_ROWS if smooth else max(LOOK_ROWS, round(LOOK_S / period))
    least_rows = 2 if smooth else look // 4
    for begin, end in pairwise(_cuts(stamps)):
        part = residual[begin:end].copy()
        wander = max(_wander(_rise(level[begin:end], look), period, smooth), 0.0 if smooth else LEAST_SURE_S)
        for i in np.flatnonzero(doubtful[begin : end - 1] | (steps[begin : end - 1] > 1)) + 1:
            lost, unsure = int(steps[begin + i - 1]) - 1, bool(doubtful[begin + i - 1])
            before, after = part[max(0, i - look) : i], part[i : i + look]
            few = min(len(before), len(after)) < least_rows
            if few and not unsure:
                continue
            more = after.min() - before.min()
            least = wander if smooth or unsure else max(wander, lost * period / 2)
            least = max(least, PAUSE_S) if few else least
            if more < -least or ((smooth or unsure) and more > least):
                shown = max(0, lost + round(more / one))
                shown = 0 if shown * period <= wander else shown
                steps[begin + i - 1] = 1 + shown
                before += (shown - lost) * period  # the edge goes on from here
    return steps


def _cuts(stamps: np.ndarray) -> np.ndarray:
    """Where stretches begin whose stamps were not set back, and the end."""
    return np.r_[0, np.flatnonzero(np.diff(stamps) < -BACK_S) + 1, len(stamps)]


def _wander(rise: np.ndarray, period: float, smooth: bool) -> float:
    """How far the edge of the stamps moves by itself (s)."""
    return 0.6 * period if smooth or not len(rise) else max(LEAST_GAP_S, 6 * float(np.median(np.abs(rise))))


def _rise(residual: np.ndarray, look: int) -> np.ndarray:
    """By how much the lowest of the next `look` values lies above the lowest of the last ones, at each step."""
    look = min(look, len(residual))
    before = minimum_filter1d(residual, look, mode="nearest", origin=(look - 1) // 2)
    after = minimum_filter1d(residual, look, mode="nearest", origin=-(look // 2))
    return np.asarray(after[1:] - before[:-1])
