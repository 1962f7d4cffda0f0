"""The dialog to choose a source: headsets, streams, recordings and simulated subjects."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QDialog, QFileDialog, QLineEdit, QListWidget, QWidget

from ..errors import MoodError
from ..guard import GuardedThread
from ..language import _
from ..sources import devices
from ..sources.devices import Device
from ..sources.units import MICROVOLTS
from ..sources.url import with_options
from ..viewmodel.board_form import missing, without_examples
from ..viewmodel.companions import grouped
from ..viewmodel.connect import (
    MONTAGES,
    Choice,
    choices_of,
    matches,
    recording,
    setup_choices,
    synthetic,
    trouble,
    with_names,
)
from ..viewmodel.setups import Setups
from ..viewmodel.words import StyledText
from .board_form import BoardForm
from .companion_list import CompanionList, add_item
from .controls import Text
from .file_drops import FileDrops
from .labels import STRETCH, Form, PlainLabel, button, column, named, row
from .preview import Preview

LOOK_S = 0.8


class ConnectDialog(QDialog):
    """The dialog; the simulated subjects come first, so that they are two clicks away."""

    # a source URL, the URLs of streams beside it, and those of markers (tuples); the preview has released the device
    chosen = pyqtSignal(str, object, object)
    setup_chosen = pyqtSignal(str)  # instead: the name of a setup, which was not changed; likewise

    def __init__(
        self, parent: QWidget, also: Sequence[str] = (), markers: Sequence[str] = (), setups: Setups | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Connect"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(880, 520)
        self.list, self.url = named(QListWidget(), _("available sources")), named(QLineEdit(), _("source URL"))
        self.search = named(QLineEdit(), _("search"))
        self.names = named(QLineEdit(), _("electrode names"))
        self.montages = named(QComboBox(), _("names of a common cap"))
        self.units = named(QComboBox(), _("unit of the signal"))
        self.nothing = PlainLabel(_("Nothing has these words"), "dim", wrap=True)
        self.form = Form()
        self.board = BoardForm(self.form)
        self.preview, self.message = Preview(), Text(wrap=True)
        self.companions = CompanionList(also, markers)
        self.look, self.file = button(_("Preview"), "plain"), button(_("Recording…"), "plain")
        self.start, self.cancel = button(_("Start")), button(_("Cancel"), "plain")
        self._fill()
        self.form.add(_("Source"), self.url)
        self.form.add(_("Electrodes"), row((self.names, 1), self.montages))
        self.form.add(_("Unit"), self.units)
        buttons = row(self.file, self.look, STRETCH, self.cancel, self.start)
        right = column(self.form, self.companions, PlainLabel(_("Preview")), (self.preview, 1), self.message, buttons)
        left = column(self.search, self.nothing, (self.list, 1))
        row((left, 2), (right, 3), on=self, margins=(16, 16, 16, 14))
        self._choices: list[Choice] = []
        self._found: tuple[Device, ...] = ()
        self._files: list[Choice] = []
        self._setups = setup_choices(setups)
        self._list()
        self.search.textChanged.connect(self._filter)
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemDoubleClicked.connect(lambda _: self._accept())
        self.url.textChanged.connect(self._check)
        self.url.textChanged.connect(self.board.show_url)
        self.board.changed.connect(self.url.setText)
        self.names.textChanged.connect(self._check)
        self.units.currentIndexChanged.connect(self._check)
        self.montages.activated.connect(lambda i: self.names.setText(["", *MONTAGES.values()][i]))
        self.look.clicked.connect(lambda: self.preview.look(self.wanted_url))
        self.file.clicked.connect(self._open_file)
        self.start.clicked.connect(self._accept)
        self.cancel.clicked.connect(self.reject)
        self.finder = Finder()
        self.finder.found.connect(self._devices)
        self.finder.failed.connect(self._warn)
        self.finished.connect(self._end)
        FileDrops(self, self.add_files)
        self._choose(0)
        self.finder.start()

    def _fill(self) -> None:
        self.search.setPlaceholderText(_("Search"))
        self.search.setClearButtonEnabled(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # long texts are elided
        self.start.setDefault(True)
        self.names.setPlaceholderText(_("as the source names them, or: Fz, Cz, …"))
        self.montages.addItems([_("common caps"), *map(_, MONTAGES)])
        self.units.addItem(_("as the source states it"), "")
        for unit in MICROVOLTS:
            self.units.addItem(unit.replace("u", "µ"), unit)
        self.montages.setMaximumWidth(150)
        for other in (self.look, self.file, self.cancel):
            other.setAutoDefault(False)

    @property
    def wanted_url(self) -> str:
        """The URL with the electrode names and the unit."""
        url, unit = with_names(self.url.text().strip(), self.names.text()), self.units.currentData()
        return with_options(url, {"units": unit}) if unit else url

    def _list(self) -> None:
        """Fill the list and keep the choice."""
        others = choices_of(device for device in self._found if device.kind not in ("lsl", "board"))
        boards = choices_of(device for device in self._found if device.kind == "board")
        chosen = self._choices[max(0, self.list.currentRow())] if self._choices else None
        heading = [Choice(_("Boards"), "", "")] if boards else []
        self._choices = [*self._setups, *synthetic(), *others, *self._files, *grouped(self._found), *heading, *boards]
        at = self._choices.index(chosen) if chosen in self._choices else 0
        self.list.blockSignals(True)
        self.list.clear()
        for choice in self._choices:
            add_item(self.list, choice.title, choice.detail, is_heading=not choice.url)
        self.list.setCurrentRow(at)
        self.list.blockSignals(False)
        self._filter()

    def _filter(self) -> None:
        """Show the choices that have the words of the search field."""
        shown = matches(self._choices, self.search.text())
        for at, has in enumerate(shown):
            self.list.setRowHidden(at, not has)
        fitting = [at for at, has in enumerate(shown) if has and self._choices[at].url]
        self.nothing.setVisible(not fitting)
        if fitting and not shown[self.list.currentRow()]:
            self.list.setCurrentRow(fitting[0])

    def _devices(self, found: Sequence[Device]) -> None:
        self._found = tuple(found)
        self._list()
        self.companions.offer(self.url.text().strip(), self._found)

    def _choose(self, row: int) -> None:
        if not 0 <= row < len(self._choices):
            return
        choice = self._choices[row]
        self.names.clear()
        self.units.setCurrentIndex(0)
        is_board = choice.url.startswith("brainflow:") and not choice.setup
        self.url.setText(without_examples(choice.url, devices.serial_ports()) if is_board else choice.url)
        self.url.setCursorPosition(0)
        if choice.previews and not choice.needs_names:
            self.preview.look(choice.url)
        else:
            self.preview.stop()

    def _warn(self, why: str) -> None:
        self.message.say(StyledText(why, "warn"))

    def _check(self) -> None:
        why = missing(self.wanted_url) or trouble(self.wanted_url)
        self._warn(why)
        self.companions.offer(self.url.text().strip(), self._found)
        self.start.setEnabled(not why)
        self.look.setEnabled(not why)

    def _open_file(self) -> None:
        path, _kind = QFileDialog.getOpenFileName(self, _("Open a recording"))
        if path:
            self.add_files([Path(path)])

    def add_files(self, paths: Sequence[Path]) -> None:
        """Add recordings to the list, and choose the first of them."""
        added = [recording(path) for path in paths]
        self._files += [choice for choice in added if choice not in self._files]
        self.search.clear()
        self._list()
        self.list.setCurrentRow(self._choices.index(added[0]))

    def _accept(self) -> None:
        """Release the previewed device, then emit `chosen`."""
        if not self.start.isEnabled():
            return
        self.start.setEnabled(False)
        url = self.wanted_url

        choice = self._choices[max(0, self.list.currentRow())]

        def released() -> None:
            if choice.setup and url == choice.url:
                self.setup_chosen.emit(choice.setup)
            else:
                self.chosen.emit(url, *self.companions.ticked)
            self.accept()

        self.preview.stop(released)

    def _end(self) -> None:
        self.finder.stop()
        self.preview.stop()


class Finder(QObject):
    """Searches for streams repeatedly, for boards once."""

    found = pyqtSignal(object)  # a tuple of `Device`, whenever it has changed
    failed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._over = threading.Event()
        self._thread = GuardedThread(self._look, "mood-finder", self._report, restart_until=self._over)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the search; a search that is running ends within `LOOK_S`."""
        self._over.set()

    def _look(self) -> None:
        try:
            others, boards, before = devices.installed(LOOK_S), tuple(devices.all_boards()), None
            if why := devices.why_no_boards():
                self.failed.emit(why)
            while not self._over.is_set():
                found = (*devices.streams(LOOK_S), *others, *boards)
                if found != before and not self._over.is_set():
                    before = found
                    self.found.emit(found)
        except MoodError as error:
            self.failed.emit(str(error))

    def _report(self, what: str) -> None:
        if not self._over.is_set():
            self.failed.emit(what)
