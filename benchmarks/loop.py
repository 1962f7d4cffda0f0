"""Latency of the closed loop: from a sample to a receiver in another process (``python -m benchmarks.loop``).

Pipeline part: from the arrival of the newest sample that something rests on to its receipt, for fast measures and
for readouts, by LSL, OSC and WebSocket, with a window open beside it. Window part: from a planted change in the signal
to half of the change in the measure, which no computer can shorten. The painted frame is the feedback view's own.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt

import numpy as np

import app
from benchmarks.rig import ROOT, Row, table
from realtime_mood import clock, liblsl
from realtime_mood.cli.config import resolve
from realtime_mood.feedback.conditions import contingent
from realtime_mood.feedback.loop import FeedbackLoop
from realtime_mood.feedback.measures import FastMeasures, lag_of
from realtime_mood.feedback.plan import FeedbackPlan, Measure
from realtime_mood.feedback.receivers import LslFeedback, OscFeedback
from realtime_mood.gui.feedback.view import FeedbackView
from realtime_mood.run.engine import Engine
from realtime_mood.types import Chunk, StreamInfo

RECEIVER = """
import json, sys, time
kind, port = sys.argv[1], sys.argv[2]
if kind in ("RealtimeMood", "RealtimeMood-Feedback"):
    import pylsl
    inlet = pylsl.StreamInlet(pylsl.resolve_byprop("name", kind, timeout=30)[0], max_buflen=10)
    at = {"RealtimeMood": 0, "RealtimeMood-Feedback": 2}[kind]
    while True:
        sample, stamp = inlet.pull_sample()
        print(json.dumps([stamp - pylsl.local_clock() + time.monotonic(), time.monotonic(), sample[at]]), flush=True)
elif kind == "osc":
    import socket
    inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inbox.bind(("127.0.0.1", int(port)))
    while True:
        inbox.recv(4096)
        print(json.dumps([None, time.monotonic(), 1]), flush=True)
else:
    from websockets.sync.client import connect
    while True:
        try:
            with connect(f"ws://127.0.0.1:{port}/readings") as it:
                for text in it:
                    message = json.loads(text)
                    if "end" in message:  # a reading, not what the session feeds back
                        print(json.dumps([message["end"], time.monotonic(), message["valid"]]), flush=True)
        except OSError:
            time.sleep(0.1)
"""
PLAN = FeedbackPlan.model_validate({
    "name": "bench", "title": "Bench", "about": "-", "consent": "-", "debrief": "-",
    "measures": [{"kind": "band", "electrodes": ["O1", "O2"]}],
    "blocks": [{"kind": "baseline", "seconds": 12}, {"kind": "feedback", "seconds": 600}],
})  # fmt: skip


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


class RemoteReceiver:
    """A receiver in another process, and when it received."""

    def __init__(self, kind: str, port: int = 0) -> None:
        command = [sys.executable, "-c", RECEIVER, kind, str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.items: list[tuple[float | None, float, float]] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.items.append(tuple(json.loads(line)))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()


class Arrivals:
    """A tap that notes when each sample reached us."""

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.times: list[float] = []
        self.stamps: list[float] = []
        self.recording = None

    def open(self, info: StreamInfo) -> None: ...

    def take(self, chunk: Chunk) -> None:
        self.ends.append(chunk.end)
        self.stamps.append(chunk.t_last)
        self.times.append(clock.now())

    def mark(self, marker: object, t: float) -> None: ...

    def put(self, emission: object) -> None: ...

    def close(self, health: object) -> None: ...

    def of_stamp(self, stamp: float) -> float:
        """When the chunk that holds the sample of this stamp arrived (s)."""
        return self.times[min(int(np.searchsorted(self.stamps, stamp - 1e-3)), len(self.times) - 1)]

    def of_end(self, end: int) -> float:
        return self.times[min(int(np.searchsorted(self.ends, end)), len(self.times) - 1)]


class OwnRun:
    """The run of a session that no window shows."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.is_over, self.trouble = engine, False, ""

    def begin(self) -> None:
        self._engine.start()

    def end(self) -> None:
        self._engine.stop()
        self.is_over = True


