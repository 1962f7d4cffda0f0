"""Benchmarks of the real window, offscreen, beside alternatives: ``python -m benchmarks.window``.

Frames a second and the longest wait of the event loop, with the network running beside it, a recording being written
and a stream going out; the traces against one plot item a channel; five maps against MNE's; how soon the program can
be used, and how soon it is gone. ``--seconds 300`` for the wait over five minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt

import numpy as np
import psutil

from benchmarks.rig import Row, table

SIZES = ((32, 256.0), (64, 512.0))
SETTLE_S = 6.0  # the start of a run is told apart from its going on
START = """
import time, sys
from PyQt6.QtCore import QTimer
import app
from realtime_mood.gui import showing
from realtime_mood.gui.window import MainWindow
def when_shown(self, event):
    def usable():
        print(f"usable {time.monotonic():.3f} {time.process_time():.2f}", flush=True)
        def close():
            global left; left = time.perf_counter(); self.close()
        QTimer.singleShot(6000, close)
    QTimer.singleShot(0, usable)
MainWindow.showEvent = when_shown
code = app.command(["run", "--view", "gui"])
print(f"closed {time.perf_counter() - left:.2f} 0", flush=True)
"""


def run(n_chans: int, sfreq: float, seconds: float) -> list[Row]:
    """One window with everything beside it; printed by a process of its own, which nothing else has slowed."""
    from benchmarks.screenshots import URL, Rig

    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(URL.format(n_chans=n_chans, sfreq=sfreq), Path(folder))
        bridge = rig.window.bridge
        bridge.record(Path(folder))
        outlet = subprocess.Popen(
            [sys.executable, "app.py", "outlet", "synthetic://?n_chans=8", "--name", "bench", "--virtual"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            rig.live(SETTLE_S)
            rig.check()
            bridge.frame_ms.clear()
            bridge.work_ms.clear()
            waits, work = list[float](), list[float]()
            me, began = psutil.Process(), time.perf_counter()
            before = sum(me.cpu_times()[:2])
            while (left := seconds - (time.perf_counter() - began)) > 0:
                rig.live(min(20.0, left))
                waits += bridge.frame_ms
                work += bridge.work_ms
                bridge.frame_ms.clear()
                bridge.work_ms.clear()
            share = (sum(me.cpu_times()[:2]) - before) / (time.perf_counter() - began)
            health = rig.engines[-1].health
        finally:
            outlet.kill()
            outlet.wait()
            rig.close()
    what = f"window, {n_chans} ch at {sfreq:g} Hz"
    p50, p95 = np.percentile(work, (50, 95))
    rate = 1000 / np.mean(waits)
    late = sum(wait > 100 for wait in waits)
    return [
        [f"{what}: frames", f"{rate:.1f} a second", "30", f"× {rate / 30:.2f}"],
        [f"{what}: longest wait", f"{max(waits):.0f} ms in {seconds:.0f} s", "a frame 33 ms", f"{late} over 100 ms"],
        [f"{what}: a frame takes", f"p50 {p50:.1f} · p95 {p95:.1f} ms", "a frame 33 ms", f"× {33 / p50:.1f}"],
        [f"{what}: processor", f"{100 * share:.0f} % of a core", "window, network, simulated subject, recording", ""],
        [f"{what}: sample to reading", f"p95 {health.latency.p95 if health.latency else float('nan'):.0f} ms", "60 ms",
         f"skipped {health.skipped}"],
    ]  # fmt: skip


def paced(draw: Callable[[int], None], n: int = 40) -> float:
    """Frames a second that drawing would allow, if nothing else were done."""
    from PyQt6.QtWidgets import QApplication

    for k in range(5):
        draw(k)
        QApplication.processEvents()
    times = []
    for k in range(n):
        began = time.perf_counter()
        draw(k)
        QApplication.processEvents()
        times.append(time.perf_counter() - began)
    return 1 / float(np.median(times))


def traces() -> list[Row]:
    """Ten seconds of signal, scrolled: one polyline of extremes, against one plot item a channel."""
    import pyqtgraph as pg
    from PyQt6.QtWidgets import QApplication

    from realtime_mood.gui.traces import Traces
    from realtime_mood.types import Chunk

    app = QApplication.instance() or QApplication(["bench"])
    rows = []
    for n_chans, sfreq in SIZES:
        n = round(10 * sfreq)
        signal = np.random.default_rng(0).normal(0, 15, (n + 4000, n_chans)).astype(np.float32)
        ours, plain = Traces(), pg.PlotWidget()
        x, curves = np.arange(n) / sfreq, [plain.plot() for _ in range(n_chans)]

        def scroll(k: int, ours: Traces = ours, signal: np.ndarray = signal, n: int = n, sfreq: float = sfreq) -> None:
            ours.show_signal(Chunk(signal[17 * k : 17 * k + n], 17 * k, 0.0), sfreq)
            ours.repaint()

        def each(k: int, curves: Sequence[pg.PlotDataItem] = curves, signal: np.ndarray = signal, x: np.ndarray = x,
                 plain: pg.PlotWidget = plain) -> None:  # fmt: skip
            for i, curve in enumerate(curves):
                curve.setData(x, signal[17 * k : 17 * k + len(x), i] + 50 * i)
            plain.repaint()

        for widget in (ours, plain):
            widget.resize(1000, 600)
            widget.show()
        fps = paced(scroll), paced(each)
        for widget in (ours, plain):
            widget.close()
        rows.append(
            [f"traces, {n_chans} ch at {sfreq:g} Hz", f"{fps[0]:.0f} frames/s", f"an item a channel {fps[1]:.0f}",
             f"× {fps[0] / fps[1]:.1f}"]
        )  # fmt: skip
    assert app is not None
    return rows


def topomaps() -> list[Row]:
    """Five maps of 32 electrodes: a kept matrix and images, against MNE's plots."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    import mne
    from PyQt6.QtWidgets import QApplication

    from realtime_mood.gui.maps import Maps
    from realtime_mood.health import Health, State
    from realtime_mood.montage import SPREAD
    from realtime_mood.types import StreamInfo
    from realtime_mood.viewmodel.state import view

    app = QApplication.instance() or QApplication(["bench"])
    names = list(SPREAD[:32])
    info = mne.create_info(names, 256.0, "eeg")
    info.set_montage("colin27_1005")
    rng = np.random.default_rng(0)
    maps = Maps()
    maps.resize(480, 270)  # as in a window of 1280 × 720
    maps.show()
    still = view(Health(State.LIVE, StreamInfo(tuple(names), 256.0)), None, (), (), 0.0)

    def ours(_: int) -> None:
        maps.show_state(replace(still, attention=rng.uniform(-1, 1, (32, 5))))  # painted as its events are served

    here = 1000 / paced(ours)
    figure, axes = plt.subplots(1, 5, figsize=(4.8, 2.7))
    times = []
    for _ in range(7):
        began = time.perf_counter()
        for ax in axes:
            ax.clear()
            mne.viz.plot_topomap(rng.uniform(-1, 1, 32), info, axes=ax, show=False)
        figure.canvas.draw()
        times.append(1000 * (time.perf_counter() - began))
    there = float(np.median(times))
    plt.close(figure)
    maps.close()
    assert app is not None
    return [["five maps, 32 ch", f"{here:.1f} ms", f"mne.viz.plot_topomap {there:.0f} ms", f"× {there / here:.0f}"]]


