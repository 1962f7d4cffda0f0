"""What twelve streams beside the EEG cost the window: ``python -m benchmarks.streams_panel``.

One process sends twelve LSL streams. The window runs without them, then with them; there the tab of the streams and the
tab of the events take turns, so that both are measured under the same load of this computer.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from benchmarks.rig import Row, table
from benchmarks.screenshots import URL, Rig

SETTLE_S, TURN_S, PATIENCE_S = 5.0, 5.0, 60.0
NUMBERS = (  # name, type, rate (Hz), channels
    ("gaze", "Gaze", 250.0, ("confidence", "norm_pos_x", "norm_pos_y", "diameter")),
    ("pulse", "PPG", 64.0, ("infrared", "red", "ambient")), ("ecg", "ECG", 250.0, ("ECG",)),
    ("acceleration", "ACC", 52.0, ("x", "y", "z")), ("rotation", "GYRO", 52.0, ("x", "y", "z")),
    ("belt", "ACC", 100.0, ("x", "y", "z")), ("skin", "EDA", 4.0, ("EDA",)), ("skin left", "EDA", 32.0, ("EDA",)),
)  # fmt: skip
TEXTS = ("task", "pedals", "buttons", "experimenter")
TEXT_EVERY_S = 1.5


def send() -> None:
    """Send all of them until killed."""
    import pylsl

    outlets, rng = [], np.random.default_rng(0)
    for name, kind, sfreq, labels in NUMBERS:
        info = pylsl.StreamInfo(f"bench {name}", kind, len(labels), sfreq, "float32", f"bench {name}")
        channels = info.desc().append_child("channels")
        for label in labels:
            channels.append_child("channel").append_child_value("label", label)
        outlets.append(pylsl.StreamOutlet(info))
    words = [
        pylsl.StreamOutlet(pylsl.StreamInfo(f"bench {name}", "Markers", 1, 0.0, "string", f"bench {name}"))
        for name in TEXTS
    ]
    began, sent, said = pylsl.local_clock(), [0] * len(NUMBERS), 0
    while True:
        now = pylsl.local_clock()
        for k, (_name, _kind, sfreq, labels) in enumerate(NUMBERS):
            if (n := int((now - began) * sfreq) - sent[k]) > 0:
                sent[k] += n
                walk = 0.5 + 0.4 * np.sin((now - began) * np.arange(1, len(labels) + 1))
                rows = np.maximum(walk + rng.normal(0, 0.02, (n, len(labels))), 0)
                outlets[k].push_chunk(rows.astype(np.float32), began + sent[k] / sfreq)
        if now - began > said * TEXT_EVERY_S / len(words):
            words[said % len(words)].push_sample([f"event {said}"])
            said += 1
        time.sleep(0.02)


class Load:
    """Processor time and frames of a window, over several turns."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._me = rig, psutil.Process()
        self.cpu_s = self.wall_s = 0.0
        self.waits = list[float]()

    def turn(self, seconds: float) -> None:
        frames = self._rig.window.bridge.frame_ms
        self._rig.live(0.5)
        frames.clear()
        cpu, began = sum(self._me.cpu_times()[:2]), time.perf_counter()
        self._rig.live(seconds)
        self.cpu_s += sum(self._me.cpu_times()[:2]) - cpu
        self.wall_s += time.perf_counter() - began
        self.waits += frames

    @property
    def share(self) -> float:
        """Of a core (%)."""
        return 100 * self.cpu_s / self.wall_s

    @property
    def frames(self) -> float:
        """A second."""
        return 1000 / float(np.mean(self.waits))


def measure(also: Sequence[str], turns: int) -> tuple[Load, Load, int]:
    """The load with the events, with the streams where there are any, and the number of streams that were live."""
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(URL.format(n_chans=32, sfreq=256), Path(folder), also=also)
        details = rig.window.details
        try:
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline and (not rig.engines or rig.engines[-1].latest is None):
                rig.live(1.0)
            rig.live(SETTLE_S)
            rig.check()
            plain, shown = Load(rig), Load(rig)
            for _turn in range(turns):
                details.setCurrentWidget(details.events)
                plain.turn(TURN_S)
                if also:
                    details.setCurrentWidget(details.streams)
                    shown.turn(TURN_S)
            live = sum(stream.state.value == "live" for stream in rig.engines[-1].health.streams)
        finally:
            rig.close()
    return plain, shown, live


