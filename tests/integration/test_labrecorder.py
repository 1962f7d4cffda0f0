"""A recording of LabRecorder and one of this program, of the same streams, play and mean the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
from fakes import drain
from labrecorder import SentStream, write_labrecorder

from realtime_mood.auxiliary import STRING, AuxChunk, AuxInfo, SenderClock
from realtime_mood.recording.xdf_session import XdfSession
from realtime_mood.sources import open_source
from realtime_mood.types import Chunk, Marker, StreamInfo

SFREQ, N = 250.0, 3000
CH_NAMES = ("Fp1", "C3", "O2", "T8")
BEGIN_S, OFFSET_S = 100.0, 7.25  # of the samples on the recorder's clock, and of the senders' clock
PRESSED = {251: "go", 1503: "stop"}  # samples of the EEG at which markers were sent


def eeg() -> np.ndarray:
    return np.random.default_rng(2).normal(0, 12, (N, len(CH_NAMES))).astype(np.float32)


def gaze() -> tuple[np.ndarray, np.ndarray]:
    """Values and stamps on the recorder's clock: 120 Hz, with a gap of five seconds."""
    kept = np.r_[0:500, 1100:1300]
    return np.column_stack((kept, -kept)).astype(np.float32), BEGIN_S + kept / 120


def write_ours(path: Path) -> None:
    session, there = XdfSession(StreamInfo(CH_NAMES, SFREQ, "headset"), {}), SenderClock(BEGIN_S, OFFSET_S)
    parts, rows = [session.begin()], eeg()
    values, stamps = gaze()
    info = AuxInfo("lsl://Gaze", "Gaze", "Gaze", ("x", "y"), ("px", "px"), 120.0)
    texts = AuxInfo("lsl://Keys", "Keys", "Markers", ("key",), ("",), format=STRING, in_markers=True)
    for at in range(0, N, 100):
        parts.append(session.take(Chunk(rows[at : at + 100], at, BEGIN_S + (at + 99) / SFREQ)))
        for index in (index for index in PRESSED if at <= index < at + 100):
            t = np.array([BEGIN_S + index / SFREQ])
            row = np.array([[PRESSED[index]]], object)
            parts.append(session.take_aux(texts, AuxChunk(row, t, t - OFFSET_S, 0, there)))
            parts.append(session.mark(Marker(index, PRESSED[index]), float(t[0])))
    parts.append(session.take_aux(info, AuxChunk(values, stamps, stamps - OFFSET_S, 0, there)))
    path.write_bytes(b"".join([*parts, session.end()]))


def write_theirs(path: Path) -> None:
    at = np.array(list(PRESSED))
    values, stamps = gaze()
    texts = np.array([[text] for text in PRESSED.values()], object)
    headset = SentStream("headset", "EEG", CH_NAMES, "microvolts", SFREQ, eeg(),
                         BEGIN_S - OFFSET_S + np.arange(N) / SFREQ, OFFSET_S)  # fmt: skip
    write_labrecorder(path, [
        SentStream("Keys", "Markers", ("key",), "", 0.0, texts, BEGIN_S + at / SFREQ - OFFSET_S, OFFSET_S),
        headset,
        SentStream("Gaze", "Gaze", ("x", "y"), "px", 120.0, values, stamps - OFFSET_S, OFFSET_S),
    ])  # fmt: skip


def played(path: Path) -> tuple[StreamInfo, np.ndarray, list[tuple[int, str]], int]:
    stream = open_source(f"playback://{path}?speed=max").open()
    chunks = drain(stream)
    markers = [(marker.index, marker.text) for chunk in chunks for marker in chunk.markers]
    return stream.info, np.concatenate([chunk.data for chunk in chunks]), markers, sum(chunk.lost for chunk in chunks)


def loaded(path: Path, dejitter: bool) -> dict[str, Any]:
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=dejitter, verbose=False)
    return {stream["info"]["name"][0]: stream for stream in streams}


def test_both_play_the_same_signal_and_markers(tmp_path: Path) -> None:
    write_ours(tmp_path / "ours.xdf")
    write_theirs(tmp_path / "theirs.xdf")
    (ours, data, markers, lost), (theirs, *others) = played(tmp_path / "ours.xdf"), played(tmp_path / "theirs.xdf")
    np.testing.assert_array_equal(data, eeg())
    np.testing.assert_array_equal(others[0], data)
    assert markers == others[1] == list(PRESSED.items())
    assert lost == others[2] == 0
    assert (ours.ch_names, ours.sfreq) == (theirs.ch_names, theirs.sfreq) == (CH_NAMES, SFREQ)
    assert not theirs.notes


@pytest.mark.parametrize("dejitter", [True, False])
def test_both_hold_the_same_streams_beside_the_eeg(tmp_path: Path, dejitter: bool) -> None:
    write_ours(tmp_path / "ours.xdf")
    write_theirs(tmp_path / "theirs.xdf")
    ours, theirs = loaded(tmp_path / "ours.xdf", dejitter), loaded(tmp_path / "theirs.xdf", dejitter)
    for name in ("Gaze", "Keys", "headset"):
        one, other = ours[name], theirs[name]
        np.testing.assert_array_equal(np.asarray(one["time_series"]), np.asarray(other["time_series"]))
        np.testing.assert_allclose(one["time_stamps"], other["time_stamps"], atol=1e-4)
        for key in ("type", "channel_count", "channel_format"):
            assert one["info"][key] == other["info"][key]
        assert float(one["info"]["nominal_srate"][0]) == float(other["info"]["nominal_srate"][0])
        assert one["footer"]["info"]["sample_count"] == other["footer"]["info"]["sample_count"]
        channels = [[(it["label"], it["unit"]) for it in stream["info"]["desc"][0]["channels"][0]["channel"]]
                    for stream in (one, other)]  # fmt: skip
        assert channels[0] == channels[1] or name == "Keys"
