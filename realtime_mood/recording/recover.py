"""Repairs damaged or truncated XDF files of this program or LabRecorder: writes a new file of all valid chunks."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, StreamMismatch
from ..files import GrowingFile, check_writable, free_paths
from ..sources.recordings.xdf_chunks import FOOTER, HEADER, SAMPLES, SIZES, Chunks, StreamHeader, find_chunks, length_at
from ..sources.recordings.xdf_values import sample_places
from . import xdf_write as xdf
from .reader import mapped

BOUNDARY_BYTES = 1 << 20  # bytes of the new file between two boundary chunks
REPAIRED = xdf.file_header(mended="1")
"""First bytes of every file that was written here; the key is that of the first version, so that all are recognised."""


@dataclass(frozen=True)
class RecoveredStream:
    """What a file holds of one stream."""

    name: str
    n_samples: int
    first: float  # stamp of the first sample (s)
    last: float


@dataclass(frozen=True)
class Recovered:
    """Result of `recover`."""

    path: Path | None  # the new file; None where the old one needed no repair
    streams: tuple[RecoveredStream, ...]
    dropped: int  # bytes that could not be read

    def __str__(self) -> str:
        held = "; ".join(f"{s.name}: {s.n_samples:,} samples, {s.last - s.first:.1f} s" for s in self.streams)
        if self.path is None:
            return f"nothing to repair: the file is complete and holds {held or 'no samples'}"
        lost = f"{self.dropped:,} bytes could not be read" if self.dropped else "no samples were lost"
        return f"{self.path} holds {held or 'no samples'}; {lost}"


def recover(path: Path, out: Path | None = None) -> Recovered:
    """Repair the XDF file at `path` into a new one: `out`, or ``…_recovered.xdf`` beside it. `path` is not changed.

    Raises `SourceNotFound` where there is no such file, `StreamMismatch` where nothing in it can be read, and
    `ConfigError` where the new file exists already, or cannot be written.
    """
    with mapped(path) as file:
        found = find_chunks(file)
        if not found.streams:
            raise StreamMismatch(f"recover {path}", "no stream in it can be read", "this file cannot be recovered")
        kept = _kept(file, found)
        ended = {stream for tag, stream, _, _ in found.places if tag == FOOTER}
        dropped = found.damaged + found.cut
        if not dropped and ended >= set(kept):
            return Recovered(None, tuple(kept.values()), 0)
        if out is not None and out.exists():
            raise ConfigError(f"recover to {out}", "it exists already", "choose another name")
        beside = path.with_name(f"{path.stem}_recovered.xdf")
        check_writable(out or beside, "recover to")
        try:
            made = _write(iter([out]) if out else free_paths(beside), _repaired(file, found, kept))
        except OSError as error:
            raise ConfigError(f"recover {path}", f"not written: {error}", "choose another path with --out") from None
        return Recovered(made, tuple(kept.values()), dropped)


def _write(paths: Iterator[Path], pieces: Iterator[bytes]) -> Path:
    """Write the new file and return its path; an incomplete one is deleted."""
    with closing(GrowingFile(paths)) as new:
        try:
            for piece in pieces:
                new.append(piece)
            new.sync()
        except OSError:
            new.path.unlink(missing_ok=True)
            raise
        return new.path


def _repaired(file: mmap.mmap, found: Chunks, kept: dict[int, RecoveredStream]) -> Iterator[bytes]:
    """The content of the new file, piece by piece."""
    yield REPAIRED
    for stream, (begin, end) in found.headers.items():
        yield xdf.chunk(HEADER, file[begin:end], stream)
    since = BOUNDARY_BYTES
    for tag, stream, begin, end in found.places:
        if since >= BOUNDARY_BYTES:
            yield xdf.BOUNDARY_CHUNK
            since = 0
        if tag != FOOTER:  # they may count samples that are gone
            yield xdf.chunk(tag, file[begin:end], stream)
            since += end - begin
    for stream, it in kept.items():
        yield xdf.stream_footer(stream, it.first, it.last, it.n_samples)


def _kept(file: mmap.mmap, found: Chunks) -> dict[int, RecoveredStream]:
    """What the file holds of each stream."""
    kept: dict[int, RecoveredStream] = {}
    for tag, stream, begin, end in found.places:
        if tag != SAMPLES:
            continue
        header, before = found.streams[stream], kept.get(stream)
        if stamps := _stamps(file[begin:end], header, before.last if before else 0.0):
            n, first = (before.n_samples, before.first) if before else (0, stamps[0])
            kept[stream] = RecoveredStream(header.name or str(stream), n + len(stamps), first, stamps[-1])
    return kept


def _stamps(content: bytes, stream: StreamHeader, last: float) -> list[float]:
    """Stamps of the samples of a valid chunk; those without one follow `last` at the nominal rate."""
    n, at = length_at(content, 0) or (0, 0)
    size = SIZES.get(stream.format, 0) * stream.n_chans
    if size and n and len(content) - at == n * (9 + size):
        return [first for (first,) in struct.iter_unpack(f"<xd{size}x", content[at:])]
    stamps, period_s = [], 1 / stream.sfreq if stream.sfreq else 0.0
    for sample in sample_places(content, stream):
        last = struct.unpack("<xd", sample.stamp)[0] if len(sample.stamp) > 1 else last + period_s
        stamps.append(last)
    return stamps
