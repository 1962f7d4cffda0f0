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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import clock, liblsl
from ..errors import MoodError
from ..guard import GuardedThread
from ..language import Phrase
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
LIBRARY_FIRST = Phrase("do what is said of the LSL library; or try again")
MOST = 64  # streams that are listened to
Call = Callable[..., Any]
Stream = Mapping[str, Any]


def library(call: Call = in_child, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Whether the LSL library can be loaded."""
    try:
        version = call("realtime_mood.doctor.streams:version", deadline_s=15.0, environment=environment)
    except ChildFailed as error:
        do = Phrase("pip install --force-reinstall pylsl, or install liblsl and name its file in PYLSL_LIB")
        return failed("LSL library", Phrase("LSL cannot be loaded: {why}", why=error.why), error, do)
    return [Finding("LSL library", Level.OK, Phrase("liblsl {version} loads", version=version))]


def own_stream(scope: str, call: Call = in_child) -> list[Finding]:
    """Whether a stream that one process announces is found, and read, by another on this computer."""
    try:
        got = call("realtime_mood.doctor.streams:send_to_ourselves", scope, deadline_s=40.0)
    except ChildFailed as error:
        found = Phrase("a stream of our own, for a test, cannot be tried: {why}", why=error.why)
        return failed("own LSL stream", found, error, LIBRARY_FIRST)
    if got == "received":
        found = Phrase("a stream of our own, for a test, is found and read on this computer")
        return [Finding("own LSL stream", Level.OK, found)]
    if got == "unseen":
        found = Phrase("a stream of our own, for a test, is not found on this computer")
        do = Phrase("do what is said of the firewall and of multicast; if they are in order, allow UDP 16571 to 16604"
                    " on 127.0.0.1 in the firewall")  # fmt: skip
    else:
        found = Phrase("a stream of our own, for a test, is found, but cannot be read on this computer")
        do = Phrase("do what is said of the firewall; if it is in order, allow TCP 16572 to 16604 on 127.0.0.1 in it")
    return [Finding("own LSL stream", Level.WRONG, found, do)]


def announced(scope: str, call: Call = in_child, folders: Sequence[Path] = ()) -> list[Finding]:
    """What is wrong with the streams that are announced within `scope`; `folders` have recordings of last time."""
    try:
        there = call("realtime_mood.doctor.streams:survey", scope, deadline_s=30.0)
    except ChildFailed as error:
        found = Phrase("the streams cannot be listed: {why}", why=error.why)
        return [Finding("LSL streams", Level.WARNING, found, LIBRARY_FIRST)]
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
    found = Phrase("{n} of {all} streams of last time are missing: {streams}",
                   n=len(lost), all=len(then), streams=[*map(_described, lost)])  # fmt: skip
    do = Phrase("start their programs; if they run, do what is said of firewall, adapters and the LSL configuration")
    return [Finding("LSL streams of last time", Level.WARNING, found, do, _names(lost))]


def silent(there: Sequence[Stream], scope: str) -> list[Finding]:
    """Streams that are announced and cannot be connected to, or have a regular rate and send nothing."""
    private = _names(there)
    if closed := [one for one in there if not one["connected"]]:
        found = Phrase("announced, but no connection to {n} of {all} streams: {streams}",
                       n=len(closed), all=len(there), streams=[*map(_described, closed)])  # fmt: skip
        do = Phrase("allow TCP 16572 to 16604 in the firewalls of this computer and of theirs; if that is so, restart"
                    " their programs")  # fmt: skip
        return [Finding("LSL streams", Level.WARNING, found, do, private)]
    dead = [one for one in there if one["sfreq"] > 0 and not one["samples"]]
    if dead:
        found = Phrase("announced, but nothing arrives, from {n} of {all} streams: {streams}",
                       n=len(dead), all=len(there), streams=[*map(_described, dead)])  # fmt: skip
        do = Phrase("restart the program that sends it: a headset that sleeps, is empty or out of reach leaves such a"
                    " stream behind")  # fmt: skip
        return [Finding("LSL streams", Level.WARNING, found, do, private)]
    if not there:
        found = Phrase("none announced within the scope {scope}", scope=scope)
        wider = Phrase("for streams of other computers: doctor --lsl-scope link (or site)")
        return [Finding("LSL streams", Level.OK, found, "" if scope in liblsl.WIDE else wider)]
    found = Phrase("{n} announced, none of them silent: {streams}", n=len(there), streams=[*map(_described, there)])
    return [Finding("LSL streams", Level.OK, found, private=private)]


def twins(there: Sequence[Stream]) -> list[Finding]:
    """Streams that nothing distinguishes after a restart: the same name, type and ``source_id``."""
    by_identity = defaultdict(list)
    for one in there:
        by_identity[one["name"], one["type"], one["source_id"]].append(one)
    several = [ones for ones in by_identity.values() if len(ones) > 1]
    if not several:
        return []
    named = [Phrase("{n} times {stream}", n=len(ones), stream=_described(ones[0])) for ones in several]
    found = Phrase("nothing tells streams of one name, type and source_id apart: {streams}", streams=named)
    do = Phrase("end the one that is left over, or give each its own source_id; `devices` lists a URL for each")
    return [Finding("LSL identities", Level.WARNING, found, do, _names(there))]


def clocks(there: Sequence[Stream], own_host: str) -> list[Finding]:
    """Hosts whose clock cannot be compared with ours, which LSL needs to align streams."""
    unknown = sorted({one["host"] for one in there if one["offset"] is None and one["samples"]})
    if unknown:
        found = Phrase("the clock of {hosts} cannot be compared with ours: times will not be aligned", hosts=unknown)
        do = Phrase("allow UDP 16572 to 16604 in the firewalls of both computers")
        return [Finding("LSL clocks", Level.WARNING, found, do, _names(there))]
    odd = [one for one in there if one["host"] == own_host and abs(one["offset"] or 0.0) > SAME_CLOCK_S]
    if odd:
        found = Phrase("{stream} is {offset:.3f} s off the clock of this computer, on which it runs",
                       stream=_described(odd[0]), offset=odd[0]["offset"])  # fmt: skip
        do = Phrase("is it in a container or a virtual machine with the same name? Then give that another name")
        return [Finding("LSL clocks", Level.WARNING, found, do, _names(there))]
    offsets = {one["host"]: one["offset"] for one in there if one["offset"] is not None}
    if not offsets:
        return []
    listed = [Phrase("{host} {offset:+z.3f} s", host=host, offset=offset) for host, offset in offsets.items()]
    found = Phrase("differences of clocks, which LSL corrects: {hosts}", hosts=listed)
    return [Finding("LSL clocks", Level.OK, found, private=_names(there))]


def _described(one: Stream) -> Phrase:
    kind = one["type"] or Phrase("no type")
    rate = Phrase("{sfreq:g} Hz", sfreq=one["sfreq"]) if one["sfreq"] else Phrase("irregular")
    return Phrase("{name} ({kind}, {rate}, from {host})",
                  name=repr(one["name"]), kind=kind, rate=rate, host=one["host"])  # fmt: skip


def _names(there: Sequence[Stream]) -> tuple[tuple[str, str], ...]:
    keys = zip(("stream", "host", "source"), ("name", "host", "source_id"), strict=True)
    return tuple(dict.fromkeys((kind, one[key]) for kind, key in keys for one in there if one[key]))


def version() -> str:
    """The version of the LSL library, loaded as for a run."""
    number = liblsl.pylsl().library_version()
    return f"{number // 100}.{number % 100}"


def send_to_ourselves(scope: str) -> str:
    """Announce a stream, and have another process look for it, as `receive` does; what that returns."""
    liblsl.set_scope(scope)
    info, _ = liblsl.outlet_info(OWN, "doctor", [("one", "")], SFREQ, liblsl.own_id("doctor"), virtual=True)
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
    """Look for the stream with this ``source_id``, and read one sample: ``received``, ``unread`` or ``unseen``."""
    liblsl.set_scope(scope)
    found = liblsl.pylsl().resolve_byprop("source_id", source_id, 1, FIND_S)
    if not found:
        return "unseen"
    inlet = liblsl.pylsl().StreamInlet(found[0], recover=False)
    sample, _ = inlet.pull_sample(FIND_S)
    return "received" if sample else "unread"


def survey(scope: str) -> list[dict[str, Any]]:
    """The streams that are announced: what they state, and what `_listened` adds to it."""
    from ..sources.lsl.info import identity_of

    liblsl.set_scope(scope)
    resolver = liblsl.pylsl().ContinuousResolver()
    time.sleep(LOOK_S)
    infos = sorted((info for info in resolver.results() if info.name() != OWN), key=lambda info: info.name())[:MOST]
    with ThreadPoolExecutor(MOST) as pool:
        heard = pool.map(_listened, infos)
    return [{**identity_of(info), "sfreq": info.nominal_srate(), **of} for info, of in zip(infos, heard, strict=True)]


def _listened(info: Any) -> dict[str, Any]:
    """Whether it can be ``connected`` to, how many ``samples`` came, and the ``offset`` (s) of its clock, if known.

    The library waits without end for a connection that a firewall drops, unless it is opened first.
    """
    of: dict[str, Any] = {"connected": False, "samples": 0, "offset": None}
    end = clock.now() + LISTEN_S
    inlet = liblsl.pylsl().StreamInlet(info, max_buflen=2, recover=False)
    with suppress(Exception):  # of the library, TimeoutError and LostError: what is missing then says so
        inlet.open_stream(LISTEN_S)
        of["connected"] = True
    while of["connected"] and clock.now() < end and (not of["samples"] or of["offset"] is None):
        with suppress(Exception):
            of["samples"] += len(inlet.pull_chunk(timeout=0.0)[1])
            of["offset"] = inlet.time_correction(timeout=0.02) if of["offset"] is None else of["offset"]
        time.sleep(0.02)
    return of
