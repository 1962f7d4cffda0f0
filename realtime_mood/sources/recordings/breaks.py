"""Breaks that files state, each format in its own way."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import mne
import numpy as np

from .placing import indices
from .timeline import Break

DAY_S = 86_400.0
DRIFT = 5e-5  # clocks of computer and amplifier drift apart by less than this share
FILLER = ("bad_acq_skip", "bad_disconnection")
"""Annotations over stored samples that only fill a break: MNE's for FIF and MFF, ANT's."""
JOINED = {
    "": ("edge boundary", "bad boundary"),
    ".gdf": ("32766",),
    ".cnt": ("impedance", "amplifier reconnected", "__"),
}
"""Annotations where recordings were joined, of unknown length: MNE's, GDF's event 0x7FFE, and pauses of ANT's, which
marks what does not continue the sample before with two underscores."""
NEW_SEGMENT = re.compile(rb"(?im)^\s*Mk\d+\s*=\s*New Segment,[^,\n]*,(\d+),[^,\n]*,[^,\n]*(?:,(\d*))?")
"""BrainVision's marker: the sample, counted from 1, and when the segment began."""
CNT_DISCONTINUITY = 14  # code of Neuroscan's events, in the upper half of their fourth byte


def stated_breaks(path: Path, raw: Any, sfreq: float) -> list[Break]:
    """The breaks that the file of `raw` states, at `sfreq` Hz; those of EDF+ records are found by `edf_records`."""
    if path.suffix.lower() == ".eeg":  # of MNE's annotations there, each block has its own
        return list(_nihon_kohden(path, raw, sfreq))
    own = OWN.get(path.suffix.lower())
    return [*_annotated(path, raw, sfreq), *(own(path, raw, sfreq) if own else ())]


def stored_onsets(raw: Any, annotations: Any) -> np.ndarray:
    """The onsets of `annotations` in stored samples, not rounded: (n,)."""
    return np.asarray(annotations.onset, float) * raw.info["sfreq"] - raw.first_samp


def counted_breaks(raw: Any, counters: dict[str, float]) -> list[Break]:
    """The packages that are missing by a channel that counts them; `counters` are candidates, and MNE's value of 1."""
    for name, one in counters.items():
        if name in raw.ch_names:
            with mne.use_log_level("ERROR"):
                counts = raw[[raw.ch_names.index(name)], :][0][0] / one
            index = indices(len(counts), raw.info["sfreq"], None, np.round(counts))[0]
            steps = np.diff(np.maximum.accumulate(index))
            return [Break(int(i) + 1, int(steps[i]) - 1) for i in np.flatnonzero(steps > 1)]
    return []


def _annotated(path: Path, raw: Any, sfreq: float) -> Iterator[Break]:
    notes = raw.annotations
    suffix = path.suffix.lower()
    ends = stored_onsets(raw, notes) + np.asarray(notes.duration) * sfreq
    for text, at, end in zip(notes.description, stored_onsets(raw, notes), ends, strict=True):
        word, first, known = text.lower(), _after(at), end - at > 0.5
        if word.startswith(FILLER):
            yield Break(first, 0, _after(end) - first) if known else Break(first, None)
        elif word == "boundary" or (suffix == ".set" and word in ("-99", "-99.0")):  # EEGLAB's, as long as was cut out
            if known and end > raw.n_times - 1.5 and suffix == ".set":  # MNE cuts what reaches beyond the end
                end = at + _whole_duration(path, at / sfreq) * sfreq
            yield Break(first, round(end - at) if known else None)
        elif word in JOINED[""] or word in JOINED.get(suffix, ()):
            yield Break(first, None)


def _after(at: float) -> int:
    """The first whole sample at or after `at`."""
    return int(np.ceil(at - 1e-3)) if np.isfinite(at) else -1


def _whole_duration(path: Path, begin: float) -> float:
    """The length (s) of the boundary at second `begin` of an EEGLAB file, as stored."""
    notes = mne.read_annotations(path)
    return float(max(notes.duration[np.abs(notes.onset - begin) < 1e-3]))


