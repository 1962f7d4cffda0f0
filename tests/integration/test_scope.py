"""How far the LSL library may look, seen from the sockets it opens."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from realtime_mood import liblsl
from realtime_mood.errors import ConfigError

ROOT = Path(__file__).parents[2]
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
    free = {key: value for key, value in os.environ.items() if key != "LSLAPICFG"} | {
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
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


CFG = """
; of a laboratory
[lab]
SessionID = ours
KnownPeers = {192.168.0.7}
[multicast]
ResolveScope = global
ListenAddress = 0.0.0.0
[log]
file = spy.log
[tuning]
TimeProbeCount = 10
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an `lsl_api.cfg`, and a user without one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LSLAPICFG")
    monkeypatch.setattr(liblsl, "OWN", ("~/lsl_api/lsl_api.cfg",))
    monkeypatch.setattr(liblsl, "_scope", [])
    (tmp_path / "lsl_api.cfg").write_text(CFG, encoding="utf-8-sig")
    return tmp_path


def content() -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(liblsl._content())
    return {name: dict(parser[name]) for name in parser.sections() if parser[name]}


def test_a_configuration_found_in_the_folder_is_announced_and_reaches_no_further(here: Path, capsys) -> None:
    assert content() == {"lab": {"SessionID": "ours"}, "tuning": {"TimeProbeCount": "10"}, "log": {"level": "-3"}}
    said = capsys.readouterr().err
    assert said.startswith("Options from lsl_api.cfg in this folder: SessionID, TimeProbeCount; not used: KnownPeers")
    assert "LSLAPICFG=lsl_api.cfg" in said
    assert len(said.splitlines()) == 1


def test_one_that_keeps_to_this_machine_does_so(here: Path, capsys) -> None:
    near = {
        "multicast": {"ResolveScope": "machine", "ListenAddress": "127.0.0.1"},
        "lab": {"KnownPeers": "{127.0.0.1}"},
    }
    text = "".join(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in it.items()) for name, it in near.items())
    (here / "lsl_api.cfg").write_text(text)
    assert content() == near | {"log": {"level": "-3"}}
    assert "not used" not in capsys.readouterr().err


def test_the_option_wins_over_the_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liblsl, "pylsl", cache(lambda: None))  # as before anything has loaded the library
    liblsl.set_scope("loopback")
    made = content()
    assert made["multicast"] == {
        "ResolveScope": "machine", "AddressesOverride": "{127.0.0.1}", "ListenAddress": "127.0.0.1",
    }  # fmt: skip
    assert made["lab"] == {"SessionID": "ours", "KnownPeers": "{127.0.0.1}"}


@pytest.mark.parametrize("damaged", [b"no section = 1", b"\xff\xfe\x00", b"[lab\nx"])
def test_a_damaged_one_is_left_alone(here: Path, damaged: bytes, capsys) -> None:
    (here / "lsl_api.cfg").write_bytes(damaged)
    assert content() == {"log": {"level": "-3"}}
    assert "not used" in capsys.readouterr().err


def test_the_user_s_own_goes_before_the_folder_s(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert liblsl.own_configuration() is None
    own = here / "home" / "lsl_api" / "lsl_api.cfg"
    own.parent.mkdir(parents=True)
    own.touch()
    assert liblsl.own_configuration() == own
    monkeypatch.setenv("LSLAPICFG", "nowhere.cfg")
    assert liblsl.own_configuration() == own
    monkeypatch.setenv("LSLAPICFG", "lsl_api.cfg")
    assert liblsl.own_configuration() == Path("lsl_api.cfg")


@pytest.mark.skipif(not Path("/proc/net/udp").is_file(), reason="needs Linux to see its sockets")
def test_the_library_itself_does_not_read_the_one_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "lsl_api.cfg").write_text(CFG)
    said = sockets(tmp_path, "loopback")
    assert [line for line in said.splitlines() if line.endswith(DISCOVERY)] == [f"udp {LOOPBACK} {DISCOVERY}"]
    assert not (tmp_path / "spy.log").exists()
    sockets(tmp_path)
    assert not (tmp_path / "spy.log").exists()
