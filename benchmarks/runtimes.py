"""The shipped weights by torch, by ONNX Runtime, and by ONNX Runtime with 8-bit weights: speed, start-up and error.

``python -m benchmarks.runtimes``; ``--playback SECONDS`` also plays that much of 32 channels at speed=max by each. All
run in turn on one thread, and processor time is taken: what a quiet machine needs, nearly whatever else runs here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.rig import APP, ROOT, Row, table, write_fif
from realtime_mood.models.card import DEFAULT, find
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.inputs import Inputs
from realtime_mood.models.network import Inference, PretrainedHead
from realtime_mood.models.onnx_runtime import FILE, OnnxInference, session_of
from realtime_mood.models.runtime import TorchInference
from realtime_mood.montage import SPREAD, locate
from realtime_mood.sources.recordings.raw_object import VIRTUAL_MARK
from realtime_mood.sources.synthetic.person import Script, VirtualPerson

HEAD, CALLS = PretrainedHead("effort", 1.0), 200
LOAD = "from realtime_mood.models.building import load_inference; load_inference('{}', 'cpu', '{}')"


def example(n: int, n_chans: int) -> Inputs:
    """`n` random windows."""
    rng = np.random.default_rng(0)
    de, patches = (
        rng.standard_normal(shape).astype(np.float32) for shape in ((n, 10, n_chans, 5), (n, n_chans, 4, 128))
    )
    positions = np.repeat(locate(SPREAD[:n_chans])[None], n, axis=0)
    return Inputs(de, patches, positions, *(np.ones((n, k), bool) for k in (n_chans, 10, 4)))


def eight_bit(folder: str) -> OnnxInference:
    """The same network with 8-bit weights of its matrix products; its sums are exact integers."""
    inference, path = OnnxInference(), Path(folder) / "int8.onnx"
    from onnxruntime.quantization import QuantType, quantize_dynamic  # loaded by `OnnxInference`, without its reports

    quantize_dynamic(find(DEFAULT) / FILE, path, weight_type=QuantType.QInt8)
    inference.session = session_of(path.read_bytes())
    return inference


def latency(runtimes: dict[str, Inference], n_chans: int) -> list[Row]:
    """One window at a time, as live: processor time, which is the latency where a core is free."""
    inputs, many = example(1, n_chans), example(64, n_chans)
    expected = runtimes["torch"](many, HEAD)[0]
    took: dict[str, list[float]] = {name: [] for name in runtimes}
    for _ in range(CALLS):
        for name, run in runtimes.items():
            began = time.thread_time()
            run(inputs, HEAD)
            took[name].append(1e3 * (time.thread_time() - began))
    rows, base = [], np.percentile(took["torch"][5:], (50, 95))
    for name, run in runtimes.items():
        p50, p95 = np.percentile(took[name][5:], (50, 95))
        off = np.abs(run(many, HEAD)[0] - expected).max()
        ratio = f"× {p50 / base[0]:.2f} · × {p95 / base[1]:.2f}"
        rows.append([f"{name}, a window of {n_chans} ch", f"p50 {p50:.1f} · p95 {p95:.1f} ms", ratio, f"{off:.1g}"])
    return rows


def start_up(n: int = 5) -> list[Row]:
    """From a new process to weights that were checked and can read; the least of `n`."""
    took: dict[str, list[float]] = {"torch": [], "onnx": []}
    for _ in range(n):
        for name, found in took.items():
            before = os.times()
            subprocess.run([sys.executable, "-c", LOAD.format(DEFAULT, name)], check=True, cwd=ROOT)
            found.append(sum(os.times()[2:4]) - sum(before[2:4]))
    least = {name: min(found) for name, found in took.items()}
    return [[f"{name}, start-up", f"{s:.2f} s", f"× {s / least['torch']:.2f}", ""] for name, s in least.items()]


def playback(seconds: int) -> list[Row]:
    """A recording of 32 channels at 256 Hz as JSON lines at speed=max, start-up included."""
    ch_names = tuple(SPREAD[:32])  # a simulated subject: of an unfamiliar signal, the network is not asked
    part = VirtualPerson(90_001, ch_names, 256.0, Script.parse("rest:200,positive:200,neutral:200")).signal(600)
    signal = np.resize(part, (256 * seconds, 32))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = write_fif(Path(folder) / "long_raw.fif", signal, ch_names, 256.0, VIRTUAL_MARK)
        for name in ("torch", "onnx"):
            began, before = time.perf_counter(), os.times()
            source = f"playback://{path}?speed=max"
            words = ["run", "--view", "json", "--source", source, "--readout", "emotion3", "--runtime", name]
            subprocess.run([*APP, *words], check=True, stdout=subprocess.DEVNULL)
            took, cpu = time.perf_counter() - began, sum(os.times()[2:4]) - sum(before[2:4])
            text = f"{took:.1f} s, processor time {cpu:.1f} s"
            rows.append([f"{name}, {seconds} s of 32 ch at speed=max", text, f"× {seconds / took:.0f}", ""])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--playback", type=int, default=0, metavar="SECONDS")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        by_torch = TorchInference(load_weights(), torch.device("cpu"))
        runtimes: dict[str, Inference] = {"torch": by_torch, "onnx": OnnxInference(), "int8": eight_bit(folder)}
        rows = [row for n_chans in (8, 32) for row in latency(runtimes, n_chans)]
    rows += start_up() + (playback(asked.playback) if asked.playback else [])
    print(table(["what", "here", "of torch · of real time", "largest difference of a probability"], rows))


if __name__ == "__main__":
    main()
