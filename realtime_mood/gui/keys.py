"""Turns the list of keys into a dialog."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDialog, QGridLayout, QWidget

from .labels import PlainLabel
from .shortcuts import table


class KeysDialog(QDialog):
    """Every key and what it does. Esc closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
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
