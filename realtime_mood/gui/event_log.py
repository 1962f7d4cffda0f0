"""Turns the lines of the log into a list that stays where it is read, and can be kept."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .events import Line
from .theme import colour


class EventLog(QWidget):
    """What happened, the newest at the bottom."""

    save_wished = pyqtSignal(str)
    """The path of a text file."""

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName("events")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.save = QPushButton("Save…")
        self.save.setObjectName("plain")
        self.save.clicked.connect(self._save)
        row, column = QHBoxLayout(), QVBoxLayout(self)
        row.addStretch(1)
        row.addWidget(self.save)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self._shown: tuple[Line, ...] = ()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these; what is there already stays."""
        bar = self.list.verticalScrollBar()
        at_end = bar is None or bar.value() >= bar.maximum() - 2
        new = tuple(lines)
        if self._shown and new and self._shown[0] is new[0]:
            added = new[len(self._shown) :]
        else:
            self.list.clear()
            added = new
        self._shown = new
        for line in added:
            item = QListWidgetItem(f"{line.at:%H:%M:%S}  {line.text}")
            item.setForeground(colour(line.role))
            self.list.addItem(item)
        if at_end:
            self.list.scrollToBottom()

    def retheme(self) -> None:
        for i, line in enumerate(self._shown):
            if (item := self.list.item(i)) is not None:
                item.setForeground(colour(line.role))

    def _save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the events", "events.txt", "Text (*.txt)")
        if path:
            self.save_wished.emit(path)
