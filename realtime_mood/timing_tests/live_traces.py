"""One channel of a live or played stream with its markers: of any LSL stream of numbers, or an electrode."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np

from .. import clock
from ..contracts import Stream
from ..errors import SourceNotFound, StreamEnded, StreamMismatch
from ..sources.lsl.info import LslOptions, channels_of, is_virtual
from ..sources.lsl.source import LslSource
from ..sources.lsl.stream import PULL_S, Inlet, LslStream, listen
from ..sources.timing.rate import real_rate
from ..types import Chunk, StreamInfo
from .markers import listen_to
from .trace import Trace, column_of, sample_times

READ_S = 0.1
SILENT_S = 10.0  # a live stream that sends nothing for this long (s) ends the test


class LslChannel(LslSource):
    """One channel of a stream of numbers, of any kind and unit, by its label or number."""

    def __init__(self, stream_name: str, options: LslOptions, channel: str) -> None:
        super().__init__(stream_name, options)
        self._channel = channel

    def _understood(self, inlet: Inlet, announced: float) -> LslStream:
        full = inlet.full
        labels = [label for label, _, _ in channels_of(full)] or [""] * full.channel_count()
        self._columns = np.array([column_of(self._channel, labels, self.name)])
        self._scale = np.ones(1, np.float32)
        given = self.options.sfreq
        pulls, rate = listen(inlet, self._off, measure=given is None, least=0)
        sfreq, odd = (given, "") if given is not None else real_rate(announced, rate)
        notes = (odd,) if odd else ()
        info = StreamInfo((self._channel,), sfreq, full.name(), virtual=is_virtual(full), chunk_s=PULL_S, notes=notes)
        return LslStream(inlet, info, self._columns, self._scale, pulls)


def live_trace(stream: Stream, channel: str, markers: str, seconds: float, asked: str) -> Trace:
    """`seconds` of a live stream, on our clock; the markers are those of the stream, and of the LSL stream `markers`.

    Raises `StreamMismatch` where the stream has no such channel, and `SourceNotFound` where it sends nothing.
    """
    events: list[tuple[float, str]] = []
    lock = threading.Lock()

    def receive(text: str, t: float) -> None:
        with lock:
            events.append((t, text))

    listener = listen_to(markers, receive) if markers else None
    chunks: list[Chunk] = []
    heard = clock.now()
    if listener is not None:
        listener.start()
    try:
        while not chunks or chunks[-1].t_last - chunks[0].t_last < seconds:
            chunk = stream.read(READ_S)
            if chunk is not None:
                chunks.append(chunk)
                heard = clock.now()
            elif clock.now() - heard > SILENT_S:
                raise SourceNotFound(asked, f"nothing was sent for {SILENT_S:g} s", "start its sender")
    except StreamEnded:
        pass
    finally:
        if listener is not None:
            listener.close()
    with lock:
        return trace_of(chunks, stream.info, channel, asked, events)


def played_trace(stream: Stream, channel: str, seconds: float, asked: str) -> Trace:
    """At most `seconds` of a played stream, at the time of the recording.

    Raises `StreamMismatch` where it has no such channel.
    """
    chunks: list[Chunk] = []
    try:
        while not chunks or chunks[-1].end < seconds * stream.info.sfreq:
            if (chunk := stream.read(READ_S)) is not None:
                chunks.append(chunk)
    except StreamEnded:
        pass
    return trace_of(chunks, stream.info, channel, asked, None)


def trace_of(
    chunks: Iterable[Chunk], info: StreamInfo, channel: str, asked: str, events: list[tuple[float, str]] | None
) -> Trace:
    """Chunks as a trace: on our clock with the `events` received meanwhile, or where None, on the recording's time."""
    kept = [chunk for chunk in chunks if len(chunk.data)]
    column = column_of(channel, info.ch_names, asked)
    if not kept:
        raise StreamMismatch(asked, "it holds no samples", "choose another source")
    index = np.concatenate([np.arange(chunk.first, chunk.first + len(chunk.data)) for chunk in kept])
    values = np.concatenate([chunk.data[:, column] for chunk in kept]).astype(np.float64)
    if events is None:
        times = index / info.sfreq
    else:
        last = np.array([chunk.first + len(chunk.data) - 1 for chunk in kept])
        times = sample_times(index, last, np.array([chunk.t_last for chunk in kept]), info.sfreq)
    own = [(float(np.interp(m.index, index, times)), m.text) for chunk in kept for m in chunk.markers]
    together = tuple(sorted([*own, *(events or [])]))
    return Trace(times, values, info.sfreq, together, channel, info.notes, info.virtual)
