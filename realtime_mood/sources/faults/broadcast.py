"""Broadcast of a simulated failing headset through LSL outlets that appear, disappear and resemble each other."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ... import clock, liblsl
from .headset import FaultEvent, Headset, Packet, Presence


class FaultyOutlet:
    """The LSL outlets that exist at present.

    `stream` describes the stream, given the number of missing channels; `decoys` other streams with its source_id.
    """

    def __init__(self, stream: Callable[[int], Any], decoys: Callable[[], Sequence[Any]]) -> None:
        self._describe, self._describe_decoys = stream, decoys
        self._shown = Presence()
        self._outlet: Any = liblsl.pylsl().StreamOutlet(stream(0))
        self._decoys: list[Any] = []

    def have_consumers(self) -> bool:
        """Whether the stream has a receiver."""
        return bool(self._outlet and self._outlet.have_consumers())

    def show(self, now: Presence) -> None:
        """Remove and create outlets until the network shows this state."""
        new_outlet = liblsl.pylsl().StreamOutlet
        if (now.present, now.fewer) != (self._shown.present, self._shown.fewer):
            self._outlet = None  # without its last reference it disappears from the network
            self._outlet = new_outlet(self._describe(now.fewer)) if now.present else None
        if now.decoy != self._shown.decoy:
            self._decoys = [new_outlet(description) for description in self._describe_decoys()] if now.decoy else []
        self._shown = now

    def push(self, packet: Packet, to_stamps: float) -> int:
        """Send a packet; return its number of samples."""
        if self._outlet is None:
            return 0
        self._outlet.push_chunk(packet.rows, (packet.stamps + to_stamps).tolist())
        return len(packet.rows)

    def chatter(self) -> None:
        """Send samples from the decoys."""
        for decoy in self._decoys:
            decoy.push_chunk(np.zeros((1, decoy.channel_count), np.float32))


def broadcast(
    headset: Headset, on_air: FaultyOutlet, interrupted: threading.Event, step_s: float, say: Callable[[str], None]
) -> int:
    """Send everything when it is due, and report each fault as it happens; return the number of samples sent."""
    to_stamps = liblsl.to_stamps()
    t0, sent = clock.now(), 0
    for item in headset:
        while (wait_s := t0 + item.due - clock.now()) > 0 and not interrupted.wait(min(wait_s, step_s)):
            on_air.chatter()
        if interrupted.is_set():
            break
        if isinstance(item, FaultEvent):
            say(f"{item.due:.1f} s: {'' if item.begins else 'over: '}{item.fault}")
            on_air.show(headset.presence_at(item.stream_s))
        else:
            sent += on_air.push(item, t0 + to_stamps)
    say(f"truth {json.dumps(asdict(headset.truth))}")
    return sent
