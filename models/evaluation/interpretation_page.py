"""The page of ``interpret``: maps on heads, clusters with p values, controls, and what the maps do not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from realtime_mood.language import N_, _, number
from realtime_mood.report import pages
from realtime_mood.report.drawing import ReportFigure

from .heads import colour_bar, heads

GENERATOR = "realtime_mood interpretation"
MEANINGS = (
    N_("what subjects reported to have felt"), N_("what the stimulus was meant to evoke"),
    N_("what the subject was asked to do"), N_("what the authors named the take"),
)  # fmt: skip
BASELINES = {
    "rest": N_("the subject's rest"), "pre-clip": N_("the seconds before each stimulus"),
    "neutral": N_("the first neutral trials"), "none": N_("the beginning of the recording, whatever was shown"),
}  # fmt: skip
UNITS = {
    "de": N_("SD of the baseline"), "attention": N_("times an equal share"),
    "attention_contrast": N_("equal shares of attention"), "gradients": N_("contribution to the score (logits)"),
}  # fmt: skip
LEAST_TOP = {"de": 0.1, "attention": 0.25, "attention_contrast": 0.1, "gradients": 0.01}
"""Ends of colour scales are no smaller, so that noise does not look like a pattern."""
MOST_ROWS = 8  # clusters of a table that are not significant
CHANCE_P = 0.01


def page(result: Mapping[str, Any]) -> str:
    """The page as HTML of what `interpretation.summary` and `interpretation.about` found."""
    about, controls = result["about"], result["controls"]
    baseline = BASELINES.get(about["baseline"] or "rest", N_("the subject's rest"))
    return pages.html(
        "interpretation.html", GENERATOR, {kind: _figure(kind, result) for kind in result["maps"]}, about=about,
        statistics=result["statistics"], reader=result["reader"], controls=controls, simulated=about["simulated"],
        name=about["title"] or about["dataset"], baseline=_(baseline) if about["track"] != "z" else _("no baseline"),
        tables={kind: _clusters(found) for kind, found in result["maps"].items()},
        found={kind: sum(k["significant"] for k in m.get("clusters", ())) for kind, m in result["maps"].items()},
        reads=result["reader"]["above_chance"]["interval"][0] > 0, electrodes=result["electrodes"],
        expected_by_chance=_expected(controls["permuted"], result["statistics"]["alpha"]),
    )  # fmt: skip


def row_titles(kind: str, rows: Sequence[str], labels: Sequence[str]) -> list[str]:
    """What each row of heads shows: a label, or a label against the others."""
    if kind not in ("de", "attention_contrast"):
        return [_(label) for label in rows]
    if len(labels) == 2:
        return [f"{_(labels[1])} − {_(labels[0])}"]
    return [_("{label} − others", label=_(label)) for label in rows]


def _figure(kind: str, result: Mapping[str, Any]) -> ReportFigure:
    found, names, bands = result["maps"][kind], result["electrodes"], result["bands"]
    mean = np.array(found["mean"], float)
    marked = np.zeros(mean.shape, bool)
    for k in found.get("clusters", ()):
        if k["significant"]:
            where = [names.index(name) for name in k["electrodes"]]
            marked[found["rows"].index(k["label"]), where, list(bands).index(k["band"])] = True
    rows = row_titles(kind, found["rows"], result["about"]["labels"])
    places = [np.unravel_index(np.abs(np.nan_to_num(one)).argmax(), one.shape) for one in mean]
    most = [
        _("{label}: {band} at {electrode}", label=label, band=list(bands)[b], electrode=names[c])
        for label, (c, b) in zip(rows, places, strict=True)
    ]
    draw = partial(_draw, kind=kind, mean=np.nan_to_num(mean), marked=marked, ch_names=names, rows=rows, bands=bands)
    return ReportFigure(draw, (10.2, 0.6 + 1.8 * len(rows)), {"maxima": "; ".join(most)})


def _draw(
    figure: Figure, kind: str, mean: np.ndarray, marked: np.ndarray, ch_names: Sequence[str], rows: Sequence[str],
    bands: Mapping[str, Sequence[float]],
) -> None:  # fmt: skip
    most = np.abs(mean).max()
    top = max(float(np.quantile(np.abs(mean), 0.99)), LEAST_TOP[kind])
    columns = [f"{band}\n{low:g}–{high:g} Hz" for band, (low, high) in bands.items()]
    image, grid = heads(figure, mean, ch_names, rows, columns, top, marked)
    ticks = np.linspace(-top, top, 5)
    places = 2 if top >= 0.1 else 4
    texts = [f"{number(1 + x, '.2f')} ×" if kind == "attention" else number(x, f"+.{places}f") for x in ticks]
    colour_bar(figure, image, grid, _(UNITS[kind]), ticks.tolist(), texts, more=most > top)


def _clusters(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The significant clusters, and the first of the others."""
    every = found.get("clusters", ())
    return [k for k in every if k["significant"]] + [k for k in every if not k["significant"]][:MOST_ROWS]


def _expected(permuted: Mapping[str, Any] | None, alpha: float) -> bool:
    """Whether as many tests of permuted labels found something as is likely by chance."""
    from scipy.stats import binom

    if permuted is None:
        return True
    return bool(binom.sf(permuted["found"] - 1, permuted["times"], alpha) > CHANCE_P)
