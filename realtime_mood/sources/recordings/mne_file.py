"""Recordings in any format that MNE reads, loaded in blocks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import StreamMismatch
from ...types import Array, Marker
from ..channels import choose_channels
from ..units import UNSTATED, microvolts, scales, unit_name
from ..url import pasted
from .breaks import counted_breaks, stated_breaks
from .edf_records import EdfRecords, read_records, record_breaks, record_markers
from .headers import beginning, brainvision_channels, check_header
from .opening import open_raw
from .raw_object import RawRows
from .raw_tracks import raw_groups, raw_tracks
from .recording import HEAD_S, PlaybackOptions, check_rate, check_unit, outside
from .timeline import Break, Timeline

COUNTER = re.compile(r"(?i)(eeg[ ._])?counter")  # the channel in which Emotiv's programs keep the package counter
# What MNE takes the stored numbers for, where it keeps no per-channel unit. Everything else is in volts.
_STORED = {"RawEEGLAB": "uV", "RawGDF": "uV"}
_BRAINVISION = {"V": 1.0, "mV": 1e-3, "µV": 1e-6, "uV": 1e-6, "nV": 1e-9}
"""Units of BrainVision files that MNE knows (V); it takes numbers of all others as they are."""


class MneFile(RawRows):
    """The EEG channels of a file: rows of float32 µV."""

    _records: EdfRecords | None

    def __init__(self, path: Path, options: PlaybackOptions, asked: str) -> None:
        check_header(path, asked)
        by_record = path.suffix.lower() in (".edf", ".bdf")
        # Names are made unique before any are left out, so that they stay; annotations are read by `record_markers`.
        self._options: dict[str, Any] = {"exclude_after_unique": True, "encoding": "latin-1"} if by_record else {}
        self._raw, self._omitted = open_raw(path, asked, **self._options)
        _check_labels(self._raw, asked)
        self._records = read_records(path) if by_record else None
        written, taken, reference = self._stated(path)
        # MNE takes channels of a BrainVision file for others where it does not know their unit.
        typed = {"eeg", "misc"} if path.suffix in (".vhdr", ".ahdr") else {"eeg"}
        is_eeg = [kind in typed for kind in self._raw.get_channel_types()]
        chosen = choose_channels(self._raw.ch_names, is_eeg, options, asked, reference=reference, units=written)
        self._picks, self.ch_names, self.reference, notes = chosen
        counters = {name: taken[i] for i, name in enumerate(self._raw.ch_names) if COUNTER.fullmatch(name)}
        stated = written if by_record or path.suffix in (".vhdr", ".ahdr") else None
        groups = raw_groups(self._raw, self._picks, stated, taken)
        written, taken = [written[i] for i in self._picks], taken[self._picks]
        self._check_units(asked, written, options)
        self._read_at_own_rate(path, options.drop, asked)
        self.sfreq, self._n_times = float(self._raw.info["sfreq"]), int(self._raw.n_times)
        check_rate(asked, self.sfreq)
        self._time, odd = self._timeline(path, asked, counters)
        self.runs, self.notes = self._time.runs, notes + odd + self._outside()
        self.virtual = self._is_virtual(beginning(path, 4096).decode("latin-1"))
        worth = microvolts(options.units) if options.units else scales(asked, written)[0]
        # Where the file names no unit, what MNE takes its numbers for is believed, if that makes them EEG.
        is_stated = options.units or any(map(unit_name, written))
        self._to_uv = np.full(len(taken), worth) / taken if is_stated else np.full(len(taken), 1e6)
        self._check(asked, unit_name(written[0]) or "V", bool(options.units))

        def opened(names: list[str]) -> Any:
            return open_raw(path, asked, include=names, **self._options)[0]

        self.tracks = raw_tracks(groups, self._raw, opened, self._time, asked, virtual=self.virtual)

    def _read_at_own_rate(self, path: Path, dropped: Sequence[str], asked: str) -> None:
        """Open an EDF, BDF or GDF file again with nothing but what is read, where MNE would resample that."""
        if path.suffix.lower() not in (".edf", ".bdf", ".gdf"):
            return
        extras = (self._raw._raw_extras or [{}])[0] or {}
        names = [self._raw.ch_names[i] for i in self._picks]
        rates = extras["n_samps"][extras["sel"][self._picks]]
        usual = Counter(rates.tolist()).most_common(1)[0][0]
        if odd := [name for name, rate in zip(names, rates, strict=True) if rate != usual]:
            hz = usual * extras["record_length"][1] / extras["record_length"][0]
            found = f"its EEG channels have several sampling rates: {', '.join(odd[:12])} not the others' {hz:g} Hz"
            raise StreamMismatch(asked, found, f"leave them out with {pasted('drop', [*dropped, *odd])}")
        if usual != extras["max_samp"]:
            if path.suffix.lower() == ".gdf" and self._picks != list(range(len(self._picks))):
                found = (
                    "a GDF file with several sampling rates, EEG not first"  # MNE would take other channels for these
                )
                raise StreamMismatch(asked, found, "convert it to EDF or BDF")
            self._raw.close()
            self._raw, _ = open_raw(path, asked, include=names, **self._options)
            self._picks = [self._raw.ch_names.index(name) for name in names]

    def _timeline(self, path: Path, asked: str, counters: dict[str, float]) -> tuple[Timeline, tuple[str, ...]]:
        """The timeline by what the file states of its breaks, and notes on it."""
        breaks: list[Break] = []
        notes: tuple[str, ...] = ()
        if self._records is not None:
            breaks, notes = record_breaks(self._records, self.sfreq, asked)
        if not any(b.lost for b in breaks):
            breaks += stated_breaks(path, self._raw, self.sfreq)
        breaks = breaks or counted_breaks(self._raw, counters)
        time = Timeline(self._n_times, self.sfreq, breaks)
        return time, notes + time.notes()

    def _stated(self, path: Path) -> tuple[list[str], np.ndarray, str]:
        """The unit of each channel in the file, how many volts MNE takes a stored 1 for, and the common reference."""
        extras = self._raw._raw_extras[0]
        if self._records is not None:  # MNE takes all but µV and mV for volts
            return [self._records.units[i] for i in extras["sel"]], np.asarray(extras["units"]), ""
        if path.suffix in (".vhdr", ".ahdr") and len(channels := brainvision_channels(path)) == len(self._raw.ch_names):
            units = [channel.unit for channel in channels]
            references = {channel.reference for channel in channels}
            taken = [_BRAINVISION.get(unit, 1.0) for unit in units]
            return units, np.array(taken), references.pop() if len(references) == 1 else ""
        stored = getattr(self._raw, "_orig_units", None) or {}
        usual = _STORED.get(type(self._raw).__name__, "V")
        names = [unit_name(str(stored.get(name, ""))) or usual for name in self._raw.ch_names]
        return names, np.array([1e-6 * microvolts(name) for name in names]), ""

    def _check_units(self, asked: str, written: list[str], options: PlaybackOptions) -> None:
        """Raise `StreamMismatch` where only some channels have a unit that EEG has."""
        others = {
            self._raw.ch_names[i]: unit[:20]
            for i, unit in zip(self._picks, written, strict=True)
            if unit.strip().lower() not in UNSTATED and not unit_name(unit)
        }
        if 0 < len(others) < len(written) and not options.units:
            found = f"not EEG by their unit ({', '.join(sorted(set(others.values())))}): {', '.join([*others][:12])}"
            raise StreamMismatch(asked, found, f"leave them out with {pasted('drop', [*options.drop, *others])}")

    def _check(self, asked: str, stated: str, overruled: bool) -> None:
        """Read a little at both ends: numbers that are EEG, and a file that is whole."""
        if self._n_times < 2 or not self.runs:
            raise StreamMismatch(asked, f"{self._n_times} samples", "give a recording that holds EEG")
        self._raw[self._picks[:1], self._n_times - 1 : self._n_times]
        if not overruled:
            check_unit(asked, self._head(round(HEAD_S * self.sfreq)), self.sfreq, stated)

    def _head(self, n: int) -> Array:
        """The first `n` samples that are no filler."""
        parts: list[Array] = []
        for first, end in self.runs:
            parts.append(self.rows(first, min(end, first + n)))
            n -= len(parts[-1])
            if n <= 0:
                break
        return np.concatenate(parts)

    def markers(self) -> list[Marker]:
        """The file's annotations, by sample."""
        if self._records is not None and self._records.lists:
            return record_markers(self._records, self.sfreq)
        return super().markers()

    def _outside(self) -> tuple[str, ...]:
        """How many annotations stand before or after the signal, in words."""
        n = self._omitted
        if self._records is not None and self._records.lists:
            n = sum(not 0 <= marker.index < self._time.runs[-1][1] for marker in self.markers())
        return outside(n)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
        for track in self.tracks:
            track.close()


def _check_labels(raw: Any, asked: str) -> None:
    """Raise `StreamMismatch` when an EEGLAB file holds another number of channels than it labels."""
    if type(raw).__name__ != "RawEEGLAB":
        return
    data = Path(raw.filenames[0])
    n_stored = float(raw._data.shape[0] if raw.preload else data.stat().st_size / (4 * max(1, raw.n_times)))
    if n_stored != len(raw.ch_names) and n_stored == round(n_stored):
        found = f"it labels {len(raw.ch_names)} channels and holds {n_stored:g}"
        raise StreamMismatch(asked, found, "correct its channel locations in EEGLAB")
