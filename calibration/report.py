"""The page of a calibration: result, figures and their limits, without any other file that it needs.

It is private like the profile beside it: only this user can read it, and it does not name the subject.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from realtime_mood import __version__
from realtime_mood.files import write_private
from realtime_mood.language import N_, _, ngettext
from realtime_mood.profile import Profile, ValidationResult
from realtime_mood.report.drawing import quality_figure
from realtime_mood.report.pages import ReportFigure, ReportPage, ReportSection, Row
from realtime_mood.report.words import NOT_MEDICAL

from . import pictures
from .verdict import SHUFFLES, HeldOut, advice, reasons

if TYPE_CHECKING:  # fitting needs torch, and a page does without
    from .fit import CalibrationResult

GENERATOR = "realtime_mood calibration report"
LIMITS = (
    NOT_MEDICAL,
    N_(
        "The figures of a personal classifier come from held-out blocks of one subject, one cap and one session. "
        "Accuracy may be lower on another day."
    ),
    N_(
        "A personal classifier distinguishes the blocks of its protocol. Only the subject can say whether a block felt "
        "as its label states."
    ),
)


def write_page(fitted: CalibrationResult, path: Path) -> None:
    """Write the page of a fit: a file that only this user can read, whole or not at all."""
    write_private(path, page(fitted).html().encode())


def page(fitted: CalibrationResult) -> ReportPage:
    """What the page holds."""
    profile, protocol, v = fitted.profile, fitted.recording.protocol, verdict_of(fitted.profile)
    made = f"{datetime.fromisoformat(profile.made):%Y-%m-%d %H:%M} UTC"
    refused = v is not None and not v.passed
    tips = advice(v, tuple(map(_, protocol.labels)), _) if v is not None and refused else ()
    return ReportPage(
        GENERATOR,
        _(protocol.title),
        (
            ReportSection(_("Summary"), tuple(_rows(fitted))),
            ReportSection(_("Plots"), figures=tuple(_figures(fitted))),
        ),
        tuple(map(_, LIMITS)),
        simulated=profile.virtual,
        about=_("Calibration of {time} · {protocol}").format(time=made, protocol=_(protocol.about)),
        window_title=f"{_(protocol.title)} · {made}",
        summary=[
            sentence(profile),
            *([_("The result is from an earlier session; this one renewed the baseline.")] * _is_older(fitted)),
            *([_("The baseline was saved; everything that needs no personal classifier works with it.")] * refused),
            *([_("What to try next:")] if tips else []),
        ],
        points=tips,
        positive=not refused,
        facts=_facts(fitted),
    )


def verdict_of(profile: Profile) -> ValidationResult | None:
    """The validation of the personal classifier, whether it passed or not; None where none was fitted."""
    return profile.own.verdict if profile.own else profile.refused


def sentence(profile: Profile) -> str:
    """The result of a calibration."""
    v = verdict_of(profile)
    if v is None:
        return _("The baseline is based on {seconds} s of usable rest.").format(seconds=f"{profile.seconds:.0f}")
    if not profile.own:
        against = "; ".join(reasons(v, _)) or v.text
        return _("No personal classifier could be created: {reasons}.").format(reasons=against)
    low, high = v.interval
    return _(
        "The personal classifier was accepted: its balanced accuracy on held-out blocks is {accuracy} (95 % CI {low} "
        "to {high}), chance {chance}."
    ).format(accuracy=f"{v.balanced_accuracy:.2f}", low=f"{low:.2f}", high=f"{high:.2f}", chance=f"{v.chance:.2f}")


def _is_older(fitted: CalibrationResult) -> bool:
    """Whether the validation comes from an earlier session."""
    return verdict_of(fitted.profile) is not None and fitted.held is None


def _rows(fitted: CalibrationResult) -> Iterator[Row]:
    """The summary of the fit."""
    profile, v = fitted.profile, verdict_of(fitted.profile)
    if v is not None:
        low, high = v.interval
        labels = _labels(fitted)
        blocks = ", ".join(f"{n} {label}" for n, label in zip(v.blocks, labels, strict=True))
        over = _("on held-out blocks, every label weighted equally; 95 % CI over blocks")
        yield _("balanced accuracy"), f"{v.balanced_accuracy:.2f} [{low:.2f}, {high:.2f}]", over
        yield _("chance"), f"{v.chance:.2f}", _("balanced accuracy of guessing")
        permuted = _("share of {n} permutations of the block labels that reach this accuracy").format(n=SHUFFLES)
        yield _("permutation test"), f"p = {v.p:.3f}", permuted
        ece = _("expected calibration error (ECE)")
        yield ece, f"{v.ece:.2f}", _("mean difference between confidence and accuracy")
        yield _("time-only control"), f"{v.time_only:.2f}", _("balanced accuracy from the time alone")
        yield _("blocks"), blocks, _("that could be used")
        yield _("held-out seconds"), f"{v.seconds}", _("each classified by a model that was fitted to other blocks")
    yield _("usable rest"), f"{profile.seconds:.0f} s", _("the baseline with which later readings are compared")
    yield _("repeated blocks"), "; ".join(fitted.recording.repeated) or _("none"), ""


def _facts(fitted: CalibrationResult) -> dict[str, str]:
    profile, own = fitted.profile, fitted.profile.own
    name, sha256 = (own.weights, own.weights_sha256) if own else fitted.weights
    n = len(profile.ch_names)
    electrodes = ngettext("{n} electrode", "{n} electrodes", n).format(n=n)
    return {
        _("montage"): electrodes + ": " + " ".join(profile.ch_names),
        _("reference"): profile.reference,
        _("weights"): f"{name}, {sha256[:12]}",
        _("versions"): ", ".join(
            (f"realtime-mood {__version__}", *(f"{name} {version(name)}" for name in ("numpy", "torch", "matplotlib")))
        ),
        _("recording"): fitted.recording.path.name,
    }


def _labels(fitted: CalibrationResult) -> tuple[str, ...]:
    own = fitted.profile.own
    names = own.labels if own else fitted.recording.protocol.labels
    v = verdict_of(fitted.profile)
    if v is not None and len(v.confusion) != len(names):  # an older profile that was refused does not hold its labels
        return tuple(str(number) for number, _row in enumerate(v.confusion, 1))
    return tuple(map(_, names))


# -- figures ----------------------------------------------------------------------------------------------------


def _figures(fitted: CalibrationResult) -> Iterator[ReportFigure]:
    v, held, labels = verdict_of(fitted.profile), fitted.held, _labels(fitted)
    if v is not None:
        yield _confusion(v, labels)
    if v is not None and held is not None:
        yield _reliability(v, held)
        yield _along_time(fitted, v, held, labels)
    if fitted.attention is not None:
        yield _attention(fitted, fitted.attention, labels)
    quality, size = np.nan_to_num(fitted.recording.quality), (4.9, 4.2) if fitted.recording.answers else None
    yield quality_figure(quality, fitted.profile.ch_names, size=size)
    if fitted.recording.answers:
        yield _self_reports(fitted, labels)


def _confusion(v: ValidationResult, labels: tuple[str, ...]) -> ReportFigure:
    rows = [
        f"{label}: " + ", ".join(f"{share:.0%} {other}" for share, other in zip(row, labels, strict=True))
        for row, label in zip(v.confusion, labels, strict=True)
    ]
    return ReportFigure(
        _("Confusion matrix"),
        partial(pictures.confusion, shares=v.confusion, labels=labels),
        (4.9, 4.6),
        _("Confusion matrix: labels assigned to the held-out seconds of {rows}.").format(rows="; ".join(rows)),
        _(
            "Rows: true label of a block. Columns: label assigned to its held-out seconds, as shares of the row. The "
            "diagonal is correct."
        ),
    )


def _reliability(v: ValidationResult, held: HeldOut) -> ReportFigure:
    return ReportFigure(
        _("Reliability diagram"),
        partial(pictures.reliability, held=held),
        (4.9, 4.6),
        _("Reliability diagram over {n} held-out seconds. Expected calibration error {ece}.").format(
            n=len(held.labels), ece=f"{v.ece:.2f}"
        ),
        _(
            "Above: accuracy of the seconds in each confidence bin. On the dashed line accuracy equals confidence; the "
            "bars show the difference. Below: seconds per bin; bins with few seconds are uncertain."
        ),
    )


def _along_time(fitted: CalibrationResult, v: ValidationResult, held: HeldOut, labels: tuple[str, ...]) -> ReportFigure:
    sfreq, blocks = fitted.recording.person.info.sfreq, fitted.recording.blocks
    known = len(blocks) == int(held.block.max()) + 1  # else some had no usable second, and it is unknown which
    spans = [(b.first / sfreq / 60, b.end / sfreq / 60) for b in blocks] if known else None
    hit = held.logits.argmax(axis=1) == held.labels
    accuracy = [
        f"{labels[int(held.labels[held.block == b][0])]} {hit[held.block == b].mean():.0%}"
        for b in range(int(held.block.max()) + 1)
    ]
    return ReportFigure(
        _("Accuracy over the session"),
        partial(pictures.along_time, held=held, labels=labels, spans=spans, chance=v.chance),
        (10.2, 2.7),
        _("Accuracy of each held-out block, in order of time: {blocks}.").format(blocks=", ".join(accuracy)),
        _(
            "Each bar is a block; its height is the share of its held-out seconds that were classified correctly. "
            "Accuracy should be as high at the end as at the start. A trend suggests drift or poor electrodes."
        ),
        wide=True,
    )


def _attention(fitted: CalibrationResult, maps: np.ndarray, labels: tuple[str, ...]) -> ReportFigure:
    names, bands = fitted.profile.ch_names, fitted.profile.spec.bands
    most = [
        _("{label}: {band} at {electrode}").format(
            label=label, band=list(bands)[where % len(bands)], electrode=names[where // len(bands)]
        )
        for label, where in zip(labels, maps.reshape(len(maps), -1).argmax(axis=1).tolist(), strict=True)
    ]
    return ReportFigure(
        _("Attention of the network"),
        partial(pictures.attention, maps=maps, ch_names=names, labels=labels, bands=bands),
        (10.2, 0.6 + 1.8 * len(labels)),
        _("Attention maps, one row per label and one column per band. Maximum for {maxima}.").format(
            maxima="; ".join(most)
        ),
        _(
            "Heads seen from above: nose up, left ear (L) left, right ear (R) right; dots are electrodes. 1 × is an "
            "equal share of attention for every electrode, red is more, blue less, on one scale for all heads. "
            "Attention shows which input the network used, not which brain area was active; values between electrodes "
            "are interpolated."
        ),
        wide=True,
    )


def _self_reports(fitted: CalibrationResult, labels: tuple[str, ...]) -> ReportFigure:
    answers, blocks = fitted.recording.answers, fitted.recording.blocks
    given = [
        f"{_(b.label)} {answers[b.number][0]:.2f}, {answers[b.number][1]:.2f}" for b in blocks if b.number in answers
    ]
    return ReportFigure(
        _("Self-reports"),
        partial(pictures.self_reports, answers=answers, blocks=blocks, labels=labels),
        (4.9, 4.2),
        _("Self-reports, label and valence, arousal: {answers}.").format(answers="; ".join(given)),
        _(
            "Each mark is the rating of one block: pleasant to the right, high arousal at the top. Where labels are "
            "separated the blocks felt different; where they overlap, the classifier may confuse them."
        ),
    )
