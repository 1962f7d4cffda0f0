"""The user's named setups in the window: the menu beside Connect, and the dialog to save one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QDialog, QLineEdit, QListWidget, QMenu, QToolButton, QWidget

from ..errors import MoodError
from ..language import _
from ..viewmodel.actions import RunRequest
from ..viewmodel.setups import LAST, Setups, title_of
from ..viewmodel.words import StyledText
from .bridge import RunBridge
from .companion_list import add_item
from .controls import Text
from .labels import STRETCH, PlainLabel, button, column, named, row
from .theme import colour

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
        self._add(_("Rename or delete setups…"), self.manage)

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

    def manage(self) -> None:
        """Rename or delete setups."""
        SetupsDialog(self.parentWidget() or self, self._setups).open()


class SetupsDialog(QDialog):
    """All setups, also those that cannot be read, each to be renamed or deleted; a deletion can be undone."""

    def __init__(self, parent: QWidget, setups: Setups) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Setups"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 400)
        self._setups, self._names = setups, list[str]()
        self._restore: Callable[[], object] | None = None
        self.list, self.name = named(QListWidget(), _("setups")), named(QLineEdit(), _("name of the setup"))
        self.rename, self.delete = button(_("Rename"), "plain"), button(_("Delete"), "plain")
        self.undo, self.close_ = button(_("Undo"), "plain"), button(_("Close"))
        self.message = Text(wrap=True)
        for one in (self.rename, self.delete, self.undo, self.close_):
            one.setAutoDefault(False)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        edit = row((self.name, 1), self.rename, self.delete)
        end = row((self.message, 1), self.undo, self.close_, spacing=8)
        column((self.list, 1), edit, end, on=self, margins=(18, 16, 18, 14), spacing=10)
        self.list.currentRowChanged.connect(self._choose)
        self.name.textChanged.connect(self._check)
        self.name.returnPressed.connect(self._rename)
        self.rename.clicked.connect(self._rename)
        self.delete.clicked.connect(self._delete)
        self.undo.clicked.connect(self._undo)
        self.close_.clicked.connect(self.reject)
        self.undo.hide()
        self._fill()

    @property
    def chosen(self) -> str:
        """The name of the chosen setup; empty where there is none."""
        at = self.list.currentRow()
        return self._names[at] if 0 <= at < len(self._names) else ""

    def _fill(self, choose: str = "") -> None:
        readable, not_readable = self._setups.listed(), self._setups.unreadable()
        self._names = [name for name, _source in readable] + list(not_readable)
        self.list.clear()
        for name, source in (*readable, *not_readable.items()):
            item = add_item(self.list, title_of(name), source)
            item.setForeground(colour("warn" if name in not_readable else "text"))
        if not self._names:
            add_item(self.list, _("No setups: “Save as setup…” saves what is in use"), is_heading=True)
        self.list.setCurrentRow(self._names.index(choose) if choose in self._names else 0)
        self._choose()

    def _choose(self) -> None:
        self.name.setText(title_of(self.chosen) if self.chosen else "")
        self.name.setEnabled(self.chosen not in ("", LAST))
        self.delete.setEnabled(bool(self.chosen))
        self._check()

    def _check(self) -> None:
        name = self.name.text().strip()
        self.rename.setEnabled(self.name.isEnabled() and bool(name) and name != self.chosen)

    def _rename(self) -> None:
        name, to = self.chosen, self.name.text().strip()
        if self.rename.isEnabled() and self._done(lambda: self._setups.rename(name, to)):
            self._show(_("“{name}” is now “{to}”", name=name, to=to))
            self._fill(to)

    def _delete(self) -> None:
        def delete() -> None:
            self._restore = self._setups.delete(name)

        name = self.chosen
        if self._done(delete):
            self._show(_("“{name}” was deleted", name=title_of(name)), can_undo=True)
            self._fill()

    def _undo(self) -> None:
        restore, self._restore = self._restore, None
        if restore is not None and self._done(restore):
            self._show("")
            self._fill()

    def _done(self, what: Callable[[], object]) -> bool:
        """Do it; where that fails, say why."""
        try:
            what()
        except (MoodError, OSError) as error:
            self.message.say(StyledText(str(error), "bad"))
            return False
        return True

    def _show(self, text: str, *, can_undo: bool = False) -> None:
        self.message.say(StyledText(text, "info"))
        self.undo.setVisible(can_undo)


class SaveSetupDialog(QDialog):
    """Asks for the name of a setup, and saves it."""

    def __init__(self, parent: QWidget, setups: Setups, request: RunRequest) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Save as setup"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(460)
        self._setups, self._request = setups, request
        self._known = {name for name, _source in setups.listed()} | setups.unreadable().keys()
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
        is_last = name.casefold() == LAST
        self.save.setEnabled(bool(name) and not is_last)
        replaces = _("This replaces the setup of that name") if name in self._known else ""
        taken = _("This name is that of the last used source") if is_last else ""
        self.message.say(StyledText(taken or replaces, "warn"))

    def _accept(self) -> None:
        try:
            self._setups.save(self.name.text().strip(), self._request)
        except (MoodError, OSError) as error:
            self.message.say(StyledText(str(error), "bad"))
        else:
            self.accept()
