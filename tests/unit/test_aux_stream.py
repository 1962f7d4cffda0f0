"""LSL streams beside the EEG: stamps of any clock, text of any kind, gaps, and senders that send too much."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood import clock, liblsl
from realtime_mood.auxiliary import STRING, AuxChunk, AuxInfo, kind_of
from realtime_mood.errors import SourceLost
from realtime_mood.sources.lsl import aux_stream
from realtime_mood.sources.lsl.aux_stream import LONGEST_TEXT, LslAuxStream
from realtime_mood.sources.lsl.sender_clock import ClockMeasurement
from realtime_mood.sources.lsl.stream import Pull

OFFSET_S = 0.3  # the sender's clock is behind by this much


class FakeInlet:
    """Gives the pulls it was made with, then its sender is gone."""

    correction = OFFSET_S

    def __init__(self, pulls: list[Pull], dtype: type = np.float32) -> None:
        self.pulls, self.dtype, self.lost, self.flushed, self.closed = list(pulls), dtype, False, 0, False

    def correct(self) -> ClockMeasurement | None:
        return None if self.lost else ClockMeasurement(now_there(), self.correction, 0.0)

    def pull(self, timeout: float) -> Pull | None:
        self.lost = not self.pulls
        return self.pulls.pop(0) if self.pulls else None

    def flush(self) -> int:
        self.flushed += 1
        return 7

    def close(self) -> None:
        self.closed = True


def info(form: str = "float32", sfreq: float = 0.0, n_chans: int = 1) -> AuxInfo:
    names = ("",) * n_chans
    return AuxInfo("lsl://x", "x", "Gaze", names, names, sfreq, form)


def pull(values: object, stamps: object, late_s: float = 0.001) -> Pull:
    """Samples that arrived this long after the last stamp, the sender's clock being behind."""
    stamps = np.asarray(stamps, float)
    return Pull(np.asarray(values), stamps, float(stamps[-1]) + OFFSET_S + late_s)


def received(inlet: FakeInlet, about: AuxInfo, notes: list[str] | None = None) -> list[AuxChunk]:
    report = [].append if notes is None else notes.append
    stream = LslAuxStream(inlet, about, about.sfreq, [], lambda silent: False, report)  # type: ignore[arg-type]
    chunks: list[AuxChunk] = []
    with suppress(SourceLost):
        while True:
            chunks += [chunk] if (chunk := stream.read(1.0)) is not None else []
    stream.close()
    assert inlet.closed
    return [chunk for chunk in chunks if len(chunk)]


def now_there() -> float:
    """The time on the sender's clock."""
    return float(liblsl.pylsl().local_clock() - OFFSET_S)


@pytest.mark.parametrize(
    ("kind", "is_a"),
    [("Gaze", "eyes"), ("Markers", "markers"), ("PPG", "pulse"), ("ACC", "motion"), ("Audio", "other"), ("", "other")],
)
def test_the_type_names_a_kind(kind: str, is_a: str) -> None:
    assert kind_of(kind) == is_a


def test_stamps_are_on_our_clock_and_the_senders_own_are_kept() -> None:
    began = now_there() - 1.0
    sent = began + np.array([0.0, 0.1, 0.35])
    (chunk,) = received(FakeInlet([pull([[1], [2], [3]], sent)]), info())
    np.testing.assert_array_equal(chunk.sent, sent)
    np.testing.assert_allclose(chunk.stamps - clock.now(), sent - now_there(), atol=0.01)
    assert chunk.clock.offset == pytest.approx(clock.now() - now_there(), abs=0.01)
    assert (chunk.first, chunk.lost, chunk.values.flags.writeable) == (0, 0, False)


@pytest.mark.parametrize("shift", [1.7e9, -1e6, 3600.0])
def test_another_clock_is_shifted_and_senseless_stamps_become_the_arrival(shift: float) -> None:
    notes: list[str] = []
    began = now_there() - 5.0
    first = Pull(np.ones((1, 1)), np.array([began + shift]), began + OFFSET_S)
    later = Pull(np.ones((2, 1)), np.array([np.nan, began + shift + 2.0]), began + OFFSET_S + 2.0)
    one, two = received(FakeInlet([first, later]), info(), notes)
    np.testing.assert_allclose([*one.sent, *two.sent], [began, began + 2.0, began + 2.0], atol=1e-6)
    assert "on another clock" in notes[0]


def test_a_single_foreign_stamp_does_not_move_the_others() -> None:
    began = now_there() - 5.0
    pulls = [pull([[k]], [began + k]) for k in range(3)]
    pulls[1] = pulls[1]._replace(stamps=np.array([5e9]))
    chunks = received(FakeInlet(pulls), info())
    np.testing.assert_allclose([chunk.sent[0] for chunk in chunks], began + np.arange(3), atol=0.01)


def test_stamps_that_run_backwards_are_recorded_and_reported_once() -> None:
    notes: list[str] = []
    began = now_there() - 2.0
    sent = began - np.arange(4) / 10
    chunks = received(FakeInlet([pull(np.ones((4, 1)), sent), pull(np.ones((4, 1)), sent)]), info(), notes)
    np.testing.assert_array_equal(np.concatenate([chunk.sent for chunk in chunks]), [*sent, *sent])
    assert [("run backwards" in note) for note in notes] == [True]


