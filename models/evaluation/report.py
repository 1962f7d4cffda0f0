"""Evaluation report: JSON, a table (terminal and Markdown) and two figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..datasets.trials import published
from . import figures
from .compare import Results, Row
from .labelled import LOOKS_AHEAD

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
        {
            "person": r.person,
            "fold": r.fold,
            "setting": dict(r.setting),
            "temperature": round(r.temperature, 4),
            "chance": round(1 / len(np.unique(r.scores.labels)), 4),
        }
        | {key: round(value, 4) for key, value in figures.of_person(r.scores, r.temperature).items()}
        for r in rows
    ]
    bins = np.stack([figures.calibration_bins(r.scores, r.temperature) for r in rows])
    means = ("balanced_accuracy", "trial_balanced_accuracy", "macro_f1", "auc", "brier", "nll", "ece")
    measures = [key for key in means if key in subjects[0]]
    found: dict[str, Any] = {key: figures.mean_with_interval([p[key] for p in subjects], weights) for key in measures}
    found["ece_by_person"] = found.pop("ece")
    found["ece_pooled"] = {
        "mean": round(float(figures.expected_calibration_error(bins.sum(0))), 4),
        "interval": figures.interval(figures.expected_calibration_error(np.tensordot(weights, bins, 1))),
    }
    if rows[0].scores.logits.shape[1] == 2:
        found["share_backwards"] = figures.mean_with_interval([float(p["auc"] < 0.5) for p in subjects], weights)
    found["above_chance"] = figures.mean_with_interval(
        [p["balanced_accuracy"] - p["chance"] for p in subjects], weights
    )
    found["chance"] = round(float(np.mean([p["chance"] for p in subjects])), 4)
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
        key: figures.paired_difference(a, b, key, weights)
        for key in ("balanced_accuracy", "auc", "macro_f1", "brier", "nll")
    }


# -- the text ---------------------------------------------------------------------------------------------------------

PUBLISHED = "Published accuracies: not comparable with this table unless the protocol is the same"
LITERATURE = "NOT COMPARABLE, literature-style"
FURTHER = {
    "reading": "How to read it", "ratings": "How to read it",
    "literature": "NOT COMPARABLE, looks at the test subject: literature-style figures",
    "open_eeg_bench": "Open EEG Bench", "own_trials": "Calibration with own trials",
    "controls": "Controls with every method", "ablations": "Ablations", "attention": "Attention",
}  # fmt: skip


def title(about: Mapping[str, Any]) -> str:
    """What was compared, in a line."""
    parts = [
        "SIMULATED" if about["simulated"] else "", about["title"], about["readout"], f"track {about['track']}",
        f"{about['people']} subjects", f"protocol {about['protocol']}",
        f"one second in {about['every']} scored" if about["every"] > 1 else "",
    ]  # fmt: skip
    return ", ".join(filter(None, parts)) + (f": {LOOKS_AHEAD}" if about["looks_ahead"] else "")


def sections(result: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Headings and lines below the table; those without lines are left out."""
    found = [
        ("Warnings", [*result.get("warnings", ())]),
        ("What may be claimed", [*result.get("claims", ())]),
        (PUBLISHED, published(result.get("published", ()))),
        *((heading, result[part]["lines"]) for part, heading in FURTHER.items() if part in result),
    ]
    return [(heading, lines) for heading, lines in found if lines]


def print_sections(result: Mapping[str, Any], console: Console) -> None:
    """Print what is below the table."""
    for heading, lines in sections(result):
        console.print(f"\n{heading}", style="bold", markup=False)
        listed = Table.grid(padding=(0, 1))
        for line in lines:
            listed.add_row(" -", Text(line))
        console.print(listed)


def markdown(result: Mapping[str, Any]) -> str:
    """The table with all columns, below what makes it, and above what is to be known of it."""
    rows = [row for section in table(result) for row in section]
    filled = [k for k in range(len(HEADS)) if any(row[k] for row in rows)]
    return page(result, [[row[k] for k in filled] for row in (HEADS, *rows)])


