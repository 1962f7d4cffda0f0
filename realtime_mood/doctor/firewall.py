"""The check of this computer's firewall: whether one is on, and, where its rules may be read, whether they drop LSL."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..language import Phrase
from .finding import NOT_HERE, Finding, Level
from .ports import LslPorts
from .processes import PROC, read, running

ANSWER_S = 5.0
DROPPING = ("drop", "reject")
VERDICTS = ("accept", *DROPPING)
NO_CONDITION = ("counter", "log")
OF_NO_CONCERN = re.compile(r"-i lo\b|--(ct)?state (?!\S*NEW)")
NFT = "sudo nft insert rule {chain} "
IPTABLES = "sudo iptables -I INPUT -p "
LINES = {
    "nftables": f"{NFT}udp dport {{udp}} accept && {NFT}tcp dport {{tcp}} accept",
    "iptables": f"{IPTABLES}udp --dport {{udp}} -j ACCEPT && {IPTABLES}tcp --dport {{tcp}} -j ACCEPT",
    "ufw": "sudo ufw allow {udp}/udp && sudo ufw allow {tcp}/tcp",
    "firewalld": "sudo firewall-cmd --permanent --add-port={udp}/udp --add-port={tcp}/tcp"
    " && sudo firewall-cmd --reload",
}
"""The commands that let LSL in."""


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """What a rule does with packets that come in."""

    verdict: str
    protocol: str = ""  # of any, where empty
    ports: tuple[range, ...] = ()  # to any, where empty
    has_conditions: bool = False  # others than these, so that it may not concern LSL

    def concerns(self, protocol: str, port: int) -> bool:
        """Whether packets to this port may be its."""
        return self.protocol in ("", protocol) and (not self.ports or any(port in ports for ports in self.ports))


@dataclass(frozen=True, slots=True)
class InputChain:
    """The rules for packets that come in, in their order, and what becomes of those that no rule decides."""

    kind: str  # a key of `LINES`
    name: str
    policy: str
    rules: tuple[FirewallRule, ...]

    def drops(self, protocol: str, port: int) -> bool:
        """Whether it surely drops packets of other computers to this port; not where that depends on more."""
        for rule in (rule for rule in self.rules if rule.concerns(protocol, port)):
            if rule.verdict not in DROPPING:
                return False
            if not rule.has_conditions:
                return True
        return self.policy == "drop"


def firewall(
    used: LslPorts, etc: Path = Path("/etc"), proc: Path = PROC, system: str = sys.platform,
    listed: Callable[[], Sequence[InputChain] | None] | None = None,
) -> list[Finding]:  # fmt: skip
    """Whether a firewall of this computer keeps out the streams of others; its rules are read where that is allowed."""
    if system == "win32":
        do = Phrase("if streams of other computers are missing: in Windows Defender Firewall, allow python.exe on"
                    " private networks, and delete its rules that block")  # fmt: skip
        return [Finding("firewall", Level.NOT_CHECKED, NOT_HERE, do)]
    if system != "linux":
        do = Phrase("if streams of other computers are missing: in the settings of the firewall, allow incoming"
                    " connections for Python")  # fmt: skip
        return [Finding("firewall", Level.NOT_CHECKED, NOT_HERE, do)]
    name = _manager(etc, proc)
    if name and not _allowed_in(name, etc, used):
        found = Phrase("{firewall} is on: unless a rule allows LSL, streams of other computers are not found",
                       firewall=name)  # fmt: skip
        return [Finding("firewall", Level.WARNING, found, line(name, used))]
    chains = (listed or chains_in_force)()
    wanted = {"UDP": (used.search, used.first), "TCP": (used.first,)}
    for chain in chains or ():
        dropped = [f"{of} {port}" for of, ports in wanted.items() for port in ports if chain.drops(of.lower(), port)]
        if dropped:
            found = Phrase("{firewall} ({chain}) drops LSL: {ports}; streams of other computers are not found",
                           firewall=chain.kind, chain=chain.name, ports=dropped)  # fmt: skip
            return [Finding("firewall", Level.WARNING, found, line(chain.kind, used, chain.name))]
    if name:
        return [Finding("firewall", Level.OK, Phrase("{firewall} is on, and a rule of it allows LSL", firewall=name))]
    if chains is not None:
        return [Finding("firewall", Level.OK, Phrase("no rule is seen that keeps LSL out"))]
    found = Phrase("no ufw and no firewalld is on; other rules can be read by root only")
    do = Phrase("if streams of other computers are missing, look at them: sudo nft list ruleset")
    return [Finding("firewall", Level.OK, found, do)]


def line(kind: str, used: LslPorts, chain: str = "") -> str:
    """The command that lets LSL in."""
    to = ":" if kind in ("iptables", "ufw") else "-"
    udp, tcp = (f"{first}{to}{used.last + 1}" for first in (used.search, used.first))
    return LINES[kind].format(chain=chain, udp=udp, tcp=tcp)


def chains_in_force() -> list[InputChain] | None:
    """The chains for incoming packets, as ``nft`` and ``iptables`` list them; None where neither may be read."""
    listed = _output("nft", "--json", "list", "ruleset")
    saved = [*map(_output, ("iptables-save", "iptables-legacy-save"))]  # the first has what nft cannot show of iptables
    if listed is None and saved == [None, None]:
        return None
    return [*of_nft(json.loads(listed or "{}")), *(chain for text in saved for chain in of_iptables(text or ""))]


def of_nft(listed: dict[str, Any]) -> Iterator[InputChain]:
    """The chains for incoming packets in the output of ``nft --json list ruleset``."""
    entries = listed.get("nftables", [])
    rules = [entry["rule"] for entry in entries if "rule" in entry]
    for chain in (entry["chain"] for entry in entries if "chain" in entry):
        family, table, name = chain["family"], chain["table"], chain["name"]
        if (chain.get("hook"), chain.get("type")) == ("input", "filter") and family in ("ip", "inet"):
            own = [it["expr"] for it in rules if (it["family"], it["table"], it["chain"]) == (family, table, name)]
            made = tuple(filter(None, map(_of_expressions, own)))
            yield InputChain("nftables", f"{family} {table} {name}", chain.get("policy", "accept"), made)


def _of_expressions(expressions: Sequence[dict[str, Any]]) -> FirewallRule | None:
    """The rule; None where it decides nothing, or only of packets that begin nothing or come from here."""
    verdict, protocol, has_conditions = "", "", False
    ports: tuple[range, ...] = ()
    for kind, value in (pair for expression in expressions for pair in expression.items()):
        if kind in (*VERDICTS, "jump", "goto"):
            verdict = kind
        elif kind == "match" and _is_port(value):
            protocol, ports = value["left"]["payload"]["protocol"], tuple(_ranges(value["right"]))
        elif kind == "match" and value["left"].get("meta") == {"key": "l4proto"} and isinstance(value["right"], str):
            protocol = value["right"]
        elif kind == "match" and _is_of_no_concern(value):
            return None
        elif kind == "xt":  # of iptables, which lists it itself
            verdict, has_conditions = "jump", True
        elif kind not in NO_CONDITION:
            has_conditions = True
    return FirewallRule(verdict, protocol, ports, has_conditions) if verdict else None


def _is_of_no_concern(match: dict[str, Any]) -> bool:
    """Whether it holds only for replies, or for this computer's own packets."""
    left, right = match["left"], match["right"]
    if left.get("ct", {}).get("key") == "state":
        return "new" not in right
    return left.get("meta", {}).get("key") in ("iif", "iifname") and right == "lo"


