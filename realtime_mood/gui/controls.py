"""Turns wishes into signals (Start, Stop, a source), and state into the bars above and below the window."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

from .theme import colour
from .viewmodel import ViewState
from .words import Say

BADGE_BOX = "border-width: 1px; border-radius: 4px; padding: 3px 7px;"


class Text(QLabel):
    """A label that shows a `Say`, and repaints only when it changes."""

    def __init__(self, style: str = "") -> None:
        super().__init__()
        self._style, self._said = style, Say("")

    def say(self, it: Say) -> None:
        if it != self._said:
            self._said = it
            self.setText(it.text)
            self.setToolTip(it.tip)
            self.retheme()

    def retheme(self) -> None:
        hue = colour(self._said.role).name()
        self.setStyleSheet(f"color: {hue}; border-color: {hue}; {self._style}")


class Badges(QWidget):
    """Short words in frames: what must not be overlooked."""

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._texts: list[Text] = []

    def show_badges(self, badges: tuple[Say, ...]) -> None:
        while len(self._texts) < len(badges):
            text = Text("font-size: 11px; font-weight: 700; border-style: solid; " + BADGE_BOX)
            self._row.addWidget(text)
            self._texts.append(text)
        for i, text in enumerate(self._texts):
            text.setVisible(i < len(badges))
            if i < len(badges):
                text.say(badges[i])


class TopBar(QWidget):
    """The source, the one button, the network in use and the badges."""

    start_wished = pyqtSignal(str)
    stop_wished = pyqtSignal()

    def __init__(self, url: str, weights: str = "") -> None:
        super().__init__()
        self.url = QLineEdit(url)
        self.url.setAccessibleName("source URL")
        self.url.setPlaceholderText("synthetic://, lsl://NAME, brainflow://BOARD or playback://PATH")
        self.url.setCursorPosition(0)
        self.button = QPushButton("Start")
        self.button.setFixedWidth(96)
        self._weights = weights
        self._readout = Text("font-size: 11px;")
        self._badges = Badges()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.url, 1)
        row.addWidget(self.button)
        row.addSpacing(6)
        row.addWidget(self._readout)
        row.addWidget(self._badges)
        self.button.clicked.connect(self._pressed)
        self.url.returnPressed.connect(self._pressed)

    def _pressed(self) -> None:
        if not self.button.isEnabled():
            return
        if self.button.text() == "Start":
            self.start_wished.emit(self.url.text().strip())
        else:
            self.stop_wished.emit()

    def show_state(self, state: ViewState) -> None:
        self.button.setText(state.action.text)
        self.button.setEnabled(state.action.enabled)
        self.button.setToolTip(state.action.why)
        self.url.setEnabled(state.action.text == "Start")
        words = " · ".join(part for part in (self._weights, state.readout.text) if part)
        self._readout.say(Say(words, state.readout.role, state.readout.tip))
        self._badges.show_badges(state.badges)


class BannerBar(QWidget):
    """The state, and the one sentence that matters most now. It keeps its height, so that nothing jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(40)
        self.state, self.banner = Text("font-weight: 700;"), Text()
        self.state.setFixedWidth(100)
        self.banner.setWordWrap(True)  # the longest faults take two lines
        self.banner.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.banner.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 10, 0)
        row.addWidget(self.state)
        row.addWidget(self.banner, 1)
        self._role = ""

    def show_state(self, state: ViewState) -> None:
        self.state.say(state.state)
        self.banner.say(Say(state.banner.text, state.banner.role, state.banner.text))
        if state.banner.role != self._role:
            self._role = state.banner.role
            self.retheme()

    def retheme(self) -> None:
        edge = colour(self._role if self._role in ("warn", "bad") else "line").name()
        ground = colour("panel").name()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(f"BannerBar {{ background: {ground}; border: 1px solid {edge}; border-radius: 6px; }}")


class Strip(QWidget):
    """Numbers about the run, along the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(22)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(4, 0, 4, 0)
        self._row.setSpacing(6)
        self._values: dict[str, Text] = {}

    def show_state(self, state: ViewState) -> None:
        for name, value in state.strip:
            if name not in self._values:
                text = Text("font-weight: 600;")
                title = QLabel(name)
                title.setObjectName("title")
                title.setStyleSheet("font-weight: 400;")
                if self._values:
                    self._row.addStretch(1)
                self._row.addWidget(title)
                self._row.addWidget(text)
                self._values[name] = text
            self._values[name].say(value)
