"""Checks of what boards need: serial ports, the BrainFlow library and who uses it, Bluetooth."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import install_extra
from ..language import Phrase
from ..sources.boards.session import library
from ..sources.devices import serial_ports
from .finding import NOT_HERE, Finding, Level
from .processes import PROC, holding, read, running, using
from .running import ChildFailed, in_child

IN_USE = "libBoardController"  # BrainFlow's library, as a process has it in its memory map
SHOW_S = 5.0
CLOSE_OTHERS = Phrase("if a board does not open, close other programs that use boards first")


def serial(ports: Sequence[str] | None = None, proc: Path = PROC, system: str = sys.platform) -> list[Finding]:
    """Whether the serial ports may be opened, and which process has one open."""
    ports = serial_ports() if ports is None else ports
    if not ports:
        if running("brltty", proc):
            found = Phrase("no device on a serial port; brltty runs, which takes boards for Braille displays")
            do = Phrase("sudo apt remove brltty (if you use no Braille display), then plug the board in again")
            return [Finding("serial ports", Level.WARNING, found, do)]
        return [Finding("serial ports", Level.OK, Phrase("no device on a serial port"))]
    findings = []
    private = tuple(("port", port) for port in ports if "usbserial" in port)  # macOS puts the serial number there
    for port in ports:
        if system != "win32" and not os.access(port, os.R_OK | os.W_OK):
            findings.append(Finding("serial ports", Level.WARNING, *_no_permission(port), private))
        elif holders := holding(port, proc):
            do = Phrase("close that program")
            if any(name.startswith("ModemManager") for name in holders):
                do = Phrase("sudo systemctl disable --now ModemManager (it takes boards for modems)")
            found = Phrase("{port} is held by {programs}", port=port, programs=holders)
            findings.append(Finding("serial ports", Level.WARNING, found, do, private))
    if not findings and system != "linux":
        found = Phrase("{ports}; whether another program holds one is not checked on this system", ports=[*ports])
        return [Finding("serial ports", Level.NOT_CHECKED, found, CLOSE_OTHERS, private)]
    return findings or [
        Finding("serial ports", Level.OK, Phrase("{ports}: may be opened", ports=[*ports]), private=private)
    ]


def brainflow(
    proc: Path = PROC, call: Callable[..., Any] = in_child, find: Callable[[str], Any] = find_spec,
    system: str = sys.platform,
) -> list[Finding]:  # fmt: skip
    """Whether the BrainFlow library loads, and which other processes have it loaded: they may hold a board."""
    if find("brainflow") is None:
        found = Phrase("BrainFlow is not installed; boards need it")
        return [Finding("brainflow", Level.OK, found, install_extra("brainflow"))]
    try:
        version = call("realtime_mood.doctor.boards:version", deadline_s=15.0)
    except ChildFailed as error:
        do = "pip install --force-reinstall brainflow 'setuptools<82'"
        return [Finding("brainflow", Level.WARNING, Phrase("BrainFlow cannot be loaded: {why}", why=error.why), do)]
    if names := using(IN_USE, proc):
        found = Phrase("BrainFlow is in use by other programs, which may hold a board: {programs}", programs=names)
        return [Finding("brainflow", Level.WARNING, found, CLOSE_OTHERS)]
    if system != "linux":
        found = Phrase("BrainFlow {version} loads; whether another program uses it is not checked on this system",
                       version=version)  # fmt: skip
        return [Finding("brainflow", Level.NOT_CHECKED, found, CLOSE_OTHERS)]
    found = Phrase("BrainFlow {version} loads, and no other program uses it", version=version)
    return [Finding("brainflow", Level.OK, found)]


def version() -> str:
    """The version of the BrainFlow library; called in a child process."""
    return str(library().BoardShim.get_version())


def bluetooth(
    classes: Path = Path("/sys/class"), show: Callable[[], str | None] | None = None, system: str = sys.platform
) -> list[Finding]:
    """Whether there is a Bluetooth adapter, and it is on; `show` returns the text of ``bluetoothctl show``, if any."""
    if system != "linux":
        do = Phrase("for a headset by Bluetooth: see that Bluetooth is on, in the system's settings")
        return [Finding("bluetooth", Level.NOT_CHECKED, NOT_HERE, do)]
    adapters = sorted(path.name for path in (classes / "bluetooth").glob("hci*") if ":" not in path.name)
    if not adapters:
        return [Finding("bluetooth", Level.OK, Phrase("no Bluetooth adapter; only headsets by Bluetooth need one"))]
    for switch in sorted((classes / "rfkill").glob("rfkill*")):
        if read(switch / "type") == "bluetooth":
            if read(switch / "hard") == "1":
                found, do = Phrase("Bluetooth is off by a switch or a key of the computer"), Phrase("press it")
                return [Finding("bluetooth", Level.WARNING, found, do)]
            if read(switch / "soft") == "1":
                return [Finding("bluetooth", Level.WARNING, Phrase("Bluetooth is blocked"), "rfkill unblock bluetooth")]
    shown = (show or _show)()
    if shown is None:
        found = Phrase("BlueZ, the system's service of Bluetooth, is not installed, or does not answer")
        line = "sudo apt install bluez && sudo systemctl start bluetooth"
        return [Finding("bluetooth", Level.WARNING, found, line)]
    if "Powered: yes" not in shown:
        return [Finding("bluetooth", Level.WARNING, Phrase("the Bluetooth adapter is off"), "bluetoothctl power on")]
    sleeps = any(read(classes / "bluetooth" / name / "device/../power/control") == "auto" for name in adapters)
    found = Phrase("{adapters} is on", adapters=adapters)
    if sleeps:
        found = Phrase("{adapters} is on; it may sleep when idle (USB autosuspend)", adapters=adapters)
    return [Finding("bluetooth", Level.OK, found)]


def _no_permission(port: str) -> tuple[str, str]:
    """What is missing, and the command that gives it."""
    import grp  # not on Windows, where everybody may open a port

    group = Path(port).stat().st_gid
    known = None
    with suppress(KeyError):
        known = grp.getgrgid(group)
    if known is None or known.gr_name == "root":
        do = Phrase("sudo chmod a+rw {port} (until it is plugged in again)", port=port)
        return Phrase("{port}: you may not open it", port=port), do
    about = {"port": port, "group": known.gr_name}
    if getpass.getuser() in known.gr_mem and group not in os.getgroups():
        found = Phrase("{port}: you may not open it yet; you joined its group, {group}, after logging in", **about)
        return found, Phrase("log out and in again")
    found = Phrase("{port}: you may not open it; it is for the group {group}", **about)
    return found, Phrase("sudo usermod -aG {group} $USER, then log out and in again", **about)


def _show() -> str | None:
    tool = shutil.which("bluetoothctl")
    if tool is None:
        return None
    try:
        return subprocess.run([tool, "show"], capture_output=True, text=True, timeout=SHOW_S).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
