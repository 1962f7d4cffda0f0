"""The page of a session report, made from a recording: result, plots, tables and what limits them.

It is private like the recording beside it: only this user can read it, and it names the subject only by the participant
ID in the recording's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ..language import _
from ..recording.reader import open_recorded
from . import words
from .pages import ReportFigure, ReportPage, ReportSection, Row, place, write
from .session import SessionReport, report_of
from .words import label_text, plain, share, span

GENERATOR = "realtime_mood report"


def write_report(path_in: Path, path_out: Path | None = None) -> Path:
    """Write the page of a recording and return its path: beside the recording unless a place is given.

    An older report is replaced; no other file ever is.

    Raises
    ------
    SourceNotFound
        There is no such recording.
    StreamMismatch
        It is not a recording of this program, or too damaged to tell.
    ConfigError
        The page cannot be written.
    """
    path_in = path_in.expanduser()
    made = page(report_of(open_recorded(path_in)))
    path = place(path_out.expanduser() if path_out else None, path_in, GENERATOR)
    write(path, made)
    return path


def page(report: SessionReport) -> ReportPage:
    """What the page holds."""
    when = f"{report.made:%Y-%m-%d %H:%M} UTC · " if report.made else ""
    warnings = list(words.warnings(report))
    return ReportPage(
        GENERATOR,
        _("Session report · {name}").format(name=plain(report.participant) or plain(report.file)),
        (
            ReportSection(_("Plots"), figures=tuple(_figures(report))),
            ReportSection(_("Summary"), tuple(words.facts(report))),
            ReportSection(
                _("Summary by label"), tuple(_labels(report)), note=_("During the time with an estimate.")
            ),
            ReportSection(_("Reasons for no estimate"), tuple(words.abstentions(report))),
            ReportSection(
                _("Electrodes with faults"), tuple(words.electrodes(report)),
                note=_("As shares of the time in which the electrode was assessed."),
            ),
            ReportSection(
                _("Markers"), tuple((words.clock(t), plain(text), "") for t, text in report.markers),
                note=words.markers_note(report),
            ),
        ),
        tuple(words.limits(report)),
        simulated=report.info.virtual,
        about=f"{when}{span(report.duration_s)} · {plain(report.info.name) or _('recording')}",
        summary=[words.sentence(report)],
        points=warnings,
        positive=bool(report.labels) and not warnings,
        facts=_origin(report),
    )  # fmt: skip


def _labels(report: SessionReport) -> Iterator[Row]:
    for it in report.labels:
        yield (
            label_text(it.name),
            _("mean {p}").format(p=f"{it.mean:.2f}"),
            _("most probable for {share} of the time").format(share=share(it.top)),
        )


def _origin(report: SessionReport) -> dict[str, str]:
    origin = report.origin
    try:
        ours = version("realtime-mood")
    except PackageNotFoundError:
        ours = ""
    program = "realtime-mood {}".format
    return {
        _("recording"): plain(report.file),
        _("weights"): ", ".join(part for part in (plain(origin.weights), plain(origin.sha256)) if part) or _("unknown"),
        _("notch filter"): plain(origin.notch) or _("unknown"),
        _("recorded with"): program(plain(origin.version)) if origin.version else _("unknown"),
        _("report by"): program(ours or _("(unknown version)")),
    }


# -- figures ----------------------------------------------------------------------------------------------------


def _figures(report: SessionReport) -> Iterator[ReportFigure]:
    if report.course is None:
        return
    from .drawing import quality_figure  # draws with a library that takes a second to import

    if report.labels:
        yield _course(report)
    yield from _time_spent(report)
    assessed = {it.name: it.good for it in report.electrodes if it.good is not None}
    if assessed:
        others = ", ".join(it.name for it in report.electrodes if it.good is None)
        note = _("Not assessed, or excluded by the user: {names}.").format(names=others) if others else ""
        yield quality_figure(np.array([*assessed.values()]), [*assessed], note)


def _course(report: SessionReport) -> ReportFigure:
    from . import pictures

    course, labels = report.course, [label_text(it.name) for it in report.labels]
    assert course is not None
    markers = [(t, plain(text)) for t, text in report.markers]
    caption = _(
        "Hatched: no estimate; the rows below show the reason. Each estimate is based on the seconds before it. Dashed "
        "vertical lines, or ticks if there are many, are markers."
    )
    if course.binned:
        points = _("Each point is the mean over {seconds} s; the shaded range reaches from the lowest to the highest.")
        caption = f"{points.format(seconds=f'{course.bin_s:.3g}')} {caption}"
    means = ", ".join(f"{label_text(it.name)} {it.mean:.2f}" for it in report.labels)
    return ReportFigure(
        _("Probabilities over time"),
        partial(pictures.course, course=course, labels=labels, markers=markers),
        pictures.course_size(course, len(labels)),
        _("Probability of each label over {duration}; means: {means}. Estimates cover {share} of the time.").format(
            duration=span(report.duration_s), means=means, share=share(report.estimate_share)
        ),
        caption,
        wide=True,
    )


def _time_spent(report: SessionReport) -> Iterator[ReportFigure]:
    from . import pictures

    parts = [("estimate", report.estimate_s), *((it.why, it.seconds) for it in report.abstentions)]
    if report.no_reading_s > 0.5:
        parts.append(("", report.no_reading_s))
    whole = sum(seconds for _kind, seconds in parts)
    if whole <= 0:
        return
    shares = [(kind, seconds / whole) for kind, seconds in parts if seconds > 0]
    silent = "; ".join(f"{what} {value}" for what, value, _means in words.abstentions(report)) or _("none")
    yield ReportFigure(
        _("Time with and without an estimate"),
        partial(pictures.spent, parts=shares),
        (10.2, 1.5 if len(shares) <= 6 else 1.8),
        _("With an estimate: {time}; without one: {reasons}.").format(time=span(report.estimate_s), reasons=silent),
        _("Totals over the whole recording, with the reasons for no estimate."),
        wide=True,
    )