def alone(n: int = 80) -> list[Row]:
    """Processor time of one look at twelve streams and of painting them, beside nothing else."""
    from PyQt6.QtWidgets import QApplication

    from realtime_mood.aux_ring import AuxRing
    from realtime_mood.auxiliary import STRING, AuxChunk, AuxInfo, SenderClock
    from realtime_mood.gui.stream_feed import EVERY
    from realtime_mood.gui.streams import StreamsPanel
    from realtime_mood.health import AuxState, Health, State
    from realtime_mood.viewmodel.streams import streams_view

    app, rings, rng = QApplication.instance() or QApplication(["bench"]), list[AuxRing](), np.random.default_rng(0)
    for name, kind, sfreq, labels in (*NUMBERS, *((name, "Markers", 0.0, ("",)) for name in TEXTS)):
        form = "float32" if sfreq else STRING
        ring = AuxRing(AuxInfo(f"lsl://{name}", name, kind, labels, ("",) * len(labels), sfreq, form))
        for second in range(60):
            t = second + np.arange(round(sfreq) or 1) / (sfreq or 1)
            walk = 0.8 + 0.15 * np.sin(np.outer(t, 1 + np.arange(len(labels))))
            values = (walk + rng.normal(0, 0.01, walk.shape)).astype(np.float32)
            values = values if sfreq else np.array([[f"event {second}"]], object)
            ring.write(AuxChunk(values, t, t, round(second * sfreq), SenderClock(0.0, 0.0)))
        rings.append(ring)
    states = tuple(AuxState(r.info.url, r.info.name, r.info.kind, State.LIVE, 9, 0, 50.0, 0.1) for r in rings)
    panel = StreamsPanel()
    panel.resize(700, 420)
    panel.show()
    began = time.process_time()
    for k in range(n):
        panel.show_streams(streams_view(Health(State.LIVE, streams=states), rings, (), None, 60 - k / 100, 400))
        app.processEvents()
    each_ms = 1000 * (time.process_time() - began) / n
    panel.close()
    share = each_ms / 1000 * 30 / EVERY
    return [
        [
            "one look at twelve streams",
            f"{each_ms:.1f} ms",
            f"{30 / EVERY:.1f} a second",
            f"{100 * share:.1f} % of a core",
        ]
    ]


def rows(turns: int) -> list[Row]:
    names = [f"bench {name}" for name, *_rest in NUMBERS] + [f"bench {name}" for name in TEXTS]
    sender = subprocess.Popen([sys.executable, "-m", "benchmarks.streams_panel", "--send"], stderr=subprocess.DEVNULL)
    try:
        without, _none, _n = measure((), turns)
        beside, shown, live = measure([f"lsl://{name.replace(' ', '%20')}" for name in names], turns)
    finally:
        sender.kill()
        sender.wait()
    more, panel = shown.share - without.share, shown.share - beside.share
    return [
        ["window without streams", f"{without.share:.0f} % of a core", f"{without.frames:.1f} frames/s", ""],
        [f"{live} streams, events shown", f"{beside.share:.0f} %", f"{beside.frames:.1f} frames/s",
         f"× {beside.share / without.share:.2f}"],
        [f"{live} streams, streams shown", f"{shown.share:.0f} %", f"{shown.frames:.1f} frames/s",
         f"× {shown.share / without.share:.2f}"],
        *alone(),
        ["twelve streams and their panel", f"{more:+.1f} % of a core", "limit 20 %", f"panel {panel:+.1f} %"],
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=4, help=f"of {TURN_S:g} s each")
    parser.add_argument("--alone", action="store_true", help="only the panel, beside nothing else")
    parser.add_argument("--send", action="store_true", help="only send")
    asked = parser.parse_args()
    if asked.send:
        send()
    elif asked.alone:
        print(table(["what", "processor", "how often", "in all"], alone()))
    else:
        print(table(["what", "processor", "frames", "ratio"], rows(asked.turns)))


if __name__ == "__main__":
    main()
