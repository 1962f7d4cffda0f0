"""Evaluation report: JSON, a table (terminal and Markdown) and two figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from . import figures
from .compare import Results, Row

AT_COVERAGE = 0.8
READER = "reader"


def summary(results: Results, seed: int) -> dict[str, Any]:
    """All performance measures, by channel set and method."""
    out: dict[str, Any] = {}
    for (method, channels), rows in results.items():
        out.setdefault(channels, {})[method] = _of_method(rows, figures.draws(len(rows), seed))
    for methods in out.values():
        if READER in methods:
            for name, other in methods.items():
                if name != READER:
                    other["reader_minus_this"] = difference(methods[READER]["people"], other["people"], seed)
    return out


def _of_method(rows: Sequence[Row], weights: np.ndarray) -> dict[str, Any]:
    subjects: list[dict[str, Any]] = [
        {"person": r.person, "fold": r.fold, "setting": dict(r.setting), "temperature": round(r.temperature, 4)}
        | {key: round(value, 4) for key, value in figures.of_person(r.scores, r.temperature).items()}
        for r in rows
    ]
    bins = np.stack([figures.calibration_bins(r.scores, r.temperature) for r in rows])
    means = ("balanced_accuracy", "trial_balanced_accuracy", "macro_f1", "auc", "brier", "nll", "ece")
    measures = [key for key in means if key in subjects[0]]
    found = {key: figures.mean_with_interval([p[key] for p in subjects], weights) for key in measures}
    found["ece_by_person"] = found.pop("ece")
    found["ece_pooled"] = {
        "mean": round(float(figures.expected_calibration_error(bins.sum(0))), 4),
        "interval": figures.interval(figures.expected_calibration_error(np.tensordot(weights, bins, 1))),
    }
    if rows[0].scores.logits.shape[1] == 2:
        found["share_backwards"] = figures.mean_with_interval([float(p["auc"] < 0.5) for p in subjects], weights)
    return {
        **found, "coverage": _coverage(rows, weights), "reliability": bins.sum(0).round(4).tolist(), "people": subjects,
    }  # fmt: skip


def _coverage(rows: Sequence[Row], weights: np.ndarray) -> dict[str, Any]:
    """Coverage and accuracy, by target coverage, with thresholds fixed on other subjects."""
    counts = {
        c: np.stack([figures.kept(r.scores, r.temperature, r.thresholds[c]) for r in rows])
        for c in figures.COVERAGES
        if all(c in r.thresholds for r in rows)
    }
    out: dict[str, Any] = {f"{c:g}": figures.selective(n, weights) for c, n in counts.items()}
    if AT_COVERAGE in counts:
        some, every = counts[AT_COVERAGE], counts[1.0]
        mean = float(figures.accuracy_of_kept(some.sum(0)) - figures.accuracy_of_kept(every.sum(0)))
        drawn = [figures.accuracy_of_kept(np.tensordot(weights, n, 1)) for n in (some, every)]
        gain = {"mean": None if np.isnan(mean) else round(mean, 4), "interval": figures.interval(drawn[0] - drawn[1])}
        out["gain_at_0.8"] = gain
    return out


def difference(a: Sequence[Mapping], b: Sequence[Mapping], seed: int) -> dict[str, Any]:
    """Differences of the measures of two methods, paired over subjects."""
    weights = figures.draws(len(a), seed)
    return {
        key: figures.mean_with_interval([x[key] - y[key] for x, y in zip(a, b, strict=True)], weights)
        for key in ("balanced_accuracy", "auc", "macro_f1", "brier", "nll")
    }


# -- the text ---------------------------------------------------------------------------------------------------------


def title(about: Mapping[str, Any]) -> str:
    """What was compared, in a line."""
    return f"{about['readout']}, track {about['track']}, {about['people']} subjects, {about['protocol']}"


def heading(about: Mapping[str, Any]) -> list[str]:
    """The first paragraphs of the page in Markdown."""
    return [f"# {title(about)}", f"`{about['command']}`"]


def lines(result: Mapping[str, Any]) -> list[str]:
    """Warnings, and what further evaluations say."""
    further = [
        line for part in ("controls", "ablations", "attention") for line in result.get(part, {}).get("lines", [])
    ]
    return [*(f"! {warning}" for warning in result["warnings"]), *further]


# -- the table ----------------------------------------------------------------------------------------------------

HEADS = ("channels", "method", "balanced accuracy", "by trial", "macro-F1", "AUC", "reader − this, AUC", "below chance",
         "ECE", "Brier", "at 80 %: covered", "gain")  # fmt: skip
ON_TERMINAL = ("channels", "method", "balanced accuracy", "by trial", "AUC", "reader − this, AUC", "ECE")


def table(results: Mapping[str, Any], titles: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The rows below `HEADS`, of a `summary`."""
    rows: list[tuple[str, ...]] = []
    for channels, methods in results.items():
        for name, m in sorted(methods.items(), key=lambda item: -item[1]["auc"]["mean"]):
            difference, covered = m.get("reader_minus_this"), m["coverage"].get(f"{AT_COVERAGE:g}")
            gain = m["coverage"].get("gain_at_0.8")
            rows.append((
                channels, titles[name], _cell(m["balanced_accuracy"]),
                _cell(m["trial_balanced_accuracy"]) if "trial_balanced_accuracy" in m else "",
                _cell(m["macro_f1"]), _cell(m["auc"]),
                _cell(difference["auc"], sign="+") if difference else "",
                f"{m['share_backwards']['mean']:.0%}" if "share_backwards" in m else "",
                _cell(m["ece_pooled"]), f"{m['brier']['mean']:.3f}", f"{covered['coverage']:.0%}" if covered else "",
                _cell(gain, sign="+") if gain else "",
            ))  # fmt: skip
    return rows


