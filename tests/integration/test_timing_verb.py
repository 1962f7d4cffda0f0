"""The verb `timing`: real streams of other processes, files, its JSON, its page, its exit codes."""

from __future__ import annotations

import json
import uuid

import numpy as np
import pylsl
import pytest
from waiting import until

from realtime_mood.recording import xdf_write as xdf
from realtime_mood.timing_tests.onsets import OnsetOptions, evaluate, read_trace

SENSOR = """
import sys, time
import numpy as np, pylsl
name = sys.argv[1]
info = pylsl.StreamInfo(name, "Misc", 2, 500.0, pylsl.cf_float32, name)
channels = info.desc().append_child("channels")
for label in ("Other", "Photo"):
    channels.append_child("channel").append_child_value("label", label)
sensor = pylsl.StreamOutlet(info)
words = pylsl.StreamOutlet(pylsl.StreamInfo(name + "-words", "Markers", 1, 0.0, pylsl.cf_string, name + "w"))
print("up", flush=True)
words.wait_for_consumers(60)
began, sent, flashes = pylsl.local_clock(), 0, 0
rng = np.random.default_rng(5)
marks = 0.8 + np.cumsum(rng.uniform(0.15, 0.35, 400))
while True:
    now = pylsl.local_clock() - began
    n = int(now * 500)
    t = np.arange(sent, n) / 500
    k = np.searchsorted(marks, t - 0.02, "right") - 1
    on = (k >= 0) & (t - 0.02 - marks[np.maximum(k, 0)] < 0.05)
    if n > sent:
        sensor.push_chunk(np.c_[t * 0, on].astype(np.float32), list(began + t))
        sent = n
    while marks[flashes] < now:
        words.push_sample(["flash"], began + marks[flashes])
        flashes += 1
    time.sleep(0.01)
"""


@pytest.fixture
def file(tmp_path):
    """A sensor that shows every marker 20 ms later, at 500 Hz."""
    t, markers = np.arange(10_000) / 500, 1.0 + 0.61 * np.arange(30)
    on = sum((t >= at + 0.02) & (t < at + 0.1) for at in markers).astype("<f4")
    told = {"name": "aux", "type": "Misc", "channel_count": "1", "nominal_srate": "500", "channel_format": "float32"}
    words = {"name": "words", "type": "Markers", "channel_count": "1", "nominal_srate": "0", "channel_format": "string"}
    parts = [xdf.file_header(), xdf.stream_header(1, told), xdf.stream_header(2, words), xdf.samples(1, t, on[:, None])]
    parts += [xdf.words(2, at, "flash") for at in markers]
    parts += [xdf.clock_offset(1, float(at), -2e-5 * at) for at in range(30)]
    (path := tmp_path / "a.xdf").write_bytes(b"".join(parts))
    return path


def test_a_file_is_tested_and_its_page_written(program, tmp_path, file):
    said, _ = program("timing", "onsets", file, "--channel", "1", "--json", "--out", tmp_path).communicate()
    found = json.loads(said)
    assert (found["test"], found["good"], found["markers"]) == ("onsets", True, 30)
    assert (found["missed"], found["extra"]) == (0, 0)
    assert found["delay"]["median_ms"] == pytest.approx(20, abs=2)
    page = (tmp_path / "timing-onsets.html").read_text(encoding="utf-8")
    assert "The timing is good." in page
    done = program("timing", "clocks", file)
    said, _ = done.communicate()
    assert "+20.0 ppm" in said
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["onsets", "none.xdf", "--channel", "1"], 3, "no such file"),
        (["onsets", "a.xdf"], 2, "Missing option '--channel'"),
        (["onsets", "a.xdf", "--channel", "1", "--signal", "sound", "--edge", "fall"], 2, "only the begin of a sound"),
        (["onsets", "a.xdf", "--channel", "7"], 3, "no channel is called '7'; there are 1"),
        (["onsets", "a.xdf", "--channel", "1", "--only", "beep"], 3, "no marker like 'beep' among flash"),
        (["onsets", "a.xdf", "--channel", "1", "--out", "a.xdf"], 2, "that is another file"),
        (["clocks", "synthetic://"], 3, "no clock that LSL measures"),
        (["clocks", "a.xdf", "--seconds", "1"], 2, "--seconds"),
        (["markers", "--n", "2"], 2, "--n"),
    ],
)
def test_what_cannot_be_tested_is_said(program, tmp_path, file, words, code, says):
    done = program("timing", *words, cwd=file.parent)
    _, err = done.communicate()
    assert says in err
    assert done.returncode == code


def test_bad_timing_is_the_answer_no(program, tmp_path, file):
    done = program("timing", "onsets", file, "--channel", "1", "--edge", "both")
    said, _ = done.communicate()
    assert "30 onsets have no marker" in said
    assert done.returncode == 1


def test_markers_of_the_other_process(program):
    done = program("timing", "markers", "--n", "10", "--json")
    said, err = done.communicate()
    found = json.loads(said)
    assert (found["sent"], found["lost"], err) == (10, 0, "")
    assert abs(found["stamps"]["median_ms"]) < 1


def test_a_live_sensor_and_its_clock(program):
    name = f"test-{uuid.uuid4().hex[:10]}"
    sender = program(name, code=SENSOR)
    assert sender.stdout.readline() == "up\n"
    trace = read_trace(f"lsl://{name}", "Photo", f"lsl://{name}-words", 4.0)
    test = evaluate(trace, OnsetOptions(), name)
    assert test.markers >= 9
    assert test.missed == 0
    assert test.delay.median_ms == pytest.approx(20, abs=2)
    assert test.delay.jitter_ms < 4
    done = program("timing", "clocks", f"lsl://{name}", "--seconds", "9", "--json")
    found = json.loads(done.communicate()[0])
    assert abs(found["offset_ms"]) < 1
    assert found["round_trip_ms"] < 50
    assert not found["steps"]


def test_a_sender_that_ends_is_named(program):
    name = f"test-{uuid.uuid4().hex[:10]}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, 0.0, pylsl.cf_string, name))
    done = program("timing", "clocks", f"lsl://{name}", "--seconds", "60")
    until(outlet.have_consumers, 30)
    del outlet
    _, err = done.communicate()
    assert "its sender is gone" in err
    assert done.returncode == 4
