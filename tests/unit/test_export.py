"""Exported recordings have the samples, gaps, markers and readings of the recording, and are what they say."""

from __future__ import annotations

import csv
import gzip
import json
import os
import sys
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest
from bids_validator import BIDSValidator
from mne_bids import BIDSPath, read_raw_bids
from pyarrow import parquet
from written import ABOUT, INFO, REAL, Writer, session

from realtime_mood import app
from realtime_mood.auxiliary import AuxChunk, AuxInfo, SenderClock
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.export import bids, physio
from realtime_mood.export.files import Formats, export_recordings
from realtime_mood.export.readings import table_of, text_of
from realtime_mood.export.signal import GAP, raw_of
from realtime_mood.files import GrowingFile
from realtime_mood.recording.reader import RecordedStream, open_recorded
from realtime_mood.types import Chunk

NAME = "sub-P07_ses-2_task-mood_run-01_eeg.xdf"


@pytest.fixture
def recording(tmp_path):
    return session(REAL).write(tmp_path / NAME)


def samples(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(n_chans, n) µV of a recording, lost ones as the last before, and which are there."""
    chunks = list(open_recorded(path).chunks())
    data, there = np.zeros((4, chunks[-1].end)), np.zeros(chunks[-1].end, bool)
    for chunk in chunks:
        data[:, chunk.first : chunk.end], there[chunk.first : chunk.end] = chunk.data.T, True
        data[:, chunk.first - chunk.lost : chunk.first] = data[:, [chunk.first - chunk.lost - 1]]
    return data, there


def export(files: list[Path], **formats) -> list[str]:
    said: list[str] = []
    export_recordings(files, Formats(**formats), said.append)
    return said


def check_signal(raw: mne.io.BaseRaw, path: Path, resolution: float) -> None:
    data, there = samples(path)
    found = raw.get_data()[:, : data.shape[1]] * 1e6
    np.testing.assert_allclose(found, data, atol=resolution)
    notes = {(round(note["onset"], 6), round(note["duration"], 6), note["description"]) for note in raw.annotations}
    assert {(20.0, 2.0, GAP), (5.0, 0.0, "eyes open")} <= notes
    first = next(note["onset"] for note in raw.annotations if note["description"] == GAP)
    assert not there[round(first * 100)]


@pytest.mark.parametrize(("ending", "read", "resolution"), [
    ("edf", mne.io.read_raw_edf, 0.002), ("fif", mne.io.read_raw_fif, 1e-5),
])  # fmt: skip
def test_the_signal_agrees_within_the_resolution_of_the_format(recording, tmp_path, ending, read, resolution):
    export([recording], **{ending: True}, out=tmp_path / "new")
    raw = read(tmp_path / "new" / NAME.replace("xdf", ending), verbose="ERROR")
    assert raw.ch_names == list(REAL.ch_names)
    check_signal(raw, recording, resolution)


def test_a_bids_data_set_has_everything(recording, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "filelock", None)  # it comes with torch; MNE-BIDS does without it
    root = tmp_path / "study"
    assert export([recording], bids=root) == [f"{root}/sub-P07/ses-2/eeg/sub-P07_ses-2_task-mood_run-01_eeg.edf"]
    path = BIDSPath(root=root, subject="P07", session="2", task="mood", run="01", datatype="eeg", suffix="eeg")
    raw = read_raw_bids(path, verbose="ERROR")
    check_signal(raw, recording, 0.002)
    assert raw.info["line_freq"] == 50
    channels = {row["name"]: row for row in tsv(path.copy().update(suffix="channels", extension=".tsv").fpath)}
    assert channels["C3"]["status_description"].startswith("line")
    assert {row["status"] for name, row in channels.items() if name != "C3"} == {"good"}
    sidecar = json.loads(path.copy().update(extension=".json").fpath.read_text())
    assert sidecar["EEGReference"] == "average"
    assert "SIMULATED" not in sidecar["TaskDescription"]
    written = [file for file in root.rglob("*") if file.is_file()]
    assert all(BIDSValidator().is_bids(f"/{file.relative_to(root).as_posix()}") for file in written)
    (electrodes,) = (root / "derivatives").rglob("*_desc-electrodes_events.tsv")
    assert tsv(electrodes) == [{"onset": "20.0", "duration": "10.0", "channel": "C3", "reason": "line"}]
    assert not any(b"somebody" in file.read_bytes() for file in written)  # the path of the weights
    (readings,) = (root / "derivatives").rglob("*_desc-readings_events.tsv")
    rows = tsv(readings)
    assert len(rows) == len(open_recorded(recording).readings)
    assert rows[30]["status"] == "estimate"
    assert [float(rows[30][f"p_{label}"]) for label in ("negative", "neutral", "positive")] == [0.2, 0.7, 0.1]
    assert rows[0] | {"status": "settling", "p_neutral": "n/a"} == rows[0]
    about = json.loads(readings.with_suffix(".json").read_text())
    assert set(rows[0]) - {"onset", "duration"} <= set(about)
    assert about["Readings"]["weights"] == "reader-4"


def test_streams_beside_the_eeg_and_feedback_are_in_the_data_set(tmp_path):
    info = AuxInfo("lsl://PPG", "My PPG 1", "PPG", ("red", ""), ("a.u.", ""), 50.0)
    words = AuxInfo("lsl://Task", "Task", "Markers", ("m",), ("",), format="string")
    it = Writer(REAL)
    for k in range(40):
        it.signal()
        t = (12 * k + np.arange(12)) / 50  # the EEG begins at 0, at 100 Hz
        if k not in (20, 21):  # lost
            values = np.column_stack([np.sin(t), t]).astype(np.float32)
            it.parts.append(it.tape.take_aux(info, AuxChunk(values, t, t, 0, SenderClock(float(t[0]), 0.0))))
        it.parts.append(it.tape.feed(it.end, (0.5, 1.0, float("nan"), 0.0, 1.0, 2.0, 3.0)))
    stamps = np.array([3.0])
    chunk = AuxChunk(np.array([["go"]], object), stamps, stamps, 0, SenderClock(3.0, 0.0))
    it.parts.append(it.tape.take_aux(words, chunk))
    root = tmp_path / "study"
    export([it.write(tmp_path / NAME)], bids=root)
    (path,) = root.rglob("*_physio.tsv.gz")
    assert path.name == "sub-P07_ses-2_task-mood_run-01_recording-MyPPG1_physio.tsv.gz"
    about = json.loads(path.with_name(path.name.replace(".tsv.gz", ".json")).read_text())
    assert about["Columns"] == ["red", "channel2"]
    assert (about["SamplingFrequency"], about["red"]["Units"]) == (50.0, "a.u.")
    assert about["StartTime"] == pytest.approx(0.0, abs=0.02)
    rows = np.genfromtxt(gzip.decompress(path.read_bytes()).decode().splitlines(), missing_values="n/a")
    t = about["StartTime"] + np.arange(len(rows)) / 50
    lost = np.isnan(rows[:, 1])
    assert lost.sum() == 24
    np.testing.assert_allclose(rows[~lost, 1], t[~lost], atol=0.021)
    np.testing.assert_allclose(rows[~lost, 0], np.sin(rows[~lost, 1]), atol=1e-4)
    (feedback,) = root.rglob("*_desc-feedback_events.tsv")
    fed = tsv(feedback)
    assert len(fed) > 30
    assert fed[3] | {"level": "0.5", "threshold": "n/a", "block": "2.0"} == fed[3]
    written = [file for file in root.rglob("*") if file.is_file()]
    assert all(BIDSValidator().is_bids(f"/{file.relative_to(root).as_posix()}") for file in written)


def test_samples_that_were_sent_out_of_order_are_in_the_rows_of_their_times(tmp_path):
    t = np.array([0.5, 0.2, 0.8, 0.3])
    physio._write_physio(RecordedStream("PPG", "PPG", ("red",), ("",), 10.0, t, 10 * t[:, None]), tmp_path / "a.tsv.gz")
    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()).split() == b"2.0 3.0 n/a 5.0 n/a n/a 8.0".split()
    assert json.loads((tmp_path / "a.json").read_text())["StartTime"] == 0.2


def tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_what_is_there_is_left_and_what_was_interrupted_is_written_again(recording, tmp_path, monkeypatch):
    root = tmp_path / "study"
    with monkeypatch.context() as patch:
        patch.setattr(bids, "_write_readings", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(MoodError, match="No space left"):
            export([recording], bids=root)
    assert not list(root.iterdir())
    left = root / ".export-1" / "sub-P1" / "eeg.edf"  # of one that was killed
    left.parent.mkdir(parents=True)
    os.utime(left.parents[1], (0, 0))
    export([recording], bids=root)
    assert not left.exists()
    table = root / "participants.tsv"
    table.write_text(filled := "age\tparticipant_id\n31\tsub-P07\n", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    assert export([recording], bids=root) == [f"{NAME} is in {root} already"]
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    other = Writer(REAL)
    other.signal()
    export([other.write(tmp_path / "sub-P07_ses-2_b.xdf")], bids=root)
    assert len(list(root.rglob("*.edf"))) == 2
    assert table.read_text(encoding="utf-8") == filled


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks on Windows")
def test_two_exports_do_not_add_to_a_data_set_at_once(recording, tmp_path, monkeypatch):
    import fcntl

    def other_export(*_):
        other = os.open(tmp_path / "study", os.O_RDONLY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(other)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bids, "_describe", other_export)
    with pytest.raises(MoodError, match="No space left"):
        export([recording], bids=tmp_path / "study")


def test_one_that_cannot_be_exported_keeps_no_other_back(recording, tmp_path, monkeypatch):
    broken, said = tmp_path / "broken.xdf", []
    broken.write_bytes(b"XDF:")

    def fails(*_, **__):
        raise RuntimeError("of a library")

    monkeypatch.setattr(mne.io.RawArray, "export", fails)
    with pytest.raises(MoodError, match=r"broken\.xdf"):
        export_recordings([broken, recording, recording], Formats(edf=True), said.append)
    with pytest.raises(MoodError, match=r"broken\.xdf"):
        export_recordings([broken, recording], Formats(csv=True), said.append)
    assert [line[:8] for line in said] == [*(f"{k} of 3: " for k in (1, 2, 3)), "1 of 2: ", "2 of 2: "]
    assert "RuntimeError: of a library; this should not happen" in said[1]
    assert (tmp_path / "sub-P07_ses-2_task-mood_run-01_readings.csv").exists()


def test_tables_have_every_reading_whatever_it_is(tmp_path):
    writer = session()
    writer.signal()
    writer.words('{"end": 9000, "kind": "abstained", "why": "later", "labels": null, "faults": 3, "quality": 1e999}')
    path = writer.write(tmp_path / "a.xdf")
    table = table_of(open_recorded(path))
    assert {len(column) for column in table.values()} == {len(open_recorded(path).readings)}
    assert (table["status"][-1], table["t"][-1], table["quality"][-1]) == ("later", None, None)
    assert table["faults"][-2] == "C3=line"
    assert text_of(table).count(b"\n") == len(table["t"]) + 1
    export([path], parquet=True)
    assert parquet.read_table(tmp_path / "a_readings.parquet").to_pydict() == table


@pytest.mark.parametrize(("words", "code", "said"), [
    (["a.xdf"], 2, "no format"),
    ([], 2, "not one of recordings and weights"),
    (["a.xdf", "--bids", "study"], 2, "add --participant ID"),
    (["a.xdf", "--bids", "study", "--participant", "P_1"], 2, "letters and digits"),
    (["none.xdf", "--edf"], 3, "no such file"),
    (["a.xdf", "--edf", "--weights", "reader-5"], 2, "not one of recordings and weights"),
])  # fmt: skip
def test_what_cannot_be_exported_is_one_line_and_a_code(tmp_path, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(tmp_path)
    session().write(tmp_path / "a.xdf")
    assert app.command(["export", *words]) == code
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.xdf"]


@pytest.mark.parametrize("sfreq", [128.0, 249.97, 500 / 3, 512.03])
def test_any_rate_can_be_written(tmp_path, sfreq):
    writer = Writer(replace(REAL, sfreq=sfreq))
    for _ in range(40):
        writer.signal()
    path = writer.write(tmp_path / "a.xdf")
    export([path], edf=True)
    raw = mne.io.read_raw_edf(tmp_path / "a_eeg.edf", verbose="ERROR")
    assert raw.info["sfreq"] == pytest.approx(sfreq, rel=1e-5)
    np.testing.assert_allclose(raw.get_data()[:, :1000] * 1e6, samples(path)[0], atol=0.002)


def test_what_no_format_holds_is_filled_and_marked_and_range_costs_no_resolution(tmp_path):
    it = Writer(REAL)
    for k in range(40):
        if k == 20:  # values that no amplifier gives, and the end of a range
            odd = np.full((25, 4), (np.nan, 3e38, 187500, 1), np.float32)
            it.parts.append(it.tape.take(Chunk(odd, it.end, it.end / 100)))
            it.end += 25
        it.signal(markers=("a\tb\nc",) if k == 8 else ())
    path = it.write(tmp_path / NAME)
    export([path], bids=tmp_path)
    (signal,) = tmp_path.rglob("*.bdf")  # EDF would have steps of 2.9 µV
    raw, (data, _) = mne.io.read_raw_bdf(signal, verbose="ERROR"), samples(path)
    data[:2, 500:525] = data[:2, [499]]
    np.testing.assert_allclose(raw.get_data()[:, :1025] * 1e6, data, atol=0.02)
    (events,) = signal.parent.glob("*_events.tsv")
    assert [(row["onset"], row["trial_type"]) for row in tsv(events)] == [
        ("2.0", "a b c"),
        ("5.0", GAP),
        ("10.25", GAP),
    ]
    (channels,) = signal.parent.glob("*_channels.tsv")
    assert {row["units"] for row in tsv(channels)} == {"µV"}
    assert "C3 in steps of 2.9 µV" in export([path], edf=True)[0]


def test_an_electrode_without_values_is_bad_and_costs_no_other(tmp_path):
    it = Writer(REAL)
    values = np.full((1000, 4), (1, np.nan, 2, 3), np.float32)
    it.parts.append(it.tape.take(Chunk(values, 0, 9.99)))
    raw = raw_of(open_recorded(it.write(tmp_path / "a.xdf")))
    assert (raw.info["bads"], len(raw.annotations)) == (["Fp2"], 0)


def test_the_participant_inside_a_recording_counts_where_its_name_has_none(tmp_path):
    path = session(REAL, ABOUT | {"participant": "P9"}).write(tmp_path / "a.xdf")
    assert "sub-P9" in export([path], bids=tmp_path / "study")[0]


def test_a_simulated_signal_is_called_so(tmp_path):
    path = session(replace(INFO, sfreq=100.0)).write(tmp_path / NAME)
    assert all(line.startswith("SIMULATED") for line in export([path], bids=tmp_path / "study", edf=True))
    (sidecar,) = (tmp_path / "study").rglob("*_eeg.json")
    assert json.loads(sidecar.read_text())["TaskDescription"].startswith("SIMULATED")


def test_a_recording_that_goes_on_or_without_samples_is_refused(tmp_path):
    path = session(REAL).write(tmp_path / "b.xdf")
    with closing(GrowingFile(iter([tmp_path / "c.xdf"]))) as growing:
        growing.append(path.read_bytes())
        with pytest.raises(MoodError, match="being recorded") if sys.platform != "win32" else nullcontext():
            export([growing.path], csv=True)
    with pytest.raises(MoodError, match="no samples"):
        export([Writer(REAL).write(tmp_path / "a.xdf")], edf=True)
    with pytest.raises(ConfigError, match="no format"):
        export([], out=tmp_path)
