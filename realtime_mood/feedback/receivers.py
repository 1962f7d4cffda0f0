"""Feedback as streams and messages for other programs: LSL, WebSocket, OSC. None of them reveals the condition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import liblsl
from ..health import Feedback, Health, Output
from ..sinks.lsl_markers import MarkerOutlet
from ..sinks.osc import PREFIX, Datagrams
from ..sinks.outbox import Outbox
from ..sinks.websocket import WebSocketReadings
from .measures import RATE_HZ

CHANNELS = ("level", "reward", "valid", "block")


class LslFeedback(Outbox[Feedback]):
    """An LSL stream of type ``Feedback``, thirty a second, stamped with the newest sample that was used.

    It is declared irregular, since no sample is sent while the signal stalls. Two marker streams, of text and of
    numbers, send blocks and rewards: `markers` and `markers` with ``-codes`` after it.
    """

    limit = round(2 * RATE_HZ)

    def __init__(self, name: str, markers: str) -> None:
        super().__init__(f"LSL {name}")
        self._name, self._markers_name = name, markers
        self._outlet: Any = None
        self._markers: MarkerOutlet | None = MarkerOutlet(markers)

    def tell(self, text: str, t: float) -> None:
        if (markers := self._markers) is not None:
            markers.send(text, t)

    def start(self) -> None:
        self._markers = self._markers or MarkerOutlet(self._markers_name)

    def deliver(self, item: Feedback) -> None:
        if self._outlet is None:
            self._open(item.virtual)
        values = [item.level, float(item.reward), float(item.valid), float(item.block)]
        self._outlet.push_sample(values, self._stamps(item.t))

    def receivers(self) -> int | None:
        return None if self._outlet is None else int(self._outlet.have_consumers())

    def shut(self) -> None:
        self._outlet = self._markers = None

    def _open(self, virtual: bool) -> None:
        self._stamps = liblsl.Stamps()
        channels = [(label, "none") for label in CHANNELS]
        description, _ = liblsl.outlet_info(self._name, "Feedback", channels, 0.0, liblsl.own_id(self._name), virtual)
        self._outlet = liblsl.pylsl().StreamOutlet(description)


class WebSocketFeedback:
    """Feedback for the clients of the readings: objects of kind ``feedback`` between theirs."""

    def __init__(self, server: WebSocketReadings) -> None:
        self._server = server

    @property
    def output(self) -> Output:
        return replace(self._server.output, name=f"{self._server.output.name}, feedback")

    def put(self, item: Feedback) -> None:
        self._server.say({
            "kind": "feedback", "t": round(item.at, 4), "level": round(item.level, 5), "reward": item.reward,
            "valid": item.valid, "why": item.why, "block": item.block, "block_kind": item.kind, "virtual": item.virtual,
        })  # fmt: skip

    def tell(self, text: str, t: float) -> None:
        """Rewards are sent with the level."""

    def close(self, health: Health) -> None:
        """The server is closed as a sink of readings."""


class OscFeedback(Outbox[Feedback]):
    """``/realtime_mood/feedback/level`` (f), ``/reward`` (int), ``/valid`` (int), ``/block`` (int), thirty a second."""

    limit = round(2 * RATE_HZ)

    def __init__(self, address: str) -> None:
        super().__init__(f"OSC {address}, feedback")
        self._datagrams = Datagrams(address)

    def deliver(self, item: Feedback) -> None:
        values = {"level": float(item.level), "reward": int(item.reward), "valid": int(item.valid), "block": item.block}
        self._datagrams.send((f"{PREFIX}/feedback/{name}", value) for name, value in values.items())

    def tell(self, text: str, t: float) -> None:
        """Rewards are sent with the level."""

    def shut(self) -> None:
        self._datagrams.close()
