"""How far the LSL library may look, seen from the sockets it opens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_mood import liblsl
from realtime_mood.errors import ConfigError

SHOW = """
import os, sys
from realtime_mood import liblsl
if sys.argv[1:]:
    liblsl.set_scope(sys.argv[1])
pylsl = liblsl.pylsl()
outlet = pylsl.StreamOutlet(pylsl.StreamInfo("scope", "EEG", 1, 100.0, pylsl.cf_float32, "scope"))
fds = (f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd"))
held = {os.readlink(fd) for fd in fds if os.path.islink(fd)}
for table in ("udp", "udp6"):
    for line in open(f"/proc/net/{table}").read().splitlines()[1:]:
        words = line.split()
        if f"socket:[{words[9]}]" in held:
            print(table, *words[1].split(":"))
try:
    liblsl.set_scope("link")
except Exception as error:
    print(type(error).__name__)
"""
DISCOVERY = f"{16571:04X}"
LOOPBACK = "0100007F"


def sockets(tmp_path: Path, *scope: str) -> str:
    """What a process that has an outlet listens on for those who look for streams."""
    free = {key: value for key, value in os.environ.items() if key != "LSLAPICFG"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *scope], cwd=tmp_path, env=free, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not Path("/proc/net/udp").is_file(), reason="needs Linux to see its sockets")
def test_on_loopback_nobody_else_is_answered(tmp_path: Path) -> None:
    said = sockets(tmp_path, "loopback")
    answering = [line for line in said.splitlines() if line.endswith(DISCOVERY)]
    assert answering == [f"udp {LOOPBACK} {DISCOVERY}"]
    assert "udp6" not in said
    assert "ConfigError" in said  # the library is in use: it cannot be told to look further


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of loopback"):
        liblsl.set_scope("galaxy")
