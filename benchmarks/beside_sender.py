"""Sends one stream beside the EEG from a process of its own, and fails when it is told to.

Sample number n is taken at n / rate s of LSL's clock, and its first channel (or its text) is n modulo `WRAP`: so a
recording shows which samples it holds, and how far each stamp is from the truth. Arguments: the name, the kind, the
fault, and the source_id. A line of standard input begins the fault, and the number at which it begins is printed.
"""

from __future__ import annotations

import os
import select
import sys
import time
from typing import Any, NamedTuple

import numpy as np

WRAP = 1_000_000  # float32 holds these exactly
STALL_S, HOLE_S, BACKWARDS_S = 5.0, 2.0, 3.0
STEP_S, DRIFT, FASTER = 2.0, 200e-6, 1.25
SHORTEST_S = 0.005  # between two pushes
FLOOD = 1000  # samples every 10 ms
ENDLESS = "x" * 300_000
ODD_TEXTS = (b"\xff\xfe\x00caf\xc3", b"", b"\x07\x1b[2J</info>", "\u202e\U0001f9e0".encode(), b"%s%n{}\\u0000")
ODD_NUMBERS = (np.nan, np.inf, -np.inf, 3e38, 1e-40, -0.0)


class Kind(NamedTuple):
    """A kind of stream."""

    title: str
    type: str
    format: str
    rate: float  # Hz; of texts, how many come in a second
    labels: tuple[str, ...]
    unit: str

    @property
    def is_text(self) -> bool:
        return self.format == "string"


KINDS = {
    "gaze": Kind("gaze, 250 Hz", "Gaze", "float32", 250.0, ("count", "x", "y"), "px"),
    "ppg": Kind("pulse (PPG), 64 Hz", "PPG", "float32", 64.0, ("count", "PPG"), "counts"),
    "motion": Kind("motion, 52 Hz", "ACC", "float32", 52.0, ("count", "x", "y", "z"), "g"),
    "eda": Kind("skin (EDA), 4 Hz", "EDA", "double64", 4.0, ("count", "EDA"), "microsiemens"),
    "text": Kind("text markers", "Markers", "string", 2.0, ("marker",), ""),
}


def stamp_of(kind: Kind, fault: str, numbers: np.ndarray, first: int) -> np.ndarray:
    """The stamps (s) that a sender gives to samples, where its fault begins at the sample `first`."""
    true, at = numbers / kind.rate, first / kind.rate
    if fault == "step":
        return np.where(numbers >= first, true + STEP_S, true)
    if fault == "drift":
        return true + DRIFT * np.maximum(0.0, true - at)
    if fault == "rate":
        return np.where(numbers >= first, at + (true - at) / FASTER, true)
    if fault == "backwards":
        return np.where((numbers >= first) & (true < at + BACKWARDS_S), 2 * at - true, true)
    return true


def described(name: str, kind: Kind, fault: str, source_id: str) -> Any:
    """The description of the outlet."""
    import pylsl

    rate, unit = 0.0 if kind.is_text or fault == "flood" else kind.rate, kind.unit
    info = pylsl.StreamInfo(name, kind.type, len(kind.labels), rate, kind.format, source_id)
    channels = info.desc().append_child("channels")
    for k, label in enumerate(kind.labels):
        channel = channels.append_child("channel")
        channel.append_child_value("label", ENDLESS if fault == "endless" and k else label)
        channel.append_child_value("unit", "furlongs/fortnight" if fault == "unit" else unit)
    return info


def rows_of(kind: Kind, fault: str, numbers: np.ndarray, spoilt: bool) -> Any:
    """The samples with these numbers; `spoilt` while the fault lasts."""
    if kind.is_text:
        odd = {"garbage": ODD_TEXTS, "endless": (ENDLESS.encode(),)}.get(fault, ()) if spoilt else ()
        return [[b"%d %b" % (n % WRAP, odd[n % len(odd)] if odd else b"")] for n in numbers.tolist()]
    rows = np.tile(np.sin(numbers / kind.rate)[:, None], len(kind.labels))
    if fault == "garbage" and spoilt:
        rows[:] = np.array(ODD_NUMBERS)[numbers % len(ODD_NUMBERS)][:, None]
    rows[:, 0] = numbers % WRAP
    return np.ascontiguousarray(rows, np.float64 if kind.format == "double64" else np.float32)


def flood(outlet: Any, kind: Kind) -> None:
    """100 kHz of it, without an end."""
    text = [[b"\xffgarbage" * 8]] * FLOOD
    numbers = np.full((FLOOD, len(kind.labels)), np.nan, np.float64 if kind.format == "double64" else np.float32)
    while True:
        outlet.push_chunk(text if kind.is_text else numbers, -1e300)
        time.sleep(0.01)


def send(outlet: Any, kind: Kind, fault: str) -> None:
    """Send until standard input ends."""
    import pylsl

    sent, first, hold = int(pylsl.local_clock() * kind.rate), 1 << 60, 0.0
    while True:
        now = pylsl.local_clock()
        if select.select([sys.stdin], [], [], SHORTEST_S)[0]:
            if not sys.stdin.readline():
                return
            if fault == "flood":
                flood(outlet, kind)
            first = sent + 1
            hold = now + STALL_S if fault == "stall" else 0.0
            print(first, flush=True)
            if fault == "return":
                os._exit(0)
        past = now - first / kind.rate
        n = int((now + (past * (FASTER - 1) if fault == "rate" and past > 0 else 0.0)) * kind.rate)
        if n <= sent or now < hold:
            continue
        numbers = np.arange(sent + 1, n + 1)
        sent = n
        if fault == "loss":
            numbers = numbers[(numbers < first) | (numbers >= first + HOLE_S * kind.rate)]
        spoilt = len(numbers) > 0 and numbers[0] >= first
        if len(numbers):
            stamps = stamp_of(kind, fault, numbers, first).tolist()
            outlet.push_chunk(rows_of(kind, fault, numbers, spoilt), stamps)


def main(name: str, kind: str, fault: str, source_id: str) -> None:
    import pylsl

    sort = KINDS[kind]
    outlet = pylsl.StreamOutlet(described(name, sort, fault, source_id))
    print("up", flush=True)
    send(outlet, sort, fault)


if __name__ == "__main__":
    main(*sys.argv[1:])
