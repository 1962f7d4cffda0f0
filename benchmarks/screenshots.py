"""Turns a minute of the real program on a virtual person into the pictures of the documentation (``make screenshots``).

Also prints how long the window's frames took, and the readings beside it:
``python -m benchmarks.screenshots --n-chans 64 --seconds 20``.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt

import numpy as np
from PyQt6.QtWidgets import QApplication
from rich.console import Console

import app
from realtime_mood import terminal
from realtime_mood.config import resolve
from realtime_mood.engine import Engine
from realtime_mood.gui.bridge import Bridge
from realtime_mood.gui.window import Window

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
URL = "synthetic://?subject=90001&n_chans={n_chans}&script=neutral:20,positive:20,negative:20"
SIZE = 1280, 720


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-chans", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=56.0)
    parser.add_argument("--out", type=Path, default=PICTURES)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    engines: list[Engine] = []

    def make(url: str) -> Engine:
        engines.append(app.make_engine(resolve({"source": url})))
        return engines[-1]

    qt = QApplication(["screenshots"])
    window = Window(Bridge(make), URL.format(n_chans=asked.n_chans), resolve({}).weights)
    window.resize(*SIZE)
    window.show()
    window.bridge.start(window.top.url.text())
    look_for(qt, window, asked.seconds)
    if not engines or engines[-1].latest is None:  # a picture of a failure is no documentation
        raise SystemExit(window.banner.banner.text())
    suffix = "" if asked.n_chans == 32 else f"-{asked.n_chans}"
    window.grab().save(str(asked.out / f"window{suffix}.png"))
    console = Console(width=80, height=24, record=True, file=io.StringIO())
    console.print(terminal.picture(terminal.look(engines[-1])))
    svg = console.export_svg(title="realtime-mood run --view terminal")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture must not fetch fonts from afar
    (asked.out / f"terminal{suffix}.svg").write_text(svg.replace("Fira Code", "DejaVu Sans Mono"))
    report(window.bridge, engines[-1])
    window.close()
    while window.bridge.is_running:
        qt.processEvents()


def look_for(qt: QApplication, window: Window, seconds: float) -> None:
    """Let the window live for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        qt.processEvents()
        time.sleep(0.001)


def report(bridge: Bridge, engine: Engine) -> None:
    work, frame = np.array(bridge.work_ms), np.array(bridge.frame_ms)[1:]
    print(f"frames: {1000 / frame.mean():.1f} a second, longest wait {frame.max():.0f} ms")
    print("work a frame, painting included: p50 {:.1f}, p95 {:.1f} ms".format(*np.percentile(work, (50, 95))))
    if it := engine.health.latency:
        n_all = engine.health.readings + engine.health.skipped
        print(f"newest sample to reading: p50 {it.p50:.0f}, p95 {it.p95:.0f}, p99 {it.p99:.0f} ms; "
              f"skipped {engine.health.skipped} of {n_all}")  # fmt: skip


if __name__ == "__main__":
    main()
