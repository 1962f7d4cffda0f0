"""The real calibration window on a simulated subject, at many times the speed."""

from __future__ import annotations

import re
import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PyQt6.QtCore import QPoint, Qt, QTimer
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QApplication
from tiny_plan import tiny

from realtime_mood.calibration.collect import collect, spans
from realtime_mood.calibration.fit import fit
from realtime_mood.calibration.progress import Mode
from realtime_mood.calibration.protocol import draw, load_protocol
from realtime_mood.calibration.view.media import Media
from realtime_mood.calibration.view.state import Page
from realtime_mood.calibration.view.window import CalibrationWindow, show
from realtime_mood.cli.config import RunConfig
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ProfileError, SourceNotFound
from realtime_mood.health import State
from realtime_mood.profile import Profile
from realtime_mood.recording.reader import open_recorded
from realtime_mood.types import StreamInfo

WAIT_MS = 20_000
SLOWER = "synthetic://?sfreq=128&n_chans=8&speed=5"
"""For what a window shows for a few seconds of the stream: a loaded machine would miss it at twenty times the speed."""
INFO = StreamInfo(("C3", "C4", "O1", "O2"), 128.0, "planted", virtual=True)


def quick_fit(path: Path, progress) -> SimpleNamespace:
    """What the window may ask of a `Fitted`, at no cost."""
    progress("asking nobody", 0.5)
    rest = np.random.default_rng(0).normal(size=(30, 4, 5))
    return SimpleNamespace(profile=Profile.from_steps(INFO, FeatureSpec(), rest, np.ones((30, 4), bool)))


@pytest.fixture
def windows(qtbot, make_session):
    """Makes windows, and sees to it that what they started is gone."""
    made = []

    def make(plan, *, fit=quick_fit, on_fitted=lambda _: "Saved: profile.json", **how) -> CalibrationWindow:
        w = CalibrationWindow(lambda: make_session(plan, **how), plan, fit, on_fitted)
        made.append(w)
        w.rung = []
        w.bridge.tone_due.connect(lambda: w.rung.append(w.cue.stage._key))
        qtbot.addWidget(w)
        w.show()
        return w

    yield make
    for w in made:
        w.close()
        qtbot.waitUntil(lambda w=w: not w.bridge.is_running, timeout=WAIT_MS)


def key(qtbot, w, name: str) -> None:
    qtbot.keyClick(w, getattr(Qt.Key, f"Key_{name}"))


def wait(qtbot, condition) -> None:
    qtbot.waitUntil(condition, timeout=WAIT_MS)


def text(w) -> str:
    return w.cue.stage.text.text()


def doing(w, step: str) -> bool:
    """Whether that step, like ``block/1``, is on."""
    return w.page is Page.CUE and w.cue.stage._key.rpartition("/")[0] == step


def markers(session) -> list[str]:
    """What the calibration told, less what the simulated subject's own script did."""
    told = [marker.text for marker in open_recorded(session.recording).markers()]
    return [text for text in told if text not in ("rest", "neutral", "positive", "negative")]


