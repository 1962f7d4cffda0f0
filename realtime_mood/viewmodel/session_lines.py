"""Measures of the body over the whole session, as lines for a screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..language import _, number
from .body import SHORT, BodyLine, BodyView
from .envelope import envelope, share_of_range
from .words import StyledText

LEAST_SPAN_S = 60.0  # a shorter session is drawn in a minute


@dataclass(frozen=True, slots=True, eq=False)
class SessionLine:
    """One measure over the session; texts are translated."""

    label: str
    text: StyledText  # the newest value with its unit, or why there is none
    points: np.ndarray
    """(n, 2): share of the session from 0 to 1, and height from 0 to 1; NaN where it was invalid."""
    span: str  # how long ago the line begins


def session_lines(body: BodyView, n_columns: int) -> tuple[SessionLine, ...]:
    """The line of each measure, for about `n_columns` px; those of `SHORT` come first."""
    lines = sorted(body.lines, key=lambda line: line.name not in SHORT)
    return tuple(_session_line(line, n_columns) for line in lines)


def _session_line(line: BodyLine, n_columns: int) -> SessionLine:
    span_s = max(LEAST_SPAN_S, -float(line.t[0])) if len(line.t) else LEAST_SPAN_S
    t, values = envelope(line.t, line.values[:, None], span_s / max(n_columns, 1))
    points = np.column_stack([1 + t / span_s, share_of_range(values[:, 0])])
    return SessionLine(line.label, line.text, points, _("−{n} min", n=number(span_s / 60, ".0f")))
