"""Measures over the whole session, such as heart rate and skin conductance, as lines for a screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..language import _, number
from .envelope import envelope

LEAST_SPAN_S = 60.0  # a shorter session is drawn in a minute
BREAK_S = 2.5  # values that are further apart are not joined


@dataclass(frozen=True, slots=True, eq=False)
class SessionLine:
    """One measure over the session; texts are translated."""

    name: str
    value: str  # the newest with its unit; a dash where it is invalid
    points: np.ndarray
    """(n, 2): share of the session from 0 to 1, and height from 0 to 1; NaN where it was invalid."""
    span: str  # how long ago the line begins
    spread: str = ""  # from the least to the greatest value


def session_line(name: str, unit: str, t: np.ndarray, values: np.ndarray, now: float, n_columns: int) -> SessionLine:
    """The line of `values` (n,), NaN where invalid, at the times `t` (n,) (s), for `n_columns` px."""
    span_s = max(LEAST_SPAN_S, now - float(t[0])) if len(t) else LEAST_SPAN_S
    at, high = envelope(t, values[:, None], span_s / max(n_columns, 1))
    known = high[np.isfinite(high)]
    low, top = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    height = (high[:, 0] - low) / (top - low) if top > low else np.where(np.isfinite(high[:, 0]), 0.5, np.nan)
    newest = float(values[-1]) if len(values) else np.nan
    text = "–" if np.isnan(newest) else f"{short(newest)} {unit}"
    span = _("−{n} min", n=number(span_s / 60, ".0f"))
    spread = f"{short(low)} – {short(top)}" if top > low else ""
    return SessionLine(name, text, np.column_stack([1 - (now - at) / span_s, height]), span, spread)


def short(value: float) -> str:
    """A value with about three digits."""
    size = abs(value)
    return number(value, ".0f" if size >= 20 else ".1f" if size >= 1 else ".2f")
