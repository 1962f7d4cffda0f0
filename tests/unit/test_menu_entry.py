"""The entry in the desktop's start menu: it starts this installation, wherever that lies, and can be removed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from realtime_mood.cli import menu_entry
from realtime_mood.errors import ConfigError


def test_it_is_written_with_its_icon_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / 'a "quoted" $folder' / "bin" / "python"))
    menu_entry.menu_entry()
    lines = (tmp_path / "applications" / "realtime-mood.desktop").read_text("utf-8").splitlines()
    entry = dict(line.split("=", 1) for line in lines[1:])
    assert lines[0] == "[Desktop Entry]"
    assert Path(entry["Icon"]).read_text("utf-8").startswith("<svg")
    # the value of a key is unescaped once, then read as a command
    words = shlex.split(entry["Exec"].replace("\\\\", "\\").replace("\\$", "$"))
    assert words[0] == str(tmp_path / 'a "quoted" $folder' / "bin" / "python")
    assert words[-3:] == ["run", "--view", "gui"]
    menu_entry.menu_entry(remove=True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("remove", [False, True])
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remove) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"menu entry .*realtime-mood.desktop · Not a directory · make"):
        menu_entry.menu_entry(remove)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_there_is_no_such_menu(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(ConfigError, match="no such menu"):
        menu_entry.menu_entry()
