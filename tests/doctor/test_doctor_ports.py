"""LSL's ports: one that another program took, a stream whose program was stopped, and no free port are found."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from realtime_mood.doctor import ports
from realtime_mood.doctor.finding import Level
from realtime_mood.doctor.ports import LslPorts

OUTLET = """
import pylsl
outlet = pylsl.StreamOutlet(pylsl.StreamInfo("stopped", "EEG", 1, 100, "float32", "s"))
print("announced", flush=True)
input()
"""


@pytest.fixture
def used() -> LslPorts:
    """The ports of the streams of this test run."""
    return LslPorts.in_force(Path(os.environ["LSLAPICFG"]))


def test_the_ports_are_those_of_the_configuration(tmp_path):
    assert (LslPorts.in_force(None), LslPorts().last) == (LslPorts(16571, 16572, 32), 16603)
    (tmp_path / "lsl_api.cfg").write_text("[ports]\nMulticastPort = 7000\nPortRange = four\n")
    assert LslPorts.in_force(tmp_path / "lsl_api.cfg") == LslPorts(search=7000)


@pytest.mark.skipif(sys.platform != "linux", reason="only there /proc tells who has a port")
def test_a_stream_whose_program_was_stopped_is_named_with_what_continues_it(used, monkeypatch):
    monkeypatch.setattr(ports, "ANSWER_S", 0.5)
    with subprocess.Popen(
        [sys.executable, "-c", OUTLET], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "announced\n"
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        stopped = ports.ports(used)
        os.kill(process.pid, signal.SIGCONT)
        monkeypatch.setattr(ports, "ANSWER_S", 30.0)
        answers = ports.ports(used)
        process.communicate("\n")
    (named,) = (one for one in stopped if f"kill -CONT {process.pid};" in one.do)
    assert named.level == Level.WARNING
    assert re.search(rf"\(process {process.pid}\) is stopped, as by Ctrl\+Z, and has ports of LSL \(\d+", named.found)
    assert [one.level for one in answers] == [Level.OK]


def test_a_program_that_shares_no_port_and_one_that_does_not_answer_are_found(monkeypatch):
    monkeypatch.setattr(ports, "ANSWER_S", 0.1)
    with ExitStack() as stack:
        search = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        search.bind(("", 0))
        mute = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        hidden, hangs, full = ports.ports(LslPorts(search.getsockname()[1], mute.getsockname()[1], 1))
    assert {hidden.level, hangs.level, full.level} == {Level.WARNING}
    assert "cannot be shared: Address already in use" in hidden.found
    assert "does not answer" in hangs.found
    assert full.found.startswith("all ports for streams are in use")
