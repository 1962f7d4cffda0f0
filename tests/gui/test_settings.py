"""The settings of the window: shown, changed, remembered, and weaker than everything else that gives an option."""

from __future__ import annotations

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from PyQt6.QtCore import Qt

from realtime_mood.cli import config
from realtime_mood.cli.config import RunConfig, resolve
from realtime_mood.cli.setups import SETTINGS, NamedSetups, settings_file
from realtime_mood.gui.settings import LABELS, SettingsDialog
from realtime_mood.models.card import shipped


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "user_config_path", lambda _name: tmp_path / "own")
    monkeypatch.chdir(tmp_path)


def test_what_is_chosen_is_used_from_the_next_run_on_and_remembered(qtbot, make_window, info):
    setups = NamedSetups(RunConfig(weights="own-folder"), shipped())
    w = make_window(lambda _: FakeEngine(info), "synthetic://", setups=setups)
    next(action for action in w.top.views.menu().actions() if action.text() == "Settings…").trigger()
    dialog = w.findChild(SettingsDialog)
    assert dialog.boxes.keys() == LABELS.keys() == set(SETTINGS)
    values = [dialog.boxes["weights"].itemText(i) for i in range(dialog.boxes["weights"].count())]
    assert values == [*shipped(), "own-folder"]
    assert dialog.boxes["weights"].currentText() == "own-folder"
    dialog.boxes["notch"].setCurrentText("60 Hz")
    dialog.boxes["device"].setCurrentText("CPU")
    dialog.language.setCurrentText("Deutsch")
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert (setups.config.notch, setups.config.device, setups.config.weights) == ("60", "cpu", "own-folder")
    assert settings_file().read_text() == 'device = "cpu"\nnotch = "60"\n'
    assert w.memory.value("window/language") == "de"
    assert NamedSetups(RunConfig()).settings["notch"] == "60"


def test_options_given_elsewhere_take_precedence(tmp_path):
    NamedSetups(RunConfig()).change({"notch": "60", "device": "cpu"})
    (tmp_path / "own" / "config.toml").write_text('device = "cuda"\n')
    made = NamedSetups(resolve({"notch": "auto"}, environment={})).settings
    assert (made["notch"], made["device"]) == ("auto", "cuda")


@pytest.mark.parametrize("text", ["notch = ", 'notch = "55"', b"\xff"])
def test_a_damaged_file_of_settings_is_ignored(text):
    NamedSetups(RunConfig()).change({"notch": "60"})
    settings_file().write_bytes(text if isinstance(text, bytes) else text.encode())
    assert NamedSetups(RunConfig()).settings["notch"] == "auto"


def test_settings_that_cannot_be_kept_are_said(qtbot, make_window, info, tmp_path):
    (tmp_path / "own").write_text("a file")
    w = make_window(lambda _: FakeEngine(info), "synthetic://")
    dialog = SettingsDialog(w, NamedSetups(RunConfig(), shipped()), w.memory)
    dialog.boxes["notch"].setCurrentText("60 Hz")
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert "could not be saved" in dialog.message.text()
    dialog.reject()
