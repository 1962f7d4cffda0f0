"""The page of a calibration: result, figures and their limits, without any other file that it needs.

It is private like the profile beside it: only this user can read it, and it does not name the subject.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from realtime_mood.language import _, number
from realtime_mood.profile import ValidationResult
from realtime_mood.report import pages
from realtime_mood.report.drawing import ReportFigure, quality_figure

from . import pictures
from .verdict import SHUFFLES, HeldOut, advice, reasons

if TYPE_CHECKING:  # fitting needs torch, and a page does without
    from .fit import CalibrationResult

LIBRARIES = ("numpy", "torch" if find_spec("torch") else "onnxruntime", "matplotlib")


def check_place(profile: Path) -> None:
    """Raise `ConfigError` where the page of a profile at this path would take the place of another file."""
    pages.place(profile.with_suffix(".html"), profile, pages.CALIBRATION)


def write_page(fitted: CalibrationResult, profile: Path) -> Path:
    """Write the page beside the profile, readable by this user only, whole or not at all; returns its path.

    A file that has taken its name since `check_place` stays: the page then gets another one.
    """
    path = pages.place(None, profile, pages.CALIBRATION)
    pages.write(path, page(fitted))
    return path


def page(fitted: CalibrationResult) -> str:
    """The page of a fit as HTML."""
    profile, own = fitted.profile, fitted.profile.own
    v, labels = own.verdict if own else profile.refused, _labels(fitted)
    return pages.html(
        "calibration.html", pages.CALIBRATION, dict(_figures(fitted, v, labels)), simulated=profile.virtual,
        fitted=fitted, profile=profile, v=v, made=f"{datetime.fromisoformat(profile.made):%Y-%m-%d %H:%M} UTC",
        reasons="; ".join(reasons(v, _)) or v.text if v else "", n_shuffles=SHUFFLES,
        tips=advice(v, tuple(map(_, fitted.recording.protocol.labels)), _) if v and not own else (),
        blocks=", ".join(f"{n} {label}" for n, label in zip(v.blocks, labels, strict=True)) if v else "",
        weights=(own.weights, own.weights_sha256) if own else fitted.weights,
        libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    )  # fmt: skip


def _labels(fitted: CalibrationResult) -> tuple[str, ...]:
    own, refused = fitted.profile.own, fitted.profile.refused
    names = own.labels if own else fitted.recording.protocol.labels
    if refused and len(refused.confusion) != len(names):  # an older profile that was refused does not hold its labels
        return tuple(str(number) for number, _row in enumerate(refused.confusion, 1))
    return tuple(map(_, names))


def _figures(
    fitted: CalibrationResult, v: ValidationResult | None, labels: tuple[str, ...]
) -> Iterator[tuple[str, ReportFigure]]:
    """The figures that can be drawn, by name."""
    held, profile, recording = fitted.held, fitted.profile, fitted.recording
    if v is not None:
        rows = "; ".join(
            f"{label}: " + ", ".join(f"{share:.0%} {other}" for share, other in zip(row, labels, strict=True))
            for row, label in zip(v.confusion, labels, strict=True)
        )
        draw = partial(pictures.confusion, shares=v.confusion, labels=labels)
        yield "confusion", ReportFigure(draw, (4.9, 4.6), {"rows": rows})
    if v is not None and held is not None:
        details = {"n": str(len(held.labels)), "ece": number(v.ece, ".2f")}
        yield "reliability", ReportFigure(partial(pictures.reliability, held=held), (4.9, 4.6), details)
        yield "along_time", _along_time(fitted, v, held, labels)
    if (maps := fitted.attention) is not None:
        names, bands = profile.ch_names, profile.spec.bands
        places = np.unravel_index(maps.reshape(len(maps), -1).argmax(axis=1), maps.shape[1:])
        most = [
            _("{label}: {band} at {electrode}", label=label, band=list(bands)[b], electrode=names[c])
            for label, c, b in zip(labels, *places, strict=True)
        ]
        draw = partial(pictures.attention, maps=maps, ch_names=names, labels=labels, bands=bands)
        yield "attention", ReportFigure(draw, (10.2, 0.6 + 1.8 * len(labels)), {"maxima": "; ".join(most)})
    answers, blocks = recording.answers, recording.blocks
    size = (4.9, 4.2) if answers else None
    yield "quality", quality_figure(np.nan_to_num(recording.quality), profile.ch_names, size)
    if answers:
        given = [
            _("{label} {valence:.2f}, {arousal:.2f}", label=_(b.label), valence=rating[0], arousal=rating[1])
            for b in blocks
            if (rating := answers.get(b.number))
        ]
        draw = partial(pictures.self_reports, answers=answers, blocks=blocks, labels=labels)
        yield "self_reports", ReportFigure(draw, (4.9, 4.2), {"answers": "; ".join(given)})


def _along_time(fitted: CalibrationResult, v: ValidationResult, held: HeldOut, labels: tuple[str, ...]) -> ReportFigure:
    sfreq, blocks, n_blocks = fitted.recording.person.info.sfreq, fitted.recording.blocks, int(held.block.max()) + 1
    known = len(blocks) == n_blocks  # else some had no usable second, and it is unknown which
    spans = [(b.first / sfreq / 60, b.end / sfreq / 60) for b in blocks] if known else None
    hit = held.logits.argmax(axis=1) == held.labels
    accuracy = ", ".join(
        f"{labels[held.labels[held.block == b][0]]} {hit[held.block == b].mean():.0%}" for b in range(n_blocks)
    )
    draw = partial(pictures.along_time, held=held, labels=labels, spans=spans, chance=v.chance)
    return ReportFigure(draw, (10.2, 2.7), {"blocks": accuracy})
