"""The form of a board in Connect makes the URL, and the URL fills the form."""

from __future__ import annotations

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
pytest.importorskip("brainflow", reason="the library of boards is not installed")

from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtWidgets import QWidget
from test_connect_dialog import Nobody, dialog  # noqa: F401  # the fixture of the dialog

from realtime_mood.gui.board_form import BoardForm, ChoiceField
from realtime_mood.gui.labels import Form
from realtime_mood.plugins import split
from realtime_mood.sources import devices, open_source
from realtime_mood.sources.boards import catalogue
from realtime_mood.sources.boards.session import library
from realtime_mood.sources.devices import Device
from realtime_mood.viewmodel.board_form import LABELS, fields_of, filled, without_examples
from realtime_mood.viewmodel.connect import choice_of

CYTON = Device("board", "Cyton", "brainflow://cyton?serial_port=/dev/ttyUSB0", (), 8, 250.0)
MUSE = Device("board", "Muse2", "brainflow://muse_2", (), 4, 256.0)
EXPLORE = Device(
    "board", "Explore", "brainflow://explore_4_chan?mac_address=XX:XX:XX:XX:XX:XX&channels=…", (), 4, 250.0
)


@pytest.fixture
def ports(monkeypatch):
    there = []
    monkeypatch.setattr(devices, "serial_ports", lambda: list(there))
    return there


def choose(dialog, device) -> None:  # noqa: F811
    dialog._devices((CYTON, MUSE, EXPLORE))
    dialog.list.setCurrentRow(dialog._choices.index(choice_of(device)))


def test_a_cyton_asks_for_its_port_and_lists_those_present(ports, dialog):  # noqa: F811
    choose(dialog, CYTON)
    assert list(dialog.board.edits) == ["serial_port"]
    assert dialog.url.text() == "brainflow://cyton"  # the example is no port of this computer
    assert not dialog.start.isEnabled()
    assert dialog.message.text() == "Fill in: Serial port"
    ports += ["/dev/ttyUSB1", "/dev/ttyACM0"]
    box = dialog.findChild(ChoiceField)
    box.showPopup()
    assert [box.itemText(i) for i in range(box.count())] == ports
    box.hidePopup()
    box.setCurrentText("/dev/ttyUSB1")
    assert dialog.wanted_url == "brainflow://cyton?serial_port=/dev/ttyUSB1"
    assert dialog.start.isEnabled()


def test_a_port_that_is_present_is_filled_in(ports, dialog):  # noqa: F811
    ports.append("/dev/ttyUSB0")
    choose(dialog, CYTON)
    assert dialog.board.edits["serial_port"].text() == "/dev/ttyUSB0"
    assert dialog.start.isEnabled()


def test_fields_follow_the_board_and_the_url_that_is_typed(qtbot, ports, dialog):  # noqa: F811
    choose(dialog, EXPLORE)
    assert list(dialog.board.edits) == ["mac_address"]
    qtbot.keyClicks(dialog.board.edits["mac_address"], "00:13:43:A1:84:FC")
    dialog.names.setText("Fp1, Fp2, C3, C4")
    assert dialog.wanted_url == "brainflow://explore_4_chan?channels=Fp1,Fp2,C3,C4&mac_address=00:13:43:A1:84:FC"
    assert dialog.units.nextInFocusChain() is dialog.board.edits["mac_address"]
    choose(dialog, MUSE)
    assert list(dialog.board.edits) == ["mac_address", "serial_number"]
    assert dialog.start.isEnabled()  # both are found by the library
    dialog.url.setText("brainflow://muse_2?serial_number=Muse-5B3F&timeout=30")
    assert dialog.board.edits["serial_number"].text() == "Muse-5B3F"
    dialog.board.edits["serial_number"].setText("")
    assert dialog.url.text() == "brainflow://muse_2?timeout=30"
    dialog.url.setText("synthetic://")
    assert not dialog.board.edits
    assert dialog.form.rowCount() == 3


@given(st.dictionaries(st.sampled_from(sorted(LABELS)), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)))
def test_what_is_filled_in_is_what_the_source_gets(values):
    url = filled("brainflow://x?channels=…&timeout=5", values)
    read = {key: value for key, value in split(url)[2].items() if key in LABELS}
    assert read == {key: value.strip() for key, value in values.items() if value.strip()}
    assert "channels=…&timeout=5" in url
    assert filled(url, dict.fromkeys(values, "")) == "brainflow://x?channels=…&timeout=5"


def test_every_board_of_the_library_can_be_filled_in(monkeypatch):
    values = {"serial_port": "/dev/ttyUSB7", "mac_address": "00:55:DA:B9:1C:0E", "ip_address": "192.168.4.1",
              "ip_port": "6677", "serial_number": "x", "file": "/tmp/a b.csv", "master_board": "cyton"}  # fmt: skip
    assert {*catalogue.NEEDS, *catalogue.MAY} <= catalogue.names(library().BoardIds).keys()
    for board in devices.all_boards():
        url = without_examples(board.url, ())
        needed = {field.key: values[field.key] for field in fields_of(url) if field.is_required}
        source = open_source(filled(url, needed))
        assert all(str(getattr(source.options, key)) == value for key, value in needed.items())


def test_data_of_another_board_can_be_of_any_that_records(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    rows = Form(window)
    form = BoardForm(rows)
    form.show_url("brainflow://playback_file?master_board=cyton")
    assert list(form.edits) == ["file", "master_board"]
    names = devices.board_names()
    assert {"cyton", "muse_2", "synthetic"} <= set(names)
    assert not {"playback_file", "streaming"} & set(names)
