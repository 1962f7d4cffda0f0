"""Figures of the calibration report: confusion matrix, reliability, accuracy over time, attention, self-reports.

No figure has a background or text colour of its own, so the same one can be read on white, on black and on paper.
Labels differ in colour, of equal lightness, and always in a word, a hatch or a shape as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from realtime_mood.language import _, number
from realtime_mood.models.evaluation.figures import BINS, binned
from realtime_mood.models.evaluation.heads import colour_bar, heads
from realtime_mood.report.drawing import HATCHES, INK, MANY

from .collect import StepSpan
from .verdict import HeldOut

COLOURS = ("#d07c00", "#7f8b9d", "#2b8cce", "#c2609a", "#8a9420")  # 3:1 or more on white and on the dark page
SHAPES = ("o", "s", "^", "D", "v")
LEAST_RANGE = 1.25  # times an equal share: smaller differences must not look like a pattern
MOST_RANGE = 4.0


def confusion(figure: Figure, shares: Sequence[Sequence[float]], labels: Sequence[str]) -> None:
    """Shares of the seconds of each label by predicted label."""
    axes, n = figure.add_subplot(), len(labels)
    axes.pcolormesh(np.asarray(shares), cmap="Blues", vmin=0, vmax=1, edgecolors="face")
    for row, values in enumerate(shares):
        for column, share in enumerate(values):
            colour = "#ffffff" if share > 0.55 else "#10141b"
            axes.text(column + 0.5, row + 0.5, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=12)
    axes.set(xlabel=_("predicted label"), ylabel=_("true label"), aspect="equal")
    axes.set_xticks(np.arange(n) + 0.5, labels)
    axes.set_yticks(np.arange(n) + 0.5, labels, rotation=90, va="center")
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def reliability(figure: Figure, held: HeldOut) -> None:
    """Accuracy against confidence, and the number of seconds in each bin."""
    count, confidence, hits = binned(held.probs, held.labels)
    there, edges = count > 0, np.arange(BINS) / BINS
    least = 1 / held.probs.shape[1]
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    above.plot([0, 1], [0, 1], "--", color=INK, alpha=0.55, linewidth=1)
    sure, right = confidence[there] / count[there], hits[there] / count[there]
    above.vlines(sure, sure, right, color=COLOURS[2], alpha=0.5, linewidth=3)
    above.plot(sure, right, "o", color=COLOURS[2], markersize=6)
    above.text(1.0, 0.0, _("overconfident"), ha="right", va="bottom", fontsize=8.5, alpha=0.75)
    above.set(ylabel=_("accuracy"), ylim=(-0.03, 1.03))
    below.bar(edges[there], count[there], 0.88 / BINS, align="edge", color=COLOURS[1])
    for x, n in zip(edges[there], count[there], strict=True):
        below.text(x + 0.44 / BINS, n, f"{n:.0f}", ha="center", va="bottom", fontsize=8)
    begin = np.floor(least * BINS) / BINS - 0.02
    below.set(xlabel=_("confidence"), ylabel=_("seconds"), xlim=(begin, 1.02), ylim=(0, 1.3 * count.max()))
    for axis in (above.yaxis, below.xaxis):
        axis.set_major_formatter(PercentFormatter(1.0, 0))


def attention(
    figure: Figure, maps: np.ndarray, ch_names: Sequence[str], labels: Sequence[str], bands: Mapping[str, Any]
) -> None:
    """Heads from above, one row per label and one column per band, on one scale: times an equal share.

    `maps` is (n_labels, n_chans, n_bands).
    """
    shares = np.log2(np.maximum(maps * len(ch_names), 1e-3))  # 0 is an equal share
    most = np.abs(shares).max()
    top = float(np.clip(most, np.log2(LEAST_RANGE), np.log2(MOST_RANGE)))
    logs = np.clip(shares, -top, top)
    columns = [f"{band}\n{low:g}–{high:g} Hz" for band, (low, high) in bands.items()]
    image, grid = heads(figure, logs, ch_names, labels, columns, top)
    ticks = np.linspace(-top, top, 5)
    texts = [f"{number(2**tick, '.2f')} ×" for tick in ticks]
    colour_bar(figure, image, grid, _("times an equal share"), ticks.tolist(), texts, more=most > top)


def along_time(
    figure: Figure, held: HeldOut, labels: Sequence[str], spans: Sequence[tuple[float, float]] | None, chance: float
) -> None:
    """Accuracy of each held-out block, in the order of time.

    `spans` says when each block began and ended (min); blocks are numbered where that is not known.
    """
    axes, n = figure.add_subplot(), int(held.block.max()) + 1
    hit = held.logits.argmax(axis=1) == held.labels
    where = spans or [(b + 0.6, b + 1.4) for b in range(n)]
    for b, (begin, end) in enumerate(where):
        inside = held.block == b
        label, share = int(held.labels[inside][0]), float(hit[inside].mean())
        look: dict[str, Any] = {"align": "edge", "color": COLOURS[label % len(COLOURS)]}
        axes.bar(begin, 1, end - begin, alpha=0.18, **look)
        axes.bar(begin, share, end - begin, hatch=HATCHES[label % len(HATCHES)], edgecolor=INK, linewidth=0, **look)
        if n <= MANY:
            axes.text((begin + end) / 2, 1.03, f"{share:.0%}", ha="center", va="bottom", fontsize=8.5)
    axes.axhline(chance, color=INK, linestyle="--", linewidth=1, alpha=0.6)
    axes.annotate(
        _("chance"), (1, chance), (4, 0), ("axes fraction", "data"), "offset points", va="center", fontsize=8.5
    )
    axes.set(ylabel=_("accuracy"), ylim=(0, 1.12), xlabel=_("time in session (min)") if spans else _("block"))
    axes.set_yticks([0, 0.5, 1.0])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
    axes.margins(x=0.01)
    _legend(figure, labels)


def self_reports(
    figure: Figure, answers: Mapping[int, tuple[float, float]], blocks: Sequence[StepSpan], labels: Sequence[str]
) -> None:
    """Self-reports of each block on the valence–arousal plane."""
    axes = figure.add_subplot()
    axes.axhline(0, color=INK, linewidth=0.7, alpha=0.5)
    axes.axvline(0, color=INK, linewidth=0.7, alpha=0.5)
    for k, label in enumerate(labels):
        given = [answers[b.number] for b in blocks if _(b.label) == label and b.number in answers]
        colour, shape = COLOURS[k % len(COLOURS)], SHAPES[k % len(SHAPES)]
        x, y = np.array(given, float).reshape(-1, 2).T
        axes.plot(x, y, shape, color=colour, markeredgecolor=INK, markeredgewidth=0.6, markersize=8, label=label)
    axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    axes.set_xlabel(_("valence (unpleasant – pleasant)"))
    axes.set_ylabel(_("arousal (calm – excited)"))
    figure.legend(loc="outside upper center", ncols=min(3, len(labels)))


def _legend(figure: Figure, labels: Sequence[str]) -> None:
    looks = zip(labels, cycle(COLOURS), cycle(HATCHES), strict=False)
    patches = [Patch(facecolor=hue, hatch=hatch, edgecolor=INK, linewidth=0, label=name) for name, hue, hatch in looks]
    figure.legend(handles=patches, loc="outside upper left", ncols=len(labels))
