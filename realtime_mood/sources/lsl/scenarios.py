"""Layouts of the LSL streams that known headsets and eye trackers send, as their published programs announce them.

References
----------
.. [1] muse-lsl, https://github.com/alexandrebarachant/muse-lsl: ``muselsl/stream.py`` and ``constants.py``.
.. [2] Pupil Capture's LSL relay, https://github.com/labstreaminglayer/App-PupilLabs: ``channel.py``, ``outlet.py``.
.. [3] TobiiPro for LSL, https://github.com/labstreaminglayer/App-TobiiPro: ``mainwindow.cpp``.
.. [4] MNE-LSL, https://github.com/mne-tools/mne-lsl: ``player/player_lsl.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...montage import SPREAD
from ..synthetic.beside import Floats, gaze_of
from ..synthetic.body import PPG, SKIN

EEG, EYES, BODY, MOTION, STATES = range(5)
"""Where the values come from: of the simulated subject; the last are the beginnings of its states."""
Channels = Sequence[tuple[str, str, str]]
SCREEN_MM = 600.0  # distance of the point that is looked at


class ScenarioStream(NamedTuple):
    """One outlet; `every`-th sample of its signal."""

    name: str
    type: str
    sfreq: float
    """Announced rate in Hz; 0 for none."""
    channels: Channels
    """Label, unit, type."""
    of: int
    values: Callable[[Floats], Floats] = lambda rows: rows
    every: int = 1
    form: str = "float32"
    manufacturer: str = "realtime_mood"


@dataclass(frozen=True, slots=True)
class Scenario:
    """The streams that a device, or a laboratory, sends from one subject."""

    meaning: str
    streams: tuple[ScenarioStream, ...]
    ch_names: tuple[str, ...] = tuple(SPREAD[:8])
    """Electrodes of the simulated headset, and its rate in Hz."""
    sfreq: float = 256.0
    gaze_sfreq: float = 120.0


def _channels(labels: Sequence[str], unit: str, kind: str) -> Channels:
    return [(label, unit, kind) for label in labels]


def _muse_ppg(rows: Floats) -> Floats:
    """Ambient, infrared and red light, which falls when the blood comes."""
    return 1e5 * np.array([0.01, 1.0, 0.8]) - np.array([5.0, 1500.0, 800.0]) * rows[:, [PPG]]


def _pupil_capture(rows: Floats) -> Floats:
    """The 22 numbers of a gaze in the world camera: y points up; in a blink only the confidence is known to be 0."""
    x, y, left, right, confidence = gaze_of(rows).T
    flat = np.zeros_like(x)
    eyes = [np.full_like(x, at) for at in (20.0, 15.0, -20.0, -40.0, 15.0, -20.0)]
    sight = [(x - 0.5) * SCREEN_MM, (y - 0.5) * SCREEN_MM, flat + SCREEN_MM]
    columns = [confidence, x, 1 - y, *sight, *eyes, *[flat, flat, flat + 1] * 2, 12 * right, 12 * left, right, left]
    return np.nan_to_num(np.column_stack(columns))


def _tobii(rows: Floats) -> Floats:
    """Gaze of each eye on the screen, and its pupil; not a number in a blink."""
    x, y, left, right, _ = gaze_of(rows).T
    return np.column_stack([x - 0.002, y, left, x + 0.002, y, right])


_PUPIL_CHANNELS: Channels = [
    ("confidence", "normalized", "Confidence"),
    *[(f"norm_pos_{axis}", "normalized", f"Screen{axis.upper()}") for axis in "xy"],
    *[(f"gaze_point_3d_{axis}", "mm", f"Direction{axis.upper()}") for axis in "xyz"],
    *[(f"eye_center{eye}_3d_{axis}", "mm", f"Position{axis.upper()}") for eye in "01" for axis in "xyz"],
    *[(f"gaze_normal{eye}_{axis}", "mm", f"Position{axis.upper()}") for eye in "01" for axis in "xyz"],
    *[(f"diameter{eye}_2d", "pixels", "Diameter") for eye in "01"],
    *[(f"diameter{eye}_3d", "mm", "Diameter") for eye in "01"],
]
_TOBII_CHANNELS: Channels = [
    (f"{eye}_{what}", unit, kind)
    for eye in ("left", "right")
    for what, unit, kind in (
        ("x", "screencoords", "ScreenX"),
        ("y", "screencoords", "ScreenY"),
        ("pupil", "", "pupilsize"),
    )
]
_MUSE, _CAP, _LAB = ("TP9", "AF7", "AF8", "TP10"), tuple(SPREAD[:32]), tuple(SPREAD[:64])
STATE_NAMES = ("negative", "neutral", "positive")

SCENARIOS = {
    "muse": Scenario("a Muse by muse-lsl", (
        ScenarioStream("Muse", "EEG", 256.0, _channels((*_MUSE, "Right AUX"), "microvolts", "EEG"), EEG,
                       lambda rows: np.column_stack([rows, 0 * rows[:, 0]]), manufacturer="Muse"),
        ScenarioStream("Muse", "PPG", 64.0, _channels(("PPG1", "PPG2", "PPG3"), "mmHg", "PPG"), BODY, _muse_ppg,
                       manufacturer="Muse"),
        ScenarioStream("Muse", "ACC", 52.0, _channels("XYZ", "g", "accelerometer"), MOTION, lambda rows: rows[:, :3],
                       manufacturer="Muse"),
        ScenarioStream("Muse", "GYRO", 52.0, _channels("XYZ", "dps", "gyroscope"), MOTION, lambda rows: rows[:, 3:],
                       manufacturer="Muse"),
    ), _MUSE),
    "pupil": Scenario("a Pupil Core by the LSL relay of Pupil Capture", (
        ScenarioStream("pupil_capture", "Gaze", 0.0, _PUPIL_CHANNELS, EYES, _pupil_capture, form="double64"),
    )),
    "tobii": Scenario("a Tobii Pro Spectrum by TobiiPro for LSL", (
        ScenarioStream("Tobii", "Eyetracker", 600.0, _TOBII_CHANNELS, EYES, _tobii, manufacturer="TobiiPro"),
    ), gaze_sfreq=600.0),
    "mne-lsl": Scenario("a recording with annotations by the player of MNE-LSL", (
        ScenarioStream("MNE-LSL-Player", "eeg", 256.0, _channels(_CAP, "0", "eeg"), EEG, lambda rows: 1e-6 * rows,
                       form="double64"),
        ScenarioStream("MNE-LSL-Player-annotations", "annotations", 0.0, _channels(STATE_NAMES, "none", "annotations"),
                       STATES, form="double64"),
    ), _CAP),
    "lab": Scenario("a laboratory: 64 electrodes, gaze, pulse, motion, skin conductance and markers", (
        ScenarioStream("LabEEG", "EEG", 500.0, _channels(_LAB, "microvolts", "EEG"), EEG),
        ScenarioStream("LabGaze", "Gaze", 250.0, [
            *_channels(("x", "y"), "normalized", "Gaze"), *_channels(("pupil_left", "pupil_right"), "mm", "Pupil"),
            ("confidence", "normalized", "Confidence"),
        ], EYES, gaze_of),
        ScenarioStream("LabPulse", "PPG", 64.0, [("ppg", "", "PPG")], BODY, lambda rows: rows[:, [PPG]]),
        ScenarioStream("LabMotion", "Motion", 52.0, [
            *_channels(("acc_x", "acc_y", "acc_z"), "g", "ACC"), *_channels(("gyr_x", "gyr_y", "gyr_z"), "dps", "GYRO"),
        ], MOTION),
        ScenarioStream("LabSkin", "EDA", 4.0, [("eda", "uS", "EDA")], BODY, lambda rows: rows[:, [SKIN]], every=16),
        ScenarioStream("LabMarkers", "Markers", 0.0, [("marker", "", "Markers")], STATES, form="string"),
    ), _LAB, 500.0, 250.0),
}  # fmt: skip
"""By the name that ``outlet --scenario`` takes."""


def listing() -> list[str]:
    """Each scenario and its streams, as lines."""
    lines = []
    for name, scenario in SCENARIOS.items():
        lines.append(f"{name}: {scenario.meaning}")
        for it in scenario.streams:
            rate = f"{it.sfreq:g} Hz" if it.sfreq else "irregular"
            labels = ", ".join(label for label, _, _ in it.channels[:6])
            more = f", … ({len(it.channels)})" if len(it.channels) > 6 else ""
            lines.append(f"  {it.name} ({it.type}, {rate}, {it.form}): {labels}{more}")
    return lines
