"""What the panels draw, worked out without a toolkit: planes, ranges, stretches of signal, spectra, events, choices."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from gui_fakes import EMOTION3, estimate
from hypothesis import given
from hypothesis import strategies as st

from realtime_mood.health import AuxState, Health, Output, RecordingState, State
from realtime_mood.ring import RingBuffer
from realtime_mood.sources.devices import Device
from realtime_mood.types import Abstained, Chunk, Marker, StreamInfo, Why
from realtime_mood.viewmodel.affect import MIN_READINGS, plane_of, ranges
from realtime_mood.viewmodel.connect import choice_of, choices_of, recording, synthetic, trouble, with_names
from realtime_mood.viewmodel.events import Events
from realtime_mood.viewmodel.lanes import TraceSettings, gaps_of, level, marks_in, min_max, slice_of
from realtime_mood.viewmodel.spectrum import spectrogram, spectrum
from realtime_mood.viewmodel.strip import DROPPED_FIRST, Timing, strip

INFO = StreamInfo(("Fz", "Cz"), 100.0)
NOW = datetime(2026, 1, 1, 12)


def said(n: int, probs=(0.1, 0.2, 0.7)) -> list:
    return [estimate(INFO, 1000 + 25 * k, probs) for k in range(n)]


# -- the plane ----------------------------------------------------------------------------------------------------


def test_the_place_is_the_mean_over_labels_and_the_spread_their_deviation():
    latest = said(1, (0.5, 0.0, 0.5))[0]
    it = plane_of(latest, latest, [latest], 100.0)
    assert it.now == pytest.approx((0.0, 0.4))  # between (-0.6, 0.4) and (0.6, 0.4)
    assert it.spread[:2] == pytest.approx((0.6, 0.0), abs=1e-6)
    assert abs(np.sin(it.spread[2])) < 1e-6  # along valence


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_the_place_lies_between_the_labels(weights):
    probs = tuple((np.array(weights) / sum(weights)).tolist())
    latest = said(1, probs)[0]
    it = plane_of(latest, latest, [latest], 100.0)
    assert -0.6 <= it.now[0] <= 0.6
    assert 0.0 <= it.now[1] <= 0.4
    assert it.spread[0] >= it.spread[1] >= 0


def test_a_sure_answer_does_not_spread():
    latest = said(1, (0.0, 0.0, 1.0))[0]
    it = plane_of(latest, latest, [latest], 100.0)
    assert it.now == pytest.approx((0.6, 0.4))
    assert it.spread[:2] == pytest.approx((0.0, 0.0), abs=1e-6)


def test_no_estimate_is_no_place_but_leaves_its_trail():
    readings = [*said(3), Abstained(Why.GAP, 0, 1075, 101.0, EMOTION3)]
    it = plane_of(readings[-1], readings[-1], readings, 100.0)
    assert it.now is None
    assert len(it.trail) == 3
    assert it.trail[0][0] == pytest.approx(0.75)


def test_a_readout_without_coordinates_says_so():
    plain = replace(EMOTION3, name="effort", labels=("rest", "effort"), coordinates=((0.0, 0.0), (0.0, 0.0)))
    latest = replace(said(1)[0], readout=plain, probs=(0.4, 0.6))
    it = plane_of(latest, latest, [latest], 100.0)
    assert it.places == ()
    assert "valence" in it.words


def test_ranges_need_some_readings_and_forget_old_ones():
    assert ranges(said(MIN_READINGS - 1), 100.0) is None
    old = said(8, (0.9, 0.05, 0.05))
    new = [estimate(INFO, 3000 + 25 * k, (0.1, 0.1, 0.7 + 0.01 * k)) for k in range(12)]
    low, high = ranges([*old, *new], 100.0)[2]
    assert 0.7 < low < 0.73
    assert 0.78 < high < 0.81


def test_ranges_hold_the_newest_even_while_it_moves_away():
    moving = [*said(20, (0.1, 0.1, 0.8)), estimate(INFO, 1500, (0.3, 0.2, 0.5))]
    between = ranges(moving, 100.0)
    assert between == [(0.1, 0.3), (0.1, 0.2), (0.5, 0.8)]  # which the middle 80 % of 21 would leave out


# -- stretches of signal ------------------------------------------------------------------------------------------


def full_ring(n: int) -> RingBuffer:
    ring = RingBuffer(INFO, 6000)
    ring.write(Chunk(np.arange(n, dtype=np.float32)[:, None].repeat(2, 1), 0, n / 100))
    return ring


def test_a_held_picture_stays_while_the_ring_goes_on():
    ring = full_ring(4000)
    held = TraceSettings(paused_at=4000, back_s=5.0)
    before = slice_of(ring, held)
    assert (before.first, before.end) == (2500, 3500)
    ring.write(Chunk(np.zeros((500, 2), np.float32), 4000, 45.0))
    after = slice_of(ring, held)
    np.testing.assert_array_equal(before.data, after.data)
    assert slice_of(ring, TraceSettings()).end == 4500


@given(st.integers(0, 9000), st.integers(0, 9000), st.floats(0, 60), st.sampled_from([5.0, 10.0, 20.0]))
def test_whatever_is_asked_for_there_is_something_to_draw(n, paused_at, back_s, span_s):
    ring = full_ring(n)
    chunk = slice_of(ring, TraceSettings(paused_at=paused_at, back_s=back_s, span_s=span_s))
    assert len(chunk) <= span_s * 100
    assert chunk.end <= ring.end


def test_holes_and_markers_are_found_where_they_are():
    data = np.zeros((1000, 2), np.float32)
    data[300:420] = np.nan
    data[600:650, 1] = np.nan  # one electrode that said nothing is not a hole
    at, points = min_max(data, 5000, 100)
    (hole,) = gaps_of(at, points)
    assert hole == (5300, 5420)
    markers = [Marker(k, str(k)) for k in (10, 4999, 5000, 5999, 6000)]
    assert [m.text for m in marks_in(markers, Chunk(data, 5000, 0.0))] == ["5000", "5999"]


def test_offsets_are_taken_out_of_raw_signal_only_channel_by_channel():
    points = np.array([[1e5, -3.0], [1e5 + 2, -1.0], [np.nan, 0.0]])
    np.testing.assert_allclose(level(points)[:2], [[-1, -1], [1, 1]])


# -- spectrum -----------------------------------------------------------------------------------------------------


def test_the_spectrum_has_the_power_of_the_sine():
    sfreq = 256.0
    t = np.arange(60 * 256) / sfreq
    x = (10 * np.sin(2 * np.pi * 12 * t)).astype(np.float32)
    times, f, power = spectrogram(x, sfreq)
    line = spectrum(times, power)
    assert f[line.argmax()] == 12.0
    total = (10 ** (line / 10)).sum() * (f[1] - f[0])
    assert total == pytest.approx(50.0, rel=0.02)  # mean square of 10 µV
    assert times[-1] == 0


def test_a_hole_is_left_out_of_the_spectrum():
    x = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    x[2000:2100] = np.nan
    times, _, power = spectrogram(x, 100.0)
    assert np.isnan(power).any()
    assert np.isfinite(spectrum(times, power)).all()
    assert len(spectrogram(x[:150], 100.0)[0]) == 0
    assert spectrum(times, np.full_like(power, np.nan)) is None


# -- events -------------------------------------------------------------------------------------------------------


def test_each_thing_is_said_once():
    events, live = Events(), Health(State.LIVE, replace(INFO, name="cap"))
    reading = said(1)[0]
    assert events.note(live, reading, (), NOW)
    assert not events.note(live, reading, (), NOW)
    lost = replace(live, lost=12, notes=("the rate is odd",), recording=RecordingState("a.xdf"))
    markers = (Marker(5, "key 1"),)
    assert events.note(lost, reading, markers, NOW)
    assert not events.note(lost, reading, markers, NOW)
    silent = Abstained(Why.BAD_SIGNAL, 0, 1100, 102.0, EMOTION3)
    assert events.note(lost, silent, markers, NOW)
    assert [line.text for line in events.lines] == [
        "Live: cap", "Estimates", "The rate is odd", "Recording to a.xdf", "12 samples lost, 12 in total",
        "Marker: key 1", "No estimate: poor signal",
    ]  # fmt: skip
    assert str(events.lines[0]) == "2026-01-01 12:00:00  Live: cap"


def test_losses_are_told_together():
    events = Events()
    for k in range(40):  # ten a second
        events.note(Health(State.LIVE, INFO, lost=5 * (k + 1)), None, (), NOW + timedelta(seconds=k / 10))
    assert [line.text for line in events.lines] == [
        "Live",
        "5 samples lost, 5 in total",
        "100 samples lost, 105 in total",
    ]


def test_another_run_begins_its_markers_anew():
    events, live = Events(), Health(State.LIVE, INFO)
    b, c = Marker(2, "b"), Marker(3, "c")
    events.note(live, None, (Marker(1, "a"), b), NOW)
    events.note(live, None, (b, c), NOW)  # the newest two
    events.note(replace(live, samples=1), None, (Marker(1, "d"),), NOW)
    assert [line.text for line in events.lines] == ["Live", *(f"Marker: {text}" for text in "abcd")]


# -- choices ------------------------------------------------------------------------------------------------------


def test_names_are_put_where_the_source_wants_them():
    assert with_names("lsl://x?type=EEG", " Fz, Cz ") == "lsl://x?type=EEG&channels=Fz,Cz"
    assert with_names("brainflow://cyton?serial_port=COM3&channels=…", "Fz;Cz") == (
        "brainflow://cyton?serial_port=COM3&channels=Fz,Cz"
    )
    assert with_names("lsl://x?channels=A,B", "Fz,Cz") == "lsl://x?channels=Fz,Cz"
    assert with_names("synthetic://", "") == "synthetic://"


def test_what_cannot_be_started_says_why(tmp_path):
    assert trouble(synthetic()[0].url) == ""
    assert "electrode of each channel" in trouble("brainflow://cyton?channels=…")
    assert "no scheme" in trouble("my headset")
    assert recording(tmp_path / "a b.edf").url == f"playback://{tmp_path}/a%20b.edf"


def test_a_stream_is_looked_at_and_a_board_only_when_asked():
    stream = choice_of(Device("lsl", "Cap", "lsl://Cap", (), 32, 500.0, "EEG", "id", "lab-pc"))
    board = choice_of(Device("board", "Cyton", "brainflow://cyton?channels=…", (), 8, 250.0))
    assert stream.detail == "EEG · 32 channels · 500 Hz · from lab-pc"
    assert stream.previews
    assert board.needs_names
    assert not board.previews


def test_streams_that_look_alike_show_what_tells_them_apart():
    urls = ("lsl://Cap?type=EEG&source_id=a", "lsl://Cap?type=EEG&source_id=b", "lsl://Other?type=EEG")
    devices = [Device("lsl", url[6:].partition("?")[0], url, (), 8, 250.0, "EEG", "", "pc") for url in urls]
    details = [choice.detail for choice in choices_of(devices)]
    assert details[0].endswith("from pc · type=EEG&source_id=a")
    assert details[1].endswith("from pc · type=EEG&source_id=b")
    assert details[2].endswith("from pc")


# -- the strip ----------------------------------------------------------------------------------------------------


def test_the_way_of_a_sample_comes_first_and_all_that_may_go_is_there():
    cells = strip(Health(State.LIVE, INFO), said(5), (), Timing((8.0, 16.0), 140.0))
    names = [name for name, _ in cells]
    assert names[:5] == ["newest sample", "filters", "context", "to reading", "paint"]
    assert set(DROPPED_FIRST) < set(names)
    assert dict(cells)["longest wait"].role == "warn"
    assert dict(cells)["paint"].text == "8 / 16 ms"


def test_outputs_are_told_where_there_are_any():
    outputs = (Output("OSC a:1", 10, 2, None, "nobody listens there"), Output("LSL x", 12, 0, 1))
    health = Health(State.LIVE, INFO, outputs=outputs)
    told = dict(strip(health, said(5), (), Timing()))["outputs"]
    assert (told.text, told.role) == ("2, 2 dropped", "warn")
    assert told.tip == "OSC a:1: 10 sent, 2 dropped · nobody listens there\nLSL x: 12 sent, 0 dropped, 1 receiver"
    assert "outputs" not in dict(strip(Health(State.LIVE, INFO), said(5), (), Timing()))


def test_streams_beside_the_eeg_are_told_where_there_are_any():
    live = AuxState("lsl://G", "Gaze", "eyes", State.LIVE, 1200, 3, 120.04, 0.02)
    away = AuxState("lsl://PPG")
    cell = dict(strip(Health(State.LIVE, INFO, streams=(live, away)), said(5), (), Timing()))["streams"]
    assert (cell.text, cell.role) == ("2, 1 not live", "warn")
    assert cell.tip == "Gaze: Live, 120.0 Hz, newest 0.0 s ago, 1,200 samples, 3 lost\nlsl://PPG: Connecting"
    only = dict(strip(Health(State.LIVE, INFO, streams=(live,)), said(5), (), Timing()))["streams"]
    assert (only.text, only.role) == ("1", "text")
    assert "streams" not in dict(strip(Health(State.LIVE, INFO), said(5), (), Timing()))
