"""Protocol of a file that plays: what every reader of recordings returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...auxiliary import Track
from ...types import Array, Marker


class SignalFile(Protocol):
    """A file that plays. Sample indices count lost samples too, so ``index / sfreq`` is the recording's time."""

    ch_names: tuple[str, ...]
    sfreq: float
    runs: tuple[tuple[int, int], ...]
    """``[first, end)`` of each unbroken stretch of samples, in order; what lies between was lost."""
    reference: str
    virtual: bool
    notes: tuple[str, ...]

    @property
    def tracks(self) -> Sequence[Track]:
        """Its signals beside the EEG."""

    def rows(self, first: int, end: int) -> Array:
        """Samples ``[first, end)`` of one stretch: (n_times, n_chans), µV."""

    def markers(self) -> list[Marker]:
        """Markers in order of time."""

    def close(self) -> None:
        """Close the file."""
