"""Scalp maps: electrode positions on a flat head, and the interpolation of values between them."""

from __future__ import annotations

import numpy as np

GRID = 64
RIM_DEG = 100.0  # polar angle drawn as the head's outline; the ears sit at about 92
EDGE = 1.2  # the picture reaches this many head radii from the centre
LENGTH = 0.45  # head radii over which neighbouring values resemble each other
NOISE = 0.02


def flatten(positions: np.ndarray) -> np.ndarray:
    """Unit vectors (n, 3) to the plane (n, 2), nose up, right ear right, outline at radius 1.

    Azimuthal equidistant projection [1]_; electrodes far below the outline are held at its edge.

    References
    ----------
    .. [1] Snyder, J. P. (1987). Map projections: a working manual. USGS Professional Paper 1395, 191-202.
    """
    x, y, z = np.asarray(positions, float).T
    radius = np.minimum(np.degrees(np.arccos(np.clip(z, -1, 1))) / RIM_DEG, EDGE - 0.08)
    flat = np.hypot(x, y)
    return np.stack([x, y], 1) * (radius / np.where(flat > 0, flat, 1))[:, None]


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Points of the picture inside the outline, row by row from the top: (n_points, 2), and where: (GRID, GRID)."""
    axis = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    inside = np.hypot(x, y) <= 1 + 2 / GRID
    return np.stack([x[inside], y[inside]], 1), inside


def interpolator(at: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Matrix (n_to, n_at) that interpolates values known at `at` to `to`; every row sums to 1.

    Gaussian process regression around the mean of the values [1]_: close to each value at its electrode, and back to
    the mean where no electrode is near, so that a few electrodes suggest no pattern.

    References
    ----------
    .. [1] Rasmussen, C. E., & Williams, C. K. I. (2006). Gaussian Processes for Machine Learning, eq. 2.25.
    """

    def alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.exp(-np.sum((a[:, None] - b[None]) ** 2, -1) / (2 * LENGTH**2))

    n = len(at)
    centred = np.eye(n) - 1 / n
    return 1 / n + alike(to, at) @ np.linalg.solve(alike(at, at) + NOISE * np.eye(n), centred)
