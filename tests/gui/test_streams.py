"""The panel of the streams beside the EEG: what it shows of planted streams, in words and in pixels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PyQt6.QtCore import Qt
from test_texts import over, painted  # noqa: F401  # the fixture that remembers painted text
from test_widgets import pixels, share, shown

from realtime_mood import auxiliary, clock
from realtime_mood.aux_ring import AuxRing
from realtime_mood.auxiliary import STRING, AuxChunk, AuxInfo, SenderClock
from realtime_mood.eyes.layout import shown_layout_of
from realtime_mood.gui.session_lines import SessionLines
from realtime_mood.gui.streams import GazePlane, StreamsPanel
from realtime_mood.gui.theme import colour
from realtime_mood.health import AuxState, Health, State
from realtime_mood.ring import RingBuffer
from realtime_mood.types import Chunk, Marker
from realtime_mood.viewmodel.body import BodyLine, BodyView
from realtime_mood.viewmodel.envelope import envelope
from realtime_mood.viewmodel.gaze import GazeView, gaze_of
from realtime_mood.viewmodel.streams import KIND_WORDS, NO_BODY, StreamsView, streams_view
from realtime_mood.viewmodel.words import StyledText

NOW = 1000.0
PUPIL = ("confidence", "norm_pos_x", "norm_pos_y", "diameter0_2d")


def ring_of(name: str, kind: str, labels: tuple[str, ...], stamps, values, sfreq: float = 0.0, **more) -> AuxRing:
    units = more.pop("units", ("",) * len(labels))
    ring = AuxRing(AuxInfo(f"lsl://{name}", name, kind, labels, units, sfreq, **more))
    ring.write(AuxChunk(np.asarray(values), np.asarray(stamps, float), np.asarray(stamps, float), 0, SenderClock(0, 0)))
    return ring


def texts(name: str, *at: tuple[float, str], now: float = NOW, **more) -> AuxRing:
    values = np.array([[text] for _, text in at], object)
    return ring_of(name, "Markers", ("",), [now + t for t, _ in at], values, format=STRING, **more)


def gaze_ring(now: float = NOW, blink: bool = False) -> AuxRing:
    t = now - np.arange(500)[::-1] / 250
    values = np.column_stack([np.full(500, 0.9), np.linspace(0, 1, 500), np.full(500, 0.25), np.full(500, 40.0)])
    if blink:
        values[-50:, 0] = 0.1
    return ring_of("Gaze", "Gaze", PUPIL, t, values.astype(np.float32), 250.0)


def sine(name: str, kind: str, sfreq: float, now: float = NOW) -> AuxRing:
    t = now - np.arange(round(12 * sfreq))[::-1] / sfreq
    return ring_of(name, kind, ("a",), t, np.sin(2 * np.pi * t)[:, None].astype(np.float32), sfreq)


def health_of(*rings: AuxRing, **changes) -> Health:
    states = (
        AuxState(ring.info.url, ring.info.name, ring.info.kind, State.LIVE, 10, 0, ring.info.sfreq or 0.4, 0.1)
        for ring in rings
    )
    return Health(State.LIVE, streams=tuple(replace(state, **changes) for state in states))


def look(*rings: AuxRing, markers=(), raw=None, now: float = NOW, body=NO_BODY, **changes) -> StreamsView:
    return streams_view(health_of(*rings, **changes), rings, markers, raw, now, 200, body)


@settings(deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(0, 60), st.just(2)), elements=st.floats(-1e6, 1e6) | st.just(math.nan)),
    st.floats(0.001, 3.0),
    st.randoms(),
)
def test_an_envelope_keeps_extremes_and_order_and_has_few_points(values, width_s, rng):
    stamps = 50 + np.cumsum([rng.uniform(0, 0.1) for _ in values])
    t, points = envelope(stamps, values, width_s)
    assert (np.diff(t) >= 0).all()
    columns = len(np.unique(np.floor(stamps / width_s)))
    assert len(t) <= 2 * columns
    for k in range(2):
        known, kept = (it[np.isfinite(it)] for it in (values[:, k], points[:, k]))
        assert (len(known) > 0) == (len(kept) > 0)
        if len(known):
            assert (kept.min(), kept.max()) == (known.min(), known.max())


def test_a_line_breaks_where_a_regular_stream_paused_and_an_irregular_one_goes_on():
    stamps = np.r_[np.arange(0, 2, 0.02), np.arange(4, 6, 0.02)]
    assert np.isnan(envelope(stamps, stamps[:, None], 0.05, 50.0)[1]).sum() == 1
    assert not np.isnan(envelope(stamps, stamps[:, None], 0.05)[1]).any()
    backwards = envelope(stamps[::-1], stamps[::-1, None], 0.01)
    np.testing.assert_array_equal(backwards[0], stamps)


def test_each_stream_has_its_state_in_words_and_colour_and_its_figures():
    view = look(sine("Belt", "PPG", 64.0), lost=1200, state=State.STALLED, age_s=4.25)
    (stream,) = view.streams
    assert (stream.name, stream.kind) == ("Belt", "pulse")
    assert (stream.state.text, stream.state.role) == ("stalled", "warn")
    assert stream.facts == "64.0 Hz · 4.2 s ago"
    assert (stream.lost.text, stream.lost.role) == ("1,200 lost", "warn")
    (line,) = stream.lines
    assert (line[0, 0], line[-1, 0]) == pytest.approx((-10, 0), abs=0.1)
    assert (np.nanmin(line[:, 1]), np.nanmax(line[:, 1])) == (0, 1)
    assert set(KIND_WORDS) == {*auxiliary.KIND_WORDS, "other"}
    waiting = streams_view(Health(State.LIVE, streams=(AuxState("lsl://Later"),)), (), (), None, NOW, 200).streams[0]
    assert (waiting.name, waiting.state.text, waiting.facts, waiting.lines) == ("lsl://Later", "waiting", "", ())
    over_ = streams_view(replace(health_of(sine("Belt", "PPG", 64.0)), state=State.IDLE), (), (), None, NOW, 200)
    assert over_.streams[0].state.text == "Ended"  # what was live then is not live now


def test_a_stream_without_variation_or_without_a_number_is_drawn_or_left_out():
    t = NOW - np.arange(100)[::-1] / 10
    for value, points in ((5.0, 0.5), (np.nan, np.nan), (np.inf, np.nan)):
        (line,) = look(ring_of("x", "EDA", ("a",), t, np.full((100, 1), value), 10.0)).streams[0].lines
        np.testing.assert_array_equal(line[:, 1], points)


def test_markers_of_all_streams_are_on_one_axis_and_none_is_there_twice(info):
    raw = RingBuffer(info, 1280)
    raw.write(Chunk(np.zeros((1280, 6), np.float32), 0, NOW))
    run = (Marker(1279 - 128, "key 1"), Marker(1279 - 256, "go"), Marker(1279 - 300, "neutral"))
    task, keys = texts("Task", (-5.0, "left"), (-2.01, "go")), texts("Keys", (-1.0, "key 1"), in_markers=True)
    view = look(task, keys, markers=run, raw=raw)
    assert [(round(mark.t, 1), mark.text) for mark in view.marks] == [(-5.0, "left"), (-2.0, "go"), (-1.0, "key 1")]
    assert [len(stream.ticks) for stream in view.streams] == [2, 1]
    codes = ring_of("Codes", "Trigger", ("c",), [NOW - 3], np.array([[7]], np.int32), format="int32")
    assert [mark.text for mark in look(codes).marks] == ["7"]


@pytest.mark.parametrize(
    ("labels", "where"),
    [
        (PUPIL, (1, 2)),
        (("gaze_x", "gaze_y", "pupil"), (0, 1)),
        (("x", "y"), (0, 1)),
        (("xpixel", "ypixel"), (0, 1)),
        (("left_xpos", "right_xpos", "right_ypos"), (1, 2)),
        (("left_gaze_origin_x", "left_gaze_origin_y", "left_gaze_x", "left_gaze_y"), (2, 3)),
        (("norm_pos_x", "norm_pos_y", "gaze_point_3d_x", "gaze_point_3d_y"), (0, 1)),
        (("GazePointX", "GazePointY"), (0, 1)),
        (("pupil", "index"), None),
        (("", ""), None),
    ],
)
def test_the_position_of_the_gaze_is_found_by_its_labels(labels, where):
    layout = shown_layout_of(AuxInfo("lsl://Eyes", "Eyes", "Gaze", labels, ("",) * len(labels)))
    assert (layout and layout.xy) == where


def test_the_gaze_has_a_trail_and_is_gone_in_a_blink():
    gaze = gaze_of(gaze_ring(), NOW)
    assert gaze.now == pytest.approx((1.0, 0.75), abs=0.02)  # upwards in Pupil Labs' normalised positions
    assert gaze.trail[0] == pytest.approx((2.0, 0.0, 0.75), abs=0.05)
    blink = gaze_of(gaze_ring(blink=True), NOW)
    assert blink.now is None
    assert blink.trail[-1][0] == pytest.approx(0.2, abs=0.05)
    assert gaze_of(gaze_ring(NOW - 1), NOW).now is None
    assert gaze_of(sine("Eyes", "Gaze", 60.0), NOW) == GazeView()
    t = NOW - np.arange(500)[::-1] / 250
    pixel = np.column_stack([np.linspace(0, 1600, 500), np.linspace(1200, 0, 500)])
    pixels_ = gaze_of(ring_of("Neon", "Gaze", ("x", "y"), t, pixel, 250.0, units=("px", "px")), NOW)
    assert pixels_.now == pytest.approx((1.0, 0.0), abs=0.03)
    assert pixels_.aspect == pytest.approx(4 / 3, abs=0.02)


def body_line(name: str, values: np.ndarray) -> BodyLine:
    t = np.arange(len(values)) - float(len(values))
    return BodyLine(name, name.replace("_", " "), StyledText("72 /min"), t, values)


def test_a_line_over_the_session_has_gaps_where_it_was_invalid():
    values = np.linspace(60, 80, 600)
    values[200:300] = np.nan
    lines = BodyView((body_line("rmssd", np.empty(0)), body_line("heart_rate", values)))
    heart, empty = look(body=lines).body
    assert (heart.label, heart.text.text, heart.span) == ("heart rate", "72 /min", "−10 min")
    assert 12 < np.isnan(heart.points[:, 1]).sum() < 40
    assert heart.points[[0, -1], 0] == pytest.approx([0, 1], abs=0.02)
    assert len(empty.points) == 0


@pytest.mark.parametrize("width", [440, 900])
def test_no_word_of_the_panel_is_cut_off_or_over_another(qtbot, painted, width):  # noqa: F811
    panel = shown(qtbot, StreamsPanel(), width, 260)
    rings = [gaze_ring(), texts("Task", *((k / 4 - 8, f"stimulus {k}") for k in range(20)))]
    rings += [sine(f"A stream with a long name {k}", "ACC", 52.0) for k in range(4)]
    body = BodyView((body_line("heart_rate", np.full(60, 70.0)), body_line("skin_conductance", np.arange(90.0))))
    panel.show()
    panel.show_streams(look(*rings, body=body))
    panel.grab()
    assert {type(widget).__name__ for widget in painted} == {"StreamRows", "MarkStrip", "GazePlane", "SessionLines"}
    for widget, words in painted.items():
        for k, (text, letters, room) in enumerate(words):
            assert letters.width() <= room.width() + 2.5, text
            assert not any(over(letters, other) for _, other, _room in words[:k]), (type(widget), text)


def test_traces_and_gaze_are_painted_and_the_gaze_vanishes(qtbot):
    plane = shown(qtbot, GazePlane(), 160, 120)
    plane.show_gaze(gaze_of(gaze_ring(), NOW))
    with_gaze = share(plane, colour("info"), 40)
    plane.show_gaze(GazeView())
    assert with_gaze > 0.001 > share(plane, colour("info"), 40)
    panel = shown(qtbot, StreamsPanel(), 500, 200)
    panel.show()
    panel.show_streams(look(sine("Belt", "PPG", 64.0)))
    assert share(panel.rows, colour("label2"), 20) > 0.005
    assert not panel.gaze.isVisible()
    lines = shown(qtbot, SessionLines(), 200, 100)
    before = pixels(lines)
    lines.show_lines(look(body=BodyView((body_line("skin_conductance", np.arange(60.0)),))).body)
    assert (pixels(lines) != before).any()


def test_the_tab_comes_with_the_streams_and_asks_for_data_only_while_it_is_seen(qtbot, info, make_window):
    engine = FakeEngine(info)
    w = make_window(lambda _: engine, "fake://")
    tab = w.details.indexOf(w.details.streams)
    w.bridge.start()
    qtbot.waitUntil(lambda: w.bars._shown[1] != "")
    assert not w.details.isTabVisible(tab)
    qtbot.keyClick(w, Qt.Key.Key_D)
    assert w.details.currentWidget() is w.spectrum
    now = clock.now()
    engine.streams = (sine("Belt", "PPG", 64.0, now), texts("Task", (-1.0, "left"), now=now))
    engine.health = replace(engine.health, streams=health_of(*engine.streams).streams)
    qtbot.waitUntil(lambda: len(w.details.streams.rows._shown.streams) == 2)
    assert w.details.currentWidget() is w.details.streams
    assert "Belt: Live" in w.details.streams.rows.accessibleDescription()
    qtbot.keyClick(w, Qt.Key.Key_D)
    assert w.details.currentWidget() is w.spectrum
    assert w.feed.width_px == 0
    looks = []
    w.feed.streams_changed.connect(looks.append)
    frames = len(w.bridge.work_ms)
    qtbot.waitUntil(lambda: len(w.bridge.work_ms) > frames + 10)
    assert looks == []
    qtbot.keyClick(w, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: len(looks) > 1)
    engine.health = replace(engine.health, streams=())
    qtbot.waitUntil(lambda: not w.details.isTabVisible(tab))
