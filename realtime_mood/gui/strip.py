"""Turns the run's counts and delays into the numbers along the bottom of a screen."""

from __future__ import annotations

from collections.abc import Sequence

from ..health import Health
from ..types import Marker, Reading
from .words import Say

MAX_AGE_MS = 1000.0  # an older newest sample is worth a warning
SLOW_MS = 500.0


def strip(health: Health, readings: Sequence[Reading], markers: Sequence[Marker]) -> tuple[tuple[str, Say], ...]:
    """Name and value of each, left to right."""
    age, lat = health.sample_age_ms, health.latency
    total = health.samples + health.lost
    late = "ok" if lat is None or lat.p95 < SLOW_MS else "warn"
    return (
        ("newest sample", Say("–", "dim") if age is None else Say(_ms(age), "warn" if age > MAX_AGE_MS else "text")),
        (
            "latency",
            Say("–", "dim") if lat is None else Say(f"{lat.p50:.0f} / {lat.p95:.0f} ms", late, "median / 95 %"),
        ),
        ("readings", Say(f"{_rate(readings):.1f} /s")),
        ("skipped", Say(f"{health.skipped:,}", "warn" if health.skipped else "text")),
        (
            "lost",
            Say(f"{health.lost:,} ({100 * health.lost / max(1, total):.2f} %)", "warn" if health.lost else "text"),
        ),
        ("samples", Say(f"{health.samples:,}")),
        ("markers", Say(f"{len(markers)}", "text", "\n".join(m.text for m in markers[-5:]) or "keys 1 to 9 set one")),
    )


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _rate(readings: Sequence[Reading]) -> float:
    """Readings a second over the last ten."""
    last = [r.t_last for r in readings[-41:]]
    return (len(last) - 1) / (last[-1] - last[0]) if len(last) > 1 and last[-1] > last[0] else 0.0
