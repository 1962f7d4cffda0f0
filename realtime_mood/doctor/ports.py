"""The check of the ports that LSL uses on this computer: whether they are free, and whether who has one answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from ..language import Phrase
from .configuration import settings_of
from .finding import Finding, Level
from .processes import PROC, is_stopped, named, with_port

LOOPBACK = "127.0.0.1"
ANSWER_S = 6.0  # a busy computer takes seconds


@dataclass(frozen=True, slots=True)
class LslPorts:
    """The ports of LSL: UDP `search`, on which streams are looked for, and UDP and TCP `first` to `last` of streams."""

    search: int = 16571
    first: int = 16572
    number: int = 32

    @property
    def last(self) -> int:
        """The last port of streams."""
        return self.first + self.number - 1

    @classmethod
    def in_force(cls, own: Path | None) -> LslPorts:
        """Those of the user's `own` configuration, and else those of the library."""
        settings = settings_of(own)
        keys = {"search": "MulticastPort", "first": "BasePort", "number": "PortRange"}
        numbers = {name: settings[key] for name, key in keys.items() if settings.get(key, "").isdecimal()}
        return cls(**{name: int(text) for name, text in numbers.items()})


class Answer(Enum):
    """What comes back from a port."""

    NONE = auto()  # nobody listens there
    DROPPED = auto()  # a firewall is in between
    MUTE = auto()  # somebody listens, and does not answer
    ANY = auto()


def ports(used: LslPorts, proc: Path = PROC) -> list[Finding]:
    """Whether the ports of LSL are free, and whether the streams of this computer that have one answer."""
    numbers = range(used.first, used.last + 1)
    with ThreadPoolExecutor(64) as pool:
        answers = dict(zip(numbers, pool.map(ask, numbers), strict=True))
    mute = [number for number, answer in answers.items() if answer is Answer.MUTE]
    findings = [*_of_search(used.search, proc), *_of_mute(mute, proc)]
    if Answer.DROPPED in answers.values() and not findings:
        found = Phrase("not checked: connections to the ports for streams are dropped on this computer")
        return [Finding("LSL ports", Level.NOT_CHECKED, found, Phrase("do what is said of the firewall"))]
    n_taken = sum(answer in (Answer.MUTE, Answer.ANY) for answer in answers.values())
    if n_taken == used.number:
        found = Phrase("all ports for streams are in use, {first} to {last}: more streams are not found",
                       first=used.first, last=used.last)  # fmt: skip
        do = Phrase("end programs that are left over, or set a larger PortRange in lsl_api.cfg on every computer")
        findings.append(Finding("LSL ports", Level.WARNING, found, do))
    found = Phrase("{n} of {all} ports for streams are in use, and UDP {port} can be used",
                   n=n_taken, all=used.number, port=used.search)  # fmt: skip
    return findings or [Finding("LSL ports", Level.OK, found)]


def ask(port: int) -> Answer:
    """Connect to a port of this computer, and ask the stream there what it is."""
    try:
        connection = socket.create_connection((LOOPBACK, port), ANSWER_S)
    except TimeoutError:
        return Answer.DROPPED
    except OSError:
        return Answer.NONE
    with connection:
        try:
            connection.sendall(b"LSL:fullinfo\r\n")
            connection.recv(64)
        except TimeoutError:
            return Answer.MUTE
        except OSError:  # it ends just now, or is no stream
            return Answer.ANY
    return Answer.ANY


def _of_search(port: int, proc: Path) -> list[Finding]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as LSL does: its programs share the port
            tried.bind((LOOPBACK, port))
        except OSError as error:
            who = [named(process) for process in with_port(port, "udp", proc)] or error.strerror or str(error)
            found = Phrase("UDP {port}, on which streams are looked for, cannot be shared: {why}", port=port, why=who)
            do = Phrase("end the program that has it: others cannot find the streams of this computer")
            return [Finding("LSL ports", Level.WARNING, found, do)]
    return []


def _of_mute(ports: Sequence[int], proc: Path) -> Iterator[Finding]:
    """A finding for each program that has some of these ports and does not answer."""
    of_program: dict[Path | None, list[int]] = {}
    for port in ports:
        holders: Sequence[Path | None] = with_port(port, "tcp", proc) or [None]
        for holder in holders:
            of_program.setdefault(holder, []).append(port)
    for process, numbers in of_program.items():
        who = named(process) if process else Phrase("a program that cannot be seen")
        if process and is_stopped(process):
            found = Phrase("{program} is stopped, as by Ctrl+Z, and has ports of LSL ({ports}): its streams are not"
                           " found", program=who, ports=numbers)  # fmt: skip
            do = Phrase("continue it: fg in its terminal, or kill -CONT {number}; or end it", number=process.name)
        else:
            found = Phrase("{program} does not answer, and has ports of LSL ({ports}): it hangs",
                           program=who, ports=numbers)  # fmt: skip
            do = Phrase("end that program, and start it again")
        yield Finding("LSL ports", Level.WARNING, found, do)
