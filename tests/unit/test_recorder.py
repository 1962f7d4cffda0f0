"""A recording holds what came, each sample once, says what it lacks, and never costs the run anything."""

from __future__ import annotations

import json
import logging
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
from fakes import EIGHT, INFO, FakeNetwork, FakeSource, Keep, cut, pink, pipeline
from forking import Start
from waiting import until

from realtime_mood.errors import ConfigError
from realtime_mood.files import free_paths
from realtime_mood.health import Emission, Health, State
from realtime_mood.recording.backlog import Backlog
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.xdf_session import XdfSession
from realtime_mood.run.engine import Engine
from realtime_mood.types import Abstained, Chunk, Fault, Impedance, Marker, Quality, Why

SIGNAL = pink(round(12 * INFO.sfreq), len(EIGHT))
ABOUT = {"weights": {"name": "reader-2"}, "profile": None, "note": "<ü> & \x00"}


def load(path: str | Path, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """The file's streams by type, opened without a word of complaint."""
    with caplog.at_level(logging.WARNING, "pyxdf"):
        streams, _ = pyxdf.load_xdf(path)
    assert not caplog.records
    return {stream["info"]["type"][0]: stream for stream in streams}


def with_hole(first: int, end: int) -> list[Chunk]:
    """`SIGNAL` without samples ``[first, end)``, with a marker and an impedance."""
    before, after = cut(SIGNAL[:first], [7, 40]), cut(SIGNAL[end:], [33])
    said = {"markers": (Marker(3, "eyes <open>"),), "impedances": (Impedance(5, np.arange(8)),)}
    later = [replace(c, first=c.first + end, t_last=c.t_last + end / INFO.sfreq) for c in after]
    return [replace(before[0], **said), *before[1:], replace(later[0], lost=end - first), *later[1:]]


def record(recorder: Recorder, chunks: list[Chunk]) -> None:
    recorder.open(INFO)
    for chunk in chunks:
        recorder.take(chunk)
    recorder.close(Health())


def test_a_run_is_recorded_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder, keep = Recorder(tmp_path / "new" / "a.xdf", ABOUT, to_stamps=100.0), Keep()
    chunks = with_hole(1000, 1100)
    engine = Engine(FakeSource(chunks), pipeline, [recorder, keep])
    engine.start()
    until(engine.done.is_set, 60)
    engine.stop()
    assert engine.health.recording == recorder.recording
    assert recorder.recording.trouble == ""
    path = Path(recorder.recording.path)
    assert (path, recorder.recording.n_bytes > 0) == (tmp_path / "new" / "a.xdf", True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    streams = load(path, caplog)
    eeg = streams["EEG"]
    np.testing.assert_array_equal(eeg["time_series"], np.concatenate([c.data for c in chunks]))
    there = np.concatenate([np.arange(c.first, c.end) for c in chunks])
    np.testing.assert_allclose(eeg["time_stamps"], 100 + there / INFO.sfreq, atol=1e-9)
    (desc,) = eeg["info"]["desc"]
    channels = desc["channels"][0]["channel"]
    assert [channel["label"][0] for channel in channels] == list(EIGHT)
    assert {channel["unit"][0] for channel in channels} == {"microvolts"}
    assert desc["realtime_mood"][0]["virtual"] == ["0"]
    assert all("footer" in stream for stream in streams.values())

    assert streams["Markers"]["time_series"] == [["eyes <open>"]]
    np.testing.assert_allclose(streams["Markers"]["time_stamps"], 100 + 3 / INFO.sfreq)
    np.testing.assert_array_equal(streams["Impedance"]["time_series"], [np.arange(8)])
    gaps = streams["Gaps"]["time_series"]
    np.testing.assert_array_equal(gaps[gaps[:, 1] > 0], [[1100, 100, 0]])

    readings = [json.loads(text) for (text,) in streams["Readings"]["time_series"]]
    assert [said["end"] for said in readings] == [e.reading.end for e in keep.items]
    assert [said["probs"] and tuple(said["probs"]) for said in readings] == [e.reading.probs for e in keep.items]
    assert [said["quality"] for said in readings] == [e.reading.quality.overall for e in keep.items]
    (ours,) = streams["Readings"]["info"]["desc"][0]["realtime_mood"]
    assert json.loads(ours["about"][0]) == ABOUT
    scores = streams["Quality"]["time_series"][:, :8]
    np.testing.assert_array_equal(scores, [e.reading.quality.scores for e in keep.items])


def test_faults_are_written_by_number_and_named_in_the_header(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    quality = Quality(np.full(8, 0.5), (None, Fault.LINE, *[None] * 6))
    reading = Abstained(Why.BAD_SIGNAL, 0, 50, 0.245, FakeNetwork.readout, quality=quality)
    recorder = Recorder(tmp_path / "a.xdf", {})
    recorder.open(INFO)
    recorder.take(Chunk(SIGNAL[:50], 0, 0.245))
    recorder.put(Emission(reading, INFO, State.LIVE, 0.0, None))
    recorder.close(Health())
    streams = load(tmp_path / "a.xdf", caplog)
    (desc,) = streams["Quality"]["info"]["desc"]
    names = json.loads(desc["realtime_mood"][0]["faults"][0])
    assert [names[int(code)] for code in streams["Quality"]["time_series"][0, 8:]] == ["", "line", *[""] * 6]
    assert json.loads(streams["Readings"]["time_series"][0][0])["faults"] == {"Fp2": "line"}


def test_nothing_is_overwritten_and_every_run_has_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(b"dear")
    recorder = Recorder(tmp_path / "a.xdf", {})
    for n in (2, 3):
        record(recorder, cut(SIGNAL, [40]))
        assert recorder.recording.path == str(tmp_path / f"a_{n}.xdf")
        assert (tmp_path / f"a_{n}.xdf").stat().st_size == recorder.recording.n_bytes > 0
    assert (tmp_path / "a.xdf").read_bytes() == b"dear"


def test_files_in_a_folder_are_named_as_bids_names_them(tmp_path: Path) -> None:
    for run in ("01", "02"):
        recorder = Recorder(tmp_path, {}, participant="p-7", session="2")
        record(recorder, cut(SIGNAL[:100], [40]))
        assert recorder.recording.path == str(tmp_path / f"sub-p7_ses-2_task-mood_run-{run}_eeg.xdf")
    assert next(free_paths(tmp_path)).name.startswith("sub-unnamed_ses-2")
    assert next(free_paths(tmp_path / "no.suffix")).name == "no.suffix.xdf"


def test_a_place_that_cannot_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="not a folder"):
        Recorder(tmp_path / "file" / "a.xdf", {})


def test_a_stream_that_never_opened_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.xdf", {})
    recorder.close(Health())
    record(recorder, [])
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_the_queue_is_said_and_is_a_gap(tmp_path: Path) -> None:
    chunks = cut(SIGNAL, [400])
    backlog, tape = Backlog(2 * chunks[0].data.nbytes), XdfSession(INFO, {})
    kept = [backlog.put(lambda tape, c=c: tape.take(c), len(c), c.data.nbytes) for c in chunks[:4]]
    assert kept == [True, True, False, False]
    (batch,) = backlog.batches()
    assert not list(backlog.batches())
    assert backlog.put(lambda tape: tape.take(chunks[4]), len(chunks[4]), 0)
    batch += next(backlog.batches())
    (tmp_path / "a.xdf").write_bytes(tape.begin())
    with (tmp_path / "a.xdf").open("ab") as file:
        for item in batch:
            tape.leave_out(item.left_out)
            file.write(item.piece(tape))
    streams = {s["info"]["type"][0]: s for s in pyxdf.load_xdf(tmp_path / "a.xdf")[0]}
    assert streams["Gaps"]["time_series"].tolist() == [[0, 0, 0], [1600, 800, 800]]
    assert len(streams["EEG"]["time_series"]) == 1200

    small = Recorder(tmp_path / "b.xdf", {}, queue_bytes=1000)
    small.open(INFO)
    small.take(chunks[0])
    assert "too slow" in small.recording.trouble
    small.close(Health())
    assert small.recording.trouble.startswith("400 samples are missing")


def test_a_file_that_is_deleted_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder, chunks = Recorder(tmp_path / "a.xdf", {}), cut(SIGNAL, [600])
    recorder.open(INFO)
    recorder.take(chunks[0])
    until(lambda: (tmp_path / "a.xdf").exists())
    (tmp_path / "a.xdf").unlink()
    until(lambda: "deleted or moved" in recorder.recording.trouble)
    recorder.take(chunks[1])
    recorder.close(Health())
    assert recorder.recording.trouble.startswith("600 samples are missing")
    streams = load(tmp_path / "a.xdf", caplog)
    np.testing.assert_array_equal(streams["EEG"]["time_series"], chunks[1].data)
    assert streams["Gaps"]["time_series"].tolist() == [[600, 600, 600]]


def test_an_error_whose_text_has_braces_costs_its_own_samples_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take = XdfSession.take

    def fails_at_400(self: XdfSession, chunk: Chunk) -> bytes:
        if chunk.first == 400:
            raise ValueError("no {key}")
        return take(self, chunk)

    monkeypatch.setattr(XdfSession, "take", fails_at_400)
    recorder = Recorder(tmp_path / "a.xdf", {})
    record(recorder, cut(SIGNAL, [100]))
    assert recorder.recording.trouble.startswith("100 samples are missing from the recording: an internal error was")
    assert "(no {key})" in recorder.recording.trouble
    assert len(load(recorder.recording.path, caplog)["EEG"]["time_series"]) == len(SIGNAL) - 100


def test_what_cannot_be_written_costs_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = Abstained(Why.UNSURE, 0, 50, 0.245, FakeNetwork.readout, probs=("no number", 1.0))
    recorder = Recorder(tmp_path / "a.xdf", {})
    recorder.open(INFO)
    recorder.take(Chunk(SIGNAL[:50], 0, 0.245))
    recorder.put(Emission(broken, INFO, State.LIVE, 0.0, None))
    recorder.take(Chunk(SIGNAL[50:90], 50, 0.445))
    recorder.close(Health())
    assert recorder.recording.trouble.startswith("markers, readings or other streams are missing")
    assert len(load(tmp_path / "a.xdf", caplog)["EEG"]["time_series"]) == 90


FULL_DISK = """
import resource, sys
from pathlib import Path
from fakes import FakeSource, Keep, cut, pink, pipeline
from waiting import until
from realtime_mood.run.engine import Engine
from realtime_mood.recording.recorder import Recorder

def allow(n_bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY))

chunks, told = cut(pink(3000, 8), [200]), []
def gate():  # called by the stream when it has nothing to send
    if told:
        return
    until(lambda: "as large as the system allows" in recorder.recording.trouble, 30)
    told.append(recorder.recording.trouble)
    allow(resource.RLIM_INFINITY)
    source.streams[0]._chunks += later

chunks, later = chunks[:10], chunks[10:]
recorder, keep = Recorder(Path(sys.argv[1]), {}), Keep()
allow(30_000)
source = FakeSource(chunks, after=gate)
engine = Engine(source, pipeline, [recorder, keep])
engine.start()
until(lambda: engine.health.samples == 3000 and len(keep.items) == 60, 30)
engine.stop()
print(told[0], recorder.recording.trouble, sep="\\n")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on a file's size there")
def test_a_full_disk_is_said_and_stops_nothing(
    program: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.xdf"
    tests = Path(__file__).parents[1]
    code = f"import sys; sys.path.insert(0, {str(tests)!r})\n{FULL_DISK}"
    out, err = program(path, code=code).communicate()
    assert not err
    first, last = out.splitlines()
    assert "record to another disk" in first
    streams = load(path, caplog)
    rows, gaps = len(streams["EEG"]["time_series"]), streams["Gaps"]["time_series"]
    missing = gaps[:, 1].sum()
    assert 0 < missing < 3000
    assert rows + missing == 3000
    assert gaps[:, 2].sum() == missing
    assert last.startswith(f"{missing:,} samples are missing")
