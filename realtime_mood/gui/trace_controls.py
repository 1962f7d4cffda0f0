"""Turns clicks into how the signal is to be looked at."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSlider, QWidget

from .labels import PlainLabel
from .lanes import SCALES_UV, SPANS_S, TraceSettings

RING_S = 60


class TraceControls(QWidget):
    """Filtered or raw, µV a lane, seconds, and holding the picture still."""

    changed = pyqtSignal(object)
    """The `TraceSettings`."""
    pause_wished = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.settings = TraceSettings()
        self.kind = _choice("filtered or raw", ("filtered", "raw"))
        self.scale = _choice("microvolts a lane", ("auto scale", *(f"{uv:g} µV" for uv in SCALES_UV)))
        self.span = _choice("seconds shown", tuple(f"{s:g} s" for s in SPANS_S))
        self.span.setCurrentIndex(SPANS_S.index(self.settings.span_s))
        self.pause = QPushButton("Pause")
        self.pause.setObjectName("plain")
        self.pause.setAccessibleName("hold the traces still")
        self.back = QSlider(Qt.Orientation.Horizontal)
        self.back.setAccessibleName("how far back")
        self.back.setRange(-RING_S, 0)
        self.back.setMinimumWidth(60)
        self.said = PlainLabel("")
        self.said.setObjectName("dim")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 4)
        row.setSpacing(6)
        for widget in (self.kind, self.scale, self.span, self.pause):
            row.addWidget(widget)
        row.addWidget(self.back, 1)
        row.addStretch(0)
        row.addWidget(self.said)
        self.back.hide()
        self.kind.currentIndexChanged.connect(lambda at: self._set(raw=at == 1))
        self.scale.currentIndexChanged.connect(lambda at: self._set(uv=SCALES_UV[at - 1] if at else None))
        self.span.currentIndexChanged.connect(lambda at: self._set(span_s=SPANS_S[at]))
        self.back.valueChanged.connect(lambda value: self._set(back_s=float(-value)))
        self.pause.clicked.connect(self.pause_wished)

    def hold(self, at: int | None) -> None:
        """Hold the picture at sample `at`, or let it run again."""
        self.back.setVisible(at is not None)
        self.back.setRange(-round(RING_S - self.settings.span_s), 0)
        self.back.setValue(0)
        self.pause.setText("Run" if at is not None else "Pause")
        self._set(paused_at=at, back_s=0.0)

    def _set(self, **what: object) -> None:
        self.settings = replace(self.settings, **what)  # type: ignore[arg-type]
        self.changed.emit(self.settings)


def _choice(name: str, items: tuple[str, ...]) -> QComboBox:
    box = QComboBox()
    box.addItems(items)
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box
