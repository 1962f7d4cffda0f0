"""The result of a timing test as rows, problems, JSON, and a page with a picture."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from ..language import _, number
from ..report.drawing import GOOD, INK, POOR, ReportFigure
from ..report.pages import html, place, write
from ..report.words import plain
from .clocks import ClockTest
from .edges import MIDDLE
from .markers import MarkerTest
from .onsets import OnsetTest
from .spread import Spread

GENERATOR = "realtime_mood timing test"
MARKER_OFFSET_MS, MARKER_JITTER_MS = 1.0, 1.0  # limits of the stamps of markers on one computer
ROUND_TRIP_MS, DRIFT_PPM = 2.0, 200.0  # limits of clocks: LSL corrects any constant drift, this much is a defect
ONSET_JITTER_MS = 4.0  # limit of the delay of a stimulus, beside the time between two samples
TREND_MS = 1.0  # limit of the change of that delay a minute

TimingTest = MarkerTest | ClockTest | OnsetTest


class ResultRow(NamedTuple):
    """One figure of the result: what, how much, and what that means."""

    what: str
    value: str
    means: str = ""


def problems(test: TimingTest) -> list[str]:
    """What is not good about the result, in sentences; empty where everything is."""
    match test:
        case MarkerTest():
            return list(_of_markers(test))
        case ClockTest():
            return list(_of_clocks(test))
    return list(_of_onsets(test))


def _of_markers(test: MarkerTest) -> Iterator[str]:
    if test.lost:
        yield _("{n} of {all} markers were lost.", n=test.lost, all=test.sent)
    if test.stamps and abs(test.stamps.median_ms) > MARKER_OFFSET_MS:
        yield _("The times of markers are wrong by {ms:+.2f} ms.", ms=test.stamps.median_ms)
    if test.stamps and test.stamps.jitter_ms > MARKER_JITTER_MS:
        yield _("The times of markers vary by {ms:.2f} ms.", ms=test.stamps.jitter_ms)


def _of_clocks(test: ClockTest) -> Iterator[str]:
    if test.round_trip_ms is not None and test.round_trip_ms > ROUND_TRIP_MS:
        yield _("The network is slow: a round trip takes {ms:.1f} ms. Use a cable.", ms=test.round_trip_ms)
    if test.drift_ci[0] > DRIFT_PPM or test.drift_ci[1] < -DRIFT_PPM:
        yield _("The clock drifts by {ppm:+.0f} ppm, more than a sound one.", ppm=test.drift_ppm)
    for at, ms in test.steps:
        yield _("The offset changed suddenly by {ms:+.1f} ms after {s:.0f} s.", ms=ms, s=at)


def _of_onsets(test: OnsetTest) -> Iterator[str]:
    if not test.delay:
        yield _("No marker has an onset.")
    elif test.missed:
        yield _("{n} of {all} markers have no onset.", n=test.missed, all=test.markers)
    if test.extra:
        yield _("{n} onsets have no marker.", n=test.extra)
    limit = ONSET_JITTER_MS + 1e3 / test.sfreq
    if test.delay and test.delay.jitter_ms > limit:
        yield _("The delay varies by {ms:.1f} ms; up to {limit:.1f} ms is good.", ms=test.delay.jitter_ms, limit=limit)
    if test.trend_ci is not None and max(test.trend_ci[0], -test.trend_ci[1]) > TREND_MS and _is_resolved(test):
        yield _("The delay changes by {ms:+.1f} ms a minute: two clocks drift apart.", ms=test.trend_ms_per_min)
    if test.other_ms is not None:
        yield _("A delay of {ms:+.0f} ms would fit as well: make the intervals irregular.", ms=test.other_ms)


def _is_resolved(test: OnsetTest) -> bool:
    """Whether the delay changed over the test by more than the time between two samples."""
    return abs(test.trend_ms_per_min or 0) * float(np.ptp(test.at)) / 60 > 1e3 / test.sfreq


def rows(test: TimingTest) -> list[ResultRow]:
    """The figures of the result."""
    match test:
        case MarkerTest():
            counts = [ResultRow(_("markers sent"), str(test.sent)), ResultRow(_("lost"), str(test.lost)),
                      ResultRow(_("received twice"), str(test.repeated))]  # fmt: skip
            return [
                *counts,
                *_spread(_("error of the time"), test.stamps, _("the time that the program takes, less the true one")),
                *_spread(_("arrival"), test.arrivals, _("when the marker is here, after it was sent")),
            ]
        case ClockTest():
            return list(_clock_rows(test))
    return [
        ResultRow(_("markers"), str(test.markers), _("that announce an onset, and where the signal has no gap")),
        ResultRow(_("onsets"), str(test.onsets)),
        ResultRow(_("missed"), str(test.missed), _("markers without an onset")),
        ResultRow(_("extra"), str(test.extra), _("onsets without a marker, between the first and the last one")),
        ResultRow(_("not compared"), str(test.outside), _("at a gap, or outside the time that both cover")),
        *_spread(_("delay"), test.delay, _("of the onset after its marker")),
        *([] if test.trend_ci is None else [ResultRow(
            _("trend"), _with_interval(test.trend_ms_per_min, test.trend_ci, "+.2f", "ms/min"),
            _("change of the delay; 95 % CI"))]),
        ResultRow(_("resolution"), _ms(1e3 / test.sfreq), _("between two samples of the sensor")),
    ]  # fmt: skip


def _clock_rows(test: ClockTest) -> Iterator[ResultRow]:
    yield ResultRow(_("measurements"), str(test.n), _("in {s:.0f} s", s=test.seconds))
    yield ResultRow(_("offset"), _ms(test.offset_ms, "+.3f"), _("median; what is added to the stamps of the stream"))
    yield ResultRow(_("drift"), _with_interval(test.drift_ppm, test.drift_ci, "+.1f", "ppm"),
              _("how much faster the other clock runs; 95 % CI"))  # fmt: skip
    yield ResultRow(_("scatter"), _ms(test.scatter_ms, ".3f"), _("standard deviation about the line"))
    if test.round_trip_ms is not None:
        yield ResultRow(_("round trip"), _ms(test.round_trip_ms, ".3f"), _("median; an offset is exact to half of it"))
    steps = ", ".join(f"{_ms(ms, '+.1f')} ({at:.0f} s)" for at, ms in test.steps)
    yield ResultRow(_("steps"), steps or "0", _("sudden changes of the offset"))


def _spread(name: str, spread: Spread | None, means: str) -> list[ResultRow]:
    if spread is None:
        return [ResultRow(name, "–", _("nothing could be compared"))]
    return [
        ResultRow(name, _ms(spread.median_ms, "+.2f"), _("median; {means}", means=means)),
        ResultRow(_("{name}, 5 to 95 %", name=name), f"{_ms(spread.p5_ms, '+.2f')} … {_ms(spread.p95_ms, '+.2f')}",
            _("{ms:.2f} ms wide", ms=spread.jitter_ms)),
        ResultRow(_("{name}, farthest", name=name), _ms(spread.max_ms, ".2f"), _("from the median")),
    ]  # fmt: skip


def _with_interval(value: float | None, interval: tuple[float, float], spec: str, unit: str) -> str:
    low, high = (number(end, spec) for end in interval)
    return f"{number(value or 0, spec)} {unit} [{low}, {high}]"


def _ms(value: float, spec: str = ".1f") -> str:
    return f"{number(value, spec)} ms"


def lines(test: TimingTest) -> Iterator[str]:
    """The result for a terminal."""
    table = rows(test)
    wide, wider = max(len(row.what) for row in table), max(len(row.value) for row in table)
    for row in table:
        yield f"{row.what:<{wide}}  {row.value:<{wider}}  {row.means}".rstrip()
    for text in problems(test) or [_("The timing is good.")]:
        yield f"→ {text}"


def as_object(test: TimingTest) -> dict[str, Any]:
    """The result for a program: without the single measurements, NaN as null."""
    found: dict[str, Any] = {"kind": "timing", "test": _name(test), "good": not problems(test)}
    for name in test.__slots__:
        value = getattr(test, name)
        if isinstance(value, Spread):
            value = value._asdict() | {"jitter_ms": value.jitter_ms}
        elif name == "options":
            value = {key: getattr(value, key) for key in value.__slots__}
        elif name == "steps":
            value = [{"t": at, "ms": ms} for at, ms in value]
        elif name == "drawn" or isinstance(value, np.ndarray):
            continue
        elif name == "levels":
            value = value._asdict()
        found[name] = value
    return found


def _name(test: TimingTest) -> str:
    return {MarkerTest: "markers", ClockTest: "clocks", OnsetTest: "onsets"}[type(test)]


def write_page(test: TimingTest, out: Path) -> Path:
    """Write the page of a result and return its path; raises `ConfigError` where it cannot be written."""
    path = place(out.expanduser(), Path(f"timing-{_name(test)}.html"), GENERATOR)
    write(path, page(test))
    return path


def page(test: TimingTest) -> str:
    """The page of a result as HTML."""
    made = f"{datetime.now():%Y-%m-%d %H:%M}"  # local time, for the user
    asked = "" if isinstance(test, MarkerTest) else test.source
    return html(
        "timing.html", GENERATOR, dict(_figures(test)), simulated=test.virtual, kind=_name(test), made=made,
        rows=rows(test), problems=problems(test), asked=asked, channel=getattr(test, "channel", ""),
        notes=getattr(test, "notes", ()),
    )  # fmt: skip


def _figures(test: TimingTest) -> Iterator[tuple[str, ReportFigure]]:
    match test:
        case MarkerTest() if test.stamps:
            draw = partial(_over_time, at=test.at, ms=1e3 * test.errors, ylabel=_("error of the time (ms)"))
            yield "over_time", ReportFigure(draw, (10.2, 2.8), _details(test.stamps))
        case ClockTest():
            yield "clock", ReportFigure(partial(_clock, test=test), (10.2, 2.8),
                                        {"ppm": number(test.drift_ppm, "+.1f"), "n": str(len(test.steps))})  # fmt: skip
        case OnsetTest() if test.delay:
            draw = partial(_over_time, at=test.at, ms=1e3 * test.delays, ylabel=_("delay (ms)"))
            yield "over_time", ReportFigure(draw, (10.2, 2.8), _details(test.delay))
            yield "signal", ReportFigure(partial(_signal, test=test), (10.2, 2.8), {"n": str(len(test.drawn))})


def _details(spread: Spread) -> dict[str, str]:
    return {"median": _ms(spread.median_ms, "+.2f"), "jitter": _ms(spread.jitter_ms, ".2f")}


def _over_time(figure: Figure, at: np.ndarray, ms: np.ndarray, ylabel: str) -> None:
    """Each delay over time, and beside it how often it occurs."""
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(4, 1))
    low, median, high = np.percentile(ms, (5, 50, 95))
    for axes in (left, right):
        axes.axhspan(low, high, color=GOOD, alpha=0.18, linewidth=0)
        axes.axhline(median, color=GOOD, linewidth=1.4)
    left.plot(at, ms, "o", color=INK, markersize=2.5, alpha=0.7, markeredgewidth=0)
    right.hist(ms, bins=min(40, max(5, len(ms) // 5)), orientation="horizontal", color=INK, alpha=0.6)
    left.set(xlabel=_("time (s)"), ylabel=ylabel)
    right.set(xlabel=_("events"))


def _clock(figure: Figure, test: ClockTest) -> None:
    axes, first = figure.add_subplot(), test.offsets[0]
    axes.plot(test.t, 1e3 * (test.offsets - first), "o", color=INK, markersize=3, alpha=0.7, markeredgewidth=0)
    axes.plot(test.t, 1e3 * (test.fitted - first), color=GOOD, linewidth=1.4)
    for at, _size in test.steps:
        axes.axvline(at, color=POOR, linestyle="--", linewidth=1)
    axes.set(xlabel=_("time (s)"), ylabel=_("change of the offset (ms)"))


def _signal(figure: Figure, test: OnsetTest) -> None:
    axes = figure.add_subplot()
    for t, values in test.drawn:
        axes.plot(1e3 * t, values, color=INK, linewidth=0.6, alpha=0.35)
    axes.axhline(test.levels.at(MIDDLE), color=GOOD, linestyle="--", linewidth=1)
    axes.axvline(0, color=INK, linewidth=1)
    if test.delay:
        axes.axvspan(test.delay.p5_ms, test.delay.p95_ms, color=GOOD, alpha=0.25, linewidth=0)
    axes.set(xlabel=_("time after the marker (ms)"), ylabel=plain(test.channel))
