"""Turns what a fit came to into pictures that live in a page: vector graphics whose ink is the page's own.

No picture has a ground or text colour of its own, so the same one is read on white, on black and on paper. Labels are
told apart by colours of even lightness and always by a word, a hatch or a shape as well.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch
from matplotlib.ticker import PercentFormatter

from models.evaluation.figures import BINS, binned
from realtime_mood.gui.scalp import flatten, interpolator
from realtime_mood.montage import locate

from .collect import Stretch
from .verdict import HeldOut

INK = "#010203"  # stands for the colour of the page's text until the picture is in the page
COLOURS = ("#d07c00", "#7f8b9d", "#2b8cce", "#c2609a", "#8a9420")  # 3:1 or more on white and on the dark page
HATCHES = ("", "///", "...", "xxx", "---")
SHAPES = ("o", "s", "^", "D", "v")
GOOD, POOR = "#12a07c", "#e0563a"
GOOD_SHARE = 0.8  # of the time: an electrode below it is worth mending
PIXELS = 64  # a side of a head
LEAST_RANGE = 1.25  # times an even share: closer than this to even must not look like a landscape
MOST_RANGE = 4.0
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
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(out, format="svg", transparent=True, dpi=144)
    text = out.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{key}-', text).replace("url(#", f"url(#{key}-")
    text = re.sub(r'xlink:href="#', f'href="#{key}-', text).replace("xlink:href", "href").replace(INK, "currentColor")
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    head = f'<svg {box[0]} role="img" aria-label="{escape(alt)}" style="max-width:{size[0] * 90:.0f}px">'
    return head + f"<title>{escape(alt)}</title>" + text[text.index(">") + 1 :]


def confusion(figure: Figure, shares: Sequence[Sequence[float]], labels: Sequence[str]) -> None:
    """What each label's seconds were taken for, in numbers."""
    axes, n = figure.add_subplot(), len(labels)
    axes.pcolormesh(np.asarray(shares), cmap="Blues", vmin=0, vmax=1, edgecolors="face")
    for row, values in enumerate(shares):
        for column, share in enumerate(values):
            colour = "#ffffff" if share > 0.55 else "#10141b"
            axes.text(column + 0.5, row + 0.5, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=12)
    axes.set(xlabel="taken for", ylabel="it was", xticks=np.arange(n) + 0.5, yticks=np.arange(n) + 0.5)
    axes.set_xticklabels(labels)
    axes.set_yticklabels(labels, rotation=90, va="center")
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def reliability(figure: Figure, held: HeldOut) -> None:
    """How often it was right against how sure it was, over how many seconds that rests on."""
    count, confidence, hits = binned(held.probs, held.labels)
    there, edges = count > 0, np.arange(BINS) / BINS
    least = 1 / held.probs.shape[1]
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    above.plot([0, 1], [0, 1], "--", color=INK, alpha=0.55, linewidth=1)
    sure, right = confidence[there] / count[there], hits[there] / count[there]
    above.vlines(sure, sure, right, color=COLOURS[2], alpha=0.5, linewidth=3)
    above.plot(sure, right, "o", color=COLOURS[2], markersize=6)
    above.text(1.0, 0.0, "surer than right", ha="right", va="bottom", fontsize=8.5, alpha=0.75)
    above.set(ylabel="was right", ylim=(-0.03, 1.03))
    below.bar(edges[there], count[there], 0.88 / BINS, align="edge", color=COLOURS[1])
    for x, n in zip(edges[there], count[there], strict=True):
        below.text(x + 0.44 / BINS, n, f"{n:.0f}", ha="center", va="bottom", fontsize=8)
    begin = np.floor(least * BINS) / BINS - 0.02
    below.set(xlabel="said it was sure", ylabel="seconds", xlim=(begin, 1.02), ylim=(0, 1.3 * count.max()))
    for axis in (above.yaxis, below.xaxis):
        axis.set_major_formatter(PercentFormatter(1.0, 0))


