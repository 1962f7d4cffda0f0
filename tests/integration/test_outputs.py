"""Readings that are sent elsewhere: received by the examples of the documentation, in processes of their own."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import os
import socket
import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import waiting
from emissions import READOUT, emission, free_port
from fakes import INFO as FAKE
from fakes import FakeSource, cut, live, pink, pipeline
from pythonosc.osc_packet import OscPacket

from realtime_mood import liblsl
from realtime_mood.dsp.spec import BANDS
from realtime_mood.errors import ConfigError
from realtime_mood.feedback.conditions import contingent
from realtime_mood.feedback.loop import FeedbackLoop
from realtime_mood.feedback.plan import load_plan
from realtime_mood.feedback.receivers import LslFeedback
from realtime_mood.health import Emission, Health, State
from realtime_mood.modalities import EyeInput, EyeState
from realtime_mood.recording.recorder import Recorder
from realtime_mood.run.engine import Engine
from realtime_mood.sinks.csv_file import CsvFile
from realtime_mood.sinks.jsonlines import as_dict
from realtime_mood.sinks.lsl_readings import LslReadings
from realtime_mood.sinks.muse_osc import MuseOptions, MuseOsc
from realtime_mood.sinks.osc import Osc, host_and_port, messages
from realtime_mood.sinks.values import names_of, values_of
from realtime_mood.sinks.websocket import WebSocketReadings
from realtime_mood.types import Chunk, Fault, Quality, StreamInfo

PACED = replace(FAKE, paced=True, ch_names=("Fp1", "Fp2", "P3", "Pz", "P4", "O1", "Oz", "O2"))
EXAMPLES = Path(__file__).parents[2] / "examples"


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


# -- what is said -------------------------------------------------------------------------------------------------


def test_numbers_of_a_reading_have_names_and_an_abstention_makes_none_up():
    sure, unsure = values_of(emission()), values_of(emission(probs=None))
    assert tuple(sure) == names_of(READOUT) == tuple(unsure)
    assert (sure["valid"], sure["valence"], sure["arousal"]) == pytest.approx((1.0, 0.6, 0.4))
    assert unsure["valid"] == 0
    finite = ["valid", "quality", "sample_age_ms", "eyes"]
    assert [name for name, value in unsure.items() if math.isfinite(value)] == finite


def test_osc_sends_only_what_is_known():
    told = dict(messages(emission()))
    assert told["prob/positive"] == pytest.approx(0.7)
    assert (told["valid"], told["virtual"], told["status"]) == (1, 1, "estimate")
    silent = dict(messages(emission(probs=None)))
    assert silent == {"valid": 0, "virtual": 1, "status": "gap", "quality": 1.0, "sample_age_ms": 12.0, "eyes": 0.0}


def test_every_output_says_whether_eyes_took_part():
    item = emission()
    item = replace(item, reading=replace(item.reading, eye=EyeInput(EyeState.USED, np.zeros(33, np.float32))))
    assert values_of(item)["eyes"] == dict(messages(item))["eyes"] == 1
    assert (as_dict(item)["modalities"], as_dict(item)["eyes"]) == (["eeg", "eyes"], "used")
    item = replace(item, reading=replace(item.reading, eye=EyeInput(EyeState.LOST)))
    assert values_of(item)["eyes"] == dict(messages(item))["eyes"] == 0
    assert (as_dict(item)["modalities"], as_dict(item)["eyes"]) == (["eeg"], "lost")
    assert as_dict(emission())["eyes"] is None


@pytest.mark.parametrize("address", ["", "9000", "host:", "host:0", "host:70000", "host:nine"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ConfigError, match="not an address"):
        host_and_port(address, "--osc")


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
        out = MuseOsc(f"127.0.0.1:{inbox.getsockname()[1]}", MuseOptions(notch="none"))
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


def test_a_reading_that_is_no_number_is_said_as_each_output_can(tmp_path):
    broken = emission(probs=(math.nan, math.nan, math.nan))
    values = values_of(broken)
    assert values["valid"] == 0
    sent = dict(messages(broken))
    assert sent["valid"] == 0
    assert not [name for name in sent if name.startswith("prob/")]
    table = CsvFile(tmp_path / "a.csv")
    table.put(broken)
    table.close(Health())
    (row,) = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    assert (row["valid"], row["p_positive"], row["confidence"]) == ("0", "", "")


# -- received elsewhere -------------------------------------------------------------------------------------------

SOURCE = ("--source", "synthetic://?subject=90001&n_chans=8&speed=4", "--lsl-scope", "loopback")


def until(lines: Iterator[dict], what: Callable[[dict], bool]) -> dict:
    return next(line for line in lines if what(line))


def test_pylsl_an_osc_patch_and_a_browser_s_socket_receive_the_same_run(example, program):
    osc, ws = free_port(socket.SOCK_DGRAM), free_port()
    patch = example("receive_osc.py", osc)
    assert next(patch) == {"listening": osc}
    program("run", "--view", "json", *SOURCE, "--lsl-out", "--osc", f"127.0.0.1:{osc}", "--ws", ws, output=os.devnull)
    inlet, browser = example("receive_lsl.py"), example("receive_ws.py", ws)
    assert until(patch, lambda line: line["address"] == "/realtime_mood/status")["value"] == "settling"
    sure = until(inlet, lambda line: line["valid"] == 1)
    assert sum(sure[f"p_{label}"] for label in READOUT.labels) == pytest.approx(1, abs=1e-5)
    assert sure["virtual"]
    assert abs(sure["received"] - sure["stamp"]) < 10  # on LSL's clock; at four times the speed no closer than that
    silent = until(inlet, lambda line: line["valid"] == 0)  # the person's states change, and it is unsure in between
    assert math.isnan(silent["p_positive"])
    assert 0 < until(patch, lambda line: line["address"] == "/realtime_mood/prob/positive")["value"] < 1
    told = until(browser, lambda line: line.get("valid"))
    assert set(told) >= {"valence", "arousal", "probs", "labels", "sample_age_ms", "virtual"}


@pytest.mark.skipif(importlib.util.find_spec("mne_lsl") is None, reason="mne-lsl is not installed")
def test_mne_lsl_receives_them_too(example, program):
    program("run", "--view", "json", *SOURCE, "--lsl-out", output=os.devnull)
    assert until(example("receive_mne_lsl.py"), lambda line: line["valid"] == 1)["p_positive"] > 0


def test_the_same_run_twice_sends_to_all_and_leaves_nothing_open(tmp_path):
    pylsl, port = liblsl.pylsl(), free_port()
    name = f"Readings-{uuid.uuid4().hex[:8]}"
    loop = FeedbackLoop(load_plan("alpha_up"), contingent, notch=())
    loop.send_to([LslFeedback(feedback_name := f"{name}-feedback", "RealtimeMood-Markers")])
    outputs = LslReadings(name), CsvFile(tmp_path / "a.csv"), WebSocketReadings(str(port))
    chunks = cut(pink(round(6 * PACED.sfreq), 8), [100])
    engine = Engine(
        FakeSource(live(chunks), PACED, after=lambda: None),
        pipeline,
        [Recorder(tmp_path / "a.xdf", {}), loop, *outputs],
    )
    for run in (1, 2):
        engine.start()
        assert pylsl.resolve_byprop("name", "RealtimeMood-Markers", timeout=10)
        assert pylsl.resolve_byprop("name", name, timeout=10)
        assert pylsl.resolve_byprop("name", feedback_name, timeout=10)
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        waiting.until(lambda: engine.health.readings >= 20)
        engine.stop(timeout=10.0)
        assert engine.health.faults == 0, engine.health.notes
        for it in ("RealtimeMood-Markers", name, feedback_name):
            assert not pylsl.resolve_byprop("name", it, timeout=0.3)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        assert len(list(tmp_path.glob("a*.csv"))) == len(list(tmp_path.glob("a*.xdf"))) == run
