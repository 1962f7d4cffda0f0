"""Streams that are dead, doubled, or on an odd clock, and an LSL that does not load, are found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pylsl
import pytest

from realtime_mood import liblsl
from realtime_mood.doctor import streams
from realtime_mood.doctor.configuration import configuration, scope_in_force
from realtime_mood.doctor.finding import Level
from realtime_mood.doctor.running import ChildFailed

linux = pytest.mark.skipif(sys.platform != "linux", reason="a clock of a process's own is had on Linux only")


def test_a_stream_of_our_own_is_found_by_another_process():
    (found,) = streams.own_stream("loopback")
    assert found.level == Level.OK, found


@pytest.mark.parametrize(("got", "says", "do"), [
    ("unseen", "is not found", "UDP 16571"), ("unread", "is found, but cannot be read", "TCP 16572"),
])  # fmt: skip
def test_one_that_is_not_found_prevents_a_run(got, says, do):
    (found,) = streams.own_stream("loopback", lambda *_, **__: got)
    assert found.level == Level.WRONG
    assert says in found.found
    assert do in found.do


ELSEWHERE = """
import time, pylsl
outlet = pylsl.StreamOutlet(pylsl.StreamInfo("elsewhere", "EEG", 1, 100, "float32", "e"))
print("announced", flush=True)
while True:
    outlet.push_sample([1.0])
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def found():
    """What is said of a dead stream, twins and others, and whether one of another clock is there (it needs rights)."""

    def outlet(name, sfreq, source_id):
        return pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 1, sfreq, "float32", source_id))

    kept = [outlet("asleep", 100, "b"), outlet("markers", 0, "c")]
    sent = [outlet("alive", 100, "a"), outlet("twin", 100, "t"), outlet("twin", 100, "t")]
    done = threading.Event()

    def send():
        while not done.wait(0.01):
            for one in sent:
                one.push_sample([1.0])

    sending = threading.Thread(target=send)
    sending.start()
    words = ["unshare", "-rT", "--monotonic", "1000", "--fork", "--kill-child", sys.executable, "-c", ELSEWHERE]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as other:
        has_other = other.stdout.readline() == "announced\n"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(liblsl, "_scope", [])
            patch.setattr(streams, "LOOK_S", 1.0)
            patch.setattr(streams, "LISTEN_S", 1.5)
            said = {
                one.check: one for one in streams.announced("loopback", lambda _, scope, **__: streams.survey(scope))
            }
        other.kill()
    done.set()
    sending.join()
    del kept
    return said, has_other


@linux
def test_dead_and_doubled_streams_are_named_and_others_are_not(found):
    said, has_other = found
    silent, doubled = said["LSL streams"], said["LSL identities"]
    assert (silent.level, doubled.level) == (Level.WARNING, Level.WARNING)
    assert f"nothing arrives, from 1 of {5 + has_other} streams: 'asleep'" in silent.found
    assert "apart: 2 times 'twin'" in doubled.found
    assert said.keys() == {"LSL streams", "LSL identities", "LSL clocks"}


@linux
def test_a_stream_on_another_clock_is_named(found):
    said, has_other = found
    if not has_other:
        pytest.skip("a process with another clock needs a time namespace, which cannot be made here")
    assert said["LSL clocks"].level == Level.WARNING
    assert re.search(r"'elsewhere' \(.*\) is -?1000\.\d+ s off the clock of this computer", said["LSL clocks"].found)


def stream(host="lab", offset=0.0, **changes):
    base = {
        "name": "amp",
        "type": "EEG",
        "source_id": "x",
        "host": host,
        "sfreq": 250.0,
        "samples": 9,
        "connected": True,
    }
    return {**base, "offset": offset, **changes}


def test_clocks_that_cannot_be_compared_or_are_odd_are_named():
    (unknown,) = streams.clocks([stream("far", None), stream("lab")], "lab")
    assert (unknown.level, "the clock of far cannot" in unknown.found) == (Level.WARNING, True)
    (odd,) = streams.clocks([stream(offset=3.5)], "lab")
    assert (odd.level, "3.500 s off" in odd.found) == (Level.WARNING, True)
    (fine,) = streams.clocks([stream("far", -1234.5), stream("lab", 1e-5)], "lab")
    assert (fine.level, "far -1234.500 s" in fine.found) == (Level.OK, True)
    assert streams.clocks([], "lab") == []


def test_no_stream_at_all_points_to_a_wider_scope():
    assert "--lsl-scope link" in streams.silent([], "loopback")[0].do
    assert streams.silent([], "site")[0].do == ""


def test_a_library_that_does_not_load_prevents_a_run(tmp_path):
    package = tmp_path / "pylsl"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('LSL binary library file was not found.')")
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.path.insert(0, {str(tmp_path)!r})")
    (found,) = streams.library(environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert found.level == Level.WRONG
    assert "LSL binary library file was not found" in found.found


CFG = "; ours\n[lab]\nSessionID = room2\nKnownPeers = {192.0.2.4}\n[multicast]\nResolveScope = site\n"


def test_the_configuration_in_force_is_named(tmp_path: Path):
    own = tmp_path / "lsl_api.cfg"
    assert configuration(None, "link", tmp_path)[0].found == "no lsl_api.cfg of your own; scope link"
    own.write_text(CFG, encoding="utf-8-sig")
    (found,) = configuration(own, "loopback", tmp_path)
    assert found.level == Level.WARNING
    assert "SessionID = room2; KnownPeers = {192.0.2.4}; ResolveScope = site" in found.found
    assert ("setting", "room2") in found.private
    assert scope_in_force(own, "loopback") == "site"
    own.write_text("[tuning]\nTimeProbeCount = 10\n")
    assert configuration(own, "loopback", tmp_path)[0].level == Level.OK
    assert scope_in_force(own, "loopback") == scope_in_force(None, "loopback") == "loopback"
    own.write_bytes(b"no section")
    assert "cannot be read" in configuration(own, "loopback", tmp_path)[0].found


def test_a_configuration_with_a_wrong_name_is_found(tmp_path: Path):
    (tmp_path / "lsl_api").mkdir()
    (tmp_path / "lsl_api" / "lsl_api.cfg.txt").write_text(CFG)
    (found,) = configuration(None, "site", tmp_path)
    assert (found.level, found.do) == (Level.WARNING, "rename it")


def test_streams_that_cannot_be_listed_are_a_warning():
    def crash(*_, **__):
        raise ChildFailed("it crashed (SIGSEGV)")

    assert streams.announced("loopback", crash)[0].level == Level.WARNING
