"""The samples of one stream of an XDF file, read in pieces: only their stamps are kept in memory."""

from __future__ import annotations

import copy
import io
import logging
import mmap
import warnings
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...auxiliary import STRING
from ..carried import FORMATS
from ..marker_words import text_of
from .xdf_chunks import FOOTER, SAMPLES, SIZES, Chunks, StreamHeader, info_of, length_at, put_chunk, sample_count

PIECE_BYTES = 1 << 20  # read from the file at once
STAMP_BYTES = 9  # with the length before it
INDEX = 8


class SamplePlace(NamedTuple):
    """Place of a sample in the content of a chunk."""

    stamp: bytes  # with its length
    begin: int  # of its values
    end: int


class StreamValues:
    """Values of the samples of a stream, in the order of the file: ``values[a:b]`` is (n_times, n_chans).

    Made while the file is open, as `file`; read from `path` later.
    """

    def __init__(self, path: Path, file: mmap.mmap, chunks: Chunks, stream: StreamHeader) -> None:
        self._path, self._stream = path, stream
        wanted = SAMPLES, stream.number
        self._places = [(begin, end) for tag, number, begin, end in chunks.places if (tag, number) == wanted]
        counts = ((length_at(file, begin) or (0, 0))[0] for begin, _ in self._places)
        self._ends = np.array(list(accumulate(counts)), np.int64)
        self._rows: np.ndarray | None = None
        self._piece, self._first = self._empty(), 0

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, span: slice) -> np.ndarray:
        first, stop, _step = span.indices(len(self) if self._rows is None else len(self._rows))
        if first >= stop:
            return self._empty()
        if self._rows is None:
            return self._between(first, stop)
        rows = self._rows[first:stop]
        low = int(rows.min())
        return self._between(low, int(rows.max()) + 1)[rows - low]

    def chosen(self, rows: np.ndarray) -> StreamValues:
        """Of the samples at these places in the file alone, in this order."""
        chosen = copy.copy(self)
        chosen._rows = None if np.array_equal(rows, np.arange(len(self))) else rows
        return chosen

    def pieces(self) -> Iterator[np.ndarray]:
        """All of them, one piece after the other."""
        at = 0
        while at < len(self):
            self._between(at, at + 1)
            yield self._piece
            at = self._first + len(self._piece)

    def _between(self, first: int, stop: int) -> np.ndarray:
        if not self._first <= first <= stop <= self._first + len(self._piece):
            at = int(np.searchsorted(self._ends, first, side="right"))
            self._first, parts, n_bytes = int(self._ends[at - 1]) if at else 0, list[np.ndarray](), 0
            with self._path.open("rb") as file:
                while at < len(self._places) and (n_bytes < PIECE_BYTES or self._ends[at - 1] < stop):
                    begin, end = self._places[at]
                    file.seek(begin)
                    parts.append(_values(file.read(end - begin), self._stream))
                    n_bytes, at = n_bytes + end - begin, at + 1
            self._piece = np.concatenate(parts)
        return self._piece[first - self._first : stop - self._first]

    def _empty(self) -> np.ndarray:
        return np.empty((0, self._stream.n_chans), _form(self._stream))


def read_with_pyxdf(file: io.BytesIO) -> dict[int, Any]:
    """What a valid file holds, by stream number."""
    import pyxdf

    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)  # our own messages say the same
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Its dejittering fits a line across small gaps; ours detects them.
        streams, _ = pyxdf.load_xdf(file, dejitter_timestamps=False)
    return {stream["info"]["stream_id"]: stream for stream in streams}


def stamps_of(file: mmap.mmap, chunks: Chunks, stream: StreamHeader) -> tuple[np.ndarray, np.ndarray]:
    """(n,) stamps of a stream on the recorder's clock (s), and (n,) the place of each sample in the file."""
    out, n = io.BytesIO(b"XDF:"), 0
    out.seek(0, io.SEEK_END)
    fields = {"name": stream.name, "channel_count": "1", "nominal_srate": repr(stream.sfreq), "channel_format": "int64"}
    put_chunk(out, 2, stream.number, info_of(fields))
    for tag, number, begin, end in chunks.places:
        if number == stream.number:
            content = file[begin:end]
            if tag == FOOTER:
                content = info_of({"sample_count": sample_count(content)})
            elif tag == SAMPLES:
                content, n = _numbered(content, stream, n)
            put_chunk(out, tag, number, content)
    out.seek(0)
    found: Any = read_with_pyxdf(out)[stream.number]
    return np.asarray(found["time_stamps"], np.float64), np.asarray(found["time_series"], np.int64).reshape(-1)


def _numbered(content: bytes, stream: StreamHeader, first: int) -> tuple[bytes, int]:
    """A chunk with the number of each sample in place of its values; and the number of the next one."""
    n, at = length_at(content, 0) or (0, 0)
    if _table(content, stream) is not None:
        rows = np.empty((n, STAMP_BYTES + INDEX), np.uint8)
        rows[:, :STAMP_BYTES] = np.frombuffer(content, np.uint8, offset=at).reshape(n, -1)[:, :STAMP_BYTES]
        rows[:, STAMP_BYTES:] = np.arange(first, first + n, dtype="<i8").view(np.uint8).reshape(n, INDEX)
        return content[:at] + rows.tobytes(), first + n
    parts = [content[:at]]
    for k, sample in enumerate(sample_places(content, stream)):
        parts += [sample.stamp, int(first + k).to_bytes(INDEX, "little")]
    return b"".join(parts), first + n


def _values(content: bytes, stream: StreamHeader) -> np.ndarray:
    """(n_times, n_chans) values of a chunk."""
    if (table := _table(content, stream)) is not None:
        return np.ascontiguousarray(table["values"])
    samples = list(sample_places(content, stream))
    out = np.empty((len(samples), stream.n_chans), _form(stream))
    for row, sample in zip(out, samples, strict=True):
        if stream.format != STRING:
            row[:] = np.frombuffer(content, out.dtype, stream.n_chans, sample.begin)
            continue
        at = sample.begin
        for k in range(stream.n_chans):
            n_bytes, begin = length_at(content, at) or (0, at)
            at = begin + n_bytes
            row[k] = text_of(content[begin:at])
    return out


def _form(stream: StreamHeader) -> np.dtype:
    return np.dtype(object) if stream.format == STRING else np.dtype(f"<{FORMATS[stream.format]}")


def _table(content: bytes, stream: StreamHeader) -> np.ndarray | None:
    """The samples of a chunk of numbers where each has a stamp; None where not."""
    if stream.format == STRING:
        return None
    n, at = length_at(content, 0) or (0, 0)
    row = np.dtype([("stamp", f"V{STAMP_BYTES}"), ("values", _form(stream), (stream.n_chans,))])
    if not n or n * row.itemsize != len(content) - at or set(content[at :: row.itemsize]) != {STAMP_BYTES - 1}:
        return None
    return np.frombuffer(content, row, n, at)


def sample_places(content: bytes, stream: StreamHeader) -> Iterator[SamplePlace]:
    """The places of the samples of a valid chunk, one by one."""
    n, at = length_at(content, 0) or (0, 0)
    size = SIZES.get(stream.format, 0) * stream.n_chans
    for _ in range(n):
        begin = at + 1 + content[at]
        end = begin + size
        for _ in range(0 if size else stream.n_chans):
            n_bytes, end = length_at(content, end) or (0, end)
            end += n_bytes
        yield SamplePlace(content[at:begin], begin, end)
        at = end