def _brainvision(path: Path, raw: Any, sfreq: float) -> Iterator[Break]:
    """From the markers "New Segment", which may say when each segment began."""
    named = re.search(rb"(?im)^\s*MarkerFile\s*=\s*(.+?)\s*$", path.read_bytes())
    marks = named and path.with_name(named[1].decode("utf-8", "replace").replace("$b", path.stem))
    if not marks or not marks.is_file():
        return
    found = NEW_SEGMENT.findall(marks.read_bytes())
    segments = sorted((int(at) - 1, _stamp(digits.decode())) for at, digits in found)
    for (at, began), (next_at, next_began) in pairwise(segments):
        lost = None
        if began is not None and next_began is not None:
            lost = round((next_began - began) * sfreq) - (next_at - at)
        yield Break(next_at, lost if lost and lost > 0 else None)
    if segments and segments[0][0] > 0:
        yield Break(segments[0][0], None)


def _stamp(digits: str) -> float | None:
    """The seconds since 1970 of BrainVision's ``YYYYMMDDhhmmssuuuuuu``."""
    try:
        when = datetime.strptime(digits[:14], "%Y%m%d%H%M%S")
        return (when - datetime(1970, 1, 1)).total_seconds() + float(f"0.{digits[14:] or 0}")
    except ValueError:
        return None


def _persyst(path: Path, raw: Any, sfreq: float) -> Iterator[Break]:
    """From ``[SampleTimes]``: samples and the time of day of each, given again now and then against drift."""
    section = re.search(r"(?is)^\[SampleTimes\]\s*$(.*?)(?=^\[|\Z)", path.read_text("latin-1"), re.MULTILINE)
    pairs = re.findall(r"(?m)^\s*(\d+)\s*=\s*([\d.]+)\s*$", section[1]) if section else []
    times = sorted((int(at), float(second)) for at, second in pairs)
    for (at, second), (next_at, next_second) in pairwise(times):
        expected = (next_at - at) / sfreq
        more = next_second - second - expected
        if more < -DAY_S / 2:  # past midnight
            more += DAY_S
        if abs(more) > 2 / sfreq + DRIFT * expected:
            yield Break(next_at, round(more * sfreq) if more > 0 else None)


def _nihon_kohden(path: Path, raw: Any, sfreq: float) -> Iterator[Break]:
    """From the blocks of the file: each states, to the second, when it began."""
    blocks = raw._raw_extras[0]["header"]["controlblocks"][0]["datablocks"]
    began, at = [], 0
    with path.open("rb") as f:
        for block in blocks:
            f.seek(int(block["address"]) + 20)
            began.append(_stamp(f"20{f.read(6).hex()}"))
    for block, (before, after) in zip(blocks[:-1], pairwise(began), strict=True):
        at += int(block["n_samples"])
        more = None if before is None or after is None else (after - before) * sfreq - int(block["n_samples"])
        yield Break(at, round(more) if more and more >= sfreq else None)


def _neuroscan(path: Path, raw: Any, sfreq: float) -> Iterator[Break]:
    """From the events of a CNT file of Neuroscan's: http://paulbourke.net/dataformats/eeg/."""
    with path.open("rb") as f:
        if f.read(4) in (b"RIFF", b"RF64"):  # the same suffix, but of ANT
            return
        f.seek(886)
        f.seek(struct.unpack("<i", f.read(4))[0])
        kind, size = struct.unpack("<Bi4x", f.read(9))
        table = f.read(size)
    n_chans, width = len(raw.ch_names), int(raw._raw_extras[0]["n_bytes"])
    for event in struct.iter_unpack("<HBBi" if kind == 1 else "<HBBi11x", table):
        if event[2] >> 4 == CNT_DISCONTINUITY:
            offset = event[3] * (n_chans * width if kind == 3 else 1) - 900 - 75 * n_chans
            yield Break(offset // (n_chans * width), None)


OWN = {".vhdr": _brainvision, ".ahdr": _brainvision, ".lay": _persyst, ".cnt": _neuroscan}
