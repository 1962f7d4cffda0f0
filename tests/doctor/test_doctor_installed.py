"""What is missing or does not fit is named, with the command that installs it."""

from __future__ import annotations

import ctypes
import re
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest
from namespaces import run_in_namespaces

from realtime_mood.doctor.finding import Level
from realtime_mood.doctor.installed import packages, python, window


def test_an_old_python_prevents_a_run():
    (found,) = python(">=3.99")
    assert found.level == Level.WRONG
    assert ">=3.99 is needed" in found.found
    assert {python(">=3.11", version)[0].level for version in ("3.11.0rc1", "3.13.0rc1")} == {Level.OK}


def test_a_missing_package_prevents_a_run():
    (found,) = packages(["numpy>=1", "no-such-package>=1"])
    assert found.level == Level.WRONG
    assert "no-such-package" in found.found
    assert "numpy" not in found.found


def test_a_version_out_of_its_range_is_named_with_what_installs_another():
    (found,) = packages(["numpy>=999", "pip<0.1; extra == 'boards'"])
    assert found.level == Level.WARNING
    assert f"numpy {metadata.version('numpy')}, and >=999 is needed" in found.found
    assert found.do == "pip install 'numpy>=999' 'pip<0.1'"


def test_extras_that_are_not_installed_are_no_fault():
    elsewhere = "no-such-c>=1; sys_platform == 'none' and extra == 'c'"
    of_a = ["no-such-a>=1; extra == 'a'", "pip<0.1; extra == 'a'"]  # another program's pip does not matter
    (found,) = packages(["numpy", "numpy; extra == 'b'", *of_a, elsewhere])
    assert found.level == Level.OK
    assert found.found.endswith("not installed extras: a")


def test_versions_that_were_not_tested_are_named(tmp_path):
    tested, own = tmp_path / "constraints.txt", metadata.version("numpy")
    tested.write_text(f"# tested\nnumpy==0.1\npip=={metadata.version('pip')} ; python_version > '3'\n")
    (found,) = packages(["numpy", "pip"], tested=tested)
    assert (found.level, found.found.partition("; ")[2]) == (
        Level.OK, f"other versions than the tested ones: numpy {own} (0.1)"
    )  # fmt: skip


def test_this_installation_lacks_nothing():
    assert {found.level for found in [*packages(), *python()]} <= {Level.OK, Level.WARNING}


def without(*hidden):
    """A loader of shared libraries from which some were removed."""

    def load(name):
        if name.rpartition("/")[2] in hidden:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        return ctypes.CDLL(name)

    return load


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is Qt's platform chosen like this")


ASK = """
from realtime_mood.doctor.installed import window
(found,) = window({"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":0"})
print(found.level.name, found.found, found.do, sep="\\n")
"""


@linux
def test_a_library_of_qt_that_was_removed_is_named_with_the_line_that_installs_it():
    name, files = "libxcb-cursor.so.0", [Path()]
    with suppress(OSError):
        ctypes.CDLL(name)
        files = [Path(line.split()[-1]) for line in Path("/proc/self/maps").read_text().splitlines() if name in line]
    told = run_in_namespaces("m", ['[ "$1" = . ] || mount --bind /dev/null "$1"'], ASK, str(files[0]))
    level, found, do = told.splitlines()
    assert level == "WARNING"
    assert name in found
    assert re.match(r"sudo (apt install .*\blibxcb-cursor0\b|dnf install .*\bxcb-util-cursor\b)", do)


@linux
def test_without_a_display_the_terminal_view_is_no_fault():
    (found,) = window({}, without("libxcb-cursor.so.0"))
    assert found.level == Level.OK
    assert "the terminal view is shown; on a desktop it would need" in found.found
    assert " install " in found.do


@linux
def test_plugins_of_another_qt_are_named(monkeypatch):
    monkeypatch.setattr("realtime_mood.gui.desktop.trouble_and_line", lambda *_: ("", ""))
    (found,) = window({"DISPLAY": ":0", "QT_PLUGIN_PATH": "/opt/cv2/qt/plugins"})
    assert (found.level, found.do) == (Level.WARNING, "unset QT_PLUGIN_PATH")
    assert window({"DISPLAY": ":0"})[0].level == Level.OK
