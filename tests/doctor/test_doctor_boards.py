"""A port that is held, one that may not be opened, a board left open, and Bluetooth that is off are found."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_mood.doctor.boards import bluetooth, brainflow, serial
from realtime_mood.doctor.finding import Level

linux = pytest.mark.skipif(sys.platform != "linux", reason="only there /proc tells who holds a file")
HOLD = 'exec 3<>"$1"; echo held; read line'
BOARD = """
from brainflow.board_shim import BoardIds, BoardShim, BrainFlowInputParams
board = BoardShim(BoardIds.SYNTHETIC_BOARD, BrainFlowInputParams())
board.prepare_session()
print("held", flush=True)
input()
"""


@pytest.fixture
def port():
    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def holding(words):
    """A process that holds something from its first line on, until its input ends."""
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    lines = iter(process.stdout.readline, "")
    assert any(line == "held\n" for line in lines)
    return process


@linux
def test_a_port_that_is_held_is_named_with_its_holder(port):
    assert serial([port])[0].level == Level.OK
    with holding(["sh", "-c", HOLD, "sh", port]) as process:
        (found,) = serial([port])
        process.communicate("")
    assert found.level == Level.WARNING
    assert found.found == f"{port} is held by sh (process {process.pid})"
    assert serial([port])[0].level == Level.OK


ASK = """
import getpass, grp, os, pwd, sys
from realtime_mood.doctor.boards import serial
if os.geteuid() == 0:  # a superuser may open every port
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
(found,) = serial(sys.argv[1:])
print(found.level.name, found.found, found.do, sep="\\n")
"""


@linux
def test_a_port_without_permission_is_named_with_the_line_that_gives_it(port):
    Path(port).chmod(0)
    told = subprocess.run([sys.executable, "-c", ASK, port], capture_output=True, text=True, check=True)
    level, found, do = told.stdout.splitlines()
    assert level == "WARNING"
    assert found.startswith(f"{port}: you may not open it")
    assert do.startswith(("sudo usermod -aG ", "sudo chmod a+rw ", "log out"))


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_what_other_systems_do_not_tell_is_said(port, tmp_path, system):
    (found,) = serial([port], tmp_path, system)
    assert (found.level, "not checked on this system" in found.found) == (Level.NOT_CHECKED, True)
    (found,) = brainflow(tmp_path, lambda *_, **__: "5", lambda _: True, system)
    assert (found.level, "not checked on this system" in found.found) == (Level.NOT_CHECKED, True)


def process_of(proc: Path, number: int, name: str, holds: str = "") -> None:
    """Plant a process."""
    (proc / str(number) / "fd").mkdir(parents=True)
    (proc / str(number) / "comm").write_text(f"{name}\n")
    if holds:
        (proc / str(number) / "fd" / "3").symlink_to(holds)


def test_modem_manager_is_told_to_stop(port, tmp_path):
    process_of(tmp_path, 12, "ModemManager", port)
    assert serial([port], tmp_path)[0].do.startswith("sudo systemctl disable --now ModemManager")


def test_brltty_takes_ports_away(tmp_path):
    assert serial([], tmp_path)[0].level == Level.OK
    process_of(tmp_path, 12, "brltty")
    (found,) = serial([], tmp_path)
    assert (found.level, found.do[:22]) == (Level.WARNING, "sudo apt remove brltty")


@linux
def test_a_session_left_open_by_another_program_is_named():
    pytest.importorskip("brainflow")
    with holding([sys.executable, "-W", "ignore", "-c", BOARD]) as process:
        (found,) = brainflow(call=lambda *_, **__: "5")
        process.communicate("\n")
    assert found.level == Level.WARNING
    assert f"(process {process.pid})" in found.found


def test_without_brainflow_nothing_is_wrong():
    assert brainflow(find=lambda _: None)[0].level == Level.OK


def planted(folder: Path, **values: str) -> None:
    folder.mkdir(parents=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")


@pytest.mark.parametrize(("switch", "shown", "level", "do"), [
    ({"soft": "0", "hard": "0"}, "\tPowered: yes\n", Level.OK, ""),
    ({"soft": "1", "hard": "0"}, "\tPowered: no\n", Level.WARNING, "rfkill unblock bluetooth"),
    ({"soft": "0", "hard": "1"}, "\tPowered: no\n", Level.WARNING, "press it"),
    ({"soft": "0", "hard": "0"}, "\tPowered: no\n", Level.WARNING, "bluetoothctl power on"),
    ({"soft": "0", "hard": "0"}, None, Level.WARNING, "sudo apt install bluez && sudo systemctl start bluetooth"),
])  # fmt: skip
def test_bluetooth_that_is_off_is_told_how_to_be_on(tmp_path, switch, shown, level, do):
    (tmp_path / "bluetooth" / "hci0").mkdir(parents=True)
    planted(tmp_path / "rfkill" / "rfkill0", type="wlan", soft="1", hard="1")
    planted(tmp_path / "rfkill" / "rfkill1", type="bluetooth", **switch)
    (found,) = bluetooth(tmp_path, lambda: shown, "linux")
    assert (found.level, found.do) == (level, do)


def test_bluetooth_that_may_sleep_or_is_missing_is_said(tmp_path):
    assert "no Bluetooth adapter" in bluetooth(tmp_path, system="linux")[0].found
    planted(tmp_path / "usb" / "power", control="auto")
    (tmp_path / "usb" / "interface").mkdir()
    (tmp_path / "bluetooth" / "hci0").mkdir(parents=True)
    (tmp_path / "bluetooth" / "hci0" / "device").symlink_to(tmp_path / "usb" / "interface")
    assert "may sleep" in bluetooth(tmp_path, lambda: "Powered: yes", "linux")[0].found
    assert bluetooth(tmp_path, system="darwin")[0].level == Level.NOT_CHECKED
