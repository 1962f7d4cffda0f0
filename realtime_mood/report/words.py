"""Texts of the session report: sentences, tables and limits; and how times, shares and foreign texts are written."""

from __future__ import annotations

from collections.abc import Iterator

from ..language import N_, _, ngettext
from ..language.terms import FAULTS, REASONS
from .pages import Row
from .readings import OTHER
from .session import MOST_MARKERS, SessionReport

LONGEST = 200
"""Letters of a text from the file that a page shows."""
NOT_MEDICAL = N_(
    "This is not a medical device. It does not diagnose, and must not be used to judge people at work or at school."
)
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
    """A text from the file without control and bidirectional characters, and no longer than `LONGEST`."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def label_text(name: str) -> str:
    """A label from the file, translated where it is known."""
    return _(plain(name))


def span(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if 0 < seconds < 9.95 and round(seconds, 1) % 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(part: float) -> str:
    """A share, never rounded to all or nothing."""
    if 0 < part < 0.005:
        return _("under 1%")
    return _("over 99%") if 0.995 < part < 1 - 1e-9 else f"{part:.0%}"


def clock(seconds: float) -> str:
    """A time of the recording: hours where there are any, minutes, seconds to a tenth."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    start = f"{minutes // 60}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"


def reason(why: str) -> str:
    """The words for why there was no estimate."""
    return _(REASONS[why]) if why in REASONS else _("another reason")


def sentence(report: SessionReport) -> str:
    """The result in one or two sentences."""
    if not report.n_readings:
        return _("The recording contains no usable readings.") if report.n_unusable else _(
            "The recording contains no readings."
        )  # fmt: skip
    whole = span(report.duration_s)
    if not report.labels:
        first = reason(report.abstentions[0].why) if report.abstentions else _("no reading")
        return _("There is no estimate in {duration}. Most frequent reason: {reason}.").format(
            duration=whole, reason=first
        )
    ranked = sorted(report.labels, key=lambda it: -it.top)
    return _(
        "Estimates are available for {share} of {duration}. Share of that time for which each label was the most "
        "probable: {labels}."
    ).format(
        share=share(report.estimate_share), duration=whole,
        labels=", ".join(f"{label_text(it.name)} {share(it.top)}" for it in ranked if it.top > 0),
    )  # fmt: skip


def warnings(report: SessionReport) -> Iterator[str]:
    """What is wrong with the file itself."""
    samples, sfreq = report.samples, report.info.sfreq
    if n := samples.damaged:
        yield ngettext(
            "{n} byte of the file is damaged; what it held is missing from this report.",
            "{n} bytes of the file are damaged; what they held is missing from this report.", n,
        ).format(n=f"{n:,}")  # fmt: skip
    if n := samples.unwritten:
        yield ngettext(
            "{n} sample ({duration}) was received but not written to the file; readings may be based on it.",
            "{n} samples ({duration}) were received but not written to the file; readings may be based on them.", n,
        ).format(n=f"{n:,}", duration=span(n / sfreq))  # fmt: skip
    if samples.trouble:
        yield _("The signal could not be read to its end: {reason}.").format(reason=plain(samples.trouble))
    if n := report.n_unusable:
        yield ngettext(
            "{n} reading in the file could not be used.", "{n} readings in the file could not be used.", n
        ).format(n=f"{n:,}")
    if report.n_readings and not samples.n:
        yield _("The file contains readings but no signal.")


def facts(report: SessionReport) -> Iterator[Row]:
    """The summary of the recording."""
    info, origin, samples = report.info, report.origin, report.samples
    subject = plain(report.participant) or _("no participant ID")
    part = ", " + _("session {name}").format(name=report.session) if report.session else ""
    yield _("participant ID"), subject + part, _("from the file name")
    yield _("start"), f"{report.made:%Y-%m-%d %H:%M} UTC" if report.made else _("unknown"), ""
    yield _("duration"), span(report.duration_s), ""
    yield (
        _("source"), plain(info.name) or _("no name"),
        _("simulated subject") if info.virtual else _("name given by the stream"),
    )  # fmt: skip
    if info.notes:
        yield _("notes on the source"), "; ".join(map(plain, info.notes[:10])), ""
    electrodes = ngettext("{n} electrode", "{n} electrodes", info.n_chans).format(n=info.n_chans)
    reference = _("reference: {name}").format(name=plain(info.reference))
    yield _("montage"), electrodes, f"{' '.join(info.ch_names)}; {reference}"
    yield _("sampling rate"), f"{info.sfreq:g} Hz", ""
    yield _("samples in the file"), f"{samples.n:,}", _missing(report)
    if report.readout:
        labels = [" / ".join(label_text(it.name) for it in report.labels)] if report.labels else []
        trained = _("trained on {subjects}").format(subjects=origin.subjects)
        yield _("readout"), plain(report.readout), "; ".join([*labels, trained])
    if report.calibrated is not None:
        compared = _("features are compared with {baseline}").format(baseline=origin.baseline)
        yield _("calibrated"), _calibrated(report.calibrated), compared
    covered = _("estimates cover {duration} in total").format(duration=span(report.estimate_s))
    yield _("readings"), f"{report.n_readings:,}", covered
    if report.latency_ms:
        low, high = report.latency_ms
        means = _("median and 95th percentile, from the last sample of a window to its estimate")
        fast = "" if info.paced else "; " + _("played at maximum speed")
        yield _("latency"), f"{low:.0f} / {high:.0f} ms", means + fast


def abstentions(report: SessionReport) -> Iterator[Row]:
    """Each reason for no estimate, how long it lasted and what it means."""
    for it in report.abstentions:
        yield reason(it.why), f"{span(it.seconds)} · {share(it.seconds / report.duration_s)}", _(MEANINGS[it.why])
    if report.no_reading_s > 0.5:
        means = _("samples were missing, or the program could not keep up")
        yield _("no reading"), f"{span(report.no_reading_s)} · {share(report.no_reading_s / report.duration_s)}", means


def electrodes(report: SessionReport) -> Iterator[Row]:
    """Each electrode that had a fault: how long it was good, and its faults."""
    for it in sorted(report.electrodes, key=lambda it: 2.0 if it.good is None else it.good):
        faults = [f"{_(FAULTS.get(fault, fault))} {share(part)}" for fault, part in it.faults]
        if it.excluded:
            faults.append(_("excluded by the user {share}").format(share=share(it.excluded)))
        if faults:
            good = _("not assessed") if it.good is None else _("good {share}").format(share=share(it.good))
            yield it.name, good, ", ".join(faults)


def markers_note(report: SessionReport) -> str:
    """How many markers the list leaves out."""
    if report.n_markers <= len(report.markers):
        return ""
    return _("The first {n} of {total} markers are listed.").format(n=MOST_MARKERS, total=f"{report.n_markers:,}")


def limits(report: SessionReport) -> Iterator[str]:
    """What the page ends with."""
    if report.info.virtual:
        yield _("This recording comes from a simulated subject. It contains no data of a real person.")
    yield _(
        "An estimate is what a network computes from a few seconds of signal. It is not a fact about a person, and "
        "must not be used to tell people what they feel."
    )
    yield _(NOT_MEDICAL)
    if report.readout:
        yield _("Validation of the {readout} readout: {evidence}.").format(
            readout=plain(report.readout), evidence=report.origin.evidence
        )
    yield _(
        "A probability is only as reliable as the readout: for other subjects, other caps or on another day it may be "
        "less accurate than it states."
    )


def _missing(report: SessionReport) -> str:
    lost = report.samples.lost
    if not lost:
        return _("none missing between the first and the last")
    parts = share(lost / (lost + report.samples.n)), span(lost / report.info.sfreq)
    return _("{n} missing in between ({share}, {duration})").format(n=f"{lost:,}", share=parts[0], duration=parts[1])


def _calibrated(part: float) -> str:
    if part >= 1 - 1e-9:
        return _("yes")
    return _("no") if part <= 0 else _("for {share} of the time").format(share=share(part))
