"""A headset to be killed: counts the samples since the machine started, so that whoever reads them knows each by name.

Arguments: name, source_id ("-" for none), type, number of channels, announced rate, real rate.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pylsl

WRAP = 100_000
"""Samples after which the numbers begin again: float32 holds them exactly."""


def main(name: str, source_id: str, kind: str, n_chans: int, announced: float, real: float) -> None:
    source_id = "" if source_id == "-" else source_id
    told = pylsl.StreamInfo(name, kind, n_chans, announced, pylsl.cf_float32, source_id)
    channels = told.desc().append_child("channels")
    for label in ("C3", "C4", "Cz", "Pz")[:n_chans]:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "microvolts")
    outlet = pylsl.StreamOutlet(told)
    print("up", flush=True)
    sent = int(pylsl.local_clock() * real)
    while True:
        numbers = np.arange(sent, int(pylsl.local_clock() * real))
        if len(numbers):
            rows = np.repeat((numbers % WRAP)[:, None], n_chans, axis=1).astype(np.float32)
            outlet.push_chunk(rows, list(numbers / real))
            sent = int(numbers[-1]) + 1
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6]))
