"""Recognises gaze and pupil in the columns of a stream, by their labels and units.

Known layouts: Pupil Labs' plugin for Pupil Capture [1]_, Tobii's connectors [2]_ [3]_, and any stream with columns such
as ``x``, ``y``, ``pupil`` and ``confidence``.

References
----------
.. [1] labstreaminglayer/App-PupilLabs, pupil_capture_lsl_relay/channel.py.
.. [2] labstreaminglayer/App-TobiiPro, mainwindow.cpp.
.. [3] Niehorster, Nyström (2025), "TittaLSL: A toolbox for creating networked eye-tracking experiments in Python and
   MATLAB with Tobii eye trackers", Behavior Research Methods; dcnieho/Titta, LSL_streamer/src/TittaLSL.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..auxiliary import STRING, AuxInfo
from ..dsp.eye import RATES_HZ
from ..errors import StreamMismatch

LEAST_CONFIDENCE = 0.6  # Pupil Labs advises to use no less
PUPIL_MM = (1.0, 10.0)  # a diameter outside is no pupil
SCREEN_DEG = (44.0, 26.0)  # of a 24-inch screen at 65 cm, for gaze as a share of the screen
FARTHEST_SHARE = 0.75  # of the screen, from its middle; farther is out of range
FARTHEST_DEG = 60.0
UNITS_MM = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "m": 1000.0, "meters": 1000.0}
SHARES = ("", "normalized", "normalised", "norm", "screencoords", "share", "0..1", "a.u.")
OTHER_PLACES = re.compile(r"origin|center\d*|normal\d|user|track|head|pupil\w*|intersection\w*")
"""Words of columns that have an axis and are not the gaze."""

Eye = Literal["left", "right", "both"]
EYES: tuple[Eye, ...] = ("both", "left", "right")
Kind = Literal["degrees", "share", "point", "place", "pupil", "valid", "confidence", "closed", ""]
"""Of a column: gaze in degrees, as a share of the screen, in space, or in another unit; and what is known of an eye."""
PLACES: tuple[Kind, ...] = ("degrees", "share", "point", "place")
SHOWN: tuple[Kind, ...] = ("share", "degrees", "place", "point")  # the order in which a plane shows them
DO = "send x and y in degrees or as a share of the screen, and the pupil in mm; label the columns and name their units"


@dataclass(frozen=True, slots=True)
class GazeColumn:
    """One column of a gaze stream that is used."""

    index: int
    kind: Kind
    eye: Eye
    axis: str = ""  # x, y or z
    scale: float = 1.0


class GazeLayout:
    """The columns of one gaze stream. Made by `layout_of`."""

    def __init__(self, columns: Sequence[GazeColumn], gaze: Kind) -> None:
        self._columns, self._gaze = columns, gaze

    @property
    def is_share(self) -> bool:
        """Whether its gaze is a share of a screen whose size is assumed."""
        return self._gaze == "share"

    @property
    def xy(self) -> tuple[int, int]:
        """The columns of the gaze of the first eye that has both."""
        found = {(it.eye, it.axis): it.index for it in reversed(self._columns) if it.kind == self._gaze}
        return next((found[eye, "x"], found[eye, "y"]) for eye in EYES if {(eye, "x"), (eye, "y")} <= found.keys())

    def positions(self, values: np.ndarray) -> np.ndarray:
        """Gaze of samples (n_times, n_chans), as of the mean of both eyes: (n_times, 2) float64, as it was sent.

        NaN where no eye was seen.
        """
        values = np.asarray(values, np.float64)
        xy = np.column_stack([self._mean(values, self._gaze, axis) for axis in "xy"])
        seen = np.isfinite(xy).all(axis=1)
        if any(it.kind == "pupil" for it in self._columns):
            seen &= np.isfinite(self._mean(values, "pupil"))
        return np.where(seen[:, None], xy, np.nan)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Gaze in degrees and diameter of the pupil in mm of samples (n_times, n_chans), as of the mean of both eyes.

        Returns
        -------
        (n_times, 3) float64
            NaN where no eye was seen: closed, out of range, invalid, or with too little confidence.
        """
        values = np.asarray(values, np.float64)
        x, y, z = (self._mean(values, self._gaze, axis) for axis in "xyz")
        if self._gaze == "point":
            far = np.where(z > 0, z, np.nan)
            x, y = np.degrees(np.arctan2(x, far)), np.degrees(np.arctan2(y, far))
        limits = np.full(2, FARTHEST_DEG)
        if self._gaze == "share":
            x, y = (x - 0.5) * SCREEN_DEG[0], (y - 0.5) * SCREEN_DEG[1]
            limits = FARTHEST_SHARE * np.array(SCREEN_DEG)
        pupil = self._mean(values, "pupil")
        near = (np.abs(x) <= limits[0]) & (np.abs(y) <= limits[1])
        seen = near & (pupil >= PUPIL_MM[0]) & (pupil <= PUPIL_MM[1])
        return np.where(seen[:, None], np.column_stack([x, y, pupil]), np.nan)

    def _mean(self, values: np.ndarray, kind: Kind, axis: str = "") -> np.ndarray:
        """Mean over eyes of the columns of a kind, where they are valid: (n_times,)."""
        chosen = [it for it in self._columns if (it.kind, it.axis) == (kind, axis)]
        if not chosen:
            return np.full(len(values), np.nan)
        rows = np.column_stack([values[:, it.index] * it.scale for it in chosen])
        known = np.isfinite(rows) & np.column_stack([self._valid(values, it.eye) for it in chosen])
        if kind == "pupil":
            known &= rows > 0  # of an eye that was not found
        n = known.sum(axis=1)
        return np.where(n > 0, np.where(known, rows, 0).sum(axis=1) / np.maximum(n, 1), np.nan)

    def _valid(self, values: np.ndarray, eye: Eye) -> np.ndarray:
        """Where nothing speaks against an eye: (n_times,)."""
        passes: dict[Kind, Callable[[np.ndarray], np.ndarray]] = {
            "valid": lambda x: x > 0.5, "confidence": lambda x: x >= LEAST_CONFIDENCE, "closed": lambda x: ~(x > 0.5)
        }  # fmt: skip
        found = np.ones(len(values), bool)
        for it in self._columns:
            if it.kind in passes and (it.eye == "both" or eye in (it.eye, "both")):
                found &= passes[it.kind](values[:, it.index])
        return found


