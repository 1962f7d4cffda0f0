"""The drift alarm and corrections in the window: sentences, badges, buttons and keys, and what they request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gui_fakes import FakeEngine, estimate
from PyQt6.QtCore import Qt

from realtime_mood.corrections import Corrections, CorrectionStatus
from realtime_mood.drift import Drift, DriftStatus
from realtime_mood.gui import correcting
from realtime_mood.viewmodel.baseline import baseline_of

MOVED = Drift(DriftStatus.MOVED, True, "alpha", -1.24)
CHANGED = replace(MOVED, status=DriftStatus.READY, bands_sd=(("alpha", -1.1), ("beta", 0.2)))


class Renewing(FakeEngine):
    """An engine that keeps what it was asked."""

    def __init__(self, info) -> None:
        super().__init__(info)
        self.asked: list[str] = []

    def renew_baseline(self, what) -> bool:
        self.asked.append(what)
        return True

    def correct(self, label) -> bool:
        self.asked.append(label)
        return True


@pytest.mark.parametrize(
    ("drift", "words", "next_", "buttons"),
    [
        (Drift(), "", "rest", ("", "")),
        (MOVED, "moved away from your baseline (alpha -1.2 SD)", "rest", ("Rest for 30 s", "")),
        (replace(MOVED, status=DriftStatus.RESTING, rest_s=12.0), "12 of 30 s", None, ("", "Cancel")),
        (CHANGED, "alpha -1.1, beta +0.2", "use", ("Use the new baseline", "Keep the old one")),
        (replace(MOVED, failed=True), "Too little usable rest", "rest", ("Rest for 30 s", "")),
    ],
)  # fmt: skip
def test_each_status_has_a_sentence_and_its_requests(drift, words, next_, buttons):
    shown = baseline_of(drift)
    assert words in (shown.banner.text if shown.banner else "")
    assert (shown.next, (shown.text, shown.keep)) == (next_, buttons)
    assert (shown.badge is not None) == drift.moved
    assert baseline_of(None).next is None


def test_the_window_shows_the_alarm_and_its_buttons_and_keys_make_requests(qtbot, info, make_window):
    engine = Renewing(info)
    w = make_window(lambda request: engine, "fake://")
    w.bridge.start()
    qtbot.waitUntil(lambda: w.banner.state.text() == "Live")
    assert not w.banner.renew.isVisible()

    def show(drift):
        engine.say(replace(estimate(info), drift=drift, end=engine.latest.end + 32))

    show(MOVED)
    qtbot.waitUntil(lambda: "moved away" in w.banner.banner.text())
    assert w.banner.renew.isVisible()
    assert not w.banner.keep.isVisible()
    assert any(badge.text == "BASELINE MOVED" for badge in w.bridge.state.badges)
    qtbot.mouseClick(w.banner.renew, Qt.MouseButton.LeftButton)
    assert engine.asked == ["rest"]
    show(CHANGED)
    qtbot.waitUntil(lambda: w.banner.renew.text() == "Use the new baseline")
    qtbot.mouseClick(w.banner.keep, Qt.MouseButton.LeftButton)
    w.renew_baseline()  # the key B
    w.keep_baseline()
    assert engine.asked == ["rest", "keep", "use", "keep"]
    show(Drift(renewed=1))
    qtbot.waitUntil(lambda: "Ctrl+S writes it to the profile" in w.banner.banner.text())
    qtbot.waitUntil(lambda: not w.banner.renew.isVisible() and not w.banner.keep.isVisible())


def test_keys_correct_the_last_seconds_and_the_window_says_what_became_of_it(qtbot, info, make_window):
    engine = Renewing(info)
    w = make_window(lambda request: engine, "fake://")
    w.bridge.start()
    qtbot.waitUntil(lambda: w.banner.state.text() == "Live")
    correcting.correct(w.bridge, 1)
    correcting.correct(w.bridge, 4)  # the readout has three labels
    assert engine.asked == ["neutral"]
    made = Corrections(1, CorrectionStatus.NOT_BETTER, "neutral")
    engine.say(replace(estimate(info), corrections=made, end=engine.latest.end + 32))
    qtbot.waitUntil(lambda: "Not better on held-out blocks" in w.banner.banner.text())
    correcting.save(w.bridge)  # there is no profile
    qtbot.waitUntil(lambda: "Nothing to save" in w.banner.banner.text())
