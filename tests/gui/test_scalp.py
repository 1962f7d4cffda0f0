"""The flat head, without Qt."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.montage import SPREAD, locate
from realtime_mood.viewmodel import scalp


def test_nose_is_up_and_left_is_left():
    xy = dict(zip(SPREAD, scalp.flatten(locate(SPREAD)), strict=True))
    assert xy["Fpz"][1] > 0.8
    assert abs(xy["Fpz"][0]) < 0.02
    assert xy["Oz"][1] < -0.8
    assert xy["T7"][0] < -0.8
    assert xy["T8"][0] > 0.8
    assert np.linalg.norm(xy["Cz"]) < 0.15
    assert max(np.linalg.norm(p) for p in xy.values()) < scalp.EDGE


@pytest.mark.parametrize("n_chans", [4, 8, 32, 64])
def test_interpolation_keeps_constants_and_comes_close_at_electrodes(n_chans):
    xy = scalp.flatten(locate(SPREAD[:n_chans]))
    points, inside = scalp.grid()
    matrix = scalp.interpolator(xy, points)
    assert matrix.shape == (inside.sum(), n_chans)
    np.testing.assert_allclose(matrix.sum(1), 1.0, atol=1e-9)
    smooth = xy[:, 1]  # front high, back low
    np.testing.assert_allclose(scalp.interpolator(xy, xy) @ smooth, smooth, atol=0.12)
    assert np.abs(matrix @ smooth).max() < 1.3  # no landscape beyond the electrodes


def test_one_electrode_colours_the_whole_head():
    points, _ = scalp.grid()
    np.testing.assert_allclose(scalp.interpolator(np.zeros((1, 2)), points), 1.0)
