"""The report of neurofeedback sessions, from their JSON lines: z-score, rewards, invalid time, sessions side by side.

The subject's own z-score beside the feedback would reveal a blinded condition. So a session with a blinding code is
shown without it until the code has been opened.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..errors import SourceNotFound, StreamMismatch
from ..feedback import sealed
from ..feedback.measures import RATE_HZ
from ..language import _
from ..language.terms import REFERENCES
from .drawing import INK, LABELS, ReportFigure
from .pages import html, place, write
from .words import plain

BIN_S = 15.0
GENERATOR = "realtime_mood training report"
SHAPES = "os^Dv"


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackSummary:
    """One neurofeedback session, as its JSON lines hold it."""

    file: str
    title: str
    reference: str  # of the fast measures
    condition: str  # empty where it is still sealed
    code: str
    virtual: bool
    t: np.ndarray  # (n,) s since the first moment
    kind: np.ndarray  # (n,) str: of the block
    z: np.ndarray  # (n,) the subject's own; NaN where invalid, and everywhere while the condition is still sealed
    reward: np.ndarray
    invalid: np.ndarray
    delay_ms: np.ndarray  # (n,) from the arrival of a chunk to its feedback; NaN where unknown

    @property
    def name_of_condition(self) -> str:
        """The condition, or the code that hides it."""
        return plain(self.condition) or _("code {code}", code=plain(self.code))

    def seconds(self, kind: str) -> float:
        """How long the blocks of a kind lasted (s)."""
        return int(self.of(kind).sum()) / RATE_HZ

    def of(self, kind: str) -> np.ndarray:
        """(n,) whether each moment belongs to a block of this kind."""
        return np.asarray(self.kind == kind)

    @property
    def invalid_s(self) -> float:
        return float(self.invalid.sum()) / RATE_HZ

    @property
    def valid_s(self) -> float:
        """How long valid feedback was given (s)."""
        return self.seconds("feedback") - self.invalid_s

    @property
    def invalid_share(self) -> float:
        return self.invalid_s / fed_s if (fed_s := self.seconds("feedback")) else 0.0

    @property
    def rewards_per_minute(self) -> float:
        return 60 * float(self.reward.sum()) / max(self.valid_s, 1.0)

    @property
    def delays_ms(self) -> tuple[float, ...]:
        """Median and 95th percentile; empty where unknown."""
        known = self.delay_ms[np.isfinite(self.delay_ms)]
        return tuple(np.percentile(known, (50, 95))) if len(known) else ()

    def mean_z(self, kind: str) -> float | None:
        """Mean of the subject's own z-score in the blocks of a kind; None where there is none to show."""
        z = self.z[self.of(kind) & np.isfinite(self.z)]
        return float(z.mean()) if len(z) else None


