"""Checks the event table of a GDF file against its size, before MNE makes room for what it says."""

from __future__ import annotations

import struct
from pathlib import Path

from ...errors import StreamMismatch

NUMBER_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 16: 4, 17: 8}
"""Of the types of samples; others are damage, which MNE names."""
LATER = b"1.94"  # from this version on, the header is counted in other units, and events in three bytes


def check_events(path: Path, asked: str) -> None:
    """Raise `StreamMismatch` when the file says more events than it has room for."""
    with path.open("rb") as f:
        head = f.read(256)
        if len(head) < 256 or head[:4] != b"GDF ":
            return
        later = head[4:8] >= LATER
        n_chans = struct.unpack_from("<H", head, 252)[0]
        begin = 256 * struct.unpack_from("<H", head, 184)[0] if later else struct.unpack_from("<q", head, 184)[0]
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
        n_events = int.from_bytes(table[1:4] if later else table[4:8], "little")
        if 6 * n_events > size - at - 8:
            found = f"it says {n_events} events and holds at most {(size - at - 8) // 6}"
            raise StreamMismatch(asked, found, "the file may be cut short")
