"""The check of this computer in the window: the dialog of its findings, and the line below a run that failed."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDialog, QGridLayout, QScrollArea, QWidget

from ..guard import GuardedThread
from ..language import _
from ..viewmodel.computer_check import LEVELS, ComputerCheck, checks_for
from ..viewmodel.state import ViewState
from ..viewmodel.words import StyledText
from .bridge import RunBridge
from .controls import Text
from .labels import CLEAR, STRETCH, PlainLabel, button, column, named, row

Examine = Callable[[], ComputerCheck]


class ComputerExaminer(QObject):
    """Calls `examine` on its own thread, and keeps the newest result."""

    done = pyqtSignal(object, str)  # a `ComputerCheck` and an empty text; or None and why there is none

    def __init__(self, parent: QObject, examine: Examine) -> None:
        super().__init__(parent)
        self._examine = examine
        self.result: ComputerCheck | None = None
        self.is_busy = False
        self.done.connect(self._keep)

    def begin(self) -> None:
        """Begin, unless it is under way."""
        if not self.is_busy:
            self.is_busy = True
            look = lambda: self.done.emit(self._examine(), "")  # noqa: E731
            GuardedThread(look, "mood-examination", lambda why: self.done.emit(None, why)).start()

    def _keep(self, result: ComputerCheck | None, why: str) -> None:
        self.is_busy, self.result = False, result or self.result


class ComputerCheckDialog(QDialog):
    """The findings, most serious first, each with what to do. It may be closed while the checks go on."""

    def __init__(self, parent: QWidget, examiner: ComputerExaminer) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Check this computer"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(820, 560)
        self._examiner = examiner
        self.summary, self.list = Text(wrap=True), named(QScrollArea(), _("findings"))
        self.list.setWidgetResizable(True)
        self.list.setFrameShape(QScrollArea.Shape.NoFrame)
        self.list.setStyleSheet(CLEAR)
        tip = _("Copies the findings without names, paths, addresses and serial numbers; read them before sending.")
        self.copy = button(_("Copy for an issue"), "plain", tip)
        self.again, self.close_ = button(_("Check again"), "plain"), button(_("Close"))
        buttons = row(self.copy, self.again, STRETCH, self.close_)
        column(self.summary, (self.list, 1), buttons, on=self, margins=(18, 16, 18, 14), spacing=12)
        self.copy.clicked.connect(self._copy)
        self.again.clicked.connect(self._begin)
        self.close_.clicked.connect(self.reject)
        examiner.done.connect(self._show)
        self._begin()

    def _begin(self) -> None:
        self.copy.setEnabled(False)
        self.again.setEnabled(False)
        text = _("Checking installation, boards, LSL, network, disk and network weights: this takes up to a minute")
        self.summary.say(StyledText(text, "info"))
        self._examiner.begin()

    def _show(self, result: ComputerCheck | None, why: str) -> None:
        self.again.setEnabled(True)
        self.copy.setEnabled(self._examiner.result is not None)
        if result is None:
            self.summary.say(StyledText(_("The check failed: {why}", why=why), "bad"))
            return
        self.summary.say(StyledText(result.summary, result.role))
        self.list.setWidget(_table(result))

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None and self._examiner.result is not None:
            clipboard.setText(self._examiner.result.issue)


def _table(result: ComputerCheck) -> QWidget:
    """The findings, one below the other."""
    body = QWidget()
    grid = QGridLayout(body)
    grid.setContentsMargins(0, 0, 8, 0)
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(2, 1)
    for line, finding in enumerate(result.findings):
        word, role = LEVELS[finding.level]
        level, name = Text("font-weight: 700;"), PlainLabel(finding.name)
        level.say(StyledText(_(word), role))
        text = PlainLabel(f"{finding.found}\n→ {finding.do}" if finding.do else finding.found, wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for at, label in enumerate((level, name, text)):
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label, line, at)
    grid.setRowStretch(len(result.findings), 1)
    return body


class FaultHelp(QWidget):
    """The line below what is wrong with a run: the finding that may explain it, or the offer to check this computer."""

    def __init__(self, bridge: RunBridge, examine: Examine | None) -> None:
        super().__init__()
        self._bridge = bridge
        self.examiner = ComputerExaminer(self, examine) if examine is not None else None
        self.text = Text(wrap=True)
        self.check = named(button(_("Check this computer"), "plain"), _("check this computer"))
        row((self.text, 1), self.check, on=self, margins=(10, 0, 10, 0), spacing=8)
        self.check.clicked.connect(self.open)
        bridge.state_changed.connect(self.show_state)
        self.hide()

    def show_state(self, state: ViewState) -> None:
        checks = checks_for(self._bridge.health, self._bridge.request.url)
        shown = bool(checks) and self.examiner is not None
        if shown and self.examiner is not None:
            self.text.say(_explanation(self.examiner.result, checks))
        if shown == self.isHidden():
            self.setVisible(shown)

    def open(self) -> None:
        """Check this computer, and show the findings in a dialog."""
        if self.examiner is not None:
            ComputerCheckDialog(self.window() or self, self.examiner).open()


def _explanation(result: ComputerCheck | None, checks: tuple[str, ...]) -> StyledText:
    if result is None:
        return StyledText(_("The cause may be this computer: “Check this computer” looks for it"), "info")
    if (finding := result.explaining(checks)) is None:
        return StyledText(_("The check of this computer found nothing wrong that explains this"), "dim")
    text = " → ".join(filter(None, (f"{finding.name}: {finding.found}", finding.do)))
    return StyledText(text, LEVELS[finding.level][1])
