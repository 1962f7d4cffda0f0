"""Draws figures as SVG for a page, in the page's text colour, and the figure of electrode quality.

No figure has a background or text colour of its own, so the same one can be read on white, on black and on paper.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..language import _

INK = "#010203"  # stands for the colour of the page's text until the picture is in the page
LABELS = ("#0a0b00", "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04")  # stand for the page's --label0 to --label4
HATCHES = ("", "///", "...", "xxx", "---")
GOOD, POOR = "#12a07c", "#e0563a"
GOOD_SHARE = 0.8  # of the time: electrodes below it should be checked
NUMBER_HEIGHT = 0.08  # of the number on a bar, with the distance to it
MANY = 18  # bars in a row: with more, numbers on them run into one another
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "realtime_mood", "text.parse_math": False, "font.size": 9.5,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "hatch.color": INK, "hatch.linewidth": 0.5, "axes.facecolor": "none", "figure.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7, "axes.titlesize": 10,
    "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.frameon": False, "legend.fontsize": 9,
}  # fmt: skip


class ReportFigure(NamedTuple):
    """A figure, and what the template says of it."""

    draw: Callable[[Figure], None]
    size: tuple[float, float]  # inches
    details: Mapping[str, str] = {}  # what the figure's alternative text and caption name in braces

    @property
    def is_wide(self) -> bool:
        """Whether it is as wide as the page."""
        return self.size[0] > 6


class Drawing(NamedTuple):
    """A figure as the parts of an SVG element."""

    box: str  # its viewBox
    width: str  # pixels that it should not exceed
    content: Markup


def svg(figure: ReportFigure, key: str) -> Drawing:
    """Draw a figure for a page; its `key` makes its ids unique there."""
    out = io.StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the page's fonts are not those measured with here
        canvas = Figure(figsize=figure.size, layout="constrained")
        FigureCanvasSVG(canvas)
        figure.draw(canvas)
        if canvas.axes and (engine := canvas.get_layout_engine()):
            engine.execute(canvas)  # here: a figure that still has to be laid out is drawn twice
        canvas.set_layout_engine("none")
        canvas.savefig(out, format="svg", transparent=True, dpi=144)
    text = out.getvalue()
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box is not None
    text = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{key}-', text).replace("url(#", f"url(#{key}-")
    text = re.sub(r'xlink:href="#', f'href="#{key}-', text).replace("xlink:href", "href").replace(INK, "currentColor")
    for k, colour in enumerate(LABELS):
        text = text.replace(colour, f"var(--label{k})")
    return Drawing(box[1], f"{figure.size[0] * 90:.0f}", Markup(text))  # matplotlib has escaped the texts in it


def quality_figure(share: np.ndarray, ch_names: Sequence[str], size: tuple[float, float] | None = None) -> ReportFigure:
    """The figure of `share`, (n_chans,): the share of the time that each electrode was good.

    Without a `size` (inches), and with many electrodes, it is as wide as the page.
    """
    many = len(ch_names) > MANY
    worst = ", ".join(f"{ch_names[i]} {share[i]:.0%}" for i in np.argsort(share, kind="stable")[:5])
    if many or size is None:
        size = 10.2, 2.8 if many else 2.6
    details = {"shares": worst, "limit": f"{GOOD_SHARE:.0%}"}
    return ReportFigure(partial(_quality, share=share, ch_names=ch_names), size, details)


def _quality(figure: Figure, share: np.ndarray, ch_names: Sequence[str]) -> None:
    axes, order = figure.add_subplot(), np.argsort(share, kind="stable")
    values, names = share[order], [ch_names[i] for i in order]
    fine = values >= GOOD_SHARE
    for which, colour, hatch in ((fine, GOOD, ""), (~fine, POOR, "///")):
        axes.bar(np.flatnonzero(which), values[which], 0.8, color=colour, hatch=hatch, edgecolor=INK, linewidth=0)
    axes.axhline(GOOD_SHARE, color=INK, linestyle="--", linewidth=1, alpha=0.55)
    if len(names) <= MANY:
        for x, value in enumerate(values):
            at = GOOD_SHARE if GOOD_SHARE - NUMBER_HEIGHT < value < GOOD_SHARE else value  # not across the line
            axes.text(x, at + 0.015, f"{value:.0%}", ha="center", va="bottom", fontsize=8)
    axes.set(ylabel=_("time with good signal"), ylim=(0, 1.1), xlim=(-0.6, len(names) - 0.4))
    axes.set_xticks(range(len(names)), names, rotation=90 if len(names) > MANY // 2 else 0)
    axes.tick_params(axis="x", length=0, labelsize=9 if len(names) <= 2 * MANY else 6)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
