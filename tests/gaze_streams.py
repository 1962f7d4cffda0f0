"""Streams of gaze as published programs send them, and one of a simulated eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime_mood.auxiliary import AuxChunk, AuxInfo, SenderClock
from realtime_mood.eyes.layout import SCREEN_DEG

Columns = tuple[tuple[str, str], ...]
GENERIC: Columns = (("x", "deg"), ("y", "deg"), ("pupil", "mm"), ("confidence", ""))
TOBII_PRO: Columns = tuple(
    (f"{eye}_{what}", unit) for eye in ("left", "right")
    for what, unit in (("x", "screencoords"), ("y", "screencoords"), ("pupil", ""))
)  # fmt: skip
PUPIL_LABS: Columns = (
    ("confidence", "normalized"),
    *((f"norm_pos_{axis}", "normalized") for axis in "xy"),
    *((f"gaze_point_3d_{axis}", "mm") for axis in "xyz"),
    *((f"eye_center{eye}_3d_{axis}", "mm") for eye in "01" for axis in "xyz"),
    *((f"gaze_normal{eye}_{axis}", "mm") for eye in "01" for axis in "xyz"),
    *((f"diameter{eye}_2d", "pixels") for eye in "01"),
    *((f"diameter{eye}_3d", "mm") for eye in "01"),
)
TITTA: Columns = tuple(
    column
    for eye in ("left", "right")
    for column in (
        *((f"{axis}.position_on_display_area.gaze_point.{eye}_eye", "normalized") for axis in "xy"),
        *((f"{axis}.position_in_user_coordinates.gaze_point.{eye}_eye", "mm") for axis in "xyz"),
        (f"valid.gaze_point.{eye}_eye", "bool"), (f"available.gaze_point.{eye}_eye", "bool"),
        (f"diameter.pupil.{eye}_eye", "mm"), (f"valid.pupil.{eye}_eye", "bool"),
        (f"available.pupil.{eye}_eye", "bool"),
        *((f"{axis}.position_in_user_coordinates.gaze_origin.{eye}_eye", "mm") for axis in "xyz"),
        *((f"{axis}.position_in_track_box_coordinates.gaze_origin.{eye}_eye", "normalized") for axis in "xyz"),
        (f"valid.gaze_origin.{eye}_eye", "bool"), (f"available.gaze_origin.{eye}_eye", "bool"),
        (f"diameter.eye_openness.{eye}_eye", "mm"), (f"valid.eye_openness.{eye}_eye", "bool"),
        (f"available.eye_openness.{eye}_eye", "bool"),
    )
)  # fmt: skip
LAYOUTS: dict[str, Columns] = {
    "generic": GENERIC, "tobii_pro": TOBII_PRO, "pupil_labs": PUPIL_LABS, "titta": TITTA,
}  # fmt: skip


def aux_info(
    columns: str | Sequence[tuple[str, str]], sfreq: float = 60.0, form: str = "float32", url: str = "lsl://Gaze"
) -> AuxInfo:
    labels, units = zip(*(LAYOUTS[columns] if isinstance(columns, str) else columns), strict=True)
    return AuxInfo(url, "Gaze", "Gaze", labels, units, sfreq, form)


def row_of(name: str, x: float, y: float, pupil: float, *, seen: bool = True) -> list[float]:
    """One sample in a layout, of gaze in degrees and a pupil in mm."""
    return [_value(label, x, y, pupil, seen) for label, _ in LAYOUTS[name]]


def _value(label: str, x: float, y: float, pupil: float, seen: bool) -> float:
    if "valid" in label or "available" in label:
        return float(seen and "openness" not in label)
    if label == "confidence":
        return 0.95 if seen else 0.1
    if "openness" in label or "2d" in label or "origin" in label or "center" in label or "normal" in label:
        return 7.0
    degrees, span = (y, SCREEN_DEG[1]) if "y" in (label[0], label[-1]) else (x, SCREEN_DEG[0])
    if "diameter" in label or "pupil" in label:
        return pupil if seen else np.nan
    if not seen:
        return np.nan
    if "3d" in label or "user" in label:
        return 600.0 if label.startswith("z") or label.endswith("z") else 600 * float(np.tan(np.radians(degrees)))
    return degrees if label in ("x", "y") else 0.5 + degrees / span


def gaze(seconds: float, sfreq: float = 60.0, seed: int = 0) -> np.ndarray:
    """Columns `GENERIC` of an eye that jumps between two points twice a second, with a pupil of 4 mm ± 0.3."""
    t = np.arange(round(seconds * sfreq)) / sfreq
    noise = 0.02 * np.random.default_rng(seed).standard_normal((len(t), 2))
    x = np.where(np.floor(2 * t) % 2 == 0, 0.0, 5.0)
    return np.column_stack([x + noise[:, 0], noise[:, 1], 4 + 0.3 * np.sin(np.pi * t), np.full(len(t), 0.9)])


def aux_chunk(values: np.ndarray, first: int, stamps: np.ndarray) -> AuxChunk:
    return AuxChunk(values.astype(np.float32), stamps, stamps, first, SenderClock(0.0, 0.0))
