"""Headers of BrainVision, FIF and GDF files: metadata that MNE does not keep, and checks for damage."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import NamedTuple

from ...errors import StreamMismatch
from ..marker_words import text_of

_CHANNEL = re.compile(r"(?im)^Ch\d+[ \t]*=[ \t]*([^,\r\n]*),([^,\r\n]*),?([^,\r\n]*),?([^,\r\n]*)")
"""A channel of a BrainVision header: its name, reference, resolution and unit."""
MAX_CHANS = 10_000  # no recording has more; a header that says so is damaged, and MNE would fill the memory with them
NUMBER_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 16: 4, 17: 8}
"""Bytes of a sample in a GDF file by its type; MNE refuses other types."""
GDF_2 = (
    b"1.94"  # from this version on, the header's length is in blocks of 256 bytes, and events are counted in 3 bytes
)
ENCRYPTED = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")  # begins of files of age


class BrainVisionChannel(NamedTuple):
    """A channel in the header of a BrainVision file."""

    name: str
    reference: str
    unit: str  # µV where it names none, as the format has it


def beginning(path: Path, n_bytes: int) -> bytes:
    """The first bytes of a file; empty where the recording is a folder."""
    if not path.is_file():
        return b""
    with path.open("rb") as f:
        return f.read(n_bytes)


def refuse_encrypted(path: Path, asked: str) -> None:
    """Raise `StreamMismatch` for a file that age has encrypted."""
    if beginning(path, max(map(len, ENCRYPTED))).startswith(ENCRYPTED):
        do = f"decrypt it first: decrypt {path} --key KEY; without its key nobody can read it, and nothing is changed"
        raise StreamMismatch(asked, "it is encrypted (age)", do)


def text_in(path: Path) -> str:
    """The content of a text file in UTF-8 or Latin-1."""
    return text_of(path.read_bytes()).removeprefix("\ufeff")


def brainvision_channels(path: Path) -> list[BrainVisionChannel]:
    """The channels in the header of a BrainVision file."""
    infos = re.split(r"(?im)^\[(?:Channel Infos)\]", text_in(path))[-1].partition("\n[")[0]
    return [
        BrainVisionChannel(name.replace(r"\1", ",").strip(), reference.strip(), unit.strip() or "µV")
        for name, reference, _, unit in _CHANNEL.findall(infos)
    ]


def check_header(path: Path, asked: str) -> None:
    """Raise `StreamMismatch` where the header would make MNE run without end or fill the memory."""
    checks = {".fif": _check_tags, ".gdf": _check_events, ".vhdr": _check_count, ".ahdr": _check_count}
    if check := checks.get(path.suffix.lower()):
        check(path, asked)


def _check_tags(path: Path, asked: str) -> None:
    """Raise where the tags of a FIF file point in a circle, which MNE would follow for ever."""
    at, n_bytes = 0, path.stat().st_size
    with path.open("rb") as f:
        for _ in range(n_bytes // 16 + 1):
            f.seek(at)
            head = f.read(16)
            if len(head) < 16:
                return
            _, _, size, following = struct.unpack(">4i", head)
            at = following or at + 16 + size
            if at < 0:
                return
    raise StreamMismatch(asked, "its tags point in a circle", "the file is damaged")


def _check_count(path: Path, asked: str) -> None:
    """Raise where a BrainVision header states more channels than there can be, or than it describes."""
    stated = re.findall(rb"(?im)^\s*NumberOfChannels\s*[=:]\s*(\d+)", path.read_bytes())
    if any(len(number) > 9 or int(number) > MAX_CHANS for number in stated):
        raise StreamMismatch(asked, "its header says more channels than there can be", "the file is damaged")
    described = len(brainvision_channels(path))
    if described and stated and described != int(stated[0]):
        found = f"its header says {int(stated[0])} channels and describes {described}"
        raise StreamMismatch(asked, found, "correct NumberOfChannels in the header, or its list of channels")


def _check_events(path: Path, asked: str) -> None:
    """Raise where a GDF file states more events than it has room for."""
    with path.open("rb") as f:
        head = f.read(256)
        if len(head) < 256 or head[:4] != b"GDF ":
            return
        is_later = head[4:8] >= GDF_2
        n_chans = struct.unpack_from("<H", head, 252)[0]
        begin = 256 * struct.unpack_from("<H", head, 184)[0] if is_later else struct.unpack_from("<q", head, 184)[0]
        n_records = struct.unpack_from("<q", head, 236)[0]
        f.seek(256 + 216 * n_chans)
        lengths = f.read(8 * n_chans)
        if len(lengths) < 8 * n_chans:
            return
        counts = struct.unpack(f"<{2 * n_chans}I", lengths)
        record = sum(n * NUMBER_BYTES.get(kind, 0) for n, kind in zip(counts[:n_chans], counts[n_chans:], strict=True))
        at, size = begin + n_records * record, path.stat().st_size
        if not 0 < at <= size - 8:
            return
        f.seek(at)
        table = f.read(8)
    n_events = int.from_bytes(table[1:4] if is_later else table[4:8], "little")
    if 6 * n_events > size - at - 8:
        found = f"it says {n_events} events and holds at most {(size - at - 8) // 6}"
        raise StreamMismatch(asked, found, "the file may be cut short")
