"""Valid chunks of an XDF file, complete or damaged.

Each chunk is checked before a reader gets it: lengths must lie within the file, and samples must fill their chunk
exactly. Where the chain of chunks is broken, reading continues at the next boundary.
"""

from __future__ import annotations

import io
import math
import mmap
import struct
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ..marker_words import text_of

MARK = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")  # content of a boundary chunk
FILE_HEADER, HEADER, SAMPLES, OFFSET, BOUNDARY, FOOTER = range(1, 7)  # tags of chunks
SIZES = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "float32": 4, "double64": 8}
"""Bytes a number takes, in each format but text."""
BESIDE, IN_MARKERS = "beside", "markers"
"""Roles in our recordings: a stream beside the EEG, and one whose samples are in our stream ``markers`` as well."""
OWN = ("markers", "readings", "quality", "gaps", "impedance", "feedback", "body", "announced")
"""Names of the streams that our recorder makes of a run, in the order of their numbers."""
MOST_CHANNELS = 4096
LONGEST_HEADER = 16 << 20  # bytes


class StreamHeader(NamedTuple):
    """Metadata of a stream."""

    number: int
    name: str
    type: str
    n_chans: int
    sfreq: float  # 0 where it has no regular rate (Hz)
    format: str
    desc: ElementTree.Element
    source_id: str = ""
    host: str = ""
    uid: str = ""
    role: str = ""  # in our recordings, of the streams that are not ours: `BESIDE` or `IN_MARKERS`

    @property
    def virtual(self) -> bool:
        """Whether its sender states that the subject is simulated."""
        return self.desc.findtext("realtime_mood/virtual") == "1"


class Chunks(NamedTuple):
    """The streams of a file and the places of their chunks."""

    streams: dict[int, StreamHeader]
    places: list[tuple[int, int, int, int]]  # (tag, stream, begin, end) of each chunk's content
    headers: dict[int, tuple[int, int]]  # (begin, end) of the content of each stream's header
    damaged: int  # bytes that had to be skipped
    cut: int  # likewise, at the end


def find_chunks(file: mmap.mmap) -> Chunks:
    """Walk through a whole file that begins with ``XDF:``."""
    streams, headers = dict[int, StreamHeader](), dict[int, tuple[int, int]]()
    places, damaged, cut, at = list[tuple[int, int, int, int]](), 0, 0, 4
    while at < len(file):
        head = length_at(file, at)
        if head is None or not 2 <= head[0] <= len(file) - head[1] or file[head[1]] not in range(1, 7):
            mark = file.find(MARK, at)
            if mark < 0:
                cut = len(file) - at
                break
            damaged += mark - at
            at = mark + len(MARK)
            continue
        length, begin = head
        end, tag = begin + length, file[begin]
        at = end
        if tag not in (HEADER, SAMPLES, OFFSET, FOOTER) or length < 6:
            continue
        (stream,) = struct.unpack_from("<I", file, begin + 2)
        if tag == HEADER:
            described = _described(file[begin + 6 : min(end, begin + LONGEST_HEADER)], stream)
            if described is not None and stream not in streams:
                streams[stream], headers[stream] = described, (begin + 6, end)
        elif stream in streams and _is_sound(file, tag, begin + 6, end, streams[stream]):
            places.append((tag, stream, begin + 6, end))
        elif stream in streams and tag != FOOTER:
            damaged += length
    return Chunks(streams, places, headers, damaged, cut)


def without_others(file: mmap.mmap, chunks: Chunks, wanted: list[StreamHeader]) -> io.BytesIO:
    """An XDF file of the `wanted` streams alone, with only what is needed to read them in their headers."""
    out = io.BytesIO()
    out.write(b"XDF:")
    for stream in wanted:
        fields = {
            "name": stream.name,
            "channel_count": str(stream.n_chans),
            "nominal_srate": repr(stream.sfreq),
            "channel_format": stream.format,
        }
        put_chunk(out, HEADER, stream.number, info_of(fields))
    numbers = {stream.number for stream in wanted}
    for tag, stream_number, begin, end in chunks.places:
        if stream_number in numbers:
            content = file[begin:end]
            if tag == FOOTER:
                content = info_of({"sample_count": sample_count(content)})
            elif tag == SAMPLES and chunks.streams[stream_number].format == "string":
                content = _texts(content, chunks.streams[stream_number].n_chans) or b""
            put_chunk(out, tag, stream_number, content)
    out.seek(0)
    return out


