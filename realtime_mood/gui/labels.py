"""Labels and tooltips of plain text: a name from a file or a network is never rendered as HTML."""

from __future__ import annotations

from html import escape

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QLabel, QScrollArea, QToolTip, QWidget


class PlainLabel(QLabel):
    """A label whose text is always plain.

    Parameters
    ----------
    text : str
    name : str
        The object name, by which a style sheet finds it.
    wrap : bool
        Whether long text takes several lines.
    """

    def __init__(self, text: str = "", name: str = "", *, wrap: bool = False) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setObjectName(name)
        self.setWordWrap(wrap)


class ScrollText(QScrollArea):
    """A long text: as high as it needs to be, and scrolled where there is less room."""

    def __init__(self, body: QLabel) -> None:
        super().__init__()
        body.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.body = body
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        self.setWidget(body)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if (room := self.viewport()) is not None:
            self.setMaximumHeight(self.body.heightForWidth(room.width()))


def set_tip(widget: QWidget, text: str) -> None:
    """Give a widget a tooltip of plain text."""
    widget.setToolTip(plain_tip(text))


def show_tip(at: QPoint, text: str, widget: QWidget) -> None:
    """Show a tooltip of plain text now, at a place on the screen."""
    QToolTip.showText(at, plain_tip(text), widget)


def plain_tip(text: str) -> str:
    """What a tooltip must be given to show `text`: Qt renders what looks like HTML, without a setting for it."""
    return "<qt>" + escape(text).replace("\n", "<br>") + "</qt>" if "<" in text or "&" in text else text
