"""Turns the lines of sessions of feedback into a page: learning, rewards, invalid time, and sessions side by side.

The person's own z-score beside what was fed back would tell a blinded condition. So a session with a code is shown
without it until its code has been opened.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SourceNotFound, StreamMismatch
from ..feedback import sealed
from ..feedback.measures import RATE_HZ
from .skeleton import ReportFigure, figure, place, skeleton, table, write
from .words import plain, share, span

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BIN_S = 15.0
GENERATOR = "realtime_mood training report"
SHAPES = "os^Dv"
LIMITS = (
    "A session shows what somebody did in some minutes. It does not show that they learnt anything: that takes many "
    "sessions, a comparison with sham, and a measure before and after.",
    "Muscles, eyes, tiredness and time move these measures too. Compare only what was recorded alike.",
    "This is not a medical device, and nothing here treats anything.",
)


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackSummary:
    """One session of feedback, as its lines have it."""

    file: str
    name: str
    title: str
    condition: str
    """Empty where it is still sealed."""
    code: str
    virtual: bool
    t: np.ndarray
    """(n,) s."""
    kind: tuple[str, ...]
    z: np.ndarray
    """(n,) the person's own; NaN where invalid, and all of it where the condition is still sealed."""
    reward: np.ndarray
    invalid: np.ndarray
    delay_ms: np.ndarray
    """(n,) from the arrival of a chunk to what was fed back of it; NaN where it was not told."""

    @property
    def called(self) -> str:
        return self.condition or f"code {self.code}"

    def seconds(self, kind: str) -> float:
        return sum(it == kind for it in self.kind) / RATE_HZ

    def of(self, kind: str) -> np.ndarray:
        return np.array([it == kind for it in self.kind], bool)


