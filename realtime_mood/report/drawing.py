"""Turns what a function draws into vector graphics that stand in a page, whose ink is the page's own.

No picture has a ground or text colour of its own, so the same one is read on white, on black and on paper.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK = "#010203"  # stands for the colour of the page's text until the picture is in the page
LABELS = ("#0a0b00", "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04")  # stand for the page's --label0 to --label4
HATCHES = ("", "///", "...", "xxx", "---")
GOOD, POOR = "#12a07c", "#e0563a"
GOOD_SHARE = 0.8  # of the time: an electrode below it is worth mending
MANY = 18  # bars in a row: with more, numbers on them run into one another
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "realtime_mood", "text.parse_math": False, "font.size": 9.5,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "hatch.color": INK, "hatch.linewidth": 0.5, "axes.facecolor": "none", "figure.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7, "axes.titlesize": 10,
    "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.frameon": False, "legend.fontsize": 9,
}  # fmt: skip

Draw = Callable[[Figure], None]


def svg(draw: Draw, size: tuple[float, float], key: str, alt: str) -> str:
    """What `draw` draws, as an element to stand in a page.

    Parameters
    ----------
    draw : callable
        Draws on a figure.
    size : (float, float)
        Width and height in inches.
    key : str
        Of this picture in its page: no two may share ids.
    alt : str
        What it shows, for those who cannot see it.
    """
    out = io.StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the page's fonts are not those measured with here
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(out, format="svg", transparent=True, dpi=144)
    text = out.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{key}-', text).replace("url(#", f"url(#{key}-")
    text = re.sub(r'xlink:href="#', f'href="#{key}-', text).replace("xlink:href", "href").replace(INK, "currentColor")
    for k, colour in enumerate(LABELS):
        text = text.replace(colour, f"var(--label{k})")
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    head = f'<svg {box[0]} role="img" aria-label="{escape(alt)}" style="max-width:{size[0] * 90:.0f}px">'
    return head + f"<title>{escape(alt)}</title>" + text[text.index(">") + 1 :]


def quality(figure: Figure, share: np.ndarray, ch_names: Sequence[str]) -> None:
    """Share of the time that each electrode was good, the worst first."""
    axes, order = figure.add_subplot(), np.argsort(share, kind="stable")
    values, names = share[order], [ch_names[i] for i in order]
    fine = values >= GOOD_SHARE
    for which, colour, hatch in ((fine, GOOD, ""), (~fine, POOR, "///")):
        axes.bar(np.flatnonzero(which), values[which], 0.8, color=colour, hatch=hatch, edgecolor=INK, linewidth=0)
    axes.axhline(GOOD_SHARE, color=INK, linestyle="--", linewidth=1, alpha=0.55)
    if len(names) <= MANY:
        for x, value in enumerate(values):
            axes.text(x, value + 0.015, f"{value:.0%}", ha="center", va="bottom", fontsize=8)
    axes.set(ylabel="of the time good", ylim=(0, 1.1), xlim=(-0.6, len(names) - 0.4))
    axes.set_xticks(range(len(names)), names, rotation=90 if len(names) > MANY // 2 else 0)
    axes.tick_params(axis="x", length=0, labelsize=9 if len(names) <= 2 * MANY else 6)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
