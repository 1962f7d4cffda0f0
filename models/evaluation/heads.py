"""Maps on heads seen from above, drawn in a grid for reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from realtime_mood.montage import locate
from realtime_mood.report.drawing import INK
from realtime_mood.viewmodel.scalp import flatten, interpolator

PIXELS = 64  # a side of a head
DOT = "#10141b"


def heads(
    figure: Figure, values: np.ndarray, ch_names: Sequence[str], rows: Sequence[str], columns: Sequence[str],
    top: float, marked: np.ndarray | None = None,
) -> tuple[Any, np.ndarray]:  # fmt: skip
    """Draw a head for each row and column, all on the colour scale from ``-top`` to `top`.

    Parameters
    ----------
    figure : Figure
    values : (n_rows, n_chans, n_columns) ndarray
    ch_names : sequence of str
        Names in the 10-05 system.
    rows, columns : sequence of str
        Their titles.
    top : float
        Larger values have the last colour.
    marked : (n_rows, n_chans, n_columns) ndarray of bool, optional
        Electrodes that are drawn as large white dots.

    Returns
    -------
    image : ScalarMappable
        For a colour bar.
    grid : (n_rows, n_columns) ndarray of Axes
    """
    at, axis = flatten(locate(ch_names)), np.linspace(-1, 1, PIXELS)
    spread = interpolator(at, np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2))
    grid, image = figure.subplots(len(rows), len(columns), squeeze=False), None
    for row, title in enumerate(rows):
        for column, head in enumerate(columns):
            axes = grid[row, column]
            picture = (spread @ np.clip(values[row, :, column], -top, top)).reshape(PIXELS, PIXELS)
            image = axes.imshow(
                picture, cmap="RdBu_r", vmin=-top, vmax=top, extent=(-1, 1, -1, 1), origin="lower",
                interpolation="bicubic",
            )  # fmt: skip
            _outline(axes, image)
            axes.plot(*at.T, ".", color=DOT, markersize=3)
            if marked is not None:
                look: dict[str, Any] = {"color": "#ffffff", "markeredgecolor": DOT, "markeredgewidth": 1.1}
                axes.plot(*at[marked[row, :, column]].T, "o", markersize=6, **look)
            if row == 0:
                axes.set_title(head)
            if column == 0:
                axes.text(-1.32, 0, title, rotation=90, ha="right", va="center", fontsize=10)
                axes.text(-1.22, 0, "L", ha="center", va="center", fontsize=8)
            if column == len(columns) - 1:
                axes.text(1.22, 0, "R", ha="center", va="center", fontsize=8)
    return image, grid


def colour_bar(figure: Figure, image: Any, grid: np.ndarray, label: str, ticks: Sequence[float], texts: Sequence[str],
               *, more: bool) -> None:  # fmt: skip
    """A colour bar beside all heads; `more` says that some values are beyond its ends."""
    extend = "both" if more else "neither"
    bar = figure.colorbar(image, ax=grid, shrink=0.75, aspect=30, pad=0.02, extend=extend, label=label)
    bar.set_ticks(list(ticks), labels=list(texts))
    bar.outline.set_linewidth(0.5)


def _outline(axes: Axes, image: Any) -> None:
    """A head around `image`: nose up."""
    rim = Circle((0, 0), 1, fill=False, edgecolor=INK, linewidth=1)
    axes.add_patch(rim)
    image.set_clip_path(rim)
    axes.plot([-0.12, 0, 0.12], [0.993, 1.14, 0.993], color=INK, linewidth=1)
    axes.set(xlim=(-1.3, 1.3), ylim=(-1.1, 1.2), aspect="equal")
    axes.axis("off")
