"""The user's named setups in the window: the menu beside Connect, and the dialog to save one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QDialog, QLineEdit, QMenu, QToolButton, QWidget

from ..errors import MoodError
from ..language import _
from ..viewmodel.actions import RunRequest
from ..viewmodel.setups import LAST, Setups, title_of
from ..viewmodel.words import StyledText
from .bridge import RunBridge
from .controls import Text
from .labels import STRETCH, PlainLabel, button, column, named, row

SOURCE_CHARS = 60  # of a source that a menu shows


class SetupsMenu(QMenu):
    """The setups, the last used first, each started by one click; and the entry to save one."""

    used = pyqtSignal(object, str)  # the `RunRequest` of a setup, and the name of its network

    def __init__(self, parent: QWidget, bridge: RunBridge, setups: Setups) -> None:
        super().__init__(parent)
        self._bridge, self._setups = bridge, setups
        self.aboutToShow.connect(self.fill)

    def attach(self, to: QToolButton) -> None:
        """Make it the menu of a button, which keeps what it does by itself."""
        to.setMenu(self)
        to.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def fill(self) -> None:
        """List the setups there are now."""
        self.clear()
        for name, source in self._setups.listed():
            shown = source if len(source) <= SOURCE_CHARS else f"{source[:SOURCE_CHARS]}…"
            self._add(f"{title_of(name)} · {shown}".replace("&", "&&"), partial(self.use, name))
        self.addSeparator()
        self._add(_("Save as setup…"), self.save)

    def _add(self, text: str, does: Callable[[], object]) -> None:
        action = QAction(text, self)
        action.triggered.connect(lambda _checked: does())
        self.addAction(action)

    def use(self, name: str) -> None:
        """Take over a setup; one that cannot be read changes nothing, and says why."""
        try:
            request = self._setups.use(name)
        except (MoodError, OSError) as error:
            self._bridge.notify(str(error))
        else:
            self.used.emit(request, self._setups.weights)

    def save(self) -> None:
        """Ask for a name, and save what is in use."""
        SaveSetupDialog(self.parentWidget() or self, self._setups, self._bridge.request).open()


class SaveSetupDialog(QDialog):
    """Asks for the name of a setup, and saves it."""

    def __init__(self, parent: QWidget, setups: Setups, request: RunRequest) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Save as setup"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(460)
        self._setups, self._request = setups, request
        self._known = {name for name, _source in setups.listed()}
        about = _("Source, streams beside it and options, without the subject's profile and the participant ID.")
        self.name, self.message = named(QLineEdit(), _("name of the setup")), Text(wrap=True)
        self.save, self.cancel = button(_("Save")), button(_("Cancel"), "plain")
        self.save.setDefault(True)
        self.cancel.setAutoDefault(False)
        self.name.setPlaceholderText(_("name of the setup"))
        items = PlainLabel(request.url, wrap=True), PlainLabel(about, "dim", wrap=True), self.name, self.message
        column(*items, row(STRETCH, self.cancel, self.save), on=self, margins=(18, 16, 18, 14), spacing=10)
        self.name.textChanged.connect(self._check)
        self.save.clicked.connect(self._accept)
        self.cancel.clicked.connect(self.reject)
        self._check()

    def _check(self) -> None:
        name = self.name.text().strip()
        self.save.setEnabled(bool(name) and name != LAST)
        replaces = _("This replaces the setup of that name") if name in self._known else ""
        self.message.say(StyledText(replaces, "warn"))

    def _accept(self) -> None:
        try:
            self._setups.save(self.name.text().strip(), self._request)
        except (MoodError, OSError) as error:
            self.message.say(StyledText(str(error), "bad"))
        else:
            self.accept()
