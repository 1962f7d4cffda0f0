"""The last two pages of the calibration window: waiting for the fit, and its result."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QScrollArea, QWidget

from realtime_mood.gui.controls import Text
from realtime_mood.gui.labels import STRETCH, PlainLabel, button, column, row
from realtime_mood.language import _
from realtime_mood.viewmodel.words import StyledText

from .cue import PROGRESS, progress_bar
from .entry import centred
from .state import Busy
from .words import Ending


class BusyPage(QWidget):
    """What is being done, and a progress bar."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.bar = PlainLabel("", "headline", wrap=True, centre=True), progress_bar(6)
        centred(column(STRETCH, self.text, self.bar, STRETCH, spacing=28), self, 460)

    def show_busy(self, busy: Busy) -> None:
        self.text.show_text(busy.text)
        self.bar.setRange(0, 0 if busy.done is None else PROGRESS)
        self.bar.setValue(round(PROGRESS * (busy.done or 0.0)))


class EndingPage(QWidget):
    """Result of the session, path of its recording, and what to try next."""

    fit_requested = pyqtSignal()
    closed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.headline = Text("font-size: 32px; font-weight: 600;", wrap=True)
        self.fit, self.close_ = button(_("Create profile"), "quiet"), button(_("Close"), "primary", _("Esc"))
        texts, area = QWidget(), QScrollArea()
        texts.setObjectName("root")
        self._words = column(on=texts, margins=(0, 0, 12, 0), spacing=12)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(texts)
        buttons = row(STRETCH, self.fit, self.close_, spacing=14)
        centred(column(self.headline, (area, 1), buttons, margins=(0, 48, 0, 44), spacing=22), self, 860)
        self.fit.clicked.connect(self.fit_requested)
        self.close_.clicked.connect(self.closed)
        self._shown: Ending | None = None

    def show_ending(self, ending: Ending) -> None:
        if ending is self._shown:
            return
        self._shown = ending
        self.headline.say(StyledText(ending.headline, ending.role))
        self.fit.setVisible(ending.may_fit)
        while (item := self._words.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for line in ending.lines:
            self._add(line)
        if ending.advice:
            self._words.addSpacing(10)
            self._add(_("What may help next time:"), "aside")
            for text in ending.advice:
                self._add(f"•  {text}")
        if ending.recording:
            self._words.addSpacing(10)
            self._add(_("Recording: {path}", path=ending.recording), "small")
        self._words.addStretch(1)

    def words(self) -> str:
        """All texts on the page, line by line."""
        widgets = (item.widget() for i in range(self._words.count()) if (item := self._words.itemAt(i)))
        return "\n".join([self.headline.text(), *(w.text() for w in widgets if w is not None)])  # type: ignore[attr-defined]

    def _add(self, text: str, name: str = "body") -> None:
        made = PlainLabel(text, name, wrap=True)
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.addWidget(made)
