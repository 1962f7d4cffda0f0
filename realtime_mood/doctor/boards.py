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
from ..sources.boards.session import library
from ..sources.devices import serial_ports
from .finding import Finding, Level
from .processes import PROC, holding, read, running, using
from .running import ChildFailed, in_child

IN_USE = "libBoardController"  # BrainFlow's library, as a process has it in its memory map
SHOW_S = 5.0


def serial(ports: Sequence[str] | None = None, proc: Path = PROC, system: str = sys.platform) -> list[Finding]:
    """Whether the serial ports may be opened, and which process has one open."""
    ports = serial_ports() if ports is None else ports
    if not ports:
        if running("brltty", proc):
            do = "sudo apt remove brltty (if you use no Braille display), then plug the board in again"
            return [Finding("serial ports", Level.WARNING, "none; brltty runs, which takes them from boards", do)]
        return [Finding("serial ports", Level.OK, "no device on a serial port")]
    findings = []
    private = tuple(("port", port) for port in ports if "usbserial" in port)  # macOS puts the serial number there
    for port in ports:
        if system != "win32" and not os.access(port, os.R_OK | os.W_OK):
            findings.append(Finding("serial ports", Level.WARNING, *_no_permission(port), private))
        elif holders := holding(port, proc):
            do = "close that program"
            if any(name.startswith("ModemManager") for name in holders):
                do = "sudo systemctl disable --now ModemManager: it takes boards for modems"
            found = f"{port} is held by {' and '.join(holders)}"
            findings.append(Finding("serial ports", Level.WARNING, found, do, private))
    if not findings and system != "linux":
        found = f"{', '.join(ports)}; whether another program holds one is not checked on this system"
        do = "if a board does not open, close every other program that uses it"
        return [Finding("serial ports", Level.NOT_CHECKED, found, do, private)]
    return findings or [Finding("serial ports", Level.OK, f"{', '.join(ports)}: may be opened", private=private)]


def brainflow(
    proc: Path = PROC, call: Callable[..., Any] = in_child, find: Callable[[str], Any] = find_spec,
    system: str = sys.platform,
) -> list[Finding]:  # fmt: skip
    """Whether the BrainFlow library loads, and which other processes have it loaded: they may hold a board."""
    if find("brainflow") is None:
        return [Finding("brainflow", Level.OK, "not installed; for boards:", install_extra("brainflow"))]
    try:
        version = call("realtime_mood.doctor.boards:version", deadline_s=15.0)
    except ChildFailed as error:
        do = "pip install --force-reinstall brainflow 'setuptools<82'"
        return [Finding("brainflow", Level.WARNING, f"BrainFlow cannot be loaded: {error}", do)]
    if names := using(IN_USE, proc):
        found = f"BrainFlow is in use by {' and '.join(names)}, which may hold a board"
        return [Finding("brainflow", Level.WARNING, found, "if a board does not open, close that program first")]
    if system != "linux":
        found = f"BrainFlow {version} loads; whether another program uses it is not checked on this system"
        return [Finding("brainflow", Level.NOT_CHECKED, found, "if a board does not open, close other programs first")]
    return [Finding("brainflow", Level.OK, f"BrainFlow {version} loads, and no other program uses it")]


def version() -> str:
    """The version of the BrainFlow library; called in a child process."""
    return str(library().BoardShim.get_version())


def bluetooth(
    classes: Path = Path("/sys/class"), show: Callable[[], str | None] | None = None, system: str = sys.platform
) -> list[Finding]:
    """Whether there is a Bluetooth adapter, and it is on; `show` returns the text of ``bluetoothctl show``, if any."""
    if system != "linux":
        return [Finding("bluetooth", Level.NOT_CHECKED, "not checked on this system", "see that Bluetooth is on")]
    adapters = sorted(path.name for path in (classes / "bluetooth").glob("hci*") if ":" not in path.name)
    if not adapters:
        return [Finding("bluetooth", Level.OK, "no Bluetooth adapter: needed for a Muse, a Ganglion and the like only")]
    for switch in sorted((classes / "rfkill").glob("rfkill*")):
        if read(switch / "type") == "bluetooth":
            if read(switch / "hard") == "1":
                found, do = "a switch or a key of the computer has Bluetooth off", "press it"
                return [Finding("bluetooth", Level.WARNING, found, do)]
            if read(switch / "soft") == "1":
                return [Finding("bluetooth", Level.WARNING, "Bluetooth is blocked", "rfkill unblock bluetooth")]
    shown = (show or _show)()
    if shown is None:
        found, do = "BlueZ is not installed, or does not answer", "sudo apt install bluez, then start it"
        return [Finding("bluetooth", Level.WARNING, found, do)]
    if "Powered: yes" not in shown:
        return [Finding("bluetooth", Level.WARNING, "the Bluetooth adapter is off", "bluetoothctl power on")]
    sleeps = any(read(classes / "bluetooth" / name / "device/../power/control") == "auto" for name in adapters)
    may_sleep = "; it may sleep when idle (USB autosuspend)" if sleeps else ""
    return [Finding("bluetooth", Level.OK, f"{', '.join(adapters)} is on{may_sleep}")]


def _no_permission(port: str) -> tuple[str, str]:
    """What is missing, and the command that gives it."""
    import grp  # not on Windows, where everybody may open a port

    group = Path(port).stat().st_gid
    known = None
    with suppress(KeyError):
        known = grp.getgrgid(group)
    if known is None or known.gr_name == "root":
        return f"{port}: no permission", f"sudo chmod a+rw {port} (until it is plugged in again)"
    found = f"{port}: no permission; it is for the group {known.gr_name}"
    if getpass.getuser() in known.gr_mem and group not in os.getgroups():
        return f"{found}, which you joined after logging in", "log out and in again"
    return found, f"sudo usermod -aG {known.gr_name} $USER, then log out and in again"


def _show() -> str | None:
    tool = shutil.which("bluetoothctl")
    if tool is None:
        return None
    try:
        return subprocess.run([tool, "show"], capture_output=True, text=True, timeout=SHOW_S).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
