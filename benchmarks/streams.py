"""Ten streams recorded: samples lost, memory, and CPU beside pylsl alone (``python -m benchmarks.streams``).

A process sends 64 channels of EEG at 500 Hz, gaze at 250 Hz, PPG at 64 Hz, motion at 52 Hz, EDA at 4 Hz and five
streams of markers at 1 Hz. LSL's time cannot be sped up, so with ``--speed 10 --seconds 180`` every rate is ten times
as high: as many samples as in half an hour, in three minutes. Other processes receive all of it at the same time:

- `plain`: pylsl alone, as LabRecorder does it: a thread for each inlet, a pull every half second, written as XDF;
- `record`: the program's acquisition and recording, with a pipeline that computes nothing;
- `program`: ``run --record`` with readings, at true rates alone (``--speed 1``).

The recordings are loaded afterwards, and each stream's counter is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pyxdf

import app
from benchmarks.fault_cells import private_network
from benchmarks.rig import ROOT, table
from benchmarks.soak import Held, growth, in_use_mb
from realtime_mood import liblsl
from realtime_mood.cli.config import resolve
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.montage import SPREAD
from realtime_mood.pipeline import Pipeline
from realtime_mood.recording import xdf_write as xdf
from realtime_mood.recording.recorder import Recorder
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.sources.lsl.aux_source import LslAux
from realtime_mood.testing.parts import EFFORT
from realtime_mood.types import Chunk

STREAMS = {"eeg": ("EEG", 64, 500.0), "gaze": ("Gaze", 3, 250.0), "ppg": ("PPG", 2, 64.0), "motion": ("ACC", 4, 52.0),
           "eda": ("EDA", 2, 4.0), **{f"markers{k}": ("Markers", 1, 1.0) for k in range(1, 6)}}  # fmt: skip
WRAP = 1 << 20
PULL_S, OFFSET_S, SEND_S = 0.5, 5.0, 0.01
WARM_S = 8.0  # before CPU is counted
ROLES = ("plain", "record", "program")


def send(name: str, speed: float) -> None:
    """Send all streams until killed; the first channel, or the text, is a counter."""
    pylsl, outlets, noise = liblsl.pylsl(), {}, np.random.default_rng(0).normal(0, 10, (1000, 64)).astype(np.float32)
    for key, (kind, n_chans, rate) in STREAMS.items():
        is_text = kind == "Markers"
        info = pylsl.StreamInfo(f"{name}-{key}", kind, n_chans, 0 if is_text else rate * speed,
                                "string" if is_text else "float32", f"{name}-{key}")  # fmt: skip
        channels = info.desc().append_child("channels")
        for label in SPREAD[:n_chans] if key == "eeg" else [f"c{k}" for k in range(n_chans)]:
            channel = channels.append_child("channel")
            for word, text in (("label", label), ("unit", "microvolts" if key == "eeg" else ""), ("type", kind)):
                channel.append_child_value(word, text)
        outlets[key] = pylsl.StreamOutlet(info)
    sent = {key: int(pylsl.local_clock() * rate * speed) for key, (_, _, rate) in STREAMS.items()}
    print("up", flush=True)
    while True:
        now = pylsl.local_clock()
        for key, (kind, n_chans, rate) in STREAMS.items():
            numbers = np.arange(sent[key] + 1, int(now * rate * speed) + 1)
            if not len(numbers):
                continue
            sent[key] = int(numbers[-1])
            stamps = (numbers / (rate * speed)).tolist()
            if kind == "Markers":
                outlets[key].push_chunk([[str(n % WRAP)] for n in numbers.tolist()], stamps)
                continue
            rows = noise[numbers % 1000, :n_chans]
            rows[:, -1] = numbers % WRAP
            outlets[key].push_chunk(rows, stamps)
        time.sleep(SEND_S)


class PlainRecorder:
    """What LabRecorder does, with pylsl."""

    def __init__(self, name: str, path: Path) -> None:
        pylsl = liblsl.pylsl()
        self._file, self._lock, self._off = path.open("wb"), threading.Lock(), threading.Event()
        self._file.write(xdf.file_header())
        self.ready = 0
        self._threads = []
        for k, key in enumerate(STREAMS):
            found = pylsl.resolve_byprop("name", f"{name}-{key}", timeout=20)[0]
            self._threads.append(threading.Thread(target=self._record, args=(k + 1, found)))
        for thread in self._threads:
            thread.start()

    def _record(self, number: int, found: Any) -> None:
        pylsl = liblsl.pylsl()
        inlet = pylsl.StreamInlet(found, max_buflen=60, recover=False)
        info = inlet.info(20)
        text = info.as_xml()
        inlet.open_stream(20)
        correction, measured = inlet.time_correction(20), 0.0
        with self._lock:
            self._file.write(xdf.chunk(xdf.STREAM_HEADER, text.encode(), number))
        self.ready += 1
        while not self._off.wait(PULL_S):
            rows, stamps = inlet.pull_chunk(0.0, max_samples=16_384, as_numpy=True)
            parts = []
            if time.monotonic() - measured > OFFSET_S:
                measured, correction = time.monotonic(), inlet.time_correction(0.0)
                parts.append(xdf.clock_offset(number, pylsl.local_clock() - correction, correction))
            if len(stamps):
                numbers = inlet.np_dtype is not None
                texts = () if numbers else [[raw.decode() for raw in row] for row in rows]
                parts.append(xdf.samples(number, stamps, rows) if numbers else xdf.texts(number, stamps, texts))
            with self._lock:
                self._file.write(b"".join(parts))

    def close(self) -> None:
        self._off.set()
        for thread in self._threads:
            thread.join()
        self._file.close()


class NoReadings(Pipeline):
    """A pipeline that computes nothing."""

    def push(self, chunk: Chunk) -> list:
        return []


def receive(role: str, name: str, seconds: float, path: Path) -> None:
    """Record for so long in this process, and print what it took."""
    stop: Callable[[], object]
    engine = None
    if role == "plain":
        plain = PlainRecorder(name, path)
        stop = plain.close
    else:
        urls = {key: f"lsl://{name}-{key}" for key in STREAMS}
        also = [url for key, url in urls.items() if key != "eeg" and not key.startswith("markers")]
        markers = [url for key, url in urls.items() if key.startswith("markers")]
        if role == "program":
            engine = app.make_engine(resolve({"source": urls["eeg"], "also": also, "markers": markers, "record": path}))
        else:
            recorder = Recorder(path, to_stamps=liblsl.to_stamps())
            beside = [*map(LslAux, also), *(LslAux(url, in_markers=True) for url in markers)]
            nothing = SimpleNamespace(readout=EFFORT, notes=(), normal=None)
            build = lambda info: NoReadings(info, FeatureSpec(), nothing)  # noqa: E731
            engine = Engine(open_source(urls["eeg"]), build, [recorder], also=beside)
        engine.start()
        stop = engine.stop
    process, held = psutil.Process(), list[Held]()
    time.sleep(WARM_S)
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        held.append(Held(passed, process.memory_info().rss / 1e6, in_use_mb(), sys.getallocatedblocks()))
        time.sleep(1.0)
    cpu = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
    stop()
    lost = {it.name: it.lost for it in engine.health.streams if it.lost} if engine else {}
    if engine and engine.health.lost:
        lost["eeg"] = engine.health.lost
    readings = engine.health.readings if engine else 0
    notes = list(engine.health.notes) if engine else []
    print(json.dumps({"cpu": cpu, "lost": lost, "readings": readings, "notes": notes, **growth(held)}), flush=True)


def missing(path: Path, name: str) -> tuple[int, int]:
    """Samples in a recording, and how many are missing between the first and the last of each stream."""
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False, verbose=False)
    found = {it["info"]["name"][0]: it for it in streams}
    n = gaps = 0
    for key in STREAMS:
        series = found[f"{name}-{key}"]["time_series"]
        numbers = np.array([int(float(row[-1])) for row in series])
        n += len(numbers)
        gaps += int(((np.diff(numbers) - 1) % WRAP).sum())
    return n, gaps


def measure(seconds: float, speed: float, folder: Path) -> list[list[object]]:
    """Run all roles at the same time; one row for each."""
    name = f"streams-{uuid.uuid4().hex[:8]}"
    base, env = [sys.executable, "-P", "-m", "benchmarks.streams"], {**os.environ, "PYTHONPATH": str(ROOT)}
    rows: list[list[object]] = []
    with subprocess.Popen([*base, "--send", name, "--speed", f"{speed:g}"], stdout=subprocess.PIPE, env=env) as sender:
        try:
            assert sender.stdout
            sender.stdout.readline()
            roles = [role for role in ROLES if role != "program" or speed == 1]
            started = [
                subprocess.Popen([*base, "--role", role, "--name", name, "--seconds", f"{seconds:g}",
                                  "--path", str(folder / f"{role}.xdf")], stdout=subprocess.PIPE, env=env, text=True)
                for role in roles
            ]  # fmt: skip
            seen = {role: json.loads(process.communicate()[0].splitlines()[-1])
                    for role, process in zip(roles, started, strict=True)}  # fmt: skip
        finally:
            sender.kill()
    for role, it in seen.items():
        n, gaps = missing(folder / f"{role}.xdf", name)
        ratio, growth_mb = it["cpu"] / seen["plain"]["cpu"], it["rss_end_minus_warm_mb"]
        took = [f"{100 * it['cpu']:.1f} %", f"× {ratio:.1f}", f"{it['rss_mb']:.0f} MB"]
        grew = [f"{it['in_use_growth_mb']:.1f} MB", f"{growth_mb:.1f} MB"]
        rows.append([role, f"{n:,}", gaps, str(it["lost"] or 0), *took, *grew, it["readings"], "; ".join(it["notes"])])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--speed", type=float, default=10.0, help="factor on every rate")
    parser.add_argument("--send", help=argparse.SUPPRESS)
    parser.add_argument("--role", choices=ROLES, help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.send:
        send(asked.send, asked.speed)
    if asked.role:
        receive(asked.role, asked.name, asked.seconds, asked.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        private_network(Path(folder) / "lsl.cfg")
        rows = measure(asked.seconds, asked.speed, Path(folder))
    header = ["recorder", "samples", "missing", "reported lost", "of a core", "of plain", "RSS", "in use, growth",
              "RSS, growth", "readings", "notes"]  # fmt: skip
    print(f"rates × {asked.speed:g}, {asked.seconds:g} s\n\n{table(header, rows)}")
    sys.exit(any(row[2] or row[3] != "0" for row in rows))


if __name__ == "__main__":
    main()
