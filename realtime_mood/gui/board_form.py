"""The form of a board in Connect: a field for each parameter that the board has, with the serial ports present."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QWidget

from ..language import _
from ..sources import devices
from ..viewmodel.board_form import BoardField, fields_of, filled
from .labels import Form, button, named, row

Listed = Callable[[], Sequence[str]]


class ChoiceField(QComboBox):
    """A field with the values that `listed` finds when it is opened; others can be typed."""

    def __init__(self, listed: Listed) -> None:
        super().__init__()
        self._listed = listed
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._fill()

    def showPopup(self):
        self._fill()  # a board may have been plugged in meanwhile
        super().showPopup()

    def _fill(self) -> None:
        text = self.currentText()
        self.blockSignals(True)
        self.clear()
        self.addItems(self._listed())
        self.setEditText(text)
        self.blockSignals(False)


class BoardForm(QObject):
    """Rows at the end of `form` for the parameters of the board in a URL; none for other sources."""

    changed = pyqtSignal(str)  # the URL, after a field was edited

    def __init__(self, form: Form) -> None:
        super().__init__()
        self._url, self._form, self._rows = "", form, list[QWidget]()
        self.edits: dict[str, QLineEdit] = {}
        self._keys: tuple[tuple[str, bool], ...] = ()

    def show_url(self, url: str) -> None:
        """Show the fields of the board in `url`, with their values."""
        self._url, fields = url, fields_of(url)
        keys = tuple((field.key, field.is_required) for field in fields)
        if keys != self._keys:
            self._keys = keys
            self._build(fields)
        for field in fields:
            edit = self.edits[field.key]
            if edit.text().strip() != field.value:
                edit.blockSignals(True)
                edit.setText(field.value)
                edit.blockSignals(False)

    def _build(self, fields: Sequence[BoardField]) -> None:
        for field_row in self._rows:
            self._form.removeRow(field_row)
        above = self._form.itemAt(self._form.rowCount() - 1, Form.ItemRole.FieldRole)
        self.edits, self._rows = {}, []
        for field in fields:
            self._rows.append(self._editor(field))
            self._form.add(field.label, self._rows[-1])
            edit = self.edits[field.key]
            edit.setPlaceholderText(_hint(field))
            edit.textChanged.connect(self._edited)
        # The Tab key goes through the fields after the one above, and before what is below the form.
        stops = [stop for editor in self._rows for stop in _stops(editor)]
        for before, stop in pairwise((above.widget() if above is not None else None, *stops)):
            QWidget.setTabOrder(before, stop)

    def _editor(self, field: BoardField) -> QWidget:
        lists: dict[str, Listed] = {"serial_port": devices.serial_ports, "master_board": devices.board_names}
        if field.key in lists:
            choice = named(ChoiceField(lists[field.key]), field.label)
            line = choice.lineEdit()
            assert line is not None
            self.edits[field.key] = named(line, field.label)
            return choice
        edit = self.edits[field.key] = named(QLineEdit(), field.label)
        if field.key != "file":
            return edit
        both, browse = QWidget(), named(button("…", "plain"), _("choose a file"))
        browse.setAutoDefault(False)
        browse.clicked.connect(lambda: self._browse(edit))
        row((edit, 1), browse, on=both)
        return both

    def _browse(self, edit: QLineEdit) -> None:
        path, _kind = QFileDialog.getOpenFileName(self._form.parentWidget(), _("Open a recording"))
        if path:
            edit.setText(path)

    def _edited(self) -> None:
        self.changed.emit(filled(self._url, {key: edit.text() for key, edit in self.edits.items()}))


def _hint(field: BoardField) -> str:
    """What an empty field says."""
    if not field.is_required:
        return _("found by itself if left empty")
    has_none = field.key == "serial_port" and not devices.serial_ports()
    return _("needed: none is connected now") if has_none else _("needed")


def _stops(editor: QWidget) -> list[QWidget]:
    """Where the Tab key stops in an editor: itself, or each part of one that has several."""
    layout = editor.layout()
    items = [layout.itemAt(at) for at in range(layout.count())] if layout is not None else []
    return [part for item in items if item is not None and (part := item.widget()) is not None] or [editor]