def _cell(value: Mapping[str, Any], sign: str = "") -> str:
    if value["mean"] is None or value["interval"] is None:
        return "–"
    mean, low, high = (f"{x:{sign}.3f}" for x in (value["mean"], *value["interval"]))
    return f"{mean} [{low}, {high}]"


def print_table(rows: Sequence[tuple[str, ...]], title: str, console: Console) -> None:
    """Print the columns `ON_TERMINAL` that are not empty."""
    columns = [k for k, head in enumerate(HEADS) if head in ON_TERMINAL and any(row[k] for row in rows)]
    shown = Table(title=title, title_justify="left")
    for k in columns:
        shown.add_column(HEADS[k], no_wrap=k > 1)
    for i, row in enumerate(rows):
        shown.add_row(*(row[k] for k in columns), end_section=i + 1 < len(rows) and rows[i + 1][0] != row[0])
    console.print(shown)


def markdown(rows: Sequence[tuple[str, ...]], about: Sequence[str]) -> str:
    """All columns as a Markdown table, below the paragraphs `about`."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEADS, ["---"] * len(HEADS), *rows)]
    return "\n\n".join(about) + "\n\n" + "\n".join(lines) + "\n"


# -- pictures -----------------------------------------------------------------------------------------------------


def pictures(results: Mapping[str, Any], titles: Mapping[str, str], stem: Path) -> None:
    """Save a reliability diagram and accuracy against coverage beside `stem`, with one panel per channel set."""
    from matplotlib.figure import Figure  # without pyplot: no window, no state

    for kind, draw in (("reliability", _reliability), ("coverage", _accuracy_coverage)):
        figure = Figure(figsize=(4.2 * len(results), 4.2), layout="constrained")
        for i, (channels, methods) in enumerate(results.items()):
            axes = figure.add_subplot(1, len(results), i + 1, title=f"{channels} channels")
            draw(axes, methods, titles)
            if i == 0:
                axes.legend(fontsize=7)
        figure.savefig(stem.with_name(f"{stem.stem}-{kind}.png"), dpi=120)


def _reliability(axes: Any, methods: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    axes.plot([0, 1], [0, 1], "--", color="grey", linewidth=1)
    for name in [n for n in (READER, "lr") if n in methods] or list(methods)[:1]:
        count, confidence, hits = np.array(methods[name]["reliability"])
        full = count >= max(5, 0.002 * count.sum())
        axes.plot(confidence[full] / count[full], hits[full] / count[full], "o-", label=titles[name], markersize=4)
        n = figures.BINS
        axes.bar((np.arange(n) + 0.5) / n, 0.3 * count / count.sum(), 0.9 / n, alpha=0.2)
    axes.set(xlabel="confidence", ylabel="accuracy (bars: share of seconds × 0.3)", xlim=(0, 1), ylim=(0, 1))


def _accuracy_coverage(axes: Any, methods: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    for name, m in methods.items():
        points = [m["coverage"][f"{c:g}"] for c in figures.COVERAGES if f"{c:g}" in m["coverage"]]
        points = [p for p in points if p["balanced_accuracy"] is not None]
        x, y = [p["coverage"] for p in points], [p["balanced_accuracy"] for p in points]
        axes.plot(x, y, ".-", label=titles[name], linewidth=2 if name == READER else 1)
    axes.set(xlabel="coverage, with thresholds fixed on other subjects", ylabel="balanced accuracy of covered seconds")
