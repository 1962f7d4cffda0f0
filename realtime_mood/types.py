"""Value types that travel through the system, in the order of processing.

Signals are microvolts; times are seconds on one monotonic clock. Sample indices count from where the
source was opened and include samples known to be lost, so ``index / sfreq`` is always stream time.
Streaming arrays are (n_times, n_chans); from `Window` on they are (n_chans, n_times), as networks want them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .corrections import Corrections
from .drift import Drift
from .entropy import Statistics
from .modalities import EyeInput, modalities_of
from .readout import Readout
from .reasons import Fault, Why

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


def read_only(a: np.ndarray, dtype: DTypeLike = np.float32) -> np.ndarray:
    """A view of `a`, as `dtype`, that cannot be written through."""
    a = np.asarray(a, dtype).view()
    a.flags.writeable = False
    return a


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream promises for as long as it is open."""

    ch_names: tuple[str, ...]
    """10-05 electrode names, in the order of the data's columns."""
    sfreq: float
    """Sampling rate in Hz."""
    name: str = ""
    """Name of the stream on screen."""
    reference: str = "unknown"
    virtual: bool = False
    """True when the signal is simulated; kept with everything derived from it."""
    paced: bool = True
    """False for a finite source at ``speed=max``: it waits for the pipeline, so nothing is ever skipped or stale."""
    chunk_s: float = 0.05
    """The usual time between chunks, in seconds."""
    speed: float = 1.0  # seconds of the signal per second: other than 1 for a recording or a simulation only
    notes: tuple[str, ...] = ()
    """Notes for the user on what is unusual about this stream, such as a rate that differs from the announced one."""

    @property
    def n_chans(self) -> int:
        return len(self.ch_names)


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened at a sample. Markers go to sinks and screens, never to the network."""

    index: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Impedance:
    """Electrode impedances as measured by the board, valid from sample `index` until the next measurement."""

    index: int
    kohm: Array
    """(n_chans,), kΩ; NaN where the board reports none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kohm", read_only(self.kohm))


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Consecutive samples as they arrived: (n_times, n_chans), µV. An unreadable sample is NaN."""

    data: Array
    first: int
    """Index of ``data[0]``, after the `lost` ones."""
    t_last: float
    """When ``data[-1]`` was taken."""
    lost: int = 0
    """Samples missing just before ``data[0]``: `first` is the end of the chunk before, plus these."""
    markers: tuple[Marker, ...] = ()
    impedances: tuple[Impedance, ...] = ()
    """Those that changed within this chunk; most boards report none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", read_only(self.data))

    def __len__(self) -> int:
        return self.data.shape[0]

    @property
    def end(self) -> int:
        return self.first + len(self)

    def before(self, end: int, sfreq: float) -> Chunk:
        """The part of it before sample `end`; empty when it begins later."""
        if self.end <= end:
            return self
        keep = max(0, end - self.first)
        return replace(
            self, data=self.data[:keep], t_last=self.t_last - (len(self) - keep) / sfreq,
            markers=tuple(m for m in self.markers if m.index < end),
            impedances=tuple(i for i in self.impedances if i.index < end),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One context of filtered signal, with band power and electrode quality."""

    data: Array
    """(n_chans, n_times), µV: as much of the newest signal as the raw patches need; zero before the stream began."""
    valid: Mask
    """(n_times,): True where a sample was received and the filters had settled."""
    power: NDArray[np.float64]
    """(n_hops, n_chans, n_bands), µV²: band-filtered signal squared, summed over the valid samples of each hop."""
    counts: NDArray[np.int64]
    """(n_hops,): how many samples went into each of those sums."""
    dead: Mask
    """(n_hops, n_chans): True where an electrode had no usable signal; `data` is zero there, `power` undefined."""
    quality: Quality
    """How good each electrode was at the end: judged hop by hop, whichever windows are read."""
    first: int
    """Index of ``data[:, 0]``; negative before a whole context has been streamed."""
    settled: int
    """Index from which the filters count as settled."""
    broken: int
    """Index at which the stream resumed after its last long gap; 0 when there was none."""
    t_last: float
    statistics: Statistics | None = None
    """Statistics to standardise its features with, as learnt up to its end; None where nothing learns."""
    drift: Drift | None = None
    """How the signal compares with the subject's baseline up to its end; None without a profile."""
    corrections: Corrections | None = None  # of the user, up to its end
    artefacts: NDArray[np.int8] | None = None
    """(n_hops,): 0, or 1 + the index in `reasons.ARTEFACTS` of what was in a hop; such hops count as not received. None
    where there is none."""
    eye: EyeInput | None = None  # None where no eye tracker takes part

    def __post_init__(self) -> None:
        for name, kind in (("data", np.float32), ("valid", bool), ("power", float), ("counts", int), ("dead", bool)):
            object.__setattr__(self, name, read_only(getattr(self, name), kind))

    @property
    def end(self) -> int:
        return self.first + self.data.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """How good each electrode's signal is."""

    scores: Array
    """(n_chans,), 0 unusable to 1 good."""
    faults: tuple[Fault | None, ...]

    @property
    def good(self) -> Mask:
        """(n_chans,): which channels the network may look at."""
        return np.array([fault is None for fault in self.faults], bool)

    def without(self, channels: frozenset[int]) -> Quality:
        """The same with some channels left out."""
        faults = (Fault.EXCLUDED if i in channels else fault for i, fault in enumerate(self.faults))
        return Quality(self.scores, tuple(faults))

    @property
    def overall(self) -> float:
        return float(self.scores.mean()) if len(self.scores) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Model input."""

    de: Array
    """(n_steps, n_chans, n_bands), nats; oldest step first."""
    patches: Array
    """(n_chans, n_patches, patch_len), µV at the network's rate; oldest patch first."""
    step_mask: Mask
    """(n_steps,): True where a step is missing and must not be looked at."""
    patch_mask: Mask
    """(n_patches,): likewise for patches."""
    quality: Quality
    coverage: float
    """Share of the context that rests on received samples, 0 to 1."""
    t_last: float
    time: float = math.nan  # stream time of its end (s)
    eye: Array | None = None
    """(n_eye,) eye-movement features, where there is an eye tracker, in standard deviations of the subject's baseline;
    NaN where no eye was seen. Only weights trained with any use them."""


class _Labelled:
    """What both kinds of reading have in common: results under the labels of the readout, and a line of text."""

    __slots__ = ()
    readout: Readout
    probs: tuple[float, ...] | None
    eye: EyeInput | None

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the signals it rests on: ``("eeg",)`` or ``("eeg", "eyes")``."""
        return modalities_of(self.eye)

    @property
    def probabilities(self) -> dict[str, float]:
        """Label to probability, in the readout's order; empty where there are none."""
        return dict(zip(self.readout.labels, self.probs or (), strict=False))

    def _line(self, time: float, result: str) -> str:
        each = "".join(f", {label} {p:.2f}" for label, p in self.probabilities.items())
        return f"{type(self).__name__}({time:.2f} s, {self.readout.name}: {result}{each})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Estimate(_Labelled):
    """The network's output for one window."""

    readout: Readout
    probs: tuple[float, ...]
    confidence: float
    attention: Array
    """(n_chans, n_bands): share of spatial attention each electrode received, band by band; columns sum to 1."""
    quality: Quality
    coverage: float
    calibrated: bool
    first: int
    end: int
    t_last: float
    time: float = math.nan
    """Stream time of its end (s)."""
    drift: Drift | None = None
    """How the signal compares with the subject's baseline; None without a profile."""
    corrections: Corrections | None = None
    """The user's corrections up to its end; None before the first."""
    unfamiliarity: float = math.nan
    """How unlike the network's training its input is: above 1 there is no estimate; NaN where that is not measured."""
    eye: EyeInput | None = None
    """Eye movements that take part; None without an eye tracker, or with weights that were trained without any."""

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.readout.labels[self.probs.index(max(self.probs))]

    def __repr__(self) -> str:
        return self._line(self.time, self.label)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Abstained(_Labelled):
    """No estimate, and the reason. With ``unsure`` the probabilities are kept."""

    why: Why
    first: int
    end: int
    t_last: float
    readout: Readout
    probs: tuple[float, ...] | None = None
    quality: Quality | None = None
    coverage: float = 0.0
    calibrated: bool = False
    time: float = math.nan
    drift: Drift | None = None
    corrections: Corrections | None = None
    unfamiliarity: float = math.nan
    eye: EyeInput | None = None

    @property
    def label(self) -> None:
        """None, because there is no estimate."""

    def __repr__(self) -> str:
        return self._line(self.time, self.why.value)


Reading = Estimate | Abstained