def starting() -> list[Row]:
    """The program as a user starts it, the second time: until its window can be used, and until it is gone."""
    for _ in range(2):
        with tempfile.TemporaryDirectory() as home:
            env = {**os.environ, "XDG_CONFIG_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
            began = time.monotonic()  # the same clock in every process
            done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, env=env, check=False)
    words = (line.split() for line in done.stdout.splitlines() if line.startswith(("usable", "closed")))
    found = {word: (float(at), of_it) for word, at, of_it in words}
    shown, processor = found.get("usable", (np.nan, "–"))
    gone, _ = found.get("closed", (np.nan, ""))
    return [
        ["start to a window that can be used", f"{shown - began:.2f} s", "2 s", f"{processor} s of processor time"],
        ["closing during a run", f"{gone:.2f} s", "2 s", ""],
    ]


def rows(seconds: float) -> list[Row]:
    """Every figure, each window in a process of its own."""
    runs = [["--one", f"{n_chans}", f"{sfreq}", "--seconds", f"{seconds}"] for n_chans, sfreq in SIZES]
    found = starting()
    for words in (["--drawing"], *runs):
        command = [sys.executable, "-m", "benchmarks.window", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        failed = [[" ".join(words), done.stderr[-300:], "", ""]]
        found += failed if done.returncode else json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--one", nargs=2, type=float, metavar=("CHANNELS", "HZ"))
    parser.add_argument("--drawing", action="store_true", help="only traces and maps, beside nothing else")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(run(int(asked.one[0]), asked.one[1], asked.seconds)))
    elif asked.drawing:
        print(json.dumps([*traces(), *topomaps()]))
    else:
        print(table(["what", "here", "beside", "ratio"], rows(asked.seconds)))


if __name__ == "__main__":
    main()
