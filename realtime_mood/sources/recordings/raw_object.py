"""Rows and markers of an ``mne.io.Raw``, and a Raw opened by the caller as a playable recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np

from ...types import Array, Marker
from ..channels import choose_channels
from ..units import microvolts
from .breaks import stated_breaks, stored_onsets
from .raw_tracks import raw_groups, raw_tracks
from .recording import HEAD_S, PlaybackOptions, by_index, check_rate, check_unit, finite
from .timeline import Timeline
from .tracks import BLOCK_S, RawTrack

VIRTUAL_MARK = "VIRTUAL PERSON"  # marks the header of every file of a simulated subject


class RawRows:
    """The chosen channels of a Raw: rows of float32 µV, read in blocks."""

    _raw: Any
    _picks: list[int]
    _to_uv: float | np.ndarray
    _time: Timeline
    sfreq: float
    tracks: tuple[RawTrack, ...]
    _block: Array = np.empty((0, 0), np.float32)
    _first = 0  # stored sample with which the block begins

    def rows(self, first: int, end: int) -> Array:
        """Samples ``[first, end)`` of one stretch: (n_times, n_chans), µV."""
        at, n = self._time.stored(first), end - first
        if not self._first <= at <= at + n <= self._first + len(self._block):
            stop = min(self._time.until(at), max(at + n, at + round(BLOCK_S * self.sfreq)))
            with mne.use_log_level("ERROR"), np.errstate(all="ignore"):  # no warnings from the reading thread
                self._block = finite(self._raw[self._picks, at:stop][0].T * self._to_uv)
            self._first = at
        return self._block[at - self._first : at - self._first + n]

    def markers(self) -> list[Marker]:
        """The annotations, by sample."""
        notes = self._raw.annotations
        at = np.round(stored_onsets(self._raw, notes)).astype(int)
        pairs = zip(at, notes.description, strict=True)
        return by_index(Marker(self._time.index(int(i)), str(text)) for i, text in pairs)

    def _is_virtual(self, header: str = "") -> bool:
        """Whether its metadata or `header` mark the signal as simulated."""
        info = self._raw.info
        text = f"{info['description']} {info['subject_info']} {info['experimenter']}{header}"
        return VIRTUAL_MARK in text.replace("_", " ").upper()


class RawFile(RawRows):
    """The EEG channels of a Raw (in volts), whose annotations state its gaps; it is neither changed nor closed.

    Raises `StreamMismatch` where its channels are no electrodes, or its numbers cannot be EEG in that unit.
    """

    def __init__(self, raw: Any, options: PlaybackOptions, asked: str) -> None:
        self._raw, self.sfreq = raw, float(raw.info["sfreq"])
        check_rate(asked, self.sfreq)
        is_eeg = [kind == "eeg" for kind in raw.get_channel_types()]
        self._picks, self.ch_names, self.reference, notes = choose_channels(raw.ch_names, is_eeg, options, asked)
        self._time = Timeline(raw.n_times, self.sfreq, stated_breaks(Path(), raw, self.sfreq))
        self.runs, self.notes = self._time.runs, (*notes, *self._time.notes())
        self.virtual, self._to_uv = self._is_virtual(), microvolts(options.units or "V")
        groups = raw_groups(raw, self._picks, None, np.ones(len(raw.ch_names)))
        groups = [group for group in groups if group.sfreq == self.sfreq]
        self.tracks = raw_tracks(groups, raw, lambda names: raw, self._time, asked, virtual=self.virtual)
        first, end = self.runs[0]
        if not options.units:
            check_unit(asked, self.rows(first, min(end, first + round(HEAD_S * self.sfreq))), self.sfreq, "V")

    def close(self) -> None:
        """Leave the Raw as it was given."""
