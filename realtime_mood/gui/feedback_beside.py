"""Turns the window's own run into the run of a session: the operator goes on seeing all of it."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QMessageBox, QWidget

from ..feedback.loop import FeedbackLoop
from .bridge import Bridge


class RunBeside:
    """The run of a `bridge` begins anew with the loop on it, and again without it afterwards."""

    def __init__(self, bridge: Bridge, loop: FeedbackLoop) -> None:
        self._bridge, self._loop, self._begun = bridge, loop, False
        bridge.in_session = True

    def begin(self) -> None:
        self._begun = True
        self._bridge.start(replace(self._bridge.wish, tap=self._loop))

    def end(self) -> None:
        self._bridge.in_session = False
        if self._begun and self._bridge.wish.tap is self._loop:
            self._bridge.start(replace(self._bridge.wish, tap=None))

    @property
    def is_over(self) -> bool:
        return not self._begun or self._bridge.wish.tap is not self._loop

    @property
    def trouble(self) -> str:
        state = self._bridge.state
        failed = state is not None and state.state.text == "Failed" and self._bridge.wish.tap is self._loop
        return state.banner.text if failed and state is not None else ""


def ask_to_end(parent: QWidget) -> bool:
    """Ask the operator whether the feedback session that is open shall end."""
    question = "A feedback session is open. End it now? Once feedback has begun, its code cannot be used again."
    box = QMessageBox(QMessageBox.Icon.Question, "Feedback session", question, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    end = box.addButton("End session", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton("Continue session", QMessageBox.ButtonRole.RejectRole))
    box.exec()
    return box.clickedButton() is end
