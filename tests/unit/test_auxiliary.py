"""Acquisition of streams beside the EEG: they appear, are lost, return and fail, and the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO as EEG
from fakes import FakeSource, Keep, cut, live, pink, pipeline
from hypothesis import given
from hypothesis import strategies as st
from waiting import until

from realtime_mood import aux_ring, clock
from realtime_mood.aux_ring import AuxRing
from realtime_mood.auxiliary import AuxChunk, AuxInfo, AuxTap, SenderClock
from realtime_mood.errors import MoodError, SourceLost, SourceNotFound, StreamMismatch
from realtime_mood.guard import to_log
from realtime_mood.health import AuxState, State, Vitals
from realtime_mood.recording.recorder import AUX_SHARE, Recorder
from realtime_mood.run import aux_intake, auxiliary, delivery
from realtime_mood.run.auxiliary import AuxAcquisition
from realtime_mood.run.engine import Engine
from realtime_mood.types import Chunk, Marker, StreamInfo

INFO = AuxInfo("fake://gaze", "gaze", "Gaze", ("x", "y"), ("px", "px"), 50.0)
MARKERS = AuxInfo("fake://marks", "marks", "Markers", ("m",), ("",), format="string", in_markers=True)
SIGNAL = pink(4000, len(EEG.ch_names))
Item = AuxChunk | Exception


def chunk(t: float, n: int = 5, lost: int = 0, first: int = 0, info: AuxInfo = INFO) -> AuxChunk:
    stamps = t + np.arange(n) / 50
    values = np.full((n, info.n_chans), "go", object) if info is MARKERS else np.ones((n, info.n_chans), np.float32)
    return AuxChunk(values, stamps, stamps, first, SenderClock(t, 0.0), lost)


class FakeAux:
    """Gives what it is told to: at each opening an error, or a stream of these chunks and errors."""

    report = staticmethod(to_log)

    def __init__(self, *openings: Exception | tuple[AuxInfo, list[Item]], url: str = INFO.url) -> None:
        self.url, self.openings, self.closed = url, list(openings), 0

    def open(self, off: threading.Event) -> FakeAuxStream:
        off.wait(0.01)
        if not self.openings:
            raise SourceNotFound(self.url, "the network shows nothing", "start it")
        opening = self.openings.pop(0)
        if isinstance(opening, Exception):
            raise opening
        return FakeAuxStream(*opening, off)

    def close(self) -> None:
        self.closed += 1


class FakeAuxStream:
    def __init__(self, info: AuxInfo, items: list[Item], off: threading.Event) -> None:
        self.info, self.items, self.off = info, items, off

    def read(self, timeout: float) -> AuxChunk | None:
        if not self.items:
            self.off.wait(0.01)
            return None
        item = self.items.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None: ...


Seen = list[tuple[AuxInfo, AuxChunk]]


@contextmanager
def acquiring(
    source: FakeAux, mark: Callable[[str, float], bool] = lambda text, t: True
) -> Iterator[tuple[Seen, Callable[[], AuxState], Vitals]]:
    seen: Seen = []
    vitals = Vitals(clock.now)
    aux = AuxAcquisition(source, 0, lambda *it: seen.append(it), mark, vitals)
    aux.start()
    yield seen, lambda: vitals.health.streams[0], vitals
    aux.close()
    assert source.closed > 0


def lost() -> SourceLost:
    return SourceLost(INFO.url, "its sender is gone", "start it again")


def test_one_that_returns_is_counted_on_and_what_it_missed_is_lost() -> None:
    t = clock.now() - 10
    source = FakeAux((INFO, [chunk(t), lost()]), lost(), (INFO, [chunk(t + 2, 0), chunk(t + 2.1, lost=3, first=3)]))
    with acquiring(source) as (seen, state, vitals):
        until(lambda: len(seen) == 3 and state().state is State.LIVE)
        assert [(it.first, it.lost, len(it)) for _, it in seen] == [(0, 0, 5), (5, 0, 0), (108, 103, 5)]
        until(lambda: state().samples == 10)
        assert state().lost == 103
        assert (state().name, state().kind) == ("gaze", "eyes")
        assert any("came back after" in note and "100 samples lost" in note for note in vitals.health.notes)
        assert any("its sender is gone · start it again · the run goes on" in note for note in vitals.health.notes)


def test_another_one_in_its_place_begins_from_the_start() -> None:
    t = clock.now() - 10
    other = replace(INFO, source_id="other")
    with acquiring(FakeAux((INFO, [chunk(t), lost()]), (other, [chunk(t + 2)]))) as (seen, state, _):
        until(lambda: state().samples == 10)
    assert [(info.source_id, it.first, it.lost) for info, it in seen] == [("", 0, 0), ("other", 0, 0)]


@pytest.mark.parametrize("error", [StreamMismatch("fake://gaze", "too large", "choose another"), ValueError("a bug")])
def test_one_that_cannot_be_used_or_fails_is_reported_and_tried_again(error: Exception) -> None:
    with acquiring(FakeAux(error, (INFO, [chunk(clock.now())]))) as (_, state, vitals):
        until(lambda: state().samples == 5)
        assert str(error) in vitals.health.notes[0]
        assert vitals.health.faults == (0 if isinstance(error, MoodError) else 1)


def test_one_that_never_appears_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auxiliary, "MISSING_S", 0.02)
    with acquiring(FakeAux()) as (seen, state, vitals):
        until(lambda: vitals.health.notes)
        assert vitals.health.notes == (
            "fake://gaze · the network shows nothing · start it · the run goes on without it",
        )
        assert state().state is State.CONNECTING
        assert state().age_s is None
    assert seen == []


def test_a_regular_one_stalls_and_its_rate_and_age_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aux_intake, "STALLED_S", 0.02)
    t = clock.now() - 1.0
    with acquiring(FakeAux((INFO, [chunk(t), chunk(t + 0.1, first=5), chunk(t + 0.2, first=10)]))) as (_, state, _):
        until(lambda: state().state is State.STALLED and (state().age_s or 0) > 0.7)
        assert state().rate_hz == pytest.approx(50, rel=0.01)
    with acquiring(FakeAux((MARKERS, [chunk(t, info=MARKERS)]), url=MARKERS.url)) as (_, state, _):
        until(lambda: (state().age_s or 0) > 0.7)
        assert state().state is State.LIVE  # there may be no event for long


def test_markers_of_a_stream_are_those_of_the_run_and_close_with_it() -> None:
    sources = [FakeAux(url=MARKERS.url), FakeAux((INFO, [chunk(clock.now())]))]
    engine = Engine(FakeSource(live(cut(SIGNAL, [100])), replace(EEG, paced=True)), pipeline, [Keep()], also=sources)
    for _ in range(2):  # it may be started again
        engine.start()
        until(lambda: engine.health.samples)
        sources[0].openings.append((MARKERS, [chunk(clock.now(), 1, info=MARKERS)]))
        until(lambda: [it.text for it in engine.markers] == ["go"])
        until(lambda: engine.health.readings and [it.url for it in engine.health.streams] == [MARKERS.url, INFO.url])
        engine.stop()
    assert [it.closed for it in sources] == [2, 2]


def test_the_queue_of_a_recording_keeps_room_for_the_eeg(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path / "a.xdf", queue_bytes=20_000)
    assert isinstance(recorder, AuxTap)
    recorder.take_aux(INFO, chunk(0.0, int(20_000 * AUX_SHARE / 64)))
    assert "too slow" in recorder.recording.trouble
    recorder._reset()
    for at in range(4):  # more than the share of the others
        recorder.take(replace(cut(SIGNAL[:100], [100])[0], first=100 * at))
        assert recorder.recording.trouble == ""


class KeepAux(Keep):
    """A tap that keeps the streams beside the EEG."""

    recording = None

    def __init__(self) -> None:
        super().__init__()
        self.aux: Seen = []

    def open(self, info: StreamInfo) -> None: ...

    def take(self, chunk: Chunk) -> None: ...

    def mark(self, marker: Marker, t: float) -> None: ...

    def take_aux(self, info: AuxInfo, chunk: AuxChunk) -> None:
        self.aux.append((info, chunk))


def test_a_recording_begins_with_what_came_while_the_eeg_was_being_connected() -> None:
    keep, ring, quiet = KeepAux(), AuxRing(INFO), AuxRing(MARKERS)
    deliver = delivery.Delivery([keep], Vitals(clock.now), lambda: 2.0 + delivery.EARLY_S, lambda: [ring, quiet])
    quiet.write(chunk(0.0, 0, info=MARKERS))
    for k, t in enumerate((0.0, 1.96, 3.0, 4.0)):  # the first and some of the next are too old then
        ring.write(chunk(t, first=5 * k))
        deliver.take_aux(INFO, chunk(t, first=5 * k))
    assert keep.aux == []
    deliver.open(EEG)
    deliver.take_aux(INFO, chunk(5.0, first=20))
    of_gaze = [it for info, it in keep.aux if info is INFO]
    assert [(it.first, it.stamps[0], len(it)) for it in of_gaze] == [
        (7, 2.0, 3),
        (10, 3.0, 5),
        (15, 4.0, 5),
        (20, 5.0, 5),
    ]
    assert [(info, len(it)) for info, it in keep.aux if info is not INFO] == [(MARKERS, 0)]  # it is there


class CarryingSource(FakeSource):
    """An EEG source whose device also sends 50 Hz of gaze; at the failing reads it raises."""

    def __init__(self, chunks, fails=False):
        super().__init__(chunks)
        self.fails = fails

    def open(self):
        stream, fails = super().open(), self.fails
        to_come, sent = [INFO, MARKERS], 0

        def beside():
            nonlocal sent
            if fails:
                raise ValueError("a bug")
            if to_come:
                info = to_come.pop()
                return [(info, chunk(0.0, 0, info=info))]
            sent += 5
            return [(INFO, chunk(100.0 + (sent - 5) / 50, first=sent - 5))]

        stream.beside = beside
        return stream


def test_what_a_device_carries_beside_the_eeg_is_taken_with_it() -> None:
    keep = KeepAux()
    engine = Engine(CarryingSource(cut(SIGNAL, [100])), pipeline, [keep])
    with engine:
        until(engine.done.is_set)
        gaze, marks = engine.health.streams[1], engine.health.streams[0]
        assert (gaze.name, gaze.kind, gaze.rate_hz, marks.samples) == ("gaze", "eyes", 50.0, 0)
        ring = next(ring for ring in engine.streams if ring.info == INFO)
        assert (ring.t_last, len(ring.since(0.0).stamps)) == (100.0 + (gaze.samples - 1) / 50, gaze.samples)
        assert len(ring.since(100.5).values) == gaze.samples - 26
    assert sum(len(it) for info, it in keep.aux if info == INFO) == gaze.samples > 50
    assert engine.health.notes == ()


def test_what_a_device_carries_returns_with_it_and_without_a_note_of_its_own() -> None:
    seen: Seen = []
    vitals = Vitals(clock.now)
    carried = aux_intake.CarriedIntakes(0, lambda *it: seen.append(it), vitals)
    for part in (chunk(100.0), chunk(102.0), chunk(102.1, first=5)):
        carried.take(INFO, part)
    carried.end()
    assert [(it.first, it.lost) for _, it in seen] == [(0, 0), (100, 95), (105, 0)]
    assert (vitals.health.streams[0].lost, vitals.health.notes) == (95, ())


def test_a_failure_of_what_a_device_carries_costs_no_sample_of_the_eeg() -> None:
    engine = Engine(CarryingSource(cut(SIGNAL, [100]), fails=True), pipeline, [Keep()])
    with engine:
        until(engine.done.is_set)
        assert (engine.health.samples, engine.health.streams) == (4000, ())
        assert engine.health.notes == ("a stream beside the EEG failed: a bug",)


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(-50, 450).map(lambda k: (k + 0.5) / 50))
def test_a_ring_holds_the_same_however_the_stream_was_cut(sizes: list[int], since: float) -> None:
    ring, n = AuxRing(INFO), 0
    for size in sizes:
        ring.write(chunk(n / 50, size, first=n))
        n += size
    stamps = np.arange(n) / 50
    assert ring.since(since).stamps == pytest.approx(stamps[stamps > since])
    assert len(ring.since(since).values) == np.count_nonzero(stamps > since)
    parts = ring.chunks(since)  # for a recording that begins: all from there on, with the sender's stamps
    assert np.concatenate([np.empty(0), *(it.sent for it in parts)]) == pytest.approx(stamps[stamps >= since])
    assert [it.first for it in parts[1:]] == [it.end for it in parts[:-1]]
    assert not parts or parts[-1].end == n


def test_a_ring_forgets_what_is_older_than_a_minute() -> None:
    ring = AuxRing(INFO)
    for k in range(80):
        ring.write(chunk(float(k), 50, first=50 * k))
    assert 60 <= 80 - ring.since(-1.0).stamps[0] <= 62


def test_a_ring_counts_the_length_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aux_ring, "MOST_BYTES", 4000)
    ring = AuxRing(MARKERS)
    for k in range(9):
        text = AuxChunk(
            np.array([["x" * 1000]], object), np.array([float(k)]), np.array([float(k)]), k, SenderClock(k, 0)
        )
        ring.write(text)
    assert len(ring.since(-1.0).stamps) == 3
