"""Signals of a file beside its EEG: which of its channels they are, and their samples by the time of the EEG."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import mne
import numpy as np
from numpy.typing import NDArray

from ...auxiliary import AuxInfo, TrackSamples
from .timeline import Timeline

BLOCK_S = 5.0  # seconds read from the file at once
_KINDS = (  # name, content type, and how labels of it begin
    ("ecg", "ECG", r"ECG|EKG"),
    ("eog", "EOG", r"[HV]?EO[GLRUD]|(LOC|ROC|E[12])([AM][12])?$|[LR]?[HV]?EYE"),
    ("emg", "EMG", r"[LR]?EMG|[CLR]?CHIN"),
    ("eda", "EDA", r"GSR|EDA"),
    ("respiration", "Respiration", r"RESP|BREATH|THOR|ABD|CHEST|NASAL|AIRFLOW|FLOW|EFFORT"),
    ("ppg", "PPG", r"PPG|BVP|PLETH|PULSE|OXI|S[AP]O2"),
    ("temperature", "Temperature", r"TEMP"),
    ("accelerometer", "ACC", r"ACC([XYZ]?$|EL)"),
    ("gyroscope", "GYRO", r"GYR"),
    ("magnetometer", "MAG", r"MAG"),
    ("battery", "Battery", r"BATT"),
    ("analog", "Analog", r"ANALOG|(RIGHT|LEFT)?AUX|DC\d"),
    ("digital", "Digital", r"DIG"),
)
_WORDS = tuple((name, content, re.compile(words)) for name, content, words in _KINDS)


class ChannelGroup(NamedTuple):
    """Channels of a file that are one stream beside the EEG."""

    name: str
    type: str
    ch_names: tuple[str, ...]
    columns: tuple[int, ...]
    units: tuple[str, ...]

    def info(self, source: str, sfreq: float, *, virtual: bool) -> AuxInfo:
        """Its description, for a file that is the source of that name, at a rate (Hz)."""
        url = f"{source.partition('?')[0]}#{self.name}"
        return AuxInfo(url, self.name, self.type, self.ch_names, self.units, sfreq, virtual=virtual)


def channel_groups(
    labels: Mapping[int, str], units: Mapping[int, str], types: Mapping[int, str]
) -> tuple[ChannelGroup, ...]:
    """The channels whose labels, or else types, name a signal of the body or of a device, by kind; no others.

    `labels`, and what the file states of `units` and `types`, are by column.
    """
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for column, label in labels.items():
        if kind := _kind(label) or _kind(types.get(column, "")):
            found[kind].append(column)
    return tuple(
        ChannelGroup(*kind, tuple(labels[i] for i in columns), tuple(columns), tuple(units.get(i, "") for i in columns))
        for kind, columns in found.items()
    )


def _kind(label: str) -> tuple[str, str] | None:
    word = re.sub(r"[^A-Z0-9]", "", label.upper().removeprefix("MOT.")).removeprefix("EEG")
    return next(((name, content) for name, content, words in _WORDS if words.match(word)), None)


class SlicedRows(Protocol):
    """Samples (n_times, n_chans) that are read by slices."""

    def __getitem__(self, span: slice, /) -> np.ndarray: ...


class StampedTrack:
    """A signal by its stamps: when each sample was taken (s, from the EEG's sample 0), and the samples.

    `load` is called once, when they are first asked for. Slices of the samples are (n_times, n_chans): an array, or
    what reads them from a file.
    """

    def __init__(self, info: AuxInfo, load: Callable[[], tuple[np.ndarray, SlicedRows]]) -> None:
        self.info, self._load = info, load
        self._loaded: tuple[np.ndarray, np.ndarray, SlicedRows] | None = None

    def between(self, begin: float, end: float) -> TrackSamples:
        """As in `Track`; where stamps run backwards, with the sample before."""
        if self._loaded is None:
            times, values = self._load()
            order = times if (np.diff(times) >= 0).all() else np.maximum.accumulate(times)
            self._loaded = order, times, values
        order, times, values = self._loaded
        first, stop = np.searchsorted(order, (begin, end))
        return TrackSamples(times[first:stop], values[first:stop])


class RawTrack:
    """Channels `picks` of a Raw, read from the file in blocks as they are asked for.

    Its numbers are multiplied by `scale`; `time` is the EEG's, at `sfreq` (Hz).
    """

    def __init__(
        self, info: AuxInfo, raw: Any, picks: list[int], scale: NDArray[np.float64], time: Timeline, sfreq: float
    ) -> None:
        self.info, self._raw, self._picks, self._scale, self._time, self._sfreq = info, raw, picks, scale, time, sfreq
        self._block, self._first = np.empty((0, len(picks)), np.float32), 0

    def between(self, begin: float, end: float) -> TrackSamples:
        """As in `Track`; of a gap of the EEG there are none."""
        times, values = [np.empty(0)], [np.empty((0, len(self._picks)), np.float32)]
        rate = self.info.sfreq / self._sfreq
        for first, stop in self._time.runs:
            a, b = max(first, begin * self._sfreq), min(stop, end * self._sfreq)
            if a >= b:
                continue
            skipped = first - self._time.stored(first)  # the EEG's indices minus its stored samples
            at, until = (int(np.ceil(round((it - skipped) * rate, 6))) for it in (a, b))
            until = min(until, int(self._raw.n_times))
            if at < until:
                times.append(np.arange(at, until) / self.info.sfreq + skipped / self._sfreq)
                values.append(self._rows(at, until))
        return TrackSamples(np.concatenate(times), np.concatenate(values))

    def close(self) -> None:
        """Close its file."""
        self._raw.close()

    def _rows(self, at: int, until: int) -> np.ndarray:
        if not self._first <= at <= until <= self._first + len(self._block):
            stop = min(int(self._raw.n_times), max(until, at + round(BLOCK_S * self.info.sfreq)))
            with mne.use_log_level("ERROR"), np.errstate(all="ignore"):
                self._block = (self._raw[self._picks, at:stop][0].T * self._scale).astype(np.float32)
            self._first = at
        return self._block[at - self._first : until - self._first]


def stored_tracks(
    groups: Sequence[ChannelGroup], rows: np.ndarray, index: np.ndarray, source: str, sfreq: float
) -> tuple[StampedTrack, ...]:
    """The `groups` of a table: columns of `rows` (n_rows, n_columns), at the sample indices `index` of the EEG."""
    times = index / sfreq

    def track(group: ChannelGroup, first: int) -> StampedTrack:
        values = rows[:, first : first + len(group.columns)].astype(np.float32)
        return StampedTrack(group.info(source, sfreq, virtual=False), lambda: (times, values))

    firsts = np.cumsum([0, *(len(group.columns) for group in groups)]).tolist()
    return tuple(track(group, first) for group, first in zip(groups, firsts, strict=False))
