"""Turns the run's counts and delays into the numbers along the bottom of a screen: what a sample passes, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..dsp.filters import band_delay_s
from ..dsp.spec import BANDS
from ..health import Health, Output
from ..types import Estimate, Marker, Reading
from .words import StyledText

MAX_AGE_MS = 1000.0  # an older newest sample is worth a warning
SLOW_MS = 500.0
SLOW_BEAT_MS = 100.0  # a longer wait between two frames can be seen
DROPPED_FIRST = ("samples", "markers", "context", "filters", "readings", "longest wait", "paint")
"""Where there is no room for all, the first of these go first."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How the window itself is doing."""

    paint_ms: tuple[float, float] | None = None
    """Median and 95th percentile of what a frame takes."""
    heartbeat_ms: float | None = None
    """The longest wait between two frames of the last half minute."""


def strip(
    health: Health, readings: Sequence[Reading], markers: Sequence[Marker], timing: Timing
) -> tuple[tuple[str, StyledText], ...]:
    """Name and value of each, left to right: the way of a sample first, then what was lost on it."""
    age, lat = health.sample_age_ms, health.latency
    late = "ok" if lat is None or lat.p95 < SLOW_MS else "warn"
    nothing, paint, info = StyledText("–", "dim"), timing.paint_ms, health.info
    delay_ms = 1000 * band_delay_s(BANDS["alpha"], info.sfreq) if info else 0.0
    sent = () if not health.outputs else (("outputs", _outputs(health.outputs)),)
    return (
        (
            "newest sample",
            nothing if age is None else StyledText(_ms(age), "warn" if age > MAX_AGE_MS else "text", AGE),
        ),
        ("filters", nothing if info is None else StyledText(f"{delay_ms:.0f} ms", "text", DELAY)),
        ("context", _context(health, readings)),
        ("to reading", nothing if lat is None else StyledText(f"{lat.p50:.0f} / {lat.p95:.0f} ms", late, READ)),
        ("paint", nothing if paint is None else StyledText(f"{paint[0]:.0f} / {paint[1]:.0f} ms", "text", PAINT)),
        ("longest wait", _beat(timing.heartbeat_ms)),
        ("readings", StyledText(f"{_rate(readings):.1f} /s")),
        (
            "skipped",
            StyledText(f"{health.skipped:,}", "warn" if health.skipped else "text", "readings that were never made"),
        ),
        ("lost", _lost(health)),
        *sent,
        ("samples", StyledText(f"{health.samples:,}")),
        (
            "markers",
            StyledText(f"{len(markers)}", "text", "\n".join(m.text for m in markers[-5:]) or "keys 1 to 9 set one"),
        ),
    )


AGE = "age of the newest sample at the last reading"
DELAY = "by how much the filters delay the alpha band"
READ = "from the arrival of a window's last sample to its reading: median / 95 %"
PAINT = "what one frame of this window takes: median / 95 %"
BEAT = "the longest wait between two frames of the last half minute"


def _context(health: Health, readings: Sequence[Reading]) -> StyledText:
    last = next((r for r in reversed(readings[-8:]) if isinstance(r, Estimate)), None)
    if last is None or health.info is None:
        return StyledText("–", "dim")
    return StyledText(f"{(last.end - last.first) / health.info.sfreq:.0f} s", "text", "of signal in each estimate")


def _outputs(outputs: Sequence[Output]) -> StyledText:
    """How many places readings go to, and what they missed."""
    dropped = sum(it.dropped for it in outputs)
    troubled = dropped or any(it.trouble for it in outputs)
    tip = "\n".join(map(_told, outputs))
    return StyledText(
        f"{len(outputs)}" + (f", {dropped:,} dropped" if dropped else ""), "warn" if troubled else "text", tip
    )


def _told(it: Output) -> str:
    who = "" if it.receivers is None else f", {it.receivers} listen"
    return f"{it.name}: {it.sent:,} sent, {it.dropped:,} dropped{who}" + (f" · {it.trouble}" if it.trouble else "")


def _beat(ms: float | None) -> StyledText:
    return StyledText("–", "dim") if ms is None else StyledText(_ms(ms), "warn" if ms > SLOW_BEAT_MS else "text", BEAT)


def _lost(health: Health) -> StyledText:
    share = 100 * health.lost / max(1, health.samples + health.lost)
    return StyledText(f"{health.lost:,} ({share:.2f} %)", "warn" if health.lost else "text", "samples that never came")


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _rate(readings: Sequence[Reading]) -> float:
    """Readings a second over the last ten."""
    last = np.array([r.t_last for r in readings[-41:]])
    return (len(last) - 1) / float(last[-1] - last[0]) if len(last) > 1 and last[-1] > last[0] else 0.0
