"""The screen of the person in a session of feedback, on a loop that hears what a test plays."""

from __future__ import annotations

import gc
import re
import weakref
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from test_texts import Painter, painted  # noqa: F401  # the fixture that remembers painted text

from realtime_mood import clock
from realtime_mood.feedback.conditions import contingent
from realtime_mood.feedback.loop import FeedbackLoop
from realtime_mood.feedback.plan import FeedbackPlan, load_plan, shipped
from realtime_mood.feedback.tone import FeedbackTone
from realtime_mood.gui.feedback import displays
from realtime_mood.gui.feedback.displays import Circle, Display, display_of
from realtime_mood.gui.feedback.sound import Speaker, _Pull
from realtime_mood.gui.feedback.view import FeedbackView
from realtime_mood.health import Health
from realtime_mood.language import _
from realtime_mood.plugins import BUILT_IN
from realtime_mood.types import Chunk, StreamInfo
from realtime_mood.viewmodel.feedback import FeedbackFrame

INFO = StreamInfo(("O1", "O2"), 128.0, virtual=True)
PLAN = FeedbackPlan.model_validate({
    "name": "fast", "title": "Fast", "about": "a", "consent": "You agree to this", "debrief": "This was it",
    "measures": [{"kind": "band", "electrodes": ["O1", "O2"]}],
    "blocks": [{"kind": "baseline", "seconds": 14}, {"kind": "feedback", "seconds": 30}],
})  # fmt: skip


class StandIn:
    """A run that a test plays."""

    def __init__(self, loop: FeedbackLoop) -> None:
        self.loop, self.begun, self.is_over, self.trouble = loop, False, True, ""

    def begin(self) -> None:
        self.begun, self.is_over = True, False
        if not self.trouble:
            self.loop.open(INFO)

    def end(self) -> None:
        self.loop.close(Health())
        self.is_over = True


@pytest.fixture
def view(qtbot):
    loop = FeedbackLoop(PLAN, contingent, notch=())
    told = []
    run = StandIn(loop)
    it = FeedbackView(PLAN, loop, run, lambda: told.append("gone"))
    it.loop, it.told, it.run = loop, told, run
    qtbot.addWidget(it)
    it.show()
    yield it
    it.close()


def agree(qtbot, view) -> None:
    qtbot.mouseClick(view.yes, Qt.MouseButton.LeftButton)
    assert view.run.begun


def play(view, seconds: float, first: int = 0) -> int:
    """Signal whose newest sample is taken now."""
    rng, end, now = np.random.default_rng(first), first + round(seconds * INFO.sfreq), clock.now()
    for at in range(first, end, 16):
        data = rng.normal(0, 10, (16, 2)).astype(np.float32)
        view.loop.take(Chunk(data, at, now - (end - at - 16) / INFO.sfreq))
    return end


def test_from_consent_to_debrief(qtbot, view):
    assert view.pages.currentIndex() == 0
    agree(qtbot, view)
    qtbot.waitUntil(lambda: view.display.shown is not None)
    assert view.display.shown.neutral  # nothing has come yet
    end = play(view, 25)
    qtbot.waitUntil(lambda: not view.display.shown.neutral)
    assert view.display.shown.rewards != ""
    assert view.display.shown.virtual
    assert not view.display.grab().isNull()
    play(view, 30, end)
    qtbot.waitUntil(lambda: view.pages.currentIndex() == 2)
    assert view.outcome.text() == "Session finished"
    assert view.after.text().endswith("rewards")


def test_silence_turns_the_circle_neutral(qtbot, view):
    agree(qtbot, view)
    play(view, 25)
    qtbot.waitUntil(lambda: view.display.shown is not None and not view.display.shown.neutral)
    qtbot.waitUntil(lambda: view.display.shown.neutral)
    assert view.display.shown.words


def test_no_consent_no_session(qtbot, view):
    qtbot.mouseClick(view.no, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.told == ["gone"])
    assert not view.run.begun


def test_escape_stops_one_and_closing_tells_when_its_run_has_gone(qtbot, view):
    agree(qtbot, view)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.pages.currentIndex() == 2
    assert view.outcome.text() == "Session stopped"
    assert view.told == []
    qtbot.mouseClick(view.done, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.told == ["gone"])


def test_a_run_that_cannot_go_on_says_why(qtbot, view):
    view.run.trouble = "lsl://x · no such stream · switch it on"
    qtbot.mouseClick(view.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.pages.currentIndex() == 2)
    assert "no such stream" in view.after.text()


