"""Turns readings into JSON for browsers: a WebSocket, and a small page that plots it live.

It listens on this machine unless told otherwise; then whoever wants to listen needs a token. A page of some other site
that is open in the browser is turned away: its `Origin` is not ours.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
from contextlib import suppress
from http import HTTPStatus
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ..errors import ConfigError
from ..health import Emission
from .jsonlines import as_dict
from .osc import host_and_port
from .outbox import Outbox
from .values import values_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WAITING = 8  # messages a receiver may be behind; then the oldest is dropped
SEND_BYTES = 2**15  # may wait in the system for one receiver: more would be old before it is sent
PATH = "/readings"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:"


class WebSocketReadings(Outbox[Emission]):
    """A server at ``[HOST:]PORT``.

    Raises
    ------
    ConfigError
        That is not an address, or something else listens there.
    """

    def __init__(self, address: str) -> None:
        host, port = host_and_port(address, "--ws", LOOPBACK[0])
        self._token = "" if host in LOOPBACK else secrets.token_urlsafe(16)
        super().__init__(f"WebSocket {host}:{port}")
        self._hosts = {f"{it}:{port}" for it in (*LOOPBACK[:2], "[::1]", host)}
        try:
            kind = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._socket = socket.create_server((host, port), family=kind)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        except OSError as error:
            why = error.strerror or str(error)
            raise ConfigError(f"--ws {address}", f"cannot listen there: {why}", "choose another port") from None
        query = f"?token={self._token}" if self._token else ""
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/{query}"
        """The page to open."""
        self._queues: set[asyncio.Queue[str]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: threading.Thread | None = None
        self._page = files("realtime_mood.sinks").joinpath("live.html").read_bytes()

    def deliver(self, item: Emission) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._server = threading.Thread(target=self._serve, args=(self._loop,), name="mood-websocket", daemon=True)
            self._server.start()
        values = values_of(item)
        told = as_dict(item) | {name: _number(values[name]) for name in ("valence", "arousal")}
        text = json.dumps(told | {"valid": bool(values["valid"])}, allow_nan=False, ensure_ascii=False)
        self._loop.call_soon_threadsafe(self._spread, text)

    def say(self, told: dict[str, object]) -> None:
        """Send something else to whoever listens, at once; nothing before the first reading."""
        loop = self._loop
        if loop is not None and self._queues:
            loop.call_soon_threadsafe(self._spread, json.dumps(told, allow_nan=False, ensure_ascii=False))

    def receivers(self) -> int | None:
        return len(self._queues)

    def shut(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and self._server is not None:
            loop.call_soon_threadsafe(self._over.set)
            self._server.join(1.0)
        self._socket.close()

    # -- on the server's thread ---------------------------------------------------------------------------------

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self._over = asyncio.Event()
        try:
            loop.run_until_complete(self._listen())
        finally:
            loop.close()

    async def _listen(self) -> None:
        async with serve(self._receiver, sock=self._socket, process_request=self._asked, close_timeout=0.2):
            await self._over.wait()

    def _spread(self, text: str) -> None:
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
                self._count(dropped=1)
            queue.put_nowait(text)

    async def _receiver(self, connection: ServerConnection) -> None:
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._queues.add(queue)
        sending = asyncio.ensure_future(self._send(connection, queue))
        try:
            await connection.wait_closed()
        finally:
            self._queues.discard(queue)
            sending.cancel()

    async def _send(self, connection: ServerConnection, queue: asyncio.Queue[str]) -> None:
        with suppress(ConnectionClosed):
            while True:
                await connection.send(await queue.get())

    def _asked(self, connection: ServerConnection, request: Request) -> Response | None:
        """Let a receiver in, give the page, or say no."""
        url, asks = urlsplit(request.path), request.headers
        given, hosts = parse_qs(url.query).get("token", [""])[0], asks.get_all("Host")
        if len(hosts) != 1 or not (self._token or hosts[0] in self._hosts):  # a name that was bent to this machine
            return connection.respond(HTTPStatus.FORBIDDEN, "no such host\n")
        if self._token and not secrets.compare_digest(given, self._token):
            return connection.respond(HTTPStatus.FORBIDDEN, "the address needs its token\n")
        if url.path == PATH:
            origin = asks.get("Origin")
            if origin is None or urlsplit(origin).netloc == hosts[0]:
                return None
            return connection.respond(HTTPStatus.FORBIDDEN, "not from another site\n")
        if url.path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "nothing here\n")
        headers = Headers({
            "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(self._page)), "Connection": "close",
            "Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
        })  # fmt: skip
        return Response(HTTPStatus.OK, "OK", headers, self._page)


def _number(value: float) -> float | None:
    return None if value != value else round(value, 6)
