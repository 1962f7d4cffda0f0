"""Guard around a source of another package: the run continues after its failures, and names the package."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..auxiliary import AuxChunk, AuxInfo, Carrying
from ..contracts import Patient, Returning, Source, Stream
from ..errors import MoodError, SourceLost, StreamMismatch
from ..guard import Report, to_log, words_of
from ..montage import canonical_name
from ..plugins import Plugin
from ..types import Chunk, StreamInfo


class GuardedSource:
    """Makes any `source` a `Returning` one: a stream that raises is closed and opened again."""

    def __init__(self, plugin: Plugin, source: Source) -> None:
        self._plugin, self._source = plugin, source
        self.name = str(plugin)
        self.exclusive = bool(getattr(source, "exclusive", True))
        self.on_fault: Report = to_log

    def open(self) -> GuardedStream:
        """Open the source; any failure becomes a `MoodError`."""
        return self._opened(self._source.open)

    def reopen(self, info: StreamInfo) -> GuardedStream:
        """Open it again; raises as `open` does, and when it is another stream now."""
        source = self._source
        stream = self._opened((lambda: source.reopen(info)) if isinstance(source, Returning) else source.open)
        if (stream.info.ch_names, stream.info.sfreq) != (info.ch_names, info.sfreq):
            stream.close()
            found = f"{stream.info.n_chans} channels at {stream.info.sfreq:g} Hz"
            raise StreamMismatch(f"{self._plugin}, opened again", found, "it has to be the same stream as before")
        return stream

    def cancel(self) -> None:
        """Cancel an `open` in progress, where the source supports it."""
        if isinstance(self._source, Patient):
            self._source.cancel()

    def _opened(self, opening: Callable[[], Stream]) -> GuardedStream:
        try:
            stream = opening()
        except MoodError:
            raise
        except Exception as error:
            raise self._plugin.error("it cannot be opened", error) from error
        guarded = GuardedStream(self._plugin, stream, lambda text: self.on_fault(text))
        if wrong := _wrong(stream):
            guarded.close()
            raise StreamMismatch(str(self._plugin), f"its stream {wrong}", "see docs/plugins.md for what it needs")
        return guarded


class GuardedStream:
    """Made by `GuardedSource`: raises only `MoodError`, and closes once."""

    def __init__(self, plugin: Plugin, stream: Stream, report: Callable[[str], object]) -> None:
        self._plugin, self._stream, self._report, self._is_closed = plugin, stream, report, False
        self._is_carrying = isinstance(stream, Carrying)

    @property
    def info(self) -> StreamInfo:
        return self._stream.info

    def read(self, timeout: float) -> Chunk | None:
        """The newest samples; any failure becomes `SourceLost`, so that the source is opened again."""
        try:
            chunk = self._stream.read(timeout)
        except MoodError:
            raise
        except Exception as error:
            raise self._lost(f"reading failed: {type(error).__name__}: {words_of(error)}") from error
        if chunk is None or (isinstance(chunk, Chunk) and chunk.data.shape[1:] == (self.info.n_chans,)):
            return chunk
        found = f"a chunk of shape {chunk.data.shape}" if isinstance(chunk, Chunk) else f"a {type(chunk).__name__}"
        raise self._lost(f"reading gave {found}, not a Chunk of (n_times, {self.info.n_chans}) or None")

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """As in `Carrying`; after an exception, which is reported, none of them is read any more."""
        if self._is_carrying:
            try:
                return self._stream.beside()  # type: ignore[attr-defined]
            except Exception as error:
                self._is_carrying = False
                self._report(f"{self._plugin}: its other streams failed and are left out: {words_of(error)}")
        return ()

    def close(self) -> None:
        """Release the device; an exception is reported."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._stream.close()
        except Exception as error:
            self._report(f"{self._plugin} failed while closing: {words_of(error)}")

    def _lost(self, what: str) -> SourceLost:
        self._report(f"{self._plugin}: {what}")
        return SourceLost(str(self._plugin), what, f"update or remove {self._plugin.package}")


def _wrong(stream: object) -> str:
    """What `stream` lacks to be a `Stream`; empty where it lacks nothing."""
    info = getattr(stream, "info", None)
    if not isinstance(info, StreamInfo):
        return "has no `info` of type StreamInfo"
    if missing := [name for name in ("read", "close") if not callable(getattr(stream, name, None))]:
        return f"has no method {missing[0]}()"
    if not info.ch_names or not info.sfreq > 0:
        return f"has {info.n_chans} channels at {info.sfreq:g} Hz"
    if unknown := [name for name in info.ch_names if canonical_name(name) != name]:
        return f"has a channel {unknown[0]!r}, which is not a 10-05 electrode"
    return "has a channel name twice" if len(set(info.ch_names)) < info.n_chans else ""
