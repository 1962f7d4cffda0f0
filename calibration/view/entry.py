"""The pages before the first step: consent, and the check of the electrodes."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QFrame, QSizePolicy, QVBoxLayout, QWidget

from realtime_mood.gui.controls import Text
from realtime_mood.gui.heads import QualityHead
from realtime_mood.gui.labels import STRETCH, PlainLabel, ScrollText, button, column, row
from realtime_mood.language import _
from realtime_mood.viewmodel.words import first_upper

from ..protocol import BlockPlan
from . import words
from .state import CalibrationPage

COLUMN_PX = 760


def centred(content: QVBoxLayout, page: QWidget, width: int = COLUMN_PX) -> None:
    """Put a column of `width` in the middle of a page."""
    middle = QWidget()
    middle.setMaximumWidth(width)
    middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    middle.setLayout(content)
    row(STRETCH, (middle, 100), STRETCH, on=page, margins=(11, 11, 11, 11))


class Welcome(QWidget):
    """The consent page."""

    agreed = pyqtSignal()
    declined = pyqtSignal()

    def __init__(self, plan: BlockPlan) -> None:
        super().__init__()
        self.yes, self.no = button(_("I agree"), "primary"), button(_("I do not agree"), "quiet")
        panel = QFrame()
        panel.setObjectName("panel")
        self.area = ScrollText(PlainLabel(_(plan.protocol.consent.strip()), "body", wrap=True))
        column(self.area, on=panel, margins=(28, 24, 28, 24))
        buttons = row(STRETCH, self.no, self.yes, spacing=14)
        content = (STRETCH, *_titles(plan), 8, (panel, 100), 8, buttons, STRETCH)
        centred(column(*content, margins=(11, 11, 11, 11), spacing=16), self)
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
        self.sentence = Text("font-size: 24px; font-weight: 600;", wrap=True)
        self.hint = PlainLabel("", "aside", wrap=True)
        self.anyway, self.cost = QCheckBox(_("Begin anyway")), PlainLabel(words.cost(), "small", wrap=True)
        self.begin, self.stop = button(_("Begin"), "primary", _("Enter")), button(_("Stop"), "quiet", _("Esc"))
        for widget in (self.anyway, self.cost):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)  # so that no button moves when it is shown
            widget.setSizePolicy(policy)
        closes = any(step.kind == "rest" and step.label == "closed" for step in plan.steps)
        warning = (PlainLabel(words.silent(), "warning", wrap=True), 8) if silent and closes else ()
        right = column(
            (STRETCH, 2), *_titles(plan), 36, self.sentence, self.hint, (STRETCH, 3), *warning,
            self.anyway, self.cost, 16, row(STRETCH, self.stop, self.begin, spacing=14), spacing=10,
        )  # fmt: skip
        row((self.head, 6), (right, 5), on=self, margins=(48, 12, 56, 40), spacing=56)
        self.begin.clicked.connect(self.begun)
        self.stop.clicked.connect(self.stopped)
        self.anyway.toggled.connect(self.anyway_changed)

    def show_state(self, shown: CalibrationPage) -> None:
        if shown.view is not None:
            self.head.show_state(shown.view)
        if (gate := shown.gate) is None:
            return
        self.sentence.say(gate.sentence)
        self.hint.show_text(gate.hint)
        self.begin.setEnabled(gate.may_begin)
        self.begin.setCursor(Qt.CursorShape.PointingHandCursor if gate.may_begin else Qt.CursorShape.ArrowCursor)
        for widget in (self.anyway, self.cost):
            widget.setVisible(gate.offers_anyway)


def _titles(plan: BlockPlan) -> tuple[PlainLabel, PlainLabel]:
    """Title of a protocol; what it is for and how long it takes."""
    about = f"{first_upper(_(plan.protocol.about))}. {words.length(plan)}"
    return PlainLabel(_(plan.protocol.title), "headline", wrap=True), PlainLabel(about, "aside", wrap=True)