def samples_in(file: mmap.mmap, chunks: Chunks) -> dict[int, int]:
    """How many samples each stream holds."""
    found = dict.fromkeys(chunks.streams, 0)
    for tag, stream, begin, _ in chunks.places:
        if tag == SAMPLES:
            found[stream] += (length_at(file, begin) or (0, 0))[0]
    return found


def put_chunk(out: io.BytesIO, tag: int, stream: int, content: bytes) -> None:
    """Append a chunk of a stream to a file."""
    out.write(struct.pack("<BQHI", 8, len(content) + 6, tag, stream) + content)


def info_of(fields: dict[str, str]) -> bytes:
    """The content of a header or footer."""
    return f"<info>{''.join(f'<{key}>{escape(text)}</{key}>' for key, text in fields.items())}</info>".encode()


def length_at(file: mmap.mmap | bytes, at: int) -> tuple[int, int] | None:
    """The length field (of 1, 4 or 8 bytes) at `at`, and where its content begins; None where it is invalid."""
    width = file[at] if at < len(file) else 0
    if width not in (1, 4, 8) or at + 1 + width > len(file):
        return None
    return int.from_bytes(file[at + 1 : at + 1 + width], "little"), at + 1 + width


def _described(header: bytes, stream: int) -> StreamHeader | None:
    root = _tree(header)
    if root is None:
        return None
    fields = {key: (root.findtext(key) or "").strip() for key in ("channel_count", "nominal_srate", "channel_format")}
    try:
        n_chans, sfreq = int(fields["channel_count"]), float(fields["nominal_srate"] or 0)
    except ValueError:
        return None
    known = fields["channel_format"] in SIZES or fields["channel_format"] == "string"
    if not known or not 0 < n_chans <= MOST_CHANNELS or not math.isfinite(sfreq) or sfreq < 0:
        return None
    keys = ("name", "type", "source_id", "hostname", "uid", "realtime_mood/role")
    name, kind, *identity = (" ".join((root.findtext(key) or "").split()) for key in keys)
    desc = root.find("desc")
    desc = ElementTree.Element("desc") if desc is None else desc
    return StreamHeader(stream, name, kind, n_chans, sfreq, fields["channel_format"], desc, *identity)


def _tree(xml: bytes) -> ElementTree.Element | None:
    """The elements in `xml`; None where it is damaged, or defines entities, which no recorder does."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        return None
    try:
        return ElementTree.fromstring(xml.decode("utf-8", "replace"))
    except (ElementTree.ParseError, ValueError):
        return None


def sample_count(footer: bytes) -> str:
    """What a footer says about how many samples there are; ``0`` where it is damaged."""
    root = _tree(footer)
    count = root.findtext("sample_count") if root is not None else None
    return count.strip() if count and count.strip().isdecimal() else "0"


def _is_sound(file: mmap.mmap, tag: int, begin: int, end: int, stream: StreamHeader) -> bool:
    """Whether a chunk's content is complete and valid."""
    if tag == OFFSET:
        return end - begin == 16 and all(math.isfinite(v) for v in struct.unpack_from("<dd", file, begin))
    if tag == FOOTER:
        return sample_count(file[begin : min(end, begin + LONGEST_HEADER)]) != "0"
    content = file[begin:end]
    n, at = length_at(content, 0) or (len(content) + 1, 0)  # without a valid length, too many
    if n > (len(content) - at) // 2:  # no sample is shorter, so more of them are a damaged number
        return False
    if stream.format == "string":
        return _texts(content, stream.n_chans) is not None
    size = stream.n_chans * SIZES[stream.format]
    if n * (9 + size) == len(content) - at and set(content[at :: 9 + size]) <= {8}:
        return True
    for _ in range(n):
        if at >= len(content) or content[at] not in (0, 8):
            return False
        at += 1 + content[at] + size
    return at == len(content)


def _texts(content: bytes, n_chans: int) -> bytes | None:
    """Samples of text, each text in UTF-8, which the reader expects; None where they are not valid."""
    n, at = length_at(content, 0) or (0, 0)
    out = [content[:at]]
    for _ in range(n):
        if at >= len(content) or content[at] not in (0, 8):
            return None
        out.append(content[at : at + 1 + content[at]])
        at += 1 + content[at]
        for _ in range(n_chans):
            n_bytes, at = length_at(content, at) or (len(content), at)
            if n_bytes > len(content) - at:
                return None
            text = text_of(content[at : at + n_bytes]).encode()
            out.append(struct.pack("<BI", 4, len(text)) + text)
            at += n_bytes
    return b"".join(out) if at == len(content) else None