@pytest.mark.parametrize("name", BUILT_IN["displays"])
def test_every_display_grows_with_the_level_and_tells_neutral_from_failure(qtbot, name):
    it = display_of(name, pytest.fail)
    qtbot.addWidget(it)
    it.setStyleSheet("background: #000")
    it.resize(400, 400)
    images = []
    for size, neutral in ((0.05, False), (0.95, False), (0.05, True)):
        it.show_it(FeedbackFrame(size, neutral, 0.0, "", "", "", "", False))
        grabbed = it.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        images.append(np.frombuffer(grabbed.constBits().asarray(grabbed.sizeInBytes()), np.uint8).astype(int))
    low, high, nothing = images
    assert high.sum() > low.sum()
    assert np.abs(low - nothing).max() > 20


class Broken(Display):
    def picture(self, p, it):
        p.translate(1e6, 0)
        raise ValueError("no such colour")


class Unpainted(Display):
    def paintEvent(self, event):
        raise AssertionError("Qt would end the program")


@pytest.mark.parametrize(("part", "why"), [
    (Broken, "display Broken failed, a circle is shown: no such colour"),
    (Unpainted, "not a subclass of Display with its paintEvent"),
    (int, "not a subclass of Display"),
])  # fmt: skip
def test_a_display_that_breaks_becomes_a_circle_and_is_named_once(qtbot, registered, part, why):
    registered("displays", "mine", part)
    reported = []
    it, circle = display_of("mine", reported.append), Circle()
    images = []
    for widget in (it, circle):
        qtbot.addWidget(widget)
        widget.resize(300, 300)
        for size in (0.1, 0.4):
            widget.show_it(FeedbackFrame(size, False, 0.0, "", "", "", "", False))
            image = widget.grab().toImage()
        images.append(image)
    assert images[0] == images[1]
    assert len(reported) == 1
    assert why in reported[0]


def test_the_display_in_the_guide_paints(qtbot, registered):
    text = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
    (block,) = (it for it in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "displays import" in it)
    names: dict[str, object] = {}
    exec(block, names)
    registered("displays", "square", names["Square"])
    display = display_of("square", pytest.fail)
    qtbot.addWidget(display)
    display.show_it(FeedbackFrame(0.5, False, 0.0, "", "", "", "", False))
    assert not display.grab().isNull()
    assert type(display).__name__ == "Square"
    assert not display._is_broken


def test_the_sound_does_not_keep_the_screen_after_its_end(qtbot, monkeypatch):
    class Silent(Speaker):
        def __init__(self, kind, ask) -> None:
            self.trouble, self._sink, self.ask = "", None, ask

    monkeypatch.setattr("realtime_mood.gui.feedback.sound.Speaker", Silent)
    plan = PLAN.model_copy(update={"sound": "pitch"})
    loop, closed = FeedbackLoop(plan, contingent, notch=()), []
    it = FeedbackView(plan, loop, StandIn(loop), lambda: closed.append(True))
    it._begin()
    it.close()
    qtbot.waitUntil(lambda: bool(closed))
    held = weakref.ref(it)
    gc.disable()  # in whose turn, on any thread, it would be destroyed
    try:
        del it
        assert held() is None
    finally:
        gc.enable()


def test_sound_where_there_is_no_device_says_so(qtbot):
    speaker = Speaker("pitch", lambda: None)
    assert (speaker._sink is None) == bool(speaker.trouble)
    speaker.stop()


def test_what_the_device_reads_follows_what_is_shown(qtbot):
    now = [FeedbackFrame(0.5, True, 0.0, "", "", "", "", False)]
    pull = _Pull(FeedbackTone("pitch"), lambda: now[0])
    assert not np.frombuffer(pull.readData(4000), np.int16).any()
    now[0] = FeedbackFrame(1.0, False, 0.0, "", "", "", "", False)
    assert np.frombuffer(b"".join(pull.readData(4000) for _ in range(20)), np.int16).any()
    pull.close()


@pytest.mark.parametrize("code", ["en", "de"])
def test_every_instruction_is_whole_and_clear_of_the_corner(qtbot, monkeypatch, painted, use_language, code):  # noqa: F811
    use_language(code)
    monkeypatch.setattr(displays, "QPainter", Painter)
    display = Circle()
    qtbot.addWidget(display)
    display.resize(1000, 620)
    for cue in {_(block.text) for name in shipped() for block in load_plan(name).blocks}:
        painted.clear()
        display.show_it(FeedbackFrame(0.5, False, 0.0, cue, "", "", "", True))
        display.grab()
        (_cue, letters, room), (_simulated, corner, _room) = (it for it in painted[display] if it[0])
        assert letters.width() <= room.width(), cue
        assert not letters.intersects(corner), cue
