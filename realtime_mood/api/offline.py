"""Readings of an array or an ``mne.io.Raw``, gathered into a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ConfigError
from ..plugins import read_options
from ..profile import Profile
from ..sources.channels import choose_channels
from ..sources.playback import PlaybackStream, translated
from ..sources.recordings.recording import PlaybackOptions, Rows, check_unit, finite
from ..sources.recordings.signal_file import SignalFile
from ..sources.units import microvolts
from ..types import Estimate, Reading
from .reading import read
from .stream import Opened

if TYPE_CHECKING:
    import mne
    import pandas


class ReadingTable(Sequence[Reading]):
    """The readings of a recording, oldest first: a sequence that can be turned into a table."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = tuple(readings)

    def __len__(self) -> int:
        return len(self._readings)

    @overload
    def __getitem__(self, at: int) -> Reading: ...
    @overload
    def __getitem__(self, at: slice) -> ReadingTable: ...
    def __getitem__(self, at: int | slice) -> Reading | ReadingTable:
        return ReadingTable(self._readings[at]) if isinstance(at, slice) else self._readings[at]

    def __repr__(self) -> str:
        n = sum(isinstance(it, Estimate) for it in self)
        span = f", {self[0].readout.name}, {self[0].time:.2f} to {self[-1].time:.2f} s" if self else ""
        return f"ReadingTable({len(self)} readings, {n} with an estimate{span})"

    def to_dicts(self) -> list[dict[str, Any]]:
        """One row a reading: ``time``, ``status``, ``readout``, ``label``, ``confidence``, ``p_LABEL`` for each label,
        ``quality``, ``coverage``, ``calibrated`` and ``unfamiliarity``; NaN or None where there is none.
        """
        return [_row(it) for it in self]

    def to_numpy(self) -> np.ndarray:
        """The same as a structured array (n_readings,); the label is empty where there is no estimate."""
        rows = [{name: "" if value is None else value for name, value in row.items()} for row in self.to_dicts()]
        if not rows:
            return np.empty(0, [("time", float)])
        kinds = [(name, np.array([row[name] for row in rows]).dtype) for name in rows[0]]
        return np.array([tuple(row.values()) for row in rows], kinds)

    def to_data_frame(self) -> pandas.DataFrame:
        """The same for pandas; raises `ConfigError` if that is not installed."""
        try:
            import pandas
        except ImportError:
            do = "pip install pandas, or use to_numpy()"
            raise ConfigError("a data frame", "pandas is not installed", do) from None
        return pandas.DataFrame(self.to_dicts())


def _row(it: Reading) -> dict[str, Any]:
    unknown = (math.nan,) * len(it.readout.labels)
    status, confidence, probs = (
        ("estimate", it.confidence, it.probs) if isinstance(it, Estimate) else (it.why.value, math.nan, unknown)
    )
    return {
        "time": it.time, "status": status, "readout": it.readout.name, "label": it.label, "confidence": confidence,
        **{f"p_{label}": p for label, p in zip(it.readout.labels, probs, strict=True)},
        "quality": it.quality.overall if it.quality else math.nan, "coverage": it.coverage, "calibrated": it.calibrated,
        "unfamiliarity": it.unfamiliarity,
    }  # fmt: skip


def _source(file: SignalFile, name: str) -> Opened:
    """The source of a recording in memory, played as fast as possible."""
    return Opened(name, PlaybackStream(file, PlaybackOptions(speed=math.inf), name, name))


def read_array(
    array: ArrayLike,
    sfreq: float,
    ch_names: Sequence[str],
    units: str = "uV",
    *,
    drop: Sequence[str] = (),
    reference: str = "",
    readout: str = "auto",
    profile: str | PathLike[str] | Profile | None = None,
    weights: str = "reader-5",
    notch: str | float = "auto",
    repair: str = "none",
    device: str = "auto",
    runtime: str = "auto",
) -> ReadingTable:
    """Read an array offline, as a recording with these samples would be.

    Parameters
    ----------
    array : array (n_chans, n_times)
        Channels first, as in MNE. A sample that is not finite in any channel counts as lost.
    sfreq : float
        Sampling rate (Hz).
    ch_names : sequence of str
        Electrode names of the 10-05 system; channels that are plainly no EEG (``"ECG"``) are left out.
    units : str
        Unit of the numbers: ``"uV"``, ``"mV"``, ``"V"``, ``"nV"``, or a multiple as in ``"0.1uV"``.
    drop : sequence of str
        Channels to leave out.
    reference : str, optional
    readout, profile, weights, notch, repair, device, runtime
        As for `read`.

    Raises
    ------
    ConfigError
        The array has another shape than the names, or the unit is unknown.
    StreamMismatch
        The names are no electrodes, or the numbers cannot be EEG in that unit.

    Examples
    --------
    >>> import realtime_mood as rm
    >>> table = rm.read_array(data, 250.0, ["Fp1", "Fp2", "C3", "C4", "O1", "O2"])  # doctest: +SKIP
    >>> table.to_data_frame()  # doctest: +SKIP
    """
    rows = _rows(array, sfreq, ch_names, _options("an array", drop=drop, units=units), reference)
    source = _source(rows, "an array")
    readings = read(
        source, readout=readout, profile=profile, weights=weights, notch=notch, repair=repair, device=device,
        runtime=runtime,
    )  # fmt: skip
    return ReadingTable(readings)