def test_a_whole_walk_from_consent_to_the_profile(qtbot, windows, make_session):
    w = windows(tiny(), url=SLOWER.replace("=5", "=10"))
    assert w.page is Page.WELCOME
    assert w.bridge.session is None  # nothing is opened before one has agreed
    qtbot.mouseClick(w.welcome.yes, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: w.page is Page.GATE and w.gate.sentence.text().startswith("Settling"))
    assert not w.gate.begin.isEnabled()
    wait(qtbot, w.gate.begin.isEnabled)
    assert w.gate.sentence.text() == "All 8 electrodes are good"
    assert w.badges._texts[-1].text() == "SIMULATED"
    qtbot.mouseClick(w.gate.begin, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: doing(w, "rest/1"))
    assert text(w) == "Close your eyes."
    wait(qtbot, lambda: w.page is Page.RATING)
    assert len(w.rung) == 1
    for number in range(1, 5):
        wait(qtbot, lambda n=number: w.page is Page.RATING and w.title.text().endswith(f"Block {n} of 4"))
        wait(qtbot, w.rating.plane.isEnabled)
        if number == 2:
            key(qtbot, w, "N")
        else:
            qtbot.mouseClick(w.rating.plane, Qt.MouseButton.LeftButton, pos=w.rating.plane.spot(6, 2).toPoint())
        wait(qtbot, lambda n=number: w.page is not Page.RATING or not w.title.text().endswith(f"Block {n} of 4"))
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert "Baseline created" in w.ending.words()
    assert "Saved: profile.json" in w.ending.words()
    assert w.badges._texts[0].text() == "SIMULATED"
    assert w.code == 0
    told = markers(make_session.made)
    for step in ("rest/1", "block/1", "block/2", "block/3", "block/4"):
        assert told.count(f"{step}/1/shown") == 1
    assert [it for it in told if "/answer/" in it] == [
        "report/1/1/answer/0.50,-0.50", "report/2/1/answer/none", "report/3/1/answer/0.50,-0.50",
        "report/4/1/answer/0.50,-0.50",
    ]  # fmt: skip
    found, answers, repeated = spans(open_recorded(make_session.made.recording).markers())
    assert [(s.kind, s.number) for s in found] == [("rest", 1), *[("block", n) for n in range(1, 5)]]
    assert (len(answers), repeated) == (3, [])


def test_who_does_not_agree_leaves_nothing(qtbot, windows, make_session):
    w = windows(tiny())
    qtbot.mouseClick(w.welcome.no, Qt.MouseButton.LeftButton)
    assert not w.isVisible()
    assert not hasattr(make_session, "made")
    assert w.code == 1


def test_a_bad_electrode_is_named_and_may_be_overlooked(qtbot, windows):
    w = windows(tiny(consent=""), url="synthetic://?sfreq=128&n_chans=8&speed=20&faults=flat:O1")
    assert w.page is Page.GATE  # there was nothing to agree to
    wait(qtbot, lambda: w.gate.sentence.text() == "Fix O1: flat")
    assert not w.gate.begin.isEnabled()
    assert w.gate.cost.isVisible()
    key(qtbot, w, "Return")
    assert w.bridge.session.director.held
    w.gate.anyway.setChecked(True)
    wait(qtbot, w.gate.begin.isEnabled)
    key(qtbot, w, "Return")
    wait(qtbot, lambda: w.page is Page.CUE)
    wait(qtbot, lambda: w.cue.trouble.text() == "Fix O1: flat")


def test_keys_pause_go_on_do_anew_and_stop(qtbot, windows, make_session):
    heard: list[str] = []
    w = windows(
        tiny(consent="", rest=[{"seconds": 60, "text": "Rest."}]),
        url=SLOWER,
        held=False,
        listeners=[lambda it, *_: heard.append(it.text)],
    )

    def is_shown(step: str, times: int) -> bool:
        return heard.count(f"{step}/shown") == times

    wait(qtbot, lambda: doing(w, "rest/1") and is_shown("rest/1/1", 1))
    key(qtbot, w, "Space")
    wait(qtbot, lambda: text(w) == "Paused")
    assert w.cue.pause.text() == "Continue"
    key(qtbot, w, "Space")
    wait(qtbot, lambda: text(w) == "Get ready")
    assert w.cue.stage.note.text() == "This step will be repeated: paused"
    wait(qtbot, lambda: doing(w, "rest/1") and is_shown("rest/1/1", 2))
    key(qtbot, w, "R")
    wait(qtbot, lambda: "requested" in w.cue.stage.note.text())
    wait(qtbot, lambda: is_shown("rest/1/2", 1))
    key(qtbot, w, "Escape")
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert w.ending.words().startswith("Session stopped")
    assert str(make_session.made.recording) in w.ending.words()
    assert not w.rung
    told = [it for it in markers(make_session.made) if it.startswith(("rest", "pause", "resume", "stop"))]
    assert told == [
        "rest/1/1/begin/open", "rest/1/1/shown", "rest/1/1/cancelled/paused", "pause/paused", "resume",
        "rest/1/1/begin/open", "rest/1/1/shown", "rest/1/1/cancelled/requested", "rest/1/2/begin/open",
        "rest/1/2/shown", "stop",
    ]  # fmt: skip


