"""Labels, tooltips, buttons and rows of them. Text is plain: a name from a file or a network is never read as HTML."""

from __future__ import annotations

from bisect import bisect
from html import escape
from typing import TypeVar

from PyQt6.QtCore import QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import (
    QBoxLayout,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from ..language import _

CLEAR = "QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }"  # the style of a scroll area
STRETCH = None
Item = QWidget | QLayout | int | None  # what stands in a row or column: a widget, a layout, a space (px), or `STRETCH`
Items = Item | tuple[Item, int]  # an item, or an item and its share of the room
Margins = tuple[int, int, int, int]
_Box = TypeVar("_Box", bound=QBoxLayout)
_Widget = TypeVar("_Widget", bound=QWidget)


class PlainLabel(QLabel):
    """A label whose text is always plain; `name` is the object name, by which a style sheet finds it."""

    def __init__(self, text: str = "", name: str = "", *, wrap: bool = False, centre: bool = False) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setObjectName(name)
        self.setWordWrap(wrap)
        if centre:
            self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def show_text(self, text: str) -> None:
        """Show `text`; nothing is laid out again where it is shown already."""
        if text != self.text():
            self.setText(text)


class ScrollText(QScrollArea):
    """A long text: as high as it needs to be, and scrolled where there is less room."""

    def __init__(self, body: QLabel) -> None:
        super().__init__()
        body.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.body = body
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setStyleSheet(CLEAR)
        self.setWidget(body)

    def resizeEvent(self, event):
        super().resizeEvent(event)
        if (room := self.viewport()) is not None:
            self.setMaximumHeight(self.body.heightForWidth(room.width()))


class Form(QFormLayout):
    """Fields below each other, each with its label on the left, in the middle of its height."""

    def add(self, text: str, field: QWidget | QLayout) -> PlainLabel:
        """Add a field; returns its label."""
        label = PlainLabel(text)
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)  # else Qt puts it at the top
        self.addRow(label, field)
        return label


def named(widget: _Widget, name: str) -> _Widget:
    """The widget, with a name for screen readers."""
    widget.setAccessibleName(name)
    return widget


def button(text: str, name: str = "", tip: str = "") -> QPushButton:
    """A button; `name` is the object name, by which a style sheet finds it."""
    made = QPushButton(text)
    made.setObjectName(name)
    set_tip(made, tip)
    return made


def set_tip(widget: QWidget | QListWidgetItem, text: str) -> None:
    """Give a widget, or an entry of a list, a tooltip of plain text."""
    widget.setToolTip(plain_tip(text))


def show_tip(at: QPoint, text: str, widget: QWidget) -> None:
    """Show a tooltip of plain text now, at a place on the screen."""
    QToolTip.showText(at, plain_tip(text), widget)


def plain_tip(text: str) -> str:
    """What a tooltip must be given to show `text`: Qt renders what looks like HTML, without a setting for it."""
    return "<qt>" + escape(text).replace("\n", "<br>") + "</qt>" if "<" in text or "&" in text else text


def shortened(text: str, metrics: QFontMetrics, room: QSize) -> str:
    """As much of a text as there is room for when it is wrapped: its beginning and, longer, its end."""

    def of(n: int) -> str:
        return text if n == len(text) else f"{text[: n // 3]}…{text[len(text) - n + n // 3 :]}"

    def is_too_much(n: int) -> bool:
        needed = metrics.boundingRect(QRect(0, 0, room.width(), 0), Qt.TextFlag.TextWordWrap, of(n))
        return needed.height() > room.height()

    return of(max(0, bisect(range(len(text) + 1), False, key=is_too_much) - 1))


def ask_to_end(parent: QWidget, question: str) -> bool:
    """Ask the operator whether to end a session, which cannot be continued."""
    box = QMessageBox(QMessageBox.Icon.Question, _("End the session?"), question, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    end = box.addButton(_("End session"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(_("Continue session"), QMessageBox.ButtonRole.RejectRole))
    box.exec()
    return box.clickedButton() is end


def row(
    *items: Items, on: QWidget | None = None, margins: Margins = (0, 0, 0, 0), spacing: int | None = None
) -> QHBoxLayout:
    """Items from left to right, as the layout of the widget `on` if there is one."""
    return _fill(QHBoxLayout(on), items, margins, spacing)


def column(
    *items: Items, on: QWidget | None = None, margins: Margins = (0, 0, 0, 0), spacing: int | None = None
) -> QVBoxLayout:
    """Items from top to bottom, as the layout of the widget `on` if there is one."""
    return _fill(QVBoxLayout(on), items, margins, spacing)


def _fill(box: _Box, items: tuple[Items, ...], margins: Margins, spacing: int | None) -> _Box:
    box.setContentsMargins(*margins)
    if spacing is not None:
        box.setSpacing(spacing)
    for item in items:
        what, share = item if isinstance(item, tuple) else (item, 0)
        if isinstance(what, QWidget):
            box.addWidget(what, share)
        elif isinstance(what, QLayout):
            box.addLayout(what, share)
        elif what is STRETCH:
            box.addStretch(share or 1)
        else:
            box.addSpacing(what)
    return box
