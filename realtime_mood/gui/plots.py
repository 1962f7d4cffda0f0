"""Turns a plot widget into a bare picture, which nobody drags about."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import Qt

from .theme import colour


def bare(*, axes: bool = False) -> pg.PlotWidget:
    """A plot without menu, buttons, frame and mouse; without axes too unless they are asked for."""
    plot = pg.PlotWidget(background=colour("panel"))
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if not axes:
        plot.hideAxis("left")
        plot.hideAxis("bottom")
    return plot
