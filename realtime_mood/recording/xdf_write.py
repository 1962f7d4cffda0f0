"""Renders the chunks of XDF 1.0 files (https://github.com/sccn/xdf/wiki/Specifications) as bytes.

A file is `MAGIC`, a file header, and chunks in any order; each may be appended at once, and a file that ends after
any complete chunk can be read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

import numpy as np

from ..sources.recordings.xdf_chunks import BOUNDARY, FILE_HEADER, FOOTER, HEADER, MARK, OFFSET, SAMPLES

MAGIC = b"XDF:"

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
    """`text` with "?" for characters that XML cannot contain."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", "?", text)


def _number(n: int) -> bytes:
    """A length, in the fewest of 1, 4 or 8 bytes."""
    width, form = (1, "B") if n < 1 << 8 else (4, "I") if n < 1 << 32 else (8, "Q")
    return struct.pack(f"<B{form}", width, n)


def chunk(tag: int, content: bytes, stream: int | None = None) -> bytes:
    """One chunk; all but file header and boundary belong to a `stream`."""
    head = struct.pack("<H", tag) if stream is None else struct.pack("<HI", tag, stream)
    return _number(len(head) + len(content)) + head + content


BOUNDARY_CHUNK = chunk(BOUNDARY, MARK)  # readers search for it to continue after damage


def file_header(**fields: str) -> bytes:
    """The start of every file."""
    return MAGIC + chunk(FILE_HEADER, _document({"version": "1.0", **fields}))


def stream_header(stream: int, info: Tree, more: str = "") -> bytes:
    """`info` as LSL's own stream info: name, type, channel_count, nominal_srate, channel_format, desc.

    `more` are further elements, as XML.
    """
    return chunk(HEADER, _document(info, more), stream)


def stream_footer(stream: int, first: float, last: float, count: int) -> bytes:
    """Stamps of the first and last sample (s), and how many there are."""
    info = {"first_timestamp": repr(first), "last_timestamp": repr(last), "sample_count": str(count)}
    return chunk(FOOTER, _document(info), stream)


def clock_offset(stream: int, at: float, offset: float = 0.0) -> bytes:
    """Offset from the stamps of a stream to the file's clock, measured at `at` (s)."""
    return chunk(OFFSET, struct.pack("<dd", at, offset), stream)


def row_type(form: np.dtype | str, shape: tuple[int, ...]) -> np.dtype:
    """One sample of numbers with its stamp, as it is written."""
    return np.dtype([("width", "u1"), ("stamp", "<f8"), ("values", form, shape)])


def samples(stream: int, stamps: np.ndarray, rows: np.ndarray) -> bytes:
    """Numbers (n_times, n_chans), in the format of `rows`, each with its stamp (s)."""
    table = np.empty(len(rows), row_type(rows.dtype.newbyteorder("<"), rows.shape[1:]))
    table["width"], table["stamp"], table["values"] = 8, stamps, rows
    return chunk(SAMPLES, _number(len(rows)) + table.tobytes(), stream)


def texts(stream: int, stamps: Iterable[float], rows: Collection[Iterable[str]]) -> bytes:
    """Texts (n_times, n_chans), each row with its stamp (s)."""
    parts = [_number(len(rows))]
    for stamp, row in zip(stamps, rows, strict=True):
        parts.append(struct.pack("<Bd", 8, stamp))
        for text in row:
            data = text.encode("utf-8", "replace")
            parts += [_number(len(data)), data]
    return chunk(SAMPLES, b"".join(parts), stream)


def words(stream: int, stamp: float, text: str) -> bytes:
    """One sample of one text."""
    return texts(stream, [stamp], [[text]])


def _document(info: Tree, more: str = "") -> bytes:
    return f'<?xml version="1.0"?><info>{xml(info)}{more}</info>'.encode("utf-8", "replace")
