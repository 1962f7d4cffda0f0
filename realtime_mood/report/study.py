"""The page of a whole study: every recording and feedback session of a folder, by participant, with learning curves.

Feedback sessions with a blinding code are shown without the subject's own values until the code has been opened, as in
the report of one session. The curves are means over participants with 95 % bootstrap intervals [1]_.

References
----------
.. [1] Efron and Tibshirani (1993), An Introduction to the Bootstrap, Chapman & Hall, chapter 13.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..errors import MoodError, SourceNotFound
from ..language import _, number
from .drawing import INK, LABELS, ReportFigure
from .feedback import SHAPES, FeedbackSummary, read
from .pages import html, place, write
from .session import coded
from .summaries import SessionSummary, summary_of

GENERATOR = "realtime_mood study report"
N_BOOTSTRAP = 2000
LEAST_FOR_INTERVAL = 3  # participants
MOST_COLUMNS = 6  # sessions side by side, for a printed page


@dataclass(frozen=True, slots=True, eq=False)
class CurvePoint:
    """Mean over participants at their session of one number."""

    session: int  # 1: the first of each participant
    mean: float
    low: float  # 95 % interval; NaN with fewer than `LEAST_FOR_INTERVAL` participants
    high: float
    n: int  # participants


@dataclass(frozen=True, slots=True, eq=False)
class StudyContent:
    """What the page contains."""

    recordings: tuple[SessionSummary, ...]  # by participant and time
    feedback: tuple[tuple[str, int, FeedbackSummary], ...]  # participant, number of the session (1: the first), session
    curves: dict[str, tuple[CurvePoint, ...]]  # by condition
    unreadable: tuple[tuple[str, str], ...]  # file and reason

    @property
    def grids(self) -> list[tuple[int, dict[str, list[SessionSummary | None]]]]:
        """Recordings by participant and session, some sessions at a time: number of the first, and a row for each."""
        of_each: dict[str, list[SessionSummary | None]] = defaultdict(list)
        for it in self.recordings:
            of_each[it.participant].append(it)
        most = max(map(len, of_each.values()), default=0)
        for row in of_each.values():
            row += [None] * (most - len(row))
        parts = [(k, slice(k, k + MOST_COLUMNS)) for k in range(0, most, MOST_COLUMNS)]
        return [(k + 1, {name: row[part] for name, row in of_each.items() if any(row[part])}) for k, part in parts]


def write_study_report(paths: Sequence[Path], out: Path | None = None, opened: Path | None = None) -> Path:
    """Write the page about all recordings and feedback sessions among `paths`, folders included; returns its path.

    Raises `SourceNotFound` where there is none, and `ConfigError` where the page cannot be written.
    """
    paths = [path.expanduser() for path in paths]
    study = study_of(paths, opened)
    first = paths[0] / "study" if paths[0].is_dir() else paths[0]
    path = place(out.expanduser() if out else None, first, GENERATOR)
    write(path, page(study))
    return path


def study_of(paths: Sequence[Path], opened: Path | None = None) -> StudyContent:
    """Read everything; what cannot be read is listed with the reason."""
    inside = [sorted(chain(path.rglob("*.xdf"), path.rglob("*.jsonl"))) if path.is_dir() else [path] for path in paths]
    recordings, feedback, unreadable = list[SessionSummary](), list[tuple[str, FeedbackSummary]](), []
    for path in dict.fromkeys(chain(*inside)):
        try:
            if path.suffix == ".jsonl":
                feedback.append((coded(path, "sub"), read(path, opened)))
            else:
                recordings.append(summary_of(path))
        except MoodError as error:
            unreadable.append((path.name, str(error)))
    if not (recordings or feedback):
        found = f"none of {len(unreadable)} files can be read" if unreadable else "no recording and no feedback session"
        raise SourceNotFound(", ".join(map(str, paths)), found, "give recordings (.xdf) or JSON lines, or their folder")
    recordings.sort(key=lambda one: (one.participant, one.time))
    feedback.sort(key=lambda one: (one[0], _natural(one[1].file)))
    seen: Counter[str] = Counter()
    numbered = list[tuple[str, int, FeedbackSummary]]()
    for participant, session in feedback:
        seen[participant] += 1
        numbered.append((participant, seen[participant], session))
    return StudyContent(tuple(recordings), tuple(numbered), curves_of(numbered), tuple(unreadable))


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts ``ses-10`` behind ``ses-2``."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def curves_of(feedback: Sequence[tuple[str, int, FeedbackSummary]]) -> dict[str, tuple[CurvePoint, ...]]:
    """Each condition's mean of the subjects' own z-score in feedback blocks, by the number of the session.

    Sessions whose condition is sealed, and participants without an ID, are left out.
    """
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for participant, number_of_session, session in feedback:
        z = session.mean_z("feedback")
        if participant and session.condition and z is not None:
            values[session.condition][number_of_session].append(z)
    return {condition: _curve(by_session) for condition, by_session in sorted(values.items())}


def _curve(by_session: dict[int, list[float]]) -> tuple[CurvePoint, ...]:
    rng, points = np.random.default_rng(0), []
    for session, values in sorted(by_session.items()):
        z = np.array(values)
        low, high = np.nan, np.nan
        if len(z) >= LEAST_FOR_INTERVAL:
            drawn = z[rng.integers(0, len(z), (N_BOOTSTRAP, len(z)))].mean(axis=1)
            low, high = np.percentile(drawn, (2.5, 97.5))
        points.append(CurvePoint(session, float(z.mean()), float(low), float(high), len(z)))
    return tuple(points)


def page(study: StudyContent) -> str:
    """The page as HTML."""
    figures = {}
    if study.curves:
        said = "; ".join(
            f"{condition}: " + ", ".join(number(point.mean, "+.2f") for point in points)
            for condition, points in study.curves.items()
        )
        figures["learning"] = ReportFigure(partial(_learning, curves=study.curves), (8.2, 3.0), {"curves": said})
    simulated = any(one.virtual for one in study.recordings) or any(it.virtual for *_, it in study.feedback)
    return html("study.html", GENERATOR, figures, simulated=simulated, study=study)


def _learning(figure: Figure, curves: dict[str, tuple[CurvePoint, ...]]) -> None:
    axes = figure.add_subplot(xlabel=_("session"), ylabel=_("own z-score"))
    axes.axhline(0, color=INK, linewidth=0.7, alpha=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for k, (condition, points) in enumerate(curves.items()):
        at, mean = [point.session for point in points], np.array([point.mean for point in points])
        error = [mean - [point.low for point in points], [point.high for point in points] - mean]
        axes.errorbar(at, mean, np.nan_to_num(error), color=LABELS[k % len(LABELS)], marker=SHAPES[k % len(SHAPES)],
                      markersize=4, linewidth=1.4, capsize=3, label=condition)  # fmt: skip
    figure.legend(loc="outside upper left", ncols=len(curves))
