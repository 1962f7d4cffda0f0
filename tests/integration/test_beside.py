"""Streams beside the EEG: recorded with it, in time with each other, and never at its cost."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
from aux_sender import WRAP
from fakes import pipeline
from forking import ForkedProcess, Start
from waiting import until

from realtime_mood import liblsl
from realtime_mood.errors import StreamEnded
from realtime_mood.health import State
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.recover import recover
from realtime_mood.recording.replay import replay
from realtime_mood.run.engine import Engine
from realtime_mood.sources import open_source
from realtime_mood.sources.lsl.aux_source import LslAux
from realtime_mood.types import Chunk

TOLERANCE_S = 0.002
Send = Callable[..., ForkedProcess]
SENDER = Path(__file__).with_name("aux_sender.py").read_text()


@pytest.fixture
def send(program: Start, name: str) -> Send:
    """Starts a sender in a process of its own; its name has a suffix."""

    def send(suffix: str, kind: str, form: str, rate: float, shift: float = 0.0) -> ForkedProcess:
        sender = program(name + suffix, kind, form, rate, f"id{suffix}", shift, code=SENDER)
        assert sender.stdout.readline() == "up\n"
        return sender

    return send


@contextmanager
def running(path: Path, *also: LslAux) -> Iterator[Engine]:
    recorder = Recorder(path, {}, to_stamps=liblsl.to_stamps())
    engine = Engine(open_source("synthetic://?n_chans=4&subject=5&body=0"), pipeline, [recorder], also=also)
    with engine:
        yield engine
        assert engine.health.lost == 0


def samples_of(engine: Engine) -> list[int]:
    return [stream.samples for stream in engine.health.streams]


def loaded(path: Path, **how: Any) -> dict[str, Any]:
    streams, _ = pyxdf.load_xdf(str(path), verbose=False, **how)
    return {stream["info"]["name"][0]: stream for stream in streams}


def events(stream: Any) -> dict[int, float]:
    """The number of each event, and when it was."""
    pairs = zip(stream["time_series"], stream["time_stamps"], strict=True)
    return {int(float(row[-1])): t for row, t in pairs if float(row[-1])}


def played(path: Path) -> list[Chunk]:
    stream, chunks = open_source(f"playback://{path}?speed=max&units=uV").open(), []
    try:
        while True:
            if (chunk := stream.read(1.0)) is not None:
                chunks.append(chunk)
    except StreamEnded:
        return chunks
    finally:
        stream.close()


def test_streams_of_other_processes_are_in_time_with_each_other(send: Send, name: str, tmp_path: Path) -> None:
    kinds = {
        "gaze": ("Gaze", "float32", 250.0), "eda": ("EDA", "double64", 4.0), "text": ("Markers", "string", 0.0),
        "code": ("Trigger", "int32", 0.0), "rare": ("Notes", "int64", 0.0), "eeg": ("EEG", "float32", 125.0),
    }  # fmt: skip
    for suffix, what in kinds.items():
        send(suffix, *what)
    sources = [LslAux(f"lsl://{name}{it}", in_markers=it in ("text", "code")) for it in kinds]
    path = tmp_path / "a.xdf"
    with running(path, *sources) as engine:
        until(lambda: min(samples_of(engine)) >= 8 and engine.health.readings >= 8, 60)
        assert {stream.state for stream in engine.health.streams} == {State.LIVE}
        until(lambda: len(engine.markers) > 8)
        assert [note for note in engine.health.notes if "furlongs" in note] == [
            f"lsl://{name}rare: its unit 'furlongs' is not known · its values are recorded as sent; "
            "correct its sender's settings"
        ]
        streams = {it.name.removeprefix(name): it for it in engine.health.streams}
    assert {key: it.kind for key, it in streams.items()} == {
        "gaze": "eyes", "eda": "skin", "text": "markers", "code": "markers", "rare": "other", "eeg": "eeg",
    }  # fmt: skip
    assert streams["gaze"].rate_hz == pytest.approx(250, rel=0.01)
    assert [it.lost for it in streams.values()] == [0] * 6

    for how in ({}, {"dejitter_timestamps": False}):
        file = loaded(path, **how)
        found = {suffix: events(file[name + suffix]) for suffix in kinds}
        common = set.intersection(*map(set, found.values()))
        assert len(common) >= 3
        for event in common:
            at = [times[event] for times in found.values()]
            assert max(at) - min(at) < TOLERANCE_S
            assert at[0] == pytest.approx(event, abs=TOLERANCE_S)  # an event is a whole second of LSL's clock
    numbers = np.asarray(file[name + "gaze"]["time_series"])[:, 0].astype(int)
    assert set(np.diff(numbers).tolist()) <= {1, 1 - WRAP}

    info = file[name + "gaze"]["info"]
    assert [info[key][0] for key in ("type", "channel_format", "source_id")] == ["Gaze", "float32", "idgaze"]
    assert info["desc"][0]["setup"][0]["model"] == ["a < b & c"]
    assert [it["label"][0] for it in info["desc"][0]["channels"][0]["channel"]] == ["count", "event"]
    for suffix in kinds:
        stream = file[name + suffix]
        assert int(stream["footer"]["info"]["sample_count"][0]) == len(stream["time_stamps"])
        assert len(stream["clock_times"]) == len(stream["clock_values"]) > 0

    recorded = open_recorded(path)
    eeg = np.concatenate([chunk.data for chunk in recorded.chunks()])
    assert replay(recorded, pipeline).identical
    chunks = played(path)
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), eeg)
    texts = [marker.text for chunk in chunks for marker in chunk.markers]
    assert texts == [marker.text for marker in recorded.markers()]  # each once, though it is in two streams
    assert sum(text.isdecimal() for text in texts) == sum(len(found[it]) for it in ("text", "code"))


def test_a_stream_that_is_killed_and_returns_is_one_stream_with_a_gap(send: Send, name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    with running(path, LslAux(f"lsl://{name}")) as engine:
        until(lambda: engine.health.samples)
        assert engine.health.streams[0].state is State.CONNECTING
        sender = send("", "PPG", "int32", 64.0)
        until(lambda: samples_of(engine)[0] > 64, 20)
        assert any("appeared during the run; its first" in note for note in engine.health.notes)
        sender.kill()
        until(lambda: engine.health.streams[0].state is State.RECONNECTING, 20)
        assert any("the run goes on without it" in note for note in engine.health.notes)
        before = samples_of(engine)[0]
        sender = send("", "PPG", "int32", 64.0)
        until(lambda: samples_of(engine)[0] > before + 64, 20)
        (stream,) = engine.health.streams
        assert stream.state is State.LIVE
        assert any("came back after" in note for note in engine.health.notes)
    numbers = np.asarray(loaded(path)[name]["time_series"])[:, 0].astype(int)
    missing = np.diff(numbers)[np.diff(numbers) != 1]
    assert stream.lost > 0
    np.testing.assert_allclose(missing % WRAP - 1, stream.lost, atol=1)


def test_one_that_is_frozen_is_stalled_and_goes_on(send: Send, name: str, tmp_path: Path) -> None:
    with running(tmp_path / "a.xdf", LslAux(f"lsl://{name}")) as engine:
        sender = send("", "ACC", "float32", 50.0)
        until(lambda: samples_of(engine)[0] > 50, 20)
        sender.send_signal(signal.SIGSTOP)
        until(lambda: engine.health.streams[0].state is State.STALLED, 20)
        before = samples_of(engine)[0]
        sender.send_signal(signal.SIGCONT)
        until(lambda: engine.health.streams[0].state is State.LIVE and samples_of(engine)[0] > before, 20)


@pytest.mark.parametrize("form", ["string", "float32"])
def test_100_khz_of_garbage_cost_nothing_of_the_eeg(send: Send, name: str, tmp_path: Path, form: str) -> None:
    send("", "Garbage", form, 0.0)
    with running(tmp_path / "a.xdf", LslAux(f"lsl://{name}")) as engine:
        until(lambda: samples_of(engine)[0] > 20_000, 60)
        if form == "string":
            until(lambda: any("sends more than 8 MB a second" in note for note in engine.health.notes), 30)
            until(lambda: engine.health.streams[0].lost > 0, 30)
        until(lambda: engine.health.readings > 8, 30)
        assert engine.health.recording is not None
        assert not engine.health.recording.trouble
    assert len(loaded(tmp_path / "a.xdf")[name]["time_stamps"]) > 5_000


def test_the_program_records_them_and_says_so(send: Send, name: str, tmp_path: Path, program: Start) -> None:
    send("gaze", "Gaze", "float32", 100.0)
    send("text", "Markers", "string", 0.0)
    path = tmp_path / "a.xdf"
    run = program(
        "run", "--source", "synthetic://?n_chans=4&body=0", "--view", "json", "--record", path, "--seconds", 8,
        "--also", f"lsl://{name}gaze", "--also", f"lsl://{name}nobody", "--markers", "lsl://?source_id=idtext",
    )  # fmt: skip
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    health = json.loads(out.splitlines()[-1])
    assert health["lost"] == 0
    gaze, nobody, text = health["streams"]
    assert (gaze["state"], nobody["state"], text["state"]) == ("live", "connecting", "live")
    assert gaze["rate_hz"] == pytest.approx(100, rel=0.02)
    assert gaze["samples"] > 300
    assert nobody["samples"] == 0
    assert nobody["age_s"] is None
    assert any(f"lsl://{name}nobody · the network shows" in note for note in health["notes"])
    assert {name + "gaze", name + "text"} < set(loaded(path))


def test_a_recording_that_was_cut_off_is_recovered_with_them(send: Send, name: str, tmp_path: Path) -> None:
    send("gaze", "Gaze", "float32", 100.0)
    send("text", "Markers", "string", 0.0)
    path = tmp_path / "a.xdf"
    with running(path, LslAux(f"lsl://{name}gaze"), LslAux(f"lsl://{name}text")) as engine:
        until(lambda: min(samples_of(engine)) > 2 and samples_of(engine)[0] > 200, 30)
    whole = loaded(path)
    (tmp_path / "b.xdf").write_bytes(path.read_bytes()[: path.stat().st_size * 4 // 5])
    recovered = recover(tmp_path / "b.xdf").path
    assert recovered is not None
    file = loaded(recovered)
    for suffix in ("gaze", "text"):
        n = len(file[name + suffix]["time_stamps"])
        assert 0 < n <= len(whole[name + suffix]["time_stamps"])
        assert np.asarray(file[name + suffix]["time_series"]).tolist() == (
            np.asarray(whole[name + suffix]["time_series"])[:n].tolist()
        )
    assert open_recorded(recovered).info.n_chans == 4
