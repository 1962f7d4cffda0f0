"""Envelope of a signal with any time stamps: at most one minimum and maximum a pixel."""

from __future__ import annotations

import numpy as np

BREAK_S = 0.3  # a pause of a regular stream that is longer, and longer than three samples, breaks its line


def envelope(
    stamps: np.ndarray, values: np.ndarray, width_s: float, sfreq: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Reduce samples to few points per column of `width_s` seconds, without losing an extreme.

    Parameters
    ----------
    stamps : ndarray of shape (n_times,)
        When each sample was taken (s), in any order.
    values : ndarray of shape (n_times, n_chans)
        What is not finite is missing.
    width_s : float
        Columns begin at whole multiples of it, so that no peak flickers while the picture scrolls.
    sfreq : float
        Rate in Hz; 0 where it is irregular, and lines are never broken.

    Returns
    -------
    t : ndarray of shape (n_points,)
        s, ascending.
    points : ndarray of shape (n_points, n_chans)
        Where there are more than two samples a column, its minimum and maximum; NaN where a line is broken.
    """
    values = np.where(np.isfinite(values), values, np.nan)
    if len(stamps) > 1 and (np.diff(stamps) < 0).any():
        order = np.argsort(stamps, kind="stable")
        stamps, values = stamps[order], values[order]
    if not len(stamps):
        return np.empty(0), np.empty((0, values.shape[1]))
    column = np.floor(stamps / width_s)
    first = np.flatnonzero(np.diff(column, prepend=-np.inf))
    if len(stamps) <= 2 * len(first):
        t, points = stamps, values
    else:
        t = np.repeat((column[first] + 0.5) * width_s, 2)
        both = (np.fmin.reduceat(values, first, axis=0), np.fmax.reduceat(values, first, axis=0))
        points = np.stack(both, 1).reshape(len(t), values.shape[1])
    if not sfreq:
        return t, points
    breaks = np.flatnonzero(np.diff(t) > max(BREAK_S, 3 / sfreq)) + 1
    return np.insert(t, breaks, t[breaks]), np.insert(points, breaks, np.nan, axis=0)


def share_of_range(values: np.ndarray) -> np.ndarray:
    """`values` (n,) from 0, the least of them, to 1, the greatest; .5 where all are equal, NaN where not finite."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    return (values - low) / (high - low) if high > low else np.where(np.isfinite(values), 0.5, np.nan)
