"""Checks that the chunks of a source are contiguous, by their first index and reported loss."""

from __future__ import annotations

from dataclasses import replace

from ..errors import StreamMismatch
from ..types import Chunk, StreamInfo


class Continuity:
    """Checks the chunks of one stream: each begins where the previous one ended, plus the samples lost between them.

    Loss reported by an empty chunk is added to the next one that has samples.
    """

    def __init__(self, info: StreamInfo) -> None:
        self._info, self._end = info, 0
        self._held: Chunk | None = None

    @property
    def pending(self) -> int:
        """Samples reported lost since the last received one."""
        return 0 if self._held is None else self._held.lost

    def __call__(self, chunk: Chunk) -> Chunk | None:
        """The chunk, with the loss that empty ones before it reported; None for an empty one.

        Raises `StreamMismatch` where it does not follow the previous one, or has another number of channels.
        """
        if (held := self._held) is not None:
            chunk = replace(
                chunk, lost=held.lost + chunk.lost, markers=(*held.markers, *chunk.markers),
                impedances=(*held.impedances, *chunk.impedances),
            )  # fmt: skip
        if (len(chunk) or chunk.lost) and (chunk.lost < 0 or chunk.first != self._end + chunk.lost):
            raise self._mismatch(
                f"a chunk that follows sample {self._end}",
                f"it begins at {chunk.first} and reports {chunk.lost} samples lost",
                "count from 0, a lost sample like any other: first is where the chunk before ended, plus lost",
            )
        if not len(chunk):
            self._held = chunk
            return None
        if chunk.data.shape[1:] != (self._info.n_chans,):
            raise self._mismatch(
                f"rows of {self._info.n_chans} channels", f"a chunk of shape {chunk.data.shape}",
                "send (n_times, n_chans), one column for each of info.ch_names",
            )  # fmt: skip
        self._held, self._end = None, chunk.end
        return chunk

    def _mismatch(self, asked: str, found: str, do: str) -> StreamMismatch:
        return StreamMismatch(f"{self._info.name or 'the source'}: {asked}", found, do)
