"""Soak test, an hour of a failing headset: memory, samples accounted for, readings (``make soak``).

The real program runs on a 32-channel virtual headset at ten times real time, with random faults and a recording, and
what it holds is looked at once a second. Nothing is stubbed: the network reads, the recorder writes.

Memory is looked at in three ways, and nothing is done to it (`malloc_trim` would make the first look better than so):
what the system lends (RSS), what of malloc's is in use, and how many small objects Python has. A leak raises the second
or the third with stream time; RSS goes up and down by some 10 MB as malloc keeps or returns what is free.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pyxdf

import app
from benchmarks.rig import table
from realtime_mood.cli.config import resolve
from realtime_mood.health import Emission, Health
from realtime_mood.run.engine import Engine
from realtime_mood.types import Abstained, Why


class Held(NamedTuple):
    """What the program holds at one moment."""

    at_s: float
    """Wall time since it began."""
    rss_mb: float
    in_use_mb: float
    """Of malloc's memory, without what it keeps free; NaN where the C library does not say."""
    blocks: int
    """Python's small objects: up to 512 bytes each, in memory of Python's own."""


class _MallInfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in _names.split()]


def in_use_mb() -> float:
    """What is in use of all that malloc has, in its heaps and mapped for one block; NaN without glibc 2.33."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):  # another C library; Windows
        return float("nan")
    mallinfo2.restype = _MallInfo
    seen = mallinfo2()
    return (seen.uordblks + seen.hblkhd) / 1e6


def growth(held: list[Held]) -> dict[str, float]:
    """How memory grew over the last two thirds, when rings and queues have their size.

    By a line through all of it; for RSS also the medians of the last tenth and of the tenth at the beginning.
    """
    rows = np.array([row for row in held if row.at_s >= held[-1].at_s / 3])
    at, lasted, tenth = rows[:, 0], np.ptp(rows[:, 0]), max(1, len(rows) // 10)
    rss, in_use, blocks = (float(np.polyfit(at - at[0], column, 1)[0] * lasted) for column in rows[:, 1:].T)
    return {
        "rss_growth_mb": round(rss, 2),
        "rss_end_minus_warm_mb": round(float(np.median(rows[-tenth:, 1]) - np.median(rows[:tenth, 1])), 2),
        "in_use_growth_mb": round(in_use, 2),
        "blocks_growth": round(blocks),
        "rss_mb": round(float(rows[-1, 1]), 1),
        "in_use_mb": round(float(rows[-1, 2]), 1),
    }


class Tally:
    """A sink that counts what the readings said, in no memory to speak of."""

    def __init__(self) -> None:
        self.estimates, self.why = 0, dict.fromkeys(Why, 0)

    def put(self, emission: Emission) -> None:
        if isinstance(emission.reading, Abstained):
            self.why[emission.reading.why] += 1
        else:
            self.estimates += 1

    def close(self, health: Health) -> None:
        pass


def soak(hours: float, speed: float, seed: int, folder: Path) -> dict:
    """Run, watch, and give what was seen."""
    stream_s = 3600 * hours
    url = f"synthetic://?n_chans=32&subject={90000 + seed}&speed={speed:g}&faults=random:{seed}"
    config = resolve({"source": url, "seconds": stream_s, "record": folder / "soak.xdf"})
    tally = Tally()
    engine = app.make_engine(config, [tally], give_up_s=None)
    source = engine.source
    engine.start()
    held = watch(engine, stream_s / speed)
    engine.stop()
    health, truth = engine.health, source.truth  # type: ignore[attr-defined]  # of a synthetic source
    total = health.samples + health.lost  # the headset itself is a little ahead of what was asked for
    lost = sum(max(0, min(end, total) - first) for first, end in (*truth.lost, *truth.unheard))
    recorded, _ = pyxdf.load_xdf(str(folder / "soak.xdf"), select_streams=[{"type": "EEG"}])
    stamps = recorded[0]["time_stamps"]
    return {
        "stream_s": stream_s,
        "speed": speed,
        "seed": seed,
        "samples": health.samples,
        "lost": health.lost,
        "asked": round(stream_s * 256),
        "truth_lost": lost,
        "recorded_samples": len(stamps),
        "recorded_twice_or_backwards": int((np.diff(stamps) <= 0).sum()),
        "readings": health.readings,
        "estimates": tally.estimates,
        "why": {why.value: n for why, n in tally.why.items() if n},
        "skipped": health.skipped,
        **growth(held),
        "recording": health.recording.trouble if health.recording else "none",
        "fault": str(health.fault) if health.fault else None,
        "notes": list(health.notes),
    }


def watch(engine: Engine, wall_s: float) -> list[Held]:
    """What is held, once a second until it is done; raises when nothing moves for a minute."""
    process, began = psutil.Process(), time.monotonic()
    held: list[Held] = []
    moved, readings = began, -1
    while not engine.done.wait(1.0):
        now = time.monotonic()
        if engine.health.readings != readings:
            moved, readings = now, engine.health.readings
        if now - moved > 60:
            raise SystemExit(f"deadlock: nothing has moved for a minute at {now - began:.0f} s: {engine.health}")
        held.append(Held(now - began, process.memory_info().rss / 1e6, in_use_mb(), sys.getallocatedblocks()))
        if len(held) % 30 == 0:
            gc.collect()
            state = f"{held[-1].rss_mb:.0f} MB, {held[-1].in_use_mb:.1f} in use · {engine.health.state.value}"
            print(f"{now - began:6.0f} of {wall_s:.0f} s · {state}", flush=True)
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="of stream time")
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = soak(asked.hours, asked.speed, asked.seed, Path(folder))
    if asked.json:
        asked.json.write_text(json.dumps(seen, indent=1) + "\n")
    print(table(["what", "seen"], [[key, value] for key, value in seen.items()]))


if __name__ == "__main__":
    main()
