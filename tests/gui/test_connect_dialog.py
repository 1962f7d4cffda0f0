"""The dialog that asks what to read from, with devices that are planted and sources that are real."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from hypothesis import given
from hypothesis import strategies as st
from PyQt6 import sip
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QGraphicsView, QWidget

from realtime_mood.gui import connect_dialog, preview
from realtime_mood.gui.connect_dialog import ConnectDialog
from realtime_mood.gui.preview import Peek
from realtime_mood.sources import devices
from realtime_mood.sources.devices import Device
from realtime_mood.viewmodel.connect import Choice, matches

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
    if not sip.isdeleted(it):
        it.preview.stop()  # and begins no other, as stopping its threads alone would let it
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


def shown(dialog) -> list[str]:
    rows = [dialog.list.item(i) for i in range(dialog.list.count())]
    return [item.text().partition("\n")[0] for item in rows if not item.isHidden()]


def test_the_search_field_leaves_what_has_all_its_words(qtbot, dialog):
    dialog._devices((STREAM, BOARD))
    qtbot.keyClicks(dialog.search, "CYTON 250")
    assert shown(dialog) == ["Boards", "Cyton"]
    assert dialog.url.text() == BOARD.url  # what was chosen is hidden, so the first of the others is
    dialog._devices((STREAM, BOARD, Device("board", "Ganglion", "brainflow://ganglion", (), 4, 200.0)))
    assert shown(dialog) == ["Boards", "Cyton"]
    dialog.search.setText("serial_port")  # options are no names
    assert shown(dialog) == []
    assert dialog.nothing.isVisible()
    dialog.search.clear()
    assert len(shown(dialog)) == 7
    assert not dialog.nothing.isVisible()


def test_the_unit_of_a_signal_is_chosen_without_typing(dialog):
    dialog._devices((STREAM,))
    dialog.list.setCurrentRow([choice.title for choice in dialog._choices].index("Cap"))
    dialog.units.setCurrentText("mV")
    assert dialog.wanted_url == f"{STREAM.url}&units=mV"
    dialog.list.setCurrentRow(0)
    assert dialog.wanted_url == "synthetic://"


@given(st.lists(st.sampled_from("abc "), max_size=6).map("".join), st.lists(st.sampled_from(["", "x", "ab", "bc"])))
def test_a_heading_is_shown_with_what_is_below_it(words, urls):
    choices = [Choice(f"t{i}", "", url) for i, url in enumerate(urls)]
    hits = matches(choices, words)
    for i, choice in enumerate(choices):
        below = itertools.takewhile(lambda at: choices[at].url, range(i + 1, len(choices)))
        found = all(word in f"t{i}  {choice.url}" for word in words.split())
        assert hits[i] == (found if choice.url else any(hits[at] for at in below))


def test_recordings_dropped_on_the_window_are_offered(qtbot, monkeypatch, make_window, info, tmp_path):
    monkeypatch.setattr(connect_dialog, "Finder", Nobody)
    w = make_window(lambda _: FakeEngine(info), "synthetic://")
    files = [tmp_path / "Session 1.edf", tmp_path / "b.xdf"]
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    plot = w.traces.findChild(QGraphicsView).viewport()
    entered, dropped = QDragEnterEvent(QPoint(5, 5), *how), QDropEvent(QPointF(5, 5), *how)
    QApplication.sendEvent(plot, entered)
    assert entered.isAccepted()
    QApplication.sendEvent(w, dropped)
    assert shown(w.sources.dialog)[2:] == ["Session 1.edf", "b.xdf"]
    assert w.sources.dialog.wanted_url == f"playback://{tmp_path}/Session%201.edf"
    w.sources.dialog.add_files(files)  # again, on the dialog: nothing is offered twice
    assert len(shown(w.sources.dialog)) == 4
    peek = w.sources.dialog.preview._peek
    w.sources.dialog.reject()
    qtbot.waitUntil(lambda: peek is None or peek.is_over)


def test_a_drop_without_files_is_left_alone(qtbot, make_window, info):
    w = make_window(lambda _: FakeEngine(info), "synthetic://")
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/a.edf")])
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(w, QDropEvent(QPointF(5, 5), *how))
    assert w.sources.dialog is None
