"""Text from files and networks is shown as it is: never rendered as HTML, never taken for terminal control codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QPushButton

import realtime_mood.calibration.view
import realtime_mood.gui
from realtime_mood.errors import SourceNotFound
from realtime_mood.gui.labels import plain_tip, set_tip

HOSTILE = "<h1>Signal is fine</h1>\n<img src='file:///etc/hostname'>"


def test_every_label_of_the_window_shows_a_hostile_name_as_it_is(qtbot, make_window):
    def refuse(request):
        raise SourceNotFound(f"lsl://{HOSTILE}", f"{HOSTILE} answers")

    w = make_window(refuse, "fake://")
    w.bridge.start()
    qtbot.waitUntil(lambda: "Signal is fine" in w.banner.banner.text())
    labels = [label for top in (w, w.subject) for label in top.findChildren(QLabel)]
    assert len(labels) > 20
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}


def test_a_tooltip_shows_a_hostile_name_as_it_is(qtbot):
    button = QPushButton()
    qtbot.addWidget(button)
    set_tip(button, HOSTILE)
    assert button.toolTip().startswith("<qt>&lt;h1&gt;Signal is fine&lt;/h1&gt;<br>&lt;img")
    assert plain_tip("End the run") == "End the run"


def test_labels_and_tooltips_are_made_in_one_place():
    """Qt guesses whether a text is HTML wherever it is not told: so nobody calls it directly."""
    folders = (Path(realtime_mood.gui.__file__).parent, Path(realtime_mood.calibration.view.__file__).parent)
    direct = re.compile(r"\bQLabel\(|\.setToolTip\(|QToolTip\.showText\(")
    found = {path.name for folder in folders for path in folder.glob("**/*.py") if direct.search(path.read_text())}
    assert found == {"labels.py"}


def test_a_message_keeps_to_its_line_and_writes_no_control_codes():
    said = str(SourceNotFound("lsl://a\x1b[2J\u202eb\r\nc", "µV, 日本", "é"))
    assert said == r"lsl://a\x1b[2J\u202eb c · µV, 日本 · é"
