"""The self-rating page: valence and arousal of a block, by mouse or keyboard."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from realtime_mood.gui.theme import colour, faint, font
from realtime_mood.language import _

from .cue import PROGRESS, progress_bar
from .entry import button, label
from .state import RatingRequest

N = 9  # steps of each scale, as in the self-assessment manikin [1]_
MARGIN_PX = 34
ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class RatingPlane(QWidget):
    """Valence to the right, arousal upwards, each in nine steps.

    References
    ----------
    .. [1] Bradley & Lang (1994), "Measuring emotion: the self-assessment manikin and the semantic differential".
    """

    chosen = pyqtSignal(float, float)
    """Valence and arousal, -1 to 1."""

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

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        self._move(self._cell(event.position()))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        self._move(self._cell(event.position()))
        self._choose()

    def leaveEvent(self, event: object) -> None:
        self._move(None)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        if (arrow := ARROWS.get(event.key())) is not None:
            column, row = self._at or (N // 2, N // 2)
            if self._at is not None:
                column, row = column + arrow[0], row + arrow[1]
            self._move((min(N - 1, max(0, column)), min(N - 1, max(0, row))))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: object) -> None:
        p, box = QPainter(self), self.box()
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setPen(QPen(colour("dim") if self.hasFocus() else faint("dim", 120), 1))
        p.setBrush(colour("panel"))
        p.drawRoundedRect(box, 10, 10)
        p.setPen(QPen(colour("line"), 1))
        p.drawLine(QPointF(box.left() + 8, box.center().y()), QPointF(box.right() - 8, box.center().y()))
        p.drawLine(QPointF(box.center().x(), box.top() + 8), QPointF(box.center().x(), box.bottom() - 8))
        p.setPen(Qt.PenStyle.NoPen)
        for column in range(N):
            for row in range(N):
                here = (column, row) == self._at
                p.setBrush(colour("info") if here else faint("dim", 110))
                r = box.width() / N * (0.3 if here else 0.09)
                p.drawEllipse(self.spot(column, row), r, r)
        self._name(p, box)
        p.end()

    def _name(self, p: QPainter, box: QRectF) -> None:
        p.setFont(font(17))
        p.setPen(colour("text"))
        middle = Qt.AlignmentFlag.AlignCenter
        p.drawText(QRectF(box.left(), box.top() - MARGIN_PX, box.width(), MARGIN_PX), middle, _("excited"))
        p.drawText(QRectF(box.left(), box.bottom(), box.width(), MARGIN_PX), middle, _("calm"))
        beside = box.center().y() - 14
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        p.drawText(QRectF(0, beside, box.left() - 14, 28), right, _("unpleasant"))
        p.drawText(QRectF(box.right() + 14, beside, self.width() - box.right() - 14, 28), left, _("pleasant"))


class RatingPage(QWidget):
    """Asks for a rating of the block; answering is optional."""

    answered = pyqtSignal(object, object)
    """Valence and arousal, or None twice."""
    stopped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.question, self.plane = label("", "headline"), RatingPlane()
        self.hint = label(_("Click on the plane, or use the arrow keys and Enter."), "aside")
        self.skip, self.stop = button(_("Prefer not to answer"), "tiny", "N"), button(_("Stop"), "tiny", _("Esc"))
        self.bar = progress_bar(4)
        for text in (self.question, self.hint):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        feet = QHBoxLayout()
        feet.setSpacing(10)
        feet.addStretch(1)
        for widget in (self.skip, self.stop):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            feet.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 8, 28, 18)
        column.setSpacing(10)
        column.addWidget(self.question)
        column.addWidget(self.hint)
        column.addWidget(self.plane, 1)
        column.addWidget(self.bar)
        column.addSpacing(4)
        column.addLayout(feet)
        self.plane.chosen.connect(lambda valence, arousal: self.answered.emit(valence, arousal))
        self.skip.clicked.connect(lambda: self.answered.emit(None, None))
        self.stop.clicked.connect(self.stopped)

    def show_request(self, request: RatingRequest) -> None:
        self.question.setText(request.text)
        self.bar.setValue(round(PROGRESS * request.progress))
        self.plane.setEnabled(request.open)
        self.skip.setEnabled(request.open)
