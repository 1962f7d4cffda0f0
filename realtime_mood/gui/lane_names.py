"""The electrode names beside the traces, and the controls of the traces.

A click on a name leaves the electrode out of the estimate, or includes it again.
"""

from __future__ import annotations

import math
from dataclasses import replace

from PyQt6.QtCore import QLineF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPen
from PyQt6.QtWidgets import QComboBox, QSlider, QWidget

from ..dsp.reference import BETWEEN, RECORDED
from ..dsp.spec import BANDS
from ..language import _
from ..language.terms import REFERENCES
from ..viewmodel.derived import band_words
from ..viewmodel.electrodes import ElectrodeView
from ..viewmodel.lanes import SCALES_UV, SPANS_S, TraceSettings
from .labels import STRETCH, button, named, row, set_tip
from .theme import LEFT, RIGHT, Canvas, colour, font, write

LINE = 12  # px between two names of a column
MOST_COLUMNS = 4


class LaneNames(Canvas):
    """Electrode names beside their lanes, each with its fault."""

    exclude_requested = pyqtSignal(str, bool)  # an electrode's name, and whether to leave it out

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(138)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(_("electrodes: up and down choose one, space leaves it out or includes it again"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        set_tip(self, _("Click a name to leave the electrode out of the estimate, or to include it again"))
        self.electrodes: tuple[ElectrodeView, ...] = ()
        self._at = 0  # the one chosen by the keyboard
        self._boxes: list[tuple[QRectF, int]] = []  # where names were written, and of which electrodes

    def show_electrodes(self, electrodes: tuple[ElectrodeView, ...]) -> None:
        shown = [(e.name, e.role, e.fault) for e in electrodes]
        if shown != [(e.name, e.role, e.fault) for e in self.electrodes]:
            self.electrodes = electrodes
            self.update()

    def toggle(self, i: int) -> None:
        """Leave electrode `i` out, or include it again; a derivation of two cannot be left out."""
        if 0 <= i < len(self.electrodes) and BETWEEN not in self.electrodes[i].name:
            self._at = i
            self.exclude_requested.emit(self.electrodes[i].name, not self.electrodes[i].excluded)

    def mousePressEvent(self, event):
        at = event.position()
        lane = int(at.y() / max(1, self.height()) * len(self.electrodes))
        self.toggle(next((i for box, i in self._boxes if box.contains(at)), lane))

    def keyPressEvent(self, event):
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key(), 0)
        if step:
            self._at = min(max(0, self._at + step), max(0, len(self.electrodes) - 1))
            self.update()
        elif event.key() == Qt.Key.Key_Space:
            self.toggle(self._at)
        else:
            super().keyPressEvent(event)

    def _named(self, step: int) -> list[int]:
        """Which electrodes have a name: of each `step`, the one chosen by the keyboard, a poor one, or the first."""
        groups = (range(k, min(k + step, len(self.electrodes))) for k in range(0, len(self.electrodes), step))
        return [min(group, key=lambda i: (i != self._at or not self.hasFocus(), not self._is_marked(i), i))
                for group in groups]  # fmt: skip

    def _is_marked(self, i: int) -> bool:
        return self.electrodes[i].is_bad or self.electrodes[i].excluded

    def draw(self, p: QPainter) -> None:
        if not self.electrodes:
            return
        lane = self.height() / len(self.electrodes)
        # several if the names would overlap; the first ones are moved down by up to 2 px
        columns = 1 if lane >= LINE else math.ceil((LINE + 2) / lane)
        p.setFont(font(10 if columns > 1 else int(min(12, lane * 0.95))))
        widest = max(p.fontMetrics().horizontalAdvance(e.name) for e in self.electrodes)
        width = max(widest + 4, 32 if columns > 1 else 46)
        most = max(1, min(MOST_COLUMNS, (self.width() - 2) // width))
        step, columns = math.ceil(columns / most), min(columns, most)
        names, named, self._boxes = columns * width, self._named(step), []
        for k, i in enumerate(named):
            e = self.electrodes[i]
            y = min(max(-3.0, (k + 0.5) * self.height() / len(named) - 8), self.height() - 13.0)
            role = e.role if e.is_bad else "text" if e.role == "ok" else "dim"
            x = 2.0 + k % columns * width
            self._boxes.append((QRectF(x, y + 2, width, LINE), i))
            write(p, QRectF(x, y, width, 16), LEFT, e.name, role)
            if columns < 3:  # else there is no room; the hatched lane shows the fault
                write(p, QRectF(names, y, self.width() - names - 5, 16), RIGHT, e.fault, role)
            if e.excluded:
                p.drawLine(QLineF(x, y + 8.5, x + p.fontMetrics().horizontalAdvance(e.name), y + 8.5))
            if i == self._at and self.hasFocus():
                p.setPen(QPen(colour("info"), 1))
                p.drawRect(QRectF(0, y, width, 16))


RING_S = 60


class TraceControls(QWidget):
    """Filtered, raw or one band; reference, µV per lane, seconds, and pause."""

    changed = pyqtSignal(object)  # the `TraceSettings`
    pause_requested = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.settings = TraceSettings()
        self.kind = _choice(_("filtered, raw or one band"), (_("filtered"), _("raw"), *map(band_words, BANDS)))
        self.reference = _choice(_("reference"), tuple(_(name) for name in REFERENCES.values()))
        self.scale = _choice(_("microvolts per lane"), (_("auto scale"), *(f"{uv:g} µV" for uv in SCALES_UV)))
        self.span = _choice(_("seconds shown"), tuple(f"{s:g} s" for s in SPANS_S))
        self.span.setCurrentIndex(SPANS_S.index(self.settings.span_s))
        self.pause = named(button(_("Pause"), "plain"), _("pause the traces"))
        self.back = named(QSlider(Qt.Orientation.Horizontal), _("seconds back"))
        self.back.setRange(-RING_S, 0)
        self.back.setMinimumWidth(60)
        controls = self.kind, self.reference, self.scale, self.span, self.pause, (self.back, 100)
        row(*controls, STRETCH, on=self, margins=(0, 0, 0, 4))
        self.back.hide()
        self.kind.currentIndexChanged.connect(lambda at: self._set(raw=at == 1, band=("", "", *BANDS)[at]))
        self.reference.currentIndexChanged.connect(lambda at: self._set(reference=[*REFERENCES][at]))
        self.scale.currentIndexChanged.connect(lambda at: self._set(uv=SCALES_UV[at - 1] if at else None))
        self.span.currentIndexChanged.connect(lambda at: self._set(span_s=SPANS_S[at]))
        self.back.valueChanged.connect(lambda value: self._set(back_s=float(-value)))
        self.pause.clicked.connect(self.pause_requested)

    def next_kind(self) -> None:
        """Show the next band, or all of the signal."""
        self.kind.setCurrentIndex((self.kind.currentIndex() + 1) % self.kind.count())

    def next_reference(self) -> None:
        """Show the signal against the next reference."""
        self.reference.setCurrentIndex((self.reference.currentIndex() + 1) % self.reference.count())

    def as_recorded(self) -> None:
        """Show the signal as it was recorded: the montage cannot give the chosen reference."""
        self.reference.setCurrentIndex([*REFERENCES].index(RECORDED))

    def hold(self, at: int | None) -> None:
        """Pause at sample `at`, or resume."""
        self.back.setVisible(at is not None)
        self.back.setRange(-round(RING_S - self.settings.span_s), 0)
        self.back.setValue(0)
        self.pause.setText(_("Resume") if at is not None else _("Pause"))
        self._set(paused_at=at, back_s=0.0)

    def _set(self, **what: object) -> None:
        self.settings = replace(self.settings, **what)  # type: ignore[arg-type]
        self.changed.emit(self.settings)


def _choice(name: str, items: tuple[str, ...]) -> QComboBox:
    box = named(QComboBox(), name)
    box.addItems(items)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box
