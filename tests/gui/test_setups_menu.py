"""The user's setups in the window: the menu beside Connect, the entries of the dialog, and saving one."""

from __future__ import annotations

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from PyQt6.QtCore import Qt
from test_connect_dialog import Nobody

from realtime_mood.cli import config
from realtime_mood.cli.config import RunConfig
from realtime_mood.cli.setups import NamedSetups
from realtime_mood.gui import RunRequest, connect_dialog
from realtime_mood.gui.setups import SaveSetupDialog, SetupsDialog

CYTON = "brainflow://cyton?serial_port=/dev/ttyUSB0"


@pytest.fixture
def window(make_window, info, tmp_path, monkeypatch):
    """A window with the setup Lab, the last used source CYTON, and what its runs were made of."""
    monkeypatch.setattr(config, "user_config_path", lambda _name: tmp_path)
    monkeypatch.setattr(connect_dialog, "Finder", Nobody)
    NamedSetups(RunConfig(weights="reader-4", notch="60")).save("Lab", RunRequest("lsl://Cap", also=("lsl://Gaze",)))
    setups, started = NamedSetups(RunConfig()), []
    setups.remember(RunRequest(CYTON))
    w = make_window(lambda request: started.append(request) or FakeEngine(info), "synthetic://", setups=setups)
    w.started = started
    return w


def entries(menu) -> list[str]:
    menu.fill()
    return [action.text() for action in menu.actions()]


def test_one_click_starts_a_setup_with_its_options(qtbot, window):
    menu = window.top.connect_.menu()
    own = ["Save as setup…", "Rename or delete setups…"]
    assert entries(menu) == [f"Last used · {CYTON}", "Lab · lsl://Cap", "", *own]
    menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: len(window.started) == 1)
    assert window.started[0] == RunRequest("lsl://Cap", also=("lsl://Gaze",))
    assert window.flows.setups.config.notch == "60"
    assert window.top.url.text() == "lsl://Cap"
    qtbot.waitUntil(lambda: "reader-4" in window.banner._readout.text())


def test_connect_offers_the_last_source_first_and_starts_it_unchanged(qtbot, window):
    window.sources.open()
    dialog = window.sources.dialog
    assert [choice.title for choice in dialog._choices[:3]] == ["Last used", "Lab", dialog._choices[2].title]
    assert dialog.url.text() == CYTON
    assert dialog.preview._peek is None  # a board is not opened for a preview
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.started) == 1)
    assert window.started[0].url == CYTON


def test_a_setup_that_was_edited_is_started_as_edited(qtbot, window):
    window.sources.open()
    dialog = window.sources.dialog
    dialog.url.setText("synthetic://?n_chans=8")
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.started) == 1)
    assert window.started[0].url == "synthetic://?n_chans=8"
    assert window.flows.setups.config.notch == "auto"


def test_what_is_in_use_is_saved_under_a_name(qtbot, window):
    window.sources.menu.save()
    dialog = window.findChild(SaveSetupDialog)
    assert not dialog.save.isEnabled()
    qtbot.keyClicks(dialog.name, "Lab")
    assert "replaces" in dialog.message.text()
    dialog.name.setText("a/b")
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert "not a name" in dialog.message.text()
    dialog.name.setText("Home")
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert "Home · synthetic://" in entries(window.sources.menu)


def test_a_setup_that_cannot_be_read_changes_nothing_and_says_why(qtbot, window):
    (config.setup_folder() / "Lab.toml").write_text('notch = "55"')
    window.sources.menu.use("Lab")
    assert "notch" in window.bridge._notice[0].text
    assert not window.started
    assert window.flows.setups.config == RunConfig()


def test_setups_are_renamed_and_deleted_in_a_dialog_also_one_that_cannot_be_read(qtbot, window):
    (config.setup_folder() / "Old.toml").write_text('notch = "55"')
    window.sources.menu.manage()
    dialog = window.findChild(SetupsDialog)

    def shown() -> list[str]:
        return [dialog.list.item(at).text() for at in range(dialog.list.count())]

    assert shown()[:2] == [f"Last used\n{CYTON}", "Lab\nlsl://Cap"]
    assert "notch" in shown()[2]
    assert not dialog.name.isEnabled()  # the last used one keeps its name
    dialog.list.setCurrentRow(1)
    dialog.name.setText("Old")
    qtbot.mouseClick(dialog.rename, Qt.MouseButton.LeftButton)
    assert "there is one of that name" in dialog.message.text()
    dialog.name.setText("Laboratory")
    qtbot.mouseClick(dialog.rename, Qt.MouseButton.LeftButton)
    assert (shown()[1], dialog.chosen) == ("Laboratory\nlsl://Cap", "Laboratory")
    for _setup in range(3):
        qtbot.mouseClick(dialog.delete, Qt.MouseButton.LeftButton)
    assert len(shown()) == 1
    assert not dialog.delete.isEnabled()
    qtbot.mouseClick(dialog.undo, Qt.MouseButton.LeftButton)
    assert not dialog.undo.isVisible()
    assert [path.name for path in config.setup_folder().iterdir()] == [f"{dialog.chosen}.toml"]
