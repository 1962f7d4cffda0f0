"""The page of a step: instruction, fixation dot or media, remaining time, and the buttons to pause, repeat or stop."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QProgressBar, QWidget

from realtime_mood import clock
from realtime_mood.gui.controls import Text
from realtime_mood.gui.labels import PlainLabel, button, column, row
from realtime_mood.gui.theme import Canvas, colour
from realtime_mood.language import _
from realtime_mood.viewmodel.words import StyledText

from .media import Media
from .state import CueView

DOT_PX = 7.0
PROGRESS = 1000


class Dot(Canvas):
    """A fixation dot. Its space is kept when it is hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(90)
        self._on = False

    def show_dot(self, on: bool) -> None:
        if on != self._on:
            self._on = on
            self.update()

    def draw(self, p: QPainter) -> None:
        if self._on:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(colour("text"))
            p.drawEllipse(QPointF(self.width() / 2, self.height() / 2), DOT_PX, DOT_PX)


class CueStage(QWidget):
    """Text, dot and media of a step. Emits `painted` when they are first on the screen."""

    painted = pyqtSignal(str, float)  # key of the cue, and the time at which it was painted (s, our clock)

    def __init__(self) -> None:
        super().__init__()
        self.text = Text("font-size: 36px; font-weight: 500;", wrap=True, centre=True)
        self.note, self.caption = (Text(f"font-size: {px}px;", wrap=True, centre=True) for px in (19, 20))
        self.media, self.dot = Media(), Dot()
        self.note.setMinimumHeight(60)  # so that the text above does not move when the note appears
        self._key, self._due = "", ""
        self._above, self._below = QWidget(), QWidget()
        column(
            (self._above, 4), self.caption, self.text, self.note, self.dot, (self.media, 100), (self._below, 3),
            on=self, margins=(100, 0, 100, 0), spacing=14,
        )  # fmt: skip
        self.media.started.connect(self._ready)

    def show_cue(self, cue: CueView) -> None:
        has_media = bool(cue.media)
        for widget in (self._above, self._below, self.text, self.note, self.dot):
            widget.setVisible(not has_media)
        for widget in (self.caption, self.media):
            widget.setVisible(has_media)
        for words in (self.text, self.caption):
            words.say(StyledText(cue.text, cue.role))
        self.note.say(StyledText(cue.note, "dim"))
        self.dot.show_dot(cue.dot)
        if cue.key != self._key:
            self._key, self._due = cue.key, ""
            if not has_media:
                self._ready()
        self.media.show_files(cue.key if has_media else "", cue.media, cue.elapsed_s, cue.seconds)

    def _ready(self) -> None:
        """Emit `painted` at the next paint event: it is the first one that shows the cue."""
        self._due = self._key
        self.update()

    def paintEvent(self, event):
        if self._due:
            key, self._due = self._due, ""
            self.painted.emit(key, clock.now())


class CuePage(QWidget):
    """A step, with buttons to pause, repeat or stop."""

    paused = pyqtSignal()
    repeated = pyqtSignal()
    stopped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.stage, self.clock = CueStage(), PlainLabel("", "clock", centre=True)
        self.trouble = Text("font-size: 14px;", wrap=True)
        self.bar = progress_bar(4)
        self.pause = button(_("Pause"), "tiny", _("Space"))
        self.repeat = button(_("Repeat this step"), "tiny", "R")
        self.stop = button(_("Stop"), "tiny", _("Esc"))
        self.clock.setFixedHeight(34)
        for pressed, signal in ((self.pause, self.paused), (self.repeat, self.repeated), (self.stop, self.stopped)):
            pressed.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Space is for the window
            pressed.clicked.connect(signal)
        feet = row((self.trouble, 1), self.pause, self.repeat, self.stop, spacing=10)
        column((self.stage, 1), self.clock, self.bar, feet, on=self, margins=(28, 8, 28, 18), spacing=14)

    def show_cue(self, cue: CueView) -> None:
        self.clock.show_text(cue.clock)
        self.bar.setValue(round(PROGRESS * cue.progress))
        self.pause.setText(_("Continue") if cue.paused else _("Pause"))
        self.pause.setEnabled(cue.may_pause)
        self.repeat.setEnabled(cue.may_repeat)
        self.trouble.say(cue.trouble)
        self.stage.show_cue(cue)


def progress_bar(height: int) -> QProgressBar:
    """A thin bar without figures."""
    bar = QProgressBar()
    bar.setRange(0, PROGRESS)
    bar.setTextVisible(False)
    bar.setFixedHeight(height)
    return bar
