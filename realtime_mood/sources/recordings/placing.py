"""Turns the counters and stamps of a file's rows into sample indices, so that what was lost leaves a hole.

A device counts its samples round and round, and a program stamps them when they arrive. The counter says exactly how
many were lost, but not how many times it went round; the stamps say that, once jitter, stalls and bursts are told
from losses. A stamp may be late and never early, so the line the samples lie on is the lower edge of their stamps: a
stall bends the stamps away from it and lets them back, a loss moves it for good.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.ndimage import minimum_filter1d

from ..boards import cycles_of
from ..counter import Cycle

LONGEST_HOLE_S = 86_400.0
"""A longer jump of the stamps is the clock being set, not a hole."""
LOOK_S = 10.0
"""Seconds of jittery stamps on either side of a jump that say whether it stays."""
LOOK_ROWS = 16
"""Rows likewise, where stamps are smooth: losses lie close there, and a little is enough."""
BACK_S = 0.5
"""Stamps that fall back by more than this were set back; nothing is known of what was lost there."""
LEAST_HOLE_S = 0.02
"""Where stamps are jittery, a shorter hole cannot be told from jitter."""
SMOOTH = 0.3
"""Stamps are smooth where all but one in a hundred steps are within this much of whole samples."""
EXACT = 1 / 20
"""Stamps are computed where they lie this close to whole samples, as a share of one: those tell what came twice."""
LONGEST_REPEAT_S = 1.0
"""Rows that go on longer than this behind the newest were stamped by a clock that was set back."""
LEAST_STEP_S = 0.1
"""Clocks are slowed down, not set back, by less than this."""
USUAL_HZ = (1.0, 2.0, 100.0, 125.0, 128.0, 200.0, 220.0, 250.0, 256.0, 300.0, 500.0, 512.0, 1000.0, 1024.0, 2048.0)
CYCLES = (
    *cycles_of("cyton"),
    *cycles_of("cyton_daisy"),
    Cycle(tuple(range(1, 256, 2))),  # a Daisy again: of the two packets that make a sample, by the other one's number
    *cycles_of("ganglion"),
    Cycle(range(201)),
    *cycles_of("muse_2"),
)
"""How a device may have numbered the rows of its file."""


def indices(
    n: int, sfreq: float, stamps: np.ndarray | None = None, counter: np.ndarray | None = None
) -> tuple[np.ndarray, list[str]]:
    """The sample index of each of `n` rows.

    Parameters
    ----------
    n : int
    sfreq : float
        Sampling rate (Hz).
    stamps : array (n,) | None
        When each row was taken or arrived (s); NaN where that is not known.
    counter : array (n,) | None
        What the device counted; NaN likewise.

    Returns
    -------
    index : array (n,) of int
        Lost samples are left out of it. Rows that came twice share an index, and rows out of order are out of order.
    notes : list of str
        What had to be taken for something else.
    """
    steps, round_ = np.ones(max(0, n - 1), np.int64), 1
    if counter is not None and (counted := _counted(counter)):
        steps, round_ = counted
    notes: list[str] = []
    if stamps is not None and n > 2 and (told := _filled(stamps)) is not None:
        if round_ == 1:
            steps = _computed(told, sfreq)
        jumps = _jumps(told, steps, round_, sfreq)
        set_ = np.abs(jumps) * round_ > LONGEST_HOLE_S * sfreq
        if set_.any():
            notes.append(f"its clock was set {int(set_.sum())} times by more than a day: no hole is counted there")
        steps = steps + np.where(set_, 0, jumps) * round_
    index = np.concatenate(([0], np.cumsum(steps)))[:n]
    return index - index.min(initial=0), notes


def played_once(index: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The indices in their order, each once; the rows that hold them; and what is odd about that, in words."""
    once, rows = np.unique(index, return_index=True)
    twice = len(index) - len(once)
    return once, rows, [f"{twice} rows came twice and are played once"] if twice else []


def measured_rate(stamps: np.ndarray, expected: float | None = None) -> float | None:
    """The sampling rate (Hz) that stamps tell, holes left out; None where they tell none.

    Parameters
    ----------
    stamps : array (n,)
        Seconds.
    expected : float | None
        What was announced.
    """
    told = _filled(stamps)
    if told is None or len(told) < 3:
        return None
    period = _period(told, expected)
    return 1.0 / period if period and np.isfinite(1.0 / period) else None


