"""Turns any source into one that ends after so many seconds of stream time."""

from __future__ import annotations

from dataclasses import replace

from ..errors import StreamEnded
from ..types import Chunk, Source, Stream


class Limited:
    """`source`, ended after `seconds`, to the sample."""

    def __init__(self, source: Source, seconds: float) -> None:
        self._source, self._seconds = source, seconds

    def open(self) -> Stream:
        """Open the source underneath."""
        return _LimitedStream(self._source.open(), self._seconds)


class _LimitedStream:
    def __init__(self, stream: Stream, seconds: float) -> None:
        self._stream, self.info = stream, stream.info
        self._end = round(seconds * stream.info.sfreq)
        self._done = False

    def read(self, timeout: float) -> Chunk | None:
        if self._done:
            raise StreamEnded("the seconds asked for", "they have passed")
        chunk = self._stream.read(timeout)
        if chunk is None or chunk.end < self._end:
            return chunk
        self._done = True
        keep = self._end - chunk.first
        if keep <= 0:
            return None
        cut = len(chunk) - keep
        markers = tuple(m for m in chunk.markers if m.index < self._end)
        return replace(chunk, data=chunk.data[:keep], t_last=chunk.t_last - cut / self.info.sfreq, markers=markers)

    def close(self) -> None:
        self._stream.close()
