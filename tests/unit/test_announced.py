"""The LSL streams that were announced around a recording are in it, and the next examination compares them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import INFO, FakeSource, cut, pink, pipeline
from waiting import until

from realtime_mood import liblsl
from realtime_mood.doctor import streams
from realtime_mood.doctor.finding import Level
from realtime_mood.recording import announced
from realtime_mood.recording.announced import AnnouncedStreams, as_json, missing
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.run.engine import Engine


class Info:
    """What the library says of a stream."""

    def __init__(self, name: str, host: str = "lab") -> None:
        self._name, self._host = name, host

    def __getattr__(self, what: str) -> Any:
        values = {"name": self._name, "type": "EEG", "source_id": "", "hostname": self._host, "channel_count": 4}
        return lambda: values.get(what, 250.0)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[Info]:
    """The streams that are announced; a test changes them."""
    there = [Info("b"), Info("a")]
    monkeypatch.setattr(
        liblsl, "pylsl", lambda: SimpleNamespace(ContinuousResolver=lambda: SimpleNamespace(results=lambda: there))
    )
    monkeypatch.setattr(announced, "FIRST_S", 0.0)
    monkeypatch.setattr(announced, "LOOK_S", 0.0)
    return there


def test_they_are_recorded_at_the_start_at_each_change_and_at_the_end(network: list[Info], tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.xdf", {}, announced=AnnouncedStreams())
    source = FakeSource(cut(pink(400, len(INFO.ch_names)), [40]), INFO, after=lambda: None)
    with Engine(source, pipeline, [recorder]):
        until(lambda: recorder.recording.n_bytes > 0 and recorder.flush(1.0))
        network.append(Info("c"))
        recorder.flush(1.0)
    lists = open_recorded(tmp_path / "a.xdf").announced()
    names = [[stream["name"] for stream in there] for there in lists]
    assert names == [["a", "b"], ["a", "b", "c"], ["a", "b", "c"]]
    assert lists[0][0] == {"name": "a", "type": "EEG", "source_id": "", "host": "lab", "n_chans": 4, "sfreq": 250.0}
    then = streams.last_time([tmp_path / "none", tmp_path])
    assert then == lists[-1]
    (finding,) = streams.gone(lists[0][:1], then)
    assert finding.level is Level.WARNING
    assert finding.found.startswith("2 of 3 streams of last time are missing: 'b' (EEG, 250 Hz, from lab), 'c'")
    assert streams.gone(lists[-1], then) == []


def test_a_stream_on_another_host_is_missing_and_one_that_was_restarted_is_not() -> None:
    then, now = (json.loads(as_json(infos)) for infos in ([Info("a"), Info("b", "x")], [Info("a"), Info("b", "y")]))
    assert [it["name"] for it in missing(then, [it | {"source_id": "new"} for it in now])] == ["b"]


def test_recordings_without_such_a_list_say_nothing(tmp_path: Path) -> None:
    with Engine(FakeSource(cut(pink(400, len(INFO.ch_names)), [40])), pipeline, [Recorder(tmp_path / "a.xdf")]) as run:
        until(run.done.is_set)
    assert open_recorded(tmp_path / "a.xdf").announced() == []
    (tmp_path / "b.xdf").write_bytes(b"XDF:")
    assert streams.last_time([tmp_path]) == []
