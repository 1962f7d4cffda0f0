"""Gaps that the stamps of a file's rows show, alone or beside a counter.

A stamp may be late and never early, so the line the samples lie on is the lower edge of their stamps: a stall bends the
stamps away from it and lets them back, a loss moves it for good.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.ndimage import minimum_filter1d

from .counted import LATE
from .periods import is_smooth, period_of, rough_period

LOOK_S = 10.0  # seconds of jittery stamps on either side of a jump that say whether it stays
LOOK_ROWS = 16  # rows likewise, where stamps are smooth: losses lie close there, and a little is enough
BACK_S = 0.5  # stamps that fall back by more than this were set back; nothing is known of what was lost there
LONG_S = 0.1  # a gap by the counter that is longer than this is left out of the rate until the stamps have confirmed it
LEAST_HOLE_S = 0.02  # shortest gap (s) that can be distinguished from jitter
LEAST_SURE_S = 0.05  # jittery stamps tell no shorter loss where the counter tells none
NEAR = 0.05  # a measured period this close to the stated one, as a share, is that
PAUSE_S = 1.0  # near the ends of a file, where few rows show how late stamps come, only a longer one is believed
SURE_S = 0.1
DRIFT = 3e-4
"""A jump further than this from whole rounds of a counter, and than this share of it, is not a loss of whole rounds."""


def gaps_by_stamps(
    stamps: np.ndarray, steps: np.ndarray, round_: int, sfreq: float, doubtful: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """How many samples to add between rows by the stamps: whole rounds of the counter, where there is one.

    Rows have `steps` by the counter, which comes round after `round_` samples; both are 1 where there is none. Steps of
    which it tells nothing are `doubtful`, and left out.

    Returns
    -------
    jumps : array (n - 1,) of int
    broken : array (n - 1,) of bool
        Where the stamps show a gap of no whole rounds, so that the counter must have begun again.
    n_set : int
        How often they show one while the counter goes on: there the clock was set.
    """
    jumps, broken, n_set = np.zeros(len(steps), np.int64), np.zeros(len(steps), bool), 0
    index = np.concatenate(([0], np.cumsum(steps)))
    period = rough_period(stamps, sfreq, index) if round_ > 1 else period_of(stamps, sfreq)
    if not period > 0:
        return jumps, broken, 0
    excess = np.diff(stamps) / period - steps
    if round_ > 1:  # nearly once round in no time: a row out of order, or come again
        jumps[(steps >= round_ - min(LATE, round_ // 8)) & (excess < -round_ / 4)] = -1
    residual = stamps - period * np.concatenate(([0], np.cumsum(steps + jumps * round_)))
    odd = (excess - jumps * round_ > (0.5 if round_ == 1 else round_ / 4)) & ~doubtful
    smooth = round_ == 1 and is_smooth(stamps, period)
    look = LOOK_ROWS if smooth else max(LOOK_ROWS, round(LOOK_S / period))
    # A pause before which the count began again is not the counter's to tell, nor that of the rows after it.
    pauses = np.flatnonzero(doubtful & (excess > round_ / 4)) + 1
    for begin, end in pairwise(np.union1d(_cuts(stamps), pauses)):
        part = residual[begin:end].copy()
        rise = _rise(part, look)
        # Without a counter, a jump must stand out from how the edge wanders anyway.
        wander = _wander(rise, period, smooth)
        least = wander if round_ == 1 else round_ * period / 2
        sure = len(part) - (0 if smooth else min(look // 20, len(part) // 4))  # the last rows may just be late
        for i in np.flatnonzero((odd[begin : end - 1] & (rise > least))[: sure - 1]) + 1:
            before = part[max(0, i - look) : i]
            jump = part[i : i + look].min() - before.min()
            if jump > least:
                rounds = round(jump / (round_ * period))
                if _is_whole(jump, round_ * period, wander):
                    jumps[begin + i - 1] += rounds
                    before += rounds * round_ * period  # the edge goes on from here
                else:
                    goes_on = bool(steps[begin + i - 1] == 1)
                    broken[begin + i - 1], n_set = not goes_on, n_set + goes_on
                    before += jump
    return jumps * round_, broken, n_set


def _is_whole(jump: float, round_s: float, wander: float) -> bool:
    """Whether a jump (s) may be whole rounds of a counter."""
    return abs(jump - round(jump / round_s) * round_s) <= max(min(2 * wander, round_s / 4), SURE_S) + DRIFT * jump


def allowed_by_stamps(stamps: np.ndarray, steps: np.ndarray, doubtful: np.ndarray, sfreq: float) -> np.ndarray:
    """`steps` by a counter, as far as the stamps allow.

    Where the stamps stay behind a gap that was counted, as after a restart of the count, time has not gone by for it:
    what they show is counted instead. They alone count where the counter is `doubtful`.
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
        bends = [np.median(np.abs(_rise(without - it * counts, round(LOOK_S * sfreq)))) for it in periods]
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
    return 0.6 * period if smooth or not len(rise) else max(LEAST_HOLE_S, 6 * float(np.median(np.abs(rise))))


def _rise(residual: np.ndarray, look: int) -> np.ndarray:
    """By how much the lowest of the next `look` values lies above the lowest of the last ones, at each step."""
    look = min(look, len(residual))
    before = minimum_filter1d(residual, look, mode="nearest", origin=(look - 1) // 2)
    after = minimum_filter1d(residual, look, mode="nearest", origin=-(look // 2))
    return np.asarray(after[1:] - before[:-1])
