"""Benchmarks of ring buffer, acquisition, latency from sample to reading, and the window (``make bench``)."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from functools import partial
from pathlib import Path

import numpy as np
import psutil

import app
from benchmarks.loop import rows as loop_rows
from benchmarks.offline import rows as offline
from benchmarks.rig import APP, ROOT, Row, each_us, table
from benchmarks.window import rows as window_rows
from realtime_mood.cli.config import resolve
from realtime_mood.montage import SPREAD
from realtime_mood.pipeline import Pipeline
from realtime_mood.ring import RingBuffer
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk, StreamInfo


def ring() -> list[Row]:
    """Writing a 40 ms chunk into a minute of memory, against rolling the memory as others do."""
    rows = []
    for n_chans, sfreq in ((8, 250), (32, 256), (64, 512), (64, 1000)):
        info = StreamInfo(tuple(SPREAD[:n_chans]), float(sfreq))
        memory, chunk = RingBuffer(info, 60 * sfreq), np.ones((sfreq // 25, n_chans), np.float32)
        state = {"rolled": np.zeros((60 * sfreq, n_chans), np.float32)}

        def roll(state: dict = state, chunk: np.ndarray = chunk) -> None:
            state["rolled"] = np.roll(state["rolled"], -len(chunk), axis=0)
            state["rolled"][-len(chunk) :] = chunk

        ours = each_us(lambda memory=memory, chunk=chunk: memory.write(Chunk(chunk, memory.end, 0.0)))
        rolled = each_us(roll, 30)
        what = f"ring write, {n_chans} ch × 60 s at {sfreq} Hz"
        rows.append([what, f"{ours:.1f} µs", f"np.roll {rolled:.0f} µs", f"× {rolled / ours:.0f}"])
    return rows


def pipeline() -> list[Row]:
    """Filtering and slicing a second of signal in 40 ms chunks, and the features of a window."""
    from realtime_mood.dsp.spec import FeatureSpec

    rows, rng = [], np.random.default_rng(0)
    for n_chans in (8, 32, 64):
        info = StreamInfo(tuple(SPREAD[:n_chans]), 256.0)
        p = Pipeline(info, FeatureSpec(), None)
        signal, windows = rng.standard_normal((256 * 15, n_chans)).astype(np.float32), []
        began = time.perf_counter()
        for at in range(0, len(signal), 10):
            windows += p.push(Chunk(signal[at : at + 10], at, 0.0))
        share = (time.perf_counter() - began) / 15
        features = each_us(lambda p=p, w=windows[-1]: p.features(w), 50) / 1e3
        what, ours = f"filter and slice, {n_chans} ch at 256 Hz", f"{100 * share:.1f} % of a core"
        rows.append([what, ours, "real time 100 %", f"× {1 / share:.0f}"])
        what = f"features of a window, {n_chans} ch"
        rows.append([what, f"{features:.2f} ms", "a hop 250 ms", f"× {250 / features:.0f}"])
    return rows


def acquisition(seconds: float = 10) -> list[Row]:
    """CPU of taking in an LSL stream sent by another process, against asking for data every millisecond."""
    rows = []
    for n_chans, sfreq in ((8, 250), (64, 512)):
        name = f"bench-{uuid.uuid4().hex[:8]}"
        url = f"synthetic://?n_chans={n_chans}&sfreq={sfreq}&loop=1"
        with subprocess.Popen(
            [*APP, "outlet", url, "--name", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as sender:
            stream = open_source(f"lsl://{name}?timeout=20").open()
            shares, lost = [], 0
            for wait_s in (0.1, 0.001):
                before, began = sum(psutil.Process().cpu_times()[:2]), time.perf_counter()
                while time.perf_counter() - began < seconds:
                    chunk = stream.read(wait_s)
                    lost += chunk.lost if chunk else 0
                    if wait_s < 0.01:
                        time.sleep(wait_s)
                shares.append((sum(psutil.Process().cpu_times()[:2]) - before) / (time.perf_counter() - began))
            stream.close()
            sender.terminate()
        what = f"acquisition by LSL, {n_chans} ch at {sfreq} Hz ({lost} lost)"
        ours, eager = (f"{100 * share:.1f} %" for share in shares)
        rows.append([what, f"{ours} of a core", f"asked every ms {eager}", f"× {shares[1] / shares[0]:.1f}"])
    return rows


def sample_to_reading(seconds: float = 25) -> list[Row]:
    """A real run on the synthetic headset in real time: arrival of a window's last sample to its reading."""
    rows = []
    for n_chans in (8, 32, 64):
        url = f"synthetic://?subject=90001&n_chans={n_chans}"
        engine = app.make_engine(resolve({"source": url, "seconds": seconds}))
        before, began = sum(psutil.Process().cpu_times()[:2]), time.perf_counter()
        engine.start()
        engine.done.wait()
        share = (sum(psutil.Process().cpu_times()[:2]) - before) / (time.perf_counter() - began)
        engine.stop()
        found = engine.health.latency
        text = "none" if found is None else f"p50 {found.p50:.0f} · p95 {found.p95:.0f} · p99 {found.p99:.0f} ms"
        skipped, all_ = engine.health.skipped, engine.health.readings + engine.health.skipped
        floor = f"a hop 250 ms; skipped {skipped} of {all_}"
        cost = f"{100 * share:.0f} % of a core, simulated subject included"
        rows.append([f"sample to reading, {n_chans} ch at 256 Hz", text, floor, cost])
    return rows


