"""Turns the figures of a report into words: sentences, tables, and what the page ends with."""

from __future__ import annotations

from collections.abc import Iterator

from ..language import N_, _
from ..language.terms import FAULTS, REASONS
from .readings import OTHER
from .session import MOST_MARKERS, SessionReport

LONGEST = 200
"""Letters of a text from the file that a page shows."""
MEANINGS = {
    "settling": N_("filters and the first seconds of context had to fill"),
    "stale": N_("the source sent nothing"),
    "gap": N_("too much of the context was missing"),
    "bad_signal": N_("too few electrodes were usable"),
    "uncalibrated": N_("the readout gives no estimate until the subject's own calibration fits it"),
    "unsure": N_("no label was probable enough"),
    "montage": N_("the network needs more electrodes"),
    OTHER: N_("a reason that this version of the program does not know"),
}
"""What each reason for the absence of an estimate means."""


def plain(text: str) -> str:
    """A text from the file without what cannot be printed or turns letters around, and no longer than `LONGEST`."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def span(seconds: float) -> str:
    """A time, as people say it."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if 0 < seconds < 9.95 and round(seconds, 1) % 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(part: float) -> str:
    """A share, never rounded to all or nothing."""
    if 0 < part < 0.005:
        return "under 1%"
    return "over 99%" if 0.995 < part < 1 - 1e-9 else f"{part:.0%}"


def clock(seconds: float) -> str:
    """A time of the recording: hours where there are any, minutes, seconds to a tenth."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    start = f"{minutes // 60}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"


def reason(why: str) -> str:
    """The words for why there was no estimate."""
    return _(REASONS.get(why, N_("another reason")))


def sentence(report: SessionReport) -> str:
    """What came of the recording, in one or two sentences."""
    if not report.n_readings:
        why = "no reading that can be used" if report.n_unusable else "no reading"
        return f"The recording holds {why}: there is nothing to show."
    whole = span(report.duration_s)
    if not report.labels:
        first = reason(report.silences[0].why) if report.silences else "no reading"
        return f"There was no estimate in {whole}; most of the time for this reason: {first}."
    ranked = sorted(report.labels, key=lambda it: -it.top)
    tops = [f"{plain(it.name)} {share(it.top)}" for it in ranked if it.top > 0]
    return (
        f"There was an estimate for {share(report.estimate_share)} of {whole}. While there was, the most probable "
        f"label was {', '.join(tops)} of the time."
    )


def warnings(report: SessionReport) -> Iterator[str]:
    """What is wrong with the file itself."""
    samples, sfreq = report.samples, report.info.sfreq
    if samples.damaged:
        yield f"{samples.damaged:,} bytes of the file are damaged, and what they held is not in this report."
    if samples.unwritten:
        yield (
            f"{samples.unwritten:,} samples ({span(samples.unwritten / sfreq)}) reached the program and were not "
            f"written; readings may rest on them."
        )
    if samples.trouble:
        yield f"The signal could not be followed to its end: {plain(samples.trouble)}."
    if report.n_unusable:
        yield f"{report.n_unusable:,} readings in the file could not be used."
    if report.n_readings and not samples.n:
        yield "There is no signal in the file beside its readings."


def facts(report: SessionReport) -> Iterator[tuple[str, str, str]]:
    """What, how much, and what that means."""
    info, origin, samples = report.info, report.origin, report.samples
    who = plain(report.participant) or "no code"
    yield "participant", who + (f", session {report.session}" if report.session else ""), "from the file's name"
    when = f"{report.made:%Y-%m-%d %H:%M} UTC" if report.made else "not told"
    yield "begun", when, ""
    yield "length", span(report.duration_s), ""
    yield "source", plain(info.name) or "no name", "a virtual person" if info.virtual else "as the stream called itself"
    if info.notes:
        yield "of the source", "; ".join(map(plain, info.notes[:10])), ""
    yield "montage", f"{info.n_chans} electrodes", f"{' '.join(info.ch_names)}; reference: {plain(info.reference)}"
    yield "sampling rate", f"{info.sfreq:g} Hz", ""
    yield "samples in the file", f"{samples.n:,}", _missing(report)
    if report.readout:
        labels = " / ".join(plain(it.name) for it in report.labels)
        yield "readout", plain(report.readout), f"{labels + '; ' if labels else ''}trained on {origin.people}"
    if report.calibrated is not None:
        yield "calibrated", _calibrated(report.calibrated), f"features were compared with {origin.baseline}"
    yield "readings", f"{report.n_readings:,}", f"an estimate for {span(report.estimate_s)} in all"
    if report.latency_ms:
        low, high = report.latency_ms
        means = "median and 95th percentile: from a window's last sample to its estimate"
        yield "latency", f"{low:.0f} / {high:.0f} ms", means + ("" if info.paced else "; played as fast as it went")


def silences(report: SessionReport) -> Iterator[tuple[str, str, str]]:
    """Why there was no estimate, for how long, and what that means."""
    for it in report.silences:
        yield reason(it.why), f"{span(it.seconds)} · {share(it.seconds / report.duration_s)}", _(MEANINGS[it.why])
    if report.unsaid_s > 0.5:
        means = "samples were missing, or the program did not keep up"
        yield "no reading", f"{span(report.unsaid_s)} · {share(report.unsaid_s / report.duration_s)}", means


def electrodes(report: SessionReport) -> Iterator[tuple[str, str, str]]:
    """Each electrode that had a fault: how long it was good, and its faults."""
    for it in sorted(report.electrodes, key=lambda it: 2.0 if it.good is None else it.good):
        told = [f"{_(FAULTS.get(fault, fault))} {share(part)}" for fault, part in it.faults]
        if it.excluded:
            told.append(f"left out by hand {share(it.excluded)}")
        if told:
            yield it.name, "never judged" if it.good is None else f"good {share(it.good)}", ", ".join(told)


def markers_note(report: SessionReport) -> str:
    """How many markers the list leaves out."""
    more = report.n_markers - len(report.markers)
    return f"The first {MOST_MARKERS} of {report.n_markers:,} markers are listed." if more > 0 else ""


def limits(report: SessionReport) -> tuple[str, ...]:
    """What the page ends with."""
    virtual = ("This recording is of a virtual person: a simulation. Nothing in it is about anybody.",)
    return (
        *(virtual if report.info.virtual else ()),
        "An estimate is what a network makes of some seconds of signal. It is not a fact about a person, and nobody "
        "should be told what they feel by it.",
        "This is not a medical device. It does not diagnose, and it is not for judging people at work or at school.",
        *(
            (f"What speaks for the readout {plain(report.readout)} comes from {report.origin.evidence}.",)
            if report.readout
            else ()
        ),
        "A probability is as good as the readout: on other people, other caps or another day it may be further off "
        "than it says.",
    )


def _missing(report: SessionReport) -> str:
    lost = report.samples.lost
    if not lost:
        return "none is missing between the first and the last"
    whole = lost + report.samples.n
    return f"{lost:,} are missing in between ({share(lost / whole)}, {span(lost / report.info.sfreq)})"


def _calibrated(part: float) -> str:
    if part >= 1 - 1e-9:
        return "yes"
    return "no" if part <= 0 else f"for {share(part)} of the time"
