"""Figures of the session report: probabilities over time, and the time with and without an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from ..language import N_, _
from .body import BodySummary
from .course import LEAST, SessionCourse
from .drawing import GOOD, INK, LABELS, POOR
from .readings import KINDS, OTHER
from .words import reason, share

DASHES: tuple[Any, ...] = ("-", (0, (7, 1.2)), (0, (9, 1.2, 1.6, 1.2)), (0, (2.5, 1)), (0, (5, 1, 1, 1, 1, 1)))
REASON_LOOKS: dict[str, tuple[str, str]] = {
    "settling": ("#a3adba", ""), "stale": ("#c46a55", "xxx"), "gap": ("#c46a55", "///"),
    "bad_signal": ("#c46a55", "..."), "muscle": ("#c46a55", "|||"), "blinks": ("#c46a55", "ooo"),
    "movement": ("#c46a55", "---"), "uncalibrated": ("#7f8b9d", "..."), "unsure": ("#7f8b9d", "///"),
    "montage": ("#7f8b9d", "xxx"), "unfamiliar": ("#7f8b9d", "\\\\\\"), OTHER: ("#7f8b9d", "---"),
}  # fmt: skip
"""Colour and hatch of each reason: red for what is wrong with the signal."""
NO_READING, NO_READING_LOOK, LOST = N_("no reading"), ("#a3adba", "---"), N_("not in the file")
LONGEST_TEXT = 16  # letters of a text in the figure: the page has all of it
LETTER = 0.0088  # of the width of the figure, about
MOST_LINES = 60  # markers drawn through the whole figure; with more, only ticks

Row = tuple[str, np.ndarray, tuple[str, str]]


def course(figure: Figure, course: SessionCourse, labels: Sequence[str], markers: Sequence[tuple[float, str]]) -> None:
    """Probabilities over time, with the reasons for no estimate below them.

    Where a bin holds several readings every label has axes of its own: overlapping ranges could not be distinguished.
    """
    rows, scale, unit = reasons(course), *_unit(float(course.edges[-1]))
    edges = course.edges / scale
    groups = [[k] for k in range(len(labels))] if course.binned else [list(range(len(labels)))]
    heights = [*([7 / len(groups) + 0.7] * len(groups)), max(1.0, 0.62 * len(rows))]
    *above, below = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    for axes, group in zip(above, groups, strict=True):
        _hatch_no_estimate(axes, course, edges)
        for k in group:
            _probabilities(axes, course, edges, k, labels[k])
        axes.set(ylim=(-0.015, 1.015), yticks=(0, 0.5, 1) if course.binned else (0, 0.25, 0.5, 0.75, 1))
        axes.set(xlim=(edges[0], edges[-1]), ylabel=_short(labels[group[0]]) if course.binned else _("probability"))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
        axes.tick_params(axis="x", length=0)
    _markers([*above, below], [(t / scale, text) for t, text in markers], float(edges[-1]))
    for y, (_name, shares, (colour, hatch)) in enumerate(rows):
        look: dict[str, Any] = {"facecolor": colour, "hatch": hatch, "edgecolor": INK, "linewidth": 0}
        at, height = _merged(edges, np.where(shares > LEAST, np.round(shares, 3), np.nan))
        below.stairs(y + 0.9 - 0.8 * height, at, baseline=np.full(len(height), y + 0.9), fill=True, **look)
    below.set_yticks(np.arange(len(rows)) + 0.5, [name for name, *_rest in rows])
    below.set(ylim=(max(len(rows), 1), 0), xlabel=unit)
    below.tick_params(axis="y", length=0)
    below.spines["left"].set_visible(False)
    if not course.binned:
        figure.legend(loc="outside upper left", ncols=min(6, len(labels)), handlelength=2.6)


def body(figure: Figure, edges: np.ndarray, rows: Sequence[tuple[str, str, BodySummary]]) -> None:
    """The measures of the body over time, each with a name, a unit and axes of its own; gaps where they are invalid."""
    scale, unit = _unit(float(edges[-1]))
    every = np.atleast_1d(figure.subplots(len(rows), 1, sharex=True))
    for k, (axes, (name, of, it)) in enumerate(zip(every, rows, strict=True)):
        axes.stairs(it.course, edges / scale, baseline=None, linewidth=1.4, color=LABELS[k % len(LABELS)])
        axes.set_title(f"{name} ({of})", loc="left", fontsize=9)
        axes.locator_params(axis="y", nbins=3)
        axes.margins(y=0.15)
    every[-1].set(xlim=(0, float(edges[-1]) / scale), xlabel=unit)


def course_size(course: SessionCourse, n_labels: int) -> tuple[float, float]:
    """Width and height that the picture of a course needs, in inches."""
    return 10.2, (0.9 + 1.0 * n_labels if course.binned else 3.2) + 0.26 * len(reasons(course))


def reasons(course: SessionCourse) -> list[Row]:
    """The rows below the probabilities: name, share of each bin, and colour and hatch."""
    rows = [
        (reason(why), shares, REASON_LOOKS[why])
        for why, shares in zip(KINDS[1:], course.shares[1:], strict=True)
        if shares.max(initial=0) > LEAST
    ]
    if (course.nothing > 0.01).any():
        rows.append((_(NO_READING), course.nothing, NO_READING_LOOK))
    if course.lost.max(initial=0) > LEAST:
        rows.append((_(LOST), course.lost, (POOR, "")))
    return rows


def spent(figure: Figure, parts: Sequence[tuple[str, float]]) -> None:
    """One bar of the whole time: the share with an estimate, and the reasons for none.

    `parts` are one of `KINDS`, or empty where there was no reading; and its share of the time.
    """
    axes, left, patches = figure.add_subplot(), 0.0, []
    for kind, part in parts:
        colour, hatch = (GOOD, "") if kind == KINDS[0] else REASON_LOOKS.get(kind, NO_READING_LOOK)
        name = _("estimate") if kind == KINDS[0] else reason(kind) if kind else _(NO_READING)
        look: dict[str, Any] = {"facecolor": colour, "hatch": hatch, "edgecolor": INK, "linewidth": 0.6}
        axes.barh(0, part, 1, left, **look)
        patches.append(Patch(label=f"{name} {share(part)}", **look))
        left += part
    axes.set(xlim=(0, max(left, 1e-9)), ylim=(-0.5, 0.5), yticks=())
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, 0))
    axes.spines["left"].set_visible(False)
    figure.legend(handles=patches, loc="outside upper left", ncols=-(-len(patches) // -(-len(patches) // 6)))


def _probabilities(axes: Axes, course: SessionCourse, edges: np.ndarray, k: int, label: str) -> None:
    """The probabilities of one label."""
    look: dict[str, Any] = {"color": LABELS[k % len(LABELS)], "zorder": 3}
    if course.binned:
        axes.stairs(course.high[k], edges, baseline=course.low[k], fill=True, alpha=0.28, linewidth=0, **look)
    style = "-" if course.binned else DASHES[k % len(DASHES)]
    width = 1.2 if course.binned else 1.6
    axes.stairs(course.mean[k], edges, baseline=None, linewidth=width, linestyle=style, label=label, **look)


def _hatch_no_estimate(axes: Axes, course: SessionCourse, edges: np.ndarray) -> None:
    """Hatch the periods without an estimate."""
    look: dict[str, Any] = {"facecolor": "none", "edgecolor": INK, "hatch": "////", "linewidth": 0, "alpha": 0.55}
    for silent in np.ma.clump_masked(np.ma.masked_less_equal(course.shares[0], LEAST)):
        axes.axvspan(edges[silent.start], edges[silent.stop], **look)


def _merged(edges: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same stairs without the edges between equal values."""
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    begins = np.concatenate([[True], ~same])
    return np.concatenate([edges[:-1][begins], edges[-1:]]), values[begins]


def _markers(every: Sequence[Axes], markers: Sequence[tuple[float, str]], end: float) -> None:
    """A line at each marker, and its text where there is room."""
    free = -np.inf
    if len(markers) > MOST_LINES:
        every[0].vlines([t for t, _ in markers], 0.95, 1, color=INK, linewidth=0.7, alpha=0.6)
        return
    for t, text in markers:
        for axes in every:
            axes.axvline(t, color=INK, linewidth=0.8, alpha=0.6, linestyle=(0, (2, 2)), zorder=2)
        at, shown = t / end if end else 0.0, _short(text)
        if at >= free and at + LETTER * len(shown) <= 1.02:
            every[0].annotate(shown, (t, 1), (0, 4), ("data", "axes fraction"), "offset points", fontsize=8)
            free = at + LETTER * (len(shown) + 2)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _unit(duration_s: float) -> tuple[float, str]:
    if duration_s < 240:
        return 1.0, _("time in the recording (s)")
    if duration_s < 3 * 3600:
        return 60.0, _("time in the recording (min)")
    return 3600.0, _("time in the recording (h)")
