"""The panels as docks: layouts, the View menu, and the settings that the window remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from platformdirs import user_config_path
from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtGui import QActionGroup
from PyQt6.QtWidgets import QDialog, QDockWidget, QGridLayout, QMainWindow, QMenu, QWidget

from ..language import N_, NAMES, _, current
from ..viewmodel.shortcuts import table
from .labels import PlainLabel, column

TITLES = {
    "signal": N_("Signal"), "estimate": N_("Estimate"), "plane": N_("Valence and arousal"), "maps": N_("Scalp maps"),
    "quality": N_("Signal quality"), "details": N_("Details"),
}  # fmt: skip
DEMO = ("estimate", "plane", "maps", "quality")
Preset = Literal["operator", "demo"]


def remembered() -> QSettings:
    """The user's settings of the window: layout, theme and language."""
    return QSettings(str(user_config_path("realtime_mood") / "window.ini"), QSettings.Format.IniFormat)


class Panels:
    """The docks of a window: `widgets` by their names in `TITLES`; their layout is kept in `memory`."""

    def __init__(self, window: QMainWindow, widgets: Mapping[str, QWidget], memory: QSettings) -> None:
        self._window, self._memory = window, memory
        window.setDockNestingEnabled(True)
        self.docks = {name: _dock(window, name, widget) for name, widget in widgets.items()}
        self._arrange()
        self._first = window.saveState(1)

    def _arrange(self) -> None:
        """Signal and spectrum on the left; the estimate above the heads on the right."""
        d, window, across, down = self.docks, self._window, Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, d["signal"])
        for beside, name, way in (
            ("signal", "estimate", across), ("estimate", "maps", down), ("estimate", "plane", across),
            ("maps", "quality", across), ("signal", "details", down),
        ):  # fmt: skip
            window.splitDockWidget(d[beside], d[name], way)

    def show_preset(self, preset: Preset) -> None:
        """All panels for an operator; fewer for a demonstration."""
        self._window.restoreState(self._first, 1)
        for name, dock in self.docks.items():
            dock.setVisible(preset == "operator" or name in DEMO)
        d, w, h = self.docks, self._window.width(), self._window.height()
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        left = round(0.37 * w) if preset == "operator" else 0
        right = w - left
        if left:
            self._window.resizeDocks([d["signal"], d["estimate"]], [left, right], across)
            self._window.resizeDocks([d["signal"], d["details"]], [round(0.52 * h), round(0.36 * h)], down)
        self._window.resizeDocks([d["estimate"], d["plane"]], [round(0.66 * right), round(0.34 * right)], across)
        self._window.resizeDocks([d["maps"], d["quality"]], [round(0.64 * right), round(0.36 * right)], across)
        self._window.resizeDocks([d["estimate"], d["maps"]], [round(0.44 * h), round(0.44 * h)], down)

    def menu(self, *choices: tuple[str, Callable[[], None]]) -> QMenu:
        """A menu of `choices`, of the language, and of which panels are shown."""
        menu = QMenu(self._window)
        for text, does in choices:
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(does)
        menu.addMenu(language_menu(menu, self._memory))
        menu.addSeparator()
        for dock in self.docks.values():
            menu.addAction(dock.toggleViewAction())
        return menu

    def remember(self) -> None:
        """Store the layout."""
        self._memory.setValue("window/geometry", self._window.saveGeometry())
        self._memory.setValue("window/panels", self._window.saveState(1))

    def recall(self) -> None:
        """Restore the layout; the operator's the first time."""
        geometry, state = self._memory.value("window/geometry"), self._memory.value("window/panels")
        if geometry is not None:
            self._window.restoreGeometry(geometry)
        if state is None or not self._window.restoreState(state, 1):
            self.show_preset("operator")


def language_menu(parent: QWidget, memory: QSettings) -> QMenu:
    """The languages, each by its own name; a choice is remembered and used at the next start."""
    menu = QMenu(_("Language (from the next start)"), parent)
    group = QActionGroup(menu)
    for code, name in NAMES.items():
        action = menu.addAction(name)
        assert action is not None
        action.setCheckable(True)
        action.setChecked(code == (memory.value("window/language") or current()))
        action.triggered.connect(lambda _checked, code=code: memory.setValue("window/language", code))
        group.addAction(action)
    return menu


def _dock(window: QMainWindow, name: str, widget: QWidget) -> QDockWidget:
    dock, frame = QDockWidget(_(TITLES[name]), window), QWidget()
    dock.setObjectName(name)  # identifies it in the stored layout
    frame.setObjectName("dock")
    frame.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    column(widget, on=frame, margins=(10, 4, 10, 8))
    dock.setWidget(frame)
    return dock


class KeysDialog(QDialog):
    """The keyboard shortcuts. Esc closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout(self)
        grid.setContentsMargins(26, 22, 26, 22)
        grid.setHorizontalSpacing(26)
        grid.setVerticalSpacing(9)
        for row, (key, words) in enumerate(table()):
            name = PlainLabel(key)
            name.setStyleSheet("font-weight: 700;")
            grid.addWidget(name, row, 0)
            grid.addWidget(PlainLabel(words), row, 1)
