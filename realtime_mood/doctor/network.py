"""Checks of the network that LSL uses: adapters, VPNs, and multicast on each adapter."""

from __future__ import annotations

import re
import secrets
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .. import clock
from ..language import Phrase
from .finding import NOT_HERE, Finding, Level
from .ports import LOOPBACK
from .processes import read

PORT = 16571  # on which LSL is asked for streams
GROUPS = {"link": "224.0.0.183", "site": "239.255.172.215"}  # of LSL, by its scope
WAIT_S = 1.0
UP, IS_LOOPBACK, MULTICAST = 0x1, 0x8, 0x1000  # flags of an adapter on Linux
GET_FLAGS, GET_ADDRESS, GET_KIND = 0x8913, 0x8915, 0x8927  # ioctl: SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFHWADDR
NO_HARDWARE = (512, 65534)  # ARPHRD_PPP and ARPHRD_NONE: tunnels
VPN = re.compile(r"(tun|tap|wg|ppp|utun|ipsec|tailscale|zt|nordlynx|proton|cscotun|gpd)\w*$")
PEERS = Phrase("write the lines [lab] and KnownPeers = {ADDRESS}, with the address of the other computer, into"
               " ~/lsl_api/lsl_api.cfg")  # fmt: skip
VIRTUAL = re.compile(r"(docker|br-|veth|virbr|vmnet|vboxnet|lxc|podman)")


@dataclass(frozen=True, slots=True)
class Adapter:
    """A network adapter that is up and has an IPv4 address."""

    name: str
    address: str
    is_loopback: bool = False
    is_vpn: bool = False
    has_multicast: bool = True


def adapters() -> list[Adapter]:
    """The adapters that are up and have an address; Linux only."""
    import fcntl

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:

        def ask(what: int, name: str) -> bytes:
            return fcntl.ioctl(control.fileno(), what, struct.pack("256s", name.encode()[:15]))

        for _, name in socket.if_nameindex():
            try:
                flags, kind = (struct.unpack_from("H", ask(what, name), 16)[0] for what in (GET_FLAGS, GET_KIND))
                address = socket.inet_ntoa(ask(GET_ADDRESS, name)[20:24])
            except OSError:
                continue  # it has no IPv4 address
            if flags & UP:
                is_vpn = kind in NO_HARDWARE or bool(VPN.match(name))
                found.append(Adapter(name, address, bool(flags & IS_LOOPBACK), is_vpn, bool(flags & MULTICAST)))
    return found


def connections(
    known: Sequence[Adapter] | None = None, system: str = sys.platform, root: Path = Path("/")
) -> list[Finding]:
    """Whether several adapters or a VPN may keep LSL's search from the computer that sends."""
    if known is None and system != "linux":
        do = Phrase("if streams are missing, disconnect VPNs and the adapters that you do not need")
        return [Finding("adapters", Level.NOT_CHECKED, NOT_HERE, do)]
    there = [one for one in (adapters() if known is None else known) if not one.is_loopback]
    private = tuple(("address", one.address) for one in there)
    listed = [f"{one.name} ({one.address})" for one in there]
    if vpns := [one.name for one in there if one.is_vpn]:
        found = Phrase("a VPN is connected ({vpns}): LSL's search may end there. All adapters: {adapters}",
                       vpns=vpns, adapters=listed)  # fmt: skip
        do = Phrase("disconnect the VPN, or {peers}", peers=PEERS)
        return [Finding("adapters", Level.WARNING, found, do, private)]
    if there and (enclosed := _enclosed(root)):
        place, do = enclosed
        found = Phrase("{place}, which may have a network of its own: {adapters}", place=place, adapters=listed)
        return [Finding("adapters", Level.OK, found, do, private)]
    real = [one.name for one in there if not VIRTUAL.match(one.name)]
    if len(real) > 1:
        found = Phrase("several adapters are connected: {adapters}", adapters=listed)
        do = Phrase("if streams are missing, disconnect all but one, or {peers}", peers=PEERS)
        return [Finding("adapters", Level.OK, found, do, private)]
    connected = ", ".join(listed) or Phrase("only this computer: no network is connected")
    return [Finding("adapters", Level.OK, connected, private=private)]