def test_what_was_stopped_can_still_be_made_a_profile_of(qtbot, windows):
    w = windows(tiny(consent="", rest=[{"seconds": 60, "text": "Rest."}]), held=False)
    wait(qtbot, lambda: doing(w, "rest/1"))
    key(qtbot, w, "Escape")
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert w.code == 1
    qtbot.mouseClick(w.ending.fit, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: "Baseline created" in w.ending.words())
    assert w.code == 0


def test_stopping_before_the_first_step(qtbot, windows, make_session):
    w = windows(tiny(consent=""))
    wait(qtbot, lambda: w.gate.sentence.text().startswith("Settling"))
    key(qtbot, w, "Escape")
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert "No step had begun" in w.ending.words()
    assert not w.ending.fit.isVisible()
    assert make_session.made.director.progress.mode is Mode.STOPPED


def test_a_headset_that_goes_away_is_waited_for_and_the_step_done_anew(qtbot, windows, make_session):
    plan = tiny(consent="", rest=[{"seconds": 30, "text": "Close your eyes.", "eyes": "closed"}])
    w = windows(plan, url=f"{SLOWER}&faults=kill:6@6", held=False)
    wait(qtbot, lambda: text(w) == "Headset connection lost. Paused until it is back.")
    assert len(w.rung) == 1  # closed eyes cannot read
    wait(qtbot, lambda: text(w) == "Get ready")
    assert w.cue.stage.note.text() == "This step will be repeated: samples lost"
    wait(qtbot, lambda: w.cue.stage._key == "rest/1/2")
    key(qtbot, w, "Escape")
    wait(qtbot, lambda: w.page is Page.ENDING)
    told = [it for it in markers(make_session.made) if it.startswith("rest") and not it.endswith("/shown")]
    assert told[1:3] == ["rest/1/1/cancelled/samples lost", "rest/1/2/begin/closed"]


def test_a_source_that_is_not_there(qtbot):
    def nowhere():
        raise SourceNotFound("source 'nowhere://'", "no such thing", "try synthetic://")

    w = CalibrationWindow(nowhere, tiny(consent=""), quick_fit, lambda _: "")
    qtbot.addWidget(w)
    w.show()
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert w.ending.words() == "The session could not be started\nSource 'nowhere://'\nNo such thing\nTry synthetic://"
    w.close()


def test_a_source_that_ends_before_the_protocol_does(qtbot, windows):
    plan = tiny(consent="", rest=[{"seconds": 60, "text": "Rest."}])
    w = windows(plan, url="synthetic://?sfreq=128&n_chans=8&speed=20&script=neutral:12", held=False)
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert w.ending.words().startswith("The source ended before the last step")
    assert w.ending.fit.isVisible()


def baseline_plan(seconds: float):
    return draw(load_protocol("baseline"), 0, rest_s=seconds)


def test_a_fit_that_fails_loses_nothing(qtbot, windows, make_session):
    def no_fit(path, progress):
        raise ProfileError("a baseline", "3 s of usable rest", "record longer")

    w = windows(baseline_plan(4), fit=no_fit, held=False)
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert w.ending.words().startswith("No profile could be created\nA baseline\n3 s of usable rest\nRecord longer")
    assert str(make_session.made.recording) in w.ending.words()
    assert make_session.made.recording.stat().st_size > 1000
    assert w.code == 1


def test_the_window_lives_and_records_on_while_a_profile_is_made(qtbot, windows, make_session):
    told, may_go, seen = threading.Event(), threading.Event(), []

    def slow(path, progress):
        seen.append(collect(path, FeatureSpec(), "auto"))
        progress("shuffling blocks", 0.4)
        told.set()
        assert may_go.wait(20)
        return quick_fit(path, progress)

    w = windows(baseline_plan(4), fit=slow, held=False)
    wait(qtbot, lambda: told.is_set() and w.busy.text.text() == "Shuffling blocks")
    assert w.busy.bar.value() == 400
    assert "mood-fit" in {thread.name for thread in threading.enumerate()}
    n_bytes = make_session.made.recording.stat().st_size
    wait(qtbot, lambda: make_session.made.recording.stat().st_size > n_bytes + 10_000)
    may_go.set()
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert make_session.made.engine.health.recording.trouble == ""
    after = collect(make_session.made.recording, FeatureSpec(), "auto")
    assert after.person.sha256 == seen[0].person.sha256
    assert np.array_equal(after.person.de, seen[0].person.de)


