"""The bars around the panels: source and buttons, the banner, and the status line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import zip_longest

import qtawesome
from PyQt6.QtCore import QSize, Qt, pyqtBoundSignal, pyqtSignal
from PyQt6.QtWidgets import QLineEdit, QMenu, QSizePolicy, QToolButton, QWidget

from ..language import _
from ..viewmodel.actions import Actions
from ..viewmodel.state import ViewState
from ..viewmodel.strip import DROPPED_FIRST
from ..viewmodel.words import StyledText
from .labels import STRETCH, PlainLabel, named, row, set_tip, shortened
from .theme import colour

BADGE_BOX = "border-width: 1px; border-radius: 4px; padding: 3px 7px;"


class Text(PlainLabel):
    """A label that shows a `StyledText`, and is repainted only when it changes."""

    def __init__(self, style: str = "", *, wrap: bool = False, centre: bool = False) -> None:
        super().__init__(wrap=wrap, centre=centre)
        self._style, self._styled = style, StyledText("")

    def say(self, styled: StyledText) -> bool:
        """Show it; False if its text and colour were shown already: a style is costly to set."""
        before, self._styled = self._styled, styled
        if styled.tip != before.tip:
            set_tip(self, styled.tip)
        if (styled.text, styled.role) == (before.text, before.role):
            return False
        self.setText(styled.text)
        if styled.role != before.role or not self.styleSheet():
            self.retheme()
        return True

    def retheme(self) -> None:
        hue = colour(self._styled.role).name()
        self.setStyleSheet(f"color: {hue}; border-color: {hue}; {self._style}")


class Badges(QWidget):
    """Short framed words for what must not be overlooked."""

    def __init__(self) -> None:
        super().__init__()
        self._row = row(on=self, spacing=6)
        self._texts: list[Text] = []

    def show_badges(self, badges: tuple[StyledText, ...]) -> bool:
        """Show them; whether any is new or gone."""
        changed = False
        while len(self._texts) < len(badges):
            text = Text("font-size: 11px; font-weight: 700; border-style: solid; " + BADGE_BOX)
            self._row.addWidget(text, 0, Qt.AlignmentFlag.AlignVCenter)
            self._texts.append(text)
        for text, badge in zip_longest(self._texts, badges):
            changed |= text.isHidden() == (badge is not None)
            text.setVisible(badge is not None)
            if badge is not None:
                changed |= text.say(badge)
        return changed


class TopBar(QWidget):
    """The source URL and a button for each action."""

    start_requested = pyqtSignal(str)  # the source URL
    stop_requested = pyqtSignal()
    calibration_requested = pyqtSignal(str)  # a protocol's name
    feedback_requested = pyqtSignal(str)  # a session's name

    def __init__(
        self, url: str, protocols: Sequence[tuple[str, str]] = (), sessions: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__()
        self.url = named(QLineEdit(url), _("source URL"))
        self.url.setPlaceholderText(_("synthetic://, lsl://NAME, brainflow://BOARD or playback://PATH"))
        self.url.setCursorPosition(0)
        self.url.setMinimumWidth(160)
        self.run = tool("mdi6.play", _("start or stop the run"))
        self.connect_ = tool("mdi6.connection", _("connect"))
        self.calibrate = tool("mdi6.target", _("calibrate"))
        self.record = tool("mdi6.record-circle-outline", _("record"))
        self.feedback = tool("mdi6.sync", _("feedback"))
        self.report = tool("mdi6.file-chart-outline", _("report"))
        self.views = tool("mdi6.view-dashboard-outline", _("view"))
        self.help = tool("mdi6.keyboard-outline", _("keyboard shortcuts"))
        self.run.setObjectName("")
        self.views.setText(_("View"))
        self.views.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        set_tip(self.help, _("Keyboard shortcuts (?)"))
        self.help.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self._choices(self.calibrate, protocols, self.calibration_requested)
        self._choices(self.feedback, sessions, self.feedback_requested)
        self._buttons = {
            "run": self.run, "connect": self.connect_, "calibrate": self.calibrate, "record": self.record,
            "feedback": self.feedback, "report": self.report,
        }  # fmt: skip
        row((self.url, 1), *self._buttons.values(), 8, self.views, self.help, on=self, spacing=6)
        self.run.clicked.connect(self.toggle_run)
        self.url.returnPressed.connect(self.toggle_run)
        self._shown: Actions | None = None

    def _choices(self, button: QToolButton, choices: Sequence[tuple[str, str]], requested: pyqtBoundSignal) -> None:
        """A menu of the choices; the button itself does the first."""
        menu = QMenu(self)
        for name, title in choices:
            action = menu.addAction(_(title))
            assert action is not None
            action.triggered.connect(partial(requested.emit, name))
        button.clicked.connect(lambda: requested.emit(choices[0][0] if choices else ""))
        if len(choices) > 1:
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def toggle_run(self) -> None:
        """Start a run on the URL in the field, or stop the run."""
        if not self.run.isEnabled():
            return
        if self._shown is not None and self._shown.run.ends:
            self.stop_requested.emit()
        else:
            self.start_requested.emit(self.url.text().strip())

    def show_state(self, state: ViewState) -> None:
        actions = state.actions
        if actions == self._shown:
            return
        self._shown = actions
        for name, button in self._buttons.items():
            action = getattr(actions, name)
            button.setText(action.text)
            button.setEnabled(action.enabled)
            set_tip(button, action.why)
            button.setAccessibleDescription(action.why)
        self.url.setEnabled(actions.run.enabled and not actions.run.ends)
        self.retheme()

    def retheme(self) -> None:
        shown = self._shown
        stop, recording = (shown.run.ends, shown.record.ends) if shown is not None else (False, False)
        icons = {
            self.run: ("mdi6.stop" if stop else "mdi6.play", "text"),
            self.record: ("mdi6.record-circle", "bad") if recording else ("mdi6.record-circle-outline", "text"),
        }
        for button in self.findChildren(QToolButton):
            if name := button.property("icon_name"):
                name, role = icons.get(button, (name, "text"))
                button.setIcon(qtawesome.icon(name, color=colour(role), color_disabled=colour("faded")))


def tool(icon: str, name: str) -> QToolButton:
    """A button with an icon and a text."""
    button = named(QToolButton(), name)
    button.setObjectName("plain")
    button.setProperty("icon_name", icon)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setIconSize(QSize(16, 16))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


SPACING = 10  # px between the parts of the banner
SENTENCE_PX = 260  # the least that its sentence has


class BannerBar(QWidget):
    """The state, the most important sentence, buttons for the baseline, the network in use and the badges."""

    renew_requested, keep_requested = pyqtSignal(), pyqtSignal()

    def __init__(self, weights: str = "") -> None:
        super().__init__()
        self._weights, self._readout, self.badges = weights, Text("font-size: 11px;"), Badges()
        self.setFixedHeight(40)
        self.state, self.banner = Text("font-weight: 700;"), Text(wrap=True)  # the longest faults take two lines
        self.state.setFixedWidth(100)
        self.banner.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.banner.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.renew = tool("mdi6.refresh", _("renew the baseline"))
        self.keep = tool("mdi6.close", _("keep the present baseline"))
        self.renew.clicked.connect(self.renew_requested)
        self.keep.clicked.connect(self.keep_requested)
        items = (self.state, (self.banner, 1), self.renew, self.keep, self._readout, self.badges)
        row(*items, on=self, margins=(SPACING, 0, SPACING, 0), spacing=SPACING)
        self._role, self._written = "", (StyledText(""), 0)

    def show_weights(self, name: str) -> None:
        """Show the name of the network in use."""
        self._weights = name

    def show_state(self, state: ViewState) -> None:
        self.state.say(state.state)
        self._write(state.banner)
        asks = state.baseline.text or state.baseline.keep  # the sentence needs room beside the buttons
        words = " · ".join(part for part in ("" if asks else self._weights, state.readout.text) if part)
        changed = self._readout.say(StyledText(words, state.readout.role, state.readout.tip))
        changed |= self.badges.show_badges(state.badges)
        for button, text in ((self.renew, state.baseline.text), (self.keep, state.baseline.keep)):
            if text != button.text() or button.isHidden() == bool(text):
                button.setText(text)
                button.setVisible(bool(text))
                self.retheme()
                changed = True
        if state.banner.role != self._role:
            self._role = state.banner.role
            self.retheme()
        if changed:
            self._fit()

    def _write(self, sentence: StyledText) -> None:
        """Show the sentence, shortened where it is longer than two lines; all of it is in the tooltip."""
        width = self.banner.width()
        if (sentence, width) != self._written:
            self._written = sentence, width
            text = shortened(sentence.text, self.banner.fontMetrics(), QSize(width, self.height()))
            self.banner.say(StyledText(text, sentence.role, sentence.text))

    def resizeEvent(self, event):
        self._fit()

    def _fit(self) -> None:
        """Show the network in use only where the sentence and the badges leave room for it."""
        beside = [self._readout, *(it for it in (self.state, self.renew, self.keep, self.badges) if not it.isHidden())]
        needed_px = SENTENCE_PX + 2 * SPACING + sum(it.sizeHint().width() + SPACING for it in beside)
        self._readout.setVisible(needed_px <= self.width())

    def retheme(self) -> None:
        edge = colour(self._role if self._role in ("warn", "bad") else "line").name()
        ground = colour("panel").name()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        for button in (self.renew, self.keep):
            button.setIcon(qtawesome.icon(button.property("icon_name"), color=colour("text")))
        self.setStyleSheet(f"BannerBar {{ background: {ground}; border: 1px solid {edge}; border-radius: 6px; }}")


GAP = 16


class StripBar(QWidget):
    """The status line: name and value of each number."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._row = row(STRETCH, on=self, margins=(2, 2, 2, 4), spacing=GAP)
        self.values: dict[str, Text] = {}
        self._cells: dict[str, QWidget] = {}

    def show_state(self, state: ViewState) -> None:
        changed = False
        for name, value in state.strip:
            if name not in self.values:
                self._add(name)
            changed |= self.values[name].say(value)
        if changed:
            self._fit()

    def resizeEvent(self, event):
        self._fit()

    def _add(self, name: str) -> None:
        cell, label = QWidget(), PlainLabel(_(name), "dim")
        value = named(Text("font-size: 11px; font-weight: 600;"), _(name))
        label.setStyleSheet("font-size: 11px;")
        row(label, value, on=cell, spacing=5)
        self._row.insertWidget(self._row.count() - 1, cell)
        self._cells[name], self.values[name] = cell, value

    def _fit(self) -> None:
        """Show as many as fit."""
        widths = {name: cell.sizeHint().width() + GAP for name, cell in self._cells.items()}
        for name in DROPPED_FIRST:
            if sum(widths.values()) <= self.width():
                break
            widths.pop(name, None)
        for name, cell in self._cells.items():
            cell.setVisible(name in widths)
