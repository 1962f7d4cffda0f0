"""The settings of the window: shown, changed, remembered, and weaker than everything else that gives an option."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from gui_fakes import FakeEngine
from PyQt6.QtCore import QRect, QSettings, Qt

from realtime_mood import liblsl
from realtime_mood.cli import config
from realtime_mood.cli.config import RunConfig, resolve
from realtime_mood.cli.parts import outputs_of
from realtime_mood.cli.setups import SETTINGS, NamedSetups, settings_file
from realtime_mood.gui import RunRequest
from realtime_mood.gui.settings import LABELS, SettingsDialog
from realtime_mood.gui.showing import application
from realtime_mood.models.card import shipped


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "user_config_path", lambda _name: tmp_path / "own")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def screen(monkeypatch):
    """A screen of 1400 x 900 px."""
    there = SimpleNamespace(availableGeometry=lambda: QRect(0, 0, 1400, 900))
    monkeypatch.setattr(SettingsDialog, "screen", lambda _self: there)


@pytest.mark.usefixtures("screen")
def test_what_is_chosen_is_used_from_the_next_run_on_and_remembered(qtbot, make_window, info):
    setups = NamedSetups(RunConfig(weights="own-folder"), shipped())
    w = make_window(lambda _: FakeEngine(info), "synthetic://", setups=setups)
    next(action for action in w.top.views.menu().actions() if action.text() == "Settings…").trigger()
    dialog = w.findChild(SettingsDialog)
    assert dialog.chosen.keys() == LABELS.keys() == set(SETTINGS)
    values = [dialog.boxes["weights"].itemText(i) for i in range(dialog.boxes["weights"].count())]
    assert values == [*shipped(), "own-folder"]
    assert dialog.boxes["weights"].currentText() == "own-folder"
    sizes = [dialog.text_size.itemText(i) for i in range(dialog.text_size.count())]
    assert sizes == ["100 %", "125 %"]  # at 150 %, the window would not fit
    dialog.boxes["notch"].setCurrentText("60 Hz")
    dialog.boxes["device"].setCurrentText("CPU")
    dialog.language.setCurrentText("Deutsch")
    dialog.text_size.setCurrentText("125 %")
    dialog.addresses["osc"].setText("127.0.0.1:9000")
    dialog.addresses["ws"].setText(" 8765 ")
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert (setups.config.notch, setups.config.device, setups.config.weights) == ("60", "cpu", "own-folder")
    assert settings_file().read_text() == 'device = "cpu"\nnotch = "60"\nosc = "127.0.0.1:9000"\nws = "8765"\n'
    assert (w.memory.value("window/language"), w.memory.value("window/size")) == ("de", "125")
    assert NamedSetups(RunConfig()).settings["notch"] == "60"


def test_what_would_leave_this_computer_is_said_before_it_is_saved(qtbot, make_window, info, monkeypatch):
    monkeypatch.setattr(liblsl, "_scope", ["loopback"])
    monkeypatch.setattr(liblsl, "own_configuration", lambda: None)
    w = make_window(lambda _: FakeEngine(info), "synthetic://")
    setups = NamedSetups(RunConfig(), shipped())
    dialog = SettingsDialog(w, setups, w.memory)
    dialog.lsl.setChecked(True)
    dialog.addresses["ws"].setText("8765")
    assert not dialog.warning.text()
    dialog.addresses["osc"].setText("192.0.2.7:9000")
    assert dialog.warning.text() == "Other computers can receive readings: --osc 192.0.2.7:9000"
    dialog.addresses["osc"].setText("everywhere")
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert "not an address" in dialog.message.text()
    assert not settings_file().exists()
    dialog.addresses["osc"].clear()
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert (setups.config.lsl_out, setups.config.ws) == (True, "8765")
    again = NamedSetups(RunConfig())
    again.change({"lsl_out": False, "ws": ""})
    assert not outputs_of(NamedSetups(RunConfig()).config)


def test_a_setup_keeps_what_it_was_saved_with_whatever_the_settings_are():
    setups = NamedSetups(RunConfig())
    setups.change({"notch": "60", "ws": "8765"})
    setups.change({"notch": "auto"})
    setups.save("Lab", RunRequest("lsl://Cap"))
    setups.change({"notch": "50", "ws": ""})
    setups.use("Lab")
    assert (setups.config.notch, setups.config.ws) == ("auto", "8765")


@pytest.mark.parametrize(("size", "factor"), [("150", "1.5"), ("100", None), ("huge", None), (None, None)])
def test_the_chosen_size_is_that_of_the_program(qtbot, tmp_path, monkeypatch, size, factor):
    monkeypatch.setenv("QT_SCALE_FACTOR", "1")  # so that it is restored
    monkeypatch.delenv("QT_SCALE_FACTOR")
    memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    memory.setValue("window/size", size)
    application(memory)
    assert os.environ.get("QT_SCALE_FACTOR") == factor


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
