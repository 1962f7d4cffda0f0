"""A second clock: events of two senders in one recording, where one has a clock that drifts and is set.

``python -m benchmarks.second_clock`` takes a minute and a half. Two senders (a regular stream and text each) run in
processes of their own. One of them has another clock: a small library, compiled with the system's C compiler, stands
before the one that LSL reads. That clock runs 200 ppm fast, and is set twice, so LSL measures a real difference between
the clocks. Both take the true time of the same events past that library.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyxdf

from benchmarks.fault_cells import private_network
from benchmarks.rig import ROOT, run_json, table

LIBRARY = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
static long long begun, at, step, back_at;
static double drift;
__attribute__((constructor)) static void begin(void) {
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    begun = t.tv_sec * 1000000000LL + t.tv_nsec;
    drift = atof(getenv("CLOCK_DRIFT"));
    at = (long long)(1e9 * atof(getenv("CLOCK_AT")));
    back_at = (long long)(1e9 * atof(getenv("CLOCK_BACK_AT")));
    step = (long long)(1e9 * atof(getenv("CLOCK_STEP")));
}
int clock_gettime(clockid_t which, struct timespec *t) {
    int done = syscall(SYS_clock_gettime, which, t);
    if (!done && which == CLOCK_MONOTONIC) {
        long long now = t->tv_sec * 1000000000LL + t->tv_nsec, passed = now - begun;
        now += (long long)(passed * drift) + (passed > at && passed < back_at ? step : 0);
        t->tv_sec = now / 1000000000LL;
        t->tv_nsec = now % 1000000000LL;
    }
    return done;
}
"""
DRIFT, STEP_S, SET_S, BACK_S = 200e-6, 0.25, 30.0, 60.0
RATE = 100.0
TOLERANCE_S = 0.002
SYSTEM, CALL = ctypes.CDLL(None), {"x86_64": 228, "aarch64": 113}.get(os.uname().machine, 0)


class _Timespec(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]


def true_time() -> float:
    """The system's monotonic clock, whatever stands before it (s)."""
    now = _Timespec()
    SYSTEM.syscall(CALL, 1, ctypes.byref(now))
    return float(now.s + 1e-9 * now.ns)


def send(name: str) -> None:
    """A regular stream and one of text: what is sent is the true time, the stamp is that of the process's clock."""
    import pylsl

    outlets = [pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}-{kind}", "Test", 1, rate, form, f"{name}-{kind}"))
               for kind, rate, form in (("numbers", RATE, "double64"), ("text", 0, "string"))]  # fmt: skip
    print("up", flush=True)
    n = int(true_time() * RATE)
    while True:
        select.select([], [], [], 0.002)
        while (n + 1) / RATE <= true_time():
            n += 1
            before, now, after = min(
                ((pylsl.local_clock(), true_time(), pylsl.local_clock()) for _ in range(3)),
                key=lambda it: it[2] - it[0],
            )
            stamp = (before + after) / 2 - (now - n / RATE)
            outlets[0].push_sample([n / RATE], stamp)
            if n % RATE == 0:
                outlets[1].push_sample([f"{n / RATE:.0f}"], stamp)


def measured(seconds: float, folder: Path) -> list[list[object]]:
    """How far the events of each stream are from the true time, in a recording of so many seconds."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        raise SystemExit("a C compiler and Linux are needed")
    (folder / "clock.c").write_text(LIBRARY)
    library = folder / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, folder / "clock.c"], check=True)
    set_at = {"CLOCK_DRIFT": DRIFT, "CLOCK_STEP": STEP_S, "CLOCK_AT": SET_S, "CLOCK_BACK_AT": BACK_S}
    other = {"LD_PRELOAD": str(library), **{key: str(value) for key, value in set_at.items()}}
    senders = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.second_clock", "--send", name], stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), **more},
        )
        for name, more in (("first", {}), ("second", other))
    ]  # fmt: skip
    path, names = folder / "a.xdf", [f"{name}-{kind}" for name in ("first", "second") for kind in ("numbers", "text")]
    try:
        for sender in senders:
            assert sender.stdout
            sender.stdout.readline()
        also = [word for name in names for word in ("--also", f"lsl://{name}")]
        health = run_json("run", "--source", "synthetic://?n_chans=8", "--seconds", f"{seconds:g}",
                          "--record", str(path), *also)[-1]  # fmt: skip
    finally:
        for sender in senders:
            sender.kill()
            sender.communicate()
    rows: list[list[object]] = []
    for dejitter in (True, False):
        streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=dejitter, verbose=False)
        found = {it["info"]["name"][0]: it for it in streams}
        for name in names:
            true = np.array([float(row[0]) for row in found[name]["time_series"]])
            off = 1e3 * (np.asarray(found[name]["time_stamps"]) - true)
            rows.append([name, "with" if dejitter else "without", len(true), f"{off.min():.2f} … {off.max():.2f} ms",
                         int((np.abs(off) > 1e3 * TOLERANCE_S).sum())])  # fmt: skip
    print(json.dumps({"eeg lost": health["lost"], "streams": health["streams"], "notes": health["notes"]}, indent=1))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--send", help="be the sender of this name")
    asked = parser.parse_args()
    if asked.send:
        send(asked.send)
    with tempfile.TemporaryDirectory() as folder:
        private_network(Path(folder) / "lsl.cfg")
        rows = measured(asked.seconds, Path(folder))
    print(table(["stream", "dejittering", "samples", "from the true time", "off by more than 2 ms"], rows))
    sys.exit(any(row[-1] for row in rows))


if __name__ == "__main__":
    main()
