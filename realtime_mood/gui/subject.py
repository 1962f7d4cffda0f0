"""The subject view: large bars and plane, without technical numbers."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ..language import _
from ..viewmodel.state import ViewState
from ..viewmodel.words import StyledText
from .controls import Badges, Text
from .mood import Bars
from .plane import Plane
from .theme import show_beside, style, toggle_full


class SubjectView(QWidget):
    """A separate window, for a second screen. Esc closes it, F11 fills the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(_("Realtime mood · subject"))
        self.bars, self.plane, self.badges = Bars(), Plane(), Badges()
        self.bars.gentle = self.plane.gentle = True
        self.message = Text("font-size: 20px;")
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setMinimumHeight(36)
        row, top, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        row.setSpacing(60)
        row.addWidget(self.bars, 1)
        row.addWidget(self.plane, 1)
        top.addStretch(1)
        top.addWidget(self.badges)
        column.setContentsMargins(60, 24, 60, 40)
        column.addLayout(top)
        column.addStretch(1)
        column.addLayout(row, 8)
        column.addStretch(1)
        column.addWidget(self.message)
        self.retheme()

    def retheme(self) -> None:
        self.setStyleSheet(style())

    def open(self, beside: QWidget) -> None:
        """Show it on another screen than `beside`, if there is one."""
        self.resize(960, 620)
        show_beside(self, beside)

    def show_state(self, state: ViewState) -> None:
        """Show the state, if the view is visible."""
        if not self.isVisible():
            return
        self.bars.show_state(state)
        self.plane.show_state(state)
        troubled = state.banner.role in ("warn", "bad")
        self.message.say(StyledText(_("Please wait – checking the signal"), "dim") if troubled else StyledText(""))
        self.badges.show_badges(tuple(badge for badge in state.badges if badge.role == "virtual"))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() == Qt.Key.Key_F11:
            toggle_full(self)
        else:
            super().keyPressEvent(event)
