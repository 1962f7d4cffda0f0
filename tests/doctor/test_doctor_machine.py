"""A full disk, weights that were altered, and a GPU that is not used are found."""

from __future__ import annotations

import pytest
from namespaces import run_in_namespaces

from realtime_mood.doctor import machine
from realtime_mood.doctor.finding import Level
from realtime_mood.doctor.running import ChildFailed, ChildSlow

ASK = """
import sys
from pathlib import Path
from realtime_mood.doctor.machine import disk
for folder in sys.argv[1:]:
    (found,) = disk(Path(folder) / "realtime_mood")
    print(found.level.name, found.found, found.do, sep=" | ")
"""


def test_a_disk_that_is_full_or_read_only_prevents_a_recording(tmp_path):
    full, locked = tmp_path / "full", tmp_path / "locked"
    full.mkdir()
    locked.mkdir()
    faults = ['mount -t tmpfs -o size=4m none "$1"', 'mount -t tmpfs -o ro none "$2"']
    one, two = run_in_namespaces("m", faults, ASK, str(full), str(locked)).splitlines()
    assert one.startswith("WRONG | ")
    assert "No space left on device | free some space, or " in one
    assert two.startswith("WRONG | ")
    assert "Read-only file system | correct the folder's permissions, or " in two


def test_a_folder_that_cannot_be_made_prevents_a_recording(tmp_path):
    (tmp_path / "file").touch()
    (found,) = machine.disk(tmp_path / "file" / "data")
    assert found.level == Level.WRONG
    assert "cannot be written to" in found.found


def test_the_disk_is_left_as_it_was(tmp_path):
    (found,) = machine.disk(tmp_path / "not" / "there", 2_000_000)
    assert "MB free" in found.found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "speed", "level"), [(50e6, 0, "WRONG"), (1e9, 0, "WARNING"), (9e9, 1e9, "WARNING"),
                                                      (9e9, 0, "OK")])  # fmt: skip
def test_little_space_and_a_slow_disk_are_named(tmp_path, monkeypatch, free, speed, level):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    monkeypatch.setattr(machine, "LEAST_SPEED", speed)
    assert machine.disk(tmp_path, 1_000_000)[0].level.name == level


def test_altered_weights_prevent_a_run(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (found,) = machine.weights(str(tmp_path))
    assert found.level == Level.WRONG
    assert "config.json" in found.found
    assert found.do == machine.FIX


def failing(error):
    def call(*_, **__):
        raise error

    return call


def test_a_computer_that_is_only_slow_prevents_nothing():
    slow = failing(ChildSlow("no answer within 90 s"))
    assert machine.weights(call=slow)[0].level == machine.torch(call=slow, find=bool)[0].level == Level.WARNING
    assert machine.torch(call=failing(ChildFailed("it crashed (SIGSEGV)")), find=bool)[0].level == Level.WRONG


@pytest.mark.parametrize(("about", "driver", "level", "says"), [
    ({"gpu": "", "cuda": None}, "", Level.OK, "no GPU of NVIDIA is seen"),
    ({"gpu": "RTX 4090", "cuda": "12.8"}, "570.1", Level.OK, "so it does on RTX 4090 (driver 570.1)"),
    ({"gpu": "", "cuda": None}, "570.1", Level.WARNING, "built for the CPU"),
    ({"gpu": "", "cuda": "12.8"}, "570.1", Level.WARNING, "sees no GPU, though driver 570.1 is there"),
    ({"gpu": "RTX 4090", "cuda": "12.8", "failed": "out of memory"}, "570.1", Level.WARNING, "out of memory"),
])  # fmt: skip
def test_what_torch_makes_of_the_gpu(about, driver, level, says):
    (found,) = machine.torch("w", driver, lambda *_, **__: {"version": "2.9", "failed": "", **about}, bool)
    assert found.level == level
    assert says in found.found
    assert bool(found.do) == (level != Level.OK)


def test_without_torch_nothing_is_wrong():
    (found,) = machine.torch(driver="570.1", find=lambda _: None)
    assert found.level == Level.OK
    assert found.do.startswith("pip install 'realtime-mood[")


@pytest.mark.parametrize(("told", "version"), [
    ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC version: gcc 12.2.0", "535.104.05"),
    ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build", "570.86.15"), ("", ""),
])  # fmt: skip
def test_the_version_of_the_driver(tmp_path, told, version):
    (tmp_path / "version").write_text(told)
    assert machine.driver_version(tmp_path / "version") == version
