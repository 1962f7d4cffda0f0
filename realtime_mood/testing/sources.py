"""The check of a source: what it promises, what it sends, in which unit, how fast it answers, and what it leaves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from .. import clock
from ..contracts import Returning, Source, Stream
from ..errors import SourceLost, SourceNotFound, StreamEnded
from ..montage import canonical_name
from ..types import Chunk, StreamInfo
from .waiting import Violation, no_threads_left, require, within

OPEN_S, READ_S, CLOSE_S = 15.0, 2.0, 3.0  # deadlines: of `open`; of `read` beyond its timeout; of `close`
AWAY_S = 10.0
LEAST_UV, MOST_UV = 0.05, 20_000.0  # standard deviations of a channel that may be microvolts


def check_source(
    make: Callable[[], Source],
    *,
    seconds: float = 2.0,
    lose: Callable[[], object] | None = None,
    restore: Callable[[], object] | None = None,
) -> None:
    """Check a source against `contracts.Source` and `Stream`; raise `Violation` where it differs.

    Parameters
    ----------
    make : callable
        Makes a new source, whose device is there.
    seconds : float
        How much of its signal to read (s).
    lose, restore : callable, optional
        Take the device away while it is streamed from, and bring it back: for a `Returning` source.
    """
    with no_threads_left("the source"):
        source = make()
        stream = _opened(source)
        try:
            info = _info(stream)
            _read_for(stream, info, seconds)
            if lose is not None and restore is not None:
                stream = _back(source, stream, lose, restore)
                _read_for(stream, info, min(seconds, 0.5))
        finally:
            _close(stream)
    with no_threads_left("the source, opened twice"):
        again = _opened(source)
        try:
            same = (again.info.ch_names, again.info.sfreq) == (info.ch_names, info.sfreq)
            require(same, "open() again", f"another stream: {again.info}", "open the same device")
            _read_for(again, info, min(seconds, 0.5))
        finally:
            _close(again)


def _opened(source: Source) -> Stream:
    stream = within(OPEN_S, "open()", source.open)
    if stream is None:
        raise Violation("open()", "it returned None", "return the open stream, or raise SourceNotFound")
    for name in ("read", "close"):
        require(callable(getattr(stream, name, None)), f"the stream's {name}()", "there is none", "define it")
    return stream


def _info(stream: Stream) -> StreamInfo:
    info = getattr(stream, "info", None)
    if not isinstance(info, StreamInfo):
        raise Violation("stream.info", f"a {type(info).__name__}", "give it a StreamInfo")
    unknown = [name for name in info.ch_names if canonical_name(name) != name]
    require(info.ch_names, "info.ch_names", "no channels", "name the electrodes")
    require(not unknown, "info.ch_names in 10-05", f"{', '.join(unknown)}", "rename or leave these channels out")
    require(len(set(info.ch_names)) == info.n_chans, "info.ch_names", "a name twice", "name each electrode once")
    is_rate = math.isfinite(info.sfreq) and info.sfreq > 0
    require(is_rate, "info.sfreq in Hz", f"{info.sfreq}", "say the real sampling rate")
    return info


def _read_for(stream: Stream, info: StreamInfo, seconds: float) -> None:
    """Read so much signal; check each chunk alone and after the one before, and all of them together."""
    chunks: list[Chunk] = []
    end: int | None = None
    wanted, deadline = round(seconds * info.sfreq), clock.now() + 10 * seconds + OPEN_S
    while (n := sum(map(len, chunks))) < wanted:
        chunk = _read(stream, 0.0 if len(chunks) % 4 == 3 else 0.1, StreamEnded)
        if isinstance(chunk, StreamEnded):
            break
        require(clock.now() < deadline, f"{seconds:g} s of signal", f"{n} samples", "send them")
        if chunk is None:
            continue
        if not isinstance(chunk, Chunk):
            raise Violation("read()", f"it returned a {type(chunk).__name__}", "return a Chunk, or None")
        end = _follows(chunk, info, end)
        if len(chunk):
            _stamped(chunk, chunks, info)
            chunks.append(chunk)
    require(chunks, "samples", "none before the stream ended", "send some")
    _in_microvolts(np.concatenate([chunk.data for chunk in chunks]))


def _read(stream: Stream, timeout: float, end: type[Exception], when: str = "") -> object:
    """What `read` returns, or the error of type `end` that it raises."""

    def read() -> object:
        try:
            return stream.read(timeout)
        except end as error:
            return error

    return within(timeout + READ_S, f"read({timeout:g}){when}", read)


def _follows(chunk: Chunk, info: StreamInfo, end: int | None) -> int:
    shape = f"(n_times, {info.n_chans})"
    right = chunk.data.ndim == 2 and chunk.data.shape[1] == info.n_chans
    require(right, f"a chunk of shape {shape}", f"{chunk.data.shape}", "one column for each of info.ch_names")
    require(chunk.lost >= 0, "chunk.lost, how many samples are missing", f"{chunk.lost}", "count them from 0")
    if end is not None and (len(chunk) or chunk.lost):
        right = chunk.first == end + chunk.lost
        found = f"it begins at {chunk.first} and says {chunk.lost} lost"
        require(right, f"a chunk that follows sample {end}", found, "first is where the last one ended, plus lost")
    wrong = [m for m in chunk.markers if not isinstance(m.index, int) or not isinstance(m.text, str) or m.index < 0]
    require(not wrong, "markers with an index and a text", f"{wrong}", "count indices as samples are counted")
    return chunk.end if len(chunk) or end is None else end


def _stamped(chunk: Chunk, before: list[Chunk], info: StreamInfo) -> None:
    require(math.isfinite(chunk.t_last), "chunk.t_last (s)", f"{chunk.t_last}", "stamp it with time.monotonic()")
    late = clock.now() - chunk.t_last
    if info.paced:
        near = -1.0 < late < 60.0
        require(near, "chunk.t_last near now", f"{late:.1f} s ago", "stamp with time.monotonic(), not time.time()")
    if before:
        back = before[-1].t_last - chunk.t_last
        require(back <= 1e-6, "chunk.t_last that rises", f"it goes back by {back:.3f} s", "stamp in order")


def _in_microvolts(rows: np.ndarray) -> None:
    spread = np.nanstd(rows.astype(np.float64), axis=0) if np.isfinite(rows).any() else np.zeros(1)
    typical = float(np.median(spread))
    if 0 < typical < LEAST_UV:
        raise Violation("data in µV", f"a spread of {typical:.2g}: it looks like volts", "multiply by 1e6")
    require(typical < MOST_UV, "data in µV", f"a spread of {typical:.2g}: it looks like nV or counts", "scale to µV")


def _back(source: Source, stream: Stream, lose: Callable[[], object], restore: Callable[[], object]) -> Stream:
    """The stream after the device was away; it may be the same one."""
    if not isinstance(source, Returning):
        raise Violation("a source that may be lost", "no `exclusive` and `reopen`", "define both: contracts.Returning")
    lose()
    deadline, gone = time.monotonic() + AWAY_S, False
    while not gone and time.monotonic() < deadline:
        gone = not isinstance(_read(stream, 0.1, SourceLost, " while the device is away"), Chunk)
    require(gone, "read() while the device is away", "it goes on giving samples", "return None or raise SourceLost")
    info = stream.info
    within(CLOSE_S, "reopen() while the device is away", lambda: source.reopen(info).close(), SourceNotFound)
    restore()
    if source.exclusive:
        _close(stream)
    while time.monotonic() < deadline + AWAY_S:
        found = within(CLOSE_S, "reopen()", lambda: source.reopen(info), SourceNotFound)
        if found is not None:
            if not source.exclusive:
                _close(stream)
            return found
    raise Violation("reopen() once the device is back", "it is not found", "look for the same device again")


def _close(stream: Stream) -> None:
    within(CLOSE_S, "close()", stream.close)
    within(CLOSE_S, "close() a second time", stream.close)
