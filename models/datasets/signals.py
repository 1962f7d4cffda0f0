"""Raw recordings of data sets: a file's electrodes, and the stretches of signal around its trials, in µV.

Formats, units and damage are dealt with by the readers that play files (`realtime_mood.sources.recordings`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from realtime_mood.errors import MoodError, SourceNotFound
from realtime_mood.plugins import read_options
from realtime_mood.sources.channels import choose_channels
from realtime_mood.sources.playback import translated
from realtime_mood.sources.recordings import open_recording
from realtime_mood.sources.recordings.opening import open_raw
from realtime_mood.sources.recordings.recording import Rows
from realtime_mood.sources.recordings.signal_file import SignalFile
from realtime_mood.sources.units import microvolts
from realtime_mood.types import StreamInfo

from .guards import check_spans, scale_factor
from .recordings import FolderOptions
from .tables import columns, header
from .trials import Segment, Span, Trial

LEAD_S = 10.0
"""Signal before a trial, so that filters have settled and the context holds what went before, as in live use."""


class SignalHead(NamedTuple):
    """What the header of a recording says of its channels."""

    labels: tuple[str, ...]
    """Of the channels of type EEG, in order."""
    places: dict[str, tuple[float, float, float]]
    """Position of each channel that has one, in metres: x to the right ear, y to the nose, z up."""
    sfreq: float
    length_s: float
    """Of what the file stores."""


def head_of(path: Path) -> SignalHead:
    """Read the header of a recording that MNE reads; raises `SourceError` where it is missing or damaged."""
    if not path.exists():
        raise SourceNotFound(path.name, "its signal is not there", "download it; a link to it may be broken")
    with translated(path.name):
        raw, _ = open_raw(path, path.name)
        try:
            kinds = zip(raw.ch_names, raw.get_channel_types(), strict=True)
            montage = raw.get_montage()
            places = montage.get_positions()["ch_pos"] if montage else {}
            at = {name: (float(x), float(y), float(z)) for name, (x, y, z) in places.items() if np.isfinite(x + y + z)}
            labels = tuple(name for name, kind in kinds if kind == "eeg")
            return SignalHead(labels, at, float(raw.info["sfreq"]), raw.n_times / raw.info["sfreq"])
        finally:
            raw.close()


@dataclass(frozen=True)
class RawSignal:
    """A recording in a file, not read yet.

    Parameters
    ----------
    path : Path
    channels : tuple of str
        Names for all of the file's EEG channels, in order, ``-`` for one to leave out; empty: as the file labels them.
    drop : tuple of str
        Channels to leave out, where they exist.
    units : str
        Unit of the file's numbers where its header cannot be trusted; empty: as the header says.
    scales : tuple of float
        What files of this set may have to be multiplied by to be µV; see `guards.scale_factor`.
    reference : str
        Where the set states it and the file does not.
    table_sfreq : float
        Rate (Hz) of a table of one column an electrode, named after it, in µV or `units`; 0 for other files.
    delimiter : str
        Of such a table.
    """

    path: Path
    channels: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    units: str = ""
    scales: tuple[float, ...] = ()
    reference: str = ""
    table_sfreq: float = 0.0
    delimiter: str = ","

    def open(self) -> SignalFile:
        """The open file; raises `SourceError` where it is missing, damaged, or holds no EEG."""
        words = {"channels": ",".join(self.channels), "drop": ",".join(self.drop), "units": self.units}
        options = read_options(FolderOptions, self.path.name, {key: word for key, word in words.items() if word})
        if not self.path.exists():
            raise SourceNotFound(self.path.name, "its signal is not there", "download it; a link to it may be broken")
        if self.table_sfreq:
            return self._table(options)
        with translated(self.path.name):
            return open_recording(self.path, options, self.path.name)

    def _table(self, options: FolderOptions) -> SignalFile:
        """The electrodes among the columns of a table."""
        labels = header(self.path, self.delimiter)
        chosen = choose_channels(labels, [True] * len(labels), options, self.path.name)
        values = columns(self.path, [labels[i] for i in chosen.columns], self.delimiter)
        scale = microvolts(options.units) if options.units else 1.0
        return Rows(values * scale, np.arange(len(values)), chosen.ch_names, self.table_sfreq, markers=[],
                    reference=chosen.reference, notes=chosen.notes)  # fmt: skip

    def info(self, name: str) -> tuple[StreamInfo, float, tuple[str, ...]]:
        """What the file's header says: its electrodes, the length of what it stores (s), and what is odd about it."""
        file = self.open()
        try:
            reference = self.reference if file.reference == "unknown" and self.reference else file.reference
            info = StreamInfo(file.ch_names, file.sfreq, name, reference, virtual=file.virtual)
            notes = tuple(note for note in file.notes if not note.startswith("drop="))  # where they exist
            return info, _stored(file) / file.sfreq, notes
        finally:
            file.close()

    def markers(self) -> list[tuple[float, str]]:
        """The file's annotations: seconds of what it stores, and text."""
        file = self.open()
        try:
            with translated(self.path.name):
                found = file.markers()
            firsts, begins = np.array(file.runs)[:, 0], _begins(file)
            at = np.array([marker.index for marker in found], int)
            run = np.maximum(np.searchsorted(firsts, at, "right") - 1, 0)
            stored = begins[run] + np.minimum(at - firsts[run], np.diff(file.runs)[run, 0])
            return [(float(i / file.sfreq), marker.text) for i, marker in zip(stored, found, strict=True)]
        finally:
            file.close()

    def segments(self, info: StreamInfo, spans: Sequence[Span], lead_s: float = LEAD_S) -> Iterator[Segment]:
        """The signal around trials, in order.

        Parameters
        ----------
        info : StreamInfo
            As `info` gave it.
        spans : sequence of Span
            In seconds of what the file stores, as events of BIDS are: where it has breaks, these count nothing. One
            that ends at infinity ends with the file.
        lead_s : float
            Signal before each; trials closer than this are in one segment.

        Raises
        ------
        MoodError
            The file is damaged or another than before, a trial lies outside it, or its numbers cannot be EEG.
        """
        file = self.open()
        try:
            if (file.ch_names, file.sfreq) != (info.ch_names, info.sfreq):
                found = f"{len(file.ch_names)} channels at {file.sfreq:g} Hz; {info.n_chans} at {info.sfreq:g} expected"
                raise MoodError(self.path.name, found, "all files of a session must have the same electrodes and rate")
            length, last = _stored(file) / file.sfreq, file.runs[-1][1]
            spans = [replace(s, stop=length) if math.isinf(s.stop) else s for s in spans]
            check_spans(spans, length, self.path.name)
            factor = 0.0
            for start, stop, inside in stretches([_placed(s, file) for s in spans], last / file.sfreq, lead_s):
                first, end = round(start * info.sfreq), min(round(stop * info.sfreq), last)
                with translated(self.path.name):
                    signal = _rows(file, first, end)
                factor = factor or scale_factor(signal, info.sfreq, self.path.name, self.scales)
                at = first / info.sfreq
                moved = tuple(replace(s, start=s.start - at, stop=min(s.stop, end / info.sfreq) - at) for s in inside)
                yield Segment(moved, signal * np.float32(factor) if factor != 1 else signal)
        finally:
            file.close()


