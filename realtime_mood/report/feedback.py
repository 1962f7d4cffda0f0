"""The report of neurofeedback sessions, from their JSON lines: z-score, rewards, invalid time, sessions side by side.

The subject's own z-score beside the feedback would reveal a blinded condition. So a session with a blinding code is
shown without it until the code has been opened.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SourceNotFound, StreamMismatch
from ..feedback import sealed
from ..feedback.measures import RATE_HZ
from ..language import N_, _
from .pages import ReportFigure, ReportPage, ReportSection, Row, place, write
from .words import plain, share, span

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BIN_S = 15.0
GENERATOR = "realtime_mood training report"
SHAPES = "os^Dv"
LIMITS = (
    N_(
        "One session cannot show learning. That requires many sessions, a comparison with sham feedback, and "
        "measurements before and after."
    ),
    N_(
        "Muscle activity, eye movements, fatigue and time also change these measures. Compare only sessions recorded "
        "under the same conditions."
    ),
    N_("This is not a medical device, and neurofeedback with it is not a treatment."),
)


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackSummary:
    """One neurofeedback session, as its JSON lines hold it."""

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
    """(n,) the subject's own; NaN where invalid, and everywhere while the condition is still sealed."""
    reward: np.ndarray
    invalid: np.ndarray
    delay_ms: np.ndarray
    """(n,) from the arrival of a chunk to its feedback; NaN where unknown."""

    @property
    def called(self) -> str:
        return self.condition or _("code {code}").format(code=self.code)

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
        It is not a neurofeedback session.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        head, fed = lines[0], [line for line in lines[1:] if line["kind"] != "end"]
        plan = head["plan"]
        values: dict[str, Any] = {
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
        raise StreamMismatch(str(path), "not a neurofeedback session", "give a file that --lines wrote") from None
    code = str(head.get("code", ""))
    condition = str(head.get("condition", ""))
    if code and opened is not None and sealed.is_open(opened, code):
        condition = sealed.condition_of(opened, code)
    if not condition:
        values["z"] = np.full_like(values["z"], math.nan)
    return FeedbackSummary(path.name, name, title, condition, code, virtual, **values)


def write_feedback_report(paths: Sequence[Path], out: Path | None = None, opened: Path | None = None) -> Path:
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


def page(sessions: Sequence[FeedbackSummary]) -> ReportPage:
    """What the page holds."""
    return ReportPage(
        GENERATOR,
        _("Neurofeedback report · {name}").format(name=_(plain(sessions[0].title))),
        (
            ReportSection(_("Plots"), figures=tuple(pictures(sessions))),
            ReportSection(_("Summary"), tuple(row for it in sessions for row in facts(it))),
        ),
        tuple(map(_, LIMITS)),
        simulated=any(it.virtual for it in sessions),
    )


def facts(it: FeedbackSummary) -> Iterator[Row]:
    """The summary of a session."""
    fed_s, invalid_s = it.seconds("feedback"), float(it.invalid.sum()) / RATE_HZ
    note = "" if it.condition else _("sealed: the subject's own z-score is not shown, because it may reveal it")
    yield plain(it.file), it.called, note
    of = _("of {time} in feedback blocks").format(time=span(fed_s))
    yield _("feedback given"), span(fed_s - invalid_s), of
    part = invalid_s / fed_s if fed_s else 0.0
    yield _("invalid"), f"{span(invalid_s)} · {share(part)}", _("excluded, and not rewarded")
    rate = 60 * it.reward.sum() / max(fed_s - invalid_s, 1.0)
    rewards = _("{n} · {rate} per minute").format(n=int(it.reward.sum()), rate=f"{rate:.1f}")
    yield _("rewards"), rewards, _("for the feedback shown, which is not the subject's own in a sham session")
    delay = it.delay_ms[np.isfinite(it.delay_ms)]
    if len(delay):
        p50, p95 = np.percentile(delay, (50, 95))
        means = _("from the arrival of a chunk to its feedback: median / 95th percentile")
        yield _("measured delay"), f"{p50:.1f} / {p95:.1f} ms", means
    for kind, what, means in (
        ("feedback", _("own z-score, feedback"), _("with feedback, in standard deviations of the baseline")),
        ("transfer", _("own z-score, transfer"), _("without feedback, in standard deviations of the baseline")),
    ):
        z = it.z[it.of(kind) & np.isfinite(it.z)]
        if len(z):
            yield what, f"{z.mean():+.2f}", means


def pictures(sessions: Sequence[FeedbackSummary]) -> Iterator[ReportFigure]:
    """The subject's own z-score and the rewards over time."""
    names = ", ".join(plain(it.called) for it in sessions)
    if any(np.isfinite(it.z).any() for it in sessions):
        yield ReportFigure(
            _("Subject's own z-score over time"),
            partial(_curve, sessions=sessions),
            (8.2, 2.9),
            _("The subject's own z-score over the session: {sessions}").format(sessions=names),
            _(
                "Mean and standard error over {seconds} s of the subject's own z-score, whatever feedback was shown. "
                "Shaded: feedback blocks. Left of the first one: the baseline, as estimated up to then."
            ).format(seconds=f"{BIN_S:g}"),
            wide=True,
        )
    yield ReportFigure(
        _("Rewards"),
        partial(_rewards, sessions=sessions),
        (8.2, 2.6),
        _("Rewards per minute: {sessions}").format(sessions=names),
        _(
            "Rewards per minute of valid feedback. With a percentile as threshold their number is about the same for "
            "every subject, sham or not; only the subject's own z-score shows learning."
        ),
        wide=True,
    )


def binned(it: FeedbackSummary, values: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mid times, means and standard errors of `values` over `BIN_S`; a second counts once, as it is smooth."""
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
    axes.set(xlabel=_("time (min)"), ylabel=_("own z-score"))
    if len(sessions) > 1:
        figure.legend(loc="outside upper left", ncols=len(sessions))


def _rewards(figure: Figure, sessions: Sequence[FeedbackSummary]) -> None:
    from .drawing import LABELS

    axes = figure.add_subplot()
    for k, it in enumerate(sessions):
        valid = it.of("feedback") & ~it.invalid
        at, mean, _error = binned(it, it.reward.astype(float), valid)
        axes.plot(at / 60, 60 * RATE_HZ * mean, color=LABELS[k % len(LABELS)], marker=SHAPES[k % len(SHAPES)],
                  markersize=4, linewidth=1.4, label=plain(it.called))  # fmt: skip
    axes.set(xlabel=_("time (min)"), ylabel=_("rewards per minute"), ylim=(0, None))
    if len(sessions) > 1:
        figure.legend(loc="outside upper left", ncols=len(sessions))


def _spans(it: FeedbackSummary, kind: str) -> list[tuple[float, float]]:
    which = np.concatenate([[False], it.of(kind), [False]])
    edges = np.flatnonzero(which[1:] != which[:-1])
    t0 = it.t[0] if len(it.t) else 0.0
    return [(it.t[a] - t0, it.t[b - 1] - t0) for a, b in zip(edges[::2], edges[1::2], strict=True)]