def inference() -> list[Row]:
    """One forward pass on 32 channels, as it is shipped, against what else torch offers on this machine."""
    import torch

    from realtime_mood.models.checkpoint import load_weights
    from realtime_mood.models.reader import Batch
    from realtime_mood.models.runtime import choose_device

    torch.set_num_threads(1)
    weights, device = load_weights(), choose_device()
    reader, rng = weights.reader.to(device), np.random.default_rng(0)
    shapes = (1, 10, 32, 5), (1, 32, 4, 128), (1, 32, 3)
    values = [torch.from_numpy(rng.standard_normal(shape).astype(np.float32)) for shape in shapes]
    masks = [torch.ones(1, n, dtype=torch.bool) for n in (32, 10, 4)]
    batch = Batch(*values, *masks).to(device)
    trust = weights.card.readouts["effort"].own_baseline.temperature

    def measured(network: object, half: bool = False) -> tuple[float, torch.Tensor]:
        def once() -> torch.Tensor:
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
                return (network(batch).scores["effort"].float() / trust).softmax(-1).cpu()

        return each_us(once, 60) / 1e3, once()

    plain, probs = measured(reader)
    others = {"bf16": lambda: measured(reader, half=True), "compiled": lambda: measured(torch.compile(reader))}
    rows = []
    for name, run in others.items():
        try:
            ms, found = run()
            text = f"{name} {ms:.1f} ms, off by {(found - probs).abs().max():.1g}"
            rows.append([f"network, 32 ch, {device.type}", f"{plain:.1f} ms", text, f"× {ms / plain:.2f}"])
        except Exception as error:  # a compiler may be missing
            rows.append([f"network, 32 ch, {device.type}", f"{plain:.1f} ms", f"{name}: {type(error).__name__}", ""])
    return rows


def start() -> list[Row]:
    """Wall time of ``--help``, whose imports every verb waits for, against those of the library for command lines."""

    def median_s(*words: str) -> float:
        times = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
            times.append(time.perf_counter() - began)
        return float(np.median(times))

    ours, floor = median_s("app.py", "--help"), median_s("-c", "import typer")
    return [["--help", f"{ours:.2f} s", f"limit 0.5 s, import typer {floor:.2f} s", f"× {ours / floor:.1f}"]]


TEN_LINES = """
import sys
import realtime_mood as rm

n = 0
with rm.open_source(sys.argv[1]) as stream:
    for reading in rm.read(stream):
        n += 1
        print(reading.time, reading.label, reading.probabilities)
assert n == 4 * 60
"""


def interface() -> list[Row]:
    """The ten-line program on a minute of signal, against the command that does the same: least of five runs each."""
    url = "synthetic://?script=neutral:30,positive:30&n_chans=32&speed=max"
    commands = ["-c", TEN_LINES, url], ["app.py", "run", "--view", "json", "--source", url]
    wall: list[list[float]] = [[], []]
    cpu: list[list[float]] = [[], []]
    for _ in range(5):
        for k, words in enumerate(commands):
            began, before = time.perf_counter(), os.times()
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
            after = os.times()
            wall[k].append(time.perf_counter() - began)
            cpu[k].append(sum(after[2:4]) - sum(before[2:4]))
    rows = []
    for what, (ours, command) in {"wall": wall, "processor": cpu}.items():
        text = f"Python interface, a minute of 32 ch at speed=max, {what} time"
        ratio = f"× {min(command) / min(ours):.2f}"
        rows.append([text, f"{min(ours):.2f} s", f"run --view json {min(command):.2f} s", ratio])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each window runs")
    parser.add_argument("--loop", action="store_true", help="only the delays of what is fed back")
    asked = parser.parse_args()
    parts = start, interface, ring, pipeline, offline, acquisition, inference, sample_to_reading
    windows = partial(window_rows, asked.seconds)
    rows = loop_rows(asked.seconds + 25) if asked.loop else [row for part in (*parts, windows) for row in part()]
    header = ["what", "here", "compared with", "ratio"]
    print(table(header, rows))
    if asked.json:
        asked.json.write_text(json.dumps([dict(zip(header, map(str, row), strict=True)) for row in rows], indent=1))


if __name__ == "__main__":
    main()
