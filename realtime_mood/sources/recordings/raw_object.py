"""An ``mne.io.Raw`` opened by the caller, as a playable recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np

from ...types import Array, Marker
from ..channels import choose_channels
from ..units import microvolts
from .breaks import stated_breaks, stored_onsets
from .mne_file import VIRTUAL_MARK
from .recording import HEAD_S, PlaybackOptions, check_rate, check_unit, finite
from .timeline import Timeline


class RawFile:
    """The EEG channels of a Raw, whose annotations say where it has gaps: rows of float32 µV.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        In volts. It is read in blocks where it is not loaded, and neither changed nor closed.
    options : PlaybackOptions
        Of these ``channels``, ``drop``, ``units`` and ``reference``.
    asked : str
        What to call it in messages.

    Raises
    ------
    StreamMismatch
        Its channels are no electrodes, or its numbers cannot be EEG in that unit.
    """

    def __init__(self, raw: Any, options: PlaybackOptions, asked: str) -> None:
        self._raw, self.sfreq = raw, float(raw.info["sfreq"])
        check_rate(asked, self.sfreq)
        is_eeg = [kind == "eeg" for kind in raw.get_channel_types()]
        chosen = choose_channels(raw.ch_names, is_eeg, options, asked)
        self._picks, self.ch_names, self.reference, notes = chosen
        self._time = Timeline(raw.n_times, self.sfreq, stated_breaks(Path(), raw, self.sfreq))
        self.runs, self.notes = self._time.runs, (*notes, *self._time.notes())
        info = raw.info
        text = f"{info['description']} {info['subject_info']} {info['experimenter']}"
        self.virtual = VIRTUAL_MARK in text.replace("_", " ").upper()
        self._to_uv = microvolts(options.units or "V")
        first, end = self.runs[0]
        if not options.units:
            head = self.rows(first, min(end, first + round(HEAD_S * self.sfreq)))
            check_unit(asked, head, self.sfreq, "V")

    def rows(self, first: int, end: int) -> Array:
        """Samples ``[first, end)`` of one stretch: (n_times, n_chans), µV."""
        at = self._time.stored(first)
        with mne.use_log_level("ERROR"), np.errstate(all="ignore"):
            return finite(self._raw[self._picks, at : at + end - first][0].T * self._to_uv)

    def markers(self) -> list[Marker]:
        """The annotations, by sample."""
        notes = self._raw.annotations
        at = np.round(stored_onsets(self._raw, notes)).astype(int)
        found = [Marker(self._time.index(int(i)), str(text)) for i, text in zip(at, notes.description, strict=True)]
        return sorted(found, key=lambda marker: marker.index)

    def close(self) -> None:
        """Leave the Raw as it was given."""
