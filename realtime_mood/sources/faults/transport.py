"""Simulated transport: when samples are taken, their stamps, and when they arrive."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from .script import FaultScript, own

Time = TypeVar("Time", float, np.ndarray)
UNIX_S = 1.8e9  # offset of Unix time from our clock in rehearsal (s)


class Transport:
    """Applies the transport faults of a script to packets: those at the time of a packet's first sample.

    Times are seconds since the stream began; `sfreq` is the true sampling rate (Hz), `unix_s` the offset of Unix time.
    """

    def __init__(self, script: FaultScript, sfreq: float, seed: int, unix_s: float = UNIX_S) -> None:
        self._script, self._sfreq, self._unix_s = script, sfreq, unix_s
        self._lots = {kind: script.of(kind) for kind in ("drop", "duplicate", "reorder")}
        self._rng = {fault: own(seed, fault) for fault in script.of(*self._lots, "jitter", "delay")}
        self._last_due = 0.0

    def when(self, stream_s: Time) -> Time:
        """True time of a stream time, which runs faster where the sender samples faster."""
        true_s = stream_s
        for fault in self._script.of("drift"):
            within = np.clip(stream_s, fault.start_s, fault.end_s) - fault.start_s
            true_s = true_s - within * (1 - 1 / (1 + fault.value * 1e-6))
        return true_s

    def taken(self, index: np.ndarray) -> np.ndarray:
        """When samples are taken."""
        return self.when((index + 1) / self._sfreq)

    def happens(self, kind: str, stream_s: float) -> bool:
        """Draw whether this fault affects a packet taken at that time. Called once per packet, in order."""
        on = [fault for fault in self._lots[kind] if fault.is_on(stream_s)]
        draws = [self._rng[fault].random() < fault.value for fault in on]  # all of them, whatever the first says
        return any(draws)

    def sent(self, taken: np.ndarray, number: int, stream_s: float) -> tuple[np.ndarray, float]:
        """Stamps of the samples of packet `number`, and its delivery time: never before the previous packet's."""
        stamps, due = taken, float(taken[-1])
        for fault in self._script.faults:
            match fault.kind if fault.is_on(stream_s) else "":
                case "freeze":
                    due = max(due, self.when(fault.end_s))
                case "stall":
                    due = max(due, self.when(fault.end_s))
                    stamps = stamps - taken[-1] + due
                case "delay":
                    due += self._rng[fault].exponential(fault.value / 1e3)
                case "jitter":
                    stamps = stamps + self._rng[fault].normal(0.0, fault.value / 1e3)
                case "step":
                    stamps = stamps + fault.value
                case "backward":
                    stamps = stamps - fault.value * (number % 2)
                case "unix":
                    stamps = stamps + self._unix_s
        self._last_due = max(self._last_due, due)
        return stamps, self._last_due
