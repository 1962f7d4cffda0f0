"""Faults of the network, made in a namespace of its own: no loopback, no multicast, a VPN, a second adapter."""

from __future__ import annotations

import json

import pytest
from namespaces import run_in_namespaces

from realtime_mood.doctor import network
from realtime_mood.doctor.finding import Level

ASK = """
import json, sys
from pathlib import Path
from realtime_mood.doctor import network
found = [*network.multicast(sys.argv[1]), *network.connections(root=Path("/none"))]
print(json.dumps([(one.level.name, one.found, one.do) for one in found]))
"""
ADAPTER = "ip link add {0} type veth peer name {0}p && ip addr add 10.1.{1}.3/24 dev {0} && ip link set {0} up && "
ADAPTER += "ip link set {0}p up"
ONE, TWO = ADAPTER.format("e0", 3), ADAPTER.format("e1", 4)
TUNNEL = "ip tuntap add wg0 mode tun && ip addr add 10.9.0.2/24 dev wg0 && ip link set wg0 up"


def seen(scope: str, *commands: str) -> list[tuple[str, str, str]]:
    """What is found about multicast and about adapters, in a network made by `commands`."""
    told = run_in_namespaces("n", [*commands], ASK, scope)
    return [tuple(one) for one in json.loads(told)]


def test_without_loopback_nothing_works():
    multicast, adapters = seen("loopback")
    assert multicast[0] == "WRONG"
    assert "ip link set lo up" in multicast[2]
    assert adapters[:2] == ("OK", "only this computer: no network is connected")


def test_multicast_is_tried_on_each_adapter():
    multicast, adapters = seen("site", "ip link set lo up", ONE, TWO)
    assert multicast[:2] == ("OK", "works on this computer and on e0, e1")
    assert adapters[:2] == ("OK", "several adapters are connected: e0 (10.1.3.3), e1 (10.1.4.3)")


def test_an_adapter_without_multicast_is_named():
    multicast, _ = seen("link", "ip link set lo up", ONE, TWO, "ip link set e1 multicast off")
    assert multicast[0] == "WARNING"
    assert "multicast does not work (e1: switched off)" in multicast[1]
    assert multicast[2].startswith("sudo ip link set e1 multicast on; ")
    assert "KnownPeers" in multicast[2]


def test_a_vpn_is_named():
    _, adapters = seen("link", "ip link set lo up", ONE, TUNNEL)
    assert adapters[0] == "WARNING"
    assert "a VPN is connected (wg0)" in adapters[1]


@pytest.mark.parametrize(("file", "holds", "says", "do"), [
    (".dockerenv", "", "this is a container, which", "--network host"),
    ("proc/sys/kernel/osrelease", "5.15.90.1-microsoft-standard-WSL2", "inside Windows (WSL), which", "=mirrored"),
])  # fmt: skip
def test_a_system_inside_another_is_named_with_what_lets_streams_in(tmp_path, file, holds, says, do):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(holds)
    (found,) = network.connections([network.Adapter("eth0", "192.0.2.7")], root=tmp_path)
    assert (found.level, says in found.found, do in found.do) == (Level.OK, True, True)


@pytest.mark.parametrize("scope", ["loopback", "machine"])
def test_nothing_leaves_the_computer_unless_the_scope_asks_for_it(monkeypatch, scope):
    tried = []
    monkeypatch.setattr(network, "exchange", lambda address, group, port: tried.append((address, group)) or "")
    (found,) = network.multicast(scope, [network.Adapter("eth0", "192.0.2.7")])
    assert tried == [(network.LOOPBACK, network.LOOPBACK)]
    assert found.do == "to try them: doctor --lsl-scope link"


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_what_other_systems_do_not_tell_is_said(system):
    (adapters,) = network.connections(system=system)
    (multicast,) = network.multicast("link", system=system)
    assert (adapters.level, multicast.level) == (Level.NOT_CHECKED, Level.NOT_CHECKED)
    assert "adapters are not tried on this system" in multicast.found


def test_what_does_not_arrive_is_said():
    assert network.exchange("127.0.0.1", "127.0.0.1", 0) == ""
    assert network.exchange("192.0.2.7", network.GROUPS["site"], 0)  # not an address of this computer
