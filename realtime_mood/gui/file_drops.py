"""Files that are dropped on a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QGraphicsView, QLineEdit, QWidget


class FileDrops(QObject):
    """Calls `dropped` with the files that are dropped anywhere on `window`."""

    def __init__(self, window: QWidget, dropped: Callable[[Sequence[Path]], object]) -> None:
        super().__init__(window)
        self._dropped = dropped
        window.setAcceptDrops(True)
        for child in (*window.findChildren(QGraphicsView), *window.findChildren(QLineEdit)):
            child.setAcceptDrops(False)  # they would take a file's address as text, or refuse it
        window.installEventFilter(self)

    def eventFilter(self, watched, event):
        if isinstance(event, QDropEvent) and (files := _files(event)):  # also one that enters or moves
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self._dropped(files)
            return True
        return super().eventFilter(watched, event)


def _files(event: QDropEvent) -> list[Path]:
    data = event.mimeData()
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data is not None else []