def _enclosed(root: Path) -> tuple[Phrase, Phrase] | None:
    """In which other system this one runs, and what lets it find the streams outside; None if it has a computer."""
    if "microsoft" in read(root / "proc/sys/kernel/osrelease").lower():
        do = Phrase("if streams are missing: networkingMode=mirrored in .wslconfig of Windows, or {peers}", peers=PEERS)
        return Phrase("this is Linux inside Windows (WSL)"), do
    if any((root / name).exists() for name in (".dockerenv", "run/.containerenv")):
        do = Phrase("if streams are missing: start the container with --network host, or {peers}", peers=PEERS)
        return Phrase("this is a container"), do
    return None


def multicast(scope: str, known: Sequence[Adapter] | None = None, system: str = sys.platform) -> list[Finding]:
    """Whether what LSL sends to find streams arrives, on loopback, and on each adapter if `scope` is link or wider."""
    if failed := exchange(LOOPBACK, LOOPBACK, 0):
        found = Phrase("nothing can be sent to this computer itself ({address}): {why}", address=LOOPBACK, why=failed)
        do = Phrase("sudo ip link set lo up; if it is up, allow {address} in the firewall", address=LOOPBACK)
        return [Finding("multicast", Level.WRONG, found, do)]
    group = GROUPS.get(scope)
    if group is None:
        found = Phrase("{address} works; adapters are not tried with the LSL scope {scope}",
                       address=LOOPBACK, scope=scope)  # fmt: skip
        return [Finding("multicast", Level.OK, found, Phrase("to try them: doctor --lsl-scope link"))]
    if known is None and system != "linux":
        found = Phrase("{address} works; adapters are not tried on this system", address=LOOPBACK)
        return [Finding("multicast", Level.NOT_CHECKED, found)]
    there = [one for one in (adapters() if known is None else known) if not one.is_loopback]
    off = Phrase("switched off")
    results = {one.name: exchange(one.address, group, PORT) if one.has_multicast else off for one in there}
    if failures := [Phrase("{adapter}: {why}", adapter=name, why=why) for name, why in results.items() if why]:
        found = Phrase("streams of other computers are not found where multicast does not work ({adapters})",
                       adapters=failures)  # fmt: skip
        do = Phrase("do what is said of the firewall, or allow UDP 16571 to {group} in it; or {peers}",
                    group=group, peers=PEERS)  # fmt: skip
        if first := next((name for name, why in results.items() if why is off), ""):
            do = Phrase("sudo ip link set {adapter} multicast on; or {peers}", adapter=first, peers=PEERS)
        return [Finding("multicast", Level.WARNING, found, do)]
    found = Phrase("works on this computer, which has no other adapter")
    if there:
        found = Phrase("works on this computer and on {adapters}", adapters=[one.name for one in there])
    return [Finding("multicast", Level.OK, found)]


def exchange(address: str, group: str, port: int, wait_s: float = WAIT_S) -> str:
    """Send a packet from the adapter with this `address` to `group`, and receive it there; why that failed, or empty.

    A packet leaves the adapter for one network only (time to live 1). Port 0 is any free port.
    """
    token = f"realtime_mood doctor {secrets.token_hex(8)}".encode()
    is_multicast = group != address
    with ExitStack() as stack:
        receiver, sender = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
        try:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            receiver.bind((group, port))
            sender.bind((address, 0))
            if is_multicast:
                member = socket.inet_aton(group) + socket.inet_aton(address)
                receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            sender.sendto(token, receiver.getsockname())
            deadline = clock.now() + wait_s
            while (left := deadline - clock.now()) > 0:
                receiver.settimeout(left)
                if receiver.recv(2048) == token:
                    return ""
        except TimeoutError:
            pass
        except OSError as error:
            return error.strerror or str(error)
    return Phrase("what was sent did not arrive")
