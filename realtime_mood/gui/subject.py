"""The windows for the subject's screen: their base class, and the subject view."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from ..language import _
from ..viewmodel.state import ViewState
from ..viewmodel.words import StyledText
from .controls import Badges, Text
from .labels import STRETCH, column, row
from .mood import Bars
from .plane import Plane
from .theme import show_beside, style, toggle_full


class Screen(QWidget):
    """A window for a second screen. Esc leaves it, F11 fills the screen."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setObjectName("root")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle(title)

    def leave(self) -> None:
        """What Esc does."""
        self.close()

    def keyPressEvent(self, event):
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() == Qt.Key.Key_F11:
            toggle_full(self)
        else:
            super().keyPressEvent(event)


class SubjectView(Screen):
    """Large bars and plane, without technical numbers."""

    def __init__(self) -> None:
        super().__init__(_("Realtime mood · subject"))
        self.bars, self.plane, self.badges = Bars(), Plane(), Badges()
        self.bars.gentle = self.plane.gentle = True
        self.message = Text("font-size: 20px;", centre=True)
        self.message.setMinimumHeight(36)
        estimate = row((self.bars, 1), (self.plane, 1), spacing=60)
        column(
            row(STRETCH, self.badges), STRETCH, (estimate, 8), STRETCH, self.message,
            on=self, margins=(60, 24, 60, 40),
        )  # fmt: skip
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
