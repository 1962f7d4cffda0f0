"""The terminal view: what it prints, and that it fits."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from rich.console import Console

from realtime_mood import montage
from realtime_mood.body.history import BodyHistory
from realtime_mood.cli import terminal
from realtime_mood.errors import SourceLost
from realtime_mood.health import Health, Latency, State
from realtime_mood.types import Abstained, Estimate, Fault, Marker, Quality, Reading, Readout, StreamInfo, Why

EMOTION3 = Readout("emotion3", ("negative", "neutral", "positive"), ((-1, 0), (0, 0), (1, 0)), "virtual")


class StillEngine:
    """What the terminal may ask of an engine."""

    def __init__(self, n_chans: int, *readings: Reading) -> None:
        info = StreamInfo(tuple(montage.SPREAD[:n_chans]), 100.0, virtual=True)
        self.health = Health(State.LIVE, info, 123_456, 10, 400, 0, Latency(20, 40, 60), 12.0)
        self.history, self.latest = readings, readings[-1]
        self.markers = (Marker(0, "neutral"), Marker(4000, "positive"))
        self.body = BodyHistory()
        self.done = threading.Event()
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")
        if self.health.fault:
            raise self.health.fault

    def readings(self) -> tuple[Reading, ...]:
        return self.history


def estimate(n_chans: int, end_s: float = 60.0, faults: int = 0) -> Estimate:
    quality = Quality(
        np.r_[np.zeros(faults), np.ones(n_chans - faults)],
        (Fault.DECORRELATED,) * faults + (None,) * (n_chans - faults),
    )
    attention = np.full((n_chans, 5), 1 / n_chans)
    return Estimate(EMOTION3, (0.1, 0.2, 0.7), 0.7, attention, quality, 1.0, False, 0, round(100 * end_s), 100 + end_s)


def printed(engine: StillEngine, width: int = 80, height: int = 24, **how) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, **how)
    console.print(terminal.picture(terminal.look(engine), height))
    return out.getvalue()


def test_the_words_of_the_window():
    text = printed(StillEngine(8, estimate(8)))
    assert "SIMULATED  not calibrated" in text
    assert "Signal good on all 8 electrodes" in text
    assert "positive █" in text
    assert " 70 %" in text
    assert "lost 10 (0.01 %)" in text
    assert "\x1b" not in text  # no colour where there is no terminal


def test_no_answer_is_a_reason_and_no_number():
    text = printed(StillEngine(8, estimate(8), Abstained(Why.GAP, 0, 6025, 160.25, EMOTION3)))
    assert "samples lost" in text
    assert "70 %" not in text


@pytest.mark.parametrize("n_chans", [4, 32, 64])
@pytest.mark.parametrize("faults", [0, 4])
def test_it_fits_80_by_24(n_chans, faults):
    line = [estimate(n_chans, t, faults) for t in np.arange(10, 60, 0.25)]
    lines = printed(StillEngine(n_chans, *line)).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert any("samples" in text for text in lines[-2:])


def test_run_ends_when_the_engine_does():
    engine = StillEngine(8, estimate(8))
    engine.done.set()
    out = io.StringIO()
    terminal.run(engine, Console(file=out, width=80, height=24))
    assert "positive" in out.getvalue()
    assert engine.calls == ["start", "stop"]


def test_run_raises_the_fault_of_the_run():
    engine = StillEngine(8, estimate(8))
    engine.health = Health(State.FAILED, fault=SourceLost("lsl://Cap", "gone", "switch it on"))
    engine.done.set()
    with pytest.raises(SourceLost, match="switch it on"):
        terminal.run(engine, Console(file=io.StringIO()))


def test_run_prints_changes_only_where_there_is_no_terminal():
    engine = StillEngine(8, estimate(8))
    looks = iter([False, False, True])
    engine.done.wait = lambda timeout: next(looks)
    out = io.StringIO()
    terminal.run(engine, Console(file=out, width=80, height=24))
    assert out.getvalue().count("Live · SIMULATED") == 1


def test_run_on_a_terminal_and_ctrl_c():
    engine = StillEngine(8, estimate(8))
    looks = iter([False, False])

    def wait(timeout: float) -> bool:
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    engine.done.wait = wait
    out = io.StringIO()
    terminal.run(engine, Console(file=out, width=80, height=24, force_terminal=True, color_system="standard"))
    assert engine.calls == ["start", "stop"]
    assert "\x1b[" in out.getvalue()
    assert "SIMULATED" in out.getvalue()
