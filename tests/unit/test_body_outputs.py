"""The measures of the body in a run: JSON lines, OSC, the recording and the view, and never at the cost of the EEG."""

from __future__ import annotations

import io
import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import pyxdf
from fakes import FakeSource, FakeStream, Keep, cut, pink, pipeline
from rich.console import Console
from waiting import until

from realtime_mood import clock
from realtime_mood.auxiliary import AuxChunk, AuxInfo, SenderClock
from realtime_mood.body.history import KEPT_S, BodyHistory
from realtime_mood.body.measure import UNITS, BodyMeasure, BodyReading, invalid
from realtime_mood.cli import terminal
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.xdf_session import WHYS
from realtime_mood.run.engine import Engine
from realtime_mood.sinks.jsonlines import JsonLines
from realtime_mood.sinks.osc import body_messages
from realtime_mood.testing.parts import INFO
from realtime_mood.viewmodel.body import body_of

PPG = AuxInfo("fake#PPG", "PPG", "PPG", ("PPG1",), ("",), 64.0, virtual=True)
EDA = AuxInfo("fake#EDA", "EDA", "EDA", ("EDA",), ("furlongs",), 8.0, virtual=True)
LIVE = replace(INFO, paced=True)
READING = BodyReading(
    500.0, 12.0, (BodyMeasure("heart_rate", 72.04, 0.9), invalid("rmssd", "noisy", 0.3),
                  BodyMeasure("skin_conductance", 4.2042, 1.0)),
)  # fmt: skip


class Carrier(FakeStream):
    """A headset that also carries pulse and skin conductance, from a minute ago up to now."""

    def beside(self) -> list[tuple[AuxInfo, AuxChunk]]:
        now, sent = clock.now(), self.__dict__.setdefault("sent", {})
        found = []
        for info in (PPG, EDA):
            begin, n = sent.get(info, (now - 60, 0))
            stamps = np.arange(begin, now, 1 / info.sfreq)
            wave = np.exp(8 * np.cos(2 * np.pi * stamps * 75 / 60))[:, None]
            found.append((info, AuxChunk(wave.astype(np.float32), stamps, stamps, n, SenderClock(now, 0.0))))
            sent[info] = begin + len(stamps) / info.sfreq, n + len(stamps)
        return found


class CarryingHeadset(FakeSource):
    def open(self) -> Carrier:
        self.streams.append(Carrier(self.info, self.chunks, self.after))
        return self.streams[-1]  # type: ignore[return-value]


class KeepBody(Keep):
    def __init__(self) -> None:
        super().__init__()
        self.body: list[BodyReading] = []

    def put_body(self, reading: BodyReading) -> None:
        self.body.append(reading)
        raise RuntimeError("a bug of a sink")


