"""The check of this computer from the window: the dialog, and the line below the error of a run."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QLabel, QWidget

from realtime_mood.doctor import commands
from realtime_mood.doctor.finding import Finding, Level
from realtime_mood.errors import SourceNotFound, StreamEnded, WeightsError
from realtime_mood.gui.computer_check import ComputerCheckDialog, ComputerExaminer
from realtime_mood.health import Health, RecordingState, State
from realtime_mood.language import Phrase
from realtime_mood.viewmodel.computer_check import CHECKS, LEVELS, checks_for

FOUND = [
    Finding("multicast", Level.WRONG, "no answer on eth0 of lab-pc", "sudo ufw allow 16571/udp", (("host", "lab-pc"),)),
    Finding("disk", Level.WARNING, "2 GB free", Phrase("free some space before a long recording")),
    Finding("python", Level.OK, "3.11"),
]


@pytest.fixture
def examine(monkeypatch):
    monkeypatch.setattr(commands, "examination", lambda *_: FOUND)
    return lambda: commands.computer_check("loopback", None)


def words(dialog) -> list[str]:
    return [label.text() for label in dialog.list.findChildren(QLabel)]


def test_the_findings_are_listed_with_what_to_do_and_copied_without_names(qtbot, make_window, info, examine):
    w = make_window(lambda _: FakeEngine(info), "synthetic://", examine=examine)
    w.fault_help.open()
    dialog = w.findChild(ComputerCheckDialog)
    qtbot.waitUntil(lambda: len(words(dialog)) == 9)
    assert words(dialog)[:3] == ["wrong", "multicast", "no answer on eth0 of lab-pc\n→ sudo ufw allow 16571/udp"]
    assert dialog.summary.text() == "Faults that prevent a run or a recording: 1 · warnings: 1"
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert "ufw allow" in copied
    assert "lab-pc" not in copied
    dialog.reject()


def test_the_findings_are_in_the_language_of_the_window_and_the_copy_in_english(qtbot, examine, use_language):
    use_language("de")
    parent = QWidget()
    qtbot.addWidget(parent)
    examiner = ComputerExaminer(parent, examine)
    dialog = ComputerCheckDialog(parent, examiner)
    qtbot.waitUntil(lambda: len(words(dialog)) == 9)
    assert words(dialog)[3:6] == ["Warnung", "Datenträger", "2 GB free\n→ vor einer langen Aufnahme Platz schaffen"]
    assert examiner.result is not None
    assert "disk: 2 GB free\n             → free some space before a long recording" in examiner.result.issue
    dialog.reject()


def test_a_check_that_fails_says_so_and_can_be_repeated(qtbot, make_window, info):
    answers = [OSError("no processes"), None]

    def examine():
        raise answers[0]

    w = make_window(lambda _: FakeEngine(info), "synthetic://", examine=examine)
    w.fault_help.open()
    dialog = w.findChild(ComputerCheckDialog)
    qtbot.waitUntil(lambda: "no processes" in dialog.summary.text())
    assert dialog.again.isEnabled()
    assert not dialog.copy.isEnabled()
    dialog.reject()


def test_closing_the_dialog_does_not_end_the_check_and_a_second_one_does_not_begin(qtbot, examine):
    go, calls = threading.Event(), []

    def slow():
        calls.append(1)
        assert go.wait(5)
        return examine()

    parent = QWidget()
    qtbot.addWidget(parent)
    examiner = ComputerExaminer(parent, slow)
    ComputerCheckDialog(parent, examiner).reject()
    examiner.begin()
    with qtbot.waitSignal(examiner.done):
        go.set()
    assert calls == [1]
    assert examiner.result is not None


def test_a_run_that_fails_shows_the_finding_that_explains_it(qtbot, make_window, info, examine):
    def make(request):
        raise SourceNotFound("source 'lsl://Cap'", "no such stream", "switch it on")

    w = make_window(make, "lsl://Cap", examine=examine)
    w.bridge.start()
    qtbot.waitUntil(lambda: not w.fault_help.isHidden())
    assert "Check this computer" in w.fault_help.text.text()
    assert w.banner.banner.text() == "source 'lsl://Cap' · no such stream · switch it on"
    qtbot.mouseClick(w.fault_help.check, Qt.MouseButton.LeftButton)
    expected = "multicast: no answer on eth0 of lab-pc → sudo ufw allow 16571/udp"
    qtbot.waitUntil(lambda: w.fault_help.text.text() == expected)
    w.findChild(ComputerCheckDialog).reject()


def test_without_a_check_there_is_no_offer(qtbot, make_window, info):
    w = make_window(lambda _: FakeEngine(info, None), "lsl://Cap")
    assert "Check this computer…" not in [action.text() for action in w.top.views.menu().actions()]


@pytest.mark.parametrize(
    ("fault", "url", "first"),
    [
        (SourceNotFound("a"), "lsl://Cap", "LSL library"),
        (SourceNotFound("a"), "brainflow://cyton", "serial ports"),
        (SourceNotFound("a"), "playback:///x.edf", None),
        (StreamEnded("a"), "lsl://Cap", None),
        (WeightsError("a"), "synthetic://", "weights"),
        (OSError(28, "full"), "synthetic://", "disk"),
        (OSError(2, "none"), "synthetic://", None),
        (None, "lsl://Cap", None),
    ],
)
def test_which_checks_may_explain_a_fault(fault, url, first):
    assert next(iter(checks_for(Health(State.FAILED, fault=fault), url)), None) == first


def test_what_is_wrong_with_a_run_that_goes_on_has_its_checks_too():
    lost = Health(State.RECONNECTING, sample_age_ms=11_000)
    assert checks_for(lost, "lsl://Cap") == CHECKS["lsl"]
    assert not checks_for(replace(lost, sample_age_ms=3000), "lsl://Cap")
    full = RecordingState("a.xdf", trouble="the disk is full")
    assert checks_for(Health(State.LIVE, autosave=full), "lsl://Cap") == ("disk",)
    assert not checks_for(Health(State.LIVE, recording=replace(full, trouble="")), "lsl://Cap")


def test_the_checks_and_levels_named_are_those_of_doctor():
    known = {check.name for check in commands.checks_of("loopback")}
    assert known >= {name for names in CHECKS.values() for name in names} | {"weights", "packages", "torch", "disk"}
    assert {level.label for level in Level} == LEVELS.keys()
