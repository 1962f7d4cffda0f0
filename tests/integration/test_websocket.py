"""The WebSocket: who may listen, what is received, and what happens when there are too many or the run is over."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import waiting
from emissions import READOUT, emission, free_port
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from realtime_mood.body.measure import BodyReading, invalid
from realtime_mood.errors import ConfigError
from realtime_mood.feedback.receivers import WebSocketFeedback
from realtime_mood.health import Feedback, Health
from realtime_mood.sinks.websocket import ASKING, RECEIVERS, WebSocketReadings

FED = Feedback(1.0, 2.0, 1, "feedback", "t", 0.75, True, True, "", 3, 9.0, True)


@pytest.fixture
def server() -> Iterator[WebSocketReadings]:
    it = WebSocketReadings(str(free_port()))
    it.put(emission())
    yield it
    it.close(Health())


def receive(server: WebSocketReadings, **how) -> dict:
    port = int(server.output.name.rpartition(":")[2])
    with connect(f"ws://127.0.0.1:{port}/readings", **how) as it:
        server.put(emission(1))
        return json.loads(it.recv(timeout=5))


def get(port: int, host: str) -> str:
    """What a browser would be answered that believes `host` to be here."""
    with socket.create_connection(("127.0.0.1", port)) as it:
        it.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return b"".join(iter(lambda: it.recv(65536), b"")).decode()


def test_a_receiver_gets_readings_as_the_json_view_has_them(server):
    told = receive(server)
    assert (told["kind"], told["valid"], told["virtual"]) == ("estimate", True, True)
    assert told["valence"] == pytest.approx(0.6)
    assert told["labels"] == list(READOUT.labels)


def test_feedback_is_heard_between_readings(server):
    port = int(server.output.name.rpartition(":")[2])
    with connect(f"ws://127.0.0.1:{port}/readings") as it:
        server.put(emission(1))
        assert json.loads(it.recv(timeout=5))["kind"] == "estimate"
        out = WebSocketFeedback(server)
        out.put(FED)
        told = next(message for message in map(json.loads, it) if message["kind"] != "estimate")  # the fixture's, too
    assert (told["kind"], told["level"], told["reward"], told["virtual"]) == ("feedback", 0.75, True, True)
    assert out.output.name.endswith("feedback")


def test_measures_of_the_body_come_between_readings(server):
    port = int(server.output.name.rpartition(":")[2])
    with connect(f"ws://127.0.0.1:{port}/readings") as it:
        server.put(emission(1))
        assert json.loads(it.recv(timeout=5))["kind"] == "estimate"
        server.put_body(BodyReading(5.0, 2.0, (invalid("heart_rate", "noisy"),)))
        message = next(message for message in map(json.loads, it) if message["kind"] != "estimate")
    assert message == {
        "kind": "body", "t": 2.0, "virtual": False,
        "measures": {"heart_rate": {"value": None, "unit": "1/min", "quality": 0.0, "why": "noisy"}},
    }  # fmt: skip


def test_another_site_and_a_bent_name_are_turned_away(server):
    with pytest.raises(InvalidStatus):
        receive(server, origin="https://elsewhere.example")
    port = server.output.name.rpartition(":")[2]
    assert "403" in get(int(port), "elsewhere.example")
    assert receive(server, origin=f"http://127.0.0.1:{port}")["valid"]


def test_the_page_is_there_and_asks_nobody_else(server):
    port = int(server.output.name.rpartition(":")[2])
    head, _, page = get(port, f"127.0.0.1:{port}").partition("\r\n\r\n")
    assert "200 OK" in head
    assert "default-src 'none'" in head
    assert "SIMULATED" in page
    assert '"bad_signal": "poor signal"' in page
    assert "http://" not in page.replace('replace(/^http/, "ws")', "")


def test_a_receiver_that_does_not_read_is_dropped_from_and_holds_nobody_up(server):
    port = int(server.output.name.rpartition(":")[2])
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", port))
    with connect(f"ws://127.0.0.1:{port}/readings", sock=narrow, max_queue=1, close_timeout=0.1):
        for k in range(60_000):
            server.put(emission(k))
            if server.output.dropped > 20:
                break
        assert server.output.dropped > 20
        assert receive(server)["valid"]  # somebody else still hears


def test_opened_wider_it_asks_for_its_token():
    server = WebSocketReadings(f"0.0.0.0:{free_port()}")
    try:
        server.put(emission())
        with pytest.raises(InvalidStatus):
            receive(server)
        token = server.url.partition("token=")[2]
        port = server.output.name.rpartition(":")[2]
        with connect(f"ws://127.0.0.1:{port}/readings?token={token}") as it:
            server.put(emission(1))
            assert json.loads(it.recv(timeout=5))["valid"]
    finally:
        server.close(Health())


def ask(port: int, path: str = "/readings", host: str | None = None) -> socket.socket:
    """A handshake by hand: the answer is still to be read."""
    it = socket.create_connection(("127.0.0.1", port), timeout=5)
    host = host or f"127.0.0.1:{port}"
    it.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return it


def test_it_answers_before_the_first_reading_and_in_the_next_run():
    server = WebSocketReadings(str(free_port()))
    port = int(server.output.name.rpartition(":")[2])
    for _ in range(2):
        server.prepare()
        try:
            with connect(f"ws://127.0.0.1:{port}/readings") as it:
                waiting.until(server.receivers)
                WebSocketFeedback(server).put(FED)
                assert json.loads(it.recv(timeout=5))["kind"] == "feedback"
                server.put(emission())
                assert json.loads(it.recv(timeout=5))["valid"]
        finally:
            server.close(Health())
        with pytest.raises(OSError):  # noqa: PT011 - refused, in each system's words
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_one_receiver_too_many_is_refused_in_words_and_one_that_goes_makes_room():
    server = WebSocketReadings(str(free_port()))
    port = int(server.output.name.rpartition(":")[2])
    server.prepare()
    open_ones = []
    try:
        for k in range(RECEIVERS):
            open_ones.append(ask(port))
            assert b"101" in open_ones[k].recv(4096)
        with ask(port) as refused:
            answer = b"".join(iter(lambda: refused.recv(4096), b"")).decode()
        assert answer.startswith("HTTP/1.1 503")
        assert f"{RECEIVERS} programs are already connected" in answer
        assert "200 OK" in get(port, f"127.0.0.1:{port}")  # the page is still there
        open_ones.pop().close()
        waiting.until(lambda: server.receivers() < RECEIVERS)
        assert receive(server)["valid"]
    finally:
        for it in open_ones:
            it.close()
        server.close(Health())


def test_connections_that_ask_nothing_are_bounded_too():
    server = WebSocketReadings(str(free_port()))
    port = int(server.output.name.rpartition(":")[2])
    server.prepare()
    silent = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(RECEIVERS + ASKING + 1)]
    try:
        assert silent[-1].recv(4096).startswith(b"HTTP/1.1 503")
    finally:
        for it in silent:
            it.close()
        server.close(Health())


@pytest.mark.parametrize("token", ["wrong", "%C3%A9", "%FF", "%00", ""])
def test_a_token_in_any_letters_is_refused_in_words(token):
    server = WebSocketReadings(f"0.0.0.0:{free_port()}")
    port = int(server.output.name.rpartition(":")[2])
    server.prepare()
    try:
        with ask(port, f"/readings?token={token}") as it:
            answer = b"".join(iter(lambda: it.recv(4096), b"")).decode()
        assert answer.startswith("HTTP/1.1 403")
        assert "needs its token" in answer
    finally:
        server.close(Health())


@pytest.mark.parametrize("path", ["//[", "/readings?token=%", "/%F0"])
def test_an_address_that_makes_no_sense_is_refused_without_a_fault(server, path):
    port = int(server.output.name.rpartition(":")[2])
    with ask(port, path) as it:
        answer = it.recv(4096).decode(errors="replace")
    assert "500" not in answer.partition("\r\n")[0]


def test_a_run_that_ends_before_the_server_has_begun_leaves_nothing_open():
    server, may = WebSocketReadings(str(free_port())), threading.Event()
    serve = server._serve

    def late(loop):
        may.wait(5)
        serve(loop)

    server._serve = late
    server.put(emission())
    closing = threading.Thread(target=server.close, args=(Health(),))
    closing.start()
    may.set()
    closing.join(5)
    assert server._socket.fileno() == -1
    assert not server._server.is_alive()


def test_a_server_that_fails_is_started_again_at_the_same_address():
    server = WebSocketReadings(str(free_port()))
    faults, serve, calls = [], server._serve, []
    server.on_fault = faults.append

    def fails_once(loop):
        calls.append(1)
        if len(calls) == 1:
            loop.close()
            raise OSError("no descriptors left")
        serve(loop)

    server._serve = fails_once
    server.prepare()
    try:
        waiting.until(lambda: len(calls) == 2)
        assert receive(server)["valid"]
        assert faults == ["websocket failed and was started again: no descriptors left"]
    finally:
        server.close(Health())


def test_a_port_that_is_taken_is_said_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot listen there"):
        WebSocketReadings(str(taken.getsockname()[1]))


def test_the_page_lives_in_a_browser(server):
    """In Chromium, where the toolkit's build of it is installed."""
    pytest.importorskip("PyQt6.QtWebEngineWidgets", reason="Qt WebEngine is not installed", exc_type=ImportError)
    script = f"""
import os, sys
os.environ |= {{"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1"}}
from PyQt6.QtCore import QTimer, QUrl
from PyQt6.QtWebEngineWidgets import QWebEngineView
from PyQt6.QtWidgets import QApplication
app, view = QApplication(sys.argv), None
view = QWebEngineView()
view.load(QUrl({server.url!r}))
def look():
    def told(text):
        if text == "positive":
            print(text, flush=True)
            app.quit()
    view.page().runJavaScript("document.getElementById('now').textContent", told)
timer = QTimer()
timer.timeout.connect(look)
timer.start(100)
QTimer.singleShot(20000, app.quit)
app.exec()
"""
    browser = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    k = 0
    while browser.poll() is None:
        server.put(emission(k := k + 1))
        with contextlib.suppress(subprocess.TimeoutExpired):
            browser.wait(0.2)
    assert browser.stdout.read().strip() == "positive"
    browser.stdout.close()
