"""Writes XDF files in the layout of LabRecorder: whole descriptions, deduced stamps, boundaries, long footers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from recordings import XDF_BOUNDARY, xdf_chunk

PIECE = 37  # samples of a chunk


class SentStream(NamedTuple):
    """A stream as its sender describes and stamps it, whose clock is behind the recorder's by `offset` s."""

    name: str
    type: str
    labels: Sequence[str]
    unit: str
    sfreq: float
    values: np.ndarray  # (n_times, n_chans)
    stamps: np.ndarray  # s, the sender's clock
    offset: float

    @property
    def is_text(self) -> bool:
        return self.values.dtype == object

    @property
    def header(self) -> str:
        form = "string" if self.is_text else {"float32": "float32", "float64": "double64"}[str(self.values.dtype)]
        channels = "".join(
            f"<channel><label>{label}</label><unit>{self.unit}</unit><type>{self.type}</type></channel>"
            for label in self.labels
        )
        return (
            f'<?xml version="1.0"?>\n<info>\n\t<name>{self.name}</name>\n\t<type>{self.type}</type>\n'
            f"\t<channel_count>{len(self.labels)}</channel_count>\n\t<nominal_srate>{self.sfreq}</nominal_srate>\n"
            f"\t<channel_format>{form}</channel_format>\n\t<source_id>id-{self.name}</source_id>\n"
            "\t<version>1.1</version>\n\t<created_at>90.1234</created_at>\n\t<uid>a-b-c</uid>\n"
            "\t<session_id>default</session_id>\n\t<hostname>lab</hostname>\n\t<v4address />\n"
            f"\t<v4data_port>16572</v4data_port>\n\t<desc>\n\t\t<channels>{channels}</channels>\n\t</desc>\n</info>\n"
        )


def write_labrecorder(path: Path, streams: Sequence[SentStream]) -> None:
    """The file of a recording with these streams, their samples taking turns."""
    parts = [b"XDF:", xdf_chunk(1, b'<?xml version="1.0"?>\n  <info>\n    <version>1.0</version>\n  </info>')]
    parts += [xdf_chunk(2, stream.header.encode(), number) for number, stream in enumerate(streams, 1)]
    offsets = {number: [(at, stream.offset) for at in np.arange(stream.stamps[0], stream.stamps[-1] + 5, 5.0)]
               for number, stream in enumerate(streams, 1)}  # fmt: skip
    for number, measured in offsets.items():
        parts += [xdf_chunk(4, struct.pack("<dd", *pair), number) for pair in measured]
    for at in range(0, max(len(stream.stamps) for stream in streams), PIECE):
        parts.append(XDF_BOUNDARY)
        parts += [_samples(number, stream, at) for number, stream in enumerate(streams, 1) if at < len(stream.stamps)]
    for number, stream in enumerate(streams, 1):
        listed = "".join(f"<offset><time>{a}</time><value>{b}</value></offset>" for a, b in offsets[number])
        footer = (
            f'<?xml version="1.0"?><info><first_timestamp>{stream.stamps[0]}</first_timestamp>'
            f"<last_timestamp>{stream.stamps[-1]}</last_timestamp><sample_count>{len(stream.stamps)}</sample_count>"
            f"<clock_offsets>{listed}</clock_offsets></info>"
        )
        parts.append(xdf_chunk(6, footer.encode(), number))
    path.write_bytes(b"".join(parts))


def _samples(number: int, stream: SentStream, at: int) -> bytes:
    """A chunk of samples; a stamp that follows from the one before and the rate is left out."""
    rows, stamps = stream.values[at : at + PIECE], stream.stamps[at : at + PIECE]
    parts = [struct.pack("<BI", 4, len(rows))]
    for k, (row, stamp) in enumerate(zip(rows, stamps, strict=True)):
        deduced = k > 0 and stream.sfreq > 0 and stamp == stamps[k - 1] + 1 / stream.sfreq
        parts.append(b"\0" if deduced else struct.pack("<Bd", 8, stamp))
        if stream.is_text:
            parts += [struct.pack("<BB", 1, len(raw)) + raw for raw in (str(text).encode() for text in row)]
        else:
            parts.append(row.tobytes())
    return xdf_chunk(3, b"".join(parts), number)