def page(result: Mapping[str, Any], table: Sequence[Sequence[str]]) -> str:
    """A table, its heads first, between what makes it and what is to be known of it."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in table]
    lines = ["| " + " | ".join(row) + " |" for row in (cells[0], ["---"] * len(cells[0]), *cells[1:])]
    about = result["about"]
    parts = [f"# {title(about)}", f"`{about['command']}`", "\n".join(lines)]
    for heading, texts in sections(result):
        parts += [f"## {heading}", "\n".join(f"- {text}" for text in texts)]
    return "\n\n".join(parts) + "\n"


# -- the table ----------------------------------------------------------------------------------------------------

HEADS = ("channels", "method", "balanced accuracy", LITERATURE, "chance", "by trial", "macro-F1", "AUC",
         "reader − this, AUC", "below chance", "ECE", "Brier", "at 80 %: covered", "gain",
         "above chance means")  # fmt: skip
METHOD, MEANS = 1, len(HEADS) - 1
ON_TERMINAL = ("channels", "method", "balanced accuracy", LITERATURE, "chance", "by trial", "AUC")
WITHOUT_CONTROLS = (*ON_TERMINAL, "reader − this, AUC", "ECE")


def table(result: Mapping[str, Any]) -> list[list[tuple[str, ...]]]:
    """The rows below `HEADS`: a section for each channel set, and one of controls where there are any."""
    controls, found = result.get("control_rows", {}), []
    for channels, methods in result["results"].items():
        shown = sorted(methods.items(), key=lambda item: -item[1]["auc"]["mean"])
        found.append([_row(channels, result["methods"][name], m) for name, m in shown if name not in controls])
    return [*found, [_row(m["channels"], m["title"], m) for m in controls.values()]] if controls else found


def _row(channels: str, title: str, m: Mapping[str, Any]) -> tuple[str, ...]:
    coverage = m.get("coverage", {})
    covered, gain = coverage.get(f"{AT_COVERAGE:g}"), coverage.get("gain_at_0.8")
    return (
        channels, f"{title}: not available, {m['not_available']}" if "not_available" in m else title,
        _cell(m.get("balanced_accuracy")), f"{m['literature']['mean']:.3f}" if "literature" in m else "",
        f"{m['chance']:.3f}" if "chance" in m else "",
        _cell(m.get("trial_balanced_accuracy")), _cell(m.get("macro_f1")), _cell(m.get("auc")),
        _cell(m.get("reader_minus_this", {}).get("auc"), sign="+"),
        f"{m['share_backwards']['mean']:.0%}" if "share_backwards" in m else "",
        _cell(m.get("ece_pooled")), f"{m['brier']['mean']:.3f}" if "brier" in m else "",
        f"{covered['coverage']:.0%}" if covered else "", _cell(gain, sign="+"), m.get("if_above_chance", ""),
    )  # fmt: skip


def _cell(value: Mapping[str, Any] | None, sign: str = "") -> str:
    if value is None:
        return ""
    if value["mean"] is None or value["interval"] is None:
        return "–"
    return figures.text_of(value, sign)


def print_table(sections: Sequence[Sequence[tuple[str, ...]]], title: str, console: Console) -> None:
    """Print the main columns that are not empty; what a control above chance means is below its name."""
    rows = [row for section in sections for row in section]
    wanted = ON_TERMINAL if any(row[MEANS] for row in rows) else WITHOUT_CONTROLS
    columns = [k for k, head in enumerate(HEADS) if head in wanted and any(row[k] for row in rows)]
    shown = Table(title=title, title_justify="left")
    for k in columns:
        shown.add_column(HEADS[k].replace(", ", ",\n"), no_wrap=k > METHOD)
    for section in sections:
        for row in section:
            name = Text(row[METHOD])
            if row[MEANS]:
                name.append(f"\n  if above chance: {row[MEANS]}", style="dim")
            shown.add_row(*(name if k == METHOD else row[k] for k in columns), end_section=row is section[-1])
    console.print(shown)


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
