"""The window in another language: every text goes through the catalogue, and German leaves no English."""

from __future__ import annotations

import gettext
import re

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import EMOTION3, FakeEngine
from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QSettings
from PyQt6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QTabWidget,
    QWidget,
)
from test_texts import Painter, painted  # noqa: F401  # the fixture that remembers painted text

from realtime_mood import language
from realtime_mood.cli.config import RunConfig
from realtime_mood.cli.setups import NamedSetups
from realtime_mood.gui.connect_dialog import ConnectDialog
from realtime_mood.gui.panels import KeysDialog, language_menu
from realtime_mood.gui.settings import SettingsDialog
from realtime_mood.gui.setups import SaveSetupDialog, SetupsDialog
from realtime_mood.gui.showing import use_language as use_remembered
from realtime_mood.gui.tour import TourDialog, steps
from realtime_mood.models.card import shipped
from realtime_mood.types import Marker, StreamInfo

INFO = StreamInfo(("Fp1", "Fp2", "C3", "C4", "O1", "O2"), 128.0, "planted", virtual=True)
SHOWN_AS_IT_IS = re.compile(
    r"weights planted|reader-\d|CPU|GPU \(CUDA\)|: planted|emotion3|key 1|synthetic://\S*|fake://|English|Deutsch|delta|theta|alpha|beta|gamma"
    r"|\b(?:Fp1|Fp2|C3|C4|O1|O2|AF7|AF8|TP9|TP10|V|mV|nV|µV|ms|kΩ|Hz|dB|SD|s|x|Ctrl|Return|C|K|F|R|O|P|S|T|F11)\b"
)


class Marked(gettext.NullTranslations):
    """Brackets around every text that goes through the catalogue, so that all other text stands out."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


def texts_of(top: QWidget) -> set[str]:
    """All that a window shows and all that a screen reader reads, hidden widgets included."""
    found: set[str] = {top.windowTitle()}
    own = [widget for widget in top.findChildren(QWidget) if not widget.objectName().startswith(("qt_", "Scroll"))]
    for widget in (top, *own):
        found |= {widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()}
        found |= {action.text() for action in widget.actions()}
        if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
            found.add(widget.text())
        if isinstance(widget, QLineEdit):
            found.add(widget.placeholderText())
        if isinstance(widget, QComboBox):
            found |= {widget.itemText(i) for i in range(widget.count())}
        if isinstance(widget, QTabWidget):
            found |= {widget.tabText(i) for i in range(widget.count())}
        if isinstance(widget, QDockWidget):
            found.add(widget.windowTitle())
        if isinstance(widget, QMenu):
            found.add(widget.title())
        if isinstance(widget, QListWidget):
            found |= {widget.item(i).text() for i in range(widget.count())}
    return {text for text in found if text}


@pytest.fixture
def everything(qtbot, painted, make_window, monkeypatch, tmp_path):  # noqa: F811
    """The texts of the window during a run, of its dialogs and of the subject view, painted ones included."""
    monkeypatch.setattr("realtime_mood.gui.connect_dialog.devices.streams", lambda _seconds: [])
    monkeypatch.setattr("realtime_mood.gui.connect_dialog.devices.all_boards", list)
    monkeypatch.setattr("realtime_mood.cli.config.user_config_path", lambda _name: tmp_path)

    def collect() -> set[str]:
        engine = FakeEngine(INFO)
        engine.markers = (Marker(0, "neutral"), Marker(640, "positive"), Marker(1000, "key 1"))
        w = make_window(lambda _: engine, "synthetic://?subject=3")
        idle = texts_of(w)
        w.bridge.start()
        qtbot.waitUntil(lambda: w.bars._shown[1] != "" and len(w.bridge.work_ms) > 12)
        w.toggle_subject()
        w.traces.toggle_pause()
        qtbot.waitUntil(lambda: w.subject.bars._shown[0].text != "" and w.events.list.count() > 0)
        w.grab()
        w.subject.grab()
        w.maps.power.click()
        w.grab()
        setups = NamedSetups(RunConfig(), shipped())
        connect = ConnectDialog(w)
        dialogs = (connect, KeysDialog(w), SettingsDialog(w, setups, w.memory), SetupsDialog(w, setups),
                   SaveSetupDialog(w, setups, w.bridge.request), TourDialog(w, steps(w)))  # fmt: skip
        found = idle.union(*map(texts_of, (w, w.subject, *dialogs)))
        found |= {text for texts in Painter.seen.values() for text, *_rest in texts}
        connect.reject()
        return found - {"neutral\npositive\nkey 1"}  # markers are shown as they are recorded

    return collect


def outside(text: str) -> str:
    """What of a text lies outside all brackets and is no name, number or unit."""
    kept, depth = [], 0
    for letter in text:
        depth += letter == "⟦"
        kept.append(" " if depth else letter)
        depth -= letter == "⟧"
    return SHOWN_AS_IT_IS.sub("", "".join(kept))


def test_every_text_of_the_window_goes_through_the_catalogue(everything, monkeypatch):
    monkeypatch.setattr(language, "_translations", [Marked()])
    texts = everything()
    assert len(texts) > 120
    assert not {text for text in texts if re.search(r"[^\W\d_]", outside(text))}


def test_the_german_window_shows_no_english(everything, use_language):
    use_language("de")
    texts = everything()
    words = {word.lower() for text in texts for word in re.findall(r"[^\W\d_]+", text)}
    assert {"schätzung", "aufnehmen", "simuliert", "angenehm", "elektroden"} <= words
    english = {"the", "of", "and", "is", "to", "with", "for", "from", "not", "your", "no", "reading", "run", "stop"}
    assert not words & english
    pieces = {piece for text in texts for piece in re.split(r" · |\n", text)}
    assert not {piece for piece in pieces if language._(piece) != piece}


@pytest.mark.usefixtures("english_errors")
def test_the_language_is_chosen_in_the_menu_and_used_at_the_next_start(
    qapp, qtbot, tmp_path, use_language, monkeypatch
):
    memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    parent = QWidget()
    qtbot.addWidget(parent)
    menu = language_menu(parent, memory)
    assert [(action.text(), action.isChecked()) for action in menu.actions()] == [("English", True), ("Deutsch", False)]
    menu.actions()[1].trigger()
    assert language.current() == "en"
    use_remembered(qapp, memory)
    assert language.current() == "de"
    shipped = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen", shipped
    again = language_menu(parent, memory)
    assert [action.isChecked() for action in again.actions()] == [False, True]
    assert again.title() == "Sprache (ab dem nächsten Start)"
    memory.remove("window/language")
    monkeypatch.setenv("LANGUAGE", "de_CH")
    use_language("en")
    use_remembered(qapp, memory)
    assert language.current() == "de"


def test_labels_of_other_readouts_are_shown_as_they_are(use_language):
    use_language("de")
    assert [language._(label) for label in (*EMOTION3.labels, "drowsy")] == ["negativ", "neutral", "positiv", "drowsy"]
