"""The streams that can be recorded beside the EEG, as a list to tick, under a heading for each host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from ..language import _
from ..sources.devices import Device
from ..viewmodel.companions import Companion, companions
from .labels import PlainLabel, column, named, set_tip

SHOWN_ROWS = 4.5  # of the list; the others are scrolled to
ROW_PX = 24


def add_item(to: QListWidget, title: str, detail: str = "", *, is_heading: bool = False) -> QListWidgetItem:
    """Add a line, with its detail below; a heading can be read, and not be chosen."""
    item = QListWidgetItem(f"{title}\n{detail}" if detail else title)
    set_tip(item, item.text())
    if is_heading:
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        heading = QFont()
        heading.setBold(True)
        item.setFont(heading)
    to.addItem(item)
    return item


class CompanionList(QWidget):
    """Hidden while there is nothing to tick. `also` and `markers` are those of the present run."""

    def __init__(self, also: Sequence[str], markers: Sequence[str]) -> None:
        super().__init__()
        self.list = named(QListWidget(), _("streams to record beside the EEG"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # long names are elided
        self._also, self._markers = tuple(also), tuple(markers)
        self._by_hand: dict[str, bool] = {}
        self._offered: list[Companion] = []
        self._rows: dict[int, Companion] = {}
        column(PlainLabel(_("Also record")), self.list, on=self)
        self.list.itemChanged.connect(self._ticked)
        self.hide()

    @property
    def ticked(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The URLs that are ticked: of streams, and of streams of markers."""
        ticked = [companion for companion in self._offered if companion.ticked]
        return tuple(c.url for c in ticked if not c.is_marker), tuple(c.url for c in ticked if c.is_marker)

    def offer(self, url: str, found: Sequence[Device]) -> None:
        """Offer what there is beside the source `url`."""
        offered = companions(url, found, self._also, self._markers, self._by_hand)
        if offered == self._offered:
            return
        self._offered = offered
        self.list.blockSignals(True)
        self.list.clear()
        self._rows, host = {}, None
        for companion in offered:
            if companion.host != host:
                host = companion.host
                add_item(self.list, host or _("this run"), is_heading=True)
            item = add_item(self.list, f"{companion.title} · {companion.detail}")
            item.setCheckState(Qt.CheckState.Checked if companion.ticked else Qt.CheckState.Unchecked)
            self._rows[self.list.count() - 1] = companion
        self.list.blockSignals(False)
        self.list.setFixedHeight(round(ROW_PX * min(SHOWN_ROWS, self.list.count()) + 6))
        self.setVisible(bool(offered))

    def _ticked(self, item: QListWidgetItem) -> None:
        if (companion := self._rows.get(self.list.row(item))) is not None:
            self._by_hand[companion.url] = item.checkState() == Qt.CheckState.Checked
            self._offered = [replace(one, ticked=self._by_hand.get(one.url, one.ticked)) for one in self._offered]
