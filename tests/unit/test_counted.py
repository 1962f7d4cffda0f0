"""Package counters of files: an intact minute loses nothing; a gap is as long as counter and stamps say together."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from realtime_mood.sources.boards.catalogue import cycles_of
from realtime_mood.sources.recordings.placing import indices, without_hours
from realtime_mood.sources.timing.counter import Cycle

SFREQ = 250.0
N = 5000
Stamped = Literal["exact", "ms", "arrival", "none"]


def stamps_of(index: np.ndarray, stamped: Stamped) -> np.ndarray | None:
    """When each sample was taken, as a program writes it: to the microsecond, the millisecond, or when it came."""
    if stamped == "none":
        return None
    if stamped != "arrival":
        return np.round(1.7e9 + index / SFREQ, 3 if stamped == "ms" else 6)
    batch = np.arange(len(index)) // 10
    last = index[np.minimum(batch * 10 + 9, len(index) - 1)]
    late = np.random.default_rng(0).exponential(0.004, batch[-1] + 1)
    return np.asarray(1.7e9 + last / SFREQ + late[batch])


def lost(counter: np.ndarray, index: np.ndarray, stamped: Stamped, cycles: tuple[Cycle, ...] = ()) -> int:
    """How many samples are counted as lost."""
    at, _ = indices(len(counter), SFREQ, stamps_of(index, stamped), counter.astype(float), cycles)
    return int(at.max() + 1 - len(counter))


WRAPS = st.one_of(st.integers(2, 300), st.integers(2, 6000), st.integers(2, 2**31))
STAMPED = st.sampled_from(("exact", "ms", "arrival", "none"))


@given(WRAPS, st.integers(0, 2**40), st.sampled_from((1, 2, 12)), st.sampled_from((1, 2)), st.integers(0, 200), STAMPED)
@settings(max_examples=60, deadline=None)
def test_an_intact_file_loses_nothing_whatever_its_counter_wraps_at(
    wrap: int, start: int, per: int, every: int, low: int, stamped: Stamped
) -> None:
    counter = low + (start + np.arange(N)) // per % wrap * every
    assert lost(counter, np.arange(N), stamped) == 0


@given(WRAPS, st.integers(0, 2**40), st.integers(1, 3000), st.integers(500, N - 500), st.sampled_from(("exact", "ms")))
@settings(max_examples=60, deadline=None)
def test_a_gap_is_counted_exactly_where_stamps_are_regular(
    wrap: int, start: int, gap: int, at: int, stamped: Stamped
) -> None:
    index = np.arange(N) + gap * (np.arange(N) >= at)
    assert lost((start + index) % wrap, index, stamped) == gap


@given(st.integers(80, 1000), st.integers(0, 2**40), st.integers(1, 3000), st.integers(1200, N - 1200))
@settings(max_examples=60, deadline=None)
def test_a_gap_is_counted_exactly_where_stamps_are_of_the_arrival_and_the_cycle_is_seen(
    wrap: int, start: int, gap: int, at: int
) -> None:
    """The limits: a cycle of at least 0.3 s, seen to end twice or more, and a gap that does not look like a restart."""
    index = np.arange(N) + gap * (np.arange(N) >= at)
    counter = (start + index) % wrap
    assume(((counter[:-1] == wrap - 1) & (counter[1:] == 0)).sum() > 1 and counter[at] != 0)
    assert lost(counter, index, "arrival") == gap


@pytest.mark.parametrize("stamped", ["exact", "ms", "arrival", "none"])
@pytest.mark.parametrize("wrap", [200, 256, 65536, 2**31])
@pytest.mark.parametrize("gap", [0, 37, 900])
def test_a_counter_that_begins_again_loses_what_the_stamps_say(gap: int, wrap: int, stamped: Stamped) -> None:
    """In the middle of its cycle, with samples lost or not; without stamps nothing is known of those."""
    at = 2567
    index = np.arange(N) + gap * (np.arange(N) >= at)
    counter = np.concatenate((np.arange(60, 60 + at) % wrap, np.arange(N - at) % wrap))
    assert abs(lost(counter, index, stamped) - (0 if stamped == "none" else gap)) <= (stamped == "arrival" and gap > 0)


@pytest.mark.parametrize("at", [600, 2500, N - 440])
@pytest.mark.parametrize("gap", [0, 900, 6500])
def test_a_restart_between_bursts_loses_what_the_stamps_say_at_its_own_row(at: int, gap: int) -> None:
    """As a dongle sends: 120 rows at once, so that the row after a burst is as late as a small gap."""
    index = np.arange(N) + gap * (np.arange(N) >= at)
    counter = np.concatenate((np.arange(at) % 256, np.arange(N - at) % 256)).astype(float)
    first = np.arange(N) - np.arange(N) % 120
    stamps = 1.7e9 + index[np.minimum(first + 119, N - 1)] / SFREQ + (np.arange(N) - first) * 2e-4
    stamps[:at] = np.minimum(stamps[:at], stamps[0] + at / SFREQ)  # the pause breaks a burst off
    found, notes = indices(N, SFREQ, np.maximum.accumulate(stamps), counter)
    steps = np.diff(found)
    assert steps[at - 1] - 1 == pytest.approx(gap, abs=125)
    assert (np.delete(steps, at - 1) == 1).all()
    assert not notes


@pytest.mark.parametrize("wrap", [256, 300])
def test_a_restart_that_no_stamp_measures_is_noted_and_the_end_of_a_cycle_is_not(wrap: int) -> None:
    whole = np.arange(N, dtype=float) % wrap
    assert indices(N, SFREQ, None, whole)[1] == []
    restarted = np.concatenate((whole[:2567], whole[: N - 2567]))
    at, notes = indices(N, SFREQ, None, restarted)
    assert at[-1] == N - 1
    assert "began again 1 times" in notes[0]


@pytest.mark.parametrize("board", ["cyton", "cyton_daisy", "ganglion", "muse_2"])
def test_rows_that_share_a_count_are_as_many_as_the_board_sends(board: str) -> None:
    for cycle in cycles_of(board):
        numbers = [n * cycle.every for n in cycle.numbers for _ in range(cycle.copies(n))]
        index = np.arange(N) + 36 * (np.arange(N) >= 2400)
        counter = np.array(numbers)[index % len(numbers)]
        assert lost(counter, index, "arrival", cycles_of(board)) == 36
        assert lost(counter, index, "none", cycles_of(board)) == 36


@pytest.mark.parametrize("board", ["ganglion", "muse_2"])
@pytest.mark.parametrize("unread", [[1000], [1001], [1002, 1003], [2000, 2005, 2400]])
def test_a_count_that_cannot_be_read_moves_no_row(board: str, unread: list[int]) -> None:
    for cycle in cycles_of(board):
        numbers = [n * cycle.every for n in cycle.numbers for _ in range(cycle.copies(n))]
        counter = np.array(numbers, float)[np.arange(N) % len(numbers)]
        counter[unread] = np.nan
        for stamped in ("exact", "arrival", "none"):
            at, notes = indices(N, SFREQ, stamps_of(np.arange(N), stamped), counter, cycles_of(board))
            np.testing.assert_array_equal(at, np.arange(N))
            assert not notes


def test_a_clock_set_while_the_counter_goes_on_has_lost_nothing() -> None:
    stamps = stamps_of(np.arange(N), "arrival")
    assert stamps is not None
    index, notes = indices(N, SFREQ, stamps + 30.0 * (np.arange(N) >= 2500), np.arange(N) % 256.0)
    assert index[-1] == N - 1
    assert "clock was set" in notes[0]


@pytest.mark.parametrize("hours", [1, -1, 2])
def test_local_time_that_jumps_by_whole_hours_has_lost_nothing_and_a_gap_beside_is_counted(hours: int) -> None:
    index = np.arange(N) + 500 * (np.arange(N) >= 4000)
    stamps = np.round(index / SFREQ, 3) + 3600.0 * hours * (np.arange(N) >= 2500)
    stamps, notes = without_hours(stamps)
    np.testing.assert_array_equal(indices(N, SFREQ, stamps)[0], index)
    assert "whole hours" in notes[0]
