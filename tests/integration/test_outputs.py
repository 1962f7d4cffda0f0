"""Readings that are sent elsewhere: received by the examples of the documentation, in processes of their own."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import json
import math
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pythonosc.osc_packet import OscPacket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import app
from realtime_mood.dsp.spec import BANDS
from realtime_mood.errors import ConfigError
from realtime_mood.feedback.moment import Feedback
from realtime_mood.feedback.receivers import WebSocketFeedback
from realtime_mood.health import Emission, Health, State
from realtime_mood.sinks.csv_file import CsvFile
from realtime_mood.sinks.muse_osc import MuseOsc
from realtime_mood.sinks.osc import Osc, host_and_port, messages
from realtime_mood.sinks.outbox import LIMIT, Outbox
from realtime_mood.sinks.values import names_of, values_of
from realtime_mood.sinks.websocket import WebSocketReadings
from realtime_mood.types import Abstained, Chunk, Estimate, Fault, Quality, Readout, StreamInfo, Why

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
READOUT = Readout("emotion3", ("negative", "neutral", "positive"), ((-1, 0.5), (0, 0), (1, 0.5)), "virtual")
INFO = StreamInfo(("Fz", "Cz"), 100.0, virtual=True)


def emission(k: int = 0, probs: tuple[float, ...] | None = (0.1, 0.2, 0.7)) -> Emission:
    quality, end = Quality(np.ones(2, np.float32), (None, None)), 1000 + 25 * k
    if probs is None:
        return Emission(Abstained(Why.GAP, 0, end, end / 100, READOUT, None, quality), INFO, State.LIVE, 12.0, None)
    it = Estimate(READOUT, probs, max(probs), np.full((2, 5), 0.5), quality, 1.0, True, 0, end, end / 100)
    return Emission(it, INFO, State.LIVE, 12.0, 20.0)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


@pytest.fixture
def example() -> Iterator[Callable[..., Iterator[dict]]]:
    """Runs an example of the documentation, and gives its lines."""
    running = []

    def run(name: str, *words: object) -> Iterator[dict]:
        command = [sys.executable, str(EXAMPLES / name), *map(str, words)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return map(json.loads, running[-1].stdout)

    yield run
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def running() -> Iterator[Callable[..., None]]:
    """Runs the program in a process of its own."""
    started = []

    def run(*words: str) -> None:
        command = [sys.executable, app.__file__, "run", "--view", "json", *words]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))

    yield run
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


# -- what is said -------------------------------------------------------------------------------------------------


def test_numbers_of_a_reading_have_names_and_an_abstention_makes_none_up():
    sure, unsure = values_of(emission()), values_of(emission(probs=None))
    assert tuple(sure) == names_of(READOUT) == tuple(unsure)
    assert (sure["valid"], sure["valence"], sure["arousal"]) == pytest.approx((1.0, 0.6, 0.4))
    assert unsure["valid"] == 0
    assert [name for name, value in unsure.items() if math.isfinite(value)] == ["valid", "quality", "sample_age_ms"]


def test_osc_sends_only_what_is_known():
    told = dict(messages(emission()))
    assert told["prob/positive"] == pytest.approx(0.7)
    assert (told["valid"], told["virtual"], told["status"]) == (1, 1, "estimate")
    silent = dict(messages(emission(probs=None)))
    assert silent == {"valid": 0, "virtual": 1, "status": "gap", "quality": 1.0, "sample_age_ms": 12.0}


@pytest.mark.parametrize("address", ["", "9000", "host:", "host:0", "host:70000", "host:nine"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ConfigError, match="not an address"):
        host_and_port(address, "--osc")


# -- nobody waits -------------------------------------------------------------------------------------------------


class Slow(Outbox[Emission]):
    """A receiver that takes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__("slow")
        self.may, self.got = threading.Event(), []

    def deliver(self, item: Emission) -> None:
        self.may.wait(5)
        if item.reading.end < 1100:
            raise OSError("line one\nline two")
        self.got.append(item.reading.end)


def test_a_slow_receiver_loses_the_oldest_and_a_failing_one_is_tried_again():
    slow = Slow()
    for k in range(50):
        slow.put(emission(k))
    assert slow.output.dropped >= 50 - LIMIT - 1
    slow.may.set()
    slow.close(Health())
    assert slow.got[-1] == 1000 + 25 * 49
    assert slow.output.sent == len(slow.got)
    assert slow.output.sent + slow.output.dropped == 50
    assert slow.output.trouble == ""


def test_osc_to_nobody_is_told_and_costs_nothing():
    osc = Osc(f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}")
    done = threading.Event()
    osc.shut_was = osc.shut
    osc.shut = lambda: (osc.shut_was(), done.set())
    for k in range(6):
        osc.put(emission(k))
    osc.close(Health())
    assert done.wait(5)
    assert osc.output.dropped > 0
    assert osc.output.sent + osc.output.dropped == 6