def layout_of(info: AuxInfo) -> GazeLayout:
    """Recognise the columns of a gaze stream.

    Raises
    ------
    StreamMismatch
        It has no gaze or no pupil in a known unit, or a rate that no eye movements can be found at.
    """
    asked, (low, high) = f"gaze and pupil in {info.url}", RATES_HZ
    if info.format == STRING:
        raise StreamMismatch(asked, "its values are text", DO)
    if info.sfreq and not low <= info.sfreq <= high:
        found = f"the tracker has {info.sfreq:g} Hz"
        raise StreamMismatch(asked, found, f"choose a rate from {low:g} to {high:g} Hz at the tracker")
    columns = _columns(info)
    there = {(it.kind, it.axis) for it in columns}
    kinds: tuple[tuple[Kind, str], ...] = (("degrees", "xy"), ("point", "xyz"), ("share", "xy"))
    gaze: Kind = next((kind for kind, axes in kinds if all((kind, axis) in there for axis in axes)), "")
    if not gaze or ("pupil", "") not in there:
        what = "the gaze" if not gaze else "the pupil"
        pairs = zip(info.ch_names, info.units, strict=True)
        names = ", ".join(f"{label} ({unit})" if unit else label or "?" for label, unit in list(pairs)[:12])
        raise StreamMismatch(asked, f"{what} is in none of its columns: {names}", DO)
    return GazeLayout(columns, gaze)


def shown_layout_of(info: AuxInfo) -> GazeLayout | None:
    """The columns of a gaze stream that can be shown in a plane, in whatever unit; None where there are none."""
    if info.format == STRING:
        return None
    columns = _columns(info)
    there = {(it.kind, it.eye, it.axis) for it in columns}
    pairs = (kind for kind in SHOWN for eye in EYES if {(kind, eye, "x"), (kind, eye, "y")} <= there)
    kind = next(pairs, None)
    return GazeLayout(columns, kind) if kind else None


def _columns(info: AuxInfo) -> list[GazeColumn]:
    """What is known of its columns; without those that are not used."""
    parts = enumerate(zip(info.ch_names, info.units, strict=True))
    return [it for i, (label, unit) in parts if (it := _column(i, label, unit)).kind]


def _column(index: int, label: str, unit: str) -> GazeColumn:
    """What a column is; its kind is empty where it is not used."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", label.strip()).lower()
    snake = re.sub(r"(?<![a-z])([xyz])(?=pixel|px|pos|deg)|(?<=gaze)(?=[xyz]$)|(?<=pos)(?=[xyz]$)", r"\g<0>_", snake)
    words, unit = [word for word in re.split(r"[^a-z0-9]+", snake) if word], unit.strip().lower()
    axis = next((word for word in words if word in ("x", "y", "z")), "")
    kind, scale = _kind(words, axis, unit)
    return GazeColumn(index, kind, _eye(words), axis if kind in PLACES else "", scale)


def _kind(words: Sequence[str], axis: str, unit: str) -> tuple[Kind, float]:
    """Kind of a column, and the factor to its unit."""

    def has(*begins: str) -> bool:
        return any(word.startswith(begins) for word in words)

    if has("openness", "available"):
        return "", 1.0
    if has("valid"):
        return "valid", 1.0
    if has("conf"):
        return "confidence", 1.0
    if has("blink", "closed"):
        return "closed", 1.0
    if axis:
        if any(OTHER_PLACES.fullmatch(word) for word in words):
            return "", 1.0
        if "3d" in words or "direction" in words:
            return "point", 1.0
        if unit.startswith("deg") or unit == "°" or (not unit and has("deg")):
            return "degrees", 1.0
        return ("share", 1.0) if unit in SHARES and not has("pixel", "px") else ("place", 1.0)
    if has("diameter", "pupil") and unit in UNITS_MM:
        return "pupil", UNITS_MM[unit]
    return "", 1.0


def _eye(words: Sequence[str]) -> Eye:
    if "left" in words or "l" in words or "diameter1" in words:  # Pupil Labs' eye 0 is the right one
        return "left"
    return "right" if "right" in words or "r" in words or "diameter0" in words else "both"
