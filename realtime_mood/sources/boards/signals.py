"""Signals of a board beside its EEG: which rows of which preset they are, and their chunks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import clock
from ...auxiliary import AuxChunk, AuxInfo, SenderClock
from ...types import Chunk
from ..timing.packages import Packages

KINDS: Mapping[str, tuple[str, str]] = {
    "eeg": ("exg", "EXG"),  # those of the EEG's rows that are not read as EEG, whatever is connected to them
    "ecg": ("ecg", "ECG"),
    "emg": ("emg", "EMG"),
    "eog": ("eog", "EOG"),
    "ppg": ("ppg", "PPG"),
    "eda": ("eda", "EDA"),
    "temperature": ("temperature", "Temperature"),
    "accel": ("accelerometer", "ACC"),
    "gyro": ("gyroscope", "GYRO"),
    "magnetometer": ("magnetometer", "MAG"),
    "rotation": ("rotation", "Rotation"),
    "optical": ("optical", "NIRS"),
    "battery": ("battery", "Battery"),
    "analog": ("analog", "Analog"),
    "other": ("other", "Other"),
    "resistance": ("resistance", "Resistance"),
}
"""Name and content type of each kind of row in the library's descriptions; a row of several kinds is of the first."""
AXES = ("accel", "gyro", "magnetometer")  # of three channels each: x, y, z
UNITS = {  # of boards whose names begin so; the library states no units
    ("muse", "accel"): "g",
    ("muse", "gyro"): "deg/s",
    ("cyton", "accel"): "g",
    ("ganglion", "accel"): "g",
    ("emotibit", "eda"): "uS",
    ("emotibit", "temperature"): "degC",
}
EXG = ("eeg", "ecg", "emg", "eog")  # kinds of electrodes, in µV on every board
MOST_KEPT = 4096  # chunks that wait to be read, about ten seconds: the oldest are dropped where nobody reads them
TIMING = ("package_num_channel", "timestamp_channel", "marker_channel")
"""Keys of the rows in a preset's description that number, time and mark its samples."""


@dataclass(frozen=True)
class RowGroup:
    """The rows of one kind in a preset."""

    info: AuxInfo
    rows: tuple[int, ...]
    """Their numbers in the library's table."""


def row_groups(
    described: Mapping[str, Any], used: Iterable[int], board: str, source: str, sfreq: float
) -> list[RowGroup]:
    """The rows of a preset that are in neither `used` nor the timing's, by kind; `sfreq` is the preset's rate (Hz).

    `described` is the library's description of the preset, `board` the board's name, and `source` the name of the
    source.
    """
    taken, groups = {*used, *(described[key] for key in TIMING if key in described)}, []
    preset = str(described.get("name", board))
    for kind, (name, content) in KINDS.items():
        own = described.get(f"{kind}_channels", [])
        own = [described[f"{kind}_channel"]] if f"{kind}_channel" in described else own
        rows = tuple(row for row in own if row not in taken)
        if not rows:
            continue
        taken.update(rows)
        labels = "xyz" if kind in AXES and len(rows) == 3 else [str(own.index(row) + 1) for row in rows]
        known = [unit for (maker, of), unit in UNITS.items() if of == kind and board.startswith(maker)]
        unit = "uV" if kind in EXG else (*known, "")[0]
        info = AuxInfo(
            f"{source}#{preset} {name}", f"{preset} {name}", content, tuple(labels), (unit,) * len(rows), sfreq,
            virtual=board == "synthetic",
        )  # fmt: skip
        groups.append(RowGroup(info, rows))
    return groups


class CarriedRows:
    """Chunks of the groups of one preset, from chunks that hold all of their rows.

    Their columns are those from `first` on.
    """

    def __init__(self, groups: list[RowGroup], first: int) -> None:
        self._columns = []
        for group in groups:
            self._columns.append((group.info, slice(first, first + len(group.rows))))
            first += len(group.rows)
        now = SenderClock(clock.now(), 0.0)
        none = [(info, np.empty((0, info.n_chans), np.float32)) for info, _ in self._columns]
        chunks = [(info, AuxChunk(values, np.empty(0), np.empty(0), 0, now)) for info, values in none]
        self._ready = deque(chunks, MOST_KEPT)
        self._last = -np.inf

    def take(self, chunk: Chunk, sfreq: float) -> None:
        """Take a chunk of the whole preset at this rate (Hz)."""
        stamps = chunk.t_last - np.arange(len(chunk) - 1, -1, -1) / sfreq
        stamps = np.maximum(stamps, self._last)
        self._last = float(stamps[-1])
        now = SenderClock(self._last, 0.0)
        for info, columns in self._columns:
            self._ready.append((info, AuxChunk(chunk.data[:, columns], stamps, stamps, chunk.first, now, chunk.lost)))

    def ready(self) -> list[tuple[AuxInfo, AuxChunk]]:
        """What was taken since the last call; at first an empty chunk of each."""
        ready = list(self._ready)
        self._ready.clear()
        return ready


class OtherPreset:
    """A preset of a board beside the one with the EEG: its own table, rate, numbering and stamps."""

    def __init__(self, preset: int, described: Mapping[str, Any], board: str, source: str) -> None:
        self.preset, self._sfreq = preset, float(described["sampling_rate"])
        groups = row_groups(described, (), board, source, self._sfreq)
        self._rows = [row for group in groups for row in group.rows]
        self._number, self._marker = (described.get(key) for key in ("package_num_channel", "marker_channel"))
        self.stamp: int = described["timestamp_channel"]
        self._packages = Packages(self._sfreq, len(self._rows), ())
        self.carried = CarriedRows(groups, 0)

    def feed(self, table: np.ndarray, arrived: float, *, is_last: bool) -> None:
        """Take its newest rows (n_rows, n), stamped on our clock, which `arrived` now (s, our clock)."""
        none = np.zeros(table.shape[1])
        number, marker = (none if row is None else table[row] for row in (self._number, self._marker))
        chunks = self._packages.feed(table[self._rows].T, marker, number, table[self.stamp], arrived)
        for chunk in chunks + (self._packages.release(arrived) if is_last else []):
            self.carried.take(chunk, self._sfreq)