def _is_port(match: dict[str, Any]) -> bool:
    payload = match["left"].get("payload", {})
    is_kept = match["op"] in ("==", "in") and payload.get("protocol") in ("udp", "tcp")
    return is_kept and payload.get("field") == "dport"


def _ranges(right: Any) -> Iterator[range]:
    if isinstance(right, dict) and "range" in right:
        first, last = right["range"]
        yield range(first, last + 1)
    elif isinstance(right, dict):
        yield from (one for part in right.get("set", ()) for one in _ranges(part))
    elif isinstance(right, int):
        yield range(right, right + 1)


def of_iptables(saved: str) -> Iterator[InputChain]:
    """The chain for incoming packets in the output of ``iptables-save``."""
    if policy := re.search(r"^:INPUT (\w+)", saved, re.MULTILINE):
        rules = re.findall(r"^-A INPUT (.*?)-j (\S+)", saved, re.MULTILINE)
        kept = tuple(_of_words(*rule) for rule in rules if not OF_NO_CONCERN.search(rule[0]))
        yield InputChain("iptables", "INPUT", policy[1].lower(), kept)


def _of_words(matches: str, target: str) -> FirewallRule:
    verdict = target.lower() if target.lower() in VERDICTS else "jump"
    protocol = re.search(r"-p (\w+)", matches)
    ports = re.search(r"--dports? (\S+)", matches)
    others = re.sub(r"-p (udp|tcp)|-m (udp|tcp|multiport)|--dports? \S+", "", matches).strip()
    bounds = [part.split(":") for part in ports[1].split(",")] if ports else []
    ranges = tuple(range(int(bound[0]), int(bound[-1]) + 1) for bound in bounds)
    return FirewallRule(verdict, protocol[1] if protocol else "", ranges, bool(others))


def _manager(etc: Path, proc: Path) -> str:
    if re.search(r"^ENABLED=yes", read(etc / "ufw" / "ufw.conf"), re.MULTILINE | re.IGNORECASE):
        return "ufw"
    return "firewalld" if running("firewalld", proc) else ""


def _allowed_in(name: str, etc: Path, used: LslPorts) -> bool:
    """Whether a rule of ufw or firewalld, where they may be read, names the port on which streams are looked for."""
    folder, pattern = {"ufw": ("ufw", "user.rules"), "firewalld": ("firewalld/zones", "*.xml")}[name]
    texts = map(read, (etc / folder).glob(pattern))
    return any(re.search(rf"\b{used.search}\b", text) for text in texts)


def _output(*words: str) -> str | None:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
