"""Evaluation report: JSON, a table (terminal and Markdown) and two figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import softmax

from .compare import Found, Row
from .figures import (
    BINS,
    COVERAGES,
    binned,
    draws,
    expected_calibration_error,
    interval,
    kept,
    mean_with_interval,
    of_person,
    selective,
)

AT_COVERAGE = 0.8
READER = "reader"


def summary(found: Found, seed: int) -> dict[str, Any]:
    """All performance measures, by channel set and method."""
    out: dict[str, Any] = {}
    for (method, channels), rows in found.items():
        out.setdefault(channels, {})[method] = _of_method(rows, draws(len(rows), seed))
    for methods in out.values():
        if READER in methods:
            for name, other in methods.items():
                if name != READER:
                    other["reader_minus_this"] = difference(methods[READER]["people"], other["people"], seed)
    return out


def _of_method(rows: Sequence[Row], weights: np.ndarray) -> dict[str, Any]:
    people: list[dict[str, Any]] = [
        {"person": r.person, "fold": r.fold, "setting": dict(r.setting), "temperature": round(r.temperature, 4)}
        | {key: round(value, 4) for key, value in of_person(r.scores, r.temperature).items()}
        for r in rows
    ]
    bins = np.stack([_bins(r) for r in rows])
    backwards = [float(p["auc"] < 0.5) for p in people]
    n_labels = rows[0].scores.logits.shape[1]
    means = ("balanced_accuracy", "trial_balanced_accuracy", "macro_f1", "auc", "brier", "nll", "ece")
    found = {key: mean_with_interval([p[key] for p in people], weights) for key in means if key in people[0]}
    found["ece_by_person"] = found.pop("ece")
    found["ece_pooled"] = {
        "mean": round(float(expected_calibration_error(bins.sum(0))), 4),
        "interval": interval(expected_calibration_error(np.tensordot(weights, bins, 1))),
    }
    if n_labels == 2:
        found["share_backwards"] = mean_with_interval(backwards, weights)
    return {
        **found, "coverage": _coverage(rows, weights), "reliability": bins.sum(0).round(4).tolist(), "people": people,
    }  # fmt: skip


def _bins(row: Row) -> np.ndarray:
    s = row.scores.even()
    return binned(softmax(s.logits / row.temperature, axis=1), s.labels)


def _coverage(rows: Sequence[Row], weights: np.ndarray) -> dict[str, Any]:
    """Coverage and accuracy, by target coverage, with thresholds fixed on other subjects."""
    counts = {c: np.stack([kept(r.scores, r.temperature, r.thresholds[c]) for r in rows]) for c in COVERAGES
              if all(c in r.thresholds for r in rows)}  # fmt: skip
    out: dict[str, Any] = {f"{c:g}": selective(n, weights) for c, n in counts.items()}
    if AT_COVERAGE in counts:
        out["gain_at_0.8"] = _gain(counts[AT_COVERAGE], counts[1.0], weights)
    return out


def _gain(some: np.ndarray, every: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    def accuracy(total: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return (total[..., 2, :] / total[..., 1, :]).mean(-1)

    mean = float(accuracy(some.sum(0)) - accuracy(every.sum(0)))
    drawn = [accuracy(np.tensordot(weights, n, 1)) for n in (some, every)]
    return {
        "mean": None if np.isnan(mean) else round(mean, 4),
        "interval": interval(drawn[0] - drawn[1]),
    }


def difference(ours: Sequence[Mapping], theirs: Sequence[Mapping], seed: int) -> dict[str, Any]:
    """Paired over subjects."""
    weights = draws(len(ours), seed)
    return {
        key: mean_with_interval([a[key] - b[key] for a, b in zip(ours, theirs, strict=True)], weights)
        for key in ("balanced_accuracy", "auc", "macro_f1", "brier", "nll")
    }


# -- the table ----------------------------------------------------------------------------------------------------

HEADS = ("channels", "method", "balanced accuracy", "by trial", "macro-F1", "AUC", "reader − it, AUC", "backwards",
         "ECE", "Brier", "at 80 %: covered", "gain")  # fmt: skip
ON_TERMINAL = ("channels", "method", "balanced accuracy", "by trial", "AUC", "reader − it, AUC", "ECE")


def table(found: Mapping[str, Any], titles: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The rows below `HEADS`."""
    rows: list[tuple[str, ...]] = []
    for channels, methods in found.items():
        for name, m in sorted(methods.items(), key=lambda item: -item[1]["auc"]["mean"]):
            against, covered = m.get("reader_minus_this"), m["coverage"].get(f"{AT_COVERAGE:g}")
            gain = m["coverage"].get("gain_at_0.8")
            rows.append((
                channels, titles[name], _shown(m["balanced_accuracy"]),
                _shown(m["trial_balanced_accuracy"]) if "trial_balanced_accuracy" in m else "",
                _shown(m["macro_f1"]), _shown(m["auc"]),
                _shown(against["auc"], sign=True) if against else "",
                f"{m['share_backwards']['mean']:.0%}" if "share_backwards" in m else "",
                _shown(m["ece_pooled"]), f"{m['brier']['mean']:.3f}", f"{covered['coverage']:.0%}" if covered else "",
                _shown(gain, sign=True) if gain else "",
            ))  # fmt: skip
    return rows


