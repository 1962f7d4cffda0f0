"""A measure for neurofeedback: ``kind = "relative"`` in a session's TOML file."""

from __future__ import annotations

import numpy as np


def relative(power: np.ndarray, over: np.ndarray | None) -> float:
    """Log power at the first electrode less that of the others: how local a rhythm is."""
    return float(power[0] - power[1:].mean()) if len(power) > 1 else float("nan")
