"""Turns an hour of a failing headset into figures: memory, samples accounted for, readings (``make soak``).

A child process runs the real program on a 32-channel virtual headset at ten times real time, with random faults and a
recording, and says once a second what it holds. Nothing is stubbed: the network reads, the recorder writes.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pyxdf

import app
from benchmarks.rig import table
from realtime_mood.config import resolve
from realtime_mood.engine import Engine
from realtime_mood.health import Emission, Health
from realtime_mood.types import Abstained, Why

WARM_S = 60.0
"""Wall seconds after which memory must stand still: rings, queues and the allocator have reached their size."""


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
    health, truth = engine.health, source.truth
    total = health.samples + health.lost  # the headset itself is a little ahead of what was asked for
    lost = sum(max(0, min(end, total) - first) for first, end in (*truth.lost, *truth.unheard))
    recorded, _ = pyxdf.load_xdf(str(folder / "soak.xdf"), select_streams=[{"type": "EEG"}])
    stamps = recorded[0]["time_stamps"]
    warm = np.array([row for row in held if row[0] >= min(WARM_S, held[-1][0] / 4)])
    slope, _ = np.polyfit(warm[:, 0], warm[:, 1], 1)
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
        "growth_mb": round(float(slope * (warm[-1, 0] - warm[0, 0])), 2),
        "rss_mb": round(float(warm[-1, 1]), 1),
        "recording": health.recording.trouble if health.recording else "none",
        "fault": str(health.fault) if health.fault else None,
        "notes": list(health.notes),
    }


def watch(engine: Engine, wall_s: float) -> list[tuple[float, float]]:
    """(s, MB held) once a second until it is done; raises when nothing moves for a minute."""
    process, began = psutil.Process(), time.monotonic()
    held: list[tuple[float, float]] = []
    moved, readings = began, -1
    while not engine.done.wait(1.0):
        now = time.monotonic()
        if engine.health.readings != readings:
            moved, readings = now, engine.health.readings
        if now - moved > 60:
            raise SystemExit(f"deadlock: nothing has moved for a minute at {now - began:.0f} s: {engine.health}")
        if len(held) % 30 == 29:
            gc.collect()
            print(
                f"{now - began:6.0f} of {wall_s:.0f} s · {held[-1][1]:.0f} MB · {engine.health.state.value}", flush=True
            )
        held.append((now - began, process.memory_info().rss / 1e6))
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
