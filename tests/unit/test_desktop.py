"""Whether a window can be opened is known before Qt is started, which would abort the program."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

from realtime_mood import gui
from realtime_mood.errors import ConfigError
from realtime_mood.gui import desktop

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is Qt's platform chosen like this")

HIDDEN = """
import ctypes, sys
from unittest import mock
hidden, load = sys.argv.pop(1).split(","), ctypes.CDLL
def without(name, *more, **options):
    if name in hidden:
        raise OSError(f"{name}: cannot open shared object file: No such file or directory")
    return load(name, *more, **options)
ctypes.CDLL = without
sys.path.insert(0, "")
from realtime_mood.gui import desktop
desktop.missing.__defaults__ = ("xcb", without)
desktop.trouble.__defaults__ = (desktop.trouble.__defaults__[0], without)
import app
app.main()
"""


class Xcb:
    """A library for X that does or does not reach its server."""

    class Function:
        def __init__(self, value):
            self.value = value

        def __call__(self, *_):
            return self.value

    def __init__(self, answers):
        self.xcb_connect, self.xcb_disconnect = self.Function(1), self.Function(None)
        self.xcb_connection_has_error = self.Function(0 if answers else 1)


def loader(*hidden, answers=True):
    """What loads everything but `hidden`."""

    def load(name):
        name = name.rpartition("/")[2]
        if name in hidden:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        return Xcb(answers)

    return load


@linux
@pytest.mark.parametrize("name", [*desktop.LIBRARIES["common"], *desktop.LIBRARIES["xcb"]])
def test_each_missing_library_is_named_with_what_installs_it(name):
    told = desktop.trouble({"DISPLAY": ":0"}, loader(name))
    assert name in told
    package = (desktop.LIBRARIES["common"] | desktop.LIBRARIES["xcb"])[name]
    assert desktop.install_line([name], lambda it: it if it == "dnf" else None) == f"sudo dnf install {package}"


@linux
@pytest.mark.parametrize(("name", "package"), [
    ("libEGL.so.1", "libegl1"), ("libX11.so.6", "libx11-6"), ("libdbus-1.so.3", "libdbus-1-3"),
    ("libglib-2.0.so.0", "libglib2.0-0"), ("libxcb-render-util.so.0", "libxcb-render-util0"),
    ("libX11-xcb.so.1", "libx11-xcb1"), ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"), ("odd", "odd"),
])  # fmt: skip
def test_debian_names_packages_after_the_library(name, package):
    assert desktop.install_line([name], lambda it: it if it == "apt-get" else None) == f"sudo apt install {package}"


@linux
@pytest.mark.parametrize("package", ["PyQt6", "pyqtgraph", "qtawesome"])
def test_each_missing_package_is_named_with_what_installs_it(monkeypatch, package):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))
    monkeypatch.setattr(desktop, "_plugin", lambda _: None)
    told = desktop.trouble({"DISPLAY": ":0"}, loader())
    assert told == f"the package {package} is not installed: pip install 'realtime-mood[gui]'"


@linux
def test_all_that_are_missing_are_in_one_line():
    hidden = ("libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1")
    assert desktop.missing("xcb", loader(*hidden)) == list(hidden)
    line = desktop.install_line(list(hidden), lambda it: it if it == "apt-get" else None)
    assert line == "sudo apt install libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1"


@linux
@pytest.mark.parametrize(
    ("environment", "load", "says"),
    [
        ({}, loader(), "no display here"),
        ({"DISPLAY": ""}, loader(), "no display here"),
        ({"DISPLAY": ":0"}, loader(), ""),
        ({"DISPLAY": ":0"}, loader(answers=False), "no display answers at :0"),
        ({"WAYLAND_DISPLAY": "none", "XDG_RUNTIME_DIR": "/nowhere"}, loader(), "no display answers at none"),
        ({"WAYLAND_DISPLAY": "none", "DISPLAY": ":0"}, loader(), ""),
        ({"WAYLAND_DISPLAY": "w"}, loader("libwayland-cursor.so.0"), "libwayland-cursor0"),
        ({"QT_QPA_PLATFORM": "offscreen"}, loader("libxcb-cursor.so.0"), ""),
        ({"QT_QPA_PLATFORM": "offscreen"}, loader("libEGL.so.1"), "libegl1"),
        ({"QT_QPA_PLATFORM": "xcb:foo"}, loader("libxcb-cursor.so.0"), "libxcb-cursor0"),
    ],
)
def test_what_keeps_a_window_from_opening(environment, load, says):
    told = desktop.trouble(environment, load)
    assert (says in told) if says else told == ""


@linux
def test_the_lists_hold_everything_that_qt_s_plugin_needs():
    """Of PyQt6's own libraries, all that lie outside it and outside the C library are looked for by name."""
    plugin = desktop._plugin("xcb")
    if plugin is None:
        pytest.skip("PyQt6 here is the system's own")
    qt = plugin.parents[2] / "lib"
    blobs = [
        it.read_bytes() for it in (plugin, qt / "libQt6XcbQpa.so.6", qt / "libQt6Gui.so.6", qt / "libQt6DBus.so.6")
    ]
    needed = {name.decode() for blob in blobs for name in re.findall(rb"\0(lib[\w.+-]+\.so\.\d+)(?=\0)", blob)}
    basic = re.compile(r"lib(Qt6|c\.|m\.|dl\.|pthread|stdc|gcc|z\.|gthread|rt\.)")
    assert len(needed) > 20
    assert {name for name in needed if not basic.match(name)} <= {
        *desktop.LIBRARIES["common"],
        *desktop.LIBRARIES["xcb"],
    }


@linux
def test_the_window_asked_for_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(gui.desktop, "trouble", lambda: "the reason")
    assert not gui.has_display()
    with pytest.raises(ConfigError, match="the reason · use --view terminal"):
        gui.check_display()


@linux
@pytest.mark.parametrize("hidden", ["libxcb-cursor.so.0,libxcb-keysyms.so.1", "libEGL.so.1"])
def test_without_its_libraries_the_terminal_view_is_shown(program, hidden):
    words = ["run", "--source", "synthetic://?speed=max&n_chans=4", "--seconds", "2"]
    told = {name: value for name, value in os.environ.items() if name not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    process = program(hidden, *words, code=HIDDEN, env=told | {"DISPLAY": ":97"})
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "samples 512" in out
    [line] = err.splitlines()
    assert line.startswith("Showing the terminal view · the window needs")
    assert all(name in line for name in hidden.split(","))
    assert " install " in line
