"""Checks of LSL: the library, its configuration, a stream of our own, and the streams that others announce.

The functions at the end run in child processes, so that a library that hangs or crashes is a finding.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import clock, liblsl
from ..errors import MoodError
from ..guard import GuardedThread
from ..recording.announced import missing
from ..recording.autosave import recordings_in
from ..recording.reader import open_recorded
from .finding import Finding, Level
from .running import ChildFailed, failed, in_child

OWN = "realtime_mood doctor"  # the name of our stream
FIND_S = 10.0  # a busy computer takes seconds
LOOK_S = 2.0  # senders answer within this time
LISTEN_S = 3.0  # a stream that sends nothing for so long is dead
SFREQ = 100.0
SAME_CLOCK_S = 0.01
MOST_RECORDINGS = 20  # of which the newest with a list of streams is looked for
MOST = 64  # streams that are listened to
Call = Callable[..., Any]
Stream = Mapping[str, Any]


def library(call: Call = in_child, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Whether the LSL library can be loaded."""
    try:
        version = call("realtime_mood.doctor.streams:version", deadline_s=15.0, environment=environment)
    except ChildFailed as error:
        do = "pip install --force-reinstall pylsl, or install liblsl and name its file in PYLSL_LIB"
        return failed("LSL library", "LSL cannot be loaded", error, do)
    return [Finding("LSL library", Level.OK, f"liblsl {version} loads")]


def own_stream(scope: str, call: Call = in_child) -> list[Finding]:
    """Whether a stream that one process announces is found, and read, by another on this computer."""
    do = "allow UDP and TCP 16571 to 16604 on 127.0.0.1 in the firewall, and look at the checks firewall and multicast"
    try:
        got = call("realtime_mood.doctor.streams:send_to_ourselves", scope, deadline_s=40.0)
    except ChildFailed as error:
        return failed("own LSL stream", "a stream of our own cannot be tried", error, do)
    if got == "received":
        return [Finding("own LSL stream", Level.OK, "found and read on this computer")]
    return [Finding("own LSL stream", Level.WRONG, f"a stream of our own is {got} on this computer", do)]


def announced(scope: str, call: Call = in_child, folders: Sequence[Path] = ()) -> list[Finding]:
    """What is wrong with the streams that are announced within `scope`; `folders` have recordings of last time."""
    try:
        there = call("realtime_mood.doctor.streams:survey", scope, deadline_s=30.0)
    except ChildFailed as error:
        found = f"the streams cannot be listed: {error}"
        return [Finding("LSL streams", Level.WARNING, found, "see what it says about the LSL library")]
    return [
        *silent(there, scope),
        *gone(there, last_time(folders)),
        *twins(there),
        *clocks(there, socket.gethostname()),
    ]


def last_time(folders: Sequence[Path]) -> list[Stream]:
    """The streams that were announced in the newest recording with such a list, when there were most."""
    for path in recordings_in(*folders)[: -MOST_RECORDINGS - 1 : -1]:
        with suppress(MoodError, OSError):  # of another program, damaged, or gone meanwhile
            if lists := [streams for streams in open_recorded(path).announced() if streams]:
                return [*max(lists, key=len)]
    return []


def gone(there: Sequence[Stream], then: Sequence[Stream]) -> list[Finding]:
    """Streams of the last recorded session that are not announced now."""
    lost = missing(then, there)
    if not lost:
        return []
    found = f"{len(lost)} of {len(then)} streams of last time are missing: {', '.join(map(_described, lost))}"
    do = "start their programs; if they run, see what it says about firewall, adapters and the LSL configuration"
    return [Finding("LSL streams of last time", Level.WARNING, found, do, _names(lost))]


def silent(there: Sequence[Stream], scope: str) -> list[Finding]:
    """Streams with a regular rate that are announced, and send nothing."""
    private = _names(there)
    dead = [one for one in there if one["sfreq"] > 0 and not one["samples"]]
    if dead:
        found = f"{len(dead)} of {len(there)} streams send nothing: {', '.join(map(_described, dead))}"
        do = "restart their programs: a headset that sleeps, is empty or out of reach leaves such a stream behind"
        return [Finding("LSL streams", Level.WARNING, found, do, private)]
    if not there:
        do = "" if scope in liblsl.WIDE else "for the network: doctor --lsl-scope link (or site)"
        return [Finding("LSL streams", Level.OK, f"none announced within the scope {scope}", do)]
    found = f"{len(there)} announced, none of them silent: {', '.join(map(_described, there))}"
    return [Finding("LSL streams", Level.OK, found, private=private)]


