"""Times, annotations and BioSemi epochs in the records of EDF+ and BDF+ files.

The formats: https://www.edfplus.info/specs/edfplus.html and https://www.biosemi.com/faq/trigger_signals.htm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import StreamMismatch
from ...types import Marker
from ..marker_words import text_of
from .recording import by_index
from .timeline import Break

TAL = re.compile(rb"([+-](?<![^\x00][+-])\d+(?:\.(\d*))?)(?:\x15[\d.]*)?\x14([^\x00]*)")
"""One annotation list: its onset, the decimals of that, and the texts."""
LISTS = ("EDF Annotations", "BDF Annotations")
NEW_EPOCH = 1  # bit 16 of BioSemi's status, the lowest of its third byte


@dataclass(frozen=True)
class EdfRecords:
    """The records of a file and the layout of each."""

    content: np.ndarray  # (n_records, record_bytes) uint8
    labels: list[str]
    transducers: list[str]
    units: list[str]
    columns: list[slice]  # the bytes of each channel in a record
    record_s: float
    discontinuous: bool  # the header says "EDF+D" or "BDF+D"

    def annotations(self) -> Iterator[re.Match[bytes]]:
        """Every annotation list; the first states when the first record begins."""
        for at in self.lists:
            yield from TAL.finditer(self.content[:, at].tobytes())

    @property
    def lists(self) -> list[slice]:
        """The bytes of annotations in a record."""
        return [at for name, at in zip(self.labels, self.columns, strict=True) if name in LISTS]

    def new_epochs(self, rate: int) -> list[int]:
        """Stored samples, `rate` to a record, at which a new epoch begins by BioSemi's status."""
        for name, made_by, at in zip(self.labels, self.transducers, self.columns, strict=True):
            if name == "Status" and "triggers and status" in made_by.lower():
                begins = (self.content[:, at][:, 2::3].ravel() & NEW_EPOCH).astype(np.int8)
                edges = np.flatnonzero(np.diff(begins) == 1) + 1
                return (edges * rate * 3 // (at.stop - at.start)).tolist()
        return []


def read_records(path: Path) -> EdfRecords:
    """The records of a file whose header MNE has read; raises `ValueError` for an invalid header."""
    with path.open("rb") as f:
        head = f.read(256)
        n_chans = int(head[252:256])
        more = f.read(256 * n_chans)

    def words(at: int, size: int) -> list[str]:
        return [more[n_chans * at + i * size :][:size].decode("latin-1").strip() for i in range(n_chans)]

    width = 3 if path.suffix.lower() == ".bdf" else 2
    sizes = [width * int(n) for n in words(216, 8)]
    ends = np.cumsum(sizes).tolist()
    stored = np.memmap(path, np.uint8, "r", offset=int(head[184:192]))
    whole = len(stored) // ends[-1]
    return EdfRecords(
        content=stored[: whole * ends[-1]].reshape(whole, ends[-1]),
        labels=words(0, 16),
        transducers=words(16, 80),
        units=[unit.replace("\x83\xca", "µ").strip(" \0") for unit in words(96, 8)],
        columns=[slice(end - size, end) for end, size in zip(ends, sizes, strict=True)],
        record_s=float(head[244:252]) or 1.0,
        discontinuous=head[192:197] in (b"EDF+D", b"BDF+D"),
    )


def record_breaks(records: EdfRecords, sfreq: float, asked: str) -> tuple[list[Break], tuple[str, ...]]:
    """The breaks between records and between BioSemi's epochs, and notes on contradictions.

    `sfreq` (Hz) is that of the channels that are read. Raises `StreamMismatch` where records of a discontinuous file
    overlap or go back in time.
    """
    rate = round(records.record_s * sfreq)
    epochs = [Break(at, None) for at in records.new_epochs(rate)]
    times, tolerance = _times(records, sfreq)
    late = times - np.arange(len(times)) * records.record_s
    timed = np.flatnonzero(np.isfinite(late))
    if records.discontinuous and not len(timed):
        note = "its header says it is discontinuous, but no record says when it begins: played without breaks"
        return epochs, (note,)
    late -= late[timed[0]] if len(timed) else 0.0
    breaks, before, place = [], 0.0, 0
    for i in timed.tolist():
        if late[i] - before < -tolerance and not records.discontinuous:
            note = "the times of its records go back, and its header says it is continuous: they are ignored"
            return epochs, (note,)
        if late[i] - before < -tolerance:
            found = f"record {i}, at {late[i] + i * records.record_s:g} s, begins before the one before it ends"
            raise StreamMismatch(asked, found, "convert it to EDF+C or BDF+C with EDFbrowser")
        if late[i] - before > tolerance and (lost := round(late[i] * sfreq) - place) > 0:
            breaks.append(Break(i * rate, lost))
            before, place = late[i], place + lost
    note = f"its header says it is continuous, but the times of its records state {len(breaks)} breaks"
    return breaks + epochs, (note,) if breaks and not records.discontinuous else ()


def _times(records: EdfRecords, sfreq: float) -> tuple[np.ndarray, float]:
    """When each record begins (s), NaN where that is not stated, and the resolution of these times (s)."""
    times, decimals = np.full(len(records.content), np.nan), 0
    if records.lists:
        first = records.content[:, records.lists[0]]
        for i, match in enumerate(map(TAL.match, (row.tobytes().partition(b"\x00")[0] for row in first))):
            if match and match[3].startswith(b"\x14"):
                times[i], decimals = float(match[1]), max(decimals, len(match[2] or b""))
    step = 10.0**-decimals
    whole = abs(records.record_s / step - round(records.record_s / step)) < 1e-6
    return times, 0.5 / sfreq if whole else max(0.5 / sfreq, step)


def record_markers(records: EdfRecords, sfreq: float) -> list[Marker]:
    """The annotations at their place in the recording's time, which counts from its first record."""
    lists = list(records.annotations())
    start = float(lists[0][1]) if lists and lists[0][3].startswith(b"\x14") else 0.0
    return by_index(
        Marker(round((float(part[1]) - start) * sfreq), _without_channel(text_of(text), records.labels))
        for part in lists
        for text in part[3].split(b"\x14")
        if text
    )


def _without_channel(text: str, labels: list[str]) -> str:
    words, _, channel = text.rpartition("@@")
    return words if channel in labels and words else text