def test_a_headset_that_goes_away_while_a_profile_is_made_takes_nothing_with_it(qtbot, windows, make_session):
    def slow(path, progress):
        while make_session.made.engine.health.state is not State.RECONNECTING:
            threading.Event().wait(0.01)
        return quick_fit(path, progress)

    w = windows(
        baseline_plan(4), url="synthetic://?sfreq=128&n_chans=8&speed=20&faults=kill:600@30", fit=slow, held=False
    )
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert "Baseline created" in w.ending.words()


def test_closing_while_a_profile_is_made_ends_that_first(qtbot, windows):
    fitting = threading.Event()

    def endless(path, progress):
        fitting.set()
        while True:
            progress("shuffling blocks", 0.4)
            threading.Event().wait(0.01)

    w = windows(baseline_plan(4), fit=endless, held=False)
    wait(qtbot, fitting.is_set)
    w.close()
    wait(qtbot, lambda: not w.isVisible())
    assert not w.bridge.is_running


def test_closing_in_the_middle_ends_the_run_first(qtbot, windows, make_session):
    w = windows(tiny(consent="", rest=[{"seconds": 60, "text": "Rest."}]), held=False)
    assert not w.is_underway
    wait(qtbot, lambda: doing(w, "rest/1"))
    assert w.is_underway
    w.close()
    assert w.isVisible()  # until the threads have gone
    wait(qtbot, lambda: not w.isVisible())
    assert "stop" in markers(make_session.made)


# -- media ------------------------------------------------------------------------------------------------------


def with_media(plan, *files: Path):
    shown = tuple(map(str, files))
    return replace(plan, steps=tuple(replace(s, media=shown if s.kind == "block" else ()) for s in plan.steps))


