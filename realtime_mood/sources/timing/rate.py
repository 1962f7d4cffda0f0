"""Measurement of the sampling rate from time stamps, with a note where it differs from the announced one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LEAST_POINTS, LEAST_S = 8, 0.4  # least number and duration (s) of stamps for a measurement
DIFFERS = 0.01  # a rate closer than this (share) to the announced one is taken as the announced one: clocks differ
SURE = 0.005
"""Sufficient precision (share). Checked after 0.5, 1, 2 and 4 s, a wrong rate is accepted in at most one of a hundred
starts, and only where stamps jitter by 15 ms and samples are lost meanwhile."""
SNAP = 0.005  # a rate closer than this (share) to a common one is taken as that
COMMON_HZ = (100, 125, 128, 160, 200, 220, 250, 256, 300, 500, 512, 600, 1000, 1024, 1200, 2000, 2048, 4096, 5000)
SECTIONS = 5


class Rate(NamedTuple):
    """A measured sampling rate."""

    sfreq: float
    error: float  # standard error, as a share of it

    @property
    def sure(self) -> bool:
        """Whether it is precise enough to stop measuring."""
        return self.error <= SURE


def measured_rate(counts: np.ndarray, stamps: np.ndarray) -> Rate | None:
    """The sampling rate, robust against a few lost samples; None where there are too few stamps, or they go backwards.

    `counts` (n,) is the number of samples received up to each stamp (s), itself included. One stamp per received batch
    is best: those within a batch are often computed from the announced rate.
    """
    if len(stamps) < LEAST_POINTS or not np.isfinite(stamps).all() or stamps[-1] - stamps[0] < LEAST_S:
        return None
    steps, n = np.diff(stamps), np.diff(counts)
    if steps.min() > 0:
        period = float(np.median(steps / n))
        whole = np.maximum(n, np.round(steps / period))
        if np.abs(steps - whole * period).max() <= period / 4:  # so regular that lost samples show one by one
            return _rate(*_line(np.concatenate(([0.0], np.cumsum(whole))), stamps))
    slope, error = _line(counts, stamps)
    sections = zip(np.array_split(counts, SECTIONS), np.array_split(stamps, SECTIONS), strict=True)
    parts = [_line(x, y)[0] for x, y in sections]
    middle = float(np.median(parts))
    # A gap affects one section but not their median; jitter affects all, and the whole line less. Where the two do
    # not agree, neither is sure. So the spread is that of the four sections closest to the middle (2.06 is what four
    # normal values range over, in standard deviations; 0.56 the standard error of a median of five).
    off = np.sort(np.abs(np.array(parts) - middle))[:-1]
    spread = 2 * float(off[-1]) / 2.06
    return _rate(slope, max(error, abs(slope - middle), 0.56 * spread))


def real_rate(announced: float, rate: Rate | None) -> tuple[float, str]:
    """The rate to read a stream at (Hz), and a note if it is unusual, else ``""``.

    The measured rate is used where it certainly differs by more than 1 %, rounded to a common rate close to it.
    """
    if rate is None or not rate.sure or abs(rate.sfreq / announced - 1) <= DIFFERS:
        return announced, ""
    sfreq = usual_rate(rate)
    return sfreq, f"announces {announced:g} Hz, sends {rate.sfreq:.4g} Hz: read as {sfreq:g}"


def usual_rate(rate: Rate) -> float:
    """The common rate (Hz) close to a measured one."""
    near = min(COMMON_HZ, key=lambda common: abs(rate.sfreq / common - 1))
    return float(near) if abs(rate.sfreq / near - 1) <= SNAP else float(f"{rate.sfreq:.4g}")


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope of `y` over `x`, and its standard error."""
    x, y = x - x.mean(), y - y.mean()
    squares = float(x @ x)
    slope = float(x @ y) / squares
    rest = y - slope * x
    return slope, float(np.sqrt(rest @ rest / max(1, len(x) - 2) / squares))


def _rate(period: float, error: float) -> Rate | None:
    return Rate(1.0 / period, error / period) if period > 0 else None
