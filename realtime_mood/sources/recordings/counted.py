"""Steps between a file's rows by their package counter, with known or estimated cycles."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from ..boards.catalogue import cycles_of
from ..timing.counter import ENDLESS, Cycle

CYCLES = (
    *cycles_of("cyton"),
    *cycles_of("cyton_daisy"),
    Cycle(tuple(range(1, 256, 2))),  # a Daisy again: of the two packets that make a sample, by the other one's number
    *cycles_of("ganglion"),
    Cycle(range(201)),
    *cycles_of("muse_2"),
)
"""How a device may have numbered the rows of its file, where its counts do not show a cycle of their own."""
USUAL = 0.8  # the share of packages that must be alike for a habit
LATE = 16  # a row this many samples back in the count was written out of order


class Steps(NamedTuple):
    """Steps between rows by a counter."""

    steps: np.ndarray  # (n - 1,) how many samples each row is after the one before
    n_samples: int  # in a cycle of the counter
    doubtful: np.ndarray  # (n - 1,) whether the count went back there without a known reason: its end, or a restart


def counted(counter: np.ndarray, cycles: tuple[Cycle, ...] = ()) -> Steps | None:
    """The steps between rows by their `counter` (NaN where it cannot be read); None where it counts nothing.

    Of the ways in which the rows may be numbered the one that leaves the fewest gaps is taken: those of the board
    (`cycles`) first, then the usual ones, then the one that the counts themselves show.
    """
    known = np.isfinite(counter) & (counter >= 0) & (counter < ENDLESS.stop) & (counter == np.floor(counter))
    if len(counter) < 3 or known.mean() < 0.5:
        return None
    values = np.where(known, counter, -1).astype(np.int64)
    best, most = None, 0.5
    for cycle in dict.fromkeys((*cycles, *CYCLES)):
        found, share = _by_cycle(values, cycle)
        if share > most:
            best, most = found, share
    if most < 1 and (learnt := _learnt(values)) is not None:
        low, cycle, doubtful = learnt
        found, share = _by_cycle(np.where(values >= low, values - low, -1), cycle)
        if share > most:
            best = found._replace(doubtful=found.doubtful | doubtful)
    return best


def _by_cycle(values: np.ndarray, cycle: Cycle) -> tuple[Steps, float]:
    """The steps if a board counts like that, and the share of rows that follow one another."""
    phase = _phase(values, cycle)
    seen, length = phase >= 0, cycle.n_samples
    # A row whose count is unreadable stands where it should.
    last = np.maximum.accumulate(np.where(seen, np.arange(len(phase)), 0))
    steps = np.diff(phase[last] + np.arange(len(phase)) - last) % length
    share = float(np.mean((steps == 1) & seen[1:] & seen[:-1]))
    # From far before the last number to the first, and on from there: hardly ever a gap.
    restarts = (phase[1:] == 0) & (steps > 1 + max(cycle.per, length // 8))
    for i in np.flatnonzero(restarts):
        restarts[i] = bool((steps[i + 1 : i + 1 + LATE] == 1).all())
    return Steps(np.where(restarts, 1, steps), length, restarts), share


def _phase(values: np.ndarray, cycle: Cycle) -> np.ndarray:
    """The place of each row in the cycle, by its count; -1 where it is not in the cycle."""
    unread = values < 0
    if cycle.per > 1 and unread.any():
        values = _drawn_on(values, cycle)
    place, room = _places(values, cycle)
    starts = np.r_[True, values[1:] != values[:-1]]
    since = np.arange(len(values)) - np.maximum.accumulate(np.where(starts, np.arange(len(values)), 0))
    of_first = int(np.argmax(np.r_[starts[1:], True])) + 1  # rows that share the first count: perhaps not all
    since[:of_first] += max(0, int(room[0]) - of_first)
    return np.where((place >= 0) & ~unread, place + np.minimum(since, room - 1), -1)


def _drawn_on(values: np.ndarray, cycle: Cycle) -> np.ndarray:
    """`values` with the count that is due where it cannot be read, so that rows which share a count are complete."""
    numbers, drawn = np.array(cycle.numbers if len(cycle.numbers) < 1 << 16 else ()), values.copy()
    for i in np.flatnonzero(values < 0):
        if i == 0 or (before := int(drawn[i - 1])) < 0:
            continue
        package = before // cycle.every
        copies = cycle.copies(package)
        if (drawn[max(0, i - copies) : i] == before).sum() < copies:
            drawn[i] = before
        elif len(numbers):
            drawn[i] = numbers[(int(np.argmax(numbers == package)) + 1) % len(numbers)] * cycle.every
        else:
            drawn[i] = before + cycle.every
    return drawn


def _places(values: np.ndarray, cycle: Cycle) -> tuple[np.ndarray, np.ndarray]:
    """The place of the first sample that carries each count, -1 for none; and how many carry it."""
    packages, rest = np.divmod(values, cycle.every)
    if isinstance(cycle.numbers, range) and cycle.alone is None:
        at = packages - cycle.numbers.start
        fits = (values >= 0) & (rest == 0) & (at >= 0) & (at < len(cycle.numbers))
        return np.where(fits, at * cycle.per, -1), np.full(len(values), cycle.per)
    numbers = np.array(cycle.numbers)
    shared = np.array([cycle.copies(number) for number in numbers])
    place, room = np.full(numbers.max() + 1, -1), np.ones(numbers.max() + 1, np.int64)
    place[numbers], room[numbers] = np.cumsum(shared) - shared, shared
    fits = (values >= 0) & (rest == 0) & (packages < len(place))
    packages = np.where(fits, packages, 0)
    return np.where(fits, place[packages], -1), np.where(fits, room[packages], 1)


def _learnt(values: np.ndarray) -> tuple[int, Cycle, np.ndarray] | None:
    """The lowest count, the cycle from there, and which steps are doubtful for it; None where nothing is counted."""
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    numbers, lengths = values[starts], np.diff(starts)
    if len(numbers) < 4:
        return None
    changes = np.diff(numbers)
    forward = changes[(changes > 0) & (numbers[:-1] >= 0)]
    (per, n_per), *_ = Counter(lengths[1:].tolist()).most_common(1)
    if not len(forward) or n_per < USUAL * len(lengths[1:]):
        return None
    (every, n_every), *_ = Counter(forward.tolist()).most_common(1)
    if n_every < USUAL * len(forward):
        return None
    back = np.flatnonzero((changes < -LATE * every) | ((changes < 0) & (np.ptp(numbers) <= LATE * every)))
    ends = Counter(zip(numbers[back].tolist(), numbers[back + 1].tolist(), strict=True)).most_common(1)
    high, low = ends[0][0] if ends and ends[0][1] > 1 else (int(numbers.max()), int(numbers[numbers >= 0].min()))
    if np.mean((numbers < low) | (numbers > high)) > 1 - USUAL:
        high, low = int(numbers.max()), int(numbers[numbers >= 0].min())
    n_packages = (high - low) // every + 1
    wraps = (numbers[back] == high) & (numbers[back + 1] == low)
    doubtful = np.zeros(len(values) - 1, bool)
    doubtful[starts[back + 1] - 1] = wraps.sum() < 2
    return low, Cycle(range(n_packages), int(per), int(every)), doubtful
