"""The real window: driven with an engine that stands still, then with the real one."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import EMOTION3, FakeEngine, planted_engine
from PyQt6.QtCore import Qt, QTimer

from realtime_mood import gui
from realtime_mood.errors import SourceLost, SourceNotFound
from realtime_mood.gui.bridge import Bridge
from realtime_mood.gui.window import Window
from realtime_mood.health import Health, State
from realtime_mood.types import Abstained, Estimate, Why


@pytest.fixture
def window(qtbot, info):
    """A window on a `FakeEngine`; the engine is `window.engine` once started."""
    made = {}

    def make(url: str) -> FakeEngine:
        if url == "nowhere://":
            raise SourceNotFound("source 'nowhere://'", "no such thing", "try synthetic://")
        made["engine"] = FakeEngine(info, made.get("fault"))
        return made["engine"]

    w = Window(Bridge(make), "fake://", "weights planted")
    w.made = made
    qtbot.addWidget(w)
    w.show()
    yield w
    if "engine" in made:
        made["engine"].may_stop.set()
    w.close()
    qtbot.waitUntil(lambda: not w.bridge.is_running)
    w.bridge.close()


def press(qtbot, window) -> None:
    qtbot.mouseClick(window.top.button, Qt.MouseButton.LeftButton)


def test_start_shows_an_estimate_and_stop_takes_it_away(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.bars._shown[0].text == "positive")
    assert window.banner.state.text() == "Live"
    assert window.top.button.text() == "Stop"
    assert len(window.traces._curves[0].getData()[0]) > 1000
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Stopped")
    assert window.bars._shown[0].text == "stopped"
    qtbot.waitUntil(lambda: window.top.button.text() == "Start")


def test_an_abstention_is_drawn_as_its_reason(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.bars._shown[0].text == "positive")
    engine = window.made["engine"]
    engine.say(Abstained(Why.BAD_SIGNAL, 0, engine.latest.end + 32, engine.latest.t_last + 0.25, EMOTION3))
    qtbot.waitUntil(lambda: window.bars._shown[0].text == "poor signal")
    assert all(bar.prob is None for bar in window.bars._shown[2])


def test_a_source_that_is_not_there_is_said_in_its_own_words(qtbot, window):
    window.top.url.setText("nowhere://")
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Failed")
    assert window.banner.banner.text() == "source 'nowhere://' · no such thing · try synthetic://"
    window.top.url.setText("fake://")
    qtbot.waitUntil(lambda: window.top.button.isEnabled())
    press(qtbot, window)  # and one can try again
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")


def test_a_run_that_ends_in_a_fault_says_so(qtbot, window):
    window.made["fault"] = SourceLost("fake://", "gone for 60 s", "switch it on")
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    window.made["engine"].done.set()
    qtbot.waitUntil(lambda: window.banner.state.text() == "Failed")
    assert window.banner.banner.text() == "fake:// · gone for 60 s · switch it on"
    qtbot.waitUntil(lambda: not window.bridge.is_running)


def test_a_slow_stop_does_not_freeze_the_window(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    window.made["engine"].may_stop.clear()
    window.bridge.frame_ms.clear()
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.top.button.text() == "Stopping")
    assert not window.top.button.isEnabled()
    qtbot.waitUntil(lambda: len(window.bridge.frame_ms) > 15)
    assert np.median(window.bridge.frame_ms) < 100
    window.made["engine"].may_stop.set()
    qtbot.waitUntil(lambda: window.top.button.text() == "Start")


def test_closing_during_a_run_stops_it_first(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    window.close()
    assert window.isVisible()  # until the threads have gone
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.made["engine"].done.is_set()


def test_closing_while_the_engine_is_being_built(qtbot, info):
    may_go = threading.Event()

    def make(url: str) -> FakeEngine:
        may_go.wait(5)
        return FakeEngine(info)

    w = Window(Bridge(make), "fake://")
    qtbot.addWidget(w)
    w.show()
    w.bridge.start("fake://")
    qtbot.waitUntil(lambda: w.banner.state.text() == "Connecting")
    w.close()
    may_go.set()
    qtbot.waitUntil(lambda: not w.isVisible())
    assert not w.bridge.is_running


def test_the_real_engine_in_the_real_window(qtbot):
    engines = []

    def make(url: str):
        engines.append(planted_engine(url))
        return engines[-1]

    w = Window(Bridge(make), "synthetic://?subject=4&n_chans=8&speed=20&script=neutral:30,positive:30")
    qtbot.addWidget(w)
    w.show()
    press(qtbot, w)
    qtbot.waitUntil(lambda: bool(engines) and isinstance(engines[0].latest, Estimate), timeout=10_000)
    qtbot.waitUntil(lambda: any(bar.prob is not None for bar in w.bars._shown[2]))
    assert w.top._badges._texts[0].text() == "VIRTUAL PERSON"
    qtbot.waitUntil(lambda: w.attention.heads[0]._image is not None)
    qtbot.waitUntil(lambda: w.banner.state.text() == "Ended", timeout=10_000)  # the script is played to its end
    qtbot.waitUntil(lambda: not w.bridge.is_running)
    assert len(w.course._course.t) > 100
    assert {span.text for span in w.course._course.truth} >= {"positive"}
    assert engines[0].health.state is State.ENDED
    w.close()
    assert not w.bridge.is_running


def test_run_serves_ctrl_c(qapp):
    QTimer.singleShot(400, lambda: signal.raise_signal(signal.SIGINT))
    began = time.monotonic()
    assert gui.run(planted_engine, "synthetic://?n_chans=4&speed=1") == 0
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_look_that_nobody_has_started(qtbot):
    bridge = Bridge(planted_engine)
    with qtbot.waitSignal(bridge.state_changed) as seen:
        bridge.stop()  # nothing to stop
    assert seen.args[0].state.text == "Stopped"
    assert Health().state is State.IDLE
    bridge.close()


def test_a_hidden_window_leaves_the_run_alone(qtbot):
    bridge = Bridge(planted_engine)
    window = Window(bridge, "synthetic://?n_chans=8&subject=5")
    qtbot.addWidget(window)
    window.show()
    bridge.start("synthetic://?n_chans=8&subject=5")
    qtbot.waitUntil(lambda: bridge._engine is not None and bridge._engine.health.readings > 0, timeout=20000)
    window.hide()
    before = bridge._engine.health.readings
    qtbot.waitUntil(lambda: bridge._engine.health.readings > before + 3, timeout=20000)
    window.close()
    qtbot.waitUntil(lambda: not bridge.is_running, timeout=20000)
    bridge.close()
