"""Turns a file of any format that MNE reads into a recording, read in blocks."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import StreamMismatch
from ...types import Array, Marker
from ..channels import choose_channels
from ..units import MICROVOLTS, unit_name
from .mat_file import check_mat
from .recording import HEAD_S, PlaybackOptions, check_rate, check_unit

BLOCK_S = 5.0
"""Seconds read from the file at once."""
MAX_CHANS = 10_000
"""No recording has more; a header that says so is damaged, and MNE would fill the memory with them."""
VIRTUAL_MARK = "VIRTUAL PERSON"
"""Stands in the header of every file that was made from a virtual person."""

# What MNE takes the stored numbers for, where it keeps no per-channel unit. Everything else is in volts.
_STORED = {".set": "uV", ".gdf": "uV"}


class MneFile:
    """The EEG channels of a file: rows of float32 µV."""

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, options: PlaybackOptions, asked: str) -> None:
        import mne

        if path.suffix == ".fif":
            _check_tags(path, asked)
        elif path.suffix == ".set":
            check_mat(path, asked)
        elif path.suffix in (".vhdr", ".ahdr"):
            _check_count(path, asked)
        self._raw: Any = mne.io.read_raw(path, preload=False, verbose="ERROR")
        self.sfreq, self._n_times = float(self._raw.info["sfreq"]), int(self._raw.n_times)
        check_rate(asked, self.sfreq)
        self.runs: tuple[tuple[int, int], ...] = ((0, self._n_times),)
        types = self._raw.get_channel_types()
        self._picks, self.ch_names = choose_channels(self._raw.ch_names, [t == "eeg" for t in types], options, asked)
        self._block, self._first = np.empty((0, len(self._picks)), np.float32), 0
        self.reference, self.virtual = options.reference or "unknown", self._is_virtual(path)
        self._to_uv = 1e6
        stated = self._stored_unit(path)
        if options.units:
            self._to_uv *= MICROVOLTS[options.units] / MICROVOLTS[stated]
        self._check(asked, stated, bool(options.units))

    def _stored_unit(self, path: Path) -> str:
        """The unit MNE takes the numbers in the file to have, before it turned them into volts."""
        stored = getattr(self._raw, "_orig_units", None) or {}
        units = {unit_name(str(stored.get(self._raw.ch_names[i], ""))) for i in self._picks} - {None}
        return next(iter(units)) or "V" if len(units) == 1 else _STORED.get(path.suffix.lower(), "V")

    def _check(self, asked: str, stated: str, overruled: bool) -> None:
        """Read a little at both ends: numbers that are EEG, and a file that is whole."""
        if self._n_times < 2:
            raise StreamMismatch(asked, f"{self._n_times} samples", "give a recording that holds EEG")
        self._raw[self._picks[:1], self._n_times - 1 : self._n_times]
        if not overruled:
            check_unit(asked, self.rows(0, min(self._n_times, round(HEAD_S * self.sfreq))), self.sfreq, stated)

    def rows(self, first: int, end: int) -> Array:
        """Samples ``[first, end)``: (n_times, n_chans), µV."""
        if not self._first <= first <= end <= self._first + len(self._block):
            stop = min(self._n_times, max(end, first + round(BLOCK_S * self.sfreq)))
            self._block = np.ascontiguousarray(self._raw[self._picks, first:stop][0].T * self._to_uv, np.float32)
            self._first = first
        return self._block[first - self._first : end - self._first]

    def markers(self) -> list[Marker]:
        """The file's annotations, by sample."""
        raw = self._raw
        at = raw.time_as_index(raw.annotations.onset, use_rounding=True, origin=raw.annotations.orig_time)
        notes = zip(at, raw.annotations.description, strict=True)
        return sorted((Marker(int(index), str(text)) for index, text in notes), key=lambda marker: marker.index)

    def _is_virtual(self, path: Path) -> bool:
        """Whether the header says that nobody wore the electrodes."""
        info = self._raw.info
        said = f"{info['description']} {info['subject_info']} {info['experimenter']}"
        if path.is_file():
            with path.open("rb") as f:
                said += f.read(4096).decode("latin-1")
        return VIRTUAL_MARK in said.replace("_", " ").upper()

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()


def _check_tags(path: Path, asked: str) -> None:
    """Raise `StreamMismatch` when the tags of a FIF file point in a circle, which MNE would follow for ever."""
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
    """Raise `StreamMismatch` when a BrainVision header says more channels than there can be."""
    said = re.findall(rb"(?im)^\s*NumberOfChannels\s*[=:]\s*(\d+)", path.read_bytes())
    if any(len(number) > 9 or int(number) > MAX_CHANS for number in said):
        raise StreamMismatch(asked, "its header says more channels than there can be", "the file is damaged")
