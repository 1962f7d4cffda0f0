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
from .timeline import Break

TAL = re.compile(rb"([+-](?<![^\x00][+-])\d+(?:\.(\d*))?)(?:\x15[\d.]*)?\x14([^\x00]*)")
"""One annotation list: when it begins, how many decimals that has, and the texts."""
LISTS = ("EDF Annotations", "BDF Annotations")
NEW_EPOCH = 1  # bit 16 of BioSemi's status, the lowest of its third byte


@dataclass(frozen=True)
class EdfRecords:
    """The layout of a file: (n_records, record_bytes) uint8, and where in a record each channel's bytes lie."""

    content: np.ndarray
    labels: list[str]
    transducers: list[str]
    columns: list[slice]
    record_s: float
    discontinuous: bool  # the header says "EDF+D" or "BDF+D"

    def annotations(self) -> Iterator[re.Match[bytes]]:
        """Every annotation list; the first says when the first record begins."""
        for at in self.lists:
            yield from TAL.finditer(self.content[:, at].tobytes())

    @property
    def lists(self) -> list[slice]:
        """Where in a record its annotations lie."""
        return [at for name, at in zip(self.labels, self.columns, strict=True) if name in LISTS]

    def new_epochs(self, rate: int) -> list[int]:
        """Stored samples, `rate` to a record, at which BioSemi's status says that a new epoch begins."""
        for name, made_by, at in zip(self.labels, self.transducers, self.columns, strict=True):
            if name == "Status" and "triggers and status" in made_by.lower():
                begins = (self.content[:, at][:, 2::3].ravel() & NEW_EPOCH).astype(np.int8)
                edges = np.flatnonzero(np.diff(begins) == 1) + 1
                return (edges * rate * 3 // (at.stop - at.start)).tolist()
        return []


def read_records(path: Path) -> EdfRecords:
    """The records of a file whose header MNE has read; raises `ValueError` where it is no such header."""
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
        columns=[slice(end - size, end) for end, size in zip(ends, sizes, strict=True)],
        record_s=float(head[244:252]) or 1.0,
        discontinuous=head[192:197] in (b"EDF+D", b"BDF+D"),
    )


def record_breaks(records: EdfRecords, sfreq: float, asked: str) -> tuple[list[Break], tuple[str, ...]]:
    """The breaks between records and between BioSemi's epochs, and what contradicts itself, in words.

    Parameters
    ----------
    records : EdfRecords
    sfreq : float
        Sampling rate (Hz) of the channels that are read.
    asked : str
        The source, for messages.

    Raises
    ------
    StreamMismatch
        Records of a discontinuous file overlap or go back in time.
    """
    rate = round(records.record_s * sfreq)
    epochs = [Break(at, None) for at in records.new_epochs(rate)]
    times, tolerance = _times(records, sfreq)
    late = times - np.arange(len(times)) * records.record_s
    timed = np.flatnonzero(np.isfinite(late))
    if records.discontinuous and not len(timed):
        return epochs, (
            "its header says it is discontinuous, but no record says when it begins: played without breaks",
        )
    late -= late[timed[0]] if len(timed) else 0.0
    breaks, before, place = [], 0.0, 0
    for i in timed.tolist():
        if late[i] - before < -tolerance:
            if not records.discontinuous:
                return epochs, (
                    "the times of its records go back, and its header says it is continuous: they are ignored",
                )
            raise StreamMismatch(
                asked,
                f"record {i}, at {late[i] + i * records.record_s:g} s, begins before the one before it ends",
                "convert it to EDF+C or BDF+C with EDFbrowser",
            )
        if late[i] - before > tolerance and (lost := round(late[i] * sfreq) - place) > 0:
            breaks.append(Break(i * rate, lost))
            before, place = late[i], place + lost
    if breaks and not records.discontinuous:
        return breaks + epochs, (
            f"its header says it is continuous, but the times of its records state {len(breaks)} breaks",
        )
    return breaks + epochs, ()


def _times(records: EdfRecords, sfreq: float) -> tuple[np.ndarray, float]:
    """When each record begins (s), NaN where it does not say, and how exactly these times are written (s)."""
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
    found = [
        Marker(round((float(part[1]) - start) * sfreq), _text(text, records.labels))
        for part in lists
        for text in part[3].split(b"\x14")
        if text
    ]
    return sorted(found, key=lambda marker: marker.index)


def _text(raw: bytes, labels: list[str]) -> str:
    """UTF-8 as the format wants it, or Latin-1 as many write it; less the channel it is about."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    words, _, channel = text.rpartition("@@")
    return words if channel in labels and words else text
