"""Turns what a fit came to into one page that explains itself: a file that needs no network, script or other file.

It is private like the profile beside it: only this user can read it, and it says nothing of who sat.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from realtime_mood.files import write_private
from realtime_mood.profile import Profile, ValidationResult
from realtime_mood.report.drawing import GOOD_SHARE, MANY, quality
from realtime_mood.report.skeleton import ReportFigure, figure, skeleton, table

from . import pictures
from .verdict import HeldOut

if TYPE_CHECKING:  # fitting needs torch, and a page does without
    from .fit import CalibrationResult

LIMITS = (
    "This is not a medical device. It does not diagnose, and it is not for judging people at work or at school.",
    "What is said of a readout was found on blocks that it was not fitted on: of one person, one cap, one sitting. On "
    "another day it may be less.",
    "A readout tells the blocks of its protocol apart. Whether a block felt as its label says, only the person who sat "
    "through it can tell.",
)


def write_page(fitted: CalibrationResult, path: Path) -> None:
    """Write the page of a fit: a file that only this user can read, whole or not at all."""
    write_private(path, page(fitted).encode())


def page(fitted: CalibrationResult) -> str:
    """The page as HTML."""
    profile, protocol = fitted.profile, fitted.sat.protocol
    made = f"{datetime.fromisoformat(profile.made):%Y-%m-%d %H:%M} UTC"
    badge = '<p class="badge">VIRTUAL PERSON</p>' if profile.virtual else ""
    title, about = escape(protocol.title), escape(protocol.about)
    shown = "".join(figure(f"p{i}", picture) for i, picture in enumerate(_pictures(fitted)))
    return skeleton(
        f"{protocol.title} · {made}",
        f'<header>{badge}<h1>{title}</h1><p class="about">Calibration of {made} · {about}</p></header>'
        f"\n<main>\n{_verdict(fitted)}\n<h2>In figures</h2>\n<table>{_table(fitted)}</table>\n"
        f'<h2>In pictures</h2>\n<div class="pictures">{shown}</div>\n</main>\n{_footer(fitted)}',
    )


def verdict_of(profile: Profile) -> ValidationResult | None:
    """What was found of the person's own readout, whether it passed or not; None where none was tried."""
    return profile.own.verdict if profile.own else profile.refused


def sentence(profile: Profile) -> str:
    """The verdict, plainly."""
    v = verdict_of(profile)
    if v is None:
        return f"A baseline was made of {profile.seconds:.0f} seconds of usable rest."
    if not profile.own:
        return f"No readout of your own could be made: {v.text}."
    low, high = v.interval
    return (
        f"Your own readout was accepted: on blocks it was not fitted on, its balanced accuracy is "
        f"{v.balanced_accuracy:.2f} (95 % interval {low:.2f} to {high:.2f}), where chance is {v.chance:.2f}."
    )


# -- words and figures ------------------------------------------------------------------------------------------


def _verdict(fitted: CalibrationResult) -> str:
    v = verdict_of(fitted.profile)
    more = ""
    if v is not None and not v.passed:
        items = "".join(f"<li>{escape(line)}</li>" for line in v.advice)
        kept = "The baseline was kept, and everything that needs no readout of your own works with it."
        more = f"<p>{kept}</p>" + (f"<p>What to try next:</p><ul>{items}</ul>" if items else "")
    if v is not None and fitted.held is None:
        more += "<p>That was found in an earlier sitting; this one renewed the baseline.</p>"
    kind = "verdict" if v is None or v.passed else "verdict refused"
    return f'<section class="{kind}"><p>{escape(sentence(fitted.profile))}</p>{more}</section>'


