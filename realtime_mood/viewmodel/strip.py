"""The status line: delays in the order in which a sample meets them, then losses and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..dsp.filters import band_delay_s
from ..dsp.spec import BANDS
from ..health import Health, Output
from ..language import N_, _, ngettext
from ..types import Estimate, Marker, Reading
from .words import StyledText

MAX_AGE_MS = 1000.0  # the newest sample should be no older
SLOW_MS = 500.0
SLOW_BEAT_MS = 100.0  # a longer wait between two frames is visible
DROPPED_FIRST = ("samples", "markers", "context", "filters", "readings", "longest wait", "paint")
"""If there is not enough room, these are hidden, the first one first."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast the window itself is."""

    paint_ms: tuple[float, float] | None = None
    """Median and 95th percentile of the time per frame."""
    heartbeat_ms: float | None = None
    """The longest wait between two frames of the last half minute."""


def strip(
    health: Health, readings: Sequence[Reading], markers: Sequence[Marker], timing: Timing
) -> tuple[tuple[str, StyledText], ...]:
    """Name (translated where it is shown) and value of each number, left to right."""
    age, lat = health.sample_age_ms, health.latency
    late = "ok" if lat is None or lat.p95 < SLOW_MS else "warn"
    nothing, paint, info = StyledText("–", "dim"), timing.paint_ms, health.info
    delay_ms = 1000 * band_delay_s(BANDS["alpha"], info.sfreq) if info else 0.0
    sent = () if not health.outputs else (("outputs", _outputs(health.outputs)),)
    return (
        (
            "newest sample",
            nothing if age is None else StyledText(_ms(age), "warn" if age > MAX_AGE_MS else "text", _(AGE)),
        ),
        ("filters", nothing if info is None else StyledText(f"{delay_ms:.0f} ms", "text", _(DELAY))),
        ("context", _context(health, readings)),
        ("to reading", nothing if lat is None else StyledText(f"{lat.p50:.0f} / {lat.p95:.0f} ms", late, _(READ))),
        ("paint", nothing if paint is None else StyledText(f"{paint[0]:.0f} / {paint[1]:.0f} ms", "text", _(PAINT))),
        ("longest wait", _beat(timing.heartbeat_ms)),
        ("readings", StyledText(f"{_rate(readings):.1f} /s")),
        (
            "skipped",
            StyledText(f"{health.skipped:,}", "warn" if health.skipped else "text", _(SKIPPED)),
        ),
        ("lost", _lost(health)),
        *sent,
        ("samples", StyledText(f"{health.samples:,}")),
        (
            "markers",
            StyledText(f"{len(markers)}", "text", "\n".join(m.text for m in markers[-5:]) or _(KEYS)),
        ),
    )


NAMES = (
    N_("newest sample"), N_("filters"), N_("context"), N_("to reading"), N_("paint"), N_("longest wait"),
    N_("readings"), N_("skipped"), N_("lost"), N_("outputs"), N_("samples"), N_("markers"),
)  # fmt: skip
AGE = N_("age of the newest sample at the last reading")
DELAY = N_("delay of the alpha band by the filters")
CONTEXT = N_("signal in each estimate")
READ = N_("from the arrival of a window's last sample to its reading: median / 95th percentile")
PAINT = N_("time to paint one frame of this window: median / 95th percentile")
BEAT = N_("longest wait between two frames in the last half minute")
SKIPPED = N_("readings that were not computed")
LOST = N_("samples that never arrived")
KEYS = N_("keys 1 to 9 set a marker")


def _context(health: Health, readings: Sequence[Reading]) -> StyledText:
    last = next((r for r in reversed(readings[-8:]) if isinstance(r, Estimate)), None)
    if last is None or health.info is None:
        return StyledText("–", "dim")
    return StyledText(f"{(last.end - last.first) / health.info.sfreq:.0f} s", "text", _(CONTEXT))


def _outputs(outputs: Sequence[Output]) -> StyledText:
    """How many outputs there are, and how many readings they dropped."""
    dropped = sum(it.dropped for it in outputs)
    troubled = dropped or any(it.trouble for it in outputs)
    tip = "\n".join(map(_output, outputs))
    text = _("{n}, {dropped:,} dropped") if dropped else "{n}"
    return StyledText(text.format(n=len(outputs), dropped=dropped), "warn" if troubled else "text", tip)


def _output(it: Output) -> str:
    if it.receivers is None:
        text = _("{name}: {sent:,} sent, {dropped:,} dropped")
    else:
        text = ngettext(
            "{name}: {sent:,} sent, {dropped:,} dropped, {receivers} receiver",
            "{name}: {sent:,} sent, {dropped:,} dropped, {receivers} receivers",
            it.receivers,
        )
    line = text.format(name=it.name, sent=it.sent, dropped=it.dropped, receivers=it.receivers)
    return f"{line} · {it.trouble}" if it.trouble else line


def _beat(ms: float | None) -> StyledText:
    return (
        StyledText("–", "dim") if ms is None else StyledText(_ms(ms), "warn" if ms > SLOW_BEAT_MS else "text", _(BEAT))
    )


def _lost(health: Health) -> StyledText:
    share = 100 * health.lost / max(1, health.samples + health.lost)
    return StyledText(f"{health.lost:,} ({share:.2f} %)", "warn" if health.lost else "text", _(LOST))


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _rate(readings: Sequence[Reading]) -> float:
    """Readings per second over the last 40."""
    last = np.array([r.t_last for r in readings[-41:]])
    return (len(last) - 1) / float(last[-1] - last[0]) if len(last) > 1 and last[-1] > last[0] else 0.0