def _options(asked: str, **given: object) -> PlaybackOptions:
    """The given options, validated as those of a URL."""
    return read_options(PlaybackOptions, asked, {name: value for name, value in given.items() if value}, "options of")


def _rows(array: ArrayLike, sfreq: float, ch_names: Sequence[str], options: PlaybackOptions, reference: str) -> Rows:
    asked, names = "an array", [str(name) for name in ch_names]
    x = np.asarray(array)
    if x.ndim != 2 or x.shape[0] != len(names) or not x.size:
        is_turned = x.ndim == 2 and x.shape[1] == len(names)
        do = "give (n_chans, n_times)" + (": array.T" if is_turned else ", a name for each channel")
        raise ConfigError(f"{asked} of {len(names)} channels", f"its shape is {x.shape}", do)
    if x.dtype.kind not in "fiu":
        raise ConfigError(asked, f"it holds {x.dtype}", "give real numbers")
    if not 0 < sfreq < math.inf:
        raise ConfigError(asked, f"a sampling rate of {sfreq:g} Hz", "give it in Hz")
    chosen = choose_channels(names, [True] * len(names), options, asked, reference=reference)
    unit = options.units or "uV"
    data = finite(x[chosen.columns].T * microvolts(unit))
    received = np.flatnonzero(np.isfinite(data).any(axis=1))
    if not len(received):
        raise ConfigError(asked, "no sample is finite", "give (n_chans, n_times) of numbers")
    check_unit(asked, data[received], sfreq, unit)
    return Rows(
        data[received], received, chosen.ch_names, sfreq, markers=[], reference=chosen.reference, notes=chosen.notes
    )


def read_raw(
    raw: mne.io.BaseRaw,
    *,
    channels: Sequence[str] = (),
    drop: Sequence[str] = (),
    units: str | None = None,
    reference: str | None = None,
    readout: str = "auto",
    profile: str | PathLike[str] | Profile | None = None,
    weights: str = "reader-5",
    notch: str | float = "auto",
    repair: str = "none",
    device: str = "auto",
    runtime: str = "auto",
) -> ReadingTable:
    """Read an ``mne.io.Raw`` offline: the readings are those of the file it comes from.

    Channels of type EEG are read, those in ``raw.info["bads"]`` too: each electrode is judged by its signal. To leave
    them out, give ``raw.copy().pick("eeg", exclude="bads")``. Gaps are those of its annotations: acquisition skips and
    boundaries. MNE does not keep the gaps of EDF+D; read the path of such a file: ``read(Path(…))``.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        In volts, as MNE keeps it; not filtered, since the pipeline filters causally.
    channels : sequence of str
        Electrode names for channels that have none; ``"-"`` leaves one out.
    units : str, optional
        The actual unit of its numbers, if the file states a wrong one.
    drop, reference, readout, profile, weights, notch, repair, device, runtime
        As for `read_array`.

    Raises
    ------
    ConfigError, StreamMismatch
        It is no ``mne.io.Raw``, its channels are no electrodes, or its numbers cannot be EEG in volts.

    Examples
    --------
    >>> import mne, realtime_mood as rm
    >>> table = rm.read_raw(mne.io.read_raw_edf("subject.edf"), readout="effort")  # doctest: +SKIP
    >>> table.to_dicts()[-1]["label"]  # doctest: +SKIP
    'rest'
    """
    from ..sources.recordings.raw_object import RawFile

    if not hasattr(raw, "get_channel_types"):
        do = "give an mne.io.Raw, or use read_array()"
        raise ConfigError("readings of a Raw", f"it is a {type(raw).__name__}", do)
    options = _options("a Raw", channels=channels, drop=drop, units=units, reference=reference)
    with translated("a Raw"):
        source = _source(RawFile(raw, options, "a Raw"), "a Raw")
    readings = read(
        source, readout=readout, profile=profile, weights=weights, notch=notch, repair=repair, device=device,
        runtime=runtime,
    )  # fmt: skip
    return ReadingTable(readings)