def usual_rate(sfreq: float, device: tuple[float, ...] = ()) -> float:
    """The rate that a device measured at `sfreq` runs at.

    Parameters
    ----------
    sfreq : float
        As measured; a little too low where samples were lost all along.
    device : tuple of float
        The rates the device has, lowest first, where it is known.
    """
    for rate in device:
        if 0.8 * rate <= sfreq <= 1.015 * rate:
            return rate
    near = min(USUAL_HZ, key=lambda rate: abs(rate / sfreq - 1))
    return near if abs(near / sfreq - 1) < (0.01 if near > 2 else 0.05) else float(f"{sfreq:.4g}")


def _filled(stamps: np.ndarray) -> np.ndarray | None:
    """`stamps` with the unknown ones drawn in between their neighbours, from zero; None where too few are known."""
    known = np.isfinite(stamps) & (np.abs(stamps) < 1e13)
    if known.mean() < 0.5 or not np.ptp(stamps[known]) > 0:
        return None
    at = np.arange(len(stamps))
    drawn = np.interp(at, at[known], stamps[known])
    return np.asarray(drawn - drawn[0])


def _counted(counter: np.ndarray) -> tuple[np.ndarray, int] | None:
    """Steps between rows by the counter, and after how many samples it comes round; None when it counts nothing."""
    known = np.isfinite(counter) & (counter >= 0) & (counter < 65536) & (counter == np.floor(counter))
    if known.mean() < 0.5 or len(counter) < 3:
        return None
    values = np.where(known, counter, -1).astype(np.int64)
    best, most = None, 0.5
    for cycle in CYCLES:
        phase, length = _phase(values, cycle)
        # A row whose count is unreadable stands where it should.
        seen = phase >= 0
        last = np.maximum.accumulate(np.where(seen, np.arange(len(phase)), 0))
        phase = (phase[last] + np.arange(len(phase)) - last) % length
        steps = np.diff(phase) % length
        share = float(np.mean((steps == 1) & seen[1:] & seen[:-1]))
        if share > most:
            best, most = (steps, length), share
    return best


def _phase(values: np.ndarray, cycle: Cycle) -> tuple[np.ndarray, int]:
    """Where in its cycle each row's count stands, -1 where it is none of it; and the cycle's length."""
    numbers = np.array(cycle.numbers) * cycle.every
    shared = np.array([cycle.copies(number) for number in numbers])
    place, room = np.full(65536, -1), np.ones(65536, np.int64)
    place[numbers] = np.cumsum(shared) - shared
    room[numbers] = shared
    starts = np.r_[True, values[1:] != values[:-1]]
    since = np.arange(len(values)) - np.maximum.accumulate(np.where(starts, np.arange(len(values)), 0))
    of_first = int(np.argmax(np.r_[starts[1:], True])) + 1  # rows that share the first count: perhaps not all
    since[:of_first] += max(0, int(room[values[0]]) - of_first)
    phase = place[values] + np.minimum(since, room[values] - 1)
    return np.where((values >= 0) & (place[values] >= 0), phase, -1), cycle.n_samples


def _computed(told: np.ndarray, sfreq: float) -> np.ndarray:
    """Steps between rows that no counter tells: 1, but where stamps are computed, which tell holes and repeats.

    They tell what came twice or late as in a stream (see `SampleClock`), but for when it arrived.
    """
    period = _period(told, sfreq)
    exact = np.diff(told) / period if period > 0 else np.full(len(told) - 1, np.nan)
    near = np.abs(exact - np.round(exact)) <= EXACT
    if np.mean(near) < 0.99:
        return np.ones(len(exact), np.int64)
    whole = np.round(exact).astype(np.int64)
    steps = np.where(near & (whole >= 1) & (whole <= LONGEST_HOLE_S * sfreq), whole, 1)
    place = np.concatenate(([0], np.cumsum(whole)))
    newest = np.maximum.accumulate(place)
    edges = np.flatnonzero(np.diff(np.r_[False, place[1:] <= newest[:-1], False])) + 1
    for begin, end in edges.reshape(-1, 2).tolist():
        newer = float(place[end]) if end < len(place) else np.inf
        ahead = newer - newest[begin - 1] - (end - begin)
        if _is_repeat(place[:end], begin, newer, LONGEST_REPEAT_S / period):
            steps[begin - 1 : end] = whole[begin - 1 : end]
        elif 1 <= ahead < np.inf:  # these rows were stamped wrong: the count goes on behind them
            steps[end - 1] = ahead
    return steps