def _rows(fitted: CalibrationResult) -> Iterator[tuple[str, str, str]]:
    """What, how much, and what that means."""
    profile, v = fitted.profile, verdict_of(fitted.profile)
    if v is not None:
        low, high = v.interval
        labels = _labels(fitted)
        blocks = ", ".join(f"{n} {label}" for n, label in zip(v.blocks, labels, strict=True))
        yield (
            "balanced accuracy", f"{v.balanced_accuracy:.2f} [{low:.2f}, {high:.2f}]",
            "on held-out blocks, every label counting alike; the 95 % interval is over blocks",
        )  # fmt: skip
        yield "chance", f"{v.chance:.2f}", "what guessing gives"
        yield "p by shuffled blocks", f"{v.p:.3f}", "how often it does as well when blocks swap their labels"
        yield "expected calibration error", f"{v.ece:.2f}", "how far what it says of its sureness is off, on average"
        yield "time alone", f"{v.time_only:.2f}", "balanced accuracy of a control that is told only when a second was"
        yield "blocks", blocks, "that could be used"
        yield "seconds held out", f"{v.seconds}", "each judged by what was fitted on other blocks"
    yield "seconds of usable rest", f"{profile.seconds:.0f}", "what everything is compared with"


def _table(fitted: CalibrationResult) -> str:
    repeated = fitted.sat.repeated
    why = "<br>".join(map(escape, repeated)) if repeated else "none"
    return table(_rows(fitted)) + f'<tr><th scope="row">done anew, and why</th><td colspan="2">{why}</td></tr>'


def _footer(fitted: CalibrationResult) -> str:
    profile, own = fitted.profile, fitted.profile.own
    name, sha256 = (own.weights, own.weights_sha256) if own else fitted.weights
    facts = {
        "montage": f"{len(profile.ch_names)} electrodes: {' '.join(profile.ch_names)}",
        "reference": profile.reference,
        "weights": f"{name}, {sha256[:12]}",
        "versions": ", ".join(f"{name} {version(name)}" for name in ("realtime-mood", "numpy", "torch", "matplotlib")),
        "recording": fitted.sat.path.name,
    }
    told = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return f"<footer><dl>{told}</dl>{''.join(f'<p>{line}</p>' for line in LIMITS)}</footer>"


def _labels(fitted: CalibrationResult) -> tuple[str, ...]:
    own = fitted.profile.own
    return own.labels if own else fitted.sat.protocol.labels


# -- pictures ---------------------------------------------------------------------------------------------------


def _pictures(fitted: CalibrationResult) -> Iterator[ReportFigure]:
    v, held, labels = verdict_of(fitted.profile), fitted.held, _labels(fitted)
    if v is not None:
        yield _confusion(v, labels)
    if v is not None and held is not None:
        yield _reliability(v, held)
        yield _along_time(fitted, v, held, labels)
    if fitted.attention is not None:
        yield _attention(fitted, fitted.attention, labels)
    yield _quality(fitted)
    if fitted.sat.answers:
        yield _self_reports(fitted, labels)


def _confusion(v: ValidationResult, labels: tuple[str, ...]) -> ReportFigure:
    rows = [
        f"of {label}: " + ", ".join(f"{share:.0%} {other}" for share, other in zip(row, labels, strict=True))
        for row, label in zip(v.confusion, labels, strict=True)
    ]
    return ReportFigure(
        "What was taken for what", partial(pictures.confusion, shares=v.confusion, labels=labels), (4.9, 4.6),
        f"Confusion matrix. What seconds were taken for, {'; '.join(rows)}.",
        "Each row is what a block was, each column what its held-out seconds were taken for, in shares of the row. "
        "The diagonal, from the upper left, is what was right.",
    )  # fmt: skip


def _reliability(v: ValidationResult, held: HeldOut) -> ReportFigure:
    return ReportFigure(
        "How far its sureness can be believed", partial(pictures.reliability, held=held), (4.9, 4.6),
        f"Reliability diagram over {len(held.labels)} held-out seconds. Expected calibration error {v.ece:.2f}.",
        "Above: seconds of like sureness, and how many of them were right. On the dashed line it is as often right as "
        "it says; the bars show how far off it is. Below: how many seconds each point rests on; few say little.",
    )  # fmt: skip


