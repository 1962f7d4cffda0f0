"""The screen of the person in a session of feedback, on a loop that hears what a test plays."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PyQt6.QtCore import Qt

from realtime_mood import clock
from realtime_mood.feedback.conditions import Contingent
from realtime_mood.feedback.loop import FeedbackLoop
from realtime_mood.feedback.plan import Plan
from realtime_mood.gui.feedback_view import FeedbackView
from realtime_mood.health import Health
from realtime_mood.types import Chunk, StreamInfo

INFO = StreamInfo(("O1", "O2"), 128.0, virtual=True)
PLAN = Plan.model_validate({
    "name": "fast", "title": "Fast", "about": "a", "consent": "You agree to this", "debrief": "This was it",
    "measures": [{"kind": "band", "electrodes": ["O1", "O2"]}],
    "blocks": [{"kind": "baseline", "seconds": 14}, {"kind": "feedback", "seconds": 30}],
})  # fmt: skip


@pytest.fixture
def view(qtbot):
    loop = FeedbackLoop(PLAN, Contingent(), notch=())
    it = FeedbackView(PLAN, loop)
    it.loop = loop
    qtbot.addWidget(it)
    it.agreed.connect(lambda: loop.open(INFO))
    it.show()
    yield it
    loop.close(Health())


def play(view, seconds: float, first: int = 0) -> int:
    """Signal whose newest sample is taken now."""
    rng, end, now = np.random.default_rng(first), first + round(seconds * INFO.sfreq), clock.now()
    for at in range(first, end, 16):
        data = rng.normal(0, 10, (16, 2)).astype(np.float32)
        view.loop.take(Chunk(data, at, now - (end - at - 16) / INFO.sfreq))
    return end


def test_from_consent_to_debrief(qtbot, view):
    assert view.pages.currentIndex() == 0
    qtbot.mouseClick(view.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.circle._shown is not None)
    assert view.circle._shown.neutral  # nothing has come yet
    end = play(view, 25)
    qtbot.waitUntil(lambda: not view.circle._shown.neutral)
    assert view.circle._shown.rewards != ""
    assert view.circle._shown.virtual
    assert not view.circle.grab().isNull()
    play(view, 30, end)
    qtbot.waitUntil(lambda: view.pages.currentIndex() == 2)
    assert view.after.text().endswith("rewards")


def test_silence_turns_the_circle_neutral(qtbot, view):
    qtbot.mouseClick(view.yes, Qt.MouseButton.LeftButton)
    play(view, 25)
    qtbot.waitUntil(lambda: view.circle._shown is not None and not view.circle._shown.neutral)
    qtbot.waitUntil(lambda: view.circle._shown.neutral)
    assert view.circle._shown.words


def test_no_consent_no_session_and_escape_stops_one(qtbot, view):
    with qtbot.assertNotEmitted(view.agreed):
        qtbot.mouseClick(view.no, Qt.MouseButton.LeftButton)
    view.show()
    qtbot.mouseClick(view.yes, Qt.MouseButton.LeftButton)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.pages.currentIndex() == 2
    assert view.after.text() == "Stopped"
