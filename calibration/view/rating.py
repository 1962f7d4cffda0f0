"""The self-rating page: valence and arousal of a block, by mouse or keyboard."""

from __future__ import annotations

from itertools import product

from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPen
from PyQt6.QtWidgets import QWidget

from realtime_mood.gui.labels import STRETCH, PlainLabel, button, column, row
from realtime_mood.gui.theme import CENTRE, LEFT, RIGHT, Canvas, colour, faint, font, write
from realtime_mood.language import _

from .cue import PROGRESS, progress_bar
from .state import RatingRequest

N = 9  # steps of each scale, as in the self-assessment manikin [1]_
MARGIN_PX = 34
ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1),
}  # fmt: skip


class RatingPlane(Canvas):
    """Valence to the right, arousal upwards, each in nine steps.

    References
    ----------
    .. [1] Bradley & Lang (1994), "Measuring emotion: the self-assessment manikin and the semantic differential".
    """

    chosen = pyqtSignal(object, object)  # valence and arousal, -1 to 1

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumSize(340, 340)
        self.setAccessibleName(_("Rating: unpleasant to pleasant, calm to excited"))
        self._at: tuple[int, int] | None = None

    def reset(self) -> None:
        """Clear the position of the mouse or the arrow keys."""
        self._at = None
        self.update()

    def box(self) -> QRectF:
        """The square of the plane."""
        side = min(self.width(), self.height()) - 2 * MARGIN_PX
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def spot(self, column: int, row: int) -> QPointF:
        """Position of a step of each scale, counted from 0."""
        box, step = self.box(), self.box().width() / N
        return QPointF(box.left() + (column + 0.5) * step, box.bottom() - (row + 0.5) * step)

    def _cell(self, at: QPointF) -> tuple[int, int] | None:
        box = self.box()
        if not box.contains(at):
            return None
        step = box.width() / N
        return min(N - 1, int((at.x() - box.left()) / step)), min(N - 1, int((box.bottom() - at.y()) / step))

    def _choose(self) -> None:
        if self._at is not None:
            half = (N - 1) / 2
            self.chosen.emit((self._at[0] - half) / half, (self._at[1] - half) / half)

    def _move(self, at: tuple[int, int] | None) -> None:
        if at != self._at:
            self._at = at
            self.update()

    def mouseMoveEvent(self, event):
        self._move(self._cell(event.position()))

    def mousePressEvent(self, event):
        self._move(self._cell(event.position()))
        self._choose()

    def leaveEvent(self, event):
        self._move(None)

    def keyPressEvent(self, event):
        if (arrow := ARROWS.get(event.key())) is not None:
            column, row = self._at or (N // 2, N // 2)
            if self._at is not None:
                column, row = column + arrow[0], row + arrow[1]
            self._move((min(N - 1, max(0, column)), min(N - 1, max(0, row))))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        else:
            super().keyPressEvent(event)

    def draw(self, p: QPainter) -> None:
        box, middle = self.box(), self.box().center()
        p.setPen(QPen(colour("dim") if self.hasFocus() else faint("dim", 120), 1))
        p.setBrush(colour("panel"))
        p.drawRoundedRect(box, 10, 10)
        p.setPen(QPen(colour("line"), 1))
        p.drawLine(QLineF(box.left() + 8, middle.y(), box.right() - 8, middle.y()))
        p.drawLine(QLineF(middle.x(), box.top() + 8, middle.x(), box.bottom() - 8))
        p.setPen(Qt.PenStyle.NoPen)
        for at in product(range(N), repeat=2):
            p.setBrush(colour("info") if at == self._at else faint("dim", 110))
            r = box.width() / N * (0.3 if at == self._at else 0.09)
            p.drawEllipse(self.spot(*at), r, r)
        p.setFont(font(17))
        end, beside = box.right() + 14, middle.y() - 14
        for room, place, text in (
            (QRectF(box.left(), box.top() - MARGIN_PX, box.width(), MARGIN_PX), CENTRE, _("excited")),
            (QRectF(box.left(), box.bottom(), box.width(), MARGIN_PX), CENTRE, _("calm")),
            (QRectF(0, beside, box.left() - 14, 28), RIGHT, _("unpleasant")),
            (QRectF(end, beside, self.width() - end, 28), LEFT, _("pleasant")),
        ):
            write(p, room, place, text, "text")


class RatingPage(QWidget):
    """Asks for a rating of the block; answering is optional."""

    answered = pyqtSignal(object, object)  # valence and arousal, or None twice
    stopped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.question, self.plane = PlainLabel("", "headline", wrap=True, centre=True), RatingPlane()
        hint = PlainLabel(_("Click on the plane, or use the arrow keys and Enter."), "aside", wrap=True, centre=True)
        self.skip, self.stop = button(_("Prefer not to answer"), "tiny", "N"), button(_("Stop"), "tiny", _("Esc"))
        self.bar = progress_bar(4)
        for widget in (self.skip, self.stop):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        feet = row(STRETCH, self.skip, self.stop, spacing=10)
        column(self.question, hint, (self.plane, 1), self.bar, 4, feet, on=self, margins=(28, 8, 28, 18), spacing=10)
        self.plane.chosen.connect(self.answered)
        self.skip.clicked.connect(self._skip)
        self.stop.clicked.connect(self.stopped)

    def _skip(self) -> None:
        self.answered.emit(None, None)

    def show_request(self, request: RatingRequest) -> None:
        self.question.setText(request.text)
        self.bar.setValue(round(PROGRESS * request.progress))
        self.plane.setEnabled(request.open)
        self.skip.setEnabled(request.open)
