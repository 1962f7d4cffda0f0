"""Readings as JSON for browsers: a WebSocket server, and a small page that plots them live.

By default it listens on this computer only; on another address receivers need a token. Pages of other sites that are
open in the browser are refused by their `Origin`.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from ..body.measure import BodyReading
from ..body.measure import as_dict as body_dict
from ..errors import ConfigError
from ..guard import GuardedThread
from ..health import Emission
from ..language import _
from ..language.rendering import render
from ..language.terms import BODY, BODY_REASONS, REASONS
from .jsonlines import as_dict, to_json
from .osc import host_and_port
from .outbox import Outbox
from .values import values_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WAITING = 8  # messages a receiver may lag behind; then the oldest is dropped
RECEIVERS = 64  # largest number of receivers: each takes file descriptors from the process that also records
ASKING = 32  # largest number of further connections in handshake: more are refused without being read
SHUT_S = 0.8  # how long closing may take
SEND_BYTES = 2**15  # send buffer of the system per receiver: more would be old before it is sent
PATH = "/readings"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:"
FULL = f"{RECEIVERS} programs are already connected: close one and try again\n"
REFUSAL = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(FULL)}\r\nConnection: close\r\n\r\n{FULL}".encode()


class _Connection(ServerConnection):
    """A connection that is refused at once when there are too many."""

    def __init__(self, others: set[_Connection], *args: Any, **kwargs: Any) -> None:
        self._others = others
        super().__init__(*args, **kwargs)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._others) < RECEIVERS + ASKING:
            self._others.add(self)
            super().connection_made(transport)
        elif isinstance(transport, asyncio.Transport):
            transport.set_protocol(asyncio.Protocol())
            transport.write(REFUSAL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._others.discard(self)
        super().connection_lost(exc)


class WebSocketReadings(Outbox[Emission]):
    """A server at ``[HOST:]PORT``; raises `ConfigError` where the address is not valid, or in use."""

    def __init__(self, address: str) -> None:
        host, port = host_and_port(address, "--ws", LOOPBACK[0])
        self._token = "" if host in LOOPBACK else secrets.token_urlsafe(16)
        super().__init__(f"WebSocket {host}:{port}")
        self._hosts = {f"{name}:{port}" for name in (*LOOPBACK[:2], "[::1]", host)}
        self._at = address, host, port
        self._socket = self._listening()
        query = f"?token={self._token}" if self._token else ""
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/{query}"  # the page to open
        self._queues: set[asyncio.Queue[str]] = set()
        self._connections: set[_Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over, self._ending = asyncio.Event(), threading.Event()
        self._server: GuardedThread | None = None
        reasons = {why: _(text) for why, text in REASONS.items()}
        body = {key: _(text) for key, text in (BODY | BODY_REASONS).items()}
        self._page = render(__package__, "live.html", reasons=reasons, body=body).encode()  # in the language in use

    def _listening(self) -> socket.socket:
        address, host, port = self._at
        try:
            kind = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            made = socket.create_server((host, port), family=kind)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        except OSError as error:
            why = error.strerror or str(error)
            raise ConfigError(f"--ws {address}", f"cannot listen there: {why}", "choose another port") from None
        return made

    def start(self) -> None:
        if self._socket.fileno() == -1:  # the previous run has closed it
            self._socket = self._listening()
        self._loop, self._over, self._ending = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
        self._server = GuardedThread(self._work, "mood-websocket", self.on_fault, restart_until=self._ending)
        self._server.start()

    def deliver(self, item: Emission) -> None:
        values = values_of(item)
        own = {name: round(values[name], 6) for name in ("valence", "arousal")}  # NaN is sent as null
        self._call(self._spread, to_json(as_dict(item) | own | {"valid": bool(values["valid"])}))

    def put_body(self, reading: BodyReading) -> None:
        """Send the measures of the body."""
        self.say(body_dict(reading))

    def say(self, message: dict[str, object]) -> None:
        """Send another message to all receivers at once."""
        if self._queues:
            self._call(self._spread, to_json(message))

    def _call(self, work: Callable[..., object], *args: object) -> None:
        """Run `work` on the server's thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # its loop is closed: the server is ending or restarting
                self._loop.call_soon_threadsafe(work, *args)

    def receivers(self) -> int | None:
        return len(self._queues)

    def shut(self) -> None:
        if self._server is not None:
            self._ending.set()
            self._call(self._over.set)
            self._server.join(SHUT_S)
        self._socket.close()

    # -- on the server's thread ---------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._loop is None or self._loop.is_closed():  # the server failed, and restarts
            self._loop, self._over = asyncio.new_event_loop(), asyncio.Event()
            self._socket.close()
            self._socket = self._listening()
        self._serve(self._loop)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._listen())
        finally:
            self._queues.clear()
            self._connections.clear()
            loop.close()

    async def _listen(self) -> None:
        kind: Any = partial(_Connection, self._connections)  # called like the type
        options = {"process_request": self._asked, "create_connection": kind, "close_timeout": 0.2}
        async with serve(self._receiver, sock=self._socket, **options):
            await self._over.wait()

    def _spread(self, text: str) -> None:
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
                self._count(self._run, dropped=1)
            queue.put_nowait(text)

    async def _receiver(self, connection: ServerConnection) -> None:
        if len(self._queues) >= RECEIVERS:  # several were accepted at the same time
            await connection.close(CloseCode.TRY_AGAIN_LATER, FULL.strip())
            return
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
        """Accept a receiver, serve the page, or refuse."""
        try:
            return self._answer(connection, request)
        except ValueError:
            return connection.respond(HTTPStatus.BAD_REQUEST, "not an address\n")

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        url, hosts = urlsplit(request.path), request.headers.get_all("Host")
        token, origin = parse_qs(url.query).get("token", [""])[0], request.headers.get("Origin")
        refuse = partial(connection.respond, HTTPStatus.FORBIDDEN)
        if len(hosts) != 1 or not (self._token or hosts[0] in self._hosts):  # DNS rebinding
            return refuse("no such host\n")
        if self._token and not secrets.compare_digest(token.encode(), self._token.encode()):
            return refuse("the address needs its token\n")
        if url.path == PATH:
            if origin is not None and urlsplit(origin).netloc != hosts[0]:
                return refuse("not from another site\n")
            full = len(self._queues) >= RECEIVERS
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, FULL) if full else None
        if url.path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "nothing here\n")
        headers = Headers({
            "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(self._page)), "Connection": "close",
            "Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
        })  # fmt: skip
        return Response(HTTPStatus.OK, "OK", headers, self._page)
