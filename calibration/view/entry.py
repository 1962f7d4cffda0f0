"""The pages before the first step: consent, and the check of the electrodes."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from realtime_mood.gui.controls import Text
from realtime_mood.gui.heads import QualityHead
from realtime_mood.gui.labels import PlainLabel, ScrollText, set_tip
from realtime_mood.language import _

from ..protocol import BlockPlan
from . import words
from .state import CalibrationPage

COLUMN_PX = 760


def label(text: str, name: str = "body") -> QLabel:
    """Text that wraps, in one of the styles of `style.style`."""
    return PlainLabel(text, name, wrap=True)


def button(text: str, name: str = "quiet", tip: str = "") -> QPushButton:
    """A button in one of the styles of `style.style`."""
    made = QPushButton(text)
    made.setObjectName(name)
    set_tip(made, tip)
    return made


def centred(column: QVBoxLayout, page: QWidget, width: int = COLUMN_PX) -> None:
    """Put a column of `width` in the middle of a page."""
    middle, row = QWidget(), QHBoxLayout(page)
    middle.setMaximumWidth(width)
    middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    middle.setLayout(column)
    row.addStretch(1)
    row.addWidget(middle, 100)
    row.addStretch(1)


class Welcome(QWidget):
    """The consent page."""

    agreed = pyqtSignal()
    declined = pyqtSignal()

    def __init__(self, plan: BlockPlan) -> None:
        super().__init__()
        self.yes, self.no = button(_("I agree"), "primary"), button(_("I do not agree"))
        panel, inside = QFrame(), QVBoxLayout()
        panel.setObjectName("panel")
        panel.setLayout(inside)
        inside.setContentsMargins(28, 24, 28, 24)
        self.area = ScrollText(label(_(plan.protocol.consent.strip())))
        inside.addWidget(self.area)
        buttons = QHBoxLayout()
        buttons.setSpacing(14)
        buttons.addStretch(1)
        buttons.addWidget(self.no)
        buttons.addWidget(self.yes)
        column = QVBoxLayout()
        column.setSpacing(16)
        column.addStretch(1)
        column.addWidget(label(_(plan.protocol.title), "headline"))
        column.addWidget(label(_about(plan), "aside"))
        column.addSpacing(8)
        column.addWidget(panel, 100)
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addStretch(1)
        centred(column, self)
        self.yes.clicked.connect(self.agreed)
        self.no.clicked.connect(self.declined)


class GatePage(QWidget):
    """Check of the electrodes before the first step."""

    begun = pyqtSignal()
    stopped = pyqtSignal()
    anyway_changed = pyqtSignal(bool)

    def __init__(self, plan: BlockPlan, silent: bool) -> None:
        super().__init__()
        self.head = QualityHead()
        self.sentence, self.hint = Text("font-size: 24px; font-weight: 600;"), label("", "aside")
        self.sentence.setWordWrap(True)
        self.anyway, self.cost = QCheckBox(_("Begin anyway")), label(words.cost(), "small")
        self.begin, self.stop = button(_("Begin"), "primary", _("Enter")), button(_("Stop"), "quiet", _("Esc"))
        row = QHBoxLayout(self)
        row.setContentsMargins(48, 12, 56, 40)
        row.setSpacing(56)
        row.addWidget(self.head, 6)
        row.addLayout(self._column(plan, silent), 5)
        self.begin.clicked.connect(self.begun)
        self.stop.clicked.connect(self.stopped)
        self.anyway.toggled.connect(self.anyway_changed)

    def _column(self, plan: BlockPlan, silent: bool) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(10)
        column.addStretch(2)
        column.addWidget(label(_(plan.protocol.title), "headline"))
        column.addWidget(label(_about(plan), "aside"))
        column.addSpacing(36)
        column.addWidget(self.sentence)
        column.addWidget(self.hint)
        column.addStretch(3)
        if silent and any(step.kind == "rest" and step.label == "closed" for step in plan.steps):
            column.addWidget(label(words.silent(), "warning"))
            column.addSpacing(8)
        for widget in (self.anyway, self.cost):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)  # so that no button moves when it is shown
            widget.setSizePolicy(policy)
            column.addWidget(widget)
        column.addSpacing(16)
        buttons = QHBoxLayout()
        buttons.setSpacing(14)
        buttons.addStretch(1)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.begin)
        column.addLayout(buttons)
        return column

    def show_state(self, shown: CalibrationPage) -> None:
        if shown.view is not None:
            self.head.show_state(shown.view)
        if (gate := shown.gate) is None:
            return
        self.sentence.say(gate.sentence)
        if self.hint.text() != gate.hint:
            self.hint.setText(gate.hint)
        self.begin.setEnabled(gate.may_begin)
        self.begin.setCursor(Qt.CursorShape.PointingHandCursor if gate.may_begin else Qt.CursorShape.ArrowCursor)
        for widget in (self.anyway, self.cost):
            widget.setVisible(gate.offers_anyway)


def _about(plan: BlockPlan) -> str:
    return f"{words.first_upper(_(plan.protocol.about))}. {words.length(plan)}"
