"""A rehearsal: the simulated subject's headset goes wrong as the URL says, and the stream says so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fakes import drain

from realtime_mood import clock
from realtime_mood.contracts import Returning, Stream
from realtime_mood.errors import SourceLost, SourceNotFound, StreamMismatch
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk

FAULTY = "synthetic://?sfreq=250&n_chans=8&script=neutral:20,positive:10&speed=max&faults="


def rows_of(chunks: list[Chunk]) -> np.ndarray:
    return np.concatenate([chunk.data for chunk in chunks])


def until_lost(stream: Stream) -> list[Chunk]:
    chunks = []
    try:
        while (chunk := stream.read(0.0)) is not None:
            chunks.append(chunk)
    except SourceLost:
        return chunks
    raise AssertionError("it was not lost")


def test_faults_that_do_nothing_change_no_sample():
    clean = drain(open_source(FAULTY.removesuffix("&faults=")).open())
    faulty = drain(open_source(FAULTY + "drop:0").open())
    assert np.array_equal(rows_of(clean), rows_of(faulty))
    assert [m for c in faulty for m in c.markers][1:] == [m for c in clean for m in c.markers]
    assert not any(chunk.lost for chunk in faulty)


def test_faults_are_marked_where_they_begin_and_what_is_lost_is_counted():
    source = open_source(FAULTY + "hole:1@5,freeze:2@8,nan:1:Fp1@12-13,step:2@15")
    chunks = drain(source.open())
    assert source.truth.lost == [(1250, 1500)]
    assert sum(chunk.lost for chunk in chunks) == 250
    assert chunks[-1].end == 7500
    assert all(chunk.first == before.end + chunk.lost for before, chunk in itertools.pairwise(chunks))
    assert [(m.index, m.text) for c in chunks for m in c.markers] == [
        (0, "neutral"), (1500, "fault: everything is lost for 1 s"), (2000, "fault: frozen for 2 s"),
        (3000, "fault: Fp1 1 of the samples are not a number"), (3750, "fault: the clock is off by 2 s"),
        (5000, "positive"),
    ]  # fmt: skip
    unreadable = np.isnan(rows_of(chunks))
    assert np.array_equal(np.flatnonzero(unreadable.any(axis=1)), np.arange(2750, 3000))
    assert not unreadable[:, 1:].any()


def test_what_is_sent_twice_is_taken_once_and_what_is_late_is_lost_and_said():
    source = open_source(FAULTY + "duplicate:0.1@1,reorder:0.1@1,drop:0.05@1")
    chunks = drain(source.open())
    clean = rows_of(drain(open_source(FAULTY.removesuffix("&faults=")).open()))
    index = np.concatenate([np.arange(chunk.first, chunk.end) for chunk in chunks])
    assert np.array_equal(rows_of(chunks), clean[index])
    assert np.all(np.diff(index) > 0)
    assert len(index) + sum(chunk.lost for chunk in chunks) == index[-1] + 1
    late = np.concatenate([np.arange(*span) for span in source.truth.out_of_order])
    assert source.truth.sent_twice
    assert set(np.setdiff1d(np.arange(index[-1]), index)) <= {
        *late, *itertools.chain.from_iterable(range(*span) for span in source.truth.lost)
    }  # fmt: skip


def test_a_headset_that_goes_away_is_lost_and_comes_back_later_in_the_same_time_line():
    source = open_source(FAULTY + "kill:5@10,fewer:2@20-25")
    stream = source.open()
    assert isinstance(source, Returning)
    with pytest.raises(SourceNotFound):
        source.reopen(stream.info)
    lives = []
    for _ in range(2):
        lives.append(until_lost(stream))
        stream = source.reopen(stream.info)
    lives.append(drain(stream))
    chunks = list(itertools.chain(*lives))
    assert [life[0].lost for life in lives] == [0, 1250, 1250]
    assert sum(len(c) + c.lost for c in chunks) == 7500
    assert (source.truth.lost, source.truth.unheard) == ([(2500, 3750)], [(5000, 6250)])
    whole = rows_of(drain(open_source(FAULTY + "drop:0").open()))
    assert np.array_equal(rows_of(chunks), np.concatenate((whole[:2500], whole[3750:5000], whole[6250:])))


def test_while_another_stream_answers_it_is_not_taken(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    source = open_source("synthetic://?sfreq=250&n_chans=8&faults=kill:5@1,decoy:2@4,fewer:2@7-8")
    stream = source.open()
    now[0] = 101.5
    until_lost(stream)
    for at, error in ((102.0, SourceNotFound), (104.5, StreamMismatch), (107.5, StreamMismatch)):
        now[0] = at
        with pytest.raises(error):
            source.reopen(stream.info)
    now[0] = 108.5
    back = source.reopen(stream.info)
    assert back.read(0.0) is None
    now[0] = 110.0
    chunks = list(iter(lambda: back.read(0.0), None))
    assert (chunks[0].lost, chunks[0].first) == (1870, 1870)  # what came before anyone connected as well
    assert chunks[-1].t_last == pytest.approx(110.0)


@pytest.mark.parametrize("speed", ["1", "10"])
def test_a_frozen_headset_delivers_all_at_once_at_any_speed(monkeypatch, speed):
    now = [100.0]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    stream = open_source(f"synthetic://?sfreq=250&n_chans=4&speed={speed}&faults=freeze:2@1").open()

    def come(stream_s: float) -> list[Chunk]:
        now[0] = 100.0 + stream_s / float(speed) + 1e-6
        return list(iter(lambda: stream.read(0.0), None))

    assert come(1.0)[-1].end == 250
    assert come(2.99) == []
    burst = come(3.0)
    assert (burst[0].first, burst[-1].end, sum(c.lost for c in burst)) == (250, 750, 0)
    assert burst[0].t_last == pytest.approx(100 + 1.04 / float(speed), abs=1e-4)
    stream.close()
    assert stream.read(1.0) is None


def test_a_rate_that_is_not_as_announced_is_measured_and_said():
    source = open_source(FAULTY + "announce:256,jitter:2")
    stream = source.open()
    assert stream.info.sfreq == 250.0
    assert "announces 256 Hz" in stream.info.notes[0]
    chunks = drain(stream)
    assert (chunks[0].first, chunks[-1].end, sum(chunk.lost for chunk in chunks)) == (0, 7500, 0)


def test_a_clock_that_is_set_anew_makes_no_sample_old(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    stream = open_source("synthetic://?sfreq=250&n_chans=4&faults=step:-2@3,step:4@6").open()
    ages = []
    while now[0] < 110:
        now[0] += 0.02
        if (chunk := stream.read(0.0)) is not None:
            ages.append(now[0] - chunk.t_last)
            assert chunk.lost == 0
    assert 0 <= min(ages) <= max(ages) < 0.6


def test_a_machine_too_slow_for_the_rehearsal_finds_the_headset_again(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    source = open_source("synthetic://?sfreq=250&n_chans=4&faults=kill:1@1")
    stream = source.open()
    now[0] = 101.5
    until_lost(stream)
    looks = []

    def slow() -> float:  # from look to look at the clock more than a packet comes due
        looks.append(now[0])
        assert len(looks) < 1000, "it runs after the time for ever"
        now[0] += 0.1
        return now[0]

    monkeypatch.setattr(clock, "now", slow)
    now[0] = 104.0
    back = source.reopen(stream.info)
    monkeypatch.setattr(clock, "now", lambda: now[0])
    now[0] += 2.0
    chunks = list(iter(lambda: back.read(0.0), None))
    missed = sum(end - first for first, end in (*source.truth.lost, *source.truth.unheard))
    assert chunks[0].first == chunks[0].lost == missed >= 750
    assert chunks[-1].t_last == pytest.approx(now[0], abs=0.05)