def _along_time(fitted: CalibrationResult, v: ValidationResult, held: HeldOut, labels: tuple[str, ...]) -> ReportFigure:
    sfreq, blocks = fitted.sat.person.info.sfreq, fitted.sat.blocks
    known = len(blocks) == int(held.block.max()) + 1  # else some had no usable second, and which is not told
    spans = [(b.first / sfreq / 60, b.end / sfreq / 60) for b in blocks] if known else None
    hit = held.logits.argmax(axis=1) == held.labels
    told = [
        f"{labels[int(held.labels[held.block == b][0])]} {hit[held.block == b].mean():.0%}"
        for b in range(int(held.block.max()) + 1)
    ]
    return ReportFigure(
        "Right and wrong along the sitting",
        partial(pictures.along_time, held=held, labels=labels, spans=spans, chance=v.chance), (10.2, 2.7),
        f"Share of each held-out block's seconds that were right, in the order they came: {', '.join(told)}.",
        "Each bar is a block; its height is the share of its seconds that were right when it was held out. A good "
        "readout is right early and late. Bars that shrink or grow with time speak of drift or of poor electrodes.",
        wide=True,
    )  # fmt: skip


def _attention(fitted: CalibrationResult, maps: np.ndarray, labels: tuple[str, ...]) -> ReportFigure:
    names, bands = fitted.profile.ch_names, fitted.profile.spec.bands
    most = [
        f"for {label} most in {list(bands)[where % len(bands)]} at {names[where // len(bands)]}"
        for label, where in zip(labels, maps.reshape(len(maps), -1).argmax(axis=1).tolist(), strict=True)
    ]
    draw = partial(pictures.attention, maps=maps, ch_names=names, labels=labels, bands=bands)
    return ReportFigure(
        "Where the network looked", draw, (10.2, 0.6 + 1.8 * len(labels)),
        f"Attention on heads seen from above, a row a label and a column a band: {'; '.join(most)}.",
        "Heads seen from above: the nose is up, the left ear (L) left, the right ear (R) right; dots are electrodes. "
        "1 × is an even share of the network's attention among electrodes, red is more, blue less, on one scale for "
        "all heads. It shows where the network looked, not where the brain was active; between electrodes it is "
        "filled in.",
        wide=True,
    )  # fmt: skip


def _quality(fitted: CalibrationResult) -> ReportFigure:
    names, share = fitted.profile.ch_names, np.nan_to_num(fitted.sat.quality)
    worst = ", ".join(f"{names[i]} {share[i]:.0%}" for i in np.argsort(share, kind="stable")[:5])
    many, alone = len(names) > MANY, not fitted.sat.answers
    wide = many or alone
    return ReportFigure(
        "How good the electrodes were", partial(quality, share=share, ch_names=names),
        (10.2, 2.8) if wide else (4.9, 4.2),
        f"Share of the time that each electrode was good, the worst first: {worst}.",
        f"The worst electrode comes first. One below the dashed line ({GOOD_SHARE:.0%}, hatched) is worth "
        "mending before the next sitting.",
        wide=wide,
    )  # fmt: skip


def _self_reports(fitted: CalibrationResult, labels: tuple[str, ...]) -> ReportFigure:
    answers, blocks = fitted.sat.answers, fitted.sat.blocks
    told = [f"{b.label} {answers[b.number][0]:.2f}, {answers[b.number][1]:.2f}" for b in blocks if b.number in answers]
    return ReportFigure(
        "What was said of the blocks",
        partial(pictures.self_reports, answers=answers, blocks=blocks, labels=labels), (4.9, 4.2),
        f"Self-reports, label and valence, arousal: {'; '.join(told)}.",
        "Each mark is a block, by what was said of it: pleasant to the right, stirred up above. Where labels lie apart "
        "the blocks felt different; where they mix, so may the readout.",
    )  # fmt: skip