def segments_of(parts: Sequence[tuple[RawSignal, Sequence[Span]]], info: StreamInfo) -> Iterator[Segment]:
    """The segments of a session that lies in several files, in order; see `RawSignal.segments`."""
    for source, spans in parts:
        if spans:
            yield from source.segments(info, spans)


def table_segments(
    files: Sequence[Path], trials: Sequence[Trial], names: Sequence[str], sfreq: float
) -> Iterator[Segment]:
    """A segment a trial from as many tables, of whose columns these hold µV; raises `MoodError` as `columns` does."""
    for path, trial in zip(files, trials, strict=True):
        signal = columns(path, names).astype(np.float32)
        scale_factor(signal, sfreq, path.name)
        yield Segment((Span(0.0, len(signal) / sfreq, trial),), signal)


def _stored(file: SignalFile) -> int:
    """How many samples it stores."""
    return sum(end - first for first, end in file.runs)


def _begins(file: SignalFile) -> np.ndarray:
    """(n_runs,): the stored sample at which each unbroken stretch begins."""
    return np.cumsum([0, *(end - first for first, end in file.runs)])[:-1]


def _placed(span: Span, file: SignalFile) -> Span:
    """A span of stored time at its place in the file's own time, which counts what was lost in breaks too."""
    begins = _begins(file)

    def at(seconds: float, side: Literal["left", "right"]) -> float:
        i = max(0, int(np.searchsorted(begins, seconds * file.sfreq, side)) - 1)
        return float(seconds + (file.runs[i][0] - begins[i]) / file.sfreq)

    return replace(span, start=at(span.start, "right"), stop=at(span.stop, "left"))


def _rows(file: SignalFile, first: int, end: int) -> np.ndarray:
    """Samples ``[first, end)``; NaN where they were lost."""
    signal = np.full((end - first, len(file.ch_names)), np.nan, np.float32)
    for begin, until in file.runs:
        a, b = max(begin, first), min(until, end)
        if a < b:
            signal[a - first : b - first] = file.rows(a, b)
    return signal


def stretches(spans: Sequence[Span], length_s: float, lead_s: float) -> list[tuple[float, float, tuple[Span, ...]]]:
    """Start, stop and trials of each stretch to read: trials with `lead_s` before them, joined where these meet."""
    found: list[tuple[float, float, list[Span]]] = []
    for span in sorted(spans, key=lambda s: (s.start, s.stop)):
        start, stop = max(0.0, span.start - lead_s), min(span.stop, length_s)
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(stop, found[-1][1]), [*found[-1][2], span]
        else:
            found.append((start, stop, [span]))
    return [(start, stop, tuple(inside)) for start, stop, inside in found]
