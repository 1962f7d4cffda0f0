"""The tour: five steps, each with a frame around what it explains; once by itself."""

from __future__ import annotations

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from PyQt6.QtCore import QPoint, QRect, Qt

from realtime_mood.gui.tour import Highlight, TourDialog, show_first_tour, show_tour, steps


@pytest.fixture
def window(make_window, info):
    return make_window(lambda _: FakeEngine(info), "synthetic://")


def test_each_step_frames_what_it_explains_and_the_last_one_ends_the_tour(qtbot, window):
    show_tour(window)
    dialog, frame = window.findChild(TourDialog), window.findChild(Highlight)
    assert not dialog.isModal()
    titles = []
    for step in steps(window):
        titles.append(dialog.title.text())
        middle = step.part.mapTo(window, step.part.rect().center())
        assert frame.geometry().contains(middle)
        assert frame.width() - step.part.width() == 6
        frame.grab()
        part = QRect(step.part.mapToGlobal(QPoint(0, 0)), step.part.size())
        assert not dialog.geometry().intersects(part)
        qtbot.mouseClick(dialog.next, Qt.MouseButton.LeftButton)
    assert [title[0] for title in titles] == list("12345")
    assert not dialog.isVisible()


def test_the_tour_goes_back_and_over_parts_that_are_hidden(qtbot, window):
    window.show_demo()  # without the signal
    window.panels.docks["quality"].hide()
    show_tour(window)
    dialog, frame = window.findChild(TourDialog), window.findChild(Highlight)
    assert not dialog.back.isEnabled()
    dialog.next.click()
    assert frame.isHidden()
    dialog.back.click()
    assert frame.geometry().contains(window.top.connect_.mapTo(window, QPoint(5, 5)))
    dialog.skip.click()
    assert not dialog.isVisible()


def test_the_frame_follows_its_part(qtbot, window):
    show_tour(window)
    frame, part = window.findChild(Highlight), window.top.connect_
    before = frame.geometry()
    window.top.report.setText("Report of a longer name")  # as the first state of a run names the buttons
    qtbot.waitUntil(lambda: frame.geometry().x() < before.x() - 50)
    assert frame.geometry().adjusted(3, 3, -3, -3).topLeft() == part.mapTo(window, QPoint(0, 0))


def test_the_first_start_alone_begins_it(qtbot, window):
    show_first_tour(window, window.memory)
    dialog = window.findChild(TourDialog)
    dialog.reject()
    qtbot.waitUntil(lambda: window.findChild(TourDialog) is None)
    show_first_tour(window, window.memory)
    assert window.findChild(TourDialog) is None
