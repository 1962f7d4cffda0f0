"""No word of the window is cut off and no two lie over one another, at both sizes the pictures are made at."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QFontMetricsF, QPainter
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTabBar,
    QToolButton,
)

from realtime_mood import language
from realtime_mood.cli.config import RunConfig
from realtime_mood.cli.setups import NamedSetups
from realtime_mood.gui import lane_names, maps, theme
from realtime_mood.gui.labels import PlainLabel, shortened
from realtime_mood.gui.mood import Bars, TimeCourse
from realtime_mood.gui.settings import SettingsDialog
from realtime_mood.gui.setups import SetupsDialog
from realtime_mood.health import RecordingState
from realtime_mood.montage import SPREAD, positions
from realtime_mood.types import Fault, Marker, Quality, StreamInfo
from realtime_mood.viewmodel.course import EstimateHistory
from realtime_mood.viewmodel.electrodes import ElectrodeView
from realtime_mood.viewmodel.words import FAULT_WORDS, STATE_WORDS, WHY_WORDS, StyledText

SLACK = 2.5  # px by which boxes of letters may touch: they are higher than the letters in them


class Painter(QPainter):
    """Paints as ever, and remembers every text: where its letters are, and the room it was given."""

    seen: dict[object, list[tuple[str, QRectF, QRectF]]] = {}

    def drawText(self, *args):
        text = args[-1]
        if isinstance(args[0], QRectF):
            flags = int(args[1].value if hasattr(args[1], "value") else args[1])
            room, letters = QRectF(args[0]), super().boundingRect(args[0], flags, text)
        else:
            at = QPointF(args[0])
            letters = QFontMetricsF(self.font()).tightBoundingRect(text).translated(at)
            room = letters
        if text:
            self.seen.setdefault(self.device(), []).append((text, self.transform().mapRect(letters), room))
        return super().drawText(*args)


@pytest.fixture
def painted(monkeypatch):
    for module in (theme, maps):
        monkeypatch.setattr(module, "QPainter", Painter)
    Painter.seen = {}
    return Painter.seen


def over(a: QRectF, b: QRectF) -> bool:
    both = a.intersected(b)
    return both.width() > SLACK and both.height() > SLACK


@pytest.mark.parametrize("n_chans", [8, 32, 64])
@pytest.mark.parametrize("code", ["en", "de"])
@pytest.mark.parametrize("size", [(1100, 640), (1280, 720), (1920, 1080)])
def test_every_word_is_whole_and_stands_alone(qtbot, painted, make_window, use_language, size, code, n_chans):
    use_language(code)
    info = StreamInfo(tuple(SPREAD[:n_chans]), 128.0, "planted", virtual=True)
    engine = FakeEngine(info)
    engine.markers = (Marker(0, "neutral"), Marker(640, "positive"), Marker(1000, "key 1"))
    w = make_window(lambda _: engine, "synthetic://?subject=3")
    w.setStyleSheet(w.styleSheet())
    w.resize(*size)
    w.show_operator()
    w.bridge.start()
    qtbot.waitUntil(lambda: w.bars._shown[0].text == language._("positive"))
    # As many kinds of electrodes and badges as there can be.
    scores = np.array([0, 0.5, 0, *np.ones(n_chans - 3)], np.float32)
    quality = Quality(scores, (Fault.DECORRELATED, None, Fault.EXCLUDED, *[None] * (n_chans - 3)))
    engine.say(replace(engine.latest, quality=quality))
    engine.health = replace(engine.health, leaving=("all",), recording=RecordingState("a.xdf", trouble="full"))
    w.bridge.work_ms.clear()
    qtbot.waitUntil(lambda: len(w.bridge.work_ms) > 12)
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # what the newest frame made longer gets its room
    painted.clear()
    w.grab()
    assert {type(widget).__name__ for widget in painted} >= {
        "Bars",
        "TimeCourse",
        "Plane",
        "LaneNames",
        "QualityHead",
        "Scale",
    }
    for widget, texts in painted.items():
        for text, letters, room in texts:
            assert letters.width() <= room.width() + SLACK, (type(widget).__name__, text, "is cut off")
            inside = QRectF(widget.rect()).adjusted(-SLACK, -4, SLACK, 4)
            assert inside.contains(letters), (type(widget).__name__, text, "is outside")
        for (one, a, _), (other, b, _) in combinations(texts, 2):
            assert not over(a, b), (type(widget).__name__, one, "lies over", other)
    places = []
    for label in w.findChildren(QLabel):
        if label.isVisible() and label.text() and not label.visibleRegion().isEmpty():
            wraps = label.wordWrap()
            assert wraps or label.width() >= label.sizeHint().width() - 1, (label.text(), "is cut off")
            places.append((label.text(), QRectF(label.mapTo(w, QPoint(0, 0)).x(), label.mapTo(w, QPoint(0, 0)).y(),
                                                label.width(), label.height())))  # fmt: skip
    for button in w.findChildren(QToolButton):
        if button.isVisible() and button.text():
            assert button.width() >= button.sizeHint().width() - 1, (button.text(), "is cut off")
    for (one, a), (other, b) in combinations(places, 2):
        assert not over(a, b), (one, "lies over", other)


def test_all_that_can_be_used_has_a_name_for_a_screen_reader(qtbot, info, make_window):
    w = make_window(lambda _: FakeEngine(info), "fake://")
    setups = NamedSetups(RunConfig())
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView, QScrollArea, QTabBar)
    usable = [it for top in (w, SettingsDialog(w, setups, w.memory), SetupsDialog(w, setups))
              for kind in kinds for it in top.findChildren(kind)]  # fmt: skip
    # A list of choices and the field of a box have the name of the box.
    usable = [it for it in usable if not isinstance(it.parent(), QComboBox | QFrame)]
    nameless = [it for it in usable if not it.accessibleName() and not getattr(it, "text", lambda: "")()]
    # The toolkit's own buttons on a dock's title have a name of their object and a picture.
    assert not [it for it in nameless if not it.objectName().startswith("qt_")]


def test_words_of_markers_are_not_over_the_lines_of_the_estimate(qtbot, painted):
    course = TimeCourse()
    qtbot.addWidget(course)
    course.resize(480, 200)
    t = np.arange(-50.0, 0, 0.25)
    marks = tuple((float(at), f"fault: Fp1 flat {at}") for at in (-50, -49, -20, -1))
    course._course = EstimateHistory(("a", "b"), t, np.full((len(t), 2), 0.5), (), (), 0.5, marks)
    course._had_marks = True
    course.grab()
    words = [letters for text, letters, _room in painted[course] if text.startswith("fault")]
    assert len(words) >= 2
    assert all(letters.bottom() <= course._plot.top() + SLACK for letters in words)
    assert not any(over(a, b) for a, b in combinations(words, 2))


@pytest.mark.parametrize("code", ["en", "de"])
def test_every_reason_fits_the_headline(qtbot, painted, use_language, code):
    use_language(code)
    bars = Bars()
    qtbot.addWidget(bars)
    bars.resize(bars.minimumSize())
    for words in (*WHY_WORDS.values(), *STATE_WORDS.values()):
        painted.clear()
        bars._shown = (StyledText(language._(words), "dim"), "", ())
        bars.grab()
        ((text, letters, room),) = painted[bars]
        assert letters.width() <= room.width() + SLACK, text


def test_a_long_error_keeps_what_to_do(qtbot):
    banner = PlainLabel("", wrap=True)
    qtbot.addWidget(banner)
    metrics, room = banner.fontMetrics(), QSize(500, 40)
    short = "playback:///a.edf · no such file · check the path"
    assert shortened(short, metrics, room) == short
    long = f"playback:///{'laboratory/' * 60}a.edf · no such file · check the path"
    shown = shortened(long, metrics, room)
    assert shown.startswith("playback:///")
    assert shown.endswith("a.edf · no such file · check the path")
    banner.setText(shown)
    assert metrics.height() < banner.heightForWidth(room.width()) <= room.height()


@pytest.mark.parametrize("n_chans", [64, 128, 256])
def test_names_beside_many_lanes_stand_alone_and_a_click_on_one_is_of_its_electrode(qtbot, painted, n_chans):
    names = lane_names.LaneNames()
    qtbot.addWidget(names)
    names.resize(names.width(), 266)
    known = list(positions())[:n_chans]
    names.show_electrodes(tuple(ElectrodeView(name, 1.0, "", "bad" if name == known[-2] else "ok") for name in known))
    names.grab()
    texts = painted[names]
    assert known[-2] in [text for text, *_ in texts]
    assert len(texts) >= min(n_chans, 40)
    for (one, a, _), (other, b, _) in combinations(texts, 2):
        assert not over(a, b), (one, "lies over", other)
    with qtbot.waitSignal(names.exclude_requested) as clicked:
        place = next(letters.center() for text, letters, _room in texts if text == known[-2])
        qtbot.mouseClick(names, Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert clicked.args == [known[-2], True]


@pytest.mark.parametrize("code", ["en", "de"])
def test_every_fault_fits_beside_its_lane(qtbot, painted, use_language, code):
    use_language(code)
    names = lane_names.LaneNames()
    qtbot.addWidget(names)
    names.resize(names.width(), 200)
    names.show_electrodes(tuple(ElectrodeView("AF7", 0.0, language._(text), "bad") for text in FAULT_WORDS.values()))
    names.grab()
    texts = painted[names]
    assert len(texts) == 2 * len(FAULT_WORDS)
    for text, letters, room in texts:
        assert letters.width() <= room.width() + SLACK, text
