"""Each widget on planted view states, looked at as pixels or as text."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from datetime import datetime
from functools import partial

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import EMOTION3, estimate
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QImage, QPixmap
from PyQt6.QtWidgets import QApplication, QWidget

from realtime_mood.calibration.view.rating import RatingPage
from realtime_mood.gui.connect_dialog import ConnectDialog, Finder
from realtime_mood.gui.controls import BannerBar, StripBar, TopBar
from realtime_mood.gui.details import Details
from realtime_mood.gui.heads import QualityHead
from realtime_mood.gui.maps import DIVERGING, MapHead, Maps
from realtime_mood.gui.mood import Bars, TimeCourse
from realtime_mood.gui.plane import Plane
from realtime_mood.gui.preview import Preview
from realtime_mood.gui.spectrum_panel import EventLog, SpectrumPanel
from realtime_mood.gui.streams import StreamsPanel
from realtime_mood.gui.theme import colour
from realtime_mood.gui.traces import LANE_HALF, Traces
from realtime_mood.health import Health, State
from realtime_mood.types import Abstained, Chunk, Fault, Marker, Quality, StreamInfo, Why
from realtime_mood.viewmodel.actions import RunRequest, actions_of
from realtime_mood.viewmodel.events import EventLine
from realtime_mood.viewmodel.lanes import lane_uv, min_max
from realtime_mood.viewmodel.state import ViewState, view


def look(info: StreamInfo, *readings, **health) -> ViewState:
    latest = readings[-1] if readings else None
    it = Health(State.LIVE, info, **health)
    actions = actions_of(it, RunRequest("synthetic://"), stopping=False)
    return view(it, latest, readings, (), latest.t_last if latest else 0.0, actions=actions)


def silence(info: StreamInfo, why: Why) -> Abstained:
    return Abstained(why, 0, round(10 * info.sfreq), 100.0, EMOTION3)


def pixels(widget: QWidget) -> np.ndarray:
    """(height, width, 3) of what the widget paints."""
    return of_picture(widget.grab())


def of_picture(picture: QPixmap) -> np.ndarray:
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    raw = image.constBits().asarray(image.sizeInBytes())
    return np.frombuffer(raw, np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)[:, :, 2::-1].astype(int)


def share(widget: QWidget, hue: QColor, within: int = 12) -> float:
    """How much of the widget has this colour."""
    off = np.abs(pixels(widget) - [hue.red(), hue.green(), hue.blue()]).max(axis=2)
    return float((off <= within).mean())


def shown(qtbot, widget: QWidget, width: int, height: int) -> QWidget:
    qtbot.addWidget(widget)
    widget.setStyleSheet("background: #000")
    widget.resize(width, height)
    return widget


def test_bars_grow_with_the_probability_and_vanish_without_one(qtbot, info):
    bars = shown(qtbot, Bars(), 240, 240)
    bars.show_state(look(info, estimate(info, probs=(0.1, 0.2, 0.7))))
    much = share(bars, colour("label2"))
    bars.show_state(look(info, estimate(info, probs=(0.1, 0.5, 0.4))))
    less = share(bars, colour("label2"))
    bars.show_state(look(info, silence(info, Why.BAD_SIGNAL)))
    assert much > less > 0.002
    assert share(bars, colour("label2")) == 0


def test_time_course_draws_no_line_through_a_gap(qtbot, info):
    course = shown(qtbot, TimeCourse(), 480, 220)
    hop = round(info.sfreq / 4)
    line = [estimate(info, k * hop, (0.05, 0.05, 0.9)) for k in range(1, 241)]
    course.show_state(look(info, *line))
    whole = share(course, colour("label2"))
    cut = [Abstained(Why.GAP, 0, r.end, r.t_last, EMOTION3) if 60 <= k < 180 else r for k, r in enumerate(line)]
    course.show_state(look(info, *cut))
    assert 0.3 * whole < share(course, colour("label2")) < 0.75 * whole


def test_attention_is_a_map_with_a_reading_and_an_empty_head_without(qtbot, info):
    maps = shown(qtbot, Maps(), 460, 310)
    maps.show()
    hot = np.full((info.n_chans, 5), 0.02, np.float32)
    hot[info.ch_names.index("O1")] = 0.9
    maps.show_state(look(info, replace(estimate(info), attention=hot)))
    yellow = QColor(253, 231, 37)  # the top of the colour map
    alpha = maps.heads[2]
    assert share(alpha, yellow, 60) > 0.003
    picture = pixels(alpha)
    left, right = picture[:, : picture.shape[1] // 2], picture[:, picture.shape[1] // 2 :]
    assert left[..., 1].sum() > right[..., 1].sum()  # O1 is on the left
    maps.show_state(look(info, silence(info, Why.BAD_SIGNAL)))
    assert share(alpha, yellow, 60) == 0


def test_a_changed_map_is_painted_anew_and_nothing_around_it(qtbot, info, monkeypatch):
    painted, paint = list[QRect](), MapHead.paintEvent

    def noted(head, event):
        painted.append(event.rect())
        paint(head, event)

    monkeypatch.setattr(MapHead, "paintEvent", noted)
    maps = shown(qtbot, Maps(), 460, 310)
    with qtbot.waitExposed(maps):
        maps.show()
    for seed in range(3):
        attention = np.random.default_rng(seed).uniform(0, 0.5, (info.n_chans, 5))
        maps.show_state(look(info, replace(estimate(info), attention=attention)))
        painted.clear()
        QApplication.processEvents()
        widths = [square.width() for square in painted]
        on_screen = of_picture(maps.screen().grabWindow(maps.winId()))
        np.testing.assert_array_equal(on_screen, pixels(maps))
    assert len(widths) == 5
    assert max(widths) < 0.75 * maps.heads[0].width()


def test_attention_follows_a_change_of_montage(qtbot, info):
    maps = shown(qtbot, Maps(), 460, 310)
    maps.show()
    maps.show_state(look(info, estimate(info)))
    other = StreamInfo(("Fz", "Cz", "Pz", "Oz", "unheard of"), 128.0)
    maps.show_state(look(other, estimate(other)))
    assert len(maps.heads[0].xy) == 4  # what has no place on the head is left out
    assert not maps.grab().isNull()


def test_quality_head_colours_faults(qtbot, info):
    head = shown(qtbot, QualityHead(), 260, 260)
    head.show_state(look(info, estimate(info)))
    assert share(head, colour("ok")) > 0.005
    assert share(head, colour("bad")) < 0.002
    bad = Quality(np.array([0, 1, 1, 1, 1, 1.0]), (Fault.FLAT, *[None] * 5))
    head.show_state(look(info, replace(estimate(info), quality=bad)))
    assert share(head, colour("bad")) > 0.002
    assert [e.name for e in head._electrodes if e.is_bad] == ["Fp1"]


def test_top_bar_says_what_is_requested(qtbot, info):
    bar = TopBar("synthetic://", (("baseline", "Rest"), ("effort", "Effort")))
    qtbot.addWidget(bar)
    bar.show_state(replace(look(info), actions=actions_of(Health(), RunRequest(""), stopping=False)))
    with qtbot.waitSignal(bar.start_requested) as request:
        qtbot.mouseClick(bar.run, Qt.MouseButton.LeftButton)
    assert request.args == ["synthetic://"]
    bar.show_state(look(info, estimate(info)))
    assert not bar.url.isEnabled()
    with qtbot.waitSignal(bar.stop_requested):
        qtbot.mouseClick(bar.run, Qt.MouseButton.LeftButton)
    bar.show_state(replace(look(info), actions=actions_of(Health(), RunRequest(""), stopping=True)))
    with qtbot.assertNotEmitted(bar.stop_requested):
        qtbot.mouseClick(bar.run, Qt.MouseButton.LeftButton)
    assert bar.run.toolTip() == "Waiting for the run to end"


def test_a_button_that_cannot_work_says_why(qtbot, info):
    bar = TopBar("synthetic://")
    qtbot.addWidget(bar)
    bar.show_state(look(info))
    for button in (bar.calibrate, bar.feedback, bar.report):
        assert not button.isEnabled()
        assert button.toolTip() == button.accessibleDescription() != ""


def test_badges_come_and_go(qtbot, info):
    bar = BannerBar()
    qtbot.addWidget(bar)
    bar.show()
    bar.show_state(look(info, estimate(info)))
    assert [t.text() for t in bar.badges._texts if t.isVisible()] == ["SIMULATED", "not calibrated"]
    real = replace(info, virtual=False)
    bar.show_state(look(real, replace(estimate(real), calibrated=True)))
    assert not any(t.isVisible() for t in bar.badges._texts)


def test_banner_and_strip_say_the_view_state(qtbot, info):
    banner, strip = BannerBar(), StripBar()
    qtbot.addWidget(banner)
    qtbot.addWidget(strip)
    state = look(info, silence(info, Why.UNSURE), samples=1280)
    banner.show_state(state)
    strip.show_state(state)
    assert banner.banner.text() == "Unsure: no label stands out"
    assert banner.state.text() == "Live"
    assert strip.values["samples"].text() == "1,280"


def test_a_narrow_strip_lets_the_least_important_go(qtbot, info):
    strip = StripBar()
    qtbot.addWidget(strip)
    strip.resize(2200, 24)
    strip.show()
    strip.show_state(look(info, estimate(info), samples=1280))
    assert all(cell.isVisible() for cell in strip._cells.values())
    strip.resize(800, 24)
    assert not strip._cells["samples"].isVisible()
    assert strip._cells["newest sample"].isVisible()
    assert strip._cells["lost"].isVisible()
    assert sum(cell.sizeHint().width() for cell in strip._cells.values() if not cell.isHidden()) <= 800


def test_min_max_keeps_every_peak_and_shows_lost_samples():
    rng = np.random.default_rng(1)
    data = rng.normal(size=(1000, 3)).astype(np.float32)
    data[500] = 50
    data[700:720] = np.nan
    at, points = min_max(data, 7, 100)
    assert len(at) <= 200
    assert np.nanmax(points) == 50
    assert np.isnan(points[:, 0]).sum() >= 4
    later, again = min_max(data[130:], 137, 87)  # the same columns, ten further on
    common = np.isin(at, later)
    np.testing.assert_array_equal(points[common], again[np.isin(later, at)])


def test_no_signal_yet_is_an_empty_picture(qtbot, info):
    traces = shown(qtbot, Traces(), 500, 400)
    traces.show()
    traces.show_state(look(info))
    traces.show_signal(Chunk(np.empty((0, 6), np.float32), 0, 0.0), info.sfreq)
    assert not np.isfinite(traces._curves[0].getData()[1]).any()


def test_lane_is_a_round_number_that_does_not_flutter():
    rng = np.random.default_rng(2)
    swing = rng.normal(size=(500, 4))
    uv = lane_uv(20 * swing, 50.0)
    assert uv in (50.0, 100.0)
    assert all(lane_uv(k * swing, uv) == uv for k in (18, 20, 22))
    assert lane_uv(500 * swing, uv) > 1000
    assert lane_uv(np.full((500, 4), np.nan), uv) == uv


def test_traces_show_gaps_faults_and_the_order_of_channels(qtbot, info):
    traces = shown(qtbot, Traces(), 500, 400)
    traces.show()
    bad = Quality(np.array([0, 1, 1, 1, 1, 1.0]), (Fault.FLAT, *[None] * 5)).without(frozenset({5}))
    traces.show_state(look(info, replace(estimate(info), quality=bad)))
    data = np.random.default_rng(3).normal(0, 10, (1280, 6)).astype(np.float32)
    data[600:700] = np.nan
    chunk = Chunk(data, 0, 100.0)
    traces.show_signal(chunk, info.sfreq, 0.5, (Marker(900, "key 1"), Marker(950, "neutral")))
    good, red, dim = traces._curves
    x, y = red.getData()
    assert np.nanmin(y) >= 5.5 - LANE_HALF  # the first channel is the top lane
    assert np.isnan(y).sum() > 20
    assert x[~np.isnan(y)].max() == pytest.approx(-0.5, abs=0.05)
    assert 0.5 + LANE_HALF < np.nanmean(good.getData()[1]) < 5.5
    assert np.nanmax(dim.getData()[1]) <= 0.5 + LANE_HALF
    ground = traces._ground
    assert ground._hatched == (0,)
    assert ground._gaps[0] == pytest.approx(((600 - 1280) / 128 - 0.5, (700 - 1280) / 128 - 0.5), abs=0.05)
    assert ground._marks == pytest.approx([(900 - 1280) / 128 - 0.5])
    assert [text for _, text in traces.marks.words] == ["key 1"]  # a simulated subject's state is drawn elsewhere
    hatched = share(traces, colour("bad"), 60)
    traces.clear()
    assert good.getData()[0] is None or len(good.getData()[0]) == 0
    assert share(traces, colour("bad"), 60) < hatched
    assert not traces.marks.isVisible()


def test_a_click_on_a_name_or_its_key_leaves_the_electrode_out(qtbot, info):
    traces = shown(qtbot, Traces(), 500, 400)
    traces.show()
    traces.show_state(look(info, estimate(info)))
    names = traces.names
    with qtbot.waitSignal(traces.exclude_requested) as request:
        qtbot.mouseClick(names, Qt.MouseButton.LeftButton, pos=QPoint(10, round(names.height() * 2.5 / 6)))
    assert request.args == ["C3", True]
    out = estimate(info).quality.without(frozenset({2}))
    traces.show_state(look(info, replace(estimate(info), quality=out)))
    with qtbot.waitSignal(traces.exclude_requested) as request:
        qtbot.keyClick(names, Qt.Key.Key_Space)
    assert request.args == ["C3", False]
    qtbot.keyClick(names, Qt.Key.Key_Down)
    with qtbot.waitSignal(traces.exclude_requested) as request:
        qtbot.keyClick(names, Qt.Key.Key_Space)
    assert request.args == ["C4", True]


def test_traces_are_held_and_run_again(qtbot, info):
    traces = shown(qtbot, Traces(), 500, 400)
    traces.show()
    traces.show_signal(Chunk(np.zeros((640, 6), np.float32), 1000, 100.0), info.sfreq)
    traces.toggle_pause()
    assert traces.settings.paused_at == 1640
    assert traces.controls.back.isVisible()
    traces.controls.back.setValue(-20)
    assert traces.settings.back_s == 20
    assert traces._scale[0].text() == "−30 s"
    traces.toggle_pause()
    assert traces.settings == replace(traces.settings, paused_at=None, back_s=0.0)


def test_a_scale_that_is_chosen_stays(qtbot, info):
    traces = shown(qtbot, Traces(), 500, 400)
    traces.show()
    traces.controls.scale.setCurrentIndex(3)
    data = np.random.default_rng(3).normal(0, 300, (1280, 6)).astype(np.float32)
    traces.show_signal(Chunk(data, 0, 100.0), info.sfreq)
    assert traces.uv == 50.0
    assert traces._scale[1].text() == "lane = 50 µV"


def test_band_power_has_its_own_colours_and_words(qtbot, info):
    maps = shown(qtbot, Maps(), 460, 310)
    maps.show()
    state = replace(look(info, estimate(info)), power=np.full((6, 5), 2.9), power_of="your own baseline")
    maps.show_state(state)
    red = QColor.fromRgb(int(DIVERGING[-4]))
    assert share(maps.heads[0], red, 40) < 0.01
    qtbot.mouseClick(maps.power, Qt.MouseButton.LeftButton)
    assert share(maps.heads[0], red, 40) > 0.1
    assert maps.scale._legend.words.endswith("your own baseline")


def test_maps_that_nobody_sees_cost_nothing(qtbot, info):
    maps = shown(qtbot, Maps(), 460, 310)
    maps.show_state(look(info, estimate(info)))
    assert maps._drawn is None
    maps.show()
    assert maps._drawn is not None


def test_impedance_stands_beside_the_name(qtbot, info):
    head = shown(qtbot, QualityHead(), 260, 260)
    it = Health(State.LIVE, info)
    reading = estimate(info)
    head.show_state(view(it, reading, (reading,), (), 0.0, kohm=np.array([3.2, np.nan, 1, 1, 1, 1])))
    assert [e.kohm for e in head._electrodes[:2]] == [pytest.approx(3.2), None]
    before = pixels(head)
    head.show_state(view(it, reading, (reading,), (), 0.0, kohm=np.array([54.0, np.nan, 1, 1, 1, 1])))
    assert (pixels(head) != before).any()


def test_the_pointer_asks_an_electrode_what_is_known_of_it(qtbot, info):
    head = shown(qtbot, QualityHead(), 260, 260)
    bad = Quality(np.array([0, 1, 1, 1, 1, 1.0]), (Fault.FLAT, *[None] * 5))
    reading = replace(estimate(info), quality=bad)
    head.show_state(view(Health(State.LIVE, info), reading, (reading,), (), 0.0, kohm=np.full(6, 7.0)))
    head.grab()
    assert head.words_at(head.spot(*head.xy[0]).toPoint()) == "Fp1 · flat · 7 kΩ"
    assert head.words_at(head.spot(*head.xy[2]).toPoint()) == "C3 · good · 7 kΩ"
    assert head.words_at(QPoint(1, 1)) == ""


def test_the_plane_shows_where_and_how_sure(qtbot, info):
    plane = shown(qtbot, Plane(), 260, 260)
    plane.show_state(look(info, estimate(info, probs=(0.05, 0.05, 0.9))))
    right = pixels(plane)[:, 130:].sum()
    plane.show_state(look(info, estimate(info, probs=(0.9, 0.05, 0.05))))
    assert pixels(plane)[:, 130:].sum() < right  # the dot went to the left
    plane.show_state(look(info, silence(info, Why.BAD_SIGNAL)))
    assert plane._shown.now is None


def test_the_spectrum_finds_a_rhythm(qtbot, info):
    panel = shown(qtbot, SpectrumPanel(), 500, 220)
    panel.show()
    t = np.arange(60 * 128) / 128
    data = np.random.default_rng(0).normal(0, 1, (len(t), 6)).astype(np.float32)
    data[:, 4] += 20 * np.sin(2 * np.pi * 10 * t)
    panel.show_signal(Chunk(data, 0, 100.0), 128.0, info.ch_names, "filtered")
    panel.channel.setCurrentText("O1")
    panel.show_signal(Chunk(data, 0, 100.0), 128.0, info.ch_names, "filtered")
    f, line = panel._curve.getData()
    assert f[np.argmax(line)] == 10.0
    assert panel._picture.image.shape[1] == len(f)


def test_the_log_grows_and_can_be_kept(qtbot, monkeypatch, tmp_path):
    log = EventLog()
    qtbot.addWidget(log)
    lines = [EventLine(datetime(2026, 1, 1, 12, 0, k), f"line {k}") for k in range(3)]
    log.show_lines(lines[:2])
    log.show_lines(lines)
    assert [log.list.item(i).text() for i in range(3)] == [f"12:00:0{k}  line {k}" for k in range(3)]
    path = str(tmp_path / "events.txt")
    monkeypatch.setattr("realtime_mood.gui.spectrum_panel.QFileDialog.getSaveFileName", lambda *_: (path, ""))
    with qtbot.waitSignal(log.save_requested) as request:
        qtbot.mouseClick(log.save, Qt.MouseButton.LeftButton)
    assert request.args == [path]


@pytest.mark.parametrize(
    "make", [Maps, SpectrumPanel, Details, Traces, Preview, StreamsPanel, RatingPage, partial(ConnectDialog, None)]
)
def test_a_widget_is_freed_with_its_last_reference(qtbot, monkeypatch, make):
    monkeypatch.setattr(Finder, "start", lambda _: None)
    gc.disable()  # in whose turn, on any thread, it would be destroyed
    try:
        widget = make()
        held = weakref.ref(widget)
        widget.show()
        widget.close()
        del widget
        qtbot.waitUntil(lambda: held() is None)
    finally:
        gc.enable()
