"""Firewalls that keep LSL out, with real rules in a network of their own, are named with the line that opens them."""

from __future__ import annotations

import json

import pytest
from namespaces import run_in_namespaces

from realtime_mood.doctor import firewall
from realtime_mood.doctor.finding import Level
from realtime_mood.doctor.ports import LslPorts

DROPS_CLOCKS = [
    "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6", "ip link set lo up",
    "ip link add e0 type veth peer name e1", "ip addr add 10.1.3.3/24 dev e0",
    "ip link set e0 up", "ip link set e1 up", "nft add table inet t",
    "nft add chain inet t in '{ type filter hook input priority 0; }'",
    "nft add rule inet t in udp dport '{ 53, 16572 }' counter drop",
]  # fmt: skip
ASK = """
import json, subprocess, threading
from realtime_mood import liblsl
from realtime_mood.doctor import firewall, ports, streams
from realtime_mood.doctor.ports import LslPorts
streams.LOOK_S, streams.LISTEN_S, streams.FIND_S = 0.5, 0.5, 0.5
liblsl.set_scope("link")
lsl = liblsl.pylsl()
outlet = lsl.StreamOutlet(lsl.StreamInfo("cap", "EEG", 1, 100, "float32", "x"))
done = threading.Event()
def send():
    while not done.wait(0.01):
        outlet.push_sample([1.0])
sending = threading.Thread(target=send, daemon=True)
sending.start()
there = []
while not any(one["samples"] for one in there):
    there = streams.survey("link")
(clocks,) = streams.clocks(there, "")
first, = firewall.firewall(LslPorts())
subprocess.run("nft flush chain inet t in; nft add rule inet t in tcp dport 16572 drop", shell=True, check=True)
while not (there := streams.survey("link")):
    pass
(silent,) = streams.silent(there, "link")
ports.ANSWER_S = 0.3
(dropped,) = ports.ports(LslPorts())
reject = "iptables -A INPUT -p udp -m multiport --dports 80,16571:16580 -j REJECT"
subprocess.run(reject.split(), check=True)
subprocess.run(["nft", "flush", "chain", "inet", "t", "in"], check=True)
second, = firewall.firewall(LslPorts())
got = streams.receive("x", "link")
done.set()
sending.join()
told = clocks.found, silent.found, silent.do, dropped.found, first.found, first.do, second.found, second.do, got
print(json.dumps(told))
"""


def test_rules_that_drop_lsl_are_named_and_so_is_what_they_do_to_streams():
    clocks, silent, connects, dropped, first, opens, second, opens_too, got = json.loads(
        run_in_namespaces("n", DROPS_CLOCKS, ASK)
    )
    assert "cannot be compared with ours" in clocks
    assert silent.startswith("announced, but no connection to 1 of 1 streams: 'cap'")
    assert connects.startswith("allow TCP 16572 to 16604 in the firewalls")
    assert dropped == "not checked: connections to the ports for streams are dropped on this computer"
    assert first.startswith("nftables (inet t in) drops LSL: UDP 16572;")
    assert opens.startswith("sudo nft insert rule inet t in udp dport 16571-16604 accept && ")
    assert second.startswith("iptables (INPUT) drops LSL: UDP 16571, UDP 16572;")
    assert opens_too.startswith("sudo iptables -I INPUT -p udp --dport 16571:16604 -j ACCEPT && ")
    assert got == "unseen"


HEAD = {"family": "inet", "table": "t"}
TO_LSL = {
    "match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": {"range": [1, 65535]}}
}
FROM_LAB = {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "192.0.2.7"}}
REPLIES = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}
OWN = {"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}
TO_SSH = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22]}}}
ACCEPT, DROP = {"accept": None}, {"drop": None}


@pytest.mark.parametrize(("policy", "rules", "drops"), [
    ("accept", [], False), ("drop", [], True), ("drop", [[TO_LSL, ACCEPT]], False),
    ("drop", [[REPLIES, ACCEPT], [OWN, ACCEPT], [TO_SSH, ACCEPT]], True),
    ("drop", [[FROM_LAB, ACCEPT]], False), ("accept", [[FROM_LAB, DROP]], False), ("accept", [[DROP]], True),
    ("drop", [[{"jump": {"target": "lab"}}]], False), ("drop", [[{"xt": {}}, ACCEPT]], False),
])  # fmt: skip
def test_only_what_is_surely_dropped_is_said_to_be(policy, rules, drops):
    chain = {"chain": {**HEAD, "name": "in", "type": "filter", "hook": "input", "policy": policy}}
    listed = [chain, *({"rule": {**HEAD, "chain": "in", "expr": rule}} for rule in rules)]
    (read,) = firewall.of_nft({"nftables": listed})
    assert read.drops("udp", 16571) == drops


def test_rules_of_iptables_are_read_alike():
    saved = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
    (closed,) = firewall.of_iptables(saved)
    (open_,) = firewall.of_iptables(saved + "-A INPUT -p udp -m udp --dport 16571:16604 -j ACCEPT\n")
    assert (closed.drops("udp", 16571), open_.drops("udp", 16571), open_.drops("tcp", 16572)) == (True, False, True)


def test_firewalls_are_named_with_the_line_that_opens_them(tmp_path):
    proc, used = tmp_path / "proc", LslPorts(first=17000)

    def found():
        (one,) = firewall.firewall(used, tmp_path, proc, "linux", list)
        return one

    assert found().level == Level.OK
    (tmp_path / "ufw").mkdir()
    (tmp_path / "ufw" / "ufw.conf").write_text("# comment\nENABLED=no\n")
    assert found().level == Level.OK
    (proc / "12").mkdir(parents=True)
    (proc / "12" / "comm").write_text("firewalld\n")
    assert (found().level, found().do[:61]) == (
        Level.WARNING, "sudo firewall-cmd --permanent --add-port=16571-17032/udp --ad"
    )  # fmt: skip
    (tmp_path / "ufw" / "ufw.conf").write_text("ENABLED=yes\n")
    assert found().do == "sudo ufw allow 16571:17032/udp && sudo ufw allow 17000:17032/tcp"
    (tmp_path / "ufw" / "user.rules").write_text("-A ufw-user-input -p udp --dports 16571:16604 -j ACCEPT\n")
    assert found().found == "ufw is on, and a rule of it allows LSL"
    assert {firewall.firewall(used, system=one)[0].level for one in ("win32", "darwin")} == {Level.NOT_CHECKED}
