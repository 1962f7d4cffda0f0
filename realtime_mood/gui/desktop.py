"""Checks whether a window can be opened: the display, and the system libraries that Qt needs.

Checked before Qt is imported, since Qt aborts the program if something is missing.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import socket
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import install_extra
from ..language import Phrase

Load = Callable[[str], Any]

LIBRARIES: dict[str, dict[str, str]] = tomllib.loads((Path(__file__).parent / "libraries.toml").read_text("utf8"))
"""Common libraries and those of each platform: the library, and its package on Fedora."""


def trouble(environment: Mapping[str, str] = os.environ, load: Load = ctypes.CDLL) -> str:
    """Why no window can be opened, and what to do; empty if one can.

    `load` loads a shared library by name, or raises `OSError`.
    """
    return ": ".join(filter(None, trouble_and_line(environment, load)))


def trouble_and_line(environment: Mapping[str, str] = os.environ, load: Load = ctypes.CDLL) -> tuple[str, str]:
    """Why no window can be opened, and the command that repairs it, if there is one; both empty if a window can."""
    found = ("", "") if sys.platform in ("win32", "darwin") else _display_trouble(environment, load)
    for package in ("PyQt6", "pyqtgraph", "qtawesome"):
        if not found[0] and importlib.util.find_spec(package) is None:
            found = Phrase("the package {package} is not installed", package=package), install_extra(package)
    return found


def _display_trouble(environment: Mapping[str, str], load: Load) -> tuple[str, str]:
    found: tuple[str, str] = Phrase("no display here"), ""
    for platform in _platforms(environment):
        display = environment.get({"xcb": "DISPLAY", "wayland": "WAYLAND_DISPLAY"}.get(platform, ""), "")
        if lacking := missing(platform, load):
            found = Phrase("the window needs {libraries}", libraries=lacking), install_line(lacking)
        elif (platform == "xcb" and not _x_answers(load)) or (
            platform == "wayland" and not _wayland_answers(environment)
        ):
            found = Phrase("no display answers at {display}", display=display), ""
        else:
            return "", ""
    return found


def missing(platform: str = "xcb", load: Load = ctypes.CDLL) -> list[str]:
    """The missing libraries of Qt's plugin for this platform."""
    wanted = LIBRARIES["common"] | LIBRARIES.get(platform, {})
    found = [name for name in wanted if _why_not(name, load)]
    if not found and (plugin := _plugin(platform)) and (why := _why_not(str(plugin), load)):
        found = re.findall(r"^(\S+\.so[.\d]*): cannot open", why)
    return found


def install_line(libraries: list[str], which: Callable[[str], str | None] = shutil.which) -> str:
    """The command that installs these libraries."""
    if which("dnf") and not which("apt-get"):
        known = {name: package for names in LIBRARIES.values() for name, package in names.items()}
        return f"sudo dnf install {' '.join(dict.fromkeys(known.get(name, name) for name in libraries))}"
    return f"sudo apt install {' '.join(dict.fromkeys(map(_debian, libraries)))}"


def _debian(library: str) -> str:
    """The package of a library: its name in lower case and its version, by Debian's policy 8.1."""
    stem, _so, version = library.lower().partition(".so.")
    stem = stem.replace("libglib-2.0", "libglib2.0")  # the exception
    return f"{stem}{'-' if stem[-1].isdigit() else ''}{version}" if version else library


def _platforms(environment: Mapping[str, str]) -> list[str]:
    """The platforms that Qt would try, in order."""
    if asked := environment.get("QT_QPA_PLATFORM"):
        return [part.partition(":")[0].removesuffix("-egl") for part in asked.split(";")]
    displays = {"WAYLAND_DISPLAY": "wayland", "DISPLAY": "xcb"}
    return [platform for name, platform in displays.items() if environment.get(name)]


def _plugin(platform: str) -> Path | None:
    """The file of Qt's plugin, if PyQt6 includes its own Qt."""
    spec = importlib.util.find_spec("PyQt6")
    folders = spec.submodule_search_locations or () if spec else ()
    paths = (Path(folder) / "Qt6" / "plugins" / "platforms" / f"libq{platform}.so" for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _why_not(library: str, load: Load) -> str:
    try:
        load(library)
    except OSError as error:
        return str(error) or "not found"
    return ""


def _x_answers(load: Load) -> bool:
    xcb = load("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))  # reads $DISPLAY
    answers = not xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return answers


def _wayland_answers(environment: Mapping[str, str]) -> bool:
    path = Path(environment.get("XDG_RUNTIME_DIR", "")) / environment.get("WAYLAND_DISPLAY", "wayland-0")
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def say_missing() -> None:
    """Print the missing libraries of the window and the command that installs them, if any."""
    if sys.platform.startswith("linux") and (lacking := missing()):
        print(f"The window needs {', '.join(lacking)}:\n    {install_line(lacking)}")