def _shown(value: Mapping[str, Any], *, sign: bool = False) -> str:
    if value["mean"] is None or value["interval"] is None:
        return "–"
    form = "+.3f" if sign else ".3f"
    return f"{value['mean']:{form}} [{value['interval'][0]:{form}}, {value['interval'][1]:{form}}]"


def print_table(rows: Sequence[tuple[str, ...]], title: str, console: Console) -> None:
    """On the terminal: the columns that matter most."""
    some = [k for k, head in enumerate(HEADS) if head in ON_TERMINAL and any(row[k] for row in rows)]
    shown = Table(title=title, title_justify="left")
    for k in some:
        shown.add_column(HEADS[k], no_wrap=k > 1)
    for i, row in enumerate(rows):
        shown.add_row(*(row[k] for k in some), end_section=i + 1 < len(rows) and rows[i + 1][0] != row[0])
    console.print(shown)


def markdown(rows: Sequence[tuple[str, ...]], about: Sequence[str]) -> str:
    """The same as Markdown, below some lines of description."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEADS, ["---"] * len(HEADS), *rows)]
    return "\n\n".join(about) + "\n\n" + "\n".join(lines) + "\n"


# -- pictures -----------------------------------------------------------------------------------------------------


def pictures(found: Mapping[str, Any], titles: Mapping[str, str], stem: Path) -> list[Path]:
    """A reliability diagram and accuracy against coverage, one panel a channel set, beside `stem`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = []
    for kind, draw in (("reliability", _reliability), ("coverage", _accuracy_coverage)):
        figure = Figure(figsize=(4.2 * len(found), 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        for i, (channels, methods) in enumerate(found.items()):
            axes = figure.add_subplot(1, len(found), i + 1, title=f"{channels} channels")
            draw(axes, methods, titles)
            if i == 0:
                axes.legend(fontsize=7)
        made.append(stem.with_name(f"{stem.stem}-{kind}.png"))
        figure.savefig(made[-1], dpi=120)
    return made


def _reliability(axes: Any, methods: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    axes.plot([0, 1], [0, 1], "--", color="grey", linewidth=1)
    for name in [n for n in (READER, "lr") if n in methods] or list(methods)[:1]:
        count, confidence, hits = np.array(methods[name]["reliability"])
        there = count >= max(5, 0.002 * count.sum())
        axes.plot(confidence[there] / count[there], hits[there] / count[there], "o-", label=titles[name], markersize=4)
        axes.bar((np.arange(BINS) + 0.5) / BINS, 0.3 * count / count.sum(), 0.9 / BINS, alpha=0.2)
    axes.set(xlabel="confidence", ylabel="accuracy (bars: share of seconds × 0.3)", xlim=(0, 1), ylim=(0, 1))


def _accuracy_coverage(axes: Any, methods: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    for name, m in methods.items():
        points = [m["coverage"][f"{c:g}"] for c in COVERAGES if f"{c:g}" in m["coverage"]]
        points = [p for p in points if p["balanced_accuracy"] is not None]
        x, y = [p["coverage"] for p in points], [p["balanced_accuracy"] for p in points]
        axes.plot(x, y, ".-", label=titles[name], linewidth=2 if name == READER else 1)
    axes.set(xlabel="coverage, with thresholds fixed on other subjects", ylabel="balanced accuracy of covered seconds")