def test_a_run_measures_the_body_and_gives_it_to_view_lines_and_recording(tmp_path):
    signal = pink(2400, 8)
    chunks = cut(signal, [100])
    late = clock.now() - chunks[-1].t_last
    chunks = [replace(chunk, t_last=chunk.t_last + late) for chunk in chunks]
    out, keep, recorder = io.StringIO(), KeepBody(), Recorder(tmp_path / "a.xdf", {})
    engine = Engine(CarryingHeadset(chunks, LIVE, after=lambda: None), pipeline, [JsonLines(out), keep, recorder])
    with engine:
        until(lambda: keep.body and keep.body[-1].measures[0].value and engine.health.readings > 2)
        state = terminal.look(engine)
    assert engine.health.samples == 2400
    first = next(k for k, it in enumerate(keep.body) if it.measures[0].value)  # the streams may come after the EEG
    reading = keep.body[first]
    found = {it.name: it for it in reading.measures}
    assert list(found) == ["heart_rate", "rmssd", "skin_conductance", "skin_responses"]
    assert found["heart_rate"].value == pytest.approx(75, abs=0.5)
    assert found["skin_conductance"].why == "unknown unit"
    assert reading.virtual
    assert reading.t == math.floor(reading.t)
    assert reading.at == pytest.approx(2400 / 200 + reading.t - chunks[-1].t_last, abs=0.01)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    body = [line for line in lines if line["kind"] == "body"]
    assert body[first]["measures"]["heart_rate"]["unit"] == "1/min"
    assert body[first]["measures"]["skin_conductance"] == {
        "value": None, "unit": "µS", "quality": 0.0, "why": "unknown unit",
    }  # fmt: skip
    assert lines[-1]["kind"] == "health"
    assert "KeepBody" in " ".join(engine.health.notes)  # its bug is reported, and costs nothing else

    streams, _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"), verbose=False)
    (stream,) = (it for it in streams if it["info"]["name"] == ["body"])
    channels = {it["label"][0]: it["unit"][0] for it in stream["info"]["desc"][0]["channels"][0]["channel"]}
    row = dict(zip(channels, stream["time_series"][first].tolist(), strict=True))
    assert row["heart_rate"] == pytest.approx(found["heart_rate"].value, rel=1e-5)
    assert channels["skin_conductance"] == "µS"
    assert math.isnan(row["movement"])
    assert [WHYS[int(row[f"{name} why"])] for name in UNITS] == [
        "", found["rmssd"].why, "unknown unit", "unknown unit", "no signal", "no signal",
    ]  # fmt: skip
    assert stream["time_stamps"][first] == pytest.approx(reading.t, abs=1e-6)
    console = Console(file=io.StringIO(), width=100)
    console.print(terminal.picture(state))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "heart rate 75 /min" in printed
    assert "skin conductance unknown unit" in printed


def test_a_reading_as_osc_messages():
    assert dict(body_messages(READING)) == {
        "body/heart_rate/status": "valid", "body/heart_rate/quality": 0.9, "body/heart_rate": 72.04,
        "body/rmssd/status": "noisy", "body/rmssd/quality": 0.3,
        "body/skin_conductance/status": "valid", "body/skin_conductance/quality": 1.0, "body/skin_conductance": 4.2042,
    }  # fmt: skip


def test_the_view_has_a_line_with_gaps_for_each_measure():
    history = BodyHistory()
    assert body_of(history, 0.0).cell is None
    assert body_of(history, 0.0).text == ""
    history.add(replace(READING, t=499.0, measures=(BodyMeasure("heart_rate", 70.0), invalid("rmssd", "settling"))))
    history.add(READING)
    view = body_of(history, 501.0)
    assert view.text == "heart rate 72 /min · HRV (RMSSD) noisy · skin conductance 4.20 µS"
    assert view.cell.text == "72 /min, 4.20 µS"
    lines = {line.name: line for line in view.lines}
    np.testing.assert_array_equal(lines["heart_rate"].t, [-2, -1])
    np.testing.assert_allclose(lines["heart_rate"].values, [70, 72.04])
    np.testing.assert_array_equal(lines["skin_conductance"].values, [np.nan, 4.2042])


def test_a_long_session_keeps_its_newest_hours():
    history = BodyHistory()
    for t in range(2 * KEPT_S + 10):
        history.add(replace(READING, t=float(t)))
    t, values = history.lines()
    assert len(t) == len(values) == KEPT_S + 10
    assert (t[0], t[-1]) == (KEPT_S, 2 * KEPT_S + 9)


def test_lines_are_whole_at_any_moment_of_adding(monkeypatch):
    monkeypatch.setattr("realtime_mood.body.history.KEPT_S", 2)
    monkeypatch.setattr("realtime_mood.body.history.np.empty_like", lambda rows: np.full_like(rows, -1.0))
    history, read = BodyHistory(), list[list[float]]()

    def between(frame, event, arg):
        """As another thread would, reads the lines between any two operations of `add`."""
        if frame.f_code is BodyHistory.add.__code__:
            frame.f_trace_opcodes = True
            read.append(history.lines()[0].tolist())
            return between
        return None

    before = sys.gettrace()
    sys.settrace(between)
    try:
        for t in range(8):
            history.add(replace(READING, t=float(t)))
    finally:
        sys.settrace(before)
    assert max(map(len, read)) == 4
    assert all(times == list(range(int(times[0]), int(times[0]) + len(times))) for times in read if times)