def test_irregular_stamps_that_run_backwards_from_pull_to_pull_are_reported() -> None:
    notes: list[str] = []
    sent = now_there() - np.arange(3)
    chunks = received(FakeInlet([pull([[k]], [t]) for k, t in enumerate(sent)]), info(), notes)
    np.testing.assert_array_equal(np.concatenate([chunk.sent for chunk in chunks]), sent)
    assert len(notes) == 1
    assert "run backwards" in notes[0]


@pytest.mark.parametrize(("sfreq", "per_pull"), [(250.0, 12), (250.0, 1), (52.0, 2), (4.0, 1)])
def test_a_regular_stream_whose_stamps_run_backwards_for_a_while_loses_nothing(sfreq: float, per_pull: int) -> None:
    notes: list[str] = []
    k = np.arange(round(20 * sfreq))
    true = now_there() - 30.0 + k / sfreq
    at = true[0] + 8.0
    stamps = np.where((true >= at) & (true < at + 3.0), 2 * at - true, true)
    rows = [k[begin : begin + per_pull] for begin in range(0, len(k), per_pull)]
    pulls = [Pull(row[:, None], stamps[row], true[row[-1]] + OFFSET_S + 0.001) for row in rows]
    chunks = received(FakeInlet(pulls), info(sfreq=sfreq), notes)
    np.testing.assert_array_equal(np.concatenate([chunk.values[:, 0] for chunk in chunks]), k)
    np.testing.assert_allclose(np.concatenate([chunk.sent for chunk in chunks]), stamps, atol=1e-6)
    times = np.concatenate([chunk.stamps - chunk.clock.offset for chunk in chunks])
    np.testing.assert_allclose(times, true, atol=0.002)
    assert sum(chunk.lost for chunk in chunks) == 0
    assert "run backwards" in notes[0]


def test_an_imprecise_measurement_of_the_clock_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aux_stream, "OFFSET_S", 0.0)
    k = np.arange(4000)
    sent = now_there() - 20.0 + k / 500
    inlet = FakeInlet([pull(k[at : at + 50, None], sent[at : at + 50]) for at in range(0, 4000, 50)])
    inlet.correct = lambda: ClockMeasurement(  # type: ignore[method-assign]
        now_there(),
        OFFSET_S + (0.004 if 20 < len(inlet.pulls) < 60 else 0.0),
        0.005,  # two samples off, as it may be
    )
    chunks = received(inlet, info(sfreq=500.0))
    assert sum(chunk.lost for chunk in chunks) == 0
    np.testing.assert_array_equal(np.concatenate([chunk.values[:, 0] for chunk in chunks]), k)
    np.testing.assert_array_equal(np.concatenate([chunk.sent for chunk in chunks]), sent)


def test_text_of_any_bytes_is_decoded_and_an_endless_one_cut() -> None:
    notes: list[str] = []
    raw = np.array([["grün ✓".encode()], [b"caf\xc3"], [b""], [b"x" * (LONGEST_TEXT + 5)]], object)
    (chunk,) = received(FakeInlet([pull(raw, now_there() - np.arange(4)[::-1])], object), info(STRING), notes)
    assert chunk.values[:3, 0].tolist() == ["grün ✓", "cafÃ", ""]
    assert len(chunk.values[3, 0]) == LONGEST_TEXT
    assert "more than 65,536 characters" in notes[0]


def test_a_gap_of_a_regular_stream_is_counted() -> None:
    began, kept = now_there() - 20.0, np.r_[0:300, 340:600]
    pulls = [pull(kept[at : at + 5, None], began + kept[at : at + 5] / 50) for at in range(0, len(kept), 5)]
    chunks = received(FakeInlet(pulls), info(sfreq=50.0))
    assert [(chunk.first, chunk.lost) for chunk in chunks if chunk.lost] == [(340, 40)]
    np.testing.assert_array_equal(np.concatenate([chunk.values[:, 0] for chunk in chunks]), kept)
    assert all(after.first == before.end + after.lost for before, after in pairwise(chunks))


def test_a_step_of_the_senders_clock_is_taken_out() -> None:
    began, k = now_there() - 20.0, np.arange(600)
    true = began + k / 50
    stamps = true + np.where(k < 300, 0.0, 4.0)
    pulls = [Pull(k[at : at + 5, None], stamps[at : at + 5], true[at + 4] + OFFSET_S) for at in range(0, 600, 5)]
    chunks = received(FakeInlet(pulls), info(sfreq=50.0))
    np.testing.assert_allclose(np.concatenate([chunk.sent for chunk in chunks]), true, atol=0.002)
    assert sum(chunk.lost for chunk in chunks) == 0