def read(path: Path, opened: Path | None = None) -> FeedbackSummary:
    """A session from its lines; `opened` is the sealed file in which its code has been opened, if any.

    Raises `SourceNotFound` where there is no such file, `StreamMismatch` where it cannot be read, or is no
    neurofeedback session.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        head, fed = lines[0], [line for line in lines[1:] if line["kind"] != "end"]
        t = np.array([line["t"] for line in fed], float)
        values: dict[str, Any] = {
            "t": t - t[:1],
            "kind": np.array([line["kind"] for line in fed], str),
            "z": np.array([line["z"] for line in fed], float),
            "reward": np.array([line["reward"] for line in fed], bool),
            "invalid": np.array([bool(line["why"]) and line["kind"] == "feedback" for line in fed], bool),
            "delay_ms": np.array([line.get("delay_ms") for line in fed], float),
        }
        title, virtual = str(head["plan"]["title"]), bool(head["virtual"])
        reference = str(head["plan"].get("reference", "recorded"))  # older files have none
    except FileNotFoundError:
        raise SourceNotFound(str(path), "no such file", "check the path") from None
    except OSError as error:
        raise StreamMismatch(str(path), f"cannot be read: {error.strerror}", "check the path") from None
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        raise StreamMismatch(str(path), "not a neurofeedback session", "give a file that --lines wrote") from None
    code, condition = (str(head.get(key, "")) for key in ("code", "condition"))
    if code and opened is not None and sealed.is_open(opened, code):
        condition = sealed.condition_of(opened, code)
    if not condition:
        values["z"] = np.full_like(values["z"], math.nan)
    return FeedbackSummary(path.name, title, reference, condition, code, virtual, **values)


def write_feedback_report(paths: Sequence[Path], out: Path | None = None, opened: Path | None = None) -> Path:
    """Write the page of one or several sessions, private, beside the first; returns its path.

    Raises `MoodError` where a file cannot be read, or the page not written.
    """
    sessions = [read(path.expanduser(), opened) for path in paths]
    path = place((out or paths[0].with_suffix(".html")).expanduser(), paths[0], GENERATOR)
    write(path, page(sessions))
    return path


def page(sessions: Sequence[FeedbackSummary]) -> str:
    """The page of one or several sessions as HTML."""
    details = {"sessions": ", ".join(session.name_of_condition for session in sessions), "seconds": f"{BIN_S:g}"}
    figures = {"rewards": ReportFigure(partial(_rewards, sessions=sessions), (8.2, 2.6), details)}
    if any(np.isfinite(session.z).any() for session in sessions):
        figures["curve"] = ReportFigure(partial(_curve, sessions=sessions), (8.2, 2.9), details)
    simulated = any(session.virtual for session in sessions)
    return html("feedback.html", GENERATOR, figures, simulated=simulated, sessions=sessions, references=REFERENCES)


def binned(session: FeedbackSummary, values: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mid times, means and standard errors of `values` over `BIN_S`; a second counts once, as it is smooth."""
    bins = (session.t // BIN_S).astype(int)
    at, mean, error = [], [], []
    for k in np.unique(bins):
        some = values[(bins == k) & which]
        if len(some) >= RATE_HZ:
            at.append((k + 0.5) * BIN_S)
            mean.append(some.mean())
            error.append(some.std() / math.sqrt(len(some) / RATE_HZ))
    return np.array(at), np.array(mean), np.array(error)


def _curve(figure: Figure, sessions: Sequence[FeedbackSummary]) -> None:
    axes = figure.add_subplot(xlabel=_("time (min)"), ylabel=_("own z-score"))
    for start, stop in _spans(sessions[0], "feedback"):
        axes.axvspan(start / 60, stop / 60, color=INK, alpha=0.07, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.7, alpha=0.6)
    for k, session in enumerate(sessions):
        at, mean, error = binned(session, session.z, np.isfinite(session.z))
        axes.errorbar(at / 60, mean, error, **_look(k, sessions))
    _legend(figure, sessions)


def _rewards(figure: Figure, sessions: Sequence[FeedbackSummary]) -> None:
    axes = figure.add_subplot(xlabel=_("time (min)"), ylabel=_("rewards per minute"))
    for k, session in enumerate(sessions):
        at, mean, _error = binned(session, session.reward.astype(float), session.of("feedback") & ~session.invalid)
        axes.plot(at / 60, 60 * RATE_HZ * mean, **_look(k, sessions))
    axes.set_ylim(0, None)
    _legend(figure, sessions)


def _look(k: int, sessions: Sequence[FeedbackSummary]) -> dict[str, Any]:
    number = f"{k + 1} · " if len(sessions) > 1 else ""  # as in the headings of the tables
    return {"color": LABELS[k % len(LABELS)], "marker": SHAPES[k % len(SHAPES)], "markersize": 4, "linewidth": 1.4,
            "label": f"{number}{sessions[k].name_of_condition}"}  # fmt: skip


def _legend(figure: Figure, sessions: Sequence[FeedbackSummary]) -> None:
    if len(sessions) > 1:
        figure.legend(loc="outside upper left", ncols=min(len(sessions), len(LABELS)))


def _spans(session: FeedbackSummary, kind: str) -> list[tuple[float, float]]:
    blocks = np.ma.clump_masked(np.ma.array(session.t, mask=session.of(kind)))
    return [(session.t[block][0], session.t[block][-1]) for block in blocks]
