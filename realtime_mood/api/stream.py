"""An open stream as Python code uses it: a context manager that is iterated chunk by chunk."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Self

from .. import liblsl
from ..auxiliary import AuxChunk, AuxInfo, Carrying
from ..contracts import Returning, Source, Stream
from ..errors import ConfigError, StreamEnded
from ..recording.recorder import Recorder
from ..run.continuity import Continuity
from ..sources import open_source as source_of_url
from ..sources.playback import PlaybackSource
from ..sources.recordings.recording import PlaybackOptions
from ..sources.timing.reconnect import Reconnecting, ReconnectingStream
from ..types import Chunk, StreamInfo

POLL_S = 0.1
GIVE_UP_S = 60.0


class EegStream:
    """An open stream. Made by `open_source`.

    It is read once: by a ``for`` loop over its chunks, or by `read`, `windows` or `features`.

    Attributes
    ----------
    name : str
        The URL, or the class of a source of your own.
    info : StreamInfo
        Electrode names, sampling rate (Hz), reference, and whether the signal is simulated.
    taken : int
        Index after the newest sample that was read.
    """

    def __init__(self, source: Source, give_up_s: float | None = GIVE_UP_S) -> None:
        self.name = str(getattr(source, "name", type(source).__name__))
        source = Reconnecting(source, give_up_s) if isinstance(source, Returning) else source
        self._stream = source.open()
        self.info: StreamInfo = self._stream.info
        self.taken, self._lent = 0, False
        self._place = Continuity(self.info)

    def __repr__(self) -> str:
        info = self.info
        kind = f"{' simulated' if info.virtual else ''} {info.n_chans} channels at {info.sfreq:g} Hz"
        return f"EegStream({info.name!r}:{kind}, {'read by a run' if self._lent else f'{self.taken} samples read'})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual about the stream, and how often it was lost and found again."""
        more = self._stream.notes if isinstance(self._stream, ReconnectingStream) else ()
        return (*self.info.notes, *more)

    def read(self, timeout: float = 1.0) -> Chunk | None:
        """The samples that arrived since the last call; None when none came within `timeout` s.

        Raises
        ------
        StreamEnded
            The end of a finite source.
        SourceLost
            The device has been lost for longer than ``give_up_s``.
        StreamMismatch
            A source of your own sends chunks that do not follow one another.
        """
        if (chunk := self._stream.read(timeout)) is not None and (chunk := self._place(chunk)) is not None:
            self.taken = chunk.end
        return chunk

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """What the device or file carries beside the EEG, such as pulse and motion; call it after every `read`.

        Returns
        -------
        sequence of (AuxInfo, AuxChunk)
            The description of a signal, with its names and units, and its samples since the last call, stamped on the
            clock of the EEG. The first of each signal is empty.

        Examples
        --------
        >>> import realtime_mood as rm
        >>> with rm.open_source("brainflow://muse_2?config=p50") as stream:  # doctest: +SKIP
        ...     for chunk in stream:
        ...         for info, samples in stream.beside():
        ...             print(info.name, info.kind, info.units, samples.stamps, samples.values)
        """
        return self._stream.beside() if isinstance(self._stream, Carrying) else ()

    def __iter__(self) -> Iterator[Chunk]:
        """Chunks, until a finite source ends. Waits for a device that is silent or being reconnected."""
        with suppress(StreamEnded):
            while True:
                if (chunk := self.read(POLL_S)) is not None:
                    yield chunk

    def lend(self) -> Stream:
        """The stream below, for an engine that reads all of it; raises `ConfigError` if some has been read already."""
        if self.taken or self._lent:
            found = "it has been read already" + ("" if self._lent else f", {self.taken / self.info.sfreq:.1f} s of it")
            raise ConfigError("readings of an open stream", found, "open the source again")
        self._lent = True
        return self._stream

    def close(self) -> None:
        """Release the device. May be called twice."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Opened:
    """The `Source` of a stream that is open already."""

    name: str
    stream: Stream

    def open(self) -> Stream:
        return self.stream


AnySource = str | PathLike[str] | Source | EegStream
"""What can be read: a URL, a path, a source of your own, or an open stream."""


def open_source(source: str | PathLike[str] | Source, *, give_up_s: float | None = GIVE_UP_S) -> EegStream:
    """Open a headset, a recording or a simulated subject.

    Parameters
    ----------
    source : str, Path or Source
        A URL (``"lsl://NAME"``, ``"brainflow://BOARD"``, ``"playback://PATH"``, ``"synthetic://"``, with the options
        of the guide); the path of a recording, which is then read as fast as possible; or any object with a method
        `open` that returns a `Stream`.
    give_up_s : float or None
        How long to try to reconnect a lost device (s); None: no limit.

    Returns
    -------
    EegStream
        Open, for a ``with`` statement.

    Raises
    ------
    ConfigError
        Unknown scheme, option or value.
    SourceNotFound, StreamMismatch
        It is not there, or cannot be used as it is.

    Examples
    --------
    >>> import realtime_mood as rm
    >>> with rm.open_source("synthetic://?script=rest:2&speed=max&n_chans=8") as stream:
    ...     print(stream.info.sfreq, sum(len(chunk) for chunk in stream))
    256.0 512
    """
    return EegStream(to_source(source), give_up_s)


def to_source(source: AnySource) -> Source:
    """The source behind a URL, a path, an object, or a stream that is open already; else raises `ConfigError`."""
    if isinstance(source, str):
        return source_of_url(source)
    if isinstance(source, PathLike):
        return PlaybackSource(os.fspath(source), PlaybackOptions(speed=math.inf))
    if isinstance(source, EegStream):
        return Opened(source.name, source.lend())
    if callable(getattr(source, "open", None)):
        return source
    raise ConfigError(
        "a source", f"{type(source).__name__} has no method open()",
        "give a URL or a source; for an array read_array(), for an mne.io.Raw read_raw()",
    )  # fmt: skip


def recorder_to(
    path: str | PathLike[str],
    source: object,
    about: Mapping[str, object],
    sinks: Iterable[object] = (),
    *,
    participant: str = "",
    session: str = "",
) -> Recorder:
    """A recorder, on LSL's clock where samples come or readings go by LSL, as other programs' recordings are."""
    names = [str(it if isinstance(it, str) else getattr(it, "name", "")) for it in (source, *sinks)]
    to_stamps = liblsl.to_stamps() if any(name.startswith("lsl:") for name in names) else 0.0
    return Recorder(Path(path), about, to_stamps=to_stamps, participant=participant, session=session)
