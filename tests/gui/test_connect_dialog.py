"""The dialog that asks what to read from, with devices that are planted and sources that are real."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from realtime_mood.gui import connect_dialog, preview
from realtime_mood.gui.connect_dialog import ConnectDialog
from realtime_mood.gui.preview import Peek
from realtime_mood.sources import devices
from realtime_mood.sources.devices import Device

STREAM = Device("lsl", "Cap", "lsl://Cap?timeout=0.1", (), 32, 500.0, "EEG", "id", "lab-pc")
BOARD = Device("board", "Cyton", "brainflow://cyton?serial_port=COM3&channels=…", (), 8, 250.0)


class Nobody:
    """Finds what a test says."""

    def __init__(self) -> None:
        self.found = self.failed = self
        self.heard = []

    def connect(self, hear) -> None:
        self.heard.append(hear)

    def start(self) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def dialog(qtbot, monkeypatch):
    monkeypatch.setattr(connect_dialog, "Finder", Nobody)
    parent = QWidget()
    qtbot.addWidget(parent)
    peeks = []
    monkeypatch.setattr(preview, "Peek", lambda url: peeks.append(Peek(url)) or peeks[-1])
    it = ConnectDialog(parent)
    it.open()
    yield it
    for peek in peeks:
        peek.stop()
    qtbot.waitUntil(lambda: all(peek.is_over for peek in peeks))


def test_the_synthetic_headset_is_chosen_and_lives_in_the_preview(qtbot, dialog):
    assert dialog.url.text() == "synthetic://"
    qtbot.waitUntil(lambda: dialog.preview._words.text().startswith("32 electrodes · 256 Hz"), timeout=10_000)
    qtbot.waitUntil(lambda: np.isfinite(dialog.preview._curve.getData()[1]).sum() > 100)
    with qtbot.waitSignal(dialog.chosen) as request:
        qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    assert request.args == ["synthetic://", (), ()]
    assert dialog.preview._peek is None  # the device is free for the run


def test_what_is_found_joins_the_list_and_the_choice_stays(qtbot, dialog):
    dialog.list.setCurrentRow(1)
    dialog._devices((STREAM, BOARD))
    assert [choice.title for choice in dialog._choices][2:] == ["Streams from lab-pc", "Cap", "Boards", "Cyton"]
    assert not dialog.list.item(2).flags() & Qt.ItemFlag.ItemIsSelectable
    assert dialog.list.currentRow() == 1


def test_a_board_without_names_asks_for_them_and_is_not_opened(qtbot, dialog):
    dialog._devices((STREAM, BOARD))
    dialog.list.setCurrentRow(5)
    assert not dialog.start.isEnabled()
    assert "electrode of each channel" in dialog.message.text()
    assert dialog.preview._peek is None
    dialog.montages.setCurrentText("OpenBCI Cyton: 8")
    dialog.montages.activated.emit(dialog.montages.currentIndex())
    assert dialog.start.isEnabled()
    assert dialog.wanted_url == "brainflow://cyton?serial_port=COM3&channels=Fp1,Fp2,C3,C4,P7,P8,O1,O2"


def test_the_usual_companions_are_ticked_and_what_is_ticked_is_started(qtbot, dialog):
    streams = [
        STREAM,
        Device("lsl", "Cap", "lsl://Cap?type=ACC", (), 3, 52.0, "ACC", "id", "lab-pc"),
        Device("lsl", "Task", "lsl://Task", (), 1, 0.0, "Markers", "t", "lab-pc"),
        Device("lsl", "Gaze", "lsl://Gaze", (), 3, 60.0, "Gaze", "g", "other-pc"),
    ]
    dialog._devices(streams)
    assert dialog.companions.ticked == ((), ())  # beside a simulated subject nothing is
    dialog.list.setCurrentRow([choice.title for choice in dialog._choices].index("Cap"))
    assert dialog.companions.ticked == (("lsl://Cap?type=ACC",), ("lsl://Task",))
    items = [dialog.companions.list.item(i) for i in range(dialog.companions.list.count())]
    assert [item.text().partition(" · ")[0] for item in items] == ["lab-pc", "Cap", "Task", "other-pc", "Gaze"]
    items[4].setCheckState(Qt.CheckState.Checked)
    items[2].setCheckState(Qt.CheckState.Unchecked)
    dialog._devices(streams[:3] + streams[4:])  # one disappears, and what was done by hand stays
    dialog._devices(streams)
    with qtbot.waitSignal(dialog.chosen) as request:
        qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    assert request.args == [STREAM.url, ("lsl://Cap?type=ACC", "lsl://Gaze"), ()]


def test_a_stream_that_is_not_there_says_so_in_the_preview(qtbot, dialog):
    dialog.url.setText("playback:///nowhere.edf")
    qtbot.mouseClick(dialog.look, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "no such file" in dialog.preview._words.text(), timeout=10_000)


def test_a_url_that_cannot_be_says_why(qtbot, dialog):
    dialog.url.setText("synthetic://?n_chans=4000")
    assert not dialog.start.isEnabled()
    assert "n_chans" in dialog.message.text()


def test_without_the_library_of_boards_the_search_goes_on_and_says_what_to_install(qtbot, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda _: None)
    monkeypatch.setattr(devices, "streams", lambda _: [STREAM])
    finder = connect_dialog.Finder()
    with qtbot.waitSignals([finder.failed, finder.found]) as heard:
        finder.start()
    finder.stop()
    why, found = (signal.args[0] for signal in heard.all_signals_and_args)
    assert why.endswith("pip install 'realtime-mood[boards]'")
    assert found == (STREAM,)
