"""Readings as OSC messages, one number each, so that a patch can use single values.

Addresses and units: docs/outputs.md, from `docs/site/meanings.py`.
"""

from __future__ import annotations

import math
import re
import socket
from collections.abc import Iterable, Iterator

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from ..body.measure import BodyReading
from ..errors import ConfigError
from ..health import Emission
from ..types import Estimate
from .outbox import Outbox
from .values import values_of

PREFIX = "/realtime_mood"


class Datagrams:
    """Bundles of OSC messages by UDP to ``HOST:PORT``; raises `ConfigError` for any other address."""

    def __init__(self, address: str) -> None:
        self._to = host_and_port(address, "--osc")
        self._socket: socket.socket | None = None

    def send(self, messages: Iterable[tuple[str, int | float | str | list[float]]]) -> None:
        """One bundle of addresses and values, or several values. Raises `OSError`."""
        if self._socket is None:
            kind, _, _, _, where = socket.getaddrinfo(*self._to, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(kind, socket.SOCK_DGRAM)
            self._socket.connect(where)
        bundle = OscBundleBuilder(IMMEDIATELY)
        for address, value in messages:
            message = OscMessageBuilder(address)
            for one in value if isinstance(value, list) else [value]:
                message.add_arg(one)
            bundle.add_content(message.build())
        try:
            self._socket.send(bundle.build().dgram)
        except ConnectionRefusedError as error:  # of the previous bundle: no program has opened the port
            raise ConnectionRefusedError("no program listens at this port") from error

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Osc(Outbox[Emission | BodyReading]):
    """One bundle per reading, and one a second with the measures of the body."""

    def __init__(self, address: str, prefix: str = PREFIX) -> None:
        super().__init__(f"OSC {address}")
        self._datagrams, self._prefix = Datagrams(address), prefix

    def put_body(self, reading: BodyReading) -> None:
        """Queue the measures of the body; returns at once."""
        self.put(reading)

    def deliver(self, item: Emission | BodyReading) -> None:
        found = body_messages(item) if isinstance(item, BodyReading) else messages(item)
        self._datagrams.send((f"{self._prefix}/{name}", value) for name, value in found)

    def shut(self) -> None:
        self._datagrams.close()


def messages(emission: Emission) -> Iterator[tuple[str, int | float | str]]:
    """Address (without prefix) and value of everything known of a reading."""
    reading, values = emission.reading, values_of(emission)
    yield "valid", int(values["valid"])
    yield "virtual", int(emission.info.virtual)
    yield "status", "estimate" if isinstance(reading, Estimate) else reading.why.value
    for name, value in values.items():
        if name != "valid" and math.isfinite(value):
            yield re.sub("^p_", "prob/", name), float(value)


def body_messages(reading: BodyReading) -> Iterator[tuple[str, int | float | str]]:
    """Address (without prefix) and value of the measures of the body."""
    for it in reading.measures:
        yield f"body/{it.name}/status", it.why or "valid"
        yield f"body/{it.name}/quality", float(it.quality)
        if it.value is not None:
            yield f"body/{it.name}", float(it.value)


def host_and_port(address: str, option: str, host: str = "") -> tuple[str, int]:
    """Parse ``HOST:PORT``, or only ``PORT`` where a default `host` is given."""
    name, _, port = address.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536 or not (name or host):
        form = "PORT or HOST:PORT" if host else "HOST:PORT"
        raise ConfigError(f"{option} {address}", "not an address", f"write {form}, like 127.0.0.1:9000")
    return (name or host).strip("[]"), int(port)