def read(path: Path, opened: Path | None = None) -> FeedbackSummary:
    """A session from its lines.

    Parameters
    ----------
    path : Path
    opened : Path, optional
        The sealed file in which its code has been opened.

    Raises
    ------
    SourceNotFound
        There is no such file.
    StreamMismatch
        It is not a session's.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        head, fed = lines[0], [line for line in lines[1:] if line["kind"] != "end"]
        plan = head["plan"]
        told: dict[str, Any] = {
            "t": np.array([line["t"] for line in fed], float),
            "kind": tuple(str(line["kind"]) for line in fed),
            "z": np.array([math.nan if line["z"] is None else line["z"] for line in fed], float),
            "reward": np.array([line["reward"] for line in fed], bool),
            "invalid": np.array([bool(line["why"]) and line["kind"] == "feedback" for line in fed], bool),
            "delay_ms": np.array([line.get("delay_ms", math.nan) for line in fed], float),
        }
        name, title, virtual = str(plan["name"]), str(plan["title"]), bool(head["virtual"])
    except OSError:
        raise SourceNotFound(str(path), "no such file", "check the path") from None
    except (ValueError, KeyError, TypeError, IndexError, UnicodeDecodeError):
        raise StreamMismatch(str(path), "not the lines of a session of feedback", "give those of --lines") from None
    code = str(head.get("code", ""))
    condition = str(head.get("condition", ""))
    if code and opened is not None and sealed.is_open(opened, code):
        condition = sealed.condition_of(opened, code)
    if not condition:
        told["z"] = np.full_like(told["z"], math.nan)
    return FeedbackSummary(path.name, name, title, condition, code, virtual, **told)


def write_training_report(paths: Sequence[Path], out: Path | None = None, opened: Path | None = None) -> Path:
    """Write the page of one or several sessions, private, beside the first; returns its path.

    Raises
    ------
    MoodError
        A file cannot be read, or the page not written.
    """
    sessions = [read(path.expanduser(), opened) for path in paths]
    path = place((out or paths[0].with_suffix(".html")).expanduser(), paths[0], GENERATOR)
    write(path, page(sessions))
    return path


def page(sessions: Sequence[FeedbackSummary]) -> str:
    """The page as HTML."""
    badge = '<p class="badge">VIRTUAL PERSON</p>' if any(it.virtual for it in sessions) else ""
    title = f"Feedback · {plain(sessions[0].title)}"
    rows = table(row for it in sessions for row in facts(it))
    shown = "".join(figure(f"p{k}", picture) for k, picture in enumerate(pictures(sessions)))
    limits = "".join(f"<p>{escape(line)}</p>" for line in LIMITS)
    body = (
        f"<header>{badge}<h1>{escape(title)}</h1></header>\n<main>\n"
        f'<div class="pictures">{shown}</div>\n<h2>In figures</h2>\n<table>{rows}</table>\n</main>\n'
        f"<footer>{limits}</footer>"
    )
    return skeleton(title, body, GENERATOR)


def facts(it: FeedbackSummary) -> Iterator[tuple[str, str, str]]:
    """What, how much, and what that means."""
    fed_s, invalid_s = it.seconds("feedback"), float(it.invalid.sum()) / RATE_HZ
    sealed_ = "still sealed: their own z-score would tell it, so it is not shown" if not it.condition else ""
    yield plain(it.file), it.called, sealed_
    yield "fed back", span(fed_s - invalid_s), f"of {span(fed_s)} of feedback"
    part = invalid_s / fed_s if fed_s else 0.0
    yield "invalid", f"{span(invalid_s)} · {share(part)}", "neither rewarded nor held against anybody"
    rate = 60 * it.reward.sum() / max(fed_s - invalid_s, 1.0)
    yield (
        "rewards",
        f"{int(it.reward.sum())} · {rate:.1f} a minute",
        "of what was fed back, which need not be their own",
    )
    delay = it.delay_ms[np.isfinite(it.delay_ms)]
    if len(delay):
        p50, p95 = np.percentile(delay, (50, 95))
        yield "measured delay", f"{p50:.1f} / {p95:.1f} ms", "arrival of a chunk → fed back: median / 95 %"
    for kind, means in (("feedback", "while it was fed back"), ("transfer", "the same without feedback")):
        z = it.z[it.of(kind) & np.isfinite(it.z)]
        if len(z):
            yield f"own z-score, {kind}", f"{z.mean():+.2f}", f"{means}, in standard deviations of the baseline"


def pictures(sessions: Sequence[FeedbackSummary]) -> Iterator[ReportFigure]:
    """How they did along the session, and how often they were rewarded."""
    told = ", ".join(plain(it.called) for it in sessions)
    if any(np.isfinite(it.z).any() for it in sessions):
        yield ReportFigure(
            "Learning", partial(_curve, sessions=sessions), (8.2, 2.9), f"Own z-score along the session: {told}",
            f"The person's own z-score, the mean of {BIN_S:g} s with its standard error, whatever was fed back. "
            "Shaded: feedback. Left of the first shade: the baseline, as it was known by then.", wide=True,
        )  # fmt: skip
    yield ReportFigure(
        "Rewards", partial(_rewards, sessions=sessions), (8.2, 2.2), f"Rewards a minute: {told}",
        "Rewards a minute of valid feedback. A percentile gives about as many to everybody, sham or not: only the own "
        "z-score above shows learning.", wide=True,
    )  # fmt: skip


def binned(it: FeedbackSummary, values: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mid times, means and standard errors of `values` over `BIN_S`; a second counts once, for it is smooth."""
    t0 = it.t[0] if len(it.t) else 0.0
    bins = ((it.t - t0) // BIN_S).astype(int)
    at, mean, error = [], [], []
    for k in np.unique(bins):
        some = values[(bins == k) & which]
        if len(some) >= RATE_HZ:
            at.append((k + 0.5) * BIN_S)
            mean.append(some.mean())
            error.append(some.std() / math.sqrt(len(some) / RATE_HZ))
    return np.array(at), np.array(mean), np.array(error)


def _curve(figure: Figure, sessions: Sequence[FeedbackSummary]) -> None:
    from .drawing import INK, LABELS

    axes = figure.add_subplot()
    for start, stop in _spans(sessions[0], "feedback"):
        axes.axvspan(start / 60, stop / 60, color=INK, alpha=0.07, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.7, alpha=0.6)
    for k, it in enumerate(sessions):
        at, mean, error = binned(it, it.z, np.isfinite(it.z))
        hue, shape = LABELS[k % len(LABELS)], SHAPES[k % len(SHAPES)]
        axes.errorbar(
            at / 60, mean, error, color=hue, marker=shape, markersize=4, linewidth=1.4, label=plain(it.called)
        )
    axes.set(xlabel="minutes", ylabel="own z-score")
    if len(sessions) > 1:
        axes.legend(loc="upper left", ncols=len(sessions))


def _rewards(figure: Figure, sessions: Sequence[FeedbackSummary]) -> None:
    from .drawing import LABELS

    axes = figure.add_subplot()
    for k, it in enumerate(sessions):
        valid = it.of("feedback") & ~it.invalid
        at, mean, _ = binned(it, it.reward.astype(float), valid)
        axes.plot(at / 60, 60 * RATE_HZ * mean, color=LABELS[k % len(LABELS)], marker=SHAPES[k % len(SHAPES)],
                  markersize=4, linewidth=1.4, label=plain(it.called))  # fmt: skip
    axes.set(xlabel="minutes", ylabel="rewards a minute", ylim=(0, None))
    if len(sessions) > 1:
        axes.legend(loc="upper left", ncols=len(sessions))


def _spans(it: FeedbackSummary, kind: str) -> list[tuple[float, float]]:
    which = np.concatenate([[False], it.of(kind), [False]])
    edges = np.flatnonzero(which[1:] != which[:-1])
    t0 = it.t[0] if len(it.t) else 0.0
    return [(it.t[a] - t0, it.t[b - 1] - t0) for a, b in zip(edges[::2], edges[1::2], strict=True)]
