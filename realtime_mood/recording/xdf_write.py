"""Renders the chunks of XDF 1.0 files (https://github.com/sccn/xdf/wiki/Specifications) as bytes.

A file is `MAGIC`, a file header, and chunks in any order; each may be appended at once, and a file that ends after
any complete chunk can be read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum
from xml.sax.saxutils import escape

import numpy as np

MAGIC = b"XDF:"
MARK = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
"""Content of a boundary chunk; readers search for it to continue after damage."""


class Tag(IntEnum):
    """Type of a chunk."""

    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    CLOCK_OFFSET = 4
    BOUNDARY = 5
    STREAM_FOOTER = 6


Tree = Mapping[str, "Node"]
Node = str | Tree | Sequence[Tree]


def xml(tree: Tree) -> str:
    """`tree` as elements without attributes; a sequence repeats its element."""
    parts = []
    for name, value in tree.items():
        for one in value if isinstance(value, Sequence) and not isinstance(value, str) else (value,):
            inner = escape(_legal(one)) if isinstance(one, str) else xml(one)
            parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)


def _legal(text: str) -> str:
    """`text` without characters that XML cannot contain."""
    return "".join(
        "?" if (c < " " and c not in "\t\n") or "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" else c for c in text
    )


def _number(n: int) -> bytes:
    """A length, in the fewest of 1, 4 or 8 bytes."""
    width, form = (1, "B") if n < 1 << 8 else (4, "I") if n < 1 << 32 else (8, "Q")
    return struct.pack(f"<B{form}", width, n)


def chunk(tag: Tag, content: bytes, stream: int | None = None) -> bytes:
    """One chunk; all but file header and boundary belong to a `stream`."""
    head = struct.pack("<H", tag) if stream is None else struct.pack("<HI", tag, stream)
    return _number(len(head) + len(content)) + head + content


def file_header(**fields: str) -> bytes:
    """The start of every file."""
    return MAGIC + chunk(Tag.FILE_HEADER, _document({"version": "1.0", **fields}))


def stream_header(stream: int, info: Tree) -> bytes:
    """`info` as LSL's own stream info: name, type, channel_count, nominal_srate, channel_format, desc."""
    return chunk(Tag.STREAM_HEADER, _document(info), stream)


def stream_footer(stream: int, first: float, last: float, count: int) -> bytes:
    """Stamps of the first and last sample (s), and how many there are."""
    info = {"first_timestamp": repr(first), "last_timestamp": repr(last), "sample_count": str(count)}
    return chunk(Tag.STREAM_FOOTER, _document(info), stream)


def clock_offset(stream: int, at: float, offset: float = 0.0) -> bytes:
    """Offset from the stamps of a stream to the file's clock, measured at `at` (s)."""
    return chunk(Tag.CLOCK_OFFSET, struct.pack("<dd", at, offset), stream)


def boundary() -> bytes:
    """A boundary, from which a damaged file can be read again."""
    return chunk(Tag.BOUNDARY, MARK)


def samples(stream: int, stamps: np.ndarray, rows: np.ndarray) -> bytes:
    """Numbers (n_times, n_chans), in the format of `rows`, each with its stamp (s)."""
    form = np.dtype([("width", "u1"), ("stamp", "<f8"), ("values", rows.dtype.newbyteorder("<"), rows.shape[1:])])
    table = np.empty(len(rows), form)
    table["width"], table["stamp"], table["values"] = 8, stamps, rows
    return chunk(Tag.SAMPLES, _number(len(rows)) + table.tobytes(), stream)


def words(stream: int, stamp: float, text: str) -> bytes:
    """One sample of text."""
    data = text.encode("utf-8", "replace")
    return chunk(Tag.SAMPLES, _number(1) + struct.pack("<Bd", 8, stamp) + _number(len(data)) + data, stream)


def _document(info: Tree) -> bytes:
    return ('<?xml version="1.0"?>' + xml({"info": info})).encode()
