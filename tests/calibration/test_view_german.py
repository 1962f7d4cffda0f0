"""The calibration window in German: no English is left, and nothing is cut off at its smallest size."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QAbstractButton, QLabel
from test_view import WAIT_MS, quick_fit, windows  # noqa: F401  # the fixture

from realtime_mood import language
from realtime_mood.calibration.protocol import draw, load_protocol, shipped
from realtime_mood.calibration.view.state import Page

ENGLISH = {"the", "of", "and", "is", "are", "to", "with", "for", "from", "not", "your", "you", "no", "will", "when"}


@pytest.fixture
def german():
    yield language.use("de")
    language.use("en")


def check(w) -> None:
    """No English word, and no text without room, on the page that is shown."""
    shown = [it for it in w.findChildren((QLabel, QAbstractButton)) if it.isVisible() and it.text()]
    assert shown
    for widget in shown:
        words = {word.lower() for word in re.findall(r"[^\W\d_]+", widget.text())}
        assert not words & ENGLISH, widget.text()
        assert language._(widget.text()) == widget.text()
        if isinstance(widget, QLabel) and widget.wordWrap():
            assert widget.height() >= widget.heightForWidth(widget.width()) - 1, (widget.text(), "is cut off")
        else:
            assert widget.width() >= widget.sizeHint().width() - 1, (widget.text(), "is cut off")
    seen = ((it, it.visibleRegion().boundingRect()) for it in shown)  # of a scrolled text, what is in view
    boxes = [(it.text(), box.translated(it.mapTo(w, QPoint(0, 0)))) for it, box in seen if not box.isEmpty()]
    for i, (text, box) in enumerate(boxes):
        for other, its in boxes[i + 1 :]:
            both = box.intersected(its)
            assert both.width() <= 2 or both.height() <= 2, (text, "lies over", other)


@pytest.mark.parametrize("name", shipped())
def test_what_a_subject_reads_first_is_german_and_whole(qtbot, windows, german, name):  # noqa: F811
    w = windows(draw(load_protocol(name), 1))
    w.resize(w.minimumSize())
    if w.page is Page.WELCOME:
        check(w)
        w.welcome.yes.click()
    qtbot.waitUntil(lambda: w.page is Page.GATE, timeout=WAIT_MS)
    qtbot.waitUntil(w.gate.begin.isEnabled, timeout=WAIT_MS)
    check(w)
