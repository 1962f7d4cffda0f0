"""The status line: delays in the order in which a sample meets them, then losses and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..dsp.filters import band_delay_s
from ..dsp.spec import BANDS
from ..health import AuxState, Health, Output, State
from ..language import N_, _, current, ngettext, number
from ..types import Estimate, Marker, Reading
from .notes import translated
from .words import STATE_WORDS, StyledText

MAX_AGE_MS = 1000.0  # the newest sample should be no older
SLOW_MS = 500.0
SLOW_BEAT_MS = 100.0  # a longer wait between two frames is visible
# if there is not enough room, these are hidden, the first one first
DROPPED_FIRST = ("samples", "markers", "context", "filters", "readings", "longest wait", "paint")
NOTHING = StyledText("–", "dim")


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast the window itself is."""

    paint_ms: tuple[float, float] | None = None  # median and 95th percentile of the time per frame
    heartbeat_ms: float | None = None  # the longest wait between two frames of the last half minute


def strip(
    health: Health, readings: Sequence[Reading], markers: Sequence[Marker], timing: Timing
) -> tuple[tuple[str, StyledText], ...]:
    """Name (translated where it is shown) and value of each number, left to right."""
    info, lat, paint, lost = health.info, health.latency, timing.paint_ms, health.lost
    last = next((r for r in reversed(readings[-8:]) if isinstance(r, Estimate)), None)
    filters = context = to_reading = painting = NOTHING
    if info is not None:
        delay_ms = 1000 * band_delay_s(BANDS["alpha"], info.sfreq)
        filters = StyledText(f"{delay_ms:.0f} ms", "text", _("delay of the alpha band by the filters"))
        if last is not None:
            context = StyledText(f"{(last.end - last.first) / info.sfreq:.0f} s", "text", _("signal in each estimate"))
    if lat is not None:
        tip = _("from the arrival of a window's last sample to its reading: median / 95th percentile")
        to_reading = StyledText(f"{lat.p50:.0f} / {lat.p95:.0f} ms", "ok" if lat.p95 < SLOW_MS else "warn", tip)
    if paint is not None:
        tip = _("time to paint one frame of this window: median / 95th percentile")
        painting = StyledText(f"{paint[0]:.0f} / {paint[1]:.0f} ms", "text", tip)
    beat_tip = _("longest wait between two frames in the last half minute")
    share = number(100 * lost / max(1, health.samples + lost), ".2f")
    newest = "\n".join(m.text for m in markers[-5:])
    cells = {
        N_("newest sample"): _age(health.sample_age_ms, MAX_AGE_MS, _("age of the newest sample at the last reading")),
        N_("filters"): filters,
        N_("context"): context,
        N_("to reading"): to_reading,
        N_("paint"): painting,
        N_("longest wait"): _age(timing.heartbeat_ms, SLOW_BEAT_MS, beat_tip),
        N_("readings"): StyledText(f"{number(_rate(readings), '.1f')} /s"),
        N_("skipped"): _count(health.skipped, "", _("readings that were not computed")),
        N_("lost"): _count(lost, f" ({share} %)", _("samples that never arrived")),
        N_("outputs"): _outputs(health.outputs),
        N_("streams"): _streams(health.streams),
        N_("samples"): StyledText(number(health.samples, ",")),
        N_("markers"): StyledText(f"{len(markers)}", "text", newest or _("keys 1 to 9 set a marker")),
    }
    return tuple((name, cell) for name, cell in cells.items() if cell is not None)


def _age(ms: float | None, most_ms: float, tip: str) -> StyledText:
    if ms is None:
        return NOTHING
    text = f"{ms:.0f} ms" if ms < 1000 else f"{number(ms / 1000, '.1f')} s"
    return StyledText(text, "warn" if ms > most_ms else "text", tip)


def _count(n: int, more: str, tip: str) -> StyledText:
    """A number that should be zero."""
    return StyledText(number(n, ",") + more, "warn" if n else "text", tip)


def _outputs(outputs: Sequence[Output]) -> StyledText | None:
    """How many outputs there are, and how many readings they dropped."""
    if not outputs:
        return None
    dropped = sum(output.dropped for output in outputs)
    troubled = dropped or any(output.trouble for output in outputs)
    text = _("{n}, {dropped:,} dropped", n=len(outputs), dropped=dropped) if dropped else f"{len(outputs)}"
    return StyledText(text, "warn" if troubled else "text", "\n".join(map(_output, outputs)))


def _output(output: Output) -> str:
    values = {"name": output.name, "sent": output.sent, "dropped": output.dropped, "receivers": output.receivers}
    if output.receivers is None:
        line = _("{name}: {sent:,} sent, {dropped:,} dropped", **values)
    else:
        line = ngettext(
            "{name}: {sent:,} sent, {dropped:,} dropped, {receivers} receiver",
            "{name}: {sent:,} sent, {dropped:,} dropped, {receivers} receivers",
            output.receivers,
            **values,
        )
    return f"{line} · {translated(output.trouble)}" if output.trouble else line


def _streams(streams: Sequence[AuxState]) -> StyledText | None:
    """How many streams there are beside the EEG, and how many of them send nothing."""
    if not streams:
        return None
    away = sum(stream.state is not State.LIVE for stream in streams)
    text = _("{n}, {away} not live", n=len(streams), away=away) if away else f"{len(streams)}"
    return StyledText(text, "warn" if away else "text", "\n".join(map(stream_line, streams)))


def stream_line(stream: AuxState) -> str:
    """State, measured rate, age and losses of one stream beside the EEG."""
    return _stream_line(stream, current())


@lru_cache(maxsize=256)  # a state changes four times a second, and is shown thirty times
def _stream_line(stream: AuxState, _language: str) -> str:
    name, state = stream.name or stream.url, _(STATE_WORDS[stream.state])
    if stream.age_s is None:
        return f"{name}: {state}"
    rate = "–" if stream.rate_hz is None else number(stream.rate_hz, ".1f")
    return _(
        "{name}: {state}, {rate} Hz, newest {age} s ago, {samples:,} samples, {lost:,} lost",
        name=name, state=state, rate=rate, age=number(stream.age_s, ".1f"), samples=stream.samples, lost=stream.lost,
    )  # fmt: skip


def _rate(readings: Sequence[Reading]) -> float:
    """Readings per second over the last 40."""
    last = np.array([r.t_last for r in readings[-41:]])
    return (len(last) - 1) / float(last[-1] - last[0]) if len(last) > 1 and last[-1] > last[0] else 0.0
