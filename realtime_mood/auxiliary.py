"""Streams beside the EEG, such as gaze, pulse, motion and markers: their values and protocols.

Unlike the EEG, such a stream may be irregular or of text, keeps its units, and may appear, disappear and return at any
time. See docs/decisions/0031-streams-beside-the-eeg.md.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .guard import Report
from .types import read_only

STRING = "string"
KIND_WORDS = {  # parts of content types that name a kind of signal; the first that fits
    "markers": ("marker", "event", "annotation", "trigger", "stim"),
    "eyes": ("gaze", "eye", "pupil"),
    "pulse": ("ppg", "bvp", "ecg", "ekg", "pulse", "heart"),
    "motion": ("acc", "gyr", "mag", "imu", "motion", "mocap"),
    "skin": ("eda", "gsr"),
    "breathing": ("respir", "rsp", "breath"),
    "eeg": ("eeg",),
}


def kind_of(content_type: str) -> str:
    """The kind of signal that a content type means: a key of `KIND_WORDS`, or ``other``."""
    low = content_type.lower()
    return next((kind for kind, words in KIND_WORDS.items() if any(word in low for word in words)), "other")


@dataclass(frozen=True, slots=True)
class AuxInfo:
    """Description of a stream beside the EEG. Equal ones describe the same stream, also after it was lost."""

    url: str
    """The URL that selects it."""
    name: str
    type: str
    """Content type as the sender states it, ``Gaze`` or ``Markers``; see `kind`."""
    ch_names: tuple[str, ...]
    """Channel labels as the sender states them; ``""`` where it states none."""
    units: tuple[str, ...]
    """Unit of each channel, likewise."""
    sfreq: float = 0.0
    """Nominal rate in Hz; 0 where it is irregular."""
    format: str = "float32"
    """Format of the values as XDF names it: ``int8`` to ``int64``, ``float32``, ``double64`` or ``string``."""
    source_id: str = ""
    host: str = ""
    in_markers: bool = False
    """Whether each of its samples is also a marker of the run."""
    virtual: bool = False
    desc: str = field(default="", compare=False)
    """The sender's own description: the XML element ``desc``, or nothing."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """Notes for the user on what is unusual about it."""

    @property
    def n_chans(self) -> int:
        return len(self.ch_names)

    @property
    def kind(self) -> str:
        """Kind of signal: a key of `KIND_WORDS`, or ``other``."""
        return kind_of(self.type)


class SenderClock(NamedTuple):
    """A measurement of a sender's clock."""

    at: float  # when, on the sender's clock (s)
    offset: float  # our clock minus the sender's (s)


@dataclass(frozen=True, slots=True, eq=False)
class AuxChunk:
    """Consecutive samples of a stream beside the EEG, as they arrived; it may be empty."""

    values: np.ndarray
    """(n_times, n_chans), in the sender's units and format; of text, an array of `str` objects."""
    stamps: NDArray[np.float64]
    """(n_times,), when each was taken (s, our clock)."""
    sent: NDArray[np.float64]
    """(n_times,), the sender's own stamps (s, its clock)."""
    first: int
    """Index of ``values[0]``, after the `lost` ones."""
    clock: SenderClock
    """The newest measurement of the sender's clock."""
    lost: int = 0
    """Samples missing just before ``values[0]``, where the rate is regular."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", read_only(self.values, self.values.dtype))
        object.__setattr__(self, "stamps", read_only(self.stamps, np.float64))
        object.__setattr__(self, "sent", read_only(self.sent, np.float64))

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def n_bytes(self) -> int:
        """The size of its values; of text, how many characters they are."""
        return sum(map(len, self.values.flat)) if self.values.dtype == object else self.values.nbytes

    @property
    def end(self) -> int:
        return self.first + len(self)


class AuxStream(Protocol):
    """An open stream beside the EEG."""

    @property
    def info(self) -> AuxInfo:
        """Constant while it is open."""

    def read(self, timeout: float) -> AuxChunk | None:
        """The samples that arrived since the last call; None if there was nothing within `timeout` s.

        An empty chunk brings a new measurement of the clock. Raises `SourceLost` when the stream is gone.
        """

    def close(self) -> None: ...


class AuxSource(Protocol):
    """A stream beside the EEG that can be opened, and opened again after it was lost."""

    url: str
    report: Report
    """Receives what is unusual; the run sets it."""

    def open(self, off: threading.Event) -> AuxStream:
        """Open it, if it is there: the caller tries again.

        Gives up soon once `off` is set. Raises `SourceNotFound` while it is not there, `StreamMismatch` where it
        cannot be used.
        """

    def close(self) -> None:
        """Stop looking for it. May be called twice."""


@runtime_checkable
class Carrying(Protocol):
    """A stream whose device or file carries other signals beside the EEG: pulse, motion, gaze, buttons."""

    def beside(self) -> Sequence[tuple[AuxInfo, AuxChunk]]:
        """What arrived of them since the last call. Called after every `read`, on its thread; returns at once.

        Stamps are on our clock, where `SenderClock.offset` is 0, and agree with the EEG's. The `url` of each is the
        source's name, ``#``, and its own name. Each begins with an empty chunk, as soon as it is known, and counts
        from 0 in every stream.
        """


class TrackSamples(NamedTuple):
    """Samples of a signal beside the EEG of a file."""

    times: NDArray[np.float64]
    """(n_times,), when each was taken (s), counted from the EEG's sample 0."""
    values: np.ndarray
    """(n_times, n_chans), in the units of its description."""


class Track(Protocol):
    """A signal of a file beside its EEG."""

    info: AuxInfo

    def between(self, begin: float, end: float) -> TrackSamples:
        """Its samples from `begin` to before `end` (s), counted from the EEG's sample 0."""


@runtime_checkable
class AuxTap(Protocol):
    """A tap that also receives the streams beside the EEG: the recorder."""

    def take_aux(self, info: AuxInfo, chunk: AuxChunk) -> None:
        """Called from the thread of each stream; returns at once."""
