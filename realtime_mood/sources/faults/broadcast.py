"""Turns what a failing headset sends into LSL outlets that come, go and are mistaken for each other."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import clock, liblsl
from .headset import FaultEvent, Headset, Packet, SampleLife


class FaultyOutlet:
    """The outlets that are there at the moment.

    Parameters
    ----------
    stream : callable
        Describes the stream, given how many channels are missing.
    decoys : callable
        Describes those that bear its source_id and are not it.
    """

    def __init__(self, stream: Callable[[int], Any], decoys: Callable[[], Sequence[Any]]) -> None:
        self._describe, self._describe_decoys = stream, decoys
        self._life = SampleLife()
        self._outlet: Any = liblsl.pylsl().StreamOutlet(stream(0))
        self._decoys: list[Any] = []

    def have_consumers(self) -> bool:
        """Whether somebody listens to the stream."""
        return bool(self._outlet and self._outlet.have_consumers())

    def show(self, life: SampleLife) -> None:
        """Let outlets go and come until this is what the network shows."""
        new_outlet = liblsl.pylsl().StreamOutlet
        if (life.present, life.fewer) != (self._life.present, self._life.fewer):
            self._outlet = None  # without its last reference it is gone from the network
            self._outlet = new_outlet(self._describe(life.fewer)) if life.present else None
        if life.decoy != self._life.decoy:
            self._decoys = [new_outlet(told) for told in self._describe_decoys()] if life.decoy else []
        self._life = life

    def push(self, packet: Packet, to_stamps: float) -> int:
        """Send a packet; how many samples that were."""
        if self._outlet is None:
            return 0
        self._outlet.push_chunk(packet.rows, (packet.stamps + to_stamps).tolist())
        return len(packet.rows)

    def chatter(self) -> None:
        """Let the decoys be heard."""
        for decoy in self._decoys:
            decoy.push_chunk(np.zeros((1, decoy.channel_count), np.float32))


def broadcast(
    headset: Headset, on_air: FaultyOutlet, interrupted: threading.Event, step_s: float, say: Callable[[str], None]
) -> int:
    """Send everything when it is due, and say each fault as it happens; how many samples were sent."""
    to_stamps = liblsl.to_stamps()
    t0, sent = clock.now(), 0
    for item in headset:
        while (wait_s := t0 + item.due - clock.now()) > 0 and not interrupted.wait(min(wait_s, step_s)):
            on_air.chatter()
        if interrupted.is_set():
            break
        if isinstance(item, FaultEvent):
            say(f"{item.due:.1f} s: {'' if item.begins else 'over: '}{item.fault}")
            on_air.show(headset.life_at(item.fault.start_s if item.begins else item.fault.end_s))
        else:
            sent += on_air.push(item, t0 + to_stamps)
    say(f"truth {json.dumps(headset.truth.as_dict())}")
    return sent