def twins(there: Sequence[Stream]) -> list[Finding]:
    """Streams that nothing distinguishes after a restart: the same name, type and ``source_id``."""
    by_identity = defaultdict(list)
    for one in there:
        by_identity[one["name"], one["type"], one["source_id"]].append(one)
    several = [ones for ones in by_identity.values() if len(ones) > 1]
    if not several:
        return []
    found = "; ".join(f"{len(ones)} streams are one and the same: {_described(ones[0])}" for ones in several)
    do = "end the one that is left over, or give each its own source_id; `devices` lists a URL for each"
    return [Finding("LSL identities", Level.WARNING, found, do, _names(there))]


def clocks(there: Sequence[Stream], own_host: str) -> list[Finding]:
    """Hosts whose clock cannot be compared with ours, which LSL needs to align streams."""
    unknown = sorted({one["host"] for one in there if one["offset"] is None and one["samples"]})
    if unknown:
        found = f"the clock of {', '.join(unknown)} cannot be compared with ours: times will not be aligned"
        do = "allow UDP 16572 to 16604 in the firewalls of both computers"
        return [Finding("LSL clocks", Level.WARNING, found, do, _names(there))]
    odd = [one for one in there if one["host"] == own_host and abs(one["offset"] or 0.0) > SAME_CLOCK_S]
    if odd:
        found = f"{_described(odd[0])} is {odd[0]['offset']:.3f} s off the clock of this computer, on which it runs"
        do = "is it in a container or a virtual machine with the same name? Then give that another name"
        return [Finding("LSL clocks", Level.WARNING, found, do, _names(there))]
    offsets = {one["host"]: one["offset"] for one in there if one["offset"] is not None}
    found = ", ".join(f"{host} {offset:+.3f} s" for host, offset in offsets.items())
    return (
        [Finding("LSL clocks", Level.OK, f"offsets, which LSL corrects: {found}", private=_names(there))]
        if found
        else []
    )


def _described(one: Stream) -> str:
    return f"{one['name']!r} ({one['type'] or 'no type'}, {one['sfreq']:g} Hz, from {one['host']})"


def _names(there: Sequence[Stream]) -> tuple[tuple[str, str], ...]:
    keys = zip(("stream", "host", "source"), ("name", "host", "source_id"), strict=True)
    return tuple(dict.fromkeys((kind, one[key]) for kind, key in keys for one in there if one[key]))


def version() -> str:
    """The version of the LSL library, loaded as for a run."""
    number = liblsl.pylsl().library_version()
    return f"{number // 100}.{number % 100}"


def send_to_ourselves(scope: str) -> str:
    """Announce a stream, and have another process look for it: ``received``, or how far it came."""
    liblsl.set_scope(scope)
    info, _ = liblsl.described(OWN, "doctor", [("one", "")], SFREQ, liblsl.own_id("doctor"), virtual=True)
    outlet, done = liblsl.pylsl().StreamOutlet(info), threading.Event()

    def send() -> None:
        while not done.wait(1 / SFREQ):
            outlet.push_sample([1.0])

    sending = GuardedThread(send, "mood-doctor-send")
    sending.start()
    try:
        target = "realtime_mood.doctor.streams:receive"
        return str(in_child(target, info.source_id(), scope, deadline_s=30.0))
    finally:
        done.set()
        sending.join()


def receive(source_id: str, scope: str) -> str:
    """Look for the stream with this ``source_id``, and read one sample of it."""
    liblsl.set_scope(scope)
    found = liblsl.pylsl().resolve_byprop("source_id", source_id, 1, FIND_S)
    if not found:
        return "not found"
    inlet = liblsl.pylsl().StreamInlet(found[0], recover=False)
    sample, _ = inlet.pull_sample(FIND_S)
    return "received" if sample else "found, but cannot be read"


def survey(scope: str) -> list[dict[str, Any]]:
    """The streams that are announced: what they state, how many ``samples`` came, the ``offset`` of their clock (s).

    An offset is None where it cannot be measured.
    """
    from ..sources.lsl.info import identity_of

    liblsl.set_scope(scope)
    lsl = liblsl.pylsl()
    resolver = lsl.ContinuousResolver()
    time.sleep(LOOK_S)
    infos = [info for info in resolver.results() if info.name() != OWN][:MOST]
    there = [{**identity_of(one), "sfreq": one.nominal_srate(), "samples": 0, "offset": None} for one in infos]
    inlets = [lsl.StreamInlet(info, max_buflen=2, recover=False) for info in infos]
    end = clock.now() + LISTEN_S
    while clock.now() < end and any(not one["samples"] or one["offset"] is None for one in there):
        for one, inlet in zip(there, inlets, strict=True):
            with suppress(Exception):  # TimeoutError, LostError: what is missing then says so
                one["samples"] += len(inlet.pull_chunk(timeout=0.0)[1])
                if one["offset"] is None:
                    one["offset"] = inlet.time_correction(timeout=0.02)
        time.sleep(0.02)
    return there
