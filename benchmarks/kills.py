"""Recordings of runs killed at random moments: how much is left, and whether it is complete."""

from __future__ import annotations

import contextlib
import json
import logging
import random
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyxdf

from benchmarks.fault_cells import outlet
from benchmarks.fault_rows import CLEAN, SFREQ
from benchmarks.rig import APP
from realtime_mood.recording.recover import recover

LATEST_S = 14.0
"""No run is killed later than this (s of stream time)."""


@dataclass(frozen=True)
class Left:
    """What was left of a recording."""

    at_s: float
    """How far the last reading on standard output had come when the run was killed (s)."""
    short_s: float
    """By how much the recording is shorter than that; negative where it is longer."""
    torn: str
    """What is wrong with it; nothing where it is whole."""


def kill(seed: int, *, lsl: bool = False) -> Left:
    """Record, kill at a random moment, repair, load."""
    at_s = random.Random(seed).uniform(1.0, LATEST_S)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"{CLEAN}{LATEST_S + 10:g}"
        if lsl:
            name = f"reliability-{uuid.uuid4().hex[:10]}"
            stack.enter_context(outlet(name, "", LATEST_S + 20))
            url = f"lsl://{name}?timeout=30"
        reached = until_killed(url, folder / "a.xdf", at_s)
        return left(folder / "a.xdf", reached)


def until_killed(url: str, path: Path, at_s: float) -> int:
    """Run the program and kill it (SIGKILL) once a reading at `at_s` is out; the last sample it spoke of."""
    command = [*APP, "run", "--source", url, "--view", "json", "--record", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    reached = 0
    assert process.stdout
    with process:
        for line in process.stdout:
            with contextlib.suppress(ValueError):  # the last one may be cut
                reached = max(reached, json.loads(line).get("end", 0))
            if reached / SFREQ >= at_s:
                process.kill()
    return reached


def left(path: Path, reached: int) -> Left:
    """Load what was left, as it is and repaired."""
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL)
    repaired = recover(path).path or path
    torn, n_samples = [], []
    for file in (path, repaired):
        streams, _ = pyxdf.load_xdf(str(file), dejitter_timestamps=False)
        eeg = next(it for it in streams if it["info"]["type"] == ["EEG"])
        stamps, rows = eeg["time_stamps"], eeg["time_series"]
        n_samples.append(len(stamps))
        if np.any(np.diff(stamps) <= 0):
            torn.append("stamps go back")
        if len(np.unique(rows, axis=0)) != len(rows):
            torn.append("a sample twice")
    if n_samples[1] < n_samples[0]:
        torn.append("recover lost samples")
    return Left(reached / SFREQ, (reached - n_samples[1]) / SFREQ, ", ".join(sorted(set(torn))))
