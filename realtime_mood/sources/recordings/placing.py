"""Sample indices of a file's rows by their counters and stamps, with a gap wherever samples were lost.

A device counts its samples in cycles, and a program stamps them when they arrive. The counter states exactly how many
were lost, except for whole cycles and restarts of the counter. The stamps show those, but also jitter and stalls.
"""

from __future__ import annotations

import numpy as np

from ..timing.counter import Cycle
from .counted import LATE, counted
from .stamped_gaps import allowed_by_stamps, filled, gaps_by_stamps, period_of

LONGEST_GAP_S = 86_400.0  # a longer jump of the stamps (s) means that the clock was set, and is not a gap
EXACT = 1 / 20
"""Stamps this close to whole samples, as a share of one, were computed: repeated samples can be found by them."""
LONGEST_REPEAT_S = 1.0  # rows that go on longer than this behind the newest were stamped by a clock that was set back
LEAST_STEP_S = 0.1  # clocks are slowed down, not set back, by less than this
USUAL_HZ = (1.0, 2.0, 100.0, 125.0, 128.0, 200.0, 220.0, 250.0, 256.0, 300.0, 500.0, 512.0, 1000.0, 1024.0, 2048.0)
SHORT_CYCLE_S = 0.3  # shortest useful cycle of a counter: below it stamps are more informative
HOUR_S = 3600.0
MOST_HOURS = 14  # a clock of local time is set by up to so many whole hours: summer time, and journeys


def indices(
    n: int,
    sfreq: float,
    stamps: np.ndarray | None = None,
    counter: np.ndarray | None = None,
    cycles: tuple[Cycle, ...] = (),
) -> tuple[np.ndarray, list[str]]:
    """The sample index, (n,), of each of `n` rows, and notes on what had to be reinterpreted.

    Lost samples are left out of the index; repeated rows share one, and late rows are out of order. `stamps` (n,) are
    when each row was taken or arrived (s), `counter` (n,) the device's count, NaN where not known, and `cycles` how the
    device is known to count.
    """
    steps, cycle = np.ones(max(0, n - 1), np.int64), 1
    doubtful, notes = np.zeros(len(steps), bool), list[str]()
    times = filled(stamps) if stamps is not None and n > 2 else None
    found = None if counter is None else counted(counter, cycles)
    if found and (times is None or found.n_samples > SHORT_CYCLE_S * sfreq):
        steps, cycle, doubtful = found
    if times is None:  # almost a whole cycle: a row out of order, since nothing shows that time passed
        steps = steps - cycle * (steps >= cycle - min(LATE, cycle // 8)) * (cycle > 1)
        if counter is not None and (again := int((doubtful & (counter[:-1] < np.nanmax(counter))).sum())):
            notes.append(f"its counter began again {again} times: how long that took is not known, none is counted")
    else:
        if cycle == 1:
            steps = _computed(times, sfreq)
        jumps, broken, n_set = gaps_by_stamps(times, steps, cycle, sfreq, doubtful)
        set_ = np.abs(jumps) > LONGEST_GAP_S * sfreq
        reasons = {"while its counter went on": n_set, "by more than a day": int(set_.sum())}
        notes += [f"its clock was set {k} times {why}: no gap is counted there" for why, k in reasons.items() if k]
        steps = steps + np.where(set_, 0, jumps)
        if cycle > 1:
            steps = allowed_by_stamps(times, steps, doubtful | broken, sfreq)
    index = np.concatenate(([0], np.cumsum(steps)))[:n]
    return index - index.min(initial=0), notes


def played_once(index: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The indices in their order, each once; the rows that hold them; and notes."""
    once, rows = np.unique(index, return_index=True)
    twice = len(index) - len(once)
    return once, rows, [f"{twice} rows came twice and are played once"] if twice else []


def measured_rate(stamps: np.ndarray, expected: float | None = None) -> float | None:
    """The sampling rate (Hz) by the stamps (s), gaps left out; None where they show none."""
    known = filled(stamps)
    if known is None or len(known) < 3:
        return None
    period = period_of(known, expected)
    return 1.0 / period if period and np.isfinite(1.0 / period) else None


def usual_rate(sfreq: float, device: tuple[float, ...] = ()) -> float:
    """The rate (Hz) of a device that was measured at `sfreq`, which is too low where samples were lost all along.

    `device` are the rates that the device has, lowest first, where it is known.
    """
    for rate in device:
        if 0.8 * rate <= sfreq <= 1.015 * rate:
            return rate
    near = min(USUAL_HZ, key=lambda rate: abs(rate / sfreq - 1))
    return near if abs(near / sfreq - 1) < (0.01 if near > 2 else 0.05) else float(f"{sfreq:.4g}")


def without_hours(stamps: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Stamps of local time (s) without the whole hours by which its clock was set, and a note on them."""
    steps = np.diff(stamps)
    hours = np.round(steps / HOUR_S)
    set_ = (np.abs(steps - hours * HOUR_S) < 1) & (hours != 0) & (np.abs(hours) <= MOST_HOURS)
    note = f"its clock was set by whole hours (times: {int(set_.sum())}): no gap is counted there"
    return stamps - np.cumsum(np.r_[0.0, np.where(set_, hours, 0.0)]) * HOUR_S, [note] if set_.any() else []


def _computed(times: np.ndarray, sfreq: float) -> np.ndarray:
    """Steps between rows without a counter: 1, except where computed stamps show gaps and repetitions.

    Repeated and late samples are found as in a stream (see `SampleClock`), but without arrival times.
    """
    period = period_of(times, sfreq)
    exact = np.diff(times) / period if period > 0 else np.full(len(times) - 1, np.nan)
    near = np.abs(exact - np.round(exact)) <= EXACT
    if np.mean(near) < 0.99:
        return np.ones(len(exact), np.int64)
    whole = np.round(exact).astype(np.int64)
    steps = np.where(near & (whole >= 1) & (whole <= LONGEST_GAP_S * sfreq), whole, 1)
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
