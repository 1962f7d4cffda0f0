"""Runs the program from command lines, as a user's shell would, and reads its JSON lines."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np

ROOT = Path(__file__).parents[1]
APP = [sys.executable, str(ROOT / "app.py")]


def run_json(*words: str, timeout_s: float = 900) -> list[dict]:
    """Run the program and return its JSON lines; raises with its own words when it fails."""
    done = subprocess.run(
        [*APP, *words, "--view", "json"], capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def outlet(path: Path, name: str, *words: str) -> subprocess.Popen:
    """Start playing a recording over LSL in a process of its own."""
    command = [*APP, "outlet", str(path), "--name", name, *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write_fif(path: Path, signal: np.ndarray, ch_names: tuple[str, ...], sfreq: float, about: str = "") -> Path:
    """Write (n_times, n_chans) µV as a recording that says nothing about states."""
    info = mne.create_info(list(ch_names), sfreq, "eeg", verbose="ERROR")
    info["description"] = about or None
    mne.io.RawArray(signal.T * 1e-6, info, verbose="ERROR").save(path, overwrite=True, verbose="ERROR")
    return path


def each_us(work: Callable[[], object], n: int = 200) -> float:
    """Median time of a call in µs, after a warm-up."""
    times = []
    for _ in range(n + 5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return float(np.median(times[5:]) * 1e6)


Row = list[object]


def table(header: list[str], rows: list[Row]) -> str:
    """Rows as a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