def _is_repeat(place: np.ndarray, begin: int, newer: float, most: float) -> bool:
    """Whether the rows from `begin` on, all behind the newest and before a `newer` one, came twice or late."""
    back, newest = place[begin:], int(place[:begin].max())
    if len(back) > most or newest - back[0] > most:
        return False
    if newer - newest - 1 < len(back) and (back[-1] < newest or np.any(np.diff(back) != 1)):
        return True
    # A clock that was set back looks the same, or stamps that are wrong.
    before, short = place[:begin][-round(4 * most) :], most * LEAST_STEP_S / LONGEST_REPEAT_S
    runs = np.split(back, np.flatnonzero(np.diff(back) != 1) + 1)
    return all((run[-1] == newest and len(run) <= short) or not np.isin(run, before).any() for run in runs)


def _is_smooth(told: np.ndarray, period: float) -> bool:
    """Whether nearly all stamps lie whole samples apart, most of them after the one before."""
    steps = np.diff(told) / period
    return bool(np.mean(np.abs(steps - np.round(steps)) > SMOOTH) <= 0.01 and np.mean(steps < 0.5) <= 0.1)


def _period(told: np.ndarray, expected: float | None) -> float:
    """Seconds between samples by the stamps, holes left out."""
    rough = _rough_period(told, expected, np.arange(len(told)))
    if rough <= 0:
        return 0.0
    for start in (1.0 / expected if expected else rough, rough):
        if _is_smooth(told, start):
            steps = np.diff(told)
            whole = np.round(steps / start)
            short = (whole >= 1) & (whole <= 8)
            return float(steps[short].sum() / whole[short].sum()) if short.any() else rough
    return rough


def _rough_period(told: np.ndarray, expected: float | None, index: np.ndarray) -> float:
    """Seconds between samples by their stamps over ten seconds or so; of all such stretches, one without holes."""
    rows = max(1, min(len(told) // 4, round(10 * (expected or 250))))
    periods = (told[rows:] - told[:-rows]) / np.maximum(1, index[rows:] - index[:-rows])
    return float(np.quantile(periods, 0.3))


def _jumps(told: np.ndarray, steps: np.ndarray, round_: int, sfreq: float) -> np.ndarray:
    """How many rounds of the counter (of samples, where there is none) to add between rows, by the stamps."""
    jumps = np.zeros(len(steps), np.int64)
    index = np.concatenate(([0], np.cumsum(steps)))
    period = _rough_period(told, sfreq, index) if round_ > 1 else _period(told, sfreq)
    if not period > 0:
        return jumps
    excess = np.diff(told) / period - steps
    if round_ > 1:  # nearly once round in no time: a row out of order, or come again
        jumps[(steps >= round_ - min(16, round_ // 8)) & (excess < -round_ / 4)] = -1
    residual = told - period * np.concatenate(([0], np.cumsum(steps + jumps * round_)))
    odd = excess - jumps * round_ > (0.5 if round_ == 1 else round_ / 4)
    smooth = round_ == 1 and _is_smooth(told, period)
    look = LOOK_ROWS if smooth else max(LOOK_ROWS, round(LOOK_S / period))
    cuts = np.r_[0, np.flatnonzero(np.diff(told) < -BACK_S) + 1, len(told)]
    for begin, end in pairwise(cuts):
        part = residual[begin:end].copy()
        rise = _rise(part, look)
        # Without a counter, a jump must stand out from how the edge wanders anyway.
        wander = 0.6 * period if smooth or not len(rise) else max(LEAST_HOLE_S, 6 * float(np.median(np.abs(rise))))
        least = wander if round_ == 1 else round_ * period / 2
        sure = len(part) - (0 if smooth else min(look // 20, len(part) // 4))  # the last rows may just be late
        for i in np.flatnonzero((odd[begin : end - 1] & (rise > least))[: sure - 1]) + 1:
            before = part[max(0, i - look) : i]
            jump = part[i : i + look].min() - before.min()
            if jump > least:
                jumps[begin + i - 1] += (rounds := round(jump / (round_ * period)))
                before += rounds * round_ * period  # the edge goes on from here
    return jumps


def _rise(residual: np.ndarray, look: int) -> np.ndarray:
    """By how much the lowest of the next `look` values lies above the lowest of the last ones, at each step."""
    look = min(look, len(residual))
    before = minimum_filter1d(residual, look, mode="nearest", origin=(look - 1) // 2)
    after = minimum_filter1d(residual, look, mode="nearest", origin=-(look // 2))
    return np.asarray(after[1:] - before[:-1])
