"""A screen that is not there."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything imports Qt

import pytest

from realtime_mood.types import StreamInfo


@pytest.fixture
def make_window(qtbot, tmp_path):
    """Makes windows that remember things in the test's folder, and sees to it that what they started is gone."""
    from PyQt6.QtCore import QSettings

    from realtime_mood.gui import Flows, RunRequest
    from realtime_mood.gui.bridge import RunBridge
    from realtime_mood.gui.window import MainWindow

    made = []

    def make(engine, url, **more):
        flows = Flows(engine, tmp_path / "recordings", **more)
        memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
        able = {"can_calibrate": flows.calibrate is not None, "can_feed_back": flows.feedback is not None}
        bridge = RunBridge(engine, RunRequest(url), **able)
        made.append(MainWindow(bridge, flows, "weights planted", memory))
        qtbot.addWidget(made[-1])
        made[-1].show()
        return made[-1]

    yield make
    for w in made:
        w.close()
        qtbot.waitUntil(lambda w=w: not w.bridge.is_running)
        w.bridge.close()


@pytest.fixture
def info() -> StreamInfo:
    return StreamInfo(("Fp1", "Fp2", "C3", "C4", "O1", "O2"), 128.0, "planted", virtual=True)
