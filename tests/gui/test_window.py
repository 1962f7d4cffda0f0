"""The real window: driven with an engine that stands still, then with the real one."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import EMOTION3, FakeEngine, planted_engine
from PyQt6.QtCore import QSettings, Qt, QTimer
from PyQt6.QtWidgets import QDialog, QLabel

from realtime_mood import gui
from realtime_mood.errors import SourceLost, SourceNotFound
from realtime_mood.feedback.conditions import contingent
from realtime_mood.feedback.loop import FeedbackLoop
from realtime_mood.feedback.plan import load_plan
from realtime_mood.gui import RunRequest, theme
from realtime_mood.gui.autosave_bar import OFFERED
from realtime_mood.gui.bridge import RunBridge
from realtime_mood.gui.feedback.view import FeedbackView
from realtime_mood.health import Health, RecordingState, State
from realtime_mood.types import Abstained, Estimate, StreamInfo, Why


@pytest.fixture
def window(qtbot, info, make_window):
    """A window on a `FakeEngine`; the engine is ``window.made["engine"]`` once started."""
    made = {"requests": []}

    def make(request: RunRequest) -> FakeEngine:
        made["requests"].append(request)
        if request.url == "nowhere://":
            raise SourceNotFound("source 'nowhere://'", "no such thing", "try synthetic://")
        made["engine"] = FakeEngine(info, made.get("fault"))
        return made["engine"]

    w = make_window(make, "fake://")
    w.made = made
    yield w
    if "engine" in made:
        made["engine"].may_stop.set()


def press(qtbot, window) -> None:
    qtbot.mouseClick(window.top.run, Qt.MouseButton.LeftButton)


def test_a_calibration_has_the_streams_beside_the_source(qtbot, info, make_window):
    begun = []
    w = make_window(
        lambda _: FakeEngine(info), "lsl://Cap", protocols=(("baseline", "Rest"),),
        calibrate=lambda request, *_: begun.append(request) or QDialog(),
    )  # fmt: skip
    w.bridge.request = replace(w.bridge.request, also=("lsl://Gaze",), markers=("lsl://Task",))
    qtbot.waitUntil(w.top.calibrate.isEnabled)
    qtbot.mouseClick(w.top.calibrate, Qt.MouseButton.LeftButton)
    assert begun == [RunRequest("lsl://Cap", also=("lsl://Gaze",), markers=("lsl://Task",))]


def test_closing_by_hand_asks_while_a_calibration_is_under_way(qtbot, info, make_window):
    calibration, asked = QDialog(), []
    calibration.is_underway = True
    w = make_window(lambda _: FakeEngine(info), "fake://", protocols=(("baseline", "Rest"),),
                    calibrate=lambda *_: calibration)  # fmt: skip
    w.ask = lambda question: bool(asked.append(question))
    qtbot.waitUntil(w.top.calibrate.isEnabled)
    w.calibrate()
    done = []
    by_hand = SimpleNamespace(
        spontaneous=lambda: True, ignore=partial(done.append, "ignored"), accept=partial(done.append, "closed")
    )
    w.closeEvent(by_hand)
    assert (done, len(asked)) == (["ignored"], 1)
    calibration.is_underway = False
    w.closeEvent(by_hand)
    assert (done, len(asked)) == (["ignored", "closed"], 1)


def test_start_shows_an_estimate_and_stop_takes_it_away(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.bars._shown[0].text == "positive")
    assert window.banner.state.text() == "Live"
    assert window.top.run.text() == "Stop"
    assert len(window.traces._curves[0].getData()[0]) > 1000
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Stopped")
    assert window.bars._shown[0].text == "stopped"
    qtbot.waitUntil(lambda: window.top.run.text() == "Start")


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
    qtbot.waitUntil(lambda: window.top.run.isEnabled())
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
    qtbot.waitUntil(lambda: window.top.run.text() == "Stopping")
    assert not window.top.run.isEnabled()
    qtbot.waitUntil(lambda: len(window.bridge.frame_ms) > 15)
    assert np.median(window.bridge.frame_ms) < 100
    window.made["engine"].may_stop.set()
    qtbot.waitUntil(lambda: window.top.run.text() == "Start")


def test_closing_during_a_run_stops_it_first(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    window.close()
    assert window.isVisible()  # until the threads have gone
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.made["engine"].done.is_set()


def test_closing_while_the_engine_is_being_built(qtbot, info, make_window):
    may_go = threading.Event()

    def make(request: RunRequest) -> FakeEngine:
        may_go.wait(5)
        return FakeEngine(info)

    w = make_window(make, "fake://")
    w.bridge.start()
    qtbot.waitUntil(lambda: w.banner.state.text() == "Connecting")
    w.close()
    may_go.set()
    qtbot.waitUntil(lambda: not w.isVisible())
    assert not w.bridge.is_running


def test_the_real_engine_in_the_real_window(qtbot, make_window):
    engines = []

    def make(request: RunRequest):
        engines.append(planted_engine(request.url))
        return engines[-1]

    w = make_window(make, "synthetic://?subject=4&n_chans=8&speed=12&script=neutral:30,positive:30")
    press(qtbot, w)
    qtbot.waitUntil(lambda: bool(engines) and isinstance(engines[0].latest, Estimate), timeout=20_000)
    qtbot.waitUntil(lambda: any(bar.prob is not None for bar in w.bars._shown[2]))
    assert w.banner.badges._texts[0].text() == "SIMULATED"
    qtbot.waitUntil(lambda: w.bridge.state.power is not None)
    qtbot.waitUntil(lambda: w.banner.state.text() == "Ended", timeout=20_000)  # the script is played to its end
    qtbot.waitUntil(lambda: not w.bridge.is_running)
    made = sum(isinstance(reading, Estimate) for reading in engines[0].readings())  # few on a loaded machine
    qtbot.waitUntil(lambda: np.isfinite(w.course._course.probs[:, 0]).sum() == made > 0)
    assert {span.text for span in w.course._course.truth} >= {"positive"}
    assert engines[0].health.state is State.ENDED
    w.close()
    assert not w.bridge.is_running


def test_run_serves_ctrl_c(qapp, tmp_path, monkeypatch):
    monkeypatch.setattr("realtime_mood.gui.panels.user_config_path", lambda _: tmp_path)
    QTimer.singleShot(400, lambda: signal.raise_signal(signal.SIGINT))
    flows = gui.Flows(lambda request: planted_engine(request.url), tmp_path)
    began = time.monotonic()
    assert gui.run(flows, RunRequest("synthetic://?n_chans=4&speed=1")) == 0
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_run_opens_the_person_s_screen_beside_the_operator_s(qapp, tmp_path, monkeypatch):
    monkeypatch.setattr("realtime_mood.gui.panels.user_config_path", lambda _: tmp_path)
    plan, seen = load_plan("alpha_up"), []

    def look() -> None:
        seen.extend(it for it in qapp.topLevelWidgets() if isinstance(it, FeedbackView) and it.isVisible())
        signal.raise_signal(signal.SIGINT)

    QTimer.singleShot(400, look)
    flows = gui.Flows(lambda request: planted_engine(request.url), tmp_path, sessions=(("alpha_up", "More alpha"),),
                      feedback=lambda name: (plan, FeedbackLoop(plan, contingent)))  # fmt: skip
    assert gui.run(flows, RunRequest("synthetic://?n_chans=4&speed=1"), session="alpha_up") == 0
    assert len(seen) == 1


def test_a_look_that_nobody_has_started(qtbot):
    bridge = RunBridge(lambda request: planted_engine(request.url), RunRequest(""))
    with qtbot.waitSignal(bridge.state_changed) as seen:
        bridge.stop()  # nothing to stop
    assert seen.args[0].state.text == "Stopped"
    assert Health().state is State.IDLE
    bridge.close()


def test_a_hidden_window_leaves_the_run_alone(qtbot, make_window):
    w = make_window(lambda request: planted_engine(request.url), "synthetic://?n_chans=8&subject=5")
    bridge = w.bridge
    bridge.start()
    qtbot.waitUntil(lambda: bridge._engine is not None and bridge._engine.health.readings > 0, timeout=20000)
    w.hide()
    before = bridge._engine.health.readings
    qtbot.waitUntil(lambda: bridge._engine.health.readings > before + 3, timeout=20000)


# -- flows ------------------------------------------------------------------------------------------------------


def test_a_new_source_ends_the_run_and_begins_another(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    first = window.made["engine"]
    window.run_on("fake://other")
    qtbot.waitUntil(lambda: len(window.made["requests"]) == 2)
    assert first.done.is_set()
    assert window.made["requests"][1] == RunRequest("fake://other")
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    assert window.top.url.text() == "fake://other"


def test_what_was_ticked_beside_a_source_is_part_of_the_run(qtbot, window):
    chosen = RunRequest("fake://other", also=("lsl://Gaze",), markers=("lsl://Task",))
    window.sources.chosen.emit(chosen, "")
    qtbot.waitUntil(lambda: window.made["requests"] == [chosen])


def test_recording_begins_and_ends_in_the_middle_of_the_run(qtbot, window, tmp_path):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    engine = window.made["engine"]
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: window.top.record.text() == "End recording" and engine.health.recording is not None)
    path = Path(engine.health.recording.path)
    assert path.parent == tmp_path / "recordings"
    qtbot.waitUntil(lambda: window.bridge._work is None)
    qtbot.mouseClick(window.top.record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.top.record.text() == "Record")
    assert (engine.health.recording, window.bridge.report) == (None, path)
    assert len(window.made["requests"]) == 1  # the run went on


def test_a_recording_that_is_ended_while_it_still_begins_is_ended(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    engine, go = window.made["engine"], threading.Event()
    begin = engine.begin_recording
    engine.begin_recording = lambda tap: go.wait(5) and begin(tap)
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.keyClick(window, Qt.Key.Key_R)
    go.set()
    qtbot.waitUntil(lambda: window.bridge._work is None)
    assert (engine.health.recording, window.bridge.request.record) == (None, None)
    assert window.bridge.report is not None


def test_without_a_live_signal_recording_does_not_begin_and_says_so(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    window.made["engine"].is_live = False
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "no live signal" in window.banner.banner.text())
    assert window.bridge.request.record is None


def test_the_automatic_recording_of_a_run_is_kept_or_discarded_by_one_click(qtbot, window, tmp_path):
    path = tmp_path / "autosave" / "sub-a_ses-1_task-mood_run-01_eeg.xdf"
    path.parent.mkdir()
    for choice, in_recordings in (("discard", 0), ("keep", 1)):
        path.write_bytes(b"x" * 2_500_000)
        press(qtbot, window)
        qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
        assert window.autosave.isHidden()
        engine = window.made["engine"]
        engine.health = replace(engine.health, autosave=RecordingState(str(path), 2_500_000, automatic=True))
        press(qtbot, window)
        qtbot.waitUntil(window.autosave.isVisible)
        assert "(2.5 MB)" in window.autosave.text.text()
        assert window.bridge.report == path  # a report needs no button pressed before
        qtbot.mouseClick(getattr(window.autosave, choice), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(window.autosave.isHidden)
        assert not path.exists()
        assert len(list((tmp_path / "recordings").glob("*.xdf"))) == in_recordings
    assert window.bridge.report == tmp_path / "recordings" / path.name


def test_what_an_earlier_window_could_not_offer_is_offered_at_the_start(qtbot, info, make_window, tmp_path):
    folders = [tmp_path / name for name in ("autosave", "profiles")]
    names = ("sub-a_ses-1_task-mood_run-01_eeg.xdf", "20261130-baseline.xdf")
    for k, (folder, name) in enumerate(zip(folders, names, strict=True)):
        folder.mkdir()
        (folder / name).write_bytes(b"x" * 2_500_000)
        os.utime(folder / name, (1e9 + k, 1e9 + k))
    QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat).setValue(OFFERED, 1e9 - 1)
    w = make_window(lambda request: FakeEngine(info), "fake://", unkept=tuple(folders))
    assert "ended without being closed" in w.autosave.text.text()
    qtbot.mouseClick(w.autosave.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "A calibration ended" in w.autosave.text.text() and w.autosave.discard.isEnabled())
    assert w.bridge.report == tmp_path / "recordings" / names[0]
    qtbot.waitUntil(lambda: w.memory.value(OFFERED) is not None and float(w.memory.value(OFFERED)) == 1e9 + 1)
    again = make_window(lambda request: FakeEngine(info), "fake://", unkept=tuple(folders))
    assert again.autosave.isHidden()  # it was seen
    (folders[1] / names[1]).unlink()  # somebody else was faster
    qtbot.mouseClick(w.autosave.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: w.autosave.isHidden() and "No such file" in w.banner.banner.text())


def test_a_recording_that_cannot_begin_says_why(qtbot, window, tmp_path):
    (tmp_path / "recordings").write_text("")  # where the folder has to be
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: "Recording could not begin" in window.banner.banner.text())
    assert window.top.record.text() == "Record"


def test_what_is_requested_while_nothing_runs_waits_for_the_start(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: window.top.record.text() == "Cancel recording")
    assert window.made["requests"] == []
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: window.top.record.text() == "Record")


def test_a_session_runs_beside_what_the_operator_sees(qtbot, info, make_window):
    requests = []

    def make(request: RunRequest) -> FakeEngine:
        requests.append(request)
        return FakeEngine(info)

    def session(name: str):
        plan = load_plan(name)
        return plan, FeedbackLoop(plan, contingent)

    w = make_window(make, "fake://", sessions=(("alpha_up", "More alpha"), ("mirror", "A mirror")), feedback=session)
    press(qtbot, w)
    qtbot.waitUntil(lambda: w.top.feedback.isEnabled() and w.banner.state.text() == "Live")
    qtbot.keyClick(w, Qt.Key.Key_F)
    view = w.session
    qtbot.addWidget(view)
    assert len(requests) == 1  # nothing begins before the person has agreed
    qtbot.mouseClick(view.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(requests) == 2)
    assert requests[1].tap is view._loop
    qtbot.waitUntil(lambda: any(text.text() == "FEEDBACK" for text in w.banner.badges._texts if text.isVisible()))
    assert not any(button.isEnabled() for button in (w.top.connect_, w.top.calibrate, w.top.record, w.top.feedback))
    asked = []
    w.ask = lambda question: bool(asked.append(question))
    press(qtbot, w)  # Stop is asked about, and here refused
    w.toggle_record()
    w.feed_back()
    assert len(asked) == 1
    assert len(requests) == 2
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    view.close()
    qtbot.waitUntil(lambda: w.session is None)
    qtbot.waitUntil(lambda: len(requests) == 3 and w.banner.state.text() == "Live")
    assert requests[2].tap is None
    qtbot.waitUntil(w.top.record.isEnabled)


def test_stop_ends_a_session_that_the_operator_wants_ended(qtbot, info, make_window):
    plan = load_plan("alpha_up")
    loop = FeedbackLoop(plan, contingent)
    w = make_window(lambda request: FakeEngine(info), "fake://", sessions=(("alpha_up", "More alpha"),),
                    feedback=lambda name: (plan, loop))  # fmt: skip
    w.ask = lambda question: True
    press(qtbot, w)
    qtbot.waitUntil(lambda: w.banner.state.text() == "Live")
    w.feed_back()
    qtbot.addWidget(w.session)
    qtbot.waitUntil(lambda: not w.top.record.isEnabled())
    press(qtbot, w)
    qtbot.waitUntil(lambda: w.top.run.text() != "Stop" or not w.bridge.is_running)
    w.session.close()
    qtbot.waitUntil(lambda: w.session is None)


def test_digits_mark_and_the_source_field_keeps_its_letters(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    qtbot.keyClick(window, Qt.Key.Key_3)
    assert window.made["engine"].marked == ["key 3"]
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.top.run.text() == "Start")
    window.top.url.setFocus()
    window.top.url.clear()
    qtbot.keyClicks(window.top.url, "lsl://crks3")
    assert window.top.url.text() == "lsl://crks3"
    assert window.sources.dialog is None
    assert window.made["engine"].marked == ["key 3"]


def test_an_electrode_is_left_out_and_taken_back(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    window.traces.exclude_requested.emit("C3", True)
    window.traces.exclude_requested.emit("O1", True)
    window.traces.exclude_requested.emit("C3", False)
    assert window.made["engine"].left_out == [{"C3"}, {"C3", "O1"}, {"O1"}]


def test_ctrl_z_includes_the_electrode_left_out_last(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.bridge._notice[0].text == "No electrode was left out in this run"
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    for name, out in (("C4", True), ("C3", True), ("O1", True), ("O1", False), ("C4", True)):
        window.traces.exclude_requested.emit(name, out)
    assert window.bridge._notice[0].text == "C4 is left out of the estimate; Ctrl+Z includes it again"
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.made["engine"].left_out[4:] == [{"C3", "C4"}, {"C3"}, set()]
    assert window.bridge.left_out == ()


def test_keys_are_listed(qtbot, window):
    window.show_shortcuts()
    dialog = next(it for it in window.findChildren(QDialog) if it.windowTitle() == "Keyboard shortcuts")
    words = {label.text() for label in dialog.findChildren(QLabel)}
    assert {"Calibrate", "R", "1 … 9", "Set a marker"} <= words
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)


def test_panels_and_theme_are_remembered(qtbot, info, make_window):
    w = make_window(lambda _: FakeEngine(info), "fake://")
    was = theme.current()
    w.toggle_theme()
    w.show_demo()
    assert not w.panels.docks["signal"].isVisible()
    assert w.panels.docks["plane"].isVisible()
    w.close()
    again = make_window(lambda _: FakeEngine(info), "fake://")
    assert theme.current() != was
    assert not again.panels.docks["signal"].isVisible()
    again.show_operator()
    assert again.panels.docks["signal"].isVisible()
    again.toggle_theme()
    assert theme.current() == was


def test_the_subject_never_reads_the_word_negative(qtbot, window):
    press(qtbot, window)
    qtbot.waitUntil(lambda: window.banner.state.text() == "Live")
    window.toggle_subject()
    assert window.subject.isVisible()
    qtbot.waitUntil(lambda: window.subject.bars._shown[0].text != "")
    words = [bar.label for bar in window.subject.bars._shown[2]]
    assert words
    assert "negative" not in words
    qtbot.keyClick(window.subject, Qt.Key.Key_Escape)
    assert not window.subject.isVisible()


def test_the_reference_of_the_traces_is_chosen_said_and_refused(qtbot, make_window):
    chains = "Fp1 F7 T7 P7 O1 F3 C3 P3 Fz Cz Pz Fp2 F4 C4 P4 O2 F8 T8 P8"
    engine = FakeEngine(StreamInfo(tuple(chains.split(" ")), 128.0, "planted", virtual=True))
    w = make_window(lambda _: engine, "fake://")
    w.bridge.start()
    qtbot.waitUntil(lambda: len(w.traces.names.electrodes) == 19)
    controls, lanes, scale = w.traces.controls, w.traces.names, w.traces._scale[1]
    qtbot.keyClick(w, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: scale.text().endswith("filtered · average"))
    qtbot.keyClick(w, Qt.Key.Key_E)  # linked ears: no ears in this cap
    qtbot.waitUntil(lambda: w.banner.banner.text().startswith("Linked ears need A1 and A2"))
    assert controls.reference.currentText() == "recorded"
    qtbot.waitUntil(lambda: scale.text().endswith("µV · filtered"))
    controls.reference.setCurrentIndex(3)
    qtbot.waitUntil(lambda: len(lanes.electrodes) == 18)
    qtbot.waitUntil(lambda: w.spectrum.channel.itemText(0) == "Fp1–F7")
    lanes.toggle(0)
    assert engine.left_out == []  # two electrodes cannot be left out by one name
    for _ in range(4):
        qtbot.keyClick(w, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: scale.text().endswith("8–14 Hz · bipolar"))
    controls.reference.setCurrentIndex(4)
    qtbot.waitUntil(lambda: len(lanes.electrodes) == 9)
    lanes.toggle(0)
    assert engine.left_out == [{lanes.electrodes[0].name}]
    assert engine.latest.quality.scores.size == 19  # what the network reads is not touched
