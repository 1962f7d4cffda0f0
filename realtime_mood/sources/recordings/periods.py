"""The time between samples by the stamps of a file's rows, gaps left out."""

from __future__ import annotations

import numpy as np

SMOOTH = 0.3  # stamps are smooth where all but one in a hundred steps are within this much of whole samples


def filled(stamps: np.ndarray) -> np.ndarray | None:
    """`stamps` with the unknown ones drawn in along their neighbours, from zero; None where too few are known."""
    known = np.isfinite(stamps) & (np.abs(stamps) < 1e13)
    if known.mean() < 0.5 or not np.ptp(stamps[known]) > 0:
        return None
    at, (first, last) = np.arange(len(stamps)), np.flatnonzero(known)[[0, -1]]
    drawn, step = np.interp(at, at[known], stamps[known]), np.median(np.diff(stamps[known]))
    drawn[:first] = drawn[first] + (at[:first] - first) * step
    drawn[last:] = drawn[last] + (at[last:] - last) * step
    return np.asarray(drawn - drawn[0])


def is_smooth(stamps: np.ndarray, period: float) -> bool:
    """Whether nearly all stamps lie whole samples apart, most of them after the one before."""
    steps = np.diff(stamps) / period
    return bool(np.mean(np.abs(steps - np.round(steps)) > SMOOTH) <= 0.01 and np.mean(steps < 0.5) <= 0.1)


def period_of(stamps: np.ndarray, expected: float | None) -> float:
    """Seconds between samples by the stamps, gaps left out."""
    rough = rough_period(stamps, expected, np.arange(len(stamps)))
    if rough <= 0:
        return 0.0
    for start in (1.0 / expected if expected else rough, rough):
        if is_smooth(stamps, start):
            steps = np.diff(stamps)
            whole = np.round(steps / start)
            short = (whole >= 1) & (whole <= 8)
            return float(steps[short].sum() / whole[short].sum()) if short.any() else rough
    return rough


def rough_period(stamps: np.ndarray, expected: float | None, index: np.ndarray) -> float:
    """Seconds between samples by their stamps over ten seconds or so; from a stretch without gaps."""
    rows = max(1, min(len(stamps) // 4, round(10 * (expected or 250))))
    periods = (stamps[rows:] - stamps[:-rows]) / np.maximum(1, index[rows:] - index[:-rows])
    return float(np.quantile(periods, 0.3))
