"""Each widget on planted view states, looked at as pixels or as text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import EMOTION3, estimate
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QWidget

from realtime_mood.gui.controls import BannerBar, Strip, TopBar
from realtime_mood.gui.heads import Attention, QualityHead
from realtime_mood.gui.mood import Bars, TimeCourse
from realtime_mood.gui.theme import colour
from realtime_mood.gui.traces import LANE_HALF, Traces, lane_uv, min_max
from realtime_mood.gui.viewmodel import Action, ViewState, view
from realtime_mood.health import Health, State
from realtime_mood.types import Abstained, Chunk, Fault, Quality, StreamInfo, Why


def look(info: StreamInfo, *readings, **health) -> ViewState:
    latest = readings[-1] if readings else None
    return view(Health(State.LIVE, info, **health), latest, readings, (), latest.t_last if latest else 0.0)


def silence(info: StreamInfo, why: Why) -> Abstained:
    return Abstained(why, 0, round(10 * info.sfreq), 100.0, EMOTION3)


def pixels(widget: QWidget) -> np.ndarray:
    """(height, width, 3) of what the widget paints."""
    image = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGB32)
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
    maps = shown(qtbot, Attention(), 460, 290)
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


def test_attention_follows_a_change_of_montage(qtbot, info):
    maps = shown(qtbot, Attention(), 460, 290)
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


def test_top_bar_says_what_is_wished_for(qtbot, info):
    bar = TopBar("synthetic://")
    qtbot.addWidget(bar)
    with qtbot.waitSignal(bar.start_wished) as wish:
        qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    assert wish.args == ["synthetic://"]
    bar.show_state(look(info, estimate(info)))
    assert not bar.url.isEnabled()
    with qtbot.waitSignal(bar.stop_wished):
        qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    bar.show_state(replace(look(info), action=Action("Stopping", False, "why")))
    with qtbot.assertNotEmitted(bar.stop_wished):
        qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    assert bar.button.toolTip() == "why"


def test_badges_come_and_go(qtbot, info):
    bar = TopBar("synthetic://")
    qtbot.addWidget(bar)
    bar.show()
    bar.show_state(look(info, estimate(info)))
    assert [t.text() for t in bar._badges._texts if t.isVisible()] == ["VIRTUAL PERSON", "not calibrated"]
    real = replace(info, virtual=False)
    bar.show_state(look(real, replace(estimate(real), calibrated=True)))
    assert not any(t.isVisible() for t in bar._badges._texts)


def test_banner_and_strip_say_the_view_state(qtbot, info):
    banner, strip = BannerBar(), Strip()
    qtbot.addWidget(banner)
    qtbot.addWidget(strip)
    state = look(info, silence(info, Why.UNSURE), samples=1280)
    banner.show_state(state)
    strip.show_state(state)
    assert banner.banner.text() == "Unsure: no label stands out"
    assert banner.state.text() == "Live"
    assert strip._values["samples"].text() == "1,280"


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
    bad = Quality(np.array([0, 1, 1, 1, 1, 1.0]), (Fault.FLAT, *[None] * 5))
    traces.show_state(look(info, replace(estimate(info), quality=bad)))
    data = np.random.default_rng(3).normal(0, 10, (1280, 6)).astype(np.float32)
    data[600:700] = np.nan
    traces.show_signal(Chunk(data, 0, 100.0), info.sfreq, 0.5)
    good, red = traces._curves
    x, y = red.getData()
    assert np.nanmin(y) >= 5.5 - LANE_HALF  # the first channel is the top lane
    assert np.isnan(y).sum() > 20
    assert x[~np.isnan(y)].max() == pytest.approx(-0.5, abs=0.05)
    assert np.nanmax(good.getData()[1]) <= 4.5 + LANE_HALF
    traces.clear()
    assert good.getData()[0] is None or len(good.getData()[0]) == 0
