"""The kinds of fast measure: what each makes of the log power of a session's electrodes.

Filters, averages, gaps and poor electrodes are the same for all kinds (`measures`): a kind is the last step alone.
"""

from __future__ import annotations

import numpy as np


def band(power: np.ndarray, over: np.ndarray | None) -> float:
    """Log power, averaged over electrodes."""
    return float(power.mean())


def ratio(power: np.ndarray, over: np.ndarray | None) -> float:
    """Log power of the band less that of the band `over`."""
    assert over is not None  # a session without it is refused
    return float(power.mean() - over.mean())


def asymmetry(power: np.ndarray, over: np.ndarray | None) -> float:
    """Log power of the second half of the electrodes, the right ones, less that of the first."""
    half = len(power) // 2
    return float(power[half:].mean() - power[:half].mean())