def paint(path: Path, colour: str) -> Path:
    image = QImage(60, 40, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    assert image.save(str(path))
    return path


def test_pictures_are_shown_one_after_the_other(qtbot, windows, make_session, tmp_path):
    files = paint(tmp_path / "a.png", "#ff0000"), paint(tmp_path / "b.png", "#00ff00")
    w = windows(with_media(tiny(consent="", rest=[], block_s=60), *files), held=False)
    media = w.cue.stage.media
    wait(qtbot, lambda: media.current == str(files[0]))
    middle = media.grab().toImage().pixelColor(media.width() // 2, media.height() // 2)
    assert middle.name() == "#ff0000"
    assert w.cue.stage.caption.isVisible()
    wait(qtbot, lambda: media.current == str(files[1]))
    wait(qtbot, lambda: w.page is Page.RATING)
    assert media.current == ""
    key(qtbot, w, "Escape")
    wait(qtbot, lambda: w.page is Page.ENDING)
    assert markers(make_session.made).count("block/1/1/shown") == 1


def test_a_picture_after_a_sound_has_its_whole_share_of_the_block(qtbot, tmp_path, monkeypatch):
    from PyQt6.QtMultimedia import QMediaPlayer

    files = "a.wav", *(str(paint(tmp_path / name, "#ff0000")) for name in ("b.png", "c.png"))
    media = Media()
    qtbot.addWidget(media)
    monkeypatch.setattr(media, "_play", lambda name: None)
    media.show_files("block/1/1", files, 0.0, 30.0)
    media.show_files("block/1/1", files, 12.0, 30.0)
    media._status(QMediaPlayer.MediaStatus.EndOfMedia)
    for elapsed_s, shown in ((12.03, files[1]), (21.9, files[1]), (22.1, files[2]), (29.9, files[2])):
        media.show_files("block/1/1", files, elapsed_s, 30.0)
        assert media.current == shown


@pytest.mark.parametrize("name", ["broken.png", "gone.jpg", "broken.wav", "gone.mp4"])
def test_a_file_that_cannot_be_shown_is_said_and_the_block_waits(qtbot, windows, make_session, tmp_path, name):
    path = tmp_path / name
    if name.startswith("broken"):
        path.write_bytes(b"this is no picture, and no sound either")
    w = windows(with_media(tiny(consent="", rest=[]), path), held=False)
    wait(qtbot, lambda: text(w) == "Paused")
    assert w.cue.stage.note.text().startswith(f"Cannot show {name}: ")
    assert w.cue.stage.text.isVisible()
    key(qtbot, w, "Escape")
    wait(qtbot, lambda: w.page is Page.ENDING)
    cancelled = re.compile(rf"block/1/\d/cancelled/cannot show {name}")  # a loaded machine may lose samples before it
    assert any(map(cancelled.match, markers(make_session.made)))


@pytest.mark.parametrize(("height", "scrolls"), [(560, True), (1400, False)])
def test_a_long_consent_can_be_read_to_its_end_in_a_low_window(qtbot, height, scrolls):
    from realtime_mood.calibration.view.entry import Welcome
    from realtime_mood.calibration.view.window import STYLE
    from realtime_mood.gui.theme import style

    page = Welcome(tiny(consent="A sentence to be read. " * 60))
    page.setStyleSheet(style(STYLE))
    qtbot.addWidget(page)
    page.resize(960, height)
    page.show()
    qtbot.waitUntil(lambda: (page.area.verticalScrollBar().maximum() > 0) == scrolls)
    assert page.area.body.height() >= page.area.body.heightForWidth(page.area.body.width())
    assert page.yes.geometry().bottom() <= page.height()


# -- the answer -------------------------------------------------------------------------------------------------


def test_the_plane_is_answered_with_arrows_too(qtbot):
    from realtime_mood.calibration.view.rating import RatingPlane

    plane, said = RatingPlane(), []
    qtbot.addWidget(plane)
    plane.chosen.connect(lambda valence, arousal: said.append((valence, arousal)))
    qtbot.keyClick(plane, Qt.Key.Key_Return)
    assert said == []  # nothing is chosen yet
    for name in ("Up", "Up", "Left", "Return"):  # the first one only shows the middle
        qtbot.keyClick(plane, getattr(Qt.Key, f"Key_{name}"))
    assert said == [(-0.25, 0.25)]
    for _ in range(12):
        qtbot.keyClick(plane, Qt.Key.Key_Right)
    qtbot.keyClick(plane, Qt.Key.Key_Return)
    assert said[-1] == (1.0, 0.25)


def test_the_corners_of_the_plane(qtbot):
    from realtime_mood.calibration.view.rating import RatingPlane

    plane, said = RatingPlane(), []
    qtbot.addWidget(plane)
    plane.resize(500, 400)
    plane.chosen.connect(lambda valence, arousal: said.append((valence, arousal)))
    for cell in ((0, 0), (8, 8)):
        qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=plane.spot(*cell).toPoint())
    qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert said == [(-1.0, -1.0), (1.0, 1.0)]


# -- all of it --------------------------------------------------------------------------------------------------


def test_run_fits_for_real_and_ctrl_c_ends_it(qapp, make_session, monkeypatch, tmp_path):
    """Both ways out of `run`: a baseline that is made, and an interruption."""
    monkeypatch.setattr("realtime_mood.gui.panels.user_config_path", lambda _: tmp_path)
    plan, settings, saved = baseline_plan(40), RunConfig(), []

    def close() -> None:
        if saved:
            watch.stop()
            QTimer.singleShot(100, QApplication.closeAllWindows)

    watch = QTimer()
    watch.timeout.connect(close)
    watch.start(50)
    code = show(lambda: CalibrationWindow(
        lambda: make_session(plan, held=False), plan, lambda path, progress: fit(path, settings, progress),
        lambda fitted: saved.append(fitted) or "Saved",
    ))  # fmt: skip
    assert code == 0
    assert saved[0].profile.seconds > 25
    assert saved[0].profile.virtual
    QTimer.singleShot(300, lambda: signal.raise_signal(signal.SIGINT))
    assert show(lambda: CalibrationWindow(lambda: make_session(plan), plan, quick_fit, lambda _: "")) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
