"""Plays a recording as a live LSL stream, for tests, demonstrations and other programs."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlencode

from ... import clock, liblsl
from ...contracts import Stream
from ...errors import ConfigError, SourceNotFound, StreamEnded
from ...montage import positions
from ...plugins import read_options, split
from ...types import StreamInfo
from .. import open_source
from ..faults.broadcast import FaultyOutlet, broadcast
from ..faults.headset import Headset
from ..faults.script import FaultScript
from ..playback import PlaybackOptions, PlaybackSource

CHUNK_S = 0.04  # seconds of signal per push
LINGER_S = 3.0  # how long receivers may take to fetch the last sample (s)
LIVE = ("lsl", "brainflow")  # schemes of live sources, which cannot be played
HEAD_MM = 95.0  # radius of the head for electrode positions (mm)


def play(
    file: str,
    name: str,
    *,
    virtual: bool = False,
    loop: bool = False,
    source_id: str | None = None,
    start: float = 0.0,
    stop: float | None = None,
    channels: Sequence[str] = (),
    units: Literal["uV", "mV", "V", "nV"] | None = None,
    faults: str = "",
    wait_s: float = math.inf,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Play `file` once or in a loop, until its end or an interrupt (SIGINT, SIGTERM).

    Nothing is sent before a receiver connects, within `wait_s` seconds, so the first sample sent is the first of the
    recording. Stamps follow the schedule (start + n / sfreq), not the time of sending.

    The `file` is a path, or the URL of a finite source, which carries its own `loop`, `start`, `stop`, `channels`,
    `units` and faults; `name` is that of the stream. `virtual` marks the signal as simulated, as a simulated source
    does itself. The `source_id` is unique for each call by default; with a fixed one, receivers reconnect when it is
    played again. `faults` is a script, ``KIND[:VALUE][:ELECTRODE…][@START[-END]],…``; see `faults.FAULTS`. `say`
    receives the faults as they happen, and other messages. Raises `MoodError` where the recording cannot be read, or no
    receiver connected.
    """
    pylsl = liblsl.pylsl()

    if "://" in file:
        url, own_faults = _unpaced(file)
        faults = ",".join(filter(None, (own_faults, faults)))
        stream = open_source(url).open()
    else:
        given = {"loop": loop, "start": start, "stop": stop, "channels": tuple(channels), "units": units}
        options = read_options(PlaybackOptions, file, given | {"speed": math.inf}, "outlet")
        stream = PlaybackSource(file, options).open()
    with contextlib.closing(stream), interruptible() as interrupted:
        info = replace(stream.info, virtual=virtual or stream.info.virtual)
        source_id = source_id or liblsl.own_id(name)
        script = FaultScript.parse(faults, info.ch_names) if faults else None
        outlet = (
            _on_air(info, name, source_id, script) if script else pylsl.StreamOutlet(_described(info, name, source_id))
        )
        liblsl.say_leaving(f"the stream {name}")
        say(f"{name}: {info.n_chans} channels at {info.sfreq:g} Hz, waiting for a receiver")
        if not _until(outlet.have_consumers, wait_s, interrupted):
            if interrupted.is_set():
                return
            raise SourceNotFound(f"outlet {name!r}", f"no receiver within {wait_s:g} s", "connect one while it waits")
        say(f"{name}: playing")
        if script:
            headset = Headset(stream, script, unix_s=time.time() - pylsl.local_clock())
            sent = broadcast(headset, outlet, interrupted, CHUNK_S, lambda text: say(f"{name}: {text}"))
        else:
            sent = _send(stream, outlet, interrupted)
        if not interrupted.is_set():
            _until(lambda: not outlet.have_consumers(), LINGER_S, interrupted)
        say(f"{name}: {sent} samples sent")


def _unpaced(url: str) -> tuple[str, str]:
    """The URL without pacing, since this module keeps the schedule, and without faults; and the faults."""
    scheme, _, query = split(url)
    if scheme in LIVE:
        raise ConfigError(f"outlet {url!r}", "a live stream", "give a recording or a synthetic:// source")
    faults = query.pop("faults", "") if scheme == "synthetic" else ""
    return f"{url.partition('?')[0]}?{urlencode(query | {'speed': 'max'}, safe=':,/')}", faults


def _on_air(info: StreamInfo, name: str, source_id: str, script: FaultScript) -> FaultyOutlet:
    """The outlets of a stream with faults."""
    for fault in script.of("announce"):
        info = replace(info, sfreq=fault.value)
    if script.of("anonymous"):
        source_id = ""

    def stream(fewer: int) -> Any:
        return _described(replace(info, ch_names=info.ch_names[: info.n_chans - fewer]), name, source_id)

    def decoys() -> list[Any]:
        return [_described(info, name, source_id, "Accelerometer"), _described(info, f"{name}-decoy", source_id)]

    return FaultyOutlet(stream, decoys)


def _send(stream: Stream, outlet: Any, interrupted: threading.Event) -> int:
    """Push everything on schedule; return the number of samples sent."""
    to_stamps = liblsl.to_stamps()
    sfreq, step, sent = stream.info.sfreq, max(1, round(CHUNK_S * stream.info.sfreq)), 0
    t0 = clock.now()
    while not interrupted.is_set():
        try:
            chunk = stream.read(0.1)
        except StreamEnded:
            break
        if chunk is None:
            continue
        for at in range(0, len(chunk), step):
            data = chunk.data[at : at + step]
            # Lost samples are not sent but take their time, so they are a gap in the stamps.
            taken = t0 + (chunk.first + at + len(data)) / sfreq
            if interrupted.wait(max(0.0, taken - clock.now())):
                return sent
            outlet.push_chunk(data, taken + to_stamps)
            sent += len(data)
    return sent


def _described(info: StreamInfo, name: str, source_id: str, kind: str = "EEG") -> Any:
    """Metadata of an outlet, with XDF's names."""
    channels = [(ch_name, "microvolts") for ch_name in info.ch_names]
    description, elements = liblsl.outlet_info(name, kind, channels, info.sfreq, source_id, info.virtual)
    description.desc().append_child("reference").append_child_value("label", info.reference)
    for ch_name, channel in zip(info.ch_names, elements, strict=True):
        location = channel.append_child("location")
        for axis, unit in zip("XYZ", positions()[ch_name], strict=True):
            location.append_child_value(axis, f"{unit * HEAD_MM:.1f}")
    return description


def _until(condition: Callable[[], bool], wait_s: float, interrupted: threading.Event) -> bool:
    deadline = clock.now() + wait_s
    while not condition():
        if clock.now() >= deadline or interrupted.wait(0.02):
            return False
    return True


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event set by Ctrl-C and SIGTERM; never set outside the main thread, where signals cannot be handled."""
    event = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, lambda number, frame: event.set()) for number in numbers}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
