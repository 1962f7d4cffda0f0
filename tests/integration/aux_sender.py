"""Sends one stream beside the EEG, from a process of its own: each whole second of LSL's clock is an event.

Arguments: name, type, format, rate in Hz (0: only the events), source_id, and what is added to the stamps (s). A
regular stream has two channels: its samples counted since the machine started, and the number of the second at an
event, else 0. An irregular one sends that number as a text or a number; one of the type Garbage sends 100 kHz of it.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pylsl

WRAP = 100_000  # samples after which the numbers begin again: float32 holds them exactly
FORMATS = {"float32": pylsl.cf_float32, "double64": pylsl.cf_double64, "string": pylsl.cf_string,
           "int32": pylsl.cf_int32, "int64": pylsl.cf_int64}  # fmt: skip


def main(name: str, kind: str, form: str, rate: float, source_id: str, shift: float) -> None:
    n_chans = 2 if rate else 1
    info = pylsl.StreamInfo(name, kind, n_chans, rate, FORMATS[form], source_id)
    channels = info.desc().append_child("channels")
    for label, unit in (("count", "samples"), ("event", "furlongs" if kind == "Notes" else "s"))[-n_chans:]:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
    info.desc().append_child("setup").append_child_value("model", "a < b & c")
    outlet = pylsl.StreamOutlet(info)
    print("up", flush=True)
    garbage: Any = [["\0 never ends a word" * 3]] * 1000 if form == "string" else np.full((1000, 1), np.nan, np.float32)
    while kind == "Garbage":
        outlet.push_chunk(garbage, -1e300)
        time.sleep(0.01)
    per_s = rate or 1.0
    sent = int(pylsl.local_clock() * per_s)
    while True:
        numbers = np.arange(sent + 1, int(pylsl.local_clock() * per_s) + 1)
        if len(numbers):
            sent, stamps = int(numbers[-1]), numbers / per_s
            events = np.where(stamps % 1 == 0, stamps, 0)
            rows = np.column_stack((numbers % WRAP, events)) if rate else events[:, None]
            values = [[f"{row[0]:.0f}"] for row in rows] if form == "string" else rows.astype(outlet_type(form))
            outlet.push_chunk(values, list(stamps + shift))
        time.sleep(0.005)


def outlet_type(form: str) -> str:
    return {"double64": "float64"}.get(form, form)


if __name__ == "__main__":
    main(*sys.argv[1:4], float(sys.argv[4]), sys.argv[5], float(sys.argv[6]))
