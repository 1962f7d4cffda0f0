"""Turns the strip's numbers into a row that lets the least important go where it is narrow."""

from __future__ import annotations

from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from .controls import Text
from .labels import PlainLabel
from .strip import DROPPED_FIRST
from .viewmodel import ViewState

GAP = 16


class StripBar(QWidget):
    """Name and value of each number."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2, 2, 2, 4)
        self._row.setSpacing(GAP)
        self._row.addStretch(1)
        self.values: dict[str, Text] = {}
        self._cells: dict[str, QWidget] = {}

    def show_state(self, state: ViewState) -> None:
        changed = False
        for name, said in state.strip:
            if name not in self.values:
                self._add(name)
            changed |= self.values[name].say(said)
        if changed:
            self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._fit()

    def _add(self, name: str) -> None:
        cell, row, label = QWidget(), QHBoxLayout(), PlainLabel(name)
        cell.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        label.setObjectName("dim")
        label.setStyleSheet("font-size: 11px;")
        self.values[name] = Text("font-size: 11px; font-weight: 600;")
        self.values[name].setAccessibleName(name)
        row.addWidget(label)
        row.addWidget(self.values[name])
        self._row.insertWidget(self._row.count() - 1, cell)
        self._cells[name] = cell

    def _fit(self) -> None:
        """Show as many as there is room for."""
        widths = {name: cell.sizeHint().width() + GAP for name, cell in self._cells.items()}
        room = self.width()
        gone: set[str] = set()
        for name in DROPPED_FIRST:
            if sum(w for n, w in widths.items() if n not in gone) <= room:
                break
            gone.add(name)
        for name, cell in self._cells.items():
            cell.setVisible(name not in gone)
