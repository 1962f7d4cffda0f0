"""Turns a recording into one page that explains itself: a file that needs no network, script or other file.

It is private like the recording beside it: only this user can read it, and it says nothing of who sat but the code in
the recording's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ..recording.reader import open_recorded
from . import words
from .session import SessionReport, report_of
from .skeleton import ReportFigure, figure, place, skeleton, table, write
from .words import plain, share

GENERATOR = "realtime_mood report"


def write_report(path_in: Path, path_out: Path | None = None) -> Path:
    """Write the page of a recording, and say where it is: beside the recording where no place is given.

    A report that is there already is replaced; no other file ever is.

    Raises
    ------
    SourceNotFound
        There is no such recording.
    StreamMismatch
        It is not a recording of ours, or too damaged to tell.
    ConfigError
        The page cannot be written.
    """
    path_in = path_in.expanduser()
    text = page(report_of(open_recorded(path_in)))
    path = place(path_out.expanduser() if path_out else None, path_in, GENERATOR)
    write(path, text)
    return path


def page(report: SessionReport) -> str:
    """The page as HTML. Whatever comes from the file is only ever text in it."""
    badge = '<p class="badge">VIRTUAL PERSON</p>' if report.info.virtual else ""
    when = f"{report.made:%Y-%m-%d %H:%M} UTC · " if report.made else ""
    about = f"{when}{words.span(report.duration_s)} · {plain(report.info.name) or 'a recording'}"
    title = f"Session report · {plain(report.participant) or plain(report.file)}"
    shown = "".join(figure(f"p{i}", picture) for i, picture in enumerate(_pictures(report)))
    body = (
        f'<header>{badge}<h1>{escape(title)}</h1><p class="about">{escape(about)}</p></header>\n<main>\n'
        f"{_verdict(report)}\n"
        + (f'<h2>In pictures</h2>\n<div class="pictures">{shown}</div>\n' if shown else "")
        + _section("In figures", words.facts(report))
        + _section("What was said of each label", _labels(report), "Over the time for which there was an estimate.")
        + _section("Why there was no estimate", words.silences(report))
        + _section("Electrodes with faults", words.electrodes(report), "In shares of the time they were judged.")
        + _section("Markers", _markers(report), words.markers_note(report))
        + f"</main>\n{_footer(report)}"
    )
    return skeleton(title, body, GENERATOR)


def _verdict(report: SessionReport) -> str:
    told = list(words.warnings(report))
    items = f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in told)}</ul>" if told else ""
    kind = "verdict" if report.labels and not told else "verdict refused"
    return f'<section class="{kind}"><p>{escape(words.sentence(report))}</p>{items}</section>'


def _labels(report: SessionReport) -> Iterator[tuple[str, str, str]]:
    for it in report.labels:
        yield plain(it.name), f"mean {it.mean:.2f}", f"the most probable {share(it.top)} of that time"


def _markers(report: SessionReport) -> Iterator[tuple[str, str, str]]:
    for t, text in report.markers:
        yield words.clock(t), plain(text), ""


def _section(title: str, rows: Iterable[tuple[str, str, str]], note: str = "") -> str:
    """A table under a title; nothing where there is no row."""
    told = table(rows)
    if not told:
        return ""
    said = f'<p class="about">{escape(note)}</p>' if note else ""
    return f"<h2>{escape(title)}</h2>\n{said}<table>{told}</table>\n"


def _footer(report: SessionReport) -> str:
    origin = report.origin
    made_by = ", ".join(part for part in (plain(origin.weights), plain(origin.sha256)) if part)
    told = {
        "recording": plain(report.file),
        "weights": made_by or "not told",
        "notch": plain(origin.notch) or "not told",
        "recorded by": f"realtime-mood {plain(origin.version)}" if origin.version else "not told",
        "report by": f"realtime-mood {_version()}",
    }
    facts = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in told.items())
    return f"<footer><dl>{facts}</dl>{''.join(f'<p>{escape(line)}</p>' for line in words.limits(report))}</footer>"


# -- pictures ---------------------------------------------------------------------------------------------------


def _pictures(report: SessionReport) -> Iterator[ReportFigure]:
    if report.course is None:
        return
    from . import pictures  # draws with a library that takes a second to import
    from .drawing import GOOD_SHARE, MANY, quality

    course, labels = report.course, [plain(it.name) for it in report.labels]
    if labels:
        marks = [(t, plain(text)) for t, text in report.markers]
        per_bin = (
            f"Each point is the mean over {course.bin_s:.3g} s, the shade reaches from the lowest to the highest. "
            if course.binned
            else ""
        )
        means = ", ".join(f"{plain(it.name)} {it.mean:.2f} on average" for it in report.labels)
        yield ReportFigure(
            "What was said along the time",
            partial(pictures.course, course=course, labels=labels, markers=marks),
            pictures.course_size(course, len(labels)),
            f"Probability of each label over {words.span(report.duration_s)}: {means}. "
            f"An estimate for {share(report.estimate_share)} of the time.",
            f"{per_bin}Hatched: there was no estimate, and the lanes beneath say why. Each estimate rests on the "
            "seconds before it. Dashed upright lines, or ticks where there are many, are markers.",
            wide=True,
        )  # fmt: skip
    parts = [("estimate", report.estimate_s), *((it.why, it.seconds) for it in report.silences)]
    if report.unsaid_s > 0.5:
        parts.append(("", report.unsaid_s))
    whole = sum(seconds for _, seconds in parts)
    if whole > 0:
        shares = [(kind, seconds / whole) for kind, seconds in parts if seconds > 0]
        silent = "; ".join(f"{what} {value}" for what, value, _ in words.silences(report)) or "never"
        yield ReportFigure(
            "How much of the time there was an estimate", partial(pictures.spent, parts=shares),
            (10.2, 1.5 if len(shares) <= 6 else 1.8),
            f"An estimate for {words.span(report.estimate_s)}; without one: {silent}.",
            "The whole recording, added up. No estimate is better than a poor one.",
            wide=True,
        )  # fmt: skip
    judged = [(it.name, it.good) for it in report.electrodes if it.good is not None]
    if judged:
        names, good = [name for name, _ in judged], np.array([part for _, part in judged])
        worst = ", ".join(f"{names[i]} {share(good[i])}" for i in np.argsort(good, kind="stable")[:5])
        never = [it.name for it in report.electrodes if it.good is None]
        yield ReportFigure(
            "How good the electrodes were", partial(quality, share=good, ch_names=names),
            (10.2, 2.8 if len(names) > MANY else 2.6),
            f"Share of the time that each electrode was good, the worst first: {worst}.",
            f"The worst electrode comes first. One below the dashed line ({GOOD_SHARE:.0%}, hatched) is worth "
            "mending before another session."
            + (f" Never judged, or left out by hand: {', '.join(never)}." if never else ""),
            wide=True,
        )  # fmt: skip


def _version() -> str:
    try:
        return version("realtime-mood")
    except PackageNotFoundError:
        return "of unknown version"
