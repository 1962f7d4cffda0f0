"""Gaze and pupil are found in the published layouts of eye trackers, in degrees and mm, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from gaze_streams import GENERIC, LAYOUTS, PUPIL_LABS, TITTA, TOBII_PRO, aux_info, row_of

from realtime_mood.errors import StreamMismatch
from realtime_mood.eyes.layout import SCREEN_DEG, layout_of, shown_layout_of

SHARE_5_DEG = 0.5 + 5 / SCREEN_DEG[0]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_published_layout_is_recognised(name: str) -> None:
    rows = np.array([row_of(name, 5.0, -2.0, 4.0), row_of(name, 5.0, -2.0, 4.0, seen=False)])
    found = layout_of(aux_info(name))(rows)
    assert found[0] == pytest.approx([5, -2, 4], abs=1e-6)
    assert np.isnan(found[1]).all()
    shown = shown_layout_of(aux_info(name))
    assert shown is not None
    positions = shown.positions(rows)
    degrees = positions[0] if name == "generic" else (positions[0] - 0.5) * SCREEN_DEG
    assert degrees == pytest.approx([5, -2], abs=1e-6)
    assert np.isnan(positions[1]).all()


def test_the_pupils_of_both_eyes_are_averaged_and_one_eye_suffices() -> None:
    names = [label for label, _ in TITTA]
    layout, row = layout_of(aux_info("titta")), np.array(row_of("titta", 0, 0, 4.0))
    row[names.index("diameter.pupil.right_eye")] = 5.0
    assert layout(row[None])[0, 2] == pytest.approx(4.5)
    row[names.index("valid.pupil.right_eye")] = 0
    assert layout(row[None])[0, 2] == pytest.approx(4.0)
    row[names.index("diameter.pupil.left_eye")] = np.nan
    assert np.isnan(layout(row[None])).all()


@pytest.mark.parametrize(
    ("name", "label", "value"),
    [
        ("generic", "pupil", 0.0), ("generic", "pupil", 0.4), ("generic", "pupil", 15.0), ("generic", "x", 70.0),
        ("generic", "confidence", 0.5), ("generic", "confidence", np.nan), ("tobii_pro", "left_x", np.nan),
        ("pupil_labs", "gaze_point_3d_z", -500.0), ("pupil_labs", "confidence", 0.1),
    ],
)  # fmt: skip
def test_what_is_out_of_range_or_uncertain_is_not_seen(name: str, label: str, value: float) -> None:
    row = np.array(row_of(name, 5.0, 1.0, 4.0))
    names = [it for it, _ in LAYOUTS[name]]
    row[names.index(label)] = value
    if name == "tobii_pro":
        row[names.index("right_x")] = 2.0  # far beside the screen
    assert np.isnan(layout_of(aux_info(name))(row[None])).all()


def test_gaze_as_a_share_of_the_screen_is_in_degrees_of_a_usual_screen() -> None:
    layout = layout_of(aux_info("tobii_pro"))
    assert layout.is_share
    assert not layout_of(aux_info("generic")).is_share
    assert layout(np.array([[SHARE_5_DEG, 0.5, 4.0] * 2]))[0, 0] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ((("x", "px"), ("y", "px"), ("pupil", "mm")), "the gaze is in none of its columns: x (px), y (px), pupil (mm)"),
        ((("x", "deg"), ("y", "deg"), ("pupil", "pixels")), "the pupil is in none"),
        ((("", ""), ("", "")), "the gaze is in none of its columns: ?, ?"),
        (tuple(it for it in PUPIL_LABS if "diameter" not in it[0]), "the pupil is in none"),
        ((("xpixel", ""), ("ypixel", ""), ("pupil", "mm")), "the gaze is in none"),
    ],
)
def test_unknown_columns_and_units_are_refused_with_what_to_do(
    columns: tuple[tuple[str, str], ...], found: str
) -> None:
    with pytest.raises(StreamMismatch) as refused:
        layout_of(aux_info(columns))
    assert found in str(refused.value)
    assert "degrees" in str(refused.value)


def test_text_and_impossible_rates_are_refused() -> None:
    with pytest.raises(StreamMismatch, match="text"):
        layout_of(aux_info("generic", form="string"))
    with pytest.raises(StreamMismatch, match="10 Hz"):
        layout_of(aux_info("generic", sfreq=10.0))


def test_pupil_labs_eye_0_is_the_right_one_and_other_places_are_not_the_gaze() -> None:
    assert len(PUPIL_LABS) == 22
    assert len(GENERIC) + len(TOBII_PRO) == 10
    values = np.array(row_of("pupil_labs", 0.0, 0.0, 3.0))
    names = [label for label, _ in PUPIL_LABS]
    for label in ("eye_center0_3d_x", "gaze_normal1_y", "diameter0_2d"):
        values[names.index(label)] = 1e6
    assert layout_of(aux_info("pupil_labs"))(values[None])[0] == pytest.approx([0, 0, 3], abs=1e-6)
