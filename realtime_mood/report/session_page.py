"""The page of a session report, made from a recording: result, plots, tables and what limits them.

It is private like the recording beside it: only this user can read it, and it names the subject only by the participant
ID in the recording's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..body.measure import unit_text
from ..language import _, number
from ..language.terms import BODY, BODY_REASONS, FAULTS
from ..recording.reader import open_recorded
from . import pictures
from .drawing import ReportFigure, quality_figure
from .pages import html, place, write
from .session import ElectrodeShare, SessionReport, report_of
from .summaries import SessionSummary, earlier_sessions
from .words import MEANINGS, REQUESTS, label_text, plain, reason, share, span

GENERATOR = "realtime_mood report"


def write_report(path_in: Path, path_out: Path | None = None) -> Path:
    """Write the page of a recording and return its path: beside the recording unless a place is given.

    An older report is replaced; no other file ever is. Raises `SourceNotFound` where there is no such recording,
    `StreamMismatch` where it is not of this program or too damaged to tell, and `ConfigError` where the page cannot be
    written.
    """
    path_in = path_in.expanduser()
    made = page(report_of(open_recorded(path_in).from_zero()), earlier_sessions(path_in))
    path = place(path_out.expanduser() if path_out else None, path_in, GENERATOR)
    write(path, made)
    return path


def page(report: SessionReport, earlier: Sequence[SessionSummary] = ()) -> str:
    """The page of a recording as HTML, with the `earlier` sessions of the participant beside it."""
    ranked = sorted(report.labels, key=lambda label: -label.top)
    return html(
        "session.html", GENERATOR, dict(_figures(report)), simulated=report.info.virtual, report=report,
        ranked=", ".join(f"{label_text(label.name)} {share(label.top)}" for label in ranked if label.top > 0),
        earlier=earlier, abstentions=list(_abstentions(report)), faulty=list(_faulty(report)),
        requests=list(_requests(report)), body=list(_body(report)),
    )  # fmt: skip


def _abstentions(report: SessionReport) -> Iterator[tuple[str, str, str]]:
    """Each reason for no estimate, the longest first: how long it lasted and what it means."""
    rows = [(reason(time.why), time.seconds, _(MEANINGS[time.why])) for time in report.abstentions]
    if report.no_reading_s > 0.5:
        means = _("samples were missing, or the program could not keep up")
        rows.append((_("no reading"), report.no_reading_s, means))
    for name, seconds, means in sorted(rows, key=lambda row: -row[1]):
        yield name, f"{span(seconds)} · {share(seconds / report.duration_s)}", means


def _requests(report: SessionReport) -> Iterator[tuple[str, float, str]]:
    """Name, time and meaning of each drift alarm and each request of the user."""
    for t, what, details in report.requests:
        if what in REQUESTS:
            name = _("correction") if what == "correction" else _("baseline")
            yield name, t, _(REQUESTS[what], details=label_text(details))


def _faulty(report: SessionReport) -> Iterator[tuple[ElectrodeShare, str]]:
    """Each electrode that had a fault, from worst to best, and its faults."""
    for electrode in sorted(report.electrodes, key=lambda electrode: 2.0 if electrode.good is None else electrode.good):
        faults = [f"{_(FAULTS.get(fault, fault))} {share(part)}" for fault, part in electrode.faults]
        if electrode.excluded:
            faults.append(_("excluded by the user {share}", share=share(electrode.excluded)))
        if faults:
            yield electrode, ", ".join(faults)


def _body(report: SessionReport) -> Iterator[tuple[str, str, str]]:
    """Each measure of the body, its median and middle 90 %, and how long it was valid."""
    for it in report.body.measures:
        value = _("no valid value")
        if it.valid > 0:
            low, median, high = (number(value, ".3g") for value in it.percentiles)
            value = _("{median} {unit} ({low} to {high})", median=median, low=low, high=high, unit=unit_text(it.unit))
        whys = [f"{_(BODY_REASONS.get(why, why))} {share(part)}" for why, part in it.whys]
        yield _(BODY[it.name]), value, ", ".join([_("valid for {share} of the time", share=share(it.valid)), *whys])


def _figures(report: SessionReport) -> Iterator[tuple[str, ReportFigure]]:
    yield from _reading_figures(report)
    rows = [(_(BODY[it.name]), unit_text(it.unit), it) for it in report.body.measures if it.valid > 0]
    if rows:
        medians = ", ".join(f"{name} {number(it.percentiles[1], '.3g')} {unit}" for name, unit, it in rows)
        yield "body", ReportFigure(
            partial(pictures.body, edges=report.body.edges, rows=rows), (10.2, 0.7 + 0.95 * len(rows)),
            {"medians": medians},
        )  # fmt: skip


def _reading_figures(report: SessionReport) -> Iterator[tuple[str, ReportFigure]]:
    course, labels = report.course, [label_text(label.name) for label in report.labels]
    if course is None:
        return
    if labels:
        markers = [(t, plain(text)) for t, text in report.markers]
        means = ", ".join(f"{name} {number(one.mean, '.2f')}" for name, one in zip(labels, report.labels, strict=True))
        yield "course", ReportFigure(
            partial(pictures.course, course=course, labels=labels, markers=markers),
            pictures.course_size(course, len(labels)),
            {
                "duration": span(report.duration_s), "means": means, "share": share(report.estimate_share),
                "seconds": number(course.bin_s, ".3g"),
            },
        )  # fmt: skip
    seconds = {"estimate": report.estimate_s, **{one.why: one.seconds for one in report.abstentions}}
    seconds |= {"": report.no_reading_s} if report.no_reading_s > 0.5 else {}
    if (whole := sum(seconds.values())) > 0:
        shares = [(kind, part / whole) for kind, part in seconds.items() if part > 0]
        silent = "; ".join(f"{name} {time}" for name, time, _means in _abstentions(report)) or _("none")
        yield "time", ReportFigure(
            partial(pictures.spent, parts=shares), (10.2, 1.5 if len(shares) <= 6 else 1.8),
            {"time": span(report.estimate_s), "reasons": silent},
        )  # fmt: skip
    if assessed := {one.name: one.good for one in report.electrodes if one.good is not None}:
        yield "quality", quality_figure(np.array([*assessed.values()]), [*assessed])
