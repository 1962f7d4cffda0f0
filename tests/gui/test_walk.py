"""A newcomer's first half hour, without the command line: headset, stream, calibration, recording, report."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PyQt6.QtCore import Qt

import app
from realtime_mood.calibration.commands import CalibrationJob
from realtime_mood.calibration.protocol import draw, load_protocol
from realtime_mood.cli.config import resolve
from realtime_mood.types import Estimate

STREAM = "walk8"
FAST = "synthetic://?subject=7&n_chans=8&sfreq=128&speed=20"
SLOW_MS = 60_000


def click(qtbot, button) -> None:
    qtbot.waitUntil(button.isEnabled, timeout=SLOW_MS)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def walk(qtbot, tmp_path, make_window):
    """The window as the program puts it together, with a short rest; pages are not opened but remembered."""

    def engine(request):
        return app.make_engine(
            resolve({"source": request.url, "profile": request.profile, "record": request.record}), give_up_s=None
        )

    def calibrate(request, protocol, told):
        path = tmp_path / "profile.json"
        plan = draw(load_protocol(protocol), 0, rest_s=60.0)
        job = CalibrationJob(resolve({"source": request.url}), plan, path, path.with_suffix(".xdf"), None, None)
        return job.window(told)

    w = make_window(engine, "", protocols=(("baseline", "Rest"),), calibrate=calibrate)
    w.pages = []
    w.reports.open_page = w.pages.append
    return w


@pytest.fixture
def stream(program):
    """A simulated subject's headset on the network, in a process of its own."""
    words = ["outlet", "synthetic://?n_chans=8&subject=7&sfreq=128", "--name", STREAM, "--virtual"]
    program(*words, output=os.devnull)


def test_from_the_first_start_to_the_report(qtbot, walk, stream):
    w = walk
    # Nothing is plugged in: the synthetic headset is two clicks away.
    click(qtbot, w.top.connect_)
    qtbot.waitUntil(lambda: w.sources.dialog is not None and w.sources.dialog.start.isEnabled())
    assert w.sources.dialog.url.text().startswith("synthetic://")
    click(qtbot, w.sources.dialog.start)
    qtbot.waitUntil(lambda: w.banner.state.text() == "Live", timeout=SLOW_MS)
    assert w.banner.badges._texts[0].text() == "SIMULATED"
    # A headset on the network is found, looked at and chosen; it takes the place of the other.
    click(qtbot, w.top.connect_)
    qtbot.waitUntil(lambda: any(choice.title == STREAM for choice in w.sources.dialog._choices), timeout=SLOW_MS)
    w.sources.dialog.list.setCurrentRow([choice.title for choice in w.sources.dialog._choices].index(STREAM))
    qtbot.waitUntil(lambda: w.sources.dialog.preview._words.text().startswith("8 electrodes"), timeout=SLOW_MS)
    click(qtbot, w.sources.dialog.start)
    qtbot.waitUntil(lambda: w.bridge.request.url.startswith("lsl://"), timeout=SLOW_MS)
    # Its quality can be seen, electrode by electrode.
    qtbot.waitUntil(
        lambda: len(w.bridge.state.electrodes) == 8 and all(e.score is not None for e in w.bridge.state.electrodes),
        timeout=SLOW_MS,
    )
    # The same person at many times the speed, so that a minute is soon over.
    w.top.stop_requested.emit()
    qtbot.waitUntil(lambda: w.top.run.text() == "Start", timeout=SLOW_MS)
    w.top.url.setText(FAST)
    click(qtbot, w.top.run)
    qtbot.waitUntil(lambda: isinstance(w.bridge._engine and w.bridge._engine.latest, Estimate), timeout=SLOW_MS)
    assert "not calibrated" in [text.text() for text in w.banner.badges._texts if text.isVisible()]
    # Calibration: a window of its own, which begins once the electrodes are good.
    click(qtbot, w.top.calibrate)
    qtbot.waitUntil(lambda: w.calibration is not None, timeout=SLOW_MS)
    sitting = w.calibration
    qtbot.addWidget(sitting)
    if sitting.welcome.yes.isVisible():
        click(qtbot, sitting.welcome.yes)
    sitting.gate.anyway.setChecked(True)
    click(qtbot, sitting.gate.begin)
    qtbot.waitUntil(lambda: sitting.ending.isVisible(), timeout=SLOW_MS)
    assert "Baseline created" in sitting.ending.words()
    click(qtbot, sitting.ending.close_)
    # The run goes on, calibrated.
    qtbot.waitUntil(lambda: isinstance(w.bridge._engine and w.bridge._engine.latest, Estimate), timeout=SLOW_MS)
    assert w.bridge._engine.latest.calibrated
    qtbot.waitUntil(lambda: w.bridge.state.power_of == "the subject's baseline", timeout=SLOW_MS)
    # Record, end the recording, and read the report.
    assert not w.top.report.isEnabled()
    click(qtbot, w.top.record)
    qtbot.waitUntil(
        lambda: w.bridge._health is None and w.bridge._engine.health.recording is not None
        and isinstance(w.bridge._engine.latest, Estimate), timeout=SLOW_MS,
    )  # fmt: skip
    click(qtbot, w.top.record)
    qtbot.waitUntil(lambda: w.bridge.report is not None, timeout=SLOW_MS)
    click(qtbot, w.top.report)
    qtbot.waitUntil(lambda: bool(w.pages), timeout=SLOW_MS)
    page = Path(w.pages[0].toLocalFile())
    text = page.read_text(encoding="utf-8")
    assert "SIMULATED" in text
    assert page.parent == w.flows.recordings
    notice, _until = w.bridge._notice  # no browser took the page
    assert notice.text == f"Report written: {page} – if no browser shows it, open that file yourself"
    assert not [thread for thread in threading.enumerate() if thread.name == "mood-report" and thread.is_alive()]
