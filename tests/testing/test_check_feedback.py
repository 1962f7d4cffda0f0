"""The checks of measures and displays fail one that is wrong in the way they are there to find."""

from __future__ import annotations

import time
from unittest import SkipTest

import numpy as np
import pytest

from realtime_mood.gui import desktop
from realtime_mood.testing import Violation, check_display, check_measure


def counting():
    calls = []

    def kind(power, over):
        calls.append(1)
        return float(power.mean() + len(calls))

    return kind


def in_place(power, over):
    power -= power.mean()
    return float(power[0])


MEASURES = {
    "no number": (lambda power, over: None, "number for each power"),
    "an array": (lambda power, over: power - 1, "number for each power"),
    "infinity": (lambda power, over: float("inf"), "number for each power"),
    "no value ever": (lambda power, over: float("nan"), "NaN for all"),
    "an error": (lambda power, over: power[7], "IndexError"),
    "a memory": (counting(), "keep no state"),
    "power changed": (in_place, "read-only"),
    "too slow": (lambda power, over: time.sleep(0.02) or float(power.mean()), "compute less"),
    "no function": (3, "give a function"),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_wrong_measure_fails(name):
    kind, words = MEASURES[name]
    with pytest.raises(Violation, match=words):
        check_measure(kind)


# -- displays ---------------------------------------------------------------------------------------------------


def display_that(paints):
    """A class of displays with this `picture`."""
    pytest.importorskip("PyQt6")
    from realtime_mood.gui.feedback.displays import Display

    return type("Painted", (Display,), {"picture": paints})


def brightness(level):
    from PyQt6.QtGui import QColor

    return QColor.fromRgbF(*3 * [float(level)])


def bar(self, p, it, colour="white"):
    from PyQt6.QtGui import QColor

    height = 4 if it.neutral else round((0.1 + 0.8 * it.size) * self.height())
    p.fillRect(0, self.height() - height, self.width() // 10, height, QColor(colour))


def by_colour(self, p, it):
    from PyQt6.QtGui import QColor

    p.fillRect(self.rect(), QColor(*((200, 0, 0) if it.size < 0.3 else (0, 102, 0))))


def flashes(self, p, it):
    p.fillRect(self.rect(), brightness(it.size > 0.5))
    bar(self, p, it, "gray")


def forgets_neutral(self, p, it):
    from PyQt6.QtGui import QColor

    p.fillRect(0, 0, self.width() // 10, round(it.size * self.height()), QColor("white"))


def fails_at_a_reward(self, p, it):
    bar(self, p, it)
    if it.glow:
        raise KeyError("ring")


def at_random(self, p, it):
    bar(self, p, it)
    p.fillRect(0, 0, self.width(), 40, brightness(np.random.default_rng().random()))


def slow(self, p, it):
    bar(self, p, it)
    time.sleep(0.05)


DISPLAYS = {
    by_colour: "not by colour alone", flashes: "no flashes", forgets_neutral: "level 0.5 and no feedback",
    fails_at_a_reward: "failed.*ring", at_random: "same frame", slow: "within 33 ms",
}  # fmt: skip


@pytest.mark.parametrize("paints", DISPLAYS, ids=lambda it: it.__name__)
def test_a_wrong_display_fails(paints):
    with pytest.raises(Violation, match=DISPLAYS[paints]):
        check_display(display_that(paints))


def test_a_right_display_passes_and_what_is_none_fails():
    check_display(display_that(bar))
    with pytest.raises(Violation, match="derive a class from Display"):
        check_display(int)


def test_without_qt_the_check_of_a_display_is_skipped(monkeypatch):
    monkeypatch.setattr(desktop, "trouble", lambda environment: "the package PyQt6 is not installed")
    with pytest.raises(SkipTest, match="PyQt6 is not installed"):
        check_display(int)
