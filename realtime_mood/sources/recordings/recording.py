"""A recording in memory: rows in µV, each at its sample index; and the checks that all readers share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from ...auxiliary import Track
from ...errors import StreamMismatch
from ...types import Array, Marker
from ..units import WIDE, check_spread, microvolts, spread
from ..url import FiniteOptions

HEAD_S = 10.0  # seconds at the beginning by which the unit is checked
SELECT = ("stream", "source_id", "host", "uid", "number")  # options that choose a stream of an XDF file
FASTEST_HZ = 100_000.0  # no EEG is sampled faster; a header that says so is damaged


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PlaybackOptions(FiniteOptions):
    """Options after ``playback://PATH?``."""

    loop: bool = False
    start: Seconds = 0.0
    stop: Seconds | None = None
    stream: str | None = None
    """Which stream of an XDF file, by name, where it holds more than one of EEG; the next four tell namesakes apart."""
    source_id: str | None = None
    host: str | None = None  # the computer that sent it
    uid: str | None = None
    number: int | None = None  # of the stream in the file
    sfreq: Annotated[float, Field(gt=0, le=FASTEST_HZ)] | None = None
    """The sampling rate (Hz) of a stream in an XDF file that states none, or states it wrongly."""
    board: str | None = None  # which board wrote a BrainFlow table, as in ``brainflow://BOARD``: the table does not say


class Rows:
    """A recording in memory: `data` (n_rows, n_chans) in µV, NaN where it could not be read.

    `index` (n_rows,) is the sample index of each row, increasing; the rest is as in `SignalFile`.
    """

    def __init__(
        self,
        data: np.ndarray,
        index: np.ndarray,
        ch_names: Sequence[str],
        sfreq: float,
        *,
        markers: list[Marker],
        reference: str = "unknown",
        virtual: bool = False,
        notes: Sequence[str] = (),
        tracks: Sequence[Track] = (),
    ) -> None:
        self._data, self._index, self._markers = np.ascontiguousarray(data, np.float32), index, markers
        self.ch_names, self.sfreq, self.reference = tuple(ch_names), sfreq, reference
        self.virtual, self.notes, self.tracks = virtual, tuple(notes), tuple(tracks)
        edges = np.flatnonzero(np.diff(index) != 1)
        firsts, lasts = index[np.r_[0, edges + 1]], index[np.r_[edges, len(index) - 1]]
        self.runs = tuple(zip(firsts.tolist(), (lasts + 1).tolist(), strict=True))

    def rows(self, first: int, end: int) -> Array:
        """Samples ``[first, end)`` of one stretch: (n_times, n_chans), µV."""
        at = int(np.searchsorted(self._index, first))
        return self._data[at : at + end - first]

    def markers(self) -> list[Marker]:
        """What happened, in order."""
        return self._markers

    def close(self) -> None:
        """Nothing is held open."""


def check_rate(asked: str, sfreq: float) -> None:
    """Raise `StreamMismatch` unless `sfreq` could be the rate of a recording."""
    if not 0 < sfreq <= FASTEST_HZ:
        raise StreamMismatch(asked, f"a sampling rate of {sfreq:g} Hz", "the file may be damaged")


def check_unit(asked: str, head: np.ndarray, sfreq: float, written: str, limits: tuple[float, float] = WIDE) -> None:
    """Raise `StreamMismatch` when the first seconds (µV) of numbers in the unit `written` cannot be EEG."""
    reading = f"its numbers are read as {written.replace('u', 'µ')}"
    check_spread(asked, spread(head[: round(HEAD_S * sfreq)], sfreq), limits, reading, microvolts(written))


def by_index(markers: Iterable[Marker]) -> list[Marker]:
    """The markers in order."""
    return sorted(markers, key=lambda marker: marker.index)


def outside(n: int) -> tuple[str, ...]:
    """A note on `n` markers before or after the signal."""
    return (f"{n} marker{'s' * (n > 1)} before or after the signal left out",) if n else ()


def finite(values: np.ndarray) -> Array:
    """`values` as float32, with NaN where one is not finite or too large."""
    with np.errstate(over="ignore", invalid="ignore"):
        small = np.asarray(values).astype(np.float32)
    small[~np.isfinite(small)] = np.nan
    return small