def attention(
    figure: Figure, maps: np.ndarray, ch_names: Sequence[str], labels: Sequence[str], bands: Mapping[str, Any]
) -> None:
    """Heads from above, a row a label and a column a band, on one scale: times an even share.

    Parameters
    ----------
    maps : (n_labels, n_chans, n_bands)
    """
    shares = np.log2(np.maximum(maps * len(ch_names), 1e-3))  # 0 is even
    most = np.abs(shares).max()
    top = float(np.clip(most, np.log2(LEAST_RANGE), np.log2(MOST_RANGE)))
    logs = np.clip(shares, -top, top)
    at = flatten(locate(ch_names))
    axis = np.linspace(-1, 1, PIXELS)
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    spread = interpolator(at, points)
    grid = figure.subplots(len(labels), len(bands), squeeze=False)
    for row, label in enumerate(labels):
        for column, (band, (low, high)) in enumerate(bands.items()):
            axes = grid[row, column]
            values = (spread @ logs[row, :, column]).reshape(PIXELS, PIXELS)
            image = axes.imshow(
                values, cmap="RdBu_r", vmin=-top, vmax=top, extent=(-1, 1, -1, 1), origin="lower",
                interpolation="bicubic",
            )  # fmt: skip
            _outline(axes, image)
            axes.plot(*at.T, ".", color="#10141b", markersize=3)
            if row == 0:
                axes.set_title(f"{band}\n{low:g}–{high:g} Hz")
            if column == 0:
                axes.text(-1.32, 0, label, rotation=90, ha="right", va="center", fontsize=10)
                axes.text(-1.22, 0, "L", ha="center", va="center", fontsize=8)
            if column == len(bands) - 1:
                axes.text(1.22, 0, "R", ha="center", va="center", fontsize=8)
    more = "both" if most > top else "neither"
    bar = figure.colorbar(image, ax=grid, shrink=0.75, aspect=30, pad=0.02, extend=more, label="times an even share")
    ticks = np.linspace(-top, top, 5)
    bar.set_ticks(list(ticks), labels=[f"{2**tick:.2f} ×" for tick in ticks])
    bar.outline.set_linewidth(0.5)


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


def along_time(
    figure: Figure, held: HeldOut, labels: Sequence[str], spans: Sequence[tuple[float, float]] | None, chance: float
) -> None:
    """Share of each held-out block's seconds that were right, in the order they came.

    Parameters
    ----------
    spans : sequence of (float, float), optional
        When each block began and ended (min). Blocks are numbered where that is not known.
    """
    axes, n = figure.add_subplot(), int(held.block.max()) + 1
    hit = held.logits.argmax(axis=1) == held.labels
    where = spans or [(b + 0.6, b + 1.4) for b in range(n)]
    for b, (begin, end) in enumerate(where):
        mine = held.block == b
        label, share = int(held.labels[mine][0]), float(hit[mine].mean())
        look: dict[str, Any] = {"align": "edge", "color": COLOURS[label % len(COLOURS)]}
        axes.bar(begin, 1, end - begin, alpha=0.18, **look)
        axes.bar(begin, share, end - begin, hatch=HATCHES[label % len(HATCHES)], edgecolor=INK, linewidth=0, **look)
        if n <= MANY:
            axes.text((begin + end) / 2, 1.03, f"{share:.0%}", ha="center", va="bottom", fontsize=8.5)
    axes.axhline(chance, color=INK, linestyle="--", linewidth=1, alpha=0.6)
    axes.annotate("chance", (1, chance), (4, 0), ("axes fraction", "data"), "offset points", va="center", fontsize=8.5)
    axes.set(ylabel="right", ylim=(0, 1.12), xlabel="minutes of the sitting" if spans else "block")
    axes.set_yticks([0, 0.5, 1.0])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
    axes.margins(x=0.01)
    _legend(figure, labels)


def self_reports(
    figure: Figure, answers: Mapping[int, tuple[float, float]], blocks: Sequence[Stretch], labels: Sequence[str]
) -> None:
    """What was said of each block, on the valence–arousal plane."""
    axes = figure.add_subplot()
    axes.axhline(0, color=INK, linewidth=0.7, alpha=0.5)
    axes.axvline(0, color=INK, linewidth=0.7, alpha=0.5)
    for k, label in enumerate(labels):
        said = [answers[b.number] for b in blocks if b.label == label and b.number in answers]
        colour, shape = COLOURS[k % len(COLOURS)], SHAPES[k % len(SHAPES)]
        x, y = np.array(said, float).reshape(-1, 2).T
        axes.plot(x, y, shape, color=colour, markeredgecolor=INK, markeredgewidth=0.6, markersize=8, label=label)
    axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    axes.set_xlabel("unpleasant  –  valence  –  pleasant")
    axes.set_ylabel("calm  –  arousal  –  stirred up")
    figure.legend(loc="outside upper center", ncols=min(3, len(labels)))


def _outline(axes: Axes, image: Any) -> None:
    """A head around `image`: nose up."""
    rim = Circle((0, 0), 1, fill=False, edgecolor=INK, linewidth=1)
    axes.add_patch(rim)
    image.set_clip_path(rim)
    axes.plot([-0.12, 0, 0.12], [0.993, 1.14, 0.993], color=INK, linewidth=1)
    axes.set(xlim=(-1.3, 1.3), ylim=(-1.1, 1.2), aspect="equal")
    axes.axis("off")


def _legend(figure: Figure, labels: Sequence[str]) -> None:
    patches = [
        Patch(
            facecolor=COLOURS[k % len(COLOURS)], hatch=HATCHES[k % len(HATCHES)], edgecolor=INK, linewidth=0, label=name
        )
        for k, name in enumerate(labels)
    ]
    figure.legend(handles=patches, loc="outside upper left", ncols=len(labels))
