"""The test of markers: sent over LSL by another process, received as in a run, with the exactness of their times."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import clock, liblsl
from ..errors import SourceLost
from ..health import Vitals
from ..run.auxiliary import AuxAcquisition
from ..sources.lsl.aux_source import LslAux
from .spread import Spread, spread_of

NAME = "realtime-mood-timing"
LATEST_S = 2.0  # a marker that has not arrived this long (s) after the last was sent is lost
TEXT = re.compile(r"(\d+) (\d+(?:\.\d*)?(?:e[+-]?\d+)?)")


class Received(NamedTuple):
    """A marker as it was received."""

    text: str
    stamp: float  # when it was sent, as the receiver understands its stamp (s, our clock)
    arrived: float  # (s, our clock)


@dataclass(frozen=True, slots=True, eq=False)
class MarkerTest:
    """Result of the test."""

    sent: int
    lost: int
    repeated: int
    stamps: Spread | None  # the stamp less the true time of sending
    arrivals: Spread | None  # the arrival less the true time of sending
    at: np.ndarray  # (n,) s: when each was sent, from the first
    errors: np.ndarray  # (n,) s: of their stamps
    virtual: bool = False


def listen_to(url: str, receive: Callable[[str, float], None]) -> AuxAcquisition:
    """A stream of markers as in a run; `receive` gets each marker, its text and when it was sent (s, our clock)."""

    def mark(text: str, t: float) -> bool:
        receive(text, t)
        return True

    return AuxAcquisition(LslAux(url, in_markers=True), 0, lambda info, chunk: None, mark, Vitals(clock.now))


def measure(n: int, scope: str | None) -> MarkerTest:
    """Send `n` markers from a process on this computer and receive them; raises `SourceLost` where that one fails."""
    name, received = f"{NAME}-{os.getpid()}", list[Received]()
    source_id = liblsl.own_id(name)
    command = [sys.executable, "-m", f"{__package__}.sender", name, source_id, str(n), scope or "-"]
    paths = os.pathsep.join(path for path in sys.path if path)
    sender = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace",
        env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    listener = listen_to(
        f"lsl://{name}?source_id={source_id}", lambda text, t: received.append(Received(text, t, clock.now()))
    )
    assert sender.stdout is not None
    with sender, closing(listener):
        listener.start()
        try:
            if (said := sender.stdout.readline().strip()) != "sent":
                found = f"it sent nothing: {said or 'it ended at once'}"
                raise SourceLost("the sender of markers", found, "check the LSL scope and the firewall")
            deadline = clock.now() + LATEST_S
            while len(received) < n and clock.now() < deadline:
                time.sleep(0.02)
            to_ours = clock.offset_to(liblsl.pylsl().local_clock)
        finally:
            sender.kill()
    return evaluate(n, received, to_ours)


def evaluate(n: int, received: Iterable[Received], to_ours: float) -> MarkerTest:
    """Compare the markers received with the numbers and times that they hold.

    `to_ours` is what to add to the time in a marker to get that of our clock (s). Other markers are ignored.
    """
    first: dict[int, tuple[float, float, float]] = {}
    repeated = 0
    for text, stamp, arrived in received:
        if (match := TEXT.fullmatch(text)) and int(match[1]) < n:
            repeated += int(match[1]) in first
            at = float(match[2]) + to_ours
            first.setdefault(int(match[1]), (at, stamp - at, arrived - at))
    sent, errors, delays = np.array([first[k] for k in sorted(first)]).reshape(-1, 3).T
    return MarkerTest(
        n, n - len(first), repeated, spread_of(errors), spread_of(delays), sent - sent[0] if len(sent) else sent, errors
    )