def delays(seconds: float) -> Iterator[Row]:
    """The real program with the person's view open; its receivers in other processes."""
    from PyQt6.QtWidgets import QApplication

    qt = QApplication.instance() or QApplication(["bench"])
    osc, ws, osc_readings = free_port(), free_port(), free_port()
    receivers = {
        "LSL, fast": RemoteReceiver("RealtimeMood-Feedback"), "OSC, fast": RemoteReceiver("osc", osc),
        "LSL, readout": RemoteReceiver("RealtimeMood"), "WebSocket, readout": RemoteReceiver("ws", ws),
    }  # fmt: skip
    arrivals = Arrivals()
    loop = FeedbackLoop(
        PLAN,
        contingent,
        [LslFeedback("RealtimeMood-Feedback", "RealtimeMood-Markers"), OscFeedback(f"127.0.0.1:{osc}")],
    )
    asked = {"source": "synthetic://?n_chans=32", "lsl_out": True, "ws": str(ws), "osc": f"127.0.0.1:{osc_readings}"}
    config = resolve(asked)
    engine = app.make_engine(config, [arrivals, loop])
    view = FeedbackView(PLAN, loop, OwnRun(engine))
    painted: list[float] = []
    paint = view.display.paintEvent

    def see(event: object) -> None:
        paint(event)
        if loop.latest is not None:
            painted.append(clock.now() - arrivals.of_stamp(loop.latest.t))

    view.display.paintEvent = see
    view.show()
    view.yes.click()
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        qt.processEvents()
        time.sleep(0.0005)
        if time.monotonic() - began < seconds / 3:  # the start is not the going on
            view.frame_ms.clear()
            painted.clear()
    from_ = clock.now() - 2 * seconds / 3
    view.close()
    while not view._run.is_over:
        qt.processEvents()
    for receiver in receivers.values():
        receiver.close()
    to_mono = time.monotonic() - clock.now()
    for name, receiver in receivers.items():
        late = []
        for about, at, valid in receiver.items:
            received = at - to_mono
            if received < from_ or not valid:
                continue
            if name.startswith("LSL"):
                late.append(received - arrivals.of_stamp(about - to_mono))
            elif name.startswith("WebSocket"):
                late.append(received - arrivals.of_end(int(about)))
            else:  # OSC says no time: the newest chunk before it
                k = int(np.searchsorted(arrivals.times, received)) - 1
                late.append(received - arrivals.times[k])
        yield _row(f"arrival of the newest sample → {name}", late, 30 if "fast" in name else 80)
    yield _row("arrival of the newest sample → painted circle", painted, 50)
    frames = np.array(view.frame_ms)
    between = f"p95 between two {np.percentile(frames, 95):.0f} ms"
    yield ["feedback view", f"{1000 / frames.mean():.0f} frames/s", "60", between]


def _row(what: str, late: list[float], bar_ms: float) -> Row:
    if not late:
        return [what, "nothing was received", f"{bar_ms:g} ms", ""]
    p50, p95, p99 = 1e3 * np.percentile(late, (50, 95, 99))
    return [what, f"p50 {p50:.1f} · p95 {p95:.1f} · p99 {p99:.1f} ms", f"p95 {bar_ms:g} ms", f"of {len(late)}"]


def windows() -> Iterator[Row]:
    """How far fast measures lie behind a planted step in amplitude, on signal alone."""
    info = StreamInfo(("O1", "O2"), 256.0)
    t = np.arange(round(20 * info.sfreq)) / info.sfreq
    for smoothing_s in (0.25, 0.5, 1.0):
        measure = Measure(kind="band", electrodes=info.ch_names, smoothing_s=smoothing_s)
        found = []
        for seed in range(20):
            noise = np.random.default_rng(seed).normal(0, 2, (len(t), 2))
            step = np.where(t >= 10, 30.0, 3.0) * np.sin(2 * np.pi * 10 * t + seed)
            fast = FastMeasures((measure,), info, ())
            samples = fast.push(Chunk((noise + step[:, None]).astype(np.float32), 0, 20.0))
            power = np.exp([s.values[0] if not s.why else -9 for s in samples])
            at = np.array([s.index for s in samples]) / info.sfreq
            found.append(float(at[(at > 10) & (power > power[-30:].mean() / 2)][0] - 10))
        lag = lag_of(measure, info.sfreq)
        stated = f"stated: {1e3 * lag.filter_s:.0f} ms filter + {1e3 * smoothing_s * np.log(2):.0f} ms half-life"
        yield [
            f"planted step → half of it, alpha, smoothing {smoothing_s:g} s",
            f"{1e3 * np.mean(found):.0f} ms",
            stated,
            "",
        ]


def rows(seconds: float) -> list[Row]:
    """Every figure."""
    liblsl.set_scope("loopback")
    return [*delays(seconds), *windows()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=45.0)
    print(table(["what", "here", "compared with", "ratio"], rows(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