@pytest.mark.parametrize("factor", [0.5, 2.0, 1.1])
def test_a_changed_rate_costs_no_sample_and_moves_no_stamp(factor: float) -> None:
    began = now_there() - 40.0
    sent = began + np.r_[np.arange(500) / 50, 10 + np.arange(500) / 50 / factor]
    pulls = [pull(np.arange(at, at + 5)[:, None], sent[at : at + 5]) for at in range(0, 1000, 5)]
    chunks = received(FakeInlet(pulls), info(sfreq=50.0))
    np.testing.assert_array_equal(np.concatenate([chunk.values[:, 0] for chunk in chunks]), np.arange(1000))
    np.testing.assert_allclose(np.concatenate([chunk.sent for chunk in chunks]), sent, atol=1e-6)


def test_jittery_stamps_are_recorded_as_they_are() -> None:
    began, rng = now_there() - 40.0, np.random.default_rng(1)
    sent = began + np.arange(1000) / 50 + rng.normal(0, 0.02, 1000)
    pulls = [pull(np.arange(at, at + 5)[:, None], sent[at : at + 5]) for at in range(0, 1000, 5)]
    chunks = received(FakeInlet(pulls), info(sfreq=50.0))
    np.testing.assert_array_equal(np.concatenate([chunk.values[:, 0] for chunk in chunks]), np.arange(1000))
    np.testing.assert_allclose(np.concatenate([chunk.sent for chunk in chunks]), sent, atol=1e-6)
    assert np.abs(np.concatenate([chunk.stamps - chunk.clock.offset for chunk in chunks]) - sent).std() > 0.01


def test_who_sends_too_much_is_emptied_and_what_is_dropped_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aux_stream, "MOST_BYTES_S", 100)
    monkeypatch.setattr(aux_stream, "PULL_S", 0.01)
    notes: list[str] = []
    inlet = FakeInlet([pull(np.ones((50, 1), np.float32), now_there() - np.arange(50)[::-1] / 100) for _ in range(2)])
    chunks = received(inlet, info(), notes)
    assert 0 < chunks[1].lost <= 7 * inlet.flushed
    assert chunks[1].first == 50 + chunks[1].lost
    assert "the rest is dropped and counted" in notes[0]


def test_one_whose_place_another_has_taken_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = LslAuxStream(FakeInlet([]), info(sfreq=50.0), 50.0, [], lambda silent: True, print)  # type: ignore[arg-type]
    assert not len(stream.read(0.0) or ())
    with pytest.raises(SourceLost):
        stream.read(1.0)


def test_the_clock_is_measured_again_while_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aux_stream, "OFFSET_S", 0.0)
    inlet = FakeInlet([])
    inlet.pull = lambda timeout: None  # type: ignore[method-assign,assignment,return-value]
    stream = LslAuxStream(inlet, info(), 0.0, [], lambda silent: False, print)  # type: ignore[arg-type]
    measured = [stream.read(1.0) for _ in range(3)]
    times = [chunk.clock.at for chunk in measured if chunk is not None]
    assert len(times) == 3
    assert sorted(times) == times
    assert times[-1] == pytest.approx(time.monotonic() + liblsl.to_stamps() - OFFSET_S, abs=0.5)


@given(st.lists(st.integers(0, 120), max_size=12), st.sampled_from(["float32", STRING]), st.sampled_from([0.0, 50.0]))
@settings(max_examples=60, deadline=None)
def test_the_samples_do_not_depend_on_how_they_were_pulled(cuts: list[int], form: str, sfreq: float) -> None:
    began = now_there() - 10.0
    values = np.arange(120)[:, None] if form != STRING else np.array([[b"%d" % k] for k in range(120)], object)
    sent = began + np.arange(120) / 50
    pulls = [pull(values[a:b], sent[a:b]) for a, b in pairwise([0, *sorted(cuts), 120]) if b > a]
    chunks = received(FakeInlet(pulls, object if form == STRING else int), info(form, 0.0 if form == STRING else sfreq))
    together = np.concatenate([chunk.values for chunk in chunks])
    assert together[:, 0].tolist() == [str(k) if form == STRING else k for k in range(120)]
    np.testing.assert_allclose(np.concatenate([chunk.sent for chunk in chunks]), sent, atol=1e-9)
    assert [chunk.first for chunk in chunks] == np.cumsum([0, *map(len, chunks)])[:-1].tolist()


class UnmeasuredInlet(FakeInlet):
    """Its sender's clock was measured at the beginning only."""

    def correct(self) -> ClockMeasurement:
        return ClockMeasurement(0.0, self.correction, 0.0)


def test_a_late_sample_of_an_irregular_stream_waits_for_the_next_one_only() -> None:
    late = {12: 0.5}
    pulls = [pull([[k]], [now_there() + k / 60], late.get(k, 0.001)) for k in range(20)]
    inlet = UnmeasuredInlet(pulls)
    stream = LslAuxStream(inlet, info(), 0.0, [], lambda silent: False, [].append)  # type: ignore[arg-type]
    came: list[float] = []
    while len(came) < 14:
        came += chunk.values[:, 0].tolist() if (chunk := stream.read(1.0)) is not None else []
    stream.close()
    assert came[:14] == list(range(14))
    assert len(inlet.pulls) >= 5