def test_a_patch_made_for_a_muse_gets_its_band_powers():
    info = StreamInfo(("TP9", "AF7", "AF8", "TP10", "Cz"), 200.0)
    t = np.arange(2000) / 200
    data = np.random.default_rng(0).normal(0, 2, (2000, 5)).astype(np.float32)
    data[:, 1] += 20 * np.sin(2 * np.pi * 10 * t)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inbox:
        inbox.bind(("127.0.0.1", 0))
        inbox.settimeout(5)
        out = MuseOsc(f"127.0.0.1:{inbox.getsockname()[1]}", ())
        out.open(info)
        out.put(Emission(replace(emission().reading, quality=Quality(np.ones(5), (Fault.FLAT, *[None] * 4))), info,
                         State.LIVE, 1.0, 1.0))  # fmt: skip
        for at in range(0, 2000, 40):
            out.take(Chunk(data[at : at + 40], at, (at + 40) / 200))
        packets = [OscPacket(inbox.recv(4096)) for _ in range(10)]
        out.close(Health())
    told = {timed.message.address: timed.message.params for timed in packets[-1].messages}
    assert set(told) == {f"/muse/elements/{it}_absolute" for it in BANDS} | {"/muse/elements/horseshoe"}
    alpha = told["/muse/elements/alpha_absolute"]
    assert alpha[1] == pytest.approx(math.log10(200), abs=0.15)  # half of 20² µV²
    assert alpha[1] > max(alpha[0], alpha[2], alpha[3]) + 1
    assert told["/muse/elements/horseshoe"] == [4.0, 1.0, 1.0, 1.0]


# -- the WebSocket ------------------------------------------------------------------------------------------------


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
        out.put(Feedback(1.0, 2.0, 1, "feedback", "t", 0.75, True, True, "", 3, 9.0, True))
        told = json.loads(it.recv(timeout=5))
    assert (told["kind"], told["level"], told["reward"], told["virtual"]) == ("feedback", 0.75, True, True)
    assert out.output.name.endswith("feedback")


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
    assert "VIRTUAL PERSON" in page
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


def test_a_port_that_is_taken_is_said_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot listen there"):
        WebSocketReadings(str(taken.getsockname()[1]))


# -- the table ----------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_a_reading_and_is_private(tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    sink = CsvFile(tmp_path / "a.csv")
    for k in range(5):
        sink.put(emission(k, None if k == 2 else (0.1, 0.2, 0.7)))
    sink.close(Health())
    assert (tmp_path / "a.csv").read_text() == "mine"
    path = tmp_path / "a_2.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["status"] for row in rows] == ["estimate", "estimate", "gap", "estimate", "estimate"]
    assert rows[0]["p_positive"] == "0.7"
    assert rows[2]["p_positive"] == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# -- received elsewhere -------------------------------------------------------------------------------------------

SOURCE = ("--source", "synthetic://?subject=90001&n_chans=8&speed=4", "--lsl-scope", "loopback")


def until(lines: Iterator[dict], what: Callable[[dict], bool]) -> dict:
    return next(line for line in lines if what(line))


def test_pylsl_an_osc_patch_and_a_browser_s_socket_receive_the_same_run(example, running):
    osc, ws = free_port(socket.SOCK_DGRAM), free_port()
    patch = example("receive_osc.py", osc)
    assert next(patch) == {"listening": osc}
    running(*SOURCE, "--lsl-out", "--osc", f"127.0.0.1:{osc}", "--ws", str(ws))
    inlet, browser = example("receive_lsl.py"), example("receive_ws.py", ws)
    assert until(patch, lambda line: line["address"].endswith("/status"))["value"] == "settling"
    sure = until(inlet, lambda line: line["valid"] == 1)
    assert sum(sure[f"p_{label}"] for label in READOUT.labels) == pytest.approx(1, abs=1e-5)
    assert sure["virtual"]
    assert abs(sure["received"] - sure["stamp"]) < 10  # on LSL's clock; at four times the speed no closer than that
    silent = until(inlet, lambda line: line["valid"] == 0)  # the person's states change, and it is unsure in between
    assert math.isnan(silent["p_positive"])
    assert 0 < until(patch, lambda line: line["address"] == "/realtime_mood/prob/positive")["value"] < 1
    told = until(browser, lambda line: line["valid"])
    assert set(told) >= {"valence", "arousal", "probs", "labels", "sample_age_ms", "virtual"}


@pytest.mark.skipif(importlib.util.find_spec("mne_lsl") is None, reason="mne-lsl is not installed")
def test_mne_lsl_receives_them_too(example, running):
    running(*SOURCE, "--lsl-out")
    assert until(example("receive_mne_lsl.py"), lambda line: line["valid"] == 1)["p_positive"] > 0


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
